package playbooks

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/expression"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// braces open an expression inside a text.
const braces = "${{"

// expression compiles a stretch of a node's text and reports its problems where
// they stand in the file. It is nil where there are any.
func (c *checker) expression(n *yamldoc.Node, offset int, source string, scope *expression.Scope, want engine.Type) *expression.Expression {
	if want.Kind == "" {
		want = engine.TypeAny()
	}
	e, problems := expression.Compile(source, scope, want)
	for _, p := range problems {
		c.add(c.problem(n, offset, source, p))
	}
	if len(problems) > 0 || e == nil {
		return nil
	}
	c.reads = append(c.reads, e.Reads()...)
	return e
}

// problem is what the expression's checker found, at its place in the file and
// in the words of playbooks.
func (c *checker) problem(n *yamldoc.Node, offset int, source string, p expression.Problem) yamldoc.Diagnostic {
	p = c.inPlaybook(source, p)
	d := n.ErrorAt(offset+p.Offset, p.Length, p.Code, "%s", p.Message).WithSuggestion(p.Suggestion)
	if p.Hint != "" {
		d = d.WithHint("%s", p.Hint)
	}
	if p.Code == "syntax" && n.Comment() != "" {
		d = d.WithHint("` #` begins a comment in YAML: where it belongs to the expression, put that in quotes")
	}
	return d
}

// inPlaybook says "step" and "input" where the expression's checker, which
// knows neither, says "field", and why a step's output may be missing.
func (c *checker) inPlaybook(source string, p expression.Problem) expression.Problem {
	before, there := source[:min(p.Offset, len(source))], source[min(p.Offset, len(source)):]
	there = there[:min(p.Length, len(there))]
	for root, what := range map[string]string{"steps.": "step", "inputs.": "input"} {
		if p.Code == "unknown-field" && strings.HasSuffix(before, root) {
			p.Code, p.Message = "unknown-"+what, fmt.Sprintf("unknown %s %#q", what, clipSource(there))
			p.Hint = strings.Replace(p.Hint, "it has ", "known here: ", 1)
		}
	}
	if rest, ok := strings.CutPrefix(there, "steps."); ok && p.Code == "optional" && p.Hint == "" {
		id, field, _ := strings.Cut(rest, ".")
		if s := c.doc.byID[id]; s != nil && !isStepField(field) && !strings.Contains(field, ".") { // what is missing deeper is no matter of the step
			p.Hint = fmt.Sprintf("step %#q, in line %d, may not have run: write %#q", id, s.line(), "steps."+id+"?."+field+" ?? …")
		}
	}
	return p
}

// bare compiles the expression a key holds; nil where it is wrong or not given.
func (c *checker) bare(it item, v view, want engine.Type) *expression.Expression {
	if it.key == nil || it.wrong {
		return nil
	}
	text := it.node.Text()
	if c.braced(it.node, it.key.Text()) {
		return nil
	}
	return c.expression(it.node, 0, text, c.scope(v, text), want)
}

// braced reports ${{ }} where an expression stands without them.
func (c *checker) braced(n *yamldoc.Node, name string) bool {
	text := strings.TrimSpace(n.Text())
	if !strings.HasPrefix(text, braces) {
		return c.bracedWithin(n, name)
	}
	inner := strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(text, braces), "}}"))
	c.add(n.Errorf("braces", "`%s` holds an expression: it stands without ${{ }}", name).WithHint("write %s: %s", name, inner))
	return true
}

// bracedWithin reports ${{ within an expression, where it is a piece of a text
// that nothing is ever put into: a comparison with that would never hold.
func (c *checker) bracedWithin(n *yamldoc.Node, name string) bool {
	at := strings.Index(n.Text(), braces)
	if at < 0 {
		return false
	}
	c.add(n.ErrorAt(at, len(braces), "braces", "`%s` holds an expression: nothing is put into texts within it", name).
		WithHint("write the name itself, without quotes and ${{ }}"))
	return true
}

