package testrun_test

import "testing"

// asking is a playbook that asks kim or lea before it suspends anybody.
const asking = `inputs:
  emails: { type: list, items: string }
steps:
  - id: review
    approve:
      title: Suspend them?
      by: ["group:oncall"]
      timeout: 4h
  - id: contain
    foreach: inputs.emails
    as: email
    key: email
    uses: user.suspend
    with: { email: "${{ email }}" }
`

const oncall = `connections:
  people:   { provider: onepassword, account: REAL, region: eu, client_id: "env://UNSET", client_secret: "env://UNSET" }
  messages: { provider: terminal }
notify: messages
people:
  kim:  { os_user: kim_s, email: kim@example.com, groups: [oncall] }
  lea:  { os_user: lea_t, email: lea@example.com, groups: [oncall] }
  omar: { os_user: omar, email: omar@example.com }
`

const both = `inputs: { emails: [sam@example.com, tom@example.com] }
tenant:
  people:
    - { email: sam@example.com }
    - { email: tom@example.com }
    - { email: kim@example.com }
    - { email: lea@example.com, state: suspended }
tests:
  - name: it
`

func TestApprovals(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]string{
		"given": `    approvals: [{ step: review, answer: given, by: kim, after: 3h }]
    expect:
      status: succeeded
      changes: [{ target: sam@example.com }, { target: tom@example.com }]
      plan: { count: 2 }
`,
		"given except for one": `    approvals: [{ step: review, answer: given, by: kim, except: [tom@example.com], reason: he is on leave }]
    expect:
      status: partial
      changes: [{ target: sam@example.com }, { target: tom@example.com, outcome: refused }]
`,
		"denied":                      "    approvals: [{ step: review, answer: denied, by: kim }]\n    expect: { status: denied, changes: [], path: { not_ran: [contain] } }\n",
		"withheld":                    "    approvals: [{ step: review, answer: withheld }]\n    expect: { status: denied, error: expired, changes: [] }\n",
		"not answered":                "    expect: { status: denied, error: expired, changes: [] }\n",
		"too late":                    "    approvals: [{ step: review, answer: given, by: kim, after: 5h }]\n    expect: { status: denied, error: expired, changes: [] }\n",
		"by somebody who may not":     "    approvals: [{ step: review, answer: given, by: omar }]\n    expect: { status: denied, error: expired, changes: [] }\n",
		"by somebody unknown":         "    approvals: [{ step: review, answer: given, by: nobody }]\n    expect: { status: denied, error: expired, changes: [] }\n",
		"by somebody suspended":       "    approvals: [{ step: review, answer: given, by: lea }]\n    expect: { status: denied, error: expired, changes: [] }\n",
		"by a target":                 "    inputs: { emails: [kim@example.com] }\n    approvals: [{ step: review, answer: given, by: kim }]\n    expect: { status: denied, changes: [] }\n",
		"by somebody else after that": "    approvals: [{ step: review, answer: given, by: omar }, { step: review, answer: given, by: kim }]\n    expect: { status: succeeded }\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			passes(t, runOne(t, asking, both+test, map[string]string{"drawbridge.yaml": oncall}))
		})
	}
}

// TestTheGuardAsks lets people decide what no approve step asks for.
func TestTheGuardAsks(t *testing.T) {
	playbook := `inputs:
  emails: { type: list, items: string }
steps:
  - foreach: inputs.emails
    as: email
    key: email
    uses: user.suspend
    with: { email: "${{ email }}" }
`
	files := map[string]string{"drawbridge.yaml": oncall}
	guarded := both + "    guard: { max_changes: 1, on_block: ask }\n"
	passes(t, runOne(t, playbook, guarded+"    approvals: [{ answer: given, by: kim }]\n    expect: { status: succeeded, changes: { count: 2 } }\n", files))
	passes(t, runOne(t, playbook, guarded+"    approvals: [{ answer: denied, by: kim }]\n    expect: { changes: { count: 0 } }\n", files))
}
