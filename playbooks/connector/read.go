package connector

import (
	"slices"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// reader reads one connector file and collects what is wrong with it.
type reader struct {
	constructs map[string]construct
	problems   []yamldoc.Diagnostic
	settings   []engine.Field
	paging     given
	prefix     string // of all paths, for messages
}

func (r *reader) add(list ...yamldoc.Diagnostic) { r.problems = append(r.problems, list...) }

// given are the known keys of a construct as they were given.
type given map[string]value

type value struct {
	key, node *yamldoc.Node
	value     any // of a literal
}

// keyOr is the key, or that of another value where this one is not given.
func (v value) keyOr(other value) *yamldoc.Node {
	if v.key == nil {
		return other.key
	}
	return v.key
}

func (g given) has(name string) bool {
	_, ok := g[name]
	return ok
}

func (g given) text(name string) string { return as[string](g, name) }

func (g given) textOr(name, otherwise string) string {
	if s := g.text(name); s != "" {
		return s
	}
	return otherwise
}

func (g given) texts(name string) []string {
	var out []string
	for _, v := range as[[]any](g, name) {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func (g given) integer(name string) *int64 {
	if n, ok := g[name].value.(int64); ok {
		return &n
	}
	return nil
}

// as is the literal of a key, or the zero value.
func as[T any](g given, name string) T {
	v, _ := g[name].value.(T)
	return v
}

// keys checks a construct: unknown keys, missing ones, and the literals.
func (r *reader) keys(n *yamldoc.Node, of string) given {
	con := r.constructs[of]
	if n.Kind() != yamldoc.Map {
		r.add(n.Errorf("type", "%s must be a map, not %s", con.name, n.Describe()))
		return given{}
	}
	unknown := yamldoc.UnknownKeys(n, con.name, con.names())
	r.add(unknown...)
	g := given{}
	for _, e := range n.Entries() {
		if k, known := con.key(e.Name()); known {
			g[k.name] = r.value(k, e)
		}
	}
	for _, k := range con.keys {
		if k.required && !g.has(k.name) && !meant(unknown, k.name) {
			r.add(n.FirstKey().Errorf("missing-key", "%s needs `%s`", con.name, k.name).WithHint("%s: %s", k.name, k.doc))
		}
	}
	r.exactlyOne(n, con, unknown)
	return g
}

func (r *reader) exactlyOne(n *yamldoc.Node, con construct, unknown []yamldoc.Diagnostic) {
	if len(con.one) == 0 || len(unknown) > 0 {
		return
	}
	var present []yamldoc.Entry
	for _, e := range n.Entries() {
		if slices.Contains(con.one, e.Name()) {
			present = append(present, e)
		}
	}
	switch {
	case len(present) == 0:
		r.add(n.FirstKey().Errorf("one-of", "%s needs exactly one of %s", con.name, list(con.one)))
	case len(present) > 1:
		r.add(present[1].Key.Errorf("one-of", "%s takes exactly one of %s", con.name, list(con.one)))
	}
}

// meant reports whether a key that is missing is one of the misspelt ones.
func meant(unknown []yamldoc.Diagnostic, name string) bool {
	return slices.ContainsFunc(unknown, func(d yamldoc.Diagnostic) bool { return d.Suggestion == name })
}

func (r *reader) value(k key, e yamldoc.Entry) value {
	v := value{key: e.Key, node: e.Value}
	if e.Value.Kind() == yamldoc.Null && k.shape != template {
		r.add(e.Key.Errorf("type", "`%s` must not be empty", k.name).WithHint("%s", k.doc))
		return v
	}
	if k.shape != literal {
		return v
	}
	read, problems := yamldoc.DecodeField(e.Value, engine.Field{Name: k.name, Type: k.typ, Minimum: k.minimum})
	for _, d := range problems {
		if d.Code == "type" {
			d.Message = "`" + k.name + "` " + d.Message
		}
		r.add(d)
	}
	if len(problems) == 0 {
		v.value = read
	}
	return v
}

// entries are the keys of a map that is not a construct.
func (r *reader) entries(v value) []yamldoc.Entry {
	if v.key == nil || v.node.Kind() == yamldoc.Null {
		return nil
	}
	if v.node.Kind() != yamldoc.Map {
		r.add(v.node.Errorf("type", "`%s` must be a map, not %s", v.key.Text(), v.node.Describe()))
		return nil
	}
	return v.node.Entries()
}

// nested reads a construct that stands under a key; false where it is not given.
func (r *reader) nested(g given, name, of string) (given, bool) {
	v, ok := g[name]
	if !ok || v.node.Kind() == yamldoc.Null {
		return given{}, false
	}
	return r.keys(v.node, of), true
}

// list is names for a message: "a, b and c".
func list(names []string) string {
	last := len(names) - 1
	if last < 1 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:last], ", ") + " and " + names[last]
}
