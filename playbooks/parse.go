package playbooks

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// Limits of a playbook and its bundle.
const (
	MaxSteps     = 1000 // steps of one playbook, at any depth
	maxPlaybooks = 100  // of a bundle
	maxProblems  = 200  // reported for one playbook
	maxName      = 100  // characters of a name
)

// parser reads one playbook and collects what is wrong with it.
type parser struct {
	constructs map[string]construct
	doc        *document
	problems   []yamldoc.Diagnostic
}

// parseDocument reads a source; the document is nil where nothing in it can be checked.
func parseDocument(s Source) (*document, []yamldoc.Diagnostic) {
	root, problems := yamldoc.Parse(s.Path, s.Data)
	if root == nil {
		return nil, problems
	}
	p := &parser{constructs: constructs(), problems: problems}
	p.doc = &document{name: s.Name, root: root, byID: map[string]*step{}}
	if root.Kind() != yamldoc.Map {
		p.add(root.Errorf("type", "a playbook must be a map, not %s", root.Describe()))
		return nil, p.problems
	}
	p.playbook(root)
	return p.doc, p.problems
}

func (p *parser) add(d yamldoc.Diagnostic) { p.problems = append(p.problems, d) }

func (p *parser) playbook(root *yamldoc.Node) {
	g := p.keys(root, "playbook")
	p.doc.title = g.textOr("name", p.doc.name)
	p.doc.description = g.text("description")
	p.shortName(g["name"], "the name of a playbook")
	p.inputs(g["inputs"])
	p.triggers(g["triggers"])
	p.concurrency(g["concurrency"])
	p.guard(g["guard"])
	p.outputs(g["outputs"])
	if steps, ok := g["steps"]; ok {
		p.doc.steps = p.stepList(steps.node, nil, "steps")
	}
}

func (p *parser) shortName(it item, what string) {
	if name, ok := it.value.(string); ok && (strings.TrimSpace(name) == "" || len([]rune(name)) > maxName || strings.Contains(name, "\n")) {
		p.add(it.node.Errorf("name", "%s must be one line of at most %d characters", what, maxName))
	}
}

// keys checks a construct: unknown keys, missing ones, and the literals.
func (p *parser) keys(n *yamldoc.Node, of string) given {
	con := p.constructs[of]
	if n.Kind() != yamldoc.Map {
		p.add(n.Errorf("type", "%s must be a map, not %s", con.name, n.Describe()))
		return given{}
	}
	p.problems = append(p.problems, yamldoc.UnknownKeys(n, con.name, con.names())...)
	g := given{}
	for _, e := range n.Entries() {
		if k, known := con.key(e.Name(), n.Entries()); known {
			g[k.name] = p.value(k, e)
		}
	}
	meant := misspelt(n, con.names())
	for _, k := range con.keys {
		if k.required && !g.has(k.name) && !slices.Contains(meant, k.name) {
			p.add(n.FirstKey().Errorf("missing-key", "%s needs `%s`", con.name, k.name).WithHint("%s: %s", k.name, k.doc))
		}
	}
	return g
}

// value reads the value of a key where it is a literal.
func (p *parser) value(k key, e yamldoc.Entry) item {
	it := item{key: e.Key, node: e.Value}
	switch k.shape {
	case literal:
		p.literal(k, &it)
	case declaredOne:
		if e.Value.Kind() != yamldoc.Map {
			p.literal(k, &it)
		}
	case bare, template:
		if e.Value.Kind() != yamldoc.Scalar && !k.typ.Optional {
			it.wrong = true
			d := atValue(e).Errorf("type", "`%s` must be %s, not %s", k.name, k.noun(), e.Value.Describe())
			if k.name == string(program.FormForeach) && e.Value.Kind() == yamldoc.List {
				d = d.WithHint(`put the list in quotes: foreach: '["a", "b"]'`)
			}
			p.add(d)
		}
	default: // has steps, constructs or values inside, which are read by whoever knows them
	}
	return it
}

func (k key) noun() string {
	if k.shape == bare {
		return "an expression"
	}
	return "a text"
}

// atValue is where to point for a wrong value: at the key where there is none.
func atValue(e yamldoc.Entry) *yamldoc.Node {
	if e.Value.Kind() == yamldoc.Null {
		return e.Key
	}
	return e.Value
}

