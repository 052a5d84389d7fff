package playbooks

import (
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/expression"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

func (c *checker) triggers() {
	for _, t := range c.doc.triggers {
		at := view{trigger: t}
		var entries []expression.Entry
		for _, a := range c.inputs(t.given["with"], c.doc.inputs, inputOwner{name: "the playbook", at: t.node.FirstKey()}, at) {
			entries = append(entries, expression.Entry{Name: a.Name, Value: a.Value})
		}
		t.program.With = expression.MapOf(entries)
		if t.has("webhook") {
			t.program.Dedupe = c.dedupe(t, at)
		}
		c.out.Triggers = append(c.out.Triggers, t.program)
	}
	if c.env.Serving != nil && c.doc.name == c.bundle.Root {
		c.served(c.env.Serving)
	}
}

// dedupe compiles what tells deliveries apart, which must come from the body:
// the rest is alike, or different each time.
func (c *checker) dedupe(t *trigger, at view) *expression.Expression {
	it := t.given["dedupe"]
	e := c.itemName(it, at)
	if e == nil {
		return nil
	}
	fromBody := func(p expression.Path) bool { return len(p) > 1 && p[0] == "trigger" && p[1] == "body" }
	if !slices.ContainsFunc(e.Reads(), fromBody) {
		c.add(it.node.Errorf("dedupe", "`dedupe` does not read trigger.body: it cannot tell one delivery from another").
			WithHint("write what identifies the event, such as dedupe: trigger.body.alert.id"))
	}
	return e
}

// served checks the triggers of the playbook itself against the configuration.
func (c *checker) served(s *Serving) {
	for _, t := range c.doc.triggers {
		hook := t.given["webhook"]
		if hook.key == nil || hook.wrong || !safeName(t.program.Webhook) || slices.Contains(s.Webhooks, t.program.Webhook) {
			continue
		}
		c.add(hook.node.Errorf("unknown-webhook", "the configuration has no webhook %q", t.program.Webhook).
			WithSuggestion(engine.Nearest(t.program.Webhook, s.Webhooks)).
			WithHint("write it under `webhooks:` there, with the secret it is signed with: %s: { secret: env://NAME }", t.program.Webhook))
	}
	if len(c.doc.triggers) > 0 && s.Notify == "" {
		c.add(c.doc.triggersAt.Errorf("unheard", "this playbook starts by itself, and nobody hears when a run does not succeed").
			WithHint("name the connection that tells people in the configuration: notify: CONNECTION").AsWarning())
	}
}

// concurrency checks how many runs there may be; nil where the playbook does
// not say.
func (c *checker) concurrency() *program.Concurrency {
	g := c.doc.concurrency
	if g == nil {
		return nil
	}
	out := &program.Concurrency{Max: int(g.integer("max")), Strategy: g.textOr("strategy", "queue")}
	it := g["key"]
	if out.Key = c.itemName(it, view{before: true}); out.Key != nil && len(out.Key.Reads()) == 0 {
		c.add(it.node.Errorf("key", "`key` is the same for every run: it reads neither inputs nor trigger").WithHint("without `key` all runs are one group"))
	}
	return out
}
