package playbooktest

import (
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// shape is how the value of a key is written.
type shape uint8

const (
	literal    shape = iota // by its type
	nested                  // another construct
	nestedList              // a list of another construct
	raw                     // a map that is read when the playbook is known
	eitherWay               // a list of one construct, or one of another
	byLoop                  // outcomes by item, by loop
)

// key is one key of a construct. This table is all that the reader and the
// schema know of it.
type key struct {
	name     string
	doc      string
	shape    shape
	typ      engine.Type
	of       string
	required bool
	minimum  *int64
}

// construct is a map with known keys.
type construct struct {
	name string // as messages say it: "a test"
	keys []key
}

func (c construct) names() []string {
	out := make([]string, len(c.keys))
	for i, k := range c.keys {
		out[i] = k.name
	}
	return out
}

func (c construct) key(name string) (key, bool) {
	i := slices.IndexFunc(c.keys, func(k key) bool { return k.name == name })
	if i < 0 {
		return key{}, false
	}
	return c.keys[i], true
}

func bound(n int64) *int64 { return &n }

func constructs() map[string]construct {
	return map[string]construct{
		"file": {name: "a test file", keys: append([]key{
			{name: "playbook", typ: engine.TypeString(), doc: "The playbook under test, as a path from this file; by default the one beside it with the same name."},
			{name: "tests", shape: nestedList, of: "test", required: true, doc: "The tests. What stands above them goes for every test that does not say otherwise."},
		}, settingKeys()...)},
		"test": {name: "a test", keys: append(append([]key{
			{name: "name", typ: engine.TypeString(), required: true, doc: "What must be so, in one line."},
		}, settingKeys()...), key{name: "expect", shape: nested, of: "expect", required: true, doc: "What must come of it. What is not mentioned is not checked."})},
		"tenant":   {name: "a tenant", keys: tenantKeys()},
		"person":   {name: "a person", keys: personKeys()},
		"sign_in":  {name: "a sign-in", keys: signInKeys()},
		"usage":    {name: "an item usage", keys: usageKeys()},
		"audit":    {name: "an audit event", keys: auditKeys()},
		"fault":    {name: "a fault", keys: faultKeys()},
		"answer":   {name: "an answer", keys: answerKeys()},
		"decision": {name: "a decision", keys: decisionKeys()},
		"trigger":  {name: "a trigger", keys: triggerKeys()},
		"signal":   {name: "a signal", keys: signalKeys()},
		"grant":    {name: "an expected grant", keys: grantKeys()},
		"guard":    {name: "guard", keys: guardKeys()},
		"expect":   {name: "expect", keys: expectKeys()},
		"change":   {name: "an expected change", keys: lineKeys(outcomes())},
		"planned":  {name: "an expected line of the plan", keys: lineKeys([]string{"unchanged", "refused", "skipped"})},
		"counted":  {name: "a number of changes", keys: []key{{name: "count", typ: engine.TypeInteger(), minimum: bound(0), required: true, doc: "How many changes are made."}}},
		"messages": {name: "messages", keys: messageKeys()},
		"path":     {name: "path", keys: pathKeys()},
	}
}

func settingKeys() []key {
	return []key{
		{name: "inputs", shape: raw, doc: "The playbook's inputs. A test's are added to those of the file."},
		{name: "time", typ: engine.TypeTime(), doc: "What the clock shows when the run starts; 2026-01-15T12:00:00Z by default."},
		{name: "tenant", shape: nested, of: "tenant", doc: "The simulated tenant: who is there, and what they did."},
		{name: "faults", shape: nestedList, of: "fault", doc: "What goes wrong with requests to the simulated services."},
		{name: "http", shape: nestedList, of: "answer", doc: "What web services answer to connections of the provider http. A request that none of these fits fails."},
		{name: "observations", shape: raw, doc: "Recorded answers, by the step that would otherwise ask. Whom they mention is in the tenant."},
		{name: "approvals", shape: nestedList, of: "decision", doc: "What people say to approvals. One that nobody answers here is withheld."},
		{name: "guard", shape: nested, of: "guard", doc: "Limits in place of the configuration's."},
		{name: "trigger", shape: nested, of: "trigger", doc: "Which of the playbook's triggers starts the run; by default somebody does by hand."},
		{name: "signals", shape: nestedList, of: "signal", doc: "What the run is sent while it waits for it. A signal that is not told here never comes."},
		{name: "later", typ: engine.TypeDuration(), doc: "How much time passes after the run, in which its grants come to their end; none by default."},
	}
}

func triggerKeys() []key {
	return []key{
		{name: "webhook", typ: engine.TypeString(), doc: "The name of the webhook."},
		{name: "body", typ: engine.TypeAny(), doc: "The webhook's body, of the shape that the playbook declares."},
		{name: "schedule", typ: engine.TypeString(), doc: "The schedule, as the playbook has it."},
	}
}

func signalKeys() []key {
	return []key{
		{name: "name", typ: engine.TypeString(), required: true, doc: "The name that the step waits for."},
		{name: "body", typ: engine.TypeAny(), doc: "What comes with it."},
		{name: "by", typ: engine.TypeString(), doc: "Who sends it: a name under people: of the configuration."},
		{name: "after", typ: engine.TypeDuration(), doc: "How long the run has waited then; no time by default."},
	}
}

func grantStates() []string {
	return []string{"armed", "active", "asking", "ended", "kept", "void"}
}

func grantKeys() []key {
	return []key{
		{name: "target", typ: engine.TypeString(), required: true, doc: "Its id, name or address."},
		{name: "action", typ: engine.TypeString(), doc: "The action; any by default."},
		{name: "state", typ: engine.EnumOf(grantStates()...), doc: "Where the grant stands; active by default."},
	}
}

func tenantKeys() []key {
	return []key{
		{name: "generated", typ: engine.TypeInteger(), minimum: bound(0), doc: "How many people there are who live ordinary lives; 8 by default."},
		{name: "people", shape: nestedList, of: "person", doc: "Named people. They have exactly the history that is told here."},
		{name: "sign_ins", shape: nestedList, of: "sign_in", doc: "Who of them signed in, or tried to."},
		{name: "item_usages", shape: nestedList, of: "usage", doc: "Who of them used a stored item."},
		{name: "audit_events", shape: nestedList, of: "audit", doc: "What was changed in the account."},
	}
}

func personKeys() []key {
	return []key{
		{name: "email", typ: engine.TypeString(), required: true, doc: "The address."},
		{name: "id", typ: engine.TypeString(), doc: "The service's id; made up by default."},
		{name: "name", typ: engine.TypeString(), doc: "The display name; the address by default."},
		{name: "state", typ: engine.EnumOf("active", "suspended"), doc: "active by default."},
		{name: "created", typ: engine.TypeTime(), doc: "When the account was made; 400 days before the test by default."},
		{name: "refuses", typ: engine.EnumOf("last_owner", "externally_managed", "self"), doc: "Why the service does not let the account be suspended."},
	}
}

func signInKeys() []key {
	return []key{
		{name: "who", typ: engine.TypeString(), required: true, doc: "The address or id of a named person."},
		{name: "ago", typ: engine.TypeDuration(), required: true, doc: "How long before the test the last of it was."},
		{name: "failures", typ: engine.TypeInteger(), minimum: bound(0), doc: "How many failures, half a minute apart; none by default."},
		{name: "success", typ: engine.TypeBool(), doc: "Whether they got in, a minute after the failures; true by default where there are none."},
		{name: "from", typ: engine.TypeString(), doc: "The address it came from; 198.18.0.10 by default."},
		{name: "country", typ: engine.TypeString(), doc: "The country it came from; DE by default."},
	}
}

func usageKeys() []key {
	return []key{
		{name: "who", typ: engine.TypeString(), required: true, doc: "The address or id of a named person."},
		{name: "ago", typ: engine.TypeDuration(), required: true, doc: "How long before the test it was."},
	}
}

func auditKeys() []key {
	return []key{
		{name: "action", typ: engine.TypeString(), required: true, doc: "What was done, in the service's own word: suspend, reactive, grant, join."},
		{name: "ago", typ: engine.TypeDuration(), required: true, doc: "How long before the test it was."},
		{name: "object", typ: engine.TypeString(), doc: "What kind of thing it was done to; user by default."},
		{name: "who", typ: engine.TypeString(), doc: "The address or id of the named person who did it; an integration by default."},
		{name: "whom", typ: engine.TypeString(), doc: "The address or id of the named person it was done to; something else by default."},
	}
}

// FaultKinds are what can go wrong, and Operations with what. They are those
// of the simulators.
func FaultKinds() []string {
	return []string{
		"rate_limited", "unavailable", "server_error", "gateway", "expire_token", "no_reply",
		"slow", "lost_reply", "cut_body", "half_json", "not_json", "repeat_token", "duplicate", "miscount",
		"endless", "reversed", "forget",
	}
}

// Operations are what the simulated services can be asked to do.
func Operations() []string {
	return []string{
		"token", "users.list", "users.get", "users.suspend", "users.reactivate", "events.introspect",
		"events.signinattempts", "events.itemusages", "slack", "webhook", "slack.post", "slack.auth",
		"teams", "pagerduty", "email", "scim.config", "scim.users.list", "scim.users.get",
		"scim.users.patch", "scim.groups.list", "scim.groups.get", "scim.groups.patch", "events.auditevents", "okta.users.list",
		"okta.users.get", "okta.users.suspend", "okta.users.unsuspend", "okta.users.groups", "okta.sessions.revoke", "okta.groups.list",
		"okta.groups.get", "okta.groups.members", "okta.groups.add", "okta.groups.remove",
	}
}

func faultKeys() []key {
	return []key{
		{name: "operation", typ: engine.EnumOf(Operations()...), doc: "Which requests are hit; any by default."},
		{name: "kind", typ: engine.EnumOf(FaultKinds()...), required: true, doc: "What goes wrong."},
		{name: "after", typ: engine.TypeInteger(), minimum: bound(0), doc: "So many requests pass first."},
		{name: "every", typ: engine.TypeInteger(), minimum: bound(1), doc: "Then only each n-th is hit."},
		{name: "times", typ: engine.TypeInteger(), minimum: bound(1), doc: "How many are hit; 1 by default."},
		{name: "always", typ: engine.TypeBool(), doc: "All are hit."},
		{name: "retry_after", typ: engine.TypeDuration(), doc: "How long the service asks to wait, of rate_limited and unavailable."},
		{name: "delay", typ: engine.TypeDuration(), doc: "How long the answer takes, of slow."},
	}
}

func answerKeys() []key {
	return []key{
		{name: "request", typ: engine.TypeString(), required: true,
			doc: "What is asked: the method and the path, or the whole address, such as GET /v1/tickets?status=open. Without a query, it fits any."},
		{name: "status", typ: engine.TypeInteger(), minimum: bound(200), doc: "The status; 200 by default."},
		{name: "headers", typ: engine.DictOf(engine.TypeString()), doc: "The headers."},
		{name: "json", typ: engine.TypeAny(), doc: "The body, as JSON."},
		{name: "text", typ: engine.TypeString(), doc: "The body, as plain text."},
		{name: "times", typ: engine.TypeInteger(), minimum: bound(1), doc: "How often it is answered like that, before the next answer that fits is; any number by default."},
		{name: "lost", typ: engine.TypeBool(), doc: "The request is carried out, and the connection cut before the answer."},
	}
}

func decisionKeys() []key {
	return []key{
		{name: "step", typ: engine.TypeString(), doc: "The approve step; without it, an approval that policy or guard ask for."},
		{name: "answer", typ: engine.EnumOf(string(Given), string(Denied), string(Withheld)), required: true, doc: "withheld is no answer: the time runs out."},
		{name: "by", typ: engine.TypeString(), doc: "Who says it: a name under people: of the configuration."},
		{name: "except", typ: engine.ListOf(engine.TypeString()), doc: "What is left out of what is approved: keys, ids or addresses."},
		{name: "reason", typ: engine.TypeString(), doc: "Why."},
		{name: "after", typ: engine.TypeDuration(), doc: "How long they take; no time by default."},
	}
}

func guardKeys() []key {
	return []key{
		{name: "max_changes", typ: engine.TypeInteger(), minimum: bound(0), doc: "How many different targets the run may change."},
		{name: "max_percent", typ: engine.TypeNumber(), doc: "Which share of all accounts it may change."},
		{name: "protect", typ: engine.ListOf(engine.TypeString()), doc: "Accounts that are never changed."},
		{name: "on_block", typ: engine.EnumOf("stop", "ask"), doc: "What happens over a limit."},
	}
}

func statuses() []string {
	return []string{"succeeded", "partial", "failed", "denied", "blocked", "drifted", "cancelled", "waiting", "unsettled"}
}

func outcomes() []string {
	return []string{"done", "unchanged", "skipped", "refused", "failed", "unsettled"}
}

func expectKeys() []key {
	return []key{
		{name: "status", typ: engine.EnumOf(statuses()...), doc: "How the run ends."},
		{name: "error", typ: engine.TypeString(), doc: "What the run's error contains: class/code: message."},
		{name: "changes", shape: eitherWay, of: "change", doc: "Every change the run came to, in any order; or { count: N } of those that were made."},
		{name: "plan", shape: eitherWay, of: "planned", doc: "Every line of the plan before anything is changed; or { count: N } of the changes it would make."},
		{name: "grants", shape: nestedList, of: "grant", doc: "Every temporary change of the run, in any order, as it stands at the end of the test."},
		{name: "messages", shape: nested, of: "messages", doc: "What people were told."},
		{name: "items", shape: byLoop, doc: "For a loop, the outcome of each of its items, by key or label."},
		{name: "path", shape: nested, of: "path", doc: "Which steps ran."},
		{name: "outputs", shape: raw, doc: "Outputs, by name."},
	}
}

func lineKeys(outcomes []string) []key {
	return []key{
		{name: "target", typ: engine.TypeString(), required: true, doc: "Its id, name or address."},
		{name: "action", typ: engine.TypeString(), doc: "The action; any by default."},
		{name: "outcome", typ: engine.EnumOf(outcomes...), doc: "What became of it; that it is made by default."},
	}
}

func messageKeys() []key {
	return []key{
		{name: "count", typ: engine.TypeInteger(), minimum: bound(0), doc: "How many."},
		{name: "contains", typ: engine.ListOf(engine.TypeString()), doc: "Texts of which each stands in one of them."},
		{name: "lacks", typ: engine.ListOf(engine.TypeString()), doc: "Texts that stand in none of them."},
	}
}

func pathKeys() []key {
	return []key{
		{name: "ran", typ: engine.ListOf(engine.TypeString()), doc: "Steps that ran, in this order, by id or path."},
		{name: "not_ran", typ: engine.ListOf(engine.TypeString()), doc: "Steps that did not."},
	}
}
