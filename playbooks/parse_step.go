package playbooks

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// stepList reads a list of steps that stands under a key of parent.
func (p *parser) stepList(n *yamldoc.Node, parent *step, within string) []*step {
	if n.Kind() != yamldoc.List {
		p.add(n.Errorf("type", "`%s` must be a list of steps, not %s", within, n.Describe()).WithHint("begin each step with `- `"))
		return nil
	}
	if len(n.Items()) == 0 {
		p.add(n.Errorf("no-steps", "there are no steps in `%s`", within))
	}
	var steps []*step
	for i, item := range n.Items() {
		if p.doc.count++; p.doc.count > MaxSteps {
			p.tooMany(item)
			break
		}
		if s := p.step(item, parent, within, i+1); s != nil {
			steps = append(steps, s)
		}
	}
	return steps
}

func (p *parser) tooMany(n *yamldoc.Node) {
	if p.doc.count == MaxSteps+1 {
		p.add(n.Errorf("too-many-steps", "a playbook has at most %d steps", MaxSteps).WithHint("move some into a playbook of their own, and `call` it"))
	}
}

// step reads one step; place is its 1-based place among its siblings.
func (p *parser) step(n *yamldoc.Node, parent *step, within string, place int) *step {
	if n.Kind() != yamldoc.Map {
		p.add(n.Errorf("type", "a step must be a map, not %s", n.Describe()).WithHint("write - uses: user.list"))
		return nil
	}
	s := &step{node: n, parent: parent, within: within, order: p.doc.count}
	s.given = p.keys(n, "step")
	s.form = p.form(s)
	s.acts = s.has("uses") && (s.form == program.FormUses || s.form == program.FormForeach)
	p.identify(s, place)
	p.shortName(s.given["name"], "the name of a step")
	p.companions(s)
	p.nested(s)
	return s
}

// form decides which form a step has. Where several claim it, it is the first
// of them, so that the rest of the step is still checked.
func (p *parser) form(s *step) program.Form {
	var forms []program.Form
	for _, f := range stepForms() {
		if s.has(string(f)) {
			forms = append(forms, f)
		}
	}
	switch {
	case slices.Contains(forms, program.FormForeach):
		p.loopBody(s, forms, program.FormForeach, program.FormUses, program.FormSteps)
		return program.FormForeach
	case slices.Contains(forms, program.FormWhile):
		p.loopBody(s, forms, program.FormWhile, program.FormSteps)
		return program.FormWhile
	case len(forms) == 1:
		return forms[0]
	case len(forms) == 0:
		p.noForm(s)
		return ""
	}
	p.add(s.node.FirstKey().Errorf("form", "a step has exactly one of %s; this one has %s", formNames(stepForms(), ", "), formNames(forms, " and ")).
		WithHint("make a step of each; a block (`steps:`) keeps them together"))
	return forms[0]
}

func formNames(forms []program.Form, separator string) string {
	names := make([]string, len(forms))
	for i, f := range forms {
		names[i] = string(f)
	}
	return strings.Join(names, separator)
}

// loopBody checks that a loop has one body and no form beside it.
func (p *parser) loopBody(s *step, forms []program.Form, loop program.Form, bodies ...program.Form) {
	others := slices.DeleteFunc(slices.Clone(forms), func(f program.Form) bool { return f == loop })
	if len(others) == 1 && slices.Contains(bodies, others[0]) {
		return
	}
	message := fmt.Sprintf("a step with %#q has exactly one of %s", loop, formNames(bodies, " and "))
	if len(bodies) == 1 {
		message = fmt.Sprintf("a step with %#q has %#q and no other form", loop, bodies[0])
	}
	if len(others) > 0 {
		message += "; this one has " + formNames(others, " and ")
	}
	p.add(s.node.FirstKey().Errorf("form", "%s", message).WithHint("put anything else into `steps:`"))
}

// noForm reports a step without a form, unless a misspelt key already says so.
func (p *parser) noForm(s *step) {
	names := p.constructs["step"].names()
	for _, e := range s.node.Entries() {
		if near := engine.Nearest(e.Name(), names); !slices.Contains(names, e.Name()) && slices.Contains(stepForms(), program.Form(near)) {
			return
		}
	}
	p.add(s.node.FirstKey().Errorf("form", "a step has exactly one of %s; this one has none", formNames(stepForms(), ", ")))
}

// identify gives the step its id and its part of a path.
func (p *parser) identify(s *step, place int) {
	s.segment = fmt.Sprintf("%s~%d", s.form, place)
	it, named := s.given["id"]
	id := s.text("id")
	if !named || it.wrong || !p.identifier(it.node, id, "the id of a step") {
		return
	}
	if slices.Contains(reservedIDs(), id) {
		p.add(it.node.Errorf("reserved", "a step cannot be called %q: the word means something else in expressions and paths", id))
		return
	}
	if first := p.doc.byID[id]; first != nil {
		p.add(it.node.Errorf("duplicate-id", "a step is called %q already, in line %d", id, first.line()).WithHint("ids are unique in a file"))
		return
	}
	s.id, s.segment = id, id
	p.doc.byID[id] = s
	for up := s.parent; up != nil; up = up.parent {
		if up.form == program.FormForeach && up.textOr("as", "item") == id {
			p.add(it.node.Errorf("clash", "a step cannot be called %q: it is the loop variable of the step in line %d", id, up.line()))
		}
	}
}

