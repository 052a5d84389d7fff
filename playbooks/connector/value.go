package connector

import (
	"slices"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/expression"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// braces open an expression inside a text.
const braces = "${{"

// compile compiles a stretch of a node's text; nil where it is wrong.
func (r *reader) compile(n *yamldoc.Node, offset int, source string, scope *expression.Scope, want engine.Type) *expression.Expression {
	e, problems := expression.Compile(source, scope, want)
	for _, p := range problems {
		r.problem(n, offset, p)
	}
	return e
}

// problem is what the expression's checker found, at its place in the file.
func (r *reader) problem(n *yamldoc.Node, offset int, p expression.Problem) {
	d := n.ErrorAt(offset+p.Offset, p.Length, p.Code, "%s", p.Message).WithSuggestion(p.Suggestion)
	if p.Hint != "" {
		d = d.WithHint("%s", p.Hint)
	}
	if p.Code == "syntax" && n.Comment() != "" {
		d = d.WithHint("` #` begins a comment in YAML: where it belongs to the expression, put that in quotes")
	}
	r.add(d)
}

// bare compiles the expression a key holds; nil where it is wrong or not given.
func (r *reader) bare(e yamldoc.Entry, scope *expression.Scope, want engine.Type) *expression.Expression {
	if e.Key == nil || e.Value.Kind() == yamldoc.Null {
		return nil
	}
	n, name := e.Value, e.Name()
	if n.Kind() != yamldoc.Scalar {
		r.add(n.Errorf("type", "`%s` must be an expression, not %s", name, n.Describe()))
		return nil
	}
	if at := strings.Index(n.Text(), braces); at >= 0 {
		r.add(n.ErrorAt(at, len(braces), "braces", "`%s` holds an expression: it stands without ${{ }}", name))
		return nil
	}
	return r.compile(n, 0, n.Text(), scope, want)
}

func (v value) entry() yamldoc.Entry { return yamldoc.Entry{Key: v.key, Value: v.node} }

// templates compiles named values.
func (r *reader) templates(v value, scope *expression.Scope, scalars bool) []Param {
	var out []Param
	for _, e := range r.entries(v) {
		value, t := r.template(e.Value, e.Name(), engine.Maybe(engine.TypeAny()), scope)
		if scalars && (t.Kind == engine.KindList || t.Kind == engine.KindMap) {
			r.add(e.Value.Errorf("type", "`%s` must be a single value, not a %s", e.Name(), t.Kind))
			continue
		}
		out = append(out, Param{Name: e.Name(), Value: value})
	}
	return out
}

// template compiles a value that may hold ${{ … }}, and the type it has.
func (r *reader) template(n *yamldoc.Node, name string, want engine.Type, scope *expression.Scope) (expression.Value, engine.Type) {
	switch {
	case n.Kind() == yamldoc.Scalar && strings.Contains(n.Text(), braces):
		return r.computed(n, name, want, scope)
	case n.Kind() == yamldoc.List && want.Kind == engine.KindAny:
		values := make([]expression.Value, 0, len(n.Items()))
		for _, item := range n.Items() {
			value, _ := r.template(item, name, engine.Maybe(engine.TypeAny()), scope)
			values = append(values, value)
		}
		return expression.ListOf(values), engine.ListOf(engine.TypeAny())
	case n.Kind() == yamldoc.Map && want.Kind == engine.KindAny:
		var entries []expression.Entry
		for _, e := range n.Entries() {
			value, _ := r.template(e.Value, e.Name(), engine.Maybe(engine.TypeAny()), scope)
			entries = append(entries, expression.Entry{Name: e.Name(), Value: value})
		}
		return expression.MapOf(entries), engine.DictOf(engine.TypeAny())
	}
	v, problems := yamldoc.Decode(n, want)
	for _, d := range problems {
		if d.Code == "type" {
			d.Message = "`" + name + "` " + d.Message
		}
		r.add(d)
	}
	if len(problems) > 0 {
		return expression.Value{}, engine.Type{}
	}
	return expression.Literal(v), literalType(v, want)
}

func literalType(v any, want engine.Type) engine.Type {
	if want.Kind != engine.KindAny {
		return want
	}
	switch v.(type) {
	case bool:
		return engine.TypeBool()
	case int64:
		return engine.TypeInteger()
	case float64:
		return engine.TypeNumber()
	case string:
		return engine.TypeString()
	}
	return engine.TypeAny()
}

// computed compiles a text with ${{ … }} in it.
func (r *reader) computed(n *yamldoc.Node, name string, want engine.Type, scope *expression.Scope) (expression.Value, engine.Type) {
	segments := r.scan(n)
	switch {
	case segments == nil:
		return expression.Value{}, engine.Type{}
	case len(segments) == 1 && segments[0].IsExpr:
		e := r.compile(n, segments[0].Offset, segments[0].Source, scope, want)
		if e == nil {
			return expression.Value{}, engine.Type{}
		}
		return expression.Computed(e), e.Type()
	case want.Kind != engine.KindString && want.Kind != engine.KindAny || len(want.Enum) > 0:
		r.add(n.Errorf("type", "`%s` must be %s: it can hold one ${{ … }} and nothing beside it", name, yamldoc.Article(want)))
		return expression.Value{}, engine.Type{}
	}
	parts := r.parts(n, segments, scope)
	if parts == nil {
		return expression.Value{}, engine.Type{}
	}
	return expression.Interpolated(parts), engine.TypeString()
}

// scan splits a text; nil where that is not possible.
func (r *reader) scan(n *yamldoc.Node) []expression.Segment {
	segments, problems := expression.Scan(n.Text())
	for _, p := range problems {
		r.problem(n, 0, p)
	}
	return segments
}

// parts compiles the expressions of an interpolated text; nil where one is wrong.
func (r *reader) parts(n *yamldoc.Node, segments []expression.Segment, scope *expression.Scope) []expression.Part {
	ok := true
	parts := make([]expression.Part, 0, len(segments))
	for _, s := range segments {
		if !s.IsExpr {
			parts = append(parts, expression.Part{Literal: s.Literal})
			continue
		}
		e := r.compile(n, s.Offset, s.Source, scope, engine.TypeAny())
		if e == nil || !r.fitsText(n, s, e.Type()) {
			ok = false
			continue
		}
		parts = append(parts, expression.Part{Expr: e})
	}
	if !ok {
		return nil
	}
	return parts
}

// fitsText reports a value that cannot stand inside a text.
func (r *reader) fitsText(n *yamldoc.Node, s expression.Segment, t engine.Type) bool {
	switch {
	case t.Optional || t.Kind == engine.KindNull:
		r.add(n.ErrorAt(s.Offset, len(s.Source), "optional", "`%s` may be missing: say what then", s.Source).WithHint("write ${{ %s ?? 'unknown' }}", s.Source))
	case t.Kind == engine.KindList, t.Kind == engine.KindMap:
		r.add(n.ErrorAt(s.Offset, len(s.Source), "type", "a %s cannot stand inside a text", t.Kind))
	default:
		return true
	}
	return false
}

// mapped compiles the named expressions of a map.
func (r *reader) mapped(v value, want func(name string) engine.Type, scope *expression.Scope) []Mapped {
	var out []Mapped
	for _, e := range r.entries(v) {
		if expr := r.bare(e, scope, want(e.Name())); expr != nil {
			out = append(out, Mapped{Name: e.Name(), Expr: expr})
		}
	}
	return out
}

// rowOf compiles how a row becomes the fields of a capability's record: all of
// them, and no others.
func (r *reader) rowOf(v value, what string, fields []engine.Field, scope *expression.Scope) Mapping {
	known := make([]string, len(fields))
	for i, f := range fields {
		known[i] = f.Name
	}
	unknown := yamldoc.UnknownKeys(v.node, "`"+what+"`", known)
	r.add(unknown...)
	for _, f := range fields {
		if v.node.Get(f.Name) == nil && !meant(unknown, f.Name) && v.node.Kind() == yamldoc.Map {
			r.add(v.key.Errorf("missing-key", "`%s` needs `%s`", what, f.Name).WithHint("%s: %s", f.Name, f.Doc))
		}
	}
	return Mapping{Fields: r.mapped(v, func(name string) engine.Type {
		f, ok := engine.FieldNamed(fields, name)
		if !ok {
			return engine.TypeAny()
		}
		return f.Type
	}, scope)}
}

// scope is the names an expression may use: settings, and those given.
func (r *reader) scope(names ...engine.Field) *expression.Scope {
	fields := []engine.Field{{Name: "run", Type: engine.MapOf(engine.Field{Name: "time", Type: engine.TypeTime(), Doc: "When the call was made."})}}
	var open, secrets []engine.Field
	for _, s := range r.settings {
		switch {
		case s.Name == SettingBaseURL:
		case s.Type.Kind == engine.KindSecret:
			secrets = append(secrets, s)
		default:
			open = append(open, s)
		}
	}
	if len(open) > 0 {
		fields = append(fields, engine.Field{Name: "settings", Type: engine.MapOf(open...)})
	}
	scope := expression.NewScope(append(fields, names...)...)
	for _, s := range secrets {
		scope = scope.WithUnavailable("settings."+s.Name, "it is a secret, which only `auth` uses")
	}
	if len(open) == 0 {
		scope = scope.WithUnavailable("settings", "the file declares no setting that is not secret")
	}
	for _, name := range []string{"inputs", "response", "rows", "row"} {
		if !slices.ContainsFunc(names, func(f engine.Field) bool { return f.Name == name }) {
			scope = scope.WithUnavailable(name, absent(name))
		}
	}
	return scope
}

func absent(name string) string {
	switch name {
	case "inputs":
		return "there are no inputs here"
	case "row":
		return "it is a row of a listing, or the answer, in the fields of `user`, `group` and `member`"
	case "rows":
		return "the request is no listing: it has no `each`"
	default:
		return "there is no answer here, or the request does not say what it `returns`"
	}
}