// value compiles what stands under a name: literals by the declared type, and
// expressions that must have it. It returns the type found, which is the zero
// type where something was wrong.
func (c *checker) value(n *yamldoc.Node, name string, want engine.Type, v view) (expression.Value, engine.Type) {
	if want.Kind == "" {
		want = engine.TypeAny()
	}
	switch {
	case want.Kind == engine.KindSecret && (n.Kind() != yamldoc.Scalar || !strings.Contains(n.Text(), braces)):
		return c.plainSecret(n, name)
	case want.Kind == engine.KindPredicate && n.Kind() == yamldoc.Scalar:
		return c.predicate(n, name, want, v)
	case n.Kind() == yamldoc.Scalar && strings.Contains(n.Text(), braces):
		return c.computed(n, name, want, v)
	case n.Kind() == yamldoc.List && (want.Kind == engine.KindList || want.Kind == engine.KindAny):
		return c.list(n, name, want, v)
	case n.Kind() == yamldoc.Map && (want.Kind == engine.KindMap || want.Kind == engine.KindAny):
		return c.mapping(n, name, want, v)
	default:
		return c.literal(n, name, want, v)
	}
}

func (c *checker) literal(n *yamldoc.Node, name string, want engine.Type, at view) (expression.Value, engine.Type) {
	v, problems := yamldoc.Decode(n, want)
	if c.named(name, problems) {
		return expression.Value{}, engine.Type{}
	}
	c.foreignBraces(n, at.vars)
	if want.Kind == engine.KindAny {
		want = typeOf(v)
	}
	return expression.Literal(v), want
}

// foreignBraces warns of {{ run.id }} and ${run.id}, which are expressions
// elsewhere and a plain text here.
func (c *checker) foreignBraces(n *yamldoc.Node, vars []engine.Field) {
	if !strings.Contains(n.Text(), "{{") && !strings.Contains(n.Text(), "${") {
		return
	}
	names := []string{`(?:inputs|steps|run|trigger)\s*\.`}
	for _, v := range vars {
		names = append(names, regexp.QuoteMeta(v.Name)+`\s*[.}]`)
	}
	pattern := regexp.MustCompile(`(?:\{\{|\$\{)\s*(?:` + strings.Join(names, "|") + `)`)
	if at := pattern.FindStringIndex(n.Text()); at != nil {
		c.add(n.ErrorAt(at[0], at[1]-at[0], "template", "this is a text as it stands: an expression is written ${{ … }}").AsWarning())
	}
}

// named reports problems of a value with its name in front.
func (c *checker) named(name string, problems []yamldoc.Diagnostic) bool {
	for _, d := range problems {
		if d.Code == "type" {
			d.Message = fmt.Sprintf("%#q %s", name, d.Message)
		}
		c.add(d)
	}
	return len(problems) > 0
}

// typeOf is the type of a literal that was not declared.
func typeOf(v any) engine.Type {
	switch v.(type) {
	case nil:
		return engine.Type{Kind: engine.KindNull, Optional: true}
	case bool:
		return engine.TypeBool()
	case int64:
		return engine.TypeInteger()
	case float64:
		return engine.TypeNumber()
	case string:
		return engine.TypeString()
	default:
		return engine.TypeAny()
	}
}

func (c *checker) predicate(n *yamldoc.Node, name string, want engine.Type, v view) (expression.Value, engine.Type) {
	if c.braced(n, name) {
		return expression.Value{}, engine.Type{}
	}
	scope := c.scope(v, n.Text())
	if want.Row != nil {
		scope = scope.WithRow(*want.Row)
	}
	e := c.expression(n, 0, n.Text(), scope, engine.TypeBool())
	if e == nil {
		return expression.Value{}, engine.Type{}
	}
	return expression.PredicateOf(e), want
}

