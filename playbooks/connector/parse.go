package connector

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// IsFile reports whether the text of a YAML file is that of a connector: at
// its top stands the key `connector`.
func IsFile(data []byte) bool {
	return regexp.MustCompile(`(?m)^["']?connector["']?[ \t]*:`).Match(data)
}

// Parse reads and checks a connector file. The definition is nil where a
// diagnostic is an error. It reaches nothing.
func Parse(path string, data []byte) (*Definition, []yamldoc.Diagnostic) {
	root, problems := yamldoc.Parse(path, data)
	if root == nil {
		return nil, problems
	}
	r := &reader{constructs: constructs(), problems: problems}
	sum := sha256.Sum256(data)
	d := &Definition{Path: path, Hash: hex.EncodeToString(sum[:]), Settle: engine.DefaultSettle}
	r.file(root, d)
	found := yamldoc.Sort(r.problems)
	if yamldoc.HasErrors(found) {
		return nil, found
	}
	return d, found
}

func namePattern() *regexp.Regexp { return regexp.MustCompile(`^[a-z][a-z0-9]*([_-][a-z0-9]+)*$`) }

func (r *reader) file(root *yamldoc.Node, d *Definition) {
	g := r.keys(root, "file")
	d.Name, d.Summary, d.Doc = g.text("connector"), g.text("summary"), g.text("description")
	if n := g["connector"].node; d.Name != "" && !namePattern().MatchString(d.Name) {
		r.add(n.Errorf("name", "%q cannot be the name of a connector", d.Name).WithHint("use small letters, digits, - and _: okta"))
	}
	r.readSettings(g["settings"])
	d.Settings = r.settings
	scope := r.scope()
	if v, ok := g["base_path"]; ok && v.node.Kind() == yamldoc.Scalar {
		d.Prefix, r.prefix = r.path(v.node, 0, scope), routeOf(v.node.Text())
	} else if ok && v.node.Kind() != yamldoc.Null {
		r.add(v.node.Errorf("type", "`base_path` must be a path, not %s", v.node.Describe()))
	}
	d.Headers = r.headers(g["headers"], scope)
	d.Auth = r.auth(g)
	d.Rate = r.rate(g)
	r.readPaging(g)
	d.Errors = r.errors(g)
	if settle, ok := g["settle"].value.(time.Duration); ok {
		d.Settle = settle
	}
	if v, ok := g["test"]; ok && v.node.Kind() != yamldoc.Null {
		test := r.request(r.keys(v.node, "call"), nil, "test", either, nil)
		d.Test = &test
	}
	r.capabilities(g, d)
	r.actions(g["actions"], d)
	if d.Directory == nil && d.Groups == nil && d.Sessions == nil && len(d.Actions) == 0 && !g.has("actions") && !g.has("capabilities") {
		r.add(root.FirstKey().Errorf("missing-key", "a connector needs `capabilities` or `actions`: what one can do with it"))
	}
}

func (r *reader) readSettings(v value) {
	r.settings = []engine.Field{{
		Name: SettingBaseURL, Type: engine.TypeString(), Required: true, Example: "https://example.okta.com",
		Doc: "The service's address. Credentials go there and nowhere else.",
	}}
	for _, e := range r.entries(v) {
		switch {
		case slices.Contains([]string{SettingBaseURL, "provider", "rate"}, e.Name()):
			r.add(e.Key.Errorf("name", "every connection has %q already: a file cannot declare it", e.Name()))
		case !fieldPattern().MatchString(e.Name()):
			r.add(e.Key.Errorf("name", "%q cannot be the name of a setting", e.Name()).WithHint("use small letters, digits and _"))
		default:
			r.settings = append(r.settings, r.setting(e))
		}
	}
}

