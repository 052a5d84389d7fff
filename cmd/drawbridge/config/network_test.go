package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
	"github.com/drawbridge-soar/drawbridge/steps/network"
	"github.com/drawbridge-soar/drawbridge/steps/network/networktest"
)

// TestFilesAreReadForARun and what is wrong with them is said with their place
// in the configuration.
func TestFilesAreReadForARun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	old, err := networktest.NewAuthority("Old Authority", time.Unix(0, 0), time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "old.pem"), old.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	pair, err := old.Issue(networktest.Wish{Name: "runner", Client: true, From: time.Unix(0, 0), Until: time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := networktest.Files(dir, "client", pair); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		text  string
		want  []string
		works bool
	}{
		"nothing":  {"network: {}\n", nil, true},
		"no file":  {"network:\n  ca_file: none.pem\n", []string{"drawbridge.yaml:2:12: error: " + dir + "/none.pem cannot be read: no such file or directory [network]"}, false},
		"the list": {"network:\n  ca_file: [old.pem, none.pem]\n", []string{":2:13: warning: ", "Old Authority", ":2:22: error: "}, false},
		"a host":   {"network:\n  hosts:\n    A.example.com:\n      ca_file: old.pem\n", []string{":4:16: warning: " + dir + "/old.pem holds a certificate that expired on 2024-01-02"}, true},
		"a pair":   {"network:\n  client_cert: client.pem\n  client_key: client.key\n", []string{":2:16: error: the certificate in " + dir + "/client.pem expired on 2024-01-02 (runner)"}, false},
		"data":     {"network:\n  ca_data: |\n    hello\n", []string{":2:12: error: ca_data holds no certificate"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, problems := config.Parse(filepath.Join(dir, "drawbridge.yaml"), []byte(tt.text), providers())
			if len(problems) > 0 {
				t.Fatalf("problems:\n%s", yamldoc.Render(problems))
			}
			n, problems := c.Reach(network.Options{})
			if (n != nil) != tt.works || n != nil && yamldoc.HasErrors(problems) {
				t.Errorf("it can be used: %v, %v", n != nil, problems)
			}
			said := yamldoc.Render(problems)
			for _, w := range tt.want {
				if !strings.Contains(said, w) {
					t.Errorf("it does not say %q:\n%s", w, said)
				}
			}
			if len(tt.want) == 0 && said != "" {
				t.Errorf("it says %s", said)
			}
		})
	}
}

func TestTheZeroConfigReachesEverything(t *testing.T) {
	t.Parallel()
	if n, problems := (&config.Config{}).Reach(network.Options{}); n == nil || len(problems) > 0 {
		t.Errorf("problems: %v", problems)
	}
}

func TestWhatIsNotVerifiedIsAWarning(t *testing.T) {
	t.Parallel()
	text := "network:\n  hosts:\n    b.example.com: { verify: none }\n    A.example.com: { verify: certificate }\n    c.example.com: { verify: full }\n"
	c, problems := config.Parse("drawbridge.yaml", []byte(text), providers())
	if c == nil || len(problems) != 2 || problems[0].Severity != yamldoc.Warning || problems[1].Severity != yamldoc.Warning {
		t.Fatalf("problems:\n%s", yamldoc.Render(problems))
	}
	if !strings.HasPrefix(problems[0].String(), "drawbridge.yaml:3:30: warning: the certificate of b.example.com is not verified") {
		t.Errorf("it says %s", problems[0])
	}
	if got := strings.Join(c.Network.Unverified(), " "); got != "a.example.com b.example.com" {
		t.Errorf("not verified: %s", got)
	}
}