func (p *parser) literal(k key, it *item) {
	if at := computedPart(it.node); at != nil {
		it.wrong = true
		p.add(at.ErrorAt(strings.Index(at.Text(), braces), len(braces), "literal", "`%s` is fixed: it cannot hold ${{ … }}", k.name))
		return
	}
	field := engine.Field{Name: "`" + k.name + "`", Type: k.typ, Minimum: k.minimum, Maximum: k.maximum}
	v, problems := yamldoc.DecodeField(it.node, field)
	it.value, it.wrong = v, len(problems) > 0
	for _, d := range problems {
		if d.Code == "type" {
			d.Message = "`" + k.name + "` " + d.Message
		}
		p.add(d)
	}
	if v == time.Duration(0) && slices.Contains([]string{"timeout", "warn"}, k.name) {
		p.add(it.node.Errorf("range", "`%s` must be longer than 0s", k.name).WithHint("%s", withoutIt(k.name)))
	}
	if f, ok := v.(float64); ok && (k.minimum != nil && f < float64(*k.minimum) || k.maximum != nil && f > float64(*k.maximum)) {
		p.add(it.node.Errorf("range", "`%s` must be from %d to %d", k.name, *k.minimum, *k.maximum))
	}
}

// withoutIt says what it means to leave a duration out.
func withoutIt(name string) string {
	if name == "timeout" {
		return "without `timeout` it may take as long as it likes"
	}
	return "leave `warn` out where nobody is to be told"
}

// computedPart is the first text in a node that holds an expression, or nil.
func computedPart(n *yamldoc.Node) *yamldoc.Node {
	if strings.Contains(n.Text(), braces) {
		return n
	}
	for _, item := range n.Items() {
		if at := computedPart(item); at != nil {
			return at
		}
	}
	for _, e := range n.Entries() {
		if at := computedPart(e.Value); at != nil {
			return at
		}
	}
	return nil
}

// identifier reports a name that expressions could not use.
func (p *parser) identifier(n *yamldoc.Node, name, what string) bool {
	if identifierPattern().MatchString(name) && len(name) <= maxName {
		return true
	}
	p.add(n.Errorf("name", "%q cannot be %s", name, what).
		WithSuggestion(asIdentifier(name)).
		WithHint("a name has letters, digits and _, and does not begin with a digit"))
	return false
}

func identifierPattern() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`) }

// asIdentifier is the name with what expressions cannot use replaced, or "".
func asIdentifier(name string) string {
	fixed := regexp.MustCompile(`[^A-Za-z0-9]+`).ReplaceAllString(name, "_")
	if len(name) > maxName || !identifierPattern().MatchString(fixed) {
		return ""
	}
	return fixed
}

// rootNames are the names every expression may begin with.
func rootNames() []string { return []string{"inputs", "steps", "run", "trigger", "index"} }

// words are those that mean something in an expression wherever they stand.
func words() []string {
	return strings.Fields("true false nil null not and or in let if else matches contains startsWith endsWith")
}

// reservedIDs are names of a step that would be mistaken for something else in
// an expression or in a path.
func reservedIDs() []string {
	return append(rootNames(), "call", "try", "catch", "finally", "else", "default")
}

func (p *parser) outputs(it item) {
	for _, e := range p.named(it, "outputs", "an output") {
		if slices.Contains(stepFields(), e.Name()) {
			p.add(e.Key.Errorf("name", "an output cannot be called %q: every step has a field of that name", e.Name()))
			continue
		}
		p.doc.outputs = append(p.doc.outputs, e)
	}
}

// named are the entries of a map whose keys are names for expressions.
func (p *parser) named(it item, what, one string) []yamldoc.Entry {
	if it.key == nil {
		return nil
	}
	if it.node.Kind() != yamldoc.Map {
		p.add(atValue(yamldoc.Entry{Key: it.key, Value: it.node}).Errorf("type", "`%s` must be a map, not %s", what, it.node.Describe()))
		return nil
	}
	var out []yamldoc.Entry
	for _, e := range it.node.Entries() {
		if p.identifier(e.Key, e.Name(), "the name of "+one) {
			out = append(out, e)
		}
	}
	return out
}
