package machine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/expression"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// What is here writes programs by hand, as the compiler of playbooks would:
// playbook(steps…) numbers the nodes and names their segments.

type nodes = []*program.Node

// playbook makes a program of steps.
func playbook(steps ...*program.Node) *program.Program {
	p := &program.Program{Name: "test", Hash: "hash-of-test", Steps: steps}
	number(p, steps)
	return p
}

func number(p *program.Program, steps nodes) {
	for i, n := range steps {
		n.Index = len(p.Nodes)
		p.Nodes = append(p.Nodes, n)
		n.Segment = n.ID
		if n.ID == "" {
			n.Segment = fmt.Sprintf("%s~%d", n.Form, i+1)
		}
		for _, list := range []nodes{n.Body, n.Else, n.Catch, n.Finally, n.Default} {
			number(p, list)
		}
		for _, b := range n.Branches {
			number(p, b.Steps)
		}
	}
}

// bare compiles an expression. Everything it may name is dynamic, so that
// these tests are about the machine and not about the checker.
func bare(source string) *expression.Expression {
	if source == "" {
		return nil
	}
	dynamic := func(name string) engine.Field { return engine.Field{Name: name, Type: engine.TypeAny()} }
	scope := expression.NewScope(dynamic("inputs"), dynamic("steps"), dynamic("run"), dynamic("trigger"),
		dynamic("item"), dynamic("user"), dynamic("index"))
	e, problems := expression.Compile(source, scope, engine.TypeAny())
	if e == nil {
		panic(fmt.Sprintf("%s: %v", source, problems)) //nolint:forbidigo // a mistake in a test's own program, before there is a run to fail
	}
	return e
}

// value is ${{ source }}.
func value(source string) expression.Value { return expression.Computed(bare(source)) }

// with makes inputs of "name=expression" pairs.
func with(pairs ...string) []program.Assignment {
	var out []program.Assignment
	for _, pair := range pairs {
		name, source, _ := strings.Cut(pair, "=")
		out = append(out, program.Assignment{Name: name, Type: engine.TypeAny(), Value: value(source)})
	}
	return out
}

func anything(names ...string) []engine.Field {
	var out []engine.Field
	for _, name := range names {
		out = append(out, engine.Field{Name: name, Type: engine.TypeAny()})
	}
	return out
}

func call(action string, effect engine.Effect, inputs []program.Assignment) *program.Uses {
	var names []string
	for _, a := range inputs {
		names = append(names, a.Name)
	}
	return &program.Uses{Action: action, Effect: effect, Inputs: inputs, Declared: anything(names...)}
}

// look is a step with an action that reads; it has the outputs users, id and n.
func look(id string, pairs ...string) *program.Node {
	return &program.Node{ID: id, Form: program.FormUses, Uses: call("look", engine.Observe, with(pairs...)),
		Output: engine.MapOf(outputs()...)}
}

func outputs() []engine.Field {
	return []engine.Field{
		{Name: "users", Type: engine.Maybe(engine.ListOf(userType()))},
		{Name: "id", Type: engine.Maybe(engine.TypeString())},
		{Name: "n", Type: engine.Maybe(engine.TypeInteger())},
	}
}

func userType() engine.Type {
	return engine.MapOf(
		engine.Field{Name: "id", Type: engine.TypeString()},
		engine.Field{Name: "email", Type: engine.Maybe(engine.TypeString())},
	)
}

// suspend is a step with an action that changes something.
func suspend(id string, pairs ...string) *program.Node {
	return &program.Node{ID: id, Form: program.FormUses, Uses: call("suspend", engine.Change, with(pairs...)), Output: engine.MapOf()}
}

func block(id string, body ...*program.Node) *program.Node {
	return &program.Node{ID: id, Form: program.FormSteps, Body: body, Output: engine.MapOf()}
}

func set(id string, pairs ...string) *program.Node {
	n := &program.Node{ID: id, Form: program.FormSet, Set: with(pairs...)}
	for _, a := range n.Set {
		n.Output.Fields = append(n.Output.Fields, engine.Field{Name: a.Name, Type: engine.Maybe(engine.TypeAny())})
	}
	n.Output.Kind = engine.KindMap
	return n
}

func failStep(message string) *program.Node {
	return &program.Node{Form: program.FormFail, Fail: expression.Literal(message)}
}

func returnStep(reason string) *program.Node {
	n := &program.Node{Form: program.FormReturn}
	if reason != "" {
		n.Return = expression.Literal(reason)
	}
	return n
}

func over(list string) *program.Foreach {
	return &program.Foreach{List: bare(list), Elem: engine.TypeAny(), As: "item", Concurrency: 1}
}

