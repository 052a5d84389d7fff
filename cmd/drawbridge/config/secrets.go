package config

import (
	"fmt"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
	"github.com/drawbridge-soar/drawbridge/steps/providers/onepasswordconnect"
	"github.com/drawbridge-soar/drawbridge/steps/providers/onepasswordvault"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
	"github.com/drawbridge-soar/drawbridge/steps/vault"
)

// Secrets is where references lead that are neither environment variables nor
// files.
type Secrets struct {
	OnePassword *OnePassword // of op://; nil: nowhere
}

// OnePassword is how op:// references are resolved.
type OnePassword struct {
	// Token is of a service account, or of a Connect server where there is a
	// Host. It is an environment variable or a file: it cannot be in 1Password.
	Token secret.Reference
	Host  string // of a Connect server: its address; "" for 1Password itself
}

// secrets reads how secrets are resolved, and reports references that nothing
// resolves. It comes last, when all references have been seen.
func (d *decoder) secrets(n *yamldoc.Node) Secrets {
	var out Secrets
	if n != nil && d.isPlainMap(n, "secrets", "onepassword") {
		out.OnePassword = d.onePassword(n.Get("onepassword"))
	}
	if n.Get("onepassword") != nil {
		return out
	}
	for _, at := range d.inOnePassword {
		d.report(withoutLines([]yamldoc.Diagnostic{
			at.Errorf("secret", "op:// leads into 1Password, and the configuration does not say how to get there").
				WithHint("write secrets: { onepassword: { token: env://OP_SERVICE_ACCOUNT_TOKEN } }"),
		})...)
	}
	return out
}

func (d *decoder) onePassword(n *yamldoc.Node) *OnePassword {
	if n == nil {
		return nil
	}
	if !d.isPlainMap(n, "onepassword", "token", "host") {
		return nil
	}
	out := &OnePassword{Host: d.connectHost(n.Get("host"))}
	token := n.Get("token")
	switch {
	case token == nil:
		d.report(n.FirstKey().Errorf("missing", "onepassword has no token").
			WithHint("token is that of a service account, or with a host that of a Connect server: token: env://OP_SERVICE_ACCOUNT_TOKEN"))
	case strings.HasPrefix(token.Text(), "op://"):
		d.report(token.Errorf("secret", "the token that opens 1Password cannot be kept in 1Password").
			WithHint("write env://NAME for an environment variable, or file:///path for a file that holds it"))
	default:
		out.Token = d.credential(n, "token")
	}
	return out
}

// isPlainMap is isMap where a secret may stand: what is there is not repeated.
func (d *decoder) isPlainMap(n *yamldoc.Node, where string, known ...string) bool {
	if n.Kind() != yamldoc.Map {
		d.report(withoutLines([]yamldoc.Diagnostic{
			n.Errorf("type", "%s must be a map", where).
				WithHint("write secrets: { onepassword: { token: env://OP_SERVICE_ACCOUNT_TOKEN } }"),
		})...)
		return false
	}
	d.report(withoutLines(yamldoc.UnknownKeys(n, where, known))...)
	return true
}

func (d *decoder) connectHost(n *yamldoc.Node) string {
	if n == nil {
		return ""
	}
	host, err := transport.BaseURL(d.text(n))
	if err != nil {
		wrong := n.Errorf("host", "the host is the address of a Connect server: %s", engine.AsFailure(err).Message)
		wrong.Snippet = yamldoc.Snippet{} // it may hold a password
		d.report(wrong.WithHint("write host: http://localhost:8080, or an address that begins with https://"))
	}
	return host
}

// Source opens where op:// references lead; nil where the configuration names
// nothing. What opening says beside name and settings goes for it; its Secrets
// resolve the token. Nothing is reached until a secret is read.
func (c *Config) Source(o engine.Opening) (secret.Source, error) {
	configured := c.Secrets.OnePassword
	if configured == nil {
		return nil, nil //nolint:nilnil // none is a state of its own
	}
	provider := onepasswordvault.Provider()
	o.Name, o.Settings = "secrets", map[string]any{"token": configured.Token}
	if configured.Host != "" {
		provider = onepasswordconnect.Provider()
		o.Settings["base_url"] = configured.Host
	}
	conn, err := provider.Open(o)
	if err != nil {
		return nil, fmt.Errorf("opening where op:// leads: %w", err)
	}
	source, ok := conn.Offers[vault.CapabilityVault].(secret.Source)
	if !ok {
		return nil, fmt.Errorf("the provider %s does not read secrets", provider.Name)
	}
	return source, nil
}

// References are the configuration's references to secrets with what each
// belongs to, for those who want to know them all.
func (c *Config) References(yield func(ref secret.Reference, of, name, setting string)) {
	for _, conn := range c.Connections {
		for name, value := range conn.Settings {
			if ref, ok := value.(secret.Reference); ok {
				yield(ref, "connection", conn.Name, name)
			}
		}
	}
	for _, ref := range c.Network.Secrets() {
		yield(ref, "network", "proxy", "proxy_password")
	}
	for _, w := range c.Webhooks {
		if w.Secret != "" {
			yield(w.Secret, "webhook", w.Name, "secret")
		}
		if w.Token != "" {
			yield(w.Token, "webhook", w.Name, "token")
		}
	}
	if o := c.Secrets.OnePassword; o != nil {
		yield(o.Token, "secrets", "onepassword", "token")
	}
}
