package testrun_test

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/testrun"
	"github.com/drawbridge-soar/drawbridge/playbooks"
	"github.com/drawbridge-soar/drawbridge/playbooks/playbooktest"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
	"github.com/drawbridge-soar/drawbridge/steps/providers"
	"github.com/drawbridge-soar/drawbridge/steps/sim"
)

// inMemory is a runner over files that are nowhere. Without a drawbridge.yaml
// among them it has the standard configuration.
func inMemory(tb testing.TB, files map[string]string) *testrun.Runner {
	tb.Helper()
	all := fstest.MapFS{}
	for name, text := range files {
		all[name] = &fstest.MapFile{Data: []byte(text)}
	}
	conf := func(string) (*config.Config, []yamldoc.Diagnostic) {
		text, err := fs.ReadFile(all, "drawbridge.yaml")
		if errors.Is(err, fs.ErrNotExist) {
			return testrun.Standard()
		}
		return config.Parse("drawbridge.yaml", text, providers.All())
	}
	return &testrun.Runner{Read: playbooks.FSFiles(all), Config: conf}
}

// runOne carries out the only test of a playbook.
func runOne(tb testing.TB, playbook, test string, more map[string]string) testrun.Result {
	tb.Helper()
	files := map[string]string{"p.yaml": playbook, "p.test.yaml": test}
	for name, text := range more {
		files[name] = text
	}
	runner := inMemory(tb, files)
	file := load(tb, runner, "p.test.yaml")
	return runner.Run(tb.Context(), file, file.Suite.Cases[0])
}

func passes(t *testing.T, r testrun.Result) {
	t.Helper()
	if len(r.Failures) > 0 {
		t.Errorf("\n%s%v", yamldoc.Render(r.Failures), r.Notes)
	}
}

const listing = `steps:
  - id: all
    uses: user.list
`

func TestWaitingTakesNoTime(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ playbook, test string }{
		"the pauses of a step that is tried again": {
			playbook: listing + "    retry: { attempts: 9, backoff: fixed, first: 1h }\n",
			test: `tests:
  - name: it is tried for hours
    faults: [{ operation: users.list, kind: server_error, times: 20 }]
    expect: { status: succeeded }
`,
		},
		"a service that asks to wait": {
			playbook: listing,
			test: `tests:
  - name: twice
    faults: [{ operation: users.list, kind: rate_limited, times: 2, retry_after: 6s }]
    expect: { status: succeeded }
`,
		},
		"a service that asks to wait longer than a call may": {
			playbook: listing + "    retry: { attempts: 2, first: 1s }\n",
			test: `tests:
  - name: the step is tried again then
    faults: [{ operation: users.list, kind: unavailable, retry_after: 30m }]
    expect: { status: succeeded }
`,
		},
		"requests that are never answered": {
			playbook: listing,
			test: `tests:
  - name: the sender gives up
    faults: [{ operation: users.list, kind: no_reply, always: true }]
    expect: { status: failed, error: timeout/timeout }
`,
		},
		"a step that takes longer than it may": {
			playbook: listing + "    timeout: 10s\n",
			test: `tests:
  - name: it is stopped
    faults: [{ operation: users.list, kind: slow, delay: 11s }]
    expect: { status: failed, error: timeout/deadline }
`,
		},
		"a block that takes longer than it may": {
			playbook: "steps:\n  - id: both\n    timeout: 10s\n    steps:\n      - uses: user.list\n",
			test: `tests:
  - name: what is in it is stopped
    faults: [{ operation: users.list, kind: slow, delay: 11s }]
    expect: { status: failed, error: timeout }
`,
		},
		"a step that takes just long enough": {
			playbook: listing + "    timeout: 10s\n",
			test: `tests:
  - name: it is done
    faults: [{ operation: users.list, kind: slow, delay: 9s }]
    expect: { status: succeeded }
`,
		},
		"a change whose reply is lost and whose target still shows the old state": {
			playbook: "steps:\n  - uses: user.suspend\n    with: { email: sam@example.com }\n",
			test: `tenant: { people: [{ email: sam@example.com }] }
tests:
  - name: it is read back until that is known
    faults: [{ operation: users.suspend, kind: gateway, always: true }]
    expect: { status: failed, changes: [{ target: sam@example.com, outcome: failed }] }
`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := runOne(t, c.playbook, c.test, nil)
			passes(t, r)
			if r.Took > 9*time.Second { // less than any of these waits
				t.Errorf("it took %s", r.Took)
			}
		})
	}
}