// each is a foreach over steps.
func each(id, list string, body ...*program.Node) *program.Node {
	return &program.Node{ID: id, Form: program.FormForeach, Foreach: over(list), Body: body, Output: itemsOutput()}
}

// eachCall is a foreach over one action.
func eachCall(id, list string, uses *program.Uses) *program.Node {
	return &program.Node{ID: id, Form: program.FormForeach, Foreach: over(list), Uses: uses, Output: itemsOutput()}
}

func itemsOutput() engine.Type {
	return engine.MapOf(engine.Field{Name: "items", Type: engine.ListOf(engine.ItemType())})
}

func branch(name string, steps ...*program.Node) program.Branch {
	return program.Branch{Name: name, Match: name, Steps: steps}
}

func parallel(id string, branches ...program.Branch) *program.Node {
	return &program.Node{ID: id, Form: program.FormParallel, Branches: branches, Output: engine.MapOf()}
}

func switchOn(id, on string, byDefault nodes, cases ...program.Branch) *program.Node {
	return &program.Node{ID: id, Form: program.FormSwitch, Switch: bare(on), Branches: cases, Default: byDefault, Output: engine.MapOf()}
}

func while(id, condition string, most int64, body ...*program.Node) *program.Node {
	return &program.Node{ID: id, Form: program.FormWhile, While: &program.While{Condition: bare(condition), Max: most},
		Body: body, Output: engine.MapOf()}
}

func try(id string, body, catch, finally nodes) *program.Node {
	return &program.Node{ID: id, Form: program.FormTry, Body: body, Catch: catch, Finally: finally, Output: engine.MapOf()}
}

// approve is a step that asks the people who are on call.
func approve(id, title string) *program.Node {
	return &program.Node{
		ID: id, Form: program.FormApprove, Output: engine.MapOf(anything("approved")...),
		Approve: &program.Approve{Title: value(title), By: []string{"group:oncall"}},
	}
}

func message(id string, pairs ...string) *program.Node {
	return &program.Node{ID: id, Form: program.FormUses, Uses: call("tell", engine.Announce, with(pairs...)), Output: engine.MapOf()}
}

// The modifiers change a step and give it back.

func when(condition string, n *program.Node) *program.Node {
	n.If = bare(condition)
	return n
}

func otherwise(n *program.Node, steps ...*program.Node) *program.Node {
	n.Else = steps
	return n
}

func within(d time.Duration, n *program.Node) *program.Node {
	n.Timeout = d
	return n
}

// askedFor bounds how long an approve waits.
func askedFor(d time.Duration, n *program.Node) *program.Node {
	n.Approve.Timeout = d
	return n
}

// goingOnDenied lets the run go on where an approve is denied.
func goingOnDenied(n *program.Node) *program.Node {
	n.Approve.OnDeny = "continue"
	return n
}

func goingOn(n *program.Node) *program.Node {
	n.Continue = true
	return n
}

func retrying(attempts int, backoff string, first, most time.Duration, n *program.Node) *program.Node {
	n.Retry = &program.Retry{Attempts: attempts, Backoff: backoff, First: first, Max: most}
	return n
}

func wide(concurrency int, n *program.Node) *program.Node {
	n.Foreach.Concurrency = concurrency
	return n
}

func keyed(key, label string, n *program.Node) *program.Node {
	n.Foreach.Key, n.Foreach.Label = bare(key), bare(label)
	return n
}

func itemsRead(n *program.Node) *program.Node {
	n.Foreach.ItemsRead = true
	return n
}

// giving adds outputs to a program, as "name=expression".
func giving(p *program.Program, pairs ...string) *program.Program {
	for _, a := range with(pairs...) {
		p.Outputs = append(p.Outputs, program.Output{Name: a.Name, Type: engine.Type{Kind: engine.KindAny, Optional: true}, Value: a.Value})
	}
	return p
}

// taking declares inputs.
func taking(p *program.Program, fields ...engine.Field) *program.Program {
	p.Inputs = fields
	return p
}

// calling adds a step that calls another program.
func calling(id string, sub *program.Program, pairs ...string) (*program.Node, func(*program.Program) *program.Program) {
	n := &program.Node{ID: id, Form: program.FormCall, Call: &program.Call{Playbook: sub.Name, Inputs: with(pairs...)}}
	n.Output.Kind = engine.KindMap
	for _, o := range sub.Outputs {
		n.Output.Fields = append(n.Output.Fields, engine.Field{Name: o.Name, Type: o.Type})
	}
	return n, func(p *program.Program) *program.Program {
		p.Calls = map[string]*program.Program{sub.Name: sub}
		return p
	}
}

// epoch is when every run of these tests starts.
func epoch() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
