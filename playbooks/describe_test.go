package playbooks

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/expression"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// describe writes a program so that people can check it in a golden file.
func describe(p *program.Program) string {
	d := &describer{}
	d.line("playbook %s, changes %v", p.Name, p.Changes)
	for _, f := range p.Inputs {
		d.line("input %s: %s required=%v default=%v", f.Name, f.Type, f.Required, f.Default)
	}
	for _, t := range p.Triggers {
		d.line("trigger %s%s %s %s %s with %s", t.Schedule, t.Webhook, t.Timezone, t.Missed, t.Overlap, value(t.With))
		if t.Body.Kind != "" || t.Dedupe != nil {
			d.line("    body %s dedupe %s", deep(t.Body), source(t.Dedupe))
		}
	}
	if c := p.Concurrency; c != nil {
		d.line("at most %d of %s, then %s", c.Max, source(c.Key), c.Strategy)
	}
	if g := p.Guard; g.MaxChanges != nil {
		d.line("guard %d %v %v %s", *g.MaxChanges, g.MaxPercent != nil, g.Protect, g.OnBlock)
	}
	d.nodes("", p.Steps)
	for _, o := range p.Outputs {
		d.line("output %s: %s = %s", o.Name, full(o.Type), value(o.Value))
	}
	for _, u := range p.Unavailable {
		d.line("not yet: %s at %d:%d", u.What, u.Line, u.Column)
	}
	for i, n := range p.Nodes {
		if n.Index != i {
			d.line("WRONG INDEX %d at %d", n.Index, i)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Calls)) {
		d.line("\ncalled %s", name)
		d.line("%s", strings.TrimSpace(describe(p.Calls[name])))
	}
	return d.String()
}

type describer struct{ strings.Builder }

func (d *describer) line(format string, args ...any) {
	d.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " ") + "\n")
}

func (d *describer) nodes(indent string, nodes []*program.Node) {
	for _, n := range nodes {
		d.line("%s%d %s %s -> %s%s", indent, n.Index, n.Segment, n.Form, full(n.Output), details(n))
		if n.Uses != nil {
			d.inputs(indent, n.Uses.Inputs)
		}
		if n.Call != nil {
			d.inputs(indent, n.Call.Inputs)
		}
		d.inputs(indent, n.Set)
		d.inside(indent+"  ", n)
	}
}

func (d *describer) inputs(indent string, list []program.Assignment) {
	for _, a := range list {
		d.line("%s    %s: %s = %s", indent, a.Name, a.Type, value(a.Value))
	}
}

func (d *describer) inside(indent string, n *program.Node) {
	list := func(name string, nodes []*program.Node) {
		if len(nodes) > 0 {
			d.line("%s%s:", indent, name)
			d.nodes(indent+"  ", nodes)
		}
	}
	list("body", n.Body)
	for _, b := range n.Branches {
		list(fmt.Sprintf("branch %s %v", b.Name, b.Match), b.Steps)
	}
	list("default", n.Default)
	list("catch", n.Catch)
	list("finally", n.Finally)
	list("else", n.Else)
}

// details are the parts of a node that it has.
func details(n *program.Node) string {
	var b strings.Builder
	add := func(has bool, format string, args ...any) {
		if has {
			fmt.Fprintf(&b, "; "+format, args...)
		}
	}
	add(n.If != nil, "if %s", source(n.If))
	add(n.Continue, "continue")
	add(n.Timeout > 0, "timeout %s", n.Timeout)
	add(n.Switch != nil, "on %s", source(n.Switch))
	add(!n.Fail.IsZero() || n.Form == program.FormFail, "fail %s", value(n.Fail))
	if n.Uses != nil {
		add(true, "%s %s %v", n.Uses.Effect, n.Uses.Action, n.Uses.Connection)
	}
	if f := n.Foreach; f != nil {
		add(true, "%s in %s (%s) key %s%s label %s x%d items read %v", f.As, source(f.List), f.Elem.Kind, source(f.Key), f.KeyField, source(f.Label), f.Concurrency, f.ItemsRead)
	}
	if n.While != nil {
		add(true, "while %s max %d", source(n.While.Condition), n.While.Max)
	}
	if n.Retry != nil {
		add(true, "retry %+v", *n.Retry)
	}
	if n.For != nil {
		add(true, "for %s %s", value(n.For.Duration), n.For.AtEnd)
		add(n.For.Most > 0, "at most %s", n.For.Most)
		add(n.For.Warn > 0, "warn %s before", n.For.Warn)
	}
	if n.Approve != nil {
		add(true, "approve %s by %v needs %d in %s %s %s", value(n.Approve.Title), n.Approve.By, n.Approve.Needs, n.Approve.Timeout, n.Approve.OnDeny, n.Approve.Notify)
	}
	if n.Wait != nil {
		add(true, "wait for %s until %s signal %s", value(n.Wait.For), value(n.Wait.Until), n.Wait.Signal)
	}
	return b.String()
}

func source(e *expression.Expression) string {
	if e == nil {
		return "-"
	}
	return "`" + e.Source() + "`"
}

// value is a constant, or what is read to compute it.
func value(v expression.Value) string {
	if c, ok := v.Constant(); ok {
		data, err := engine.EncodeJSON(c)
		if err != nil {
			return err.Error()
		}
		return string(data)
	}
	if v.IsZero() {
		return "-"
	}
	var reads []string
	for _, p := range v.Reads() {
		reads = append(reads, strings.Join(p, "."))
	}
	return "reads(" + strings.Join(reads, " ") + ")"
}

// full is a type with its fields.
func full(t engine.Type) string {
	if t.Kind != engine.KindMap || len(t.Fields) == 0 {
		return t.String()
	}
	var fields []string
	for _, f := range t.Fields {
		fields = append(fields, f.Name+" "+f.Type.String())
	}
	return "{" + strings.Join(fields, ", ") + "}"
}

// deep is a type with the fields of all maps in it.
func deep(t engine.Type) string {
	if t.Kind == engine.KindList && t.Elem != nil {
		return "list of " + deep(*t.Elem)
	}
	if t.Kind != engine.KindMap || len(t.Fields) == 0 {
		return t.String()
	}
	var fields []string
	for _, f := range t.Fields {
		fields = append(fields, f.Name+" "+deep(f.Type))
	}
	return "{" + strings.Join(fields, ", ") + "}"
}
