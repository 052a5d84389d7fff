package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/steps/sim"
)

// TestNoSecretGetsOut runs commands that use secrets, that fail for them, and
// that log everything, and then looks for every secret, in every form it could
// take, in the database, its log and all that was printed.
func TestNoSecretGetsOut(t *testing.T) {
	tenant := sim.New(sim.Options{})
	server := httptest.NewServer(tenant)
	defer server.Close()
	good := credentials(tenant, server.URL)
	c := tenant.Credentials()
	canaries := []string{
		good["OP_CLIENT_ID"], good["OP_CLIENT_SECRET"], good["OP_EVENTS_TOKEN"], good["SLACK_WEBHOOK"], c.SlackPath,
		good["TEAMS_WEBHOOK"], c.TeamsPath, good["SLACK_BOT_TOKEN"], good["PAGERDUTY_ROUTING_KEY"],
	}
	wrong := map[string]string{
		"OP_CLIENT_ID":     `canary-id "quoted"/+&=ü`,
		"OP_CLIENT_SECRET": `canary-secret "quoted"\/+&=%ü<b>`,
		"OP_EVENTS_TOKEN":  "canary.events-token+/=.x",
		"SLACK_WEBHOOK":    server.URL + "/services/TCANARY/BCANARY/canary?token=a+b&c=%22d",
		"TEAMS_WEBHOOK":    server.URL + "/workflows/CANARYFLOW/triggers/manual/paths/invoke?sig=canary-signature_a%2Fb",
		"SLACK_BOT_TOKEN":  "xoxb-canary-token+/=",

		"PAGERDUTY_ROUTING_KEY": "canary-routing-key-0123456789abc",
	}
	for _, secret := range wrong {
		canaries = append(canaries, secret)
	}
	dir := t.TempDir()
	if err := writeExamples(dir, adaptation{url: server.URL}); err != nil {
		t.Fatal(err)
	}
	writeMessengers(t, dir, server.URL, c.SlackChannel)
	var printed bytes.Buffer
	run := func(env map[string]string, args ...string) {
		printed.Write(runIn(t, dir, env, args...))
	}
	run(good, "run", "contain-suspicious-users", "-v")
	run(good, "run", "suspend-user", "-i", "email=noor.haddad@example.com", "-i", "reason="+good["OP_CLIENT_SECRET"], "-o", "json")
	run(good, "connections", "test", "-v")
	run(good, "runs", "show", "last")
	run(good, "runs", "show", "last", "-o", "json")
	run(wrong, "run", "suspend-user", "-i", "email=ines.rautio@example.com", "-i", "reason=x", "-v")
	run(wrong, "run", "contain-suspicious-users", "-o", "json", "-v")
	run(wrong, "connections", "test", "-v")
	run(wrong, "connections", "test", "-o", "json")
	run(mixed(good, wrong, "SLACK_WEBHOOK"), "run", "suspend-user", "-i", "email=ines.rautio@example.com", "-i", "reason=x", "-v")
	secretly := []string{"-i", "email=kenji.arakawa@example.com", "-i", "reason=" + good["OP_CLIENT_SECRET"]}
	run(good, append([]string{"plan", "suspend-user"}, secretly...)...)
	run(good, append([]string{"plan", "suspend-user", "-o", "json"}, secretly...)...)
	run(good, append([]string{"plan", "suspend-user", "-o", "markdown"}, secretly...)...)
	run(wrong, "plan", "suspend-user", "-i", "email=kenji.arakawa@example.com", "-i", "reason="+wrong["OP_CLIENT_SECRET"], "-v")
	run(good, "plan", "suspend-user", "-i", "email=kenji.arakawa@example.com", "-i", "reason=x")
	run(good, "apply", "last", "-v")
	run(good, "undo", "last", "--apply", "--lift-limits", good["OP_EVENTS_TOKEN"], "-v")
	run(good, "freeze", "--db", "other.db", "--reason", good["OP_CLIENT_SECRET"])
	run(good, "audit", "export", "--db", "other.db")
	run(good, "audit", "export")
	run(good, "handover", "-o", "json")
	run(good, "runs", "list", "-v")
	run(good, "runs", "show", "last", "-o", "json")
	for _, env := range []map[string]string{good, wrong} {
		for _, name := range messengers() {
			run(env, "run", name+".yaml", "--config", "messengers.yaml", "-v")
		}
		run(env, "connections", "test", "--config", "messengers.yaml", "-v")
	}

	for _, op := range []sim.Operation{sim.OpSlackPost, sim.OpSlackAuth, sim.OpTeams, sim.OpPagerDuty} {
		if tenant.Count(op) == 0 {
			t.Errorf("nothing was asked of %s", op)
		}
	}
	if !bytes.Contains(printed.Bytes(), []byte("<secret>")) {
		t.Error("no secret was ever near an output: the test looks in the wrong place")
	}
	look(t, "what was printed", printed.Bytes(), canaries)
	killRun(t, tenant, dir, good)
	if seen := lookInFiles(t, dir, canaries); !seen["drawbridge.db"] || !seen["drawbridge.db-wal"] {
		t.Errorf("the database and its log were not looked at: %v", seen)
	}
}

