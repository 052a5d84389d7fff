package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
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
// TestMain lets several scripts go on beside each other, also where there are few
// processors: most of their time they wait for a process or a service.
func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", "4"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	testscript.Main(m, map[string]func(){
		"drawbridge": func() { os.Exit(cli.Main(os.Args[1:])) },
		"as":         as,
	})
}

// TestScripts runs testdata/script/*.txtar: what somebody types, and what they
// see. Beside the commands of package testscript there are:
//
//	tenant [terminal] [unguarded] [hijacked=N] [users=N] [scim=full|bridge|cursor] [okta]
//	                       serves a simulated tenant and writes drawbridge.yaml for it,
//	                       with messages going to its Slack or to the terminal, and
//	                       with the guard's lines or without; with scim the directory of
//	                       that configuration is reached by SCIM, with okta as an Okta
//	                       organisation, by the connector file, and nothing else changes;
//	                       $TENANT is the address
//	behind                 puts the tenant behind a proxy, a private authority and mutual TLS
//	people FILE            adds a file, whose $ME is the user of this test and $LOUD is the
//	                       same in capitals, to drawbridge.yaml
//	exec as USER COMMAND…  runs the command as another user of the system: in a user
//	                       namespace, which keeps the rights to the files; a script
//	                       that needs it begins with [!users] skip
//	elsewhere suspend|reactivate EMAIL
//	                       somebody does that in the service itself
//	suspended EMAIL        fails unless the account is suspended; with !, if it is
//	until PATTERN COMMAND… runs the command until its output matches
//	waitsocket FILE        waits until a server answers there
//	connect TOKEN          serves a simulated 1Password Connect server that takes the token, with
//	                       the tenant's webhook as op://Infra/Slack/url and the secret
//	                       op://Infra/db/password; its address is $CONNECT
//	fault OPERATION KIND   makes the tenant misbehave from now on; see sim.Fault
//	heal                   makes it behave again
//	waitsuspend            waits until an account was suspended since the last `fault`
//	waitcall OPERATION     waits until the tenant was asked for it since the last `fault` of it
//	changed N              fails unless the tenant was changed N times, no account twice
//	messages N [TEXT]      fails unless it was sent N messages, the last with that text
//	exitcode N COMMAND…    runs the command and compares its exit code
//	jqenv NAME FILE PATH   makes a value in a JSON file a variable
//	address NAME           makes an address nobody listens at a variable
//	now NAME               makes the time in Unix seconds a variable
//	deliver URL SECRET FILE STATUS [UNIX]
//	                       sends a signed delivery to a webhook, compares the status
//	                       and leaves the answer in answer.json
//	fetched URL TEXT       gets a page until it has a text; with !, until it has not
//	gate                   serves the doors of a building, a service that only a connector
//	                       file knows, and writes its address for $GATE in drawbridge.yaml
//	badge locked ID        fails unless a badge of the gate is locked; with !, if it is
//	jq FILE PATH WANT      compares a value in a JSON file, such as runs.0.status
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("USER", "tester")
			env.Setenv("TERM", "dumb")
			env.Setenv("ME", me())
			env.Values[tenantKey{}], env.Values[gateKey{}] = &tenant{}, &gate{}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"tenant":      startTenant,
			"behind":      putBehind,
			"people":      addPeople,
			"connect":     startConnect,
			"elsewhere":   meddle,
			"suspended":   checkSuspended,
			"until":       runUntil,
			"waitsocket":  waitSocket,
			"fault":       injectFault,
			"heal":        func(ts *testscript.TestScript, _ bool, _ []string) { of(ts).Heal() },
			"waitsuspend": waitSuspend,
			"waitcall":    waitCall,
			"changed":     checkChanges,
			"messages":    checkMessages,
			"exitcode":    checkExit,
			"jq":          checkJSON,
			"jqenv":       keepJSON,
			"address":     freeAddress,
			"now":         now,
			"deliver":     deliver,
			"fetched":     fetched,
			"gate":        startGate,
			"badge":       checkBadge,
		},
		Condition: func(condition string) (bool, error) {
			if condition != "users" {
				return false, fmt.Errorf("there is no condition %q", condition)
			}
			return otherUsers(), nil
		},
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
	})
}

