package testrun_test

import "testing"

// triggered starts by a schedule or by one of two webhooks.
const triggered = `inputs:
  who: { type: string }
  many: { type: integer, default: 1 }
triggers:
  - { schedule: "@daily", with: { who: everybody } }
  - webhook: alert
    body: { user: string, note: { type: string, optional: true } }
    with: { who: "${{ trigger.body.user }}", many: 2 }
  - { webhook: loose, with: { who: anybody } }
steps:
  - id: word
    if: inputs.who == "kim"
    wait: { signal: word }
outputs:
  who: ${{ inputs.who }}
  many: ${{ inputs.many }}
  kind: ${{ trigger?.kind ?? "by hand" }}
  actor: ${{ run.actor }}
  word: ${{ steps.word?.body ?? "none" }}
`

// TestTriggers: what starts a run gives its inputs, and a test's take their place.
func TestTriggers(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]string{
		"a schedule":                `trigger: { schedule: "@daily" }, expect: { status: succeeded, outputs: { who: everybody, many: 1, kind: schedule, actor: schedule } }`,
		"a webhook":                 `trigger: { webhook: alert, body: { user: lea } }, expect: { outputs: { who: lea, many: 2, kind: webhook, actor: alert } }`,
		"more than is declared":     `trigger: { webhook: alert, body: { user: lea, host: { name: x } } }, expect: { outputs: { who: lea } }`,
		"inputs of the test":        `trigger: { webhook: alert, body: { user: lea } }, inputs: { many: 7 }, expect: { outputs: { who: lea, many: 7 } }`,
		"a body of any shape":       `trigger: { webhook: loose, body: [1, 2] }, expect: { outputs: { who: anybody } }`,
		"nothing but somebody":      `inputs: { who: lea }, expect: { outputs: { who: lea, kind: by hand, actor: tester } }`,
		"a signal":                  `inputs: { who: kim }, signals: [{ name: word, body: yes, after: 30d }], expect: { status: succeeded, outputs: { word: yes } }`,
		"no signal":                 `inputs: { who: kim }, expect: { status: waiting }`,
		"a signal nobody waits for": `inputs: { who: lea }, signals: [{ name: word }], expect: { status: succeeded, outputs: { word: none } }`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			passes(t, runOne(t, triggered, "tests:\n  - { name: it, "+test+" }\n", nil))
		})
	}
}

// TestAGrantComesToItsEnd once the time that passes reaches it, and is asked
// about where it says so.
func TestAGrantComesToItsEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ end, test string }{
		"before":            {"lift", "later: 1h, expect: { grants: [{ target: sam@example.com, state: active }] }"},
		"lifted":            {"lift", "later: 2h, expect: { grants: [{ target: sam@example.com, state: ended }] }"},
		"kept":              {"keep", "later: 2h, expect: { grants: [{ target: sam@example.com, state: kept }] }"},
		"asked":             {"ask", "later: 2h, expect: { grants: [{ target: sam@example.com, state: asking }] }"},
		"asked, and lifted": {"ask", "later: 3h, approvals: [{ step: out, answer: given, by: kim }], expect: { grants: [{ target: sam@example.com, state: ended }] }"},
		"asked, and denied": {"ask", "later: 3h, approvals: [{ step: out, answer: denied, by: kim }], expect: { grants: [{ target: sam@example.com, state: kept }] }"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			steps := "steps:\n  - { id: out, uses: user.suspend, with: { email: sam@example.com }, for: 2h, at_end: " + c.end + " }\n"
			tests := "tenant: { people: [{ email: sam@example.com }, { email: kim@example.com }] }\ntests:\n  - { name: it, " + c.test + " }\n"
			passes(t, runOne(t, steps, tests, map[string]string{"drawbridge.yaml": oncall}))
		})
	}
}
