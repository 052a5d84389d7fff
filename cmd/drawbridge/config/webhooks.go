package config

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// Webhook is who may start playbooks from outside, at POST /hooks/NAME.
// Exactly one of Secret and Token is set.
type Webhook struct {
	Name      string
	Secret    secret.Reference // key of the HMAC-SHA256 signature; "" where Token is used
	Token     secret.Reference // bearer token; "" where Secret is used
	MaxBody   int64            // bytes; 1 MB by default, at most 10 MB
	Tolerance time.Duration    // how far a signature's time may be from ours, and how long one is remembered; 5m by default
}

// Limits of webhooks where the configuration says nothing, and what it may say.
const (
	defaultMaxBody   = 1_000_000
	greatestMaxBody  = 10_000_000
	defaultTolerance = 5 * time.Minute
	longestTolerance = 24 * time.Hour
)

// WebhookNames are the names of the webhooks, in the order of the file.
func (c *Config) WebhookNames() []string {
	names := make([]string, len(c.Webhooks))
	for i, w := range c.Webhooks {
		names[i] = w.Name
	}
	return names
}

func (d *decoder) webhooks(n *yamldoc.Node) []Webhook {
	if n == nil {
		return nil
	}
	if n.Kind() != yamldoc.Map {
		d.report(n.Errorf("type", "webhooks must be a map from names to settings, not %s", n.Describe()))
		return nil
	}
	var out []Webhook
	for _, e := range n.Entries() {
		if !regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,99}$`).MatchString(e.Name()) {
			d.report(e.Key.Errorf("name", "%q cannot be the name of a webhook", e.Name()).WithHint("use a-z, 0-9, - and _: it stands in POST /hooks/NAME"))
		}
		if w, ok := d.webhook(e); ok {
			out = append(out, w)
		}
	}
	return out
}

func (d *decoder) webhook(e yamldoc.Entry) (Webhook, bool) {
	if e.Value.Kind() != yamldoc.Map || len(e.Value.Entries()) == 0 {
		d.report(withoutLines([]yamldoc.Diagnostic{
			e.Key.Errorf("type", "the webhook %q must be a map of settings", e.Name()).
				WithHint("it needs a secret or a token: %s: { secret: env://NAME }", e.Name()),
		})...)
		return Webhook{}, false
	}
	n := e.Value
	d.report(withoutLines(yamldoc.UnknownKeys(n, "a webhook", []string{"secret", "token", "max_body", "tolerance"}))...)
	w := Webhook{
		Name: e.Name(), Secret: d.credential(n, "secret"), Token: d.credential(n, "token"),
		MaxBody: d.size(n.Get("max_body"), "max_body"), Tolerance: d.tolerance(n),
	}
	switch {
	case n.Get("secret") == nil && n.Get("token") == nil:
		d.report(n.FirstKey().Errorf("exactly-one", "a webhook needs exactly one of secret, token").
			WithHint("secret is the key its calls are signed with (HMAC-SHA256), token the bearer token they carry"))
	case n.Get("secret") != nil && n.Get("token") != nil:
		second, _ := n.Entry("token")
		d.report(second.Key.Errorf("exactly-one", "a webhook needs exactly one of secret, token"))
	}
	return w, true
}

// credential reads a reference to a secret; "" where there is none.
func (d *decoder) credential(n *yamldoc.Node, name string) secret.Reference {
	given := n.Get(name)
	if given == nil {
		return ""
	}
	out := map[string]any{}
	d.reference(given, engine.Field{Name: name, Type: engine.Type{Kind: engine.KindSecret}}, out)
	ref, _ := out[name].(secret.Reference)
	return ref
}

// size reads a number of bytes.
func (d *decoder) size(n *yamldoc.Node, name string) int64 {
	if n == nil {
		return defaultMaxBody
	}
	bytes, ok := parseSize(n.Text())
	switch {
	case n.Kind() != yamldoc.Scalar || !ok:
		d.report(n.Errorf("size", "%s must be a size, not %s", name, n.Describe()).WithHint("write a whole number with a unit of B, kB, MB, KiB or MiB, such as 256kB or 1MB"))
	case bytes < 1 || bytes > greatestMaxBody:
		d.report(n.Errorf("range", "%s must be from 1B to 10MB", name))
	}
	return bytes
}

// parseSize reads a size; what no number holds is greater than any limit.
func parseSize(text string) (int64, bool) {
	units := map[string]int64{"b": 1, "kb": 1000, "mb": 1000 * 1000, "kib": 1 << 10, "mib": 1 << 20}
	parts := regexp.MustCompile(`^([0-9]{1,9}) ?([A-Za-z]+)$`).FindStringSubmatch(text)
	if parts == nil {
		return 0, false
	}
	unit, known := units[strings.ToLower(parts[2])]
	number, err := strconv.ParseInt(parts[1], 10, 64)
	return number * unit, known && err == nil
}

func (d *decoder) tolerance(n *yamldoc.Node) time.Duration {
	given := n.Get("tolerance")
	out := d.positive(given, "tolerance", defaultTolerance)
	switch {
	case given == nil:
	case n.Get("token") != nil && n.Get("secret") == nil:
		e, _ := n.Entry("tolerance")
		d.report(e.Key.Errorf("misplaced-key", "tolerance belongs to a webhook with a secret: a token has no time"))
	case out > longestTolerance:
		d.report(given.Errorf("range", "tolerance must be at most 1d"))
	}
	return out
}

// otherSecrets are the settings of webhooks and of the network that must be
// references.
func otherSecrets() []engine.Field {
	kind := engine.Type{Kind: engine.KindSecret}
	return []engine.Field{{Name: "secret", Type: kind}, {Name: "token", Type: kind}, {Name: "proxy_password", Type: kind}}
}
