package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// me is the operating-system user who runs the tests.
func me() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}

// addPeople lets a script say who is who: it cannot know who runs it.
func addPeople(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: people FILE")
	}
	const file = "drawbridge.yaml"
	user := ts.Getenv("ME")
	text := strings.NewReplacer("$ME", user, "$LOUD", strings.ToUpper(user)).Replace(ts.ReadFile(args[0]))
	ts.Check(os.WriteFile(ts.MkAbs(file), []byte(ts.ReadFile(file)+"\n"+text), 0o600))
}

// as is the command `as USER COMMAND…`: it is that user of the system, by name
// or number, and keeps the rights to the files of who runs the tests.
func as() {
	err := runAs(os.Args[1:])
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		os.Exit(exit.ExitCode())
	case err != nil:
		fmt.Fprintln(os.Stderr, "as:", err)
		os.Exit(125)
	}
}

func runAs(args []string) error {
	if len(args) < 2 {
		return errors.New("usage: as USER COMMAND…")
	}
	uid, err := strconv.Atoi(args[0])
	if err != nil {
		u, err := user.Lookup(args[0])
		if err != nil {
			return err
		}
		if uid, err = strconv.Atoi(u.Uid); err != nil {
			return err
		}
	}
	cmd := exec.Command(args[1], args[2:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	become(cmd, uid)
	return cmd.Run()
}

// otherUsers reports whether `as` works here: the system must allow user
// namespaces, and the scripts' users must exist.
func otherUsers() bool {
	for _, name := range []string{"daemon", "bin"} {
		if _, err := user.Lookup(name); err != nil || name == me() {
			return false
		}
	}
	cmd := exec.Command("true")
	return become(cmd, 1) && cmd.Run() == nil
}

// meddle does something in the service itself.
func meddle(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 || args[0] != "suspend" && args[0] != "reactivate" {
		ts.Fatalf("usage: elsewhere suspend|reactivate EMAIL")
	}
	ts.Check(of(ts).SetSuspended(idOf(ts, args[1]), args[0] == "suspend"))
}

func checkSuspended(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: suspended EMAIL")
	}
	suspended, err := of(ts).Suspended(idOf(ts, args[0]))
	ts.Check(err)
	if suspended == neg {
		ts.Fatalf("%s: suspended is %t", args[0], suspended)
	}
}

func idOf(ts *testscript.TestScript, email string) string {
	for account := range of(ts).Accounts() {
		if account.Email == email {
			return account.ID
		}
	}
	ts.Fatalf("nobody has the address %s", email)
	return ""
}

// runUntil runs a command until what it prints matches.
func runUntil(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: until PATTERN COMMAND…")
	}
	wanted, err := regexp.Compile(args[0])
	ts.Check(err)
	look := time.NewTicker(100 * time.Millisecond) // to ask costs a process
	defer look.Stop()
	for began := time.Now(); time.Since(began) < time.Minute; <-look.C {
		ts.Check(ts.Exec(args[1], args[2:]...))
		if wanted.MatchString(ts.ReadFile("stdout")) {
			return
		}
	}
	ts.Fatalf("it never printed %s", args[0])
}
