package playbooks

import "github.com/drawbridge-soar/drawbridge/engine"

func triggerConstruct() construct {
	return construct{name: "a trigger", doc: "What starts the playbook: exactly one of schedule and webhook.", keys: []key{
		{name: "schedule", typ: engine.TypeString(), example: `"*/30 * * * *"`,
			doc: "A cron expression with five fields (minute, hour, day of the month, month and day of the week), @hourly, @daily, @weekly, @monthly, @yearly, or @every and a duration."},
		{name: "timezone", typ: engine.TypeString(), example: "Europe/Berlin", doc: "The time zone of the schedule, an IANA name; UTC by default."},
		{name: "missed", typ: engine.EnumOf("none", "last", "all"), doc: "What to do about fire times the engine slept through; last by default."},
		{name: "overlap", typ: engine.EnumOf("skip", "queue", "allow"), doc: "What to do while the run before is not over; skip by default."},
		{name: "webhook", typ: engine.TypeString(), example: "siem-alert",
			doc: "The name of a webhook: POST /hooks/NAME, signed. Its JSON body is trigger.body."},
		{name: "body", shape: declarations, of: "field", example: "{ alert: { type: map, fields: { id: string } } }",
			doc: "What the webhook's JSON body has: names with a kind or a declaration each. A body that does not fit is refused. Without it the body is anything, and checked only when it is used."},
		{name: "dedupe", shape: bare, example: "trigger.body.alert.id",
			doc: "What tells one delivery from another: one for which it is the same as before starts nothing."},
		{name: "with", shape: values, doc: "The playbook's inputs, where it is started by this trigger. May use `trigger`.", example: "window: 1h"},
	}}
}

func concurrencyConstruct() construct {
	return construct{name: "concurrency", doc: "How many runs of the playbook there may be at the same time.", keys: []key{
		{name: "max", typ: engine.TypeInteger(), required: true, minimum: bound(1), maximum: bound(maxRuns), doc: "How many, of each group."},
		{name: "key", shape: bare, example: "inputs.account",
			doc: "What names the group a run belongs to, from inputs and trigger; without it all runs are one group."},
		{name: "strategy", typ: engine.EnumOf("queue", "skip"), doc: "queue (default): one run too many waits for its turn; skip: it is not started."},
	}}
}
