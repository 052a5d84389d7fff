package playbooktest

import (
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// reader reads one test file and collects what is wrong with it.
type reader struct {
	constructs map[string]construct
	problems   []yamldoc.Diagnostic
}

func (r *reader) add(list ...yamldoc.Diagnostic) { r.problems = append(r.problems, list...) }

// given are the known keys of a construct as they were given.
type given map[string]value

type value struct {
	key, node *yamldoc.Node
	value     any // of a literal
}

func (g given) has(name string) bool {
	_, ok := g[name]
	return ok
}

func (g given) text(name string) string {
	s, _ := g[name].value.(string)
	return s
}

func (g given) integer(name string, otherwise int) int {
	if n, ok := g[name].value.(int64); ok {
		return int(n)
	}
	return otherwise
}

func (g given) texts(name string) []string {
	list, _ := g[name].value.([]any)
	var out []string
	for _, v := range list {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
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
	return g
}

// meant reports whether a key that is missing is one of the misspelt ones.
func meant(unknown []yamldoc.Diagnostic, name string) bool {
	for _, d := range unknown {
		if d.Suggestion == name {
			return true
		}
	}
	return false
}

func (r *reader) value(k key, e yamldoc.Entry) value {
	v := value{key: e.Key, node: e.Value}
	if k.shape != literal {
		return v
	}
	if e.Value.Kind() == yamldoc.Null {
		r.add(e.Key.Errorf("type", "`%s` must be %s, not nothing", k.name, yamldoc.Article(k.typ)))
		return v
	}
	read, problems := yamldoc.DecodeField(e.Value, engine.Field{Name: k.name, Type: k.typ, Minimum: k.minimum})
	r.add(problems...)
	if len(problems) == 0 {
		v.value = read
	}
	return v
}

// list are the elements of a list of a construct.
func (r *reader) list(v value, what string) []*yamldoc.Node {
	if v.key == nil {
		return nil
	}
	if v.node.Kind() != yamldoc.List {
		r.add(pointed(v).Errorf("type", "`%s` must be a list of %s, not %s", v.key.Text(), what, v.node.Describe()))
		return nil
	}
	return v.node.Items()
}

// entries are the keys of a map that is not a construct.
func (r *reader) entries(v value) []yamldoc.Entry {
	if v.key == nil {
		return nil
	}
	if v.node.Kind() != yamldoc.Map {
		r.add(pointed(v).Errorf("type", "`%s` must be a map, not %s", v.key.Text(), v.node.Describe()))
		return nil
	}
	return v.node.Entries()
}

// pointed is where to point for a wrong value: at the key where there is none.
func pointed(v value) *yamldoc.Node {
	if v.node.Kind() == yamldoc.Null {
		return v.key
	}
	return v.node
}
