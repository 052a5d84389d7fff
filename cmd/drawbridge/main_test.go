package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/cli"
	"github.com/drawbridge-soar/drawbridge/examples"
	"github.com/drawbridge-soar/drawbridge/steps/sim"
)

// TestMain makes the test binary the real command when a script asks for it.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"drawbridge": func() { os.Exit(cli.Main(os.Args[1:])) },
	})
}

// TestScripts runs testdata/script/*.txtar: what somebody types, and what they
// see. Beside the commands of package testscript there are:
//
//	tenant [terminal]      serves a simulated tenant and writes drawbridge.yaml for it,
//	                       with messages going to its Slack or to the terminal
//	fault OPERATION KIND   makes the tenant misbehave from now on; see sim.Fault
//	heal                   makes it behave again
//	waitsuspend            waits until an account was suspended since the last `fault`
//	changed N              fails unless the tenant was changed N times, no account twice
//	messages N             fails unless it was sent N messages
//	exitcode N COMMAND…    runs the command and compares its exit code
//	jq FILE PATH WANT      compares a value in a JSON file, such as runs.0.status
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("USER", "tester")
			env.Setenv("TERM", "dumb")
			env.Values[tenantKey{}] = &tenant{}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"tenant":      startTenant,
			"fault":       injectFault,
			"heal":        func(ts *testscript.TestScript, _ bool, _ []string) { of(ts).Heal() },
			"waitsuspend": waitSuspend,
			"changed":     checkChanges,
			"messages":    checkMessages,
			"exitcode":    checkExit,
			"jq":          checkJSON,
		},
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
	})
}

type tenantKey struct{}

// tenant is the simulated tenant of one script.
type tenant struct {
	*sim.Tenant
	suspended int // requests to suspend when the last fault was armed
}

func of(ts *testscript.TestScript) *sim.Tenant {
	t, _ := ts.Value(tenantKey{}).(*tenant)
	if t.Tenant == nil {
		ts.Fatalf("say `tenant` first")
	}
	return t.Tenant
}

func startTenant(ts *testscript.TestScript, _ bool, args []string) {
	t, _ := ts.Value(tenantKey{}).(*tenant)
	t.Tenant = sim.New(sim.Options{})
	server := httptest.NewServer(t.Tenant)
	ts.Defer(server.Close)
	for name, value := range credentials(t.Tenant, server.URL) {
		ts.Setenv(name, value)
	}
	ts.Check(writeExamples(ts.MkAbs("."), server.URL, len(args) > 0))
}

func credentials(t *sim.Tenant, url string) map[string]string {
	c := t.Credentials()
	return map[string]string{
		"OP_CLIENT_ID": c.ClientID, "OP_CLIENT_SECRET": c.ClientSecret, "OP_EVENTS_TOKEN": c.EventsToken,
		"SLACK_WEBHOOK": url + c.SlackPath, "SIEM_WEBHOOK": url + c.WebhookPath,
	}
}

// writeExamples copies the examples, with a configuration for the tenant.
func writeExamples(dir, url string, terminal bool) error {
	return fs.WalkDir(examples.Files(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(examples.Files(), path)
		if err != nil {
			return err
		}
		if path == "drawbridge.yaml" {
			data = bytes.ReplaceAll(data, []byte("http://127.0.0.1:8787"), []byte(url))
			data = bytes.ReplaceAll(data, []byte("    provider: onepassword\n"), []byte("    provider: onepassword\n    settle: 1s\n"))
			data = bytes.ReplaceAll(data, []byte("playbooks: [.]"), []byte("playbooks: [., ./playbooks]"))
			if terminal {
				data = bytes.ReplaceAll(data, []byte("provider: slack\n    webhook_url: env://SLACK_WEBHOOK"), []byte("provider: terminal"))
			}
		}
		return os.WriteFile(filepath.Join(dir, path), data, 0o600)
	})
}

func injectFault(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: fault OPERATION KIND [times=N] [after=N] [delay=DURATION]")
	}
	f := sim.Fault{Operation: sim.Operation(args[0]), Kind: sim.FaultKind(args[1])}
	for _, option := range args[2:] {
		name, value, _ := strings.Cut(option, "=")
		var err error
		switch name {
		case "times":
			f.Times, err = strconv.Atoi(value)
		case "after":
			f.After, err = strconv.Atoi(value)
		case "delay":
			f.Delay, err = time.ParseDuration(value)
		default:
			ts.Fatalf("no such option: %s", option)
		}
		ts.Check(err)
	}
	of(ts).Inject(f)
	t, _ := ts.Value(tenantKey{}).(*tenant)
	t.suspended = t.Count(sim.OpSuspend)
}

func waitSuspend(ts *testscript.TestScript, _ bool, _ []string) {
	t, _ := ts.Value(tenantKey{}).(*tenant)
	deadline := time.After(20 * time.Second)
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		if of(ts).Count(sim.OpSuspend) > t.suspended {
			return
		}
		select {
		case <-look.C:
		case <-deadline:
			ts.Fatalf("nobody was suspended")
		}
	}
}

func checkChanges(ts *testscript.TestScript, _ bool, args []string) {
	seen := map[string]int{}
	for _, c := range of(ts).Changes() {
		if c.Changed {
			seen[c.User+" "+string(c.Operation)]++
		}
	}
	for change, times := range seen {
		if times > 1 {
			ts.Fatalf("%s happened %d times", change, times)
		}
	}
	if len(args) != 1 || strconv.Itoa(len(seen)) != args[0] {
		ts.Fatalf("%d changes, want %v: %v", len(seen), args, seen)
	}
}

func checkMessages(ts *testscript.TestScript, _ bool, args []string) {
	if got := of(ts).Messages(); len(args) != 1 || strconv.Itoa(len(got)) != args[0] {
		ts.Fatalf("%d messages, want %v: %v", len(got), args, got)
	}
}

func checkExit(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: exitcode N COMMAND…")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("exit code %s, want %s", got, args[0])
	}
}

func checkJSON(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: jq FILE PATH WANT")
	}
	dec := json.NewDecoder(strings.NewReader(ts.ReadFile(args[0])))
	var doc any
	ts.Check(dec.Decode(&doc))
	if dec.More() {
		ts.Fatalf("more than one JSON object")
	}
	at := doc
	for name := range strings.SplitSeq(args[1], ".") {
		at = member(at, name)
	}
	got, err := json.Marshal(at)
	ts.Check(err)
	if s, ok := at.(string); ok {
		got = []byte(s)
	}
	if string(got) != args[2] {
		ts.Fatalf("%s is %s, want %s", args[1], got, args[2])
	}
}

func member(v any, name string) any {
	switch v := v.(type) {
	case map[string]any:
		return v[name]
	case []any:
		if name == "length" {
			return len(v)
		}
		if i, err := strconv.Atoi(name); err == nil && i < len(v) {
			return v[i]
		}
	}
	return nil
}
