package config

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

func (d *decoder) connections(n *yamldoc.Node) []Connection {
	if n == nil {
		return nil
	}
	if n.Kind() != yamldoc.Map {
		d.report(n.Errorf("type", "connections must be a map from names to settings, not %s", n.Describe()))
		return nil
	}
	var out []Connection
	for _, e := range n.Entries() {
		if !namePattern().MatchString(e.Name()) {
			d.report(e.Key.Errorf("name", "%q cannot be the name of a connection", e.Name()).
				WithHint("use letters, digits, -, _ and ."))
		}
		if conn, ok := d.connection(e); ok {
			out = append(out, conn)
		}
	}
	return out
}

func namePattern() *regexp.Regexp { return regexp.MustCompile(`^[\pL\pN][\pL\pN_.-]{0,63}$`) }

func (d *decoder) connection(e yamldoc.Entry) (Connection, bool) {
	if e.Value.Kind() != yamldoc.Map {
		d.report(withoutLines([]yamldoc.Diagnostic{
			e.Key.Errorf("type", "the connection %q must be a map of settings", e.Name()).
				WithHint("it needs at least a provider: %s", strings.Join(d.providerNames(), ", ")),
		})...)
		return Connection{}, false
	}
	named := e.Value.Get("provider")
	if named == nil {
		d.report(e.Value.FirstKey().Errorf("missing", "the connection %q has no provider", e.Name()).
			WithHint("known: %s", strings.Join(d.providerNames(), ", ")))
		return Connection{}, false
	}
	i := slices.IndexFunc(d.providers, func(p engine.Provider) bool { return p.Name == named.Text() })
	if i < 0 {
		d.report(named.Unknown("provider", "", d.providerNames()))
		return Connection{}, false
	}
	p := d.providers[i]
	return Connection{Name: e.Name(), Provider: p, Settings: d.settings(e.Value, p), Rate: d.rate(e.Value.Get("rate"))}, true
}

func (d *decoder) providerNames() []string {
	var out []string
	for _, p := range d.providers {
		out = append(out, p.Name)
	}
	slices.Sort(out)
	return out
}

// settings reads what a provider declares, fills in defaults and checks that
// nothing is missing, given twice over, or foreign.
func (d *decoder) settings(n *yamldoc.Node, p engine.Provider) map[string]any {
	known := []string{"provider", "rate"}
	out := map[string]any{}
	for _, f := range p.Settings {
		known = append(known, f.Name)
		given := n.Get(f.Name)
		switch {
		case given != nil:
			d.setting(given, f, out)
		case f.Required:
			d.report(n.FirstKey().Errorf("missing", "%q is missing: a connection of the provider %s needs it", f.Name, p.Name).
				WithHint("%s", f.Doc))
		case f.Default != nil:
			out[f.Name] = f.Default
		}
	}
	d.report(withoutLines(yamldoc.UnknownKeys(n, "a connection of the provider "+p.Name, known))...)
	for _, group := range p.ExactlyOne {
		d.exactlyOne(n, group, p.Name)
	}
	return out
}

func (d *decoder) setting(n *yamldoc.Node, f engine.Field, out map[string]any) {
	if f.Type.Kind == engine.KindSecret {
		d.reference(n, f, out)
		return
	}
	if v := d.value(n, f); v != nil {
		out[f.Name] = v
	}
}

// reference takes only references: a secret that stands in the file has been
// read by everybody who can read the repository.
func (d *decoder) reference(n *yamldoc.Node, f engine.Field, out map[string]any) {
	text := n.Text()
	if why := wrongReference(text); why != "" {
		d.report(withoutLines([]yamldoc.Diagnostic{
			n.Errorf("secret", "%s %s", f.Name, why).
				WithHint("write env://NAME for an environment variable, file:///path for a file that holds it, or op://vault/item/field"),
		})...)
		return
	}
	if strings.HasPrefix(text, "op://") {
		d.inOnePassword = append(d.inOnePassword, n)
	}
	out[f.Name] = secret.Reference(text)
}

// wrongReference says what is wrong with a reference without repeating it.
func wrongReference(text string) string {
	kind, rest, ok := strings.Cut(text, "://")
	switch {
	case !ok:
		return "is a secret and must not stand in the file"
	case kind == "env" && (rest == "" || strings.ContainsAny(rest, "/= ")):
		return "must be env:// and the name of an environment variable"
	case kind == "file" && !path.IsAbs(rest):
		return "must be file:// and an absolute path (three slashes)"
	case kind == "op":
		return wrongPlace(text)
	case kind == "env", kind == "file":
		return ""
	default:
		return "is a secret and must not stand in the file"
	}
}

// wrongPlace says what is wrong with a reference into 1Password.
func wrongPlace(text string) string {
	_, err := secret.ParsePlace(secret.Reference(text))
	if err == nil {
		return ""
	}
	return "cannot lead into 1Password: " + strings.TrimPrefix(err.Error(), secret.ErrReference.Error()+": ")
}

func (d *decoder) exactlyOne(n *yamldoc.Node, group []string, provider string) {
	var given []string
	for _, name := range group {
		if n.Get(name) != nil {
			given = append(given, name)
		}
	}
	if len(given) == 1 {
		return
	}
	at := n.FirstKey()
	if len(given) > 1 {
		e, _ := n.Entry(given[1])
		at = e.Key
	}
	d.report(at.Errorf("exactly-one", "a connection of the provider %s needs exactly one of %s", provider, strings.Join(group, ", ")))
}

// withoutLines takes the shown lines away: a secret may stand on them. The
// position stays.
func withoutLines(list []yamldoc.Diagnostic) []yamldoc.Diagnostic {
	for i := range list {
		list[i].Snippet = yamldoc.Snippet{}
	}
	return list
}

// hideSecrets takes the shown line from every diagnostic that points at a line
// on which a secret stands in plain.
func (d *decoder) hideSecrets(lines []string) {
	for i, p := range d.problems {
		if p.Line > 0 && p.Line <= len(lines) && d.mayHoldSecret(lines[p.Line-1]) {
			d.problems[i].Snippet = yamldoc.Snippet{}
		}
	}
}

// mayHoldSecret reports whether a line has a setting that must be a reference
// and is none, or an address that could have a password in it.
func (d *decoder) mayHoldSecret(line string) bool {
	if _, address, ok := strings.Cut(line, "://"); ok && strings.Contains(address, "@") {
		return true
	}
	fields := otherSecrets()
	for _, p := range d.providers {
		fields = append(fields, p.Settings...)
	}
	for _, f := range fields {
		_, rest, named := strings.Cut(line, f.Name)
		value := strings.TrimLeft(rest, `"' :`)
		if named && f.Type.Kind == engine.KindSecret && wrongReference(value) != "" {
			return true
		}
	}
	return false
}

func quoteAll(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = `"` + n + `"`
	}
	return strings.Join(quoted, ", ")
}
