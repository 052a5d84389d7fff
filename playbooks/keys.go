package playbooks

import (
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// shape is how the value of a key is written.
type shape uint8

const (
	literal      shape = iota // by its type, without expressions
	template                  // text that may hold ${{ … }}
	computed                  // by its type, or one ${{ … }} of that type
	bare                      // an expression without ${{ }}
	stepList                  // a list of steps
	stepLists                 // named lists of steps
	values                    // a map of anything, which may hold ${{ … }}
	nested                    // another construct
	nestedList                // a list of another construct
	nestedMap                 // named ones of another construct
	declaredOne               // one declaration: a kind alone, or the construct
	declarations              // named declarations
	connection                // a connection's name, or one per capability
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
	maxRuns        = 1000
)

func constructs() map[string]construct {
	return map[string]construct{
		"playbook":    playbookConstruct(),
		"input":       inputConstruct(),
		"field":       fieldConstruct(),
		"trigger":     triggerConstruct(),
		"concurrency": concurrencyConstruct(),
		"guard":       guardConstruct(),
		"step":        stepConstruct(),
		"approve":     approveConstruct(),
		"wait":        waitConstruct(),
		"retry":       retryConstruct(),
	}
}

// key is the key of that name which is meant where a construct has these other
// keys: a step's `max` bounds the rounds of a `while` and the time of a `for`.
// Where several fit, it is the last.
func (c construct) key(name string, beside []yamldoc.Entry) (key, bool) {
	var found []key
	for _, k := range c.keys {
		if k.name == name {
			found = append(found, k)
		}
	}
	for _, k := range slices.Backward(found) {
		if slices.ContainsFunc(beside, func(e yamldoc.Entry) bool { return slices.Contains(k.forms, program.Form(e.Name())) }) {
			return k, true
		}
	}
	if len(found) == 0 {
		return key{}, false
	}
	return found[0], true
}

// forms are those that a key of this name goes with; nil for all.
func (c construct) forms(name string) []program.Form {
	var out []program.Form
	for _, k := range c.keys {
		if k.name == name {
			out = append(out, k.forms...)
		}
	}
	return out
}

// names are the keys, each once.
func (c construct) names() []string {
	var names []string
	for _, k := range c.keys {
		if !slices.Contains(names, k.name) {
			names = append(names, k.name)
		}
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
		{name: "concurrency", shape: nested, of: "concurrency", doc: "How many runs of the playbook there may be at the same time; any number by default.",
			example: "{ max: 1, key: inputs.account, strategy: queue }"},
		{name: "guard", shape: nested, of: "guard", doc: "Limits on what one run may change. They can only lower those of the configuration."},
		{name: "steps", shape: stepList, required: true, doc: "What to do, in this order."},
		{name: "outputs", shape: values, doc: "What the run, or the step that calls this playbook, results in.",
			example: "suspended: ${{ len(steps.contain.items) }}"},
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
