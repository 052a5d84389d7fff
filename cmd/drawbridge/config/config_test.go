package config_test

import (
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/guard"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
	"github.com/drawbridge-soar/drawbridge/steps/network"
)

var update = flag.Bool("update", false, "write what is found into the golden files")

func providers() []engine.Provider {
	return []engine.Provider{{
		Name: "vault",
		Settings: []engine.Field{
			{Name: "account", Type: engine.TypeString(), Required: true, Doc: "The account's id."},
			{Name: "region", Type: engine.EnumOf("com", "ca", "eu")},
			{Name: "base_url", Type: engine.TypeString()},
			{Name: "api", Type: engine.EnumOf("v1", "v1beta1"), Default: "v1"},
			{Name: "client_secret", Type: engine.Type{Kind: engine.KindSecret}, Required: true, Doc: "The OAuth client's secret."},
			{Name: "settle", Type: engine.TypeDuration(), Default: 30 * time.Second},
		},
		ExactlyOne:   [][]string{{"region", "base_url"}},
		Capabilities: []engine.Capability{"directory", engine.CapabilityTest},
	}, {
		Name:         "chat",
		Settings:     []engine.Field{{Name: "webhook_url", Type: engine.Type{Kind: engine.KindSecret}, Required: true}},
		Capabilities: []engine.Capability{"messages", engine.CapabilityTest},
	}}
}

