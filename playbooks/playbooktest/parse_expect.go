package playbooktest

import (
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

func (r *reader) expect(v value) Expect {
	if v.node.Kind() == yamldoc.Null || v.node.Kind() == yamldoc.Map && len(v.node.Entries()) == 0 {
		r.add(v.key.Errorf("no-expectation", "a test that expects nothing cannot fail").WithHint("expect: { status: succeeded }"))
		return Expect{}
	}
	g := r.keys(v.node, "expect")
	out := Expect{failure: wanted[string](g, "error")}
	if status := wanted[string](g, "status"); status != nil {
		out.status = &want[engine.RunStatus]{value: engine.RunStatus(status.value), at: status.at}
	}
	out.changes = r.lines(g["changes"], "change", engine.OutcomeDone)
	out.plan = r.lines(g["plan"], "planned", "")
	out.grants = r.grants(g["grants"])
	if g.has("messages") {
		out.messages = r.messages(g["messages"].node)
	}
	if g.has("path") {
		r.path(g["path"].node, &out)
	}
	out.items = r.items(g["items"])
	for _, e := range r.entries(g["outputs"]) {
		out.outputs = append(out.outputs, output{key: e.Key, value: e.Value})
	}
	return out
}

func wanted[T any](g given, name string) *want[T] {
	v, ok := g[name].value.(T)
	if !ok {
		return nil
	}
	return &want[T]{value: v, at: g[name].node}
}

// lines reads a list of changes, or only their number.
func (r *reader) lines(v value, of string, otherwise engine.Outcome) *lines {
	if v.key == nil {
		return nil
	}
	out := &lines{at: pointed(v)}
	if v.node.Kind() == yamldoc.Map {
		g := r.keys(v.node, "counted")
		n := as[int64](g, "count")
		out.count = &n
		return out
	}
	for _, n := range r.list(v, "changes, or { count: N }") {
		g := r.keys(n, of)
		l := line{at: n, wrong: n, target: g.text("target"), action: g.text("action"), outcome: outcome(g, otherwise)}
		if g.has("outcome") {
			l.wrong = g["outcome"].node
		}
		out.exact = append(out.exact, l)
	}
	return out
}

// grants reads a list of temporary changes, each as a line whose outcome is its state.
func (r *reader) grants(v value) *lines {
	if v.key == nil {
		return nil
	}
	out := &lines{at: pointed(v)}
	for _, n := range r.list(v, "grants") {
		g := r.keys(n, "grant")
		l := line{at: n, wrong: n, target: g.text("target"), action: g.text("action"), outcome: engine.Outcome(engine.GrantActive)}
		if g.has("state") {
			l.wrong, l.outcome = g["state"].node, engine.Outcome(g.text("state"))
		}
		out.exact = append(out.exact, l)
	}
	return out
}

func (r *reader) messages(n *yamldoc.Node) *messages {
	g := r.keys(n, "messages")
	r.needsOne(n, g)
	out := &messages{count: wanted[int64](g, "count")}
	for _, text := range textsAt(g, "contains") {
		out.contains = append(out.contains, want[string]{value: text.Text(), at: text})
	}
	for _, text := range textsAt(g, "lacks") {
		out.lacks = append(out.lacks, want[string]{value: text.Text(), at: text})
	}
	return out
}

// needsOne reports a part of the expectations that expects nothing.
func (r *reader) needsOne(n *yamldoc.Node, g given) {
	if n.Kind() == yamldoc.Map && len(n.Entries()) == 0 && len(g) == 0 {
		r.add(n.Errorf("no-expectation", "an empty map expects nothing"))
	}
}

// textsAt are the nodes of a list of text that was read without problems.
func textsAt(g given, name string) []*yamldoc.Node {
	if g[name].value == nil {
		return nil
	}
	return g[name].node.Items()
}

func (r *reader) path(n *yamldoc.Node, out *Expect) {
	g := r.keys(n, "path")
	r.needsOne(n, g)
	named := func(name string) *want[[]step] {
		if !g.has(name) {
			return nil
		}
		w := &want[[]step]{at: g[name].node}
		for _, text := range textsAt(g, name) {
			w.value = append(w.value, step{at: text, name: text.Text()})
		}
		return w
	}
	out.ran, out.notRan = named("ran"), named("not_ran")
}

func (r *reader) items(v value) []loop {
	var out []loop
	for _, e := range r.entries(v) {
		l := loop{step: step{at: e.Key, name: e.Name()}}
		for _, one := range r.entries(value{key: e.Key, node: e.Value}) {
			said, problems := yamldoc.Decode(one.Value, engine.EnumOf(outcomes()...))
			r.add(problems...)
			text, _ := said.(string)
			l.items = append(l.items, item{at: one.Value, name: one.Name(), outcome: engine.Outcome(text)})
		}
		out = append(out, l)
	}
	return out
}