func messengers() []string { return []string{"bot", "teams", "pager"} }

// writeMessengers adds a configuration with the messengers that the examples do
// not have, and a playbook for each.
func writeMessengers(t *testing.T, dir, url, channel string) {
	t.Helper()
	files := map[string]string{"messengers.yaml": fmt.Sprintf(`connections:
  bot: { provider: slack, token: env://SLACK_BOT_TOKEN, channel: %s, base_url: %q }
  teams: { provider: teams, webhook_url: env://TEAMS_WEBHOOK }
  pager: { provider: pagerduty, routing_key: env://PAGERDUTY_ROUTING_KEY, base_url: %[2]q }
`, channel, url)}
	for _, name := range messengers() {
		files[name+".yaml"] = "steps: [{ uses: message.send, connection: " + name + ", with: { text: hello } }]\n"
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// killRun kills a run while it waits for the tenant, so that the database's
// write-ahead log stays behind.
func killRun(t *testing.T, tenant *sim.Tenant, dir string, env map[string]string) {
	t.Helper()
	tenant.Inject(sim.Fault{Operation: sim.OpSuspend, Kind: sim.FaultSlow, Times: -1, Delay: 5 * time.Second})
	ctx, kill := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, "drawbridge", "run", "suspend-user", "-i", "email=viktor.halloran@example.com", "-i", "reason=x")
	cmd.Dir = dir
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { return logged(dir) })
	kill()
	_ = cmd.Wait() // it was killed
}

// logged reports whether the write-ahead log holds something.
func logged(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, "drawbridge.db-wal"))
	return err == nil && info.Size() > 0
}

func waitFor(t *testing.T, condition func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for !condition() {
		select {
		case <-look.C:
		case <-deadline:
			t.Fatal("what was waited for did not happen")
		}
	}
}

func mixed(good, wrong map[string]string, names ...string) map[string]string {
	out := map[string]string{}
	for name, value := range good {
		out[name] = value
	}
	for _, name := range names {
		out[name] = wrong[name]
	}
	return out
}

// runIn runs the command and returns all it printed, whatever its exit code.
func runIn(t *testing.T, dir string, env map[string]string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "drawbridge", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TERM=dumb")
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	out, err := cmd.CombinedOutput()
	if len(out) == 0 {
		t.Fatalf("%v printed nothing: %v", args, err)
	}
	return out
}

// lookInFiles returns the names of the files it looked at.
func lookInFiles(t *testing.T, dir string, canaries []string) map[string]bool {
	t.Helper()
	seen := map[string]bool{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		look(t, filepath.Base(path), data, canaries)
		seen[filepath.Base(path)] = true
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

func look(t *testing.T, where string, data []byte, canaries []string) {
	t.Helper()
	for _, secret := range canaries {
		for form, text := range forms(secret) {
			if at := bytes.Index(data, []byte(text)); at >= 0 {
				t.Errorf("%s holds %q, %s, near %q", where, secret, form, data[max(0, at-60):min(len(data), at+len(text)+20)])
			}
		}
	}
}

// forms is written without the redactor's own table, which might forget one.
func forms(secret string) map[string]string {
	quoted, err := json.Marshal(secret)
	if err != nil { // a string always encodes
		return nil
	}
	plain := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(quoted))
	basic := base64.StdEncoding.EncodeToString([]byte("x" + secret))
	return map[string]string{
		"plain":               secret,
		"base64":              base64.StdEncoding.EncodeToString([]byte(secret)),
		"base64 for URLs":     base64.RawURLEncoding.EncodeToString([]byte(secret)),
		"base64 within":       basic[4 : len(basic)-4],
		"escaped in a query":  url.QueryEscape(secret),
		"escaped in a path":   url.PathEscape(secret),
		"escaped in JSON":     strings.Trim(string(quoted), `"`),
		"escaped in JSON too": strings.Trim(plain, `"`),
	}
}