// computed compiles a text with ${{ … }} in it.
func (c *checker) computed(n *yamldoc.Node, name string, want engine.Type, v view) (expression.Value, engine.Type) {
	segments, ok := c.scan(n)
	if !ok {
		return expression.Value{}, engine.Type{}
	}
	if holdsPredicate(want) {
		c.add(n.Errorf("type", "`%s` holds predicates: it must be written out, ${{ … }} cannot give one", name))
		return expression.Value{}, engine.Type{}
	}
	if want.Kind != engine.KindSecret && want.HoldsSecret() {
		c.add(n.Errorf("type", "`%s` holds secrets: it must be written out, ${{ … }} can give only each of them", name))
		return expression.Value{}, engine.Type{}
	}
	switch {
	case want.Kind == engine.KindText:
		parts, ok := c.parts(n, segments, v)
		if !ok {
			return expression.Value{}, engine.Type{}
		}
		return expression.TextOf(parts), want
	case len(segments) == 1 && segments[0].IsExpr:
		e := c.expression(n, segments[0].Offset, segments[0].Source, c.scope(v, segments[0].Source), want)
		if e == nil {
			return expression.Value{}, engine.Type{}
		}
		return expression.Computed(e), e.Type()
	case want.Kind != engine.KindString && want.Kind != engine.KindAny || len(want.Enum) > 0:
		c.add(n.Errorf("type", "`%s` must be %s: it can hold one ${{ … }} and nothing beside it", name, yamldoc.Article(want)))
		return expression.Value{}, engine.Type{}
	default:
		parts, ok := c.parts(n, segments, v)
		if !ok {
			return expression.Value{}, engine.Type{}
		}
		return expression.Interpolated(parts), engine.TypeString()
	}
}

// plainSecret reports a secret that stands in a playbook. What stands there is
// not shown again.
func (c *checker) plainSecret(n *yamldoc.Node, name string) (expression.Value, engine.Type) {
	d := n.Errorf("secret", "`%s` is a secret, and secrets never stand in a playbook", name).
		WithHint("read it with secret.read and write ${{ steps.ID.value }}")
	d.Snippet = yamldoc.Snippet{}
	c.add(d)
	return expression.Value{}, engine.Type{}
}

// holdsPredicate reports whether a predicate is somewhere within a value of a type.
func holdsPredicate(t engine.Type) bool {
	return t.Kind == engine.KindPredicate || t.Elem != nil && holdsPredicate(*t.Elem) ||
		slices.ContainsFunc(t.Fields, func(f engine.Field) bool { return holdsPredicate(f.Type) })
}

// scan splits a text. The newline a block scalar ends with does not keep one
// expression from being alone.
func (c *checker) scan(n *yamldoc.Node) ([]expression.Segment, bool) {
	segments, problems := expression.Scan(n.Text())
	for _, p := range problems {
		d := n.ErrorAt(p.Offset, p.Length, p.Code, "%s", p.Message).WithSuggestion(p.Suggestion)
		if p.Hint != "" {
			d = d.WithHint("%s", p.Hint)
		}
		if strings.Contains(n.Comment(), "}}") {
			d = d.WithHint("` #` begins a comment in YAML: put the text in quotes")
		}
		c.add(d)
	}
	if len(segments) == 2 && segments[0].IsExpr && !segments[1].IsExpr && strings.Trim(segments[1].Literal, "\n") == "" {
		segments = segments[:1]
	}
	return segments, len(problems) == 0
}

// parts compiles the expressions of an interpolated text.
func (c *checker) parts(n *yamldoc.Node, segments []expression.Segment, v view) ([]expression.Part, bool) {
	ok := true
	parts := make([]expression.Part, 0, len(segments))
	for _, s := range segments {
		if !s.IsExpr {
			parts = append(parts, expression.Part{Literal: s.Literal})
			continue
		}
		e := c.expression(n, s.Offset, s.Source, c.scope(v, s.Source), engine.TypeAny())
		if e == nil || !c.interpolates(n, s, e.Type()) {
			ok = false
			continue
		}
		parts = append(parts, expression.Part{Expr: e})
	}
	return parts, ok
}

