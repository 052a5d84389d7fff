package playbooks

import (
	"errors"
	"regexp"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/engine/schedule"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

func (p *parser) triggers(it item) {
	if it.key == nil {
		return
	}
	if it.node.Kind() != yamldoc.List {
		p.add(atValue(yamldoc.Entry{Key: it.key, Value: it.node}).Errorf("type", "`triggers` must be a list, not %s", it.node.Describe()))
		return
	}
	p.doc.triggersAt = it.key
	webhooks := map[string]bool{}
	for _, n := range it.node.Items() {
		t := p.trigger(n)
		if t == nil {
			continue
		}
		if name := t.program.Webhook; name != "" && webhooks[name] {
			p.add(t.given["webhook"].node.Errorf("duplicate-trigger", "the webhook %q starts this playbook already", name))
		}
		webhooks[t.program.Webhook] = true
		p.doc.triggers = append(p.doc.triggers, t)
	}
}

func (p *parser) trigger(n *yamldoc.Node) *trigger {
	if n.Kind() != yamldoc.Map {
		p.add(n.Errorf("type", "a trigger must be a map, not %s", n.Describe()).WithHint(`write - schedule: "0 8 * * *", or - webhook: name`))
		return nil
	}
	t := &trigger{node: n, given: p.keys(n, "trigger")}
	t.program = program.Trigger{Schedule: t.text("schedule"), Webhook: t.text("webhook"), Timezone: t.text("timezone")}
	if t.has("schedule") == t.has("webhook") {
		p.add(n.FirstKey().Errorf("form", "a trigger has exactly one of schedule and webhook"))
		return t
	}
	if t.has("webhook") {
		p.webhook(t)
	} else {
		p.schedule(t)
	}
	return t
}

func (p *parser) webhook(t *trigger) {
	p.foreign(t, "a schedule", "timezone", "missed", "overlap")
	if hook := t.given["webhook"]; !hook.wrong && !safeName(t.program.Webhook) {
		p.add(hook.node.Errorf("name", "%q cannot be the name of a webhook", t.program.Webhook).WithHint("use a-z, 0-9, - and _"))
	}
	p.body(t)
}

// foreign reports keys that belong to the other form of a trigger.
func (p *parser) foreign(t *trigger, owner string, names ...string) {
	for _, name := range names {
		if t.has(name) {
			p.add(t.given[name].key.Errorf("misplaced-key", "`%s` belongs to %s", name, owner))
		}
	}
}

// body reads the declared shape of a webhook's body. A broken one is dynamic:
// what is wrong with it is said already.
func (p *parser) body(t *trigger) {
	it, given := t.given["body"]
	fields, ok := p.fields(it)
	switch {
	case !given:
	case ok:
		t.program.Body = engine.MapOf(fields...)
	default:
		t.program.Body = engine.TypeAny()
	}
}

// safeName reports whether a name can stand in a URL and be a file's name.
func safeName(name string) bool {
	return regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,99}$`).MatchString(name)
}

func (p *parser) schedule(t *trigger) {
	t.program.Missed = t.textOr("missed", "last")
	t.program.Overlap = t.textOr("overlap", "skip")
	p.timezone(t.given["timezone"])
	p.foreign(t, "a webhook", "body", "dedupe")
	at := t.given["schedule"]
	if at.wrong {
		return
	}
	fires, err := schedule.Parse(t.program.Schedule, "")
	var problem *schedule.Problem
	if errors.As(err, &problem) {
		p.add(at.node.ErrorAt(problem.Offset, problem.Length, problem.Code, "%s", problem.Message).WithHint("%s", problem.Hint))
		return
	}
	t.program.Schedule = fires.String()
	if zone, given := t.given["timezone"]; given && strings.HasPrefix(t.program.Schedule, "@every") {
		p.add(zone.key.Errorf("misplaced-key", "@every takes no notice of a time zone").WithHint("leave `timezone` out, or write a cron expression"))
	}
}

func (p *parser) timezone(it item) {
	name, ok := it.value.(string)
	if !ok || it.wrong {
		return
	}
	if _, err := schedule.Zone(name); err == nil && name != "" {
		return
	}
	p.add(it.node.Errorf("time-zone", "there is no time zone %q", name).
		WithSuggestion(engine.Nearest(name, commonZones())).
		WithHint("write an IANA name such as Europe/Berlin, America/New_York or UTC"))
}

// commonZones are zones worth suggesting; there is no list of all at run time.
func commonZones() []string {
	return strings.Fields(`UTC Europe/London Europe/Berlin Europe/Paris Europe/Madrid Europe/Rome Europe/Vienna Europe/Zurich
		Europe/Amsterdam Europe/Brussels Europe/Stockholm Europe/Oslo Europe/Copenhagen Europe/Helsinki Europe/Warsaw Europe/Prague
		Europe/Dublin Europe/Lisbon Europe/Athens Europe/Istanbul Europe/Kyiv America/New_York America/Chicago America/Denver
		America/Los_Angeles America/Toronto America/Vancouver America/Mexico_City America/Sao_Paulo America/Bogota
		Asia/Tokyo Asia/Seoul Asia/Shanghai Asia/Hong_Kong Asia/Singapore Asia/Kolkata Asia/Dubai Asia/Jerusalem
		Australia/Sydney Australia/Melbourne Australia/Perth Pacific/Auckland Africa/Johannesburg Africa/Cairo Africa/Lagos Africa/Nairobi`)
}

func (p *parser) concurrency(it item) {
	if it.key != nil {
		p.doc.concurrency = p.keys(it.node, "concurrency")
	}
}

func (p *parser) guard(it item) {
	if it.key == nil {
		return
	}
	g := p.keys(it.node, "guard")
	p.doc.guardAt = g
	p.doc.guard = program.Guard{MaxChanges: limit(g["max_changes"]), Protect: g.texts("protect"), OnBlock: g.textOr("on_block", "stop")}
	if f, ok := g["max_percent"].value.(float64); ok {
		p.doc.guard.MaxPercent = &f
	}
	p.noEmptyEntry(g["protect"])
}

// noEmptyEntry reports an empty text in a list of names: it would match nothing.
func (p *parser) noEmptyEntry(it item) {
	if it.wrong || it.key == nil {
		return
	}
	for _, n := range it.node.Items() {
		if strings.TrimSpace(n.Text()) == "" {
			p.add(n.Errorf("name", "an entry of `%s` is empty", it.key.Text()))
		}
	}
}
