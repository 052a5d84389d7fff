package playbooktest

import (
	"slices"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// happenings reads what starts the run, what comes to it from outside, and how
// much time passes after it.
func (r *reader) happenings(g given, c *Case) {
	if g.has("trigger") {
		c.Trigger = r.trigger(g["trigger"].node)
	}
	if g.has("signals") {
		c.Signals = r.signals(g["signals"])
	}
	if g.has("later") {
		c.Later = as[time.Duration](g, "later")
	}
}

func (r *reader) trigger(n *yamldoc.Node) *Trigger {
	g := r.keys(n, "trigger")
	t := &Trigger{webhook: g.text("webhook"), schedule: g.text("schedule"), at: g["webhook"].node, body: g["body"].node}
	if g.has("schedule") {
		t.at = g["schedule"].node
		if g.has("body") {
			r.add(g["body"].key.Errorf("misplaced-key", "only a webhook has a `body`"))
		}
	}
	if n.Kind() == yamldoc.Map && g.has("webhook") == g.has("schedule") {
		r.add(n.FirstKey().Errorf("exactly-one", "a trigger is exactly one of webhook, schedule"))
	}
	return t
}

func (r *reader) signals(v value) []Signal {
	var out []Signal
	for _, n := range r.list(v, "signals") {
		g := r.keys(n, "signal")
		s := Signal{Name: g.text("name"), By: g.text("by"), After: as[time.Duration](g, "after"), Body: []byte("null"), at: g["name"].node}
		if body := g["body"]; body.node != nil {
			data, problems := encoded(body.node)
			r.add(problems...)
			s.Body = data
		}
		out = append(out, s)
	}
	return out
}

// encoded is a value as the JSON that comes from outside.
func encoded(n *yamldoc.Node) ([]byte, []yamldoc.Diagnostic) {
	v, problems := yamldoc.Decode(n, engine.TypeAny())
	if len(problems) > 0 {
		return nil, problems
	}
	data, err := engine.EncodeJSON(v)
	if err != nil {
		return nil, []yamldoc.Diagnostic{n.Errorf("type", "it cannot be sent: %v", err)}
	}
	return data, nil
}

// trigger finds the playbook's trigger that a test names, and reads the body as
// the playbook declares it: one that does not fit is refused before a run begins.
func (b *binder) trigger(t Trigger) *Trigger {
	var known []string
	for _, of := range b.program.Triggers {
		if t.webhook == of.Webhook && t.schedule == of.Schedule {
			t.Of = of
			t.Body = b.body(t)
			return &t
		}
		known = append(known, of.Webhook+of.Schedule) // one of them is ""
	}
	if t.at != nil {
		b.add(t.at.Unknown("trigger", "the playbook", known))
	}
	return &t
}

func (b *binder) body(t Trigger) []byte {
	switch {
	case t.body != nil:
		data, problems := encoded(t.body)
		b.add(problems...)
		if len(problems) > 0 || t.Of.Body.Kind == "" {
			return data
		}
		if _, err := engine.DecodeJSON(data, t.Of.Body); err != nil {
			b.add(t.body.Errorf("body", "the webhook %q would refuse this body: %v", t.webhook, err))
		}
		return data
	case t.webhook != "" && t.Of.Body.Kind != "":
		b.add(t.at.Errorf("missing-key", "the webhook %q declares a body, and the test sends none", t.webhook).WithHint("write it beside `webhook`, as body:"))
	}
	return []byte("null")
}

// signal reports one that no step waits for: it would never be heard.
func (b *binder) signal(s Signal) {
	var known []string
	for _, at := range b.places {
		if at.node.Form == program.FormWait && at.node.Wait.Signal != "" {
			known = append(known, at.node.Wait.Signal)
		}
	}
	if s.at != nil && !slices.Contains(known, s.Name) {
		b.add(s.at.Unknown("signal", "the playbook", known))
	}
}