func TestWholeConfiguration(t *testing.T) {
	data, err := os.ReadFile("testdata/whole.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got, problems := config.Parse("/etc/drawbridge/drawbridge.yaml", data, providers())
	if len(problems) > 0 {
		t.Fatalf("problems:\n%s", yamldoc.Render(problems))
	}
	for i := range got.Connections {
		got.Connections[i].Provider = engine.Provider{Name: got.Connections[i].Provider.Name}
	}
	changes, percent, offboard := int64(25), 5.0, int64(200)
	want := &config.Config{
		Path:      "/etc/drawbridge/drawbridge.yaml",
		Playbooks: []string{"/etc/drawbridge/playbooks", "/srv/playbooks"},
		Connections: []config.Connection{{
			Name: "1password", Provider: engine.Provider{Name: "vault"},
			Settings: map[string]any{
				"account": "ABC", "region": "eu", "api": "v1", "settle": time.Minute,
				"client_secret": secret.Reference("env://OP_CLIENT_SECRET"),
			},
			Rate: &config.Rate{PerSecond: 2.5, Burst: 3, Concurrency: 4},
		}, {
			Name: "team", Provider: engine.Provider{Name: "chat"},
			Settings: map[string]any{"webhook_url": secret.Reference("op://Infra/Slack/incoming webhook")},
		}},
		Defaults: map[engine.Capability]string{"directory": "1password", "messages": "team"},
		Guard: guard.Configuration{
			Limits: guard.Limits{
				MaxChanges: &changes, MaxPercent: &percent, OnBlock: "ask",
				Protect: []string{"breakglass-*@example.com", "directory-group:admins"},
				Budget:  &guard.Budget{Changes: 60, Per: 24 * time.Hour},
			},
			Playbooks: map[string]guard.Limits{"offboard": {MaxChanges: &offboard}},
			Policies: []guard.Policy{{
				Playbooks: []string{"contain-*"}, Connections: []string{"1password", "te?m"}, Actions: []string{"user.*", "message.send"},
				Approve: &guard.PolicyApproval{By: []string{"group:security-oncall", "bob@example.com"}, Needs: 2, Timeout: 4 * time.Hour},
			}, {
				Playbooks: []string{"*"}, Approve: &guard.PolicyApproval{Needs: 1},
			}},
		},
		People: []engine.Person{
			{Name: "alice", OSUser: "alice", Email: "alice@example.com", Groups: []string{"security-oncall"}},
			{Name: "bob", Email: "bob@example.com"},
		},
		Notify: "team", ApprovalLink: "https://soar.example.com/approvals/{id}", MaxPlanAge: 12 * time.Hour,
		Retention: config.Retention{Runs: 30 * 24 * time.Hour, Keep: 5000, MaxSize: 500_000_000}, Hash: hashOf(data),
		Serve: config.Serve{
			Listen: "0.0.0.0:9000", Socket: config.Socket{Path: "/etc/drawbridge/run/drawbridge.sock", Mode: 0o660, Group: "security"},
			Workers: 8, Grace: time.Minute, Log: "json", Watch: false,
		},
		Webhooks: []config.Webhook{
			{Name: "siem-alert", Secret: "env://SIEM_SECRET", MaxBody: 256 << 10, Tolerance: 2 * time.Minute},
			{Name: "edr", Token: "file:///run/secrets/edr", MaxBody: 1_000_000, Tolerance: 5 * time.Minute},
		},
		Network: config.Network{Settings: network.Settings{
			General: network.Host{
				Proxy:   &network.Proxy{URL: "http://proxy.example.com:3128", User: "drawbridge", Password: "env://PROXY_PASSWORD"},
				CAFiles: []string{"/etc/ssl/corp.pem"}, MinTLS: tls.VersionTLS13,
				Timeouts: network.Timeouts{Connect: 3 * time.Second, Response: 20 * time.Second},
			},
			Hosts: map[string]network.Host{
				"scim.example.com": {
					Proxy: &network.Proxy{None: true}, CAFiles: []string{"/etc/drawbridge/scim-ca.pem", "/etc/drawbridge/old-ca.pem"},
					ClientCert: "/etc/drawbridge/c.pem", ClientKey: "/etc/drawbridge/c.key",
				},
				"*.corp.example.com:8443": {
					Proxy: &network.Proxy{URL: "socks5://10.0.0.1"}, SystemRoots: new(false), CAData: "-----BEGIN CERTIFICATE-----",
					MinTLS: tls.VersionTLS12, ServerName: "a.example.com", Verify: network.VerifyFull, Timeouts: network.Timeouts{TLS: time.Second},
				},
			},
		}},
	}
	want.Secrets = config.Secrets{OnePassword: &config.OnePassword{Host: "https://connect.example.com", Token: "env://OP_CONNECT_TOKEN"}}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(config.Network{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if refs := got.Network.Secrets(); len(refs) != 1 || refs[0] != "env://PROXY_PASSWORD" {
		t.Errorf("its secrets are %v", refs)
	}
}

func TestAPlanMayBeADayOld(t *testing.T) {
	c, _ := config.Parse("drawbridge.yaml", []byte("playbooks: [.]"), providers())
	if c.MaxPlanAge != 24*time.Hour {
		t.Errorf("max_plan_age is %s", c.MaxPlanAge)
	}
}

func TestServingWithoutAWord(t *testing.T) {
	for _, text := range []string{"playbooks: [.]", "serve: { socket: {} }"} {
		c, _ := config.Parse("drawbridge.yaml", []byte(text), providers())
		if c == nil || c.Serve != config.DefaultServe() || len(c.WebhookNames()) != 0 {
			t.Errorf("%q: %+v", text, c)
		}
	}
}

func TestAPatternThatFitsNoConnectionIsAWarning(t *testing.T) {
	text := "connections: {team: {provider: chat, webhook_url: env://HOOK}}\npolicy:\n  - { playbooks: [x], connections: [team, \"old-*\"] }\n"
	c, problems := config.Parse("drawbridge.yaml", []byte(text), providers())
	if c == nil || len(problems) != 1 || !strings.HasPrefix(problems[0].String(), `drawbridge.yaml:3:43: warning: no connection fits "old-*"`) {
		t.Errorf("got %s", yamldoc.Render(problems))
	}
}

func TestCatalog(t *testing.T) {
	c, _ := config.Parse("drawbridge.yaml", []byte("connections: {team: {provider: chat, webhook_url: env://HOOK}}"), providers())
	got, err := c.Catalog().Resolve([]engine.Capability{"messages"}, engine.ConnectionRef{})
	if err != nil || got["messages"] != "team" {
		t.Errorf("resolved %v, %v", got, err)
	}
}

func TestConnectionsOpenOnceAndLate(t *testing.T) {
	opened := 0
	list := providers()
	list[1].Open = func(o engine.Opening) (*engine.Connection, error) {
		opened++
		if o.Settings["webhook_url"] != secret.Reference("env://HOOK") || o.Version != "1.2.3" {
			t.Errorf("opened with %+v", o)
		}
		return &engine.Connection{Name: o.Name}, nil
	}
	c, _ := config.Parse("drawbridge.yaml", []byte("connections: {team: {provider: chat, webhook_url: env://HOOK}}"), list)
	set := c.Open(engine.Opening{Version: "1.2.3"})
	if opened != 0 {
		t.Error("a connection was opened before it was asked for")
	}
	for range 2 {
		if conn, err := set.Connection(t.Context(), "team"); err != nil || conn.Name != "team" {
			t.Errorf("got %v, %v", conn, err)
		}
	}
	if opened != 1 {
		t.Errorf("opened %d times", opened)
	}
	if _, err := set.Connection(t.Context(), "gone"); !errors.Is(err, &engine.Failure{Class: engine.ClassInvalid}) {
		t.Errorf("a connection that is not there: %v", err)
	}
}

// TestMistakes reads testdata/*.txtar: a configuration with one mistake each,
// and what is said about it.
func TestMistakes(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { checkMistake(t, file) })
	}
}

func checkMistake(t *testing.T, file string) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c, problems := config.Parse("drawbridge.yaml", archive.Files[0].Data, providers())
	if c != nil {
		t.Error("the mistake went unnoticed")
	}
	got := yamldoc.Render(problems)
	if strings.Contains(got, "hunter2") {
		t.Errorf("a secret is shown:\n%s", got)
	}
	if *update {
		archive.Files = append(archive.Files[:1], txtar.File{Name: "want", Data: []byte(got)})
		if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(archive.Files[1].Data), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLoadOfAFileThatIsNotThere(t *testing.T) {
	c, problems := config.Load(filepath.Join(t.TempDir(), "none.yaml"), providers())
	if c != nil || len(problems) != 1 || !strings.Contains(problems[0].Message, "no such file") {
		t.Errorf("got %v, %v", c, problems)
	}
}

func TestFind(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, step := range []struct {
		given, want string
		create      bool
	}{{"", "", false}, {"other.yaml", "other.yaml", false}, {"", config.FileName, true}} {
		if step.create {
			if err := os.WriteFile(config.FileName, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := config.Find(step.given); got != step.want || err != nil {
			t.Errorf("Find(%q) = %q, %v; want %q", step.given, got, err, step.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/*")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, problems := config.Parse("drawbridge.yaml", data, providers())
		if c == nil && !yamldoc.HasErrors(problems) {
			t.Error("refused without saying why")
		}
	})
}

func hashOf(data []byte) string { return fmt.Sprintf("%x", sha256.Sum256(data)) }

// TestRetain: what is not said has a default, and changes are kept as long as
// any budget counts them.
func TestRetain(t *testing.T) {
	parse := func(text string) engine.Retention {
		c, problems := config.Parse("drawbridge.yaml", []byte(text), nil)
		if c == nil {
			t.Fatal(problems)
		}
		return c.Retain(time.Unix(1, 0), engine.Actor{Name: "alice"})
	}
	const day = 24 * time.Hour
	want := engine.Retention{
		Now: time.Unix(1, 0), Actor: engine.Actor{Name: "alice"}, Runs: 90 * day, Keep: 100_000, Plans: day, Bytes: 1_000_000_000, KeepChanges: 31 * day, Deliveries: 3 * day,
	}
	if diff := cmp.Diff(want, parse("{}")); diff != "" {
		t.Errorf("by default (-want +got):\n%s", diff)
	}
	want.Runs, want.KeepChanges = 7*day, 60*day
	if diff := cmp.Diff(want, parse("retention: { runs: 7d }\nguard: { playbooks: { a: { budget: { changes: 1, per: 60d } } } }")); diff != "" {
		t.Errorf("with a long budget (-want +got):\n%s", diff)
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{"500MB": 500_000_000, "1 GB": 1_000_000_000, "1gib": 1 << 30, "0kB": 0, "2TB": 2_000_000_000_000} {
		if got, err := config.ParseSize(text); err != nil || got != want {
			t.Errorf("%q is %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "5", "MB", "-1MB", "1.5GB", "9999999999TB", "1PB", "10 B"} {
		if got, err := config.ParseSize(text); !errors.Is(err, config.ErrSize) {
			t.Errorf("%q is %d, %v", text, got, err)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1 kB", 48_200_000: "48.2 MB", 1_000_000_000: "1 GB"} {
		if got := config.FormatSize(n); got != want {
			t.Errorf("%d is %q", n, got)
		}
	}
}