func TestATestThatDoesNotHoldSaysWhere(t *testing.T) {
	r := runOne(t, listing, "tests:\n  - name: it\n    expect:\n      status: failed\n", nil)
	if len(r.Failures) != 1 || r.Failures[0].Headline() != "p.test.yaml:4:15: error: status: expected failed, got succeeded [expect]" {
		t.Errorf("\n%s", yamldoc.Render(r.Failures))
	}
}

func TestEveryConnectionLeadsToTheTenant(t *testing.T) {
	playbook := `inputs:
  to: { type: string }
steps:
  - uses: user.list
  - uses: message.send
    connection: posted
    with: { text: "to ${{ inputs.to }}" }
  - uses: message.send
    connection: printed
    with: { text: "to ${{ inputs.to }}" }
`
	configuration := `connections:
  people:  { provider: onepassword, account: REAL, region: eu, client_id: "env://UNSET", client_secret: "file:///nowhere" }
  posted:  { provider: webhook, url: "https://real.example.com/hook", token: "env://UNSET" }
  printed: { provider: terminal }
`
	test := `inputs: { to: all }
tests:
  - name: messages arrive
    expect: { status: succeeded, messages: { count: 2, contains: [to all] } }
`
	passes(t, runOne(t, playbook, test, map[string]string{"drawbridge.yaml": configuration}))
}

// TestEveryMessengerIsSimulated sends a hostile name everywhere, and finds what
// people read there.
func TestEveryMessengerIsSimulated(t *testing.T) {
	playbook := `steps:
  - { uses: user.get, id: eve, with: { email: eve@example.com } }
`
	for _, name := range []string{"hook", "bot", "teams", "pager"} {
		playbook += "  - { uses: message.send, connection: " + name + ", with: { text: \"" + name + ": ${{ steps.eve.user.name }}\" } }\n"
	}
	playbook += `  - uses: message.send
    connection: pager
    with: { text: done, fields: { event: resolve, dedup_key: names } }
`
	configuration := `connections:
  people: { provider: onepassword, account: REAL, region: eu, client_id: "env://UNSET", client_secret: "file:///nowhere" }
  hook:   { provider: slack, webhook_url: "env://UNSET" }
  bot:    { provider: slack, token: "env://UNSET", channel: C0REAL }
  teams:  { provider: teams, webhook_url: "env://UNSET" }
  pager:  { provider: pagerduty, routing_key: "env://UNSET", region: eu }
`
	test := `tenant: { people: [{ email: eve@example.com, name: "Eve [x](https://evil.example) <!channel>" }] }
tests:
  - name: messages arrive
    expect:
      status: succeeded
      messages:
        count: 5
        contains:
          - "hook: Eve [x](https://evil.example) &lt;!channel&gt;"
          - "bot: Eve [x](https://evil.example) &lt;!channel&gt;"
          - "teams: Eve [x](https://evil.example) <!channel>"
          - "pager: Eve [x](https://evil.example) <!channel>"
          - resolve names
  - name: Slack's bot is refused
    faults: [{ operation: slack.post, kind: unavailable, always: true }]
    expect: { status: failed, messages: { count: 1 } }
  - name: Teams does not answer
    faults: [{ operation: teams, kind: gateway, always: true }]
    expect: { status: failed, messages: { count: 2 } }
  - name: PagerDuty has a bad moment
    faults: [{ operation: pagerduty, kind: rate_limited }]
    expect: { status: succeeded, messages: { count: 5 } }
`
	passes(t, runOne(t, playbook, test, map[string]string{"drawbridge.yaml": configuration}))
}

func TestTheConfigurationsGuardHoldsUnlessTheTestHasItsOwn(t *testing.T) {
	playbook := "steps:\n  - uses: user.suspend\n    with: { email: sam@example.com }\n"
	configuration := `connections:
  people: { provider: onepassword, account: REAL, region: eu, client_id: "env://UNSET", client_secret: "env://UNSET" }
guard: { protect: [sam@example.com] }
`
	test := `tenant: { people: [{ email: sam@example.com }] }
tests:
  - name: it
`
	files := map[string]string{"drawbridge.yaml": configuration}
	passes(t, runOne(t, playbook, test+"    expect: { status: blocked, error: protected }\n", files))
	passes(t, runOne(t, playbook, test+"    guard: { max_changes: 1 }\n    expect: { status: succeeded }\n", files))
}