// startConnect serves a simulated Connect server.
func startConnect(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: connect TOKEN")
	}
	field := func(label, value string) []sim.StoredField {
		return []sim.StoredField{{ID: label, Label: label, Value: value}}
	}
	server := httptest.NewServer(sim.NewConnect(args[0], []sim.StoredVault{{
		ID: sim.ItemID("Infra"), Name: "Infra", Items: []sim.StoredItem{
			{ID: sim.ItemID("Slack"), Title: "Slack", Fields: field("url", ts.Getenv("SLACK_WEBHOOK"))},
			{ID: sim.ItemID("db"), Title: "db", Fields: field("password", "hunter2-of-the-database")},
		},
	}}))
	ts.Defer(server.Close)
	ts.Setenv("CONNECT", server.URL)
}

type tenantKey struct{}

// tenant is the simulated tenant of one script.
type tenant struct {
	*sim.Tenant
	url   string                // where it is served
	asked map[sim.Operation]int // requests when the last fault of that operation was armed
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
	o, adapted, err := tenantOptions(args)
	ts.Check(err)
	t.Tenant = sim.New(o)
	server := httptest.NewServer(t.Tenant)
	ts.Defer(server.Close)
	for name, value := range credentials(t.Tenant, server.URL) {
		ts.Setenv(name, value)
	}
	adapted.url, t.url = server.URL, server.URL
	ts.Check(writeExamples(ts.MkAbs("."), adapted))
}

// adaptation is what a script wants otherwise in the examples' configuration.
type adaptation struct {
	url                 string // of the tenant
	terminal, unguarded bool
	scim, okta          bool // the directory is reached so
}

func tenantOptions(args []string) (o sim.Options, a adaptation, err error) {
	for _, option := range args {
		name, value, _ := strings.Cut(option, "=")
		switch name {
		case "terminal":
			a.terminal = true
		case "unguarded":
			a.unguarded = true
		case "scim":
			a.scim = true
			o.SCIM = map[string]sim.SCIM{
				"bridge": {NoFilter: true, NoBody: true, NoVersions: true}, "cursor": {Cursor: true},
			}[value]
		case "okta":
			a.okta = true
		case "hijacked":
			o.Hijacked, err = strconv.Atoi(value)
		case "users":
			o.Users, err = strconv.Atoi(value)
		default:
			err = fmt.Errorf("no such option: %s", option)
		}
		if err != nil {
			return o, a, err
		}
	}
	return o, a, nil
}

func credentials(t *sim.Tenant, url string) map[string]string {
	c := t.Credentials()
	return map[string]string{
		"SCIM_TOKEN": c.SCIMToken, "OKTA_TOKEN": c.OktaToken, "TENANT": url,
		"OP_CLIENT_ID": c.ClientID, "OP_CLIENT_SECRET": c.ClientSecret, "OP_EVENTS_TOKEN": c.EventsToken,
		"SLACK_WEBHOOK": url + c.SlackPath, "SIEM_WEBHOOK": url + c.WebhookPath, "TEAMS_WEBHOOK": url + c.TeamsPath,
		"SLACK_BOT_TOKEN": c.SlackToken, "SLACK_CHANNEL": c.SlackChannel, "PAGERDUTY_ROUTING_KEY": c.PagerDutyKey,
	}
}

// writeExamples copies the examples, with a configuration for the tenant.
func writeExamples(dir string, a adaptation) error {
	return fs.WalkDir(examples.Files(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || needsPeople(path) {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(dir, path), 0o700)
		}
		data, err := fs.ReadFile(examples.Files(), path)
		if err != nil {
			return err
		}
		if path == "drawbridge.yaml" {
			data = a.apply(data)
		}
		return os.WriteFile(filepath.Join(dir, path), data, 0o600)
	})
}

// needsPeople reports whether an example asks people, or waits for a webhook, of
// which the configuration of scripts has none.
func needsPeople(path string) bool {
	return strings.HasPrefix(path, "contractor-access.") || strings.HasPrefix(path, "contain-endpoint-alert.")
}

