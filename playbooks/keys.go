package playbooks

import (
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// shape is how the value of a key is written.
type shape uint8

const (
	literal    shape = iota // by its type, without expressions
	template                // text that may hold ${{ … }}
	computed                // by its type, or one ${{ … }} of that type
	bare                    // an expression without ${{ }}
	stepList                // a list of steps
	stepLists               // named lists of steps
	values                  // a map of anything, which may hold ${{ … }}
	nested                  // another construct
	nestedList              // a list of another construct
	nestedMap               // named ones of another construct
	connection              // a connection's name, or one per capability
)

// key is one key of a construct. This table is all the checker and the schema
// know of it.
type key struct {
	name     string
	doc      string
	shape    shape
	typ      engine.Type
	of       string // the construct of a nested shape
	required bool
	minimum  *int64
	maximum  *int64
	forms    []program.Form // of a step: the forms it goes with; nil for all
	example  string
}

// construct is a map with known keys.
type construct struct {
	name string // as messages say it: "a step"
	doc  string
	keys []key
}

// Limits of numbers in playbooks.
const (
	maxAttempts    = 20
	maxConcurrency = 100
	maxRounds      = 10_000
	maxNeeds       = 20
)

func constructs() map[string]construct {
	return map[string]construct{
		"playbook": playbookConstruct(),
		"input":    inputConstruct(),
		"trigger":  triggerConstruct(),
		"guard":    guardConstruct(),
		"step":     stepConstruct(),
		"approve":  approveConstruct(),
		"wait":     waitConstruct(),
		"retry":    retryConstruct(),
	}
}

func (c construct) key(name string) (key, bool) {
	i := slices.IndexFunc(c.keys, func(k key) bool { return k.name == name })
	if i < 0 {
		return key{}, false
	}
	return c.keys[i], true
}

func (c construct) names() []string {
	names := make([]string, len(c.keys))
	for i, k := range c.keys {
		names[i] = k.name
	}
	return names
}

func bound(n int64) *int64 { return &n }

func playbookConstruct() construct {
	return construct{name: "a playbook", doc: "A security playbook: it finds accounts, decides, acts and tells people.", keys: []key{
		{name: "name", typ: engine.TypeString(), example: "contain-suspicious-users",
			doc: "The playbook's name in runs, schedules and the configuration. The file's name by default."},
		{name: "description", typ: engine.TypeString(), doc: "What it is for, in a sentence or two."},
		{name: "inputs", shape: nestedMap, of: "input", doc: "What the playbook is given. An input without a default is required. Read as inputs.NAME."},
		{name: "triggers", shape: nestedList, of: "trigger", doc: "What starts the playbook by itself: schedules and webhooks."},
		{name: "guard", shape: nested, of: "guard", doc: "Limits on what one run may change. They can only lower those of the configuration."},
		{name: "steps", shape: stepList, required: true, doc: "What to do, in this order."},
		{name: "outputs", shape: values, doc: "What the run, or the step that calls this playbook, results in.",
			example: "suspended: ${{ len(steps.contain.items) }}"},
	}}
}

// inputKinds are the kinds an input can be declared with, as written.
func inputKinds() []string {
	return []string{"bool", "boolean", "integer", "number", "string", "time", "duration", "list", "map", "any"}
}

func inputConstruct() construct {
	return construct{name: "an input", doc: "One input of the playbook.", keys: []key{
		{name: "type", typ: engine.EnumOf(inputKinds()...), required: true,
			doc: "The kind of its value. A value of kind any is checked only when it is used."},
		{name: "default", typ: engine.Maybe(engine.TypeAny()), doc: "The value where none is given. Without a default the input is required, unless it is optional."},
		{name: "description", typ: engine.TypeString(), doc: "What it means, for those who run the playbook."},
		{name: "minimum", typ: engine.TypeInteger(), doc: "The least value of an integer."},
		{name: "maximum", typ: engine.TypeInteger(), doc: "The greatest value of an integer."},
		{name: "enum", typ: engine.ListOf(engine.TypeString()), doc: "The only values a string can have."},
		{name: "items", typ: engine.EnumOf(inputKinds()...), doc: "The kind of a list's elements; any by default."},
		{name: "optional", typ: engine.TypeBool(), doc: "The input may be left out; expressions must then say what happens: inputs.name ?? …."},
	}}
}

func triggerConstruct() construct {
	return construct{name: "a trigger", doc: "What starts the playbook: exactly one of schedule and webhook.", keys: []key{
		{name: "schedule", typ: engine.TypeString(), example: `"*/30 * * * *"`,
			doc: "A cron expression with five fields: minute, hour, day of the month, month and day of the week."},
		{name: "timezone", typ: engine.TypeString(), example: "Europe/Berlin", doc: "The time zone of the schedule, an IANA name; UTC by default."},
		{name: "missed", typ: engine.EnumOf("none", "last", "all"), doc: "What to do about fire times the engine slept through; last by default."},
		{name: "overlap", typ: engine.EnumOf("skip", "queue", "allow"), doc: "What to do while the run before is not over; skip by default."},
		{name: "webhook", typ: engine.TypeString(), example: "siem-alert",
			doc: "The name of a webhook: POST /hooks/NAME, signed. Its JSON body is trigger.body."},
		{name: "with", shape: values, doc: "The playbook's inputs, where it is started by this trigger.", example: "window: 1h"},
	}}
}

func guardConstruct() construct {
	return construct{name: "guard", doc: "Limits on what one run may change.", keys: []key{
		{name: "max_changes", typ: engine.TypeInteger(), minimum: bound(0), doc: "How many different targets one run may change."},
		{name: "max_percent", typ: engine.TypeNumber(), minimum: bound(0), maximum: bound(100),
			doc: "Which share of all accounts of a connection one run may change. It never applies to the first three."},
		{name: "protect", typ: engine.ListOf(engine.TypeString()), example: `["breakglass-*@example.com"]`,
			doc: "Accounts that are never changed: ids, e-mail patterns with *, or directory-group:NAME."},
		{name: "on_block", typ: engine.EnumOf("stop", "ask"), doc: "What happens over a limit: the run stops (default), or a person is asked."},
	}}
}

func approveConstruct() construct {
	return construct{name: "approve", doc: "Asks people before the run goes on.", keys: []key{
		{name: "title", shape: template, typ: engine.TypeString(), required: true, doc: "The question."},
		{name: "by", typ: engine.ListOf(engine.TypeString()), required: true, example: `["group:security-oncall"]`,
			doc: "Who may decide: names of people, or group:NAME. Never whoever started the run, never one of its targets."},
		{name: "needs", typ: engine.TypeInteger(), minimum: bound(1), maximum: bound(maxNeeds), doc: "How many different people must approve; 1 by default."},
		{name: "timeout", typ: engine.TypeDuration(), doc: "How long to wait; without a decision by then it counts as denied."},
		{name: "on_deny", typ: engine.EnumOf("end", "continue"), doc: "end (default) ends the run as denied; continue goes on, and steps.ID.approved tells."},
		{name: "notify", typ: engine.TypeString(), doc: "The connection that tells them; by default the configuration's `notify`."},
	}}
}

func waitConstruct() construct {
	return construct{name: "wait", doc: "Parks the run: exactly one of for, until and signal.", keys: []key{
		{name: "for", shape: computed, typ: engine.TypeDuration(), doc: "How long.", example: "30m"},
		{name: "until", shape: computed, typ: engine.TypeTime(), doc: "Up to which time.", example: "2026-01-31T08:00:00Z"},
		{name: "signal", typ: engine.TypeString(), doc: "The name of a signal; what comes with it is steps.ID.body."},
	}}
}

func retryConstruct() construct {
	return construct{name: "retry", doc: "How a call that failed in a way that may pass (transient, timeout) is tried again.", keys: []key{
		{name: "attempts", typ: engine.TypeInteger(), required: true, minimum: bound(1), maximum: bound(maxAttempts), doc: "How often, the first time included."},
		{name: "backoff", typ: engine.EnumOf("fixed", "exponential"), doc: "Whether the pauses stay alike or double; exponential by default."},
		{name: "first", typ: engine.TypeDuration(), doc: "The first pause; 1s by default."},
		{name: "max", typ: engine.TypeDuration(), doc: "The longest pause; 1m by default."},
	}}
}