func TestInputsThatTheEngineRefuses(t *testing.T) {
	playbook := "inputs:\n  n: { type: integer, minimum: 2 }\nsteps:\n  - set: { m: \"${{ inputs.n }}\" }\n"
	test := "tests:\n  - name: it\n    inputs: { n: 1 }\n    expect: { error: n must be at least 2 }\n"
	passes(t, runOne(t, playbook, test, nil))
}

// TestGroupsNeedNoConfiguration puts somebody into a group of the simulated
// tenant, in a playbook that names no connection.
func TestGroupsNeedNoConfiguration(t *testing.T) {
	playbook := `inputs:
  email: { type: string }
steps:
  - id: who
    uses: user.get
    with: { email: "${{ inputs.email }}" }
  - id: visitors
    uses: group.get
    with: { name: Visitors }
  - id: give
    uses: group.add_member
    with: { group: "${{ steps.visitors.group.id }}", user: "${{ steps.who.user.id }}" }
    for: 4h
  - id: after
    uses: group.get
    with: { name: Visitors }
outputs:
  members: ${{ map(steps.after.members, .id) }}
`
	test := `inputs: { email: sam@example.com }
tenant:
  people:
    - { id: SAM, email: sam@example.com }
tests:
  - name: it
    expect:
      status: succeeded
      changes: { count: 1 }
      outputs: { members: [SAM] }
  - name: a reply that is lost
    faults: [{ operation: scim.groups.patch, kind: lost_reply }]
    expect: { status: succeeded, changes: { count: 1 } }
  - name: whom the guard protects
    guard: { protect: [sam@example.com] }
    expect: { changes: [{ target: sam@example.com, outcome: refused }] }
`
	passes(t, runOne(t, playbook, test, nil))
}

// TestTheSame keeps tests from depending on luck: what one did is the same
// every time, to the millisecond of its clock.
func TestTheSame(t *testing.T) {
	runner := newRunner(t)
	file := load(t, runner, examples+"/contain-suspicious-users.test.yaml")
	for range 5 {
		report := runner.RunAll(t.Context(), []*testrun.File{file}, testrun.Options{Parallel: 4})
		if report.Failed() > 0 {
			t.Fatalf("%d failed", report.Failed())
		}
	}
}

// TestFaultsAreThoseOfTheSimulators keeps the names in test files those that
// the simulators know.
func TestFaultsAreThoseOfTheSimulators(t *testing.T) {
	kinds := []sim.FaultKind{
		sim.FaultRateLimited, sim.FaultUnavailable, sim.FaultServerError, sim.FaultGateway, sim.FaultExpireToken, sim.FaultNoReply,
		sim.FaultSlow, sim.FaultLostReply, sim.FaultCutBody, sim.FaultHalfJSON, sim.FaultNotJSON, sim.FaultRepeatToken, sim.FaultDuplicate,
		sim.FaultMiscount, sim.FaultEndless, sim.FaultReversed, sim.FaultForget,
	}
	operations := []sim.Operation{
		sim.OpToken, sim.OpListUsers, sim.OpGetUser, sim.OpSuspend, sim.OpReactivate, sim.OpIntrospect,
		sim.OpSignIns, sim.OpItemUsages, sim.OpSlack, sim.OpWebhook, sim.OpSlackPost, sim.OpSlackAuth,
		sim.OpTeams, sim.OpPagerDuty, sim.OpEmail, sim.OpSCIMConfig, sim.OpSCIMListUsers, sim.OpSCIMGetUser,
		sim.OpSCIMPatchUser, sim.OpSCIMListGroups, sim.OpSCIMGetGroup, sim.OpSCIMPatchGroup, sim.OpAudit, sim.OpOktaListUsers,
		sim.OpOktaGetUser, sim.OpOktaSuspend, sim.OpOktaUnsuspend, sim.OpOktaGroupsOf, sim.OpOktaRevoke, sim.OpOktaListGroups,
		sim.OpOktaGetGroup, sim.OpOktaMembers, sim.OpOktaAdd, sim.OpOktaRemove,
	}
	if got := playbooktest.FaultKinds(); !slices.EqualFunc(got, kinds, func(a string, b sim.FaultKind) bool { return a == string(b) }) {
		t.Errorf("kinds are %s", strings.Join(got, ", "))
	}
	if got := playbooktest.Operations(); !slices.EqualFunc(got, operations, func(a string, b sim.Operation) bool { return a == string(b) }) {
		t.Errorf("operations are %s", strings.Join(got, ", "))
	}
}