// interpolates reports a value that cannot stand inside a text.
func (c *checker) interpolates(n *yamldoc.Node, s expression.Segment, t engine.Type) bool {
	report := func(code, message, hint string, args ...any) bool {
		c.add(n.ErrorAt(s.Offset, len(s.Source), code, "%s", message).WithHint(hint, args...))
		return false
	}
	switch {
	case t.Optional || t.Kind == engine.KindNull:
		return report("optional", "`"+clipSource(s.Source)+"` may be missing: say what then", "write ${{ %s ?? 'unknown' }}", clipSource(s.Source))
	case t.Kind == engine.KindList:
		return report("type", "a list cannot stand inside a text", "write ${{ %s | join(', ') }}", clipSource(s.Source))
	case t.Kind == engine.KindMap:
		return report("type", "a map cannot stand inside a text", "name the field you mean")
	}
	return true
}

// clipSource is an expression short enough for a message.
func clipSource(source string) string {
	const most = 60
	if runes := []rune(source); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return source
}

func (c *checker) list(n *yamldoc.Node, name string, want engine.Type, v view) (expression.Value, engine.Type) {
	elem := engine.TypeAny()
	if want.Elem != nil {
		elem = *want.Elem
	}
	out := make([]expression.Value, 0, len(n.Items()))
	found := make([]engine.Type, 0, len(n.Items()))
	for _, item := range n.Items() {
		value, t := c.value(item, name, elem, v)
		out, found = append(out, value), append(found, t)
	}
	if want.Kind != engine.KindAny {
		return expression.ListOf(out), want
	}
	return expression.ListOf(out), engine.ListOf(common(found))
}

// common is the type all have, or any.
func common(types []engine.Type) engine.Type {
	if len(types) == 0 {
		return engine.TypeAny()
	}
	for _, t := range types[1:] {
		if !reflect.DeepEqual(t, types[0]) {
			return engine.TypeAny()
		}
	}
	return types[0]
}

func (c *checker) mapping(n *yamldoc.Node, name string, want engine.Type, v view) (expression.Value, engine.Type) {
	if want.Kind == engine.KindMap && len(want.Fields) > 0 {
		return c.fields(n, name, want, v), want
	}
	elem := engine.TypeAny()
	if want.Elem != nil {
		elem = *want.Elem
	}
	var entries []expression.Entry
	var found []engine.Field
	for _, e := range n.Entries() {
		value, t := c.value(e.Value, e.Name(), elem, v)
		entries = append(entries, expression.Entry{Name: e.Name(), Value: value})
		found = append(found, engine.Field{Name: e.Name(), Type: t})
	}
	switch {
	case want.Kind == engine.KindMap:
		return expression.MapOf(entries), want
	case len(found) == 0:
		return expression.MapOf(entries), engine.DictOf(engine.TypeAny())
	default:
		return expression.MapOf(entries), engine.MapOf(found...)
	}
}

// fields compiles a map whose keys are declared.
func (c *checker) fields(n *yamldoc.Node, name string, want engine.Type, v view) expression.Value {
	c.problems = append(c.problems, yamldoc.UnknownKeys(n, "`"+name+"`", fieldNames(want.Fields))...)
	meant := misspelt(n, fieldNames(want.Fields))
	var entries []expression.Entry
	for _, f := range want.Fields {
		e, given := n.Entry(f.Name)
		switch {
		case given:
			entries = append(entries, expression.Entry{Name: f.Name, Value: c.field(e.Value, f, v)})
		case f.Required && !slices.Contains(meant, f.Name):
			c.add(n.FirstKey().Errorf("missing-input", "`%s` needs `%s`", name, f.Name).WithHint("%s", describeInput(f)))
		case f.Default != nil:
			entries = append(entries, expression.Entry{Name: f.Name, Value: expression.Literal(f.Default)})
		}
	}
	return expression.MapOf(entries)
}

// field compiles the value of a declared field and checks its bounds where it
// is a literal.
func (c *checker) field(n *yamldoc.Node, f engine.Field, v view) expression.Value {
	value, _ := c.value(n, f.Name, f.Type, v)
	if constant, ok := value.Constant(); ok {
		if message := yamldoc.OutOfRange(f, constant); message != "" {
			c.add(n.Errorf("range", "%s", message))
		}
	}
	return value
}

func fieldNames(fields []engine.Field) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	slices.Sort(names)
	return names
}