// companions reports keys that mean nothing in a step of this form, and
// missing ones that the form needs.
func (p *parser) companions(s *step) {
	if s.form == "" {
		return
	}
	for _, name := range p.constructs["step"].names() {
		it, present := s.given[name]
		forms := p.constructs["step"].forms(name)
		isForm := slices.Contains(stepForms(), program.Form(name))
		if present && !isForm && len(forms) > 0 && !slices.Contains(forms, s.form) {
			p.add(it.key.Errorf("misplaced-key", "`%s` does not go with `%s`", name, s.form).
				WithHint("`%s` goes with %s", name, formNames(forms, ", ")))
		}
	}
	if s.form == program.FormForeach && !s.acts {
		for _, name := range loopOverAction() {
			if it, present := s.given[name]; present {
				p.add(it.key.Errorf("misplaced-key", "`%s` does not go with a loop over steps", name).WithHint("give it to the step inside that uses the action"))
			}
		}
	}
	p.needs(s)
}

// needs reports what a form cannot do without.
func (p *parser) needs(s *step) {
	missing := func(name, why string) {
		if !s.has(name) {
			p.add(s.node.FirstKey().Errorf("missing-key", "`%s` needs `%s`", s.form, name).WithHint("%s", why))
		}
	}
	switch s.form {
	case program.FormWhile:
		missing("max", "max: 100 bounds the rounds; one more fails the step")
	case program.FormSwitch:
		missing("cases", "cases: { value: [steps] }")
	case program.FormTry:
		if !s.has("catch") && !s.has("finally") {
			p.add(s.node.FirstKey().Errorf("missing-key", "`try` needs `catch` or `finally`").WithHint("without one of them it does nothing"))
		}
	case program.FormSteps:
		if s.has("else") && !s.has("if") {
			p.add(s.given["else"].key.Errorf("misplaced-key", "`else` needs an `if`"))
		}
	default:
	}
	if s.acts && !s.has("for") {
		for _, name := range endKeys() {
			if it, present := s.given[name]; present {
				p.add(it.key.Errorf("misplaced-key", "`%s` needs `for`", name))
			}
		}
	}
	p.loopVariable(s)
}

// endKeys are the keys that say more about the end of a change made for a time.
func endKeys() []string { return []string{"at_end", "max", "warn"} }

func (p *parser) loopVariable(s *step) {
	it, named := s.given["as"]
	if s.form != program.FormForeach || it.wrong {
		return
	}
	at, name := it.node, s.textOr("as", "item")
	if !named {
		at = s.given["foreach"].key
	} else if !p.identifier(at, name, "the name of a loop variable") {
		return
	}
	if slices.Contains(rootNames(), name) || slices.Contains(words(), name) {
		p.add(at.Errorf("reserved", "a loop variable cannot be called %q", name))
	}
	for up := s.parent; up != nil; up = up.parent {
		if up.form == program.FormForeach && up.textOr("as", "item") == name {
			p.add(at.Errorf("clash", "the loop in line %d has the variable %q already", up.line(), name).WithHint("give one of them another name with `as:`"))
		}
	}
}

// nested reads the steps and constructs inside a step.
func (p *parser) nested(s *step) {
	for _, k := range p.constructs["step"].keys {
		it, present := s.given[k.name]
		switch {
		case !present:
		case k.shape == stepList:
			s.slots = append(s.slots, slot{kind: k.name, key: it.key, steps: p.stepList(it.node, s, k.name)})
		case k.shape == stepLists:
			p.branches(s, k, it)
		case k.shape == nested:
			p.inner(s, k, it)
		}
	}
}

func (p *parser) branches(s *step, k key, it item) {
	if it.node.Kind() != yamldoc.Map || len(it.node.Entries()) == 0 {
		p.add(atValue(yamldoc.Entry{Key: it.key, Value: it.node}).Errorf("type", "`%s` must be a map of names with lists of steps, not %s", k.name, it.node.Describe()))
		return
	}
	for _, e := range it.node.Entries() {
		if k.name == "parallel" && !identifierPattern().MatchString(strings.ReplaceAll(e.Name(), "-", "_")) {
			p.add(e.Key.Errorf("name", "%q cannot be the name of a branch", e.Name()).WithHint("a name has letters, digits, - and _"))
		}
		s.slots = append(s.slots, slot{kind: k.name, name: e.Name(), key: e.Key, steps: p.stepList(e.Value, s, k.name+"."+e.Name())})
	}
}

// inner reads a construct inside a step.
func (p *parser) inner(s *step, k key, it item) {
	g := p.keys(it.node, k.of)
	if s.inner == nil {
		s.inner = map[string]given{}
	}
	s.inner[k.name] = g
	switch k.name {
	case "retry":
		p.retry(g)
	case "approve":
		p.noEmptyEntry(g["by"])
		if by := g["by"]; by.key != nil && !by.wrong && len(by.node.Items()) == 0 {
			p.add(by.node.Errorf("name", "`by` names nobody"))
		}
		p.enoughPeople(g)
	case "wait":
		if it.node.Kind() == yamldoc.Map && len(g) != 1 {
			p.add(it.node.FirstKey().Errorf("form", "`wait` has exactly one of for, until and signal"))
		}
	}
}

// enoughPeople reports an approval that cannot be given, because more people
// are needed than there are. How many a group has is not known here.
func (p *parser) enoughPeople(g given) {
	if fewerNamed(g) {
		p.add(g["needs"].node.Errorf("range", "`needs` is %d, but `by` names only %d", g.integer("needs"), distinct(g.texts("by"))))
	}
}

// Pauses between attempts where a playbook does not say.
const (
	defaultFirst = time.Second
	defaultMax   = time.Minute
)

func (p *parser) retry(g given) {
	first, longest := g.durationOr("first", defaultFirst), g.durationOr("max", defaultMax)
	if first > longest && g.has("max") {
		p.add(g["max"].node.Errorf("range", "the longest pause, %s, is shorter than the first, %s", engine.FormatDuration(longest), engine.FormatDuration(first)))
	}
}
