package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/server"
)

// freeAddress makes an address at which nobody listens a variable.
func freeAddress(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: address NAME")
	}
	for range 100 {
		// Below the ports that the system gives to whoever only connects.
		address := fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(22_000))
		if l, err := net.Listen("tcp", address); err == nil {
			ts.Check(l.Close())
			ts.Setenv(args[0], address)
			return
		}
	}
	ts.Fatalf("no port is free")
}

// deliver sends a signed delivery to a webhook. What was answered is then in
// answer.json.
func deliver(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 4 || len(args) > 5 {
		ts.Fatalf("usage: deliver URL SECRET FILE STATUS [UNIX]")
	}
	at, body := time.Now(), []byte(ts.ReadFile(args[2]))
	if len(args) == 5 {
		seconds, err := strconv.ParseInt(args[4], 10, 64)
		ts.Check(err)
		at = time.Unix(seconds, 0)
	}
	r, err := http.NewRequest(http.MethodPost, args[0], bytes.NewReader(body))
	ts.Check(err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(server.TimestampHeader, strconv.FormatInt(at.Unix(), 10))
	r.Header.Set(server.SignatureHeader, server.Sign(secret.New(args[1]), at, body))
	res, err := http.DefaultClient.Do(r)
	ts.Check(err)
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("answer.json"), answer, 0o600))
	if strconv.Itoa(res.StatusCode) != args[3] {
		ts.Fatalf("it answered %s, want %s: %s", res.Status, args[3], answer)
	}
}

// fetched gets a page until it has what is wanted.
func fetched(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: fetched URL TEXT")
	}
	deadline := time.Now().Add(20 * time.Second)
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for {
		res, err := http.Get(args[0])
		ts.Check(err)
		page, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		ts.Check(err)
		if strings.Contains(string(page), args[1]) != neg {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s has\n%s", args[0], page)
		}
		<-look.C
	}
}

// now makes the time, in Unix seconds, a variable.
func now(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: now NAME")
	}
	ts.Setenv(args[0], strconv.FormatInt(time.Now().Unix(), 10))
}