// apply makes the configuration of the examples the one of a script.
func (a adaptation) apply(data []byte) []byte {
	text := strings.NewReplacer(
		"http://127.0.0.1:8787", a.url,
		"    provider: onepassword\n", "    provider: onepassword\n    settle: 1s\n",
		"playbooks: [.]", "playbooks: [., ./playbooks]",
	).Replace(string(data))
	if a.terminal {
		text = strings.ReplaceAll(text, "provider: slack\n    webhook_url: env://SLACK_WEBHOOK", "provider: terminal")
	}
	if a.okta {
		before, rest, _ := strings.Cut(text, "    provider: onepassword\n")
		_, after, _ := strings.Cut(rest, "  signins:")
		text = before + "    provider: okta\n    base_url: " + a.url + "\n    token: env://OKTA_TOKEN\n    rate: { per_second: 1000, burst: 100 }\n  signins:" + after
		text = "connectors: [./connectors]\n" + text
	}
	if a.scim {
		before, rest, _ := strings.Cut(text, "    provider: onepassword\n")
		_, after, _ := strings.Cut(rest, "  signins:")
		text = before + "    provider: scim\n    base_url: " + a.url + "/scim\n    token: env://SCIM_TOKEN\n    settle: 1s\n  signins:" + after
	}
	// Whom the examples ask and tell: a script that is about it says so itself.
	services, rest, _ := strings.Cut(text, "\nnotify:")
	_, limits, _ := strings.Cut(rest, "\nguard:") // it stands last
	if a.unguarded {
		return []byte(services)
	}
	return []byte(services + "\nguard:" + limits)
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
	if t.asked == nil {
		t.asked = map[sim.Operation]int{}
	}
	t.asked[f.Operation] = t.Count(f.Operation)
}

func waitSuspend(ts *testscript.TestScript, _ bool, _ []string) {
	waitCall(ts, false, []string{string(sim.OpSuspend)})
}

func waitCall(ts *testscript.TestScript, _ bool, args []string) {
	op := sim.Operation(strings.Join(args, " "))
	t, _ := ts.Value(tenantKey{}).(*tenant)
	deadline := time.After(20 * time.Second)
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		if of(ts).Count(op) > t.asked[op] {
			return
		}
		select {
		case <-look.C:
		case <-deadline:
			ts.Fatalf("nobody asked for %s", op)
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
	got := of(ts).Messages()
	if len(args) < 1 || len(args) > 2 || strconv.Itoa(len(got)) != args[0] {
		ts.Fatalf("%d messages, want %v: %v", len(got), args, got)
	}
	if len(args) == 2 && (len(got) == 0 || !strings.Contains(got[len(got)-1].Text, args[1])) {
		ts.Fatalf("%q is not in the last of %v", args[1], got)
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
	if got := valueIn(ts, args[0], args[1]); got != args[2] {
		ts.Fatalf("%s is %s, want %s", args[1], got, args[2])
	}
}

func keepJSON(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: jqenv NAME FILE PATH")
	}
	ts.Setenv(args[0], valueIn(ts, args[1], args[2]))
}

// valueIn is a value of a file that holds one JSON object: a string as it is,
// anything else as JSON.
func valueIn(ts *testscript.TestScript, file, path string) string {
	dec := json.NewDecoder(strings.NewReader(ts.ReadFile(file)))
	var at any
	ts.Check(dec.Decode(&at))
	if dec.More() {
		ts.Fatalf("more than one JSON object")
	}
	for name := range strings.SplitSeq(path, ".") {
		at = member(at, name)
	}
	if s, ok := at.(string); ok {
		return s
	}
	got, err := json.Marshal(at)
	ts.Check(err)
	return string(got)
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

func waitSocket(ts *testscript.TestScript, _ bool, args []string) {
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		if conn, err := net.Dial("unix", ts.MkAbs(args[0])); err == nil {
			_ = conn.Close()
			return
		}
		runtime.Gosched()
	}
	ts.Fatalf("nobody answers on %s", args[0])
}