func fieldPattern() *regexp.Regexp { return regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`) }

func (r *reader) setting(e yamldoc.Entry) engine.Field {
	f := engine.Field{Name: e.Name()}
	g := r.keys(e.Value, "setting")
	f.Doc, f.Example = g.text("description"), g.text("example")
	f.Type = engine.Type{Kind: engine.Kind(g.text("type")), Enum: g.texts("enum"), Optional: as[bool](g, "optional")}
	f.Minimum, f.Maximum = g.integer("minimum"), g.integer("maximum")
	for name, kind := range map[string]engine.Kind{"enum": engine.KindString, "minimum": engine.KindInteger, "maximum": engine.KindInteger} {
		if g.has(name) && f.Type.Kind != kind {
			r.add(g[name].key.Errorf("misplaced-key", "`%s` belongs to the type %s", name, kind))
		}
	}
	f.Required = !f.Type.Optional
	def, given := g["default"]
	switch {
	case !given || def.node.Kind() == yamldoc.Null || f.Type.Kind == "":
	case f.Type.Kind == engine.KindSecret:
		r.add(def.key.Errorf("secret", "a secret has no default: it would stand in the file").WithHint("the connection names where it is kept: env://NAME"))
	case f.Type.Optional:
		r.add(def.key.Errorf("misplaced-key", "a setting with a default is never missing: it is not optional"))
	default:
		v, problems := yamldoc.DecodeField(def.node, f)
		r.add(problems...)
		f.Default, f.Required = v, false
	}
	return f
}

// secretNamed is the name of a setting of the type secret.
func (r *reader) secretNamed(g given, name string) string {
	text := g.text(name)
	if text == "" {
		return ""
	}
	var known []string
	for _, s := range r.settings {
		if s.Type.Kind == engine.KindSecret {
			known = append(known, s.Name)
		}
	}
	if slices.Contains(known, text) {
		return text
	}
	if _, there := engine.FieldNamed(r.settings, text); there {
		r.add(g[name].node.Errorf("type", "the setting %q is not of the type secret", text).WithHint("what authenticates requests is a secret"))
		return ""
	}
	r.add(g[name].node.Unknown("setting", "", known))
	return ""
}

func (r *reader) readPaging(g given) {
	p, ok := r.nested(g, "paging", "paging")
	if !ok {
		return
	}
	r.paging = p
	by := PagingBy(p.text("by"))
	need := func(name string, wanted bool) {
		switch {
		case by == "":
		case wanted && !p.has(name):
			r.add(p["by"].key.Errorf("missing-key", "paging by %s needs `%s`", by, name))
		case !wanted && p.has(name):
			r.add(p[name].key.Errorf("misplaced-key", "paging by %s has no `%s`", by, name))
		}
	}
	counts := by == PagingPage || by == PagingOffset
	need("next", by == PagingToken || by == PagingURL)
	need("parameter", by == PagingToken || counts)
	if p.has("first") && !counts && by != "" {
		r.add(p["first"].key.Errorf("misplaced-key", "paging by %s has no `first`", by))
	}
}

func (r *reader) errors(g given) Errors {
	e, ok := r.nested(g, "errors", "errors")
	if !ok {
		return Errors{}
	}
	scope := r.scope(engine.Field{Name: "response", Type: engine.TypeAny()})
	want := engine.Maybe(engine.TypeString())
	return Errors{Message: r.bare(e["message"].entry(), scope, want), Code: r.bare(e["code"].entry(), scope, want)}
}

func (r *reader) rate(g given) Rate {
	out := Rate{}
	rate, ok := r.nested(g, "rate", "rate")
	if !ok {
		return out
	}
	out.PerSecond = as[float64](rate, "per_second")
	out.Burst, out.Concurrency = int(as[int64](rate, "burst")), int(as[int64](rate, "concurrency"))
	out.Remaining, out.Reset = rate.text("remaining"), rate.text("reset")
	if rate.has("per_second") && out.PerSecond <= 0 && rate["per_second"].value != nil {
		r.add(rate["per_second"].node.Errorf("range", "`per_second` must be more than 0"))
	}
	if rate.has("burst") && !rate.has("per_second") {
		r.add(rate["burst"].key.Errorf("misplaced-key", "`burst` goes with `per_second`"))
	}
	for _, name := range []string{"remaining", "reset"} {
		if n := rate[name].node; n != nil && rate.text(name) != "" {
			r.header(n)
		}
	}
	if rate.has("remaining") != rate.has("reset") {
		r.add(rate["remaining"].keyOr(rate["reset"]).Errorf("missing-key", "`remaining` and `reset` go together: how many calls are left, and when there are more"))
	}
	return out
}
