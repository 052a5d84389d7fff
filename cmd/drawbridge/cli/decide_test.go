package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/screen"
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/local"
	"github.com/drawbridge-soar/drawbridge/steps/sim"
)

// review suspends one person after an approval.
const review = `
name: review
steps:
  - id: ask
    approve: { title: "Suspend Noor?", by: ["group:oncall"], timeout: 4h }
  - id: suspend
    uses: user.suspend
    with: { email: noor.haddad@example.com }
`

// meanwhile suspends the same person without asking.
const meanwhile = `
name: meanwhile
steps:
  - { id: suspend, uses: user.suspend, with: { email: noor.haddad@example.com } }
`

// office is a tenant with a project for it, in which somebody else than
// whoever runs the test can start runs.
type office struct {
	*app

	t      *testing.T
	tenant *sim.Tenant
	conf   *config.Config
	out    fmt.Stringer
	errs   fmt.Stringer
}

func newOffice(t *testing.T) office {
	t.Helper()
	tenant := sim.New(sim.Options{})
	server := httptest.NewServer(tenant)
	t.Cleanup(server.Close)
	dir := t.TempDir()
	a, out, errs := desk(t)
	a.palette = screen.Palette{}
	a.configPath, a.running = filepath.Join(dir, config.FileName), "test"
	c := tenant.Credentials()
	secrets := map[string]string{"OP_CLIENT_ID": c.ClientID, "OP_CLIENT_SECRET": c.ClientSecret}
	a.lookup = func(name string) (string, bool) { v, ok := secrets[name]; return v, ok }
	text := fmt.Sprintf(`
playbooks: [.]
connections:
  1password: { provider: onepassword, account: %s, base_url: %q, client_id: env://OP_CLIENT_ID, client_secret: env://OP_CLIENT_SECRET }
  team:      { provider: terminal }
notify: team
people:
  me:  { os_user: %q, email: me@example.com, groups: [oncall] }
  eve: { os_user: eve, email: eve@example.com, groups: [oncall] }
`, c.Account, server.URL, actor().Name)
	for name, content := range map[string]string{config.FileName: text, "review.yaml": review, "meanwhile.yaml": meanwhile} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	conf, err := a.config()
	if err != nil {
		a.flush(t)
		t.Fatalf("%v\n%s", err, errs)
	}
	return office{app: a, t: t, tenant: tenant, conf: conf, out: out, errs: errs}
}

// startedBy begins a run as somebody and carries it as far as it goes.
func (o office) startedBy(name string) {
	o.t.Helper()
	request, err := o.request(o.conf, "review", runOptions{})
	if err != nil {
		o.t.Fatal(err)
	}
	request.Actor = engine.Actor{Name: name, Via: "cli"}
	err = o.carryOut(o.t.Context(), o.conf, func(ctx context.Context, rt *opened) (string, error) {
		return rt.engine.Start(ctx, request)
	}, onward)
	if exitCode(err) != exitWaiting {
		o.t.Fatalf("got %v, want a run that waits\n%s", err, o.printed())
	}
}

func (o office) printed() string {
	o.flush(o.t)
	return o.out.String() + o.errs.String()
}

func (o office) says(want ...string) {
	o.t.Helper()
	for _, w := range want {
		if text := o.printed(); !strings.Contains(text, w) {
			o.t.Errorf("%q is missing in\n%s", w, text)
		}
	}
}

func TestApprovingCarriesTheRunOn(t *testing.T) {
	o := newOffice(t)
	o.startedBy("eve")
	o.says("it waits for an approval: Suspend Noor? (apr_", "may decide: group:oncall: one person, until ", "drawbridge approvals show apr_",
		"Drawbridge asks for approval: Suspend Noor?", "Noor Haddad (")
	if err := o.approvalsShow(t.Context(), "last"); err != nil {
		t.Fatal(err)
	}
	o.says("Changes: 1 to make", "state: active → suspended", "never who started it (eve)", "Votes: 0 of 1", "approve: drawbridge approvals approve apr_")
	if err := o.decide(t.Context(), "last", decideOptions{approve: true, reason: "called her"}); err != nil {
		t.Fatalf("%v\n%s", err, o.printed())
	}
	o.says("is approved; its run run_", "review: succeeded")
	if n := o.tenant.Count(sim.OpSuspend); n != 1 {
		t.Errorf("%d requests to suspend", n)
	}
	if err := o.runsShow(t.Context(), "last"); err != nil {
		t.Fatal(err)
	}
	o.says("as planned; took", "approved by me")
}

func TestDenyingEndsTheRun(t *testing.T) {
	o := newOffice(t)
	o.startedBy("eve")
	err := o.decide(t.Context(), "last", decideOptions{reason: "she is travelling"})
	if exitCode(err) != exitFailed {
		t.Errorf("got %v", err)
	}
	o.says("review: denied", "me denied apr_", "she is travelling", "zero changes were made")
	if n := o.tenant.Count(sim.OpSuspend); n != 0 {
		t.Errorf("%d requests to suspend", n)
	}
}

func TestOnlyRecordingLeavesTheRunWaiting(t *testing.T) {
	o := newOffice(t)
	o.startedBy("eve")
	if err := o.decide(t.Context(), "last", decideOptions{approve: true, noContinue: true}); err != nil {
		t.Fatal(err)
	}
	o.says("drawbridge runs resume run_")
	if n := o.tenant.Count(sim.OpSuspend); n != 0 {
		t.Errorf("%d requests to suspend", n)
	}
	if err := o.continueRun(t.Context(), []string{"last"}, onward); err != nil {
		t.Fatalf("%v\n%s", err, o.printed())
	}
	if n := o.tenant.Count(sim.OpSuspend); n != 1 {
		t.Errorf("%d requests to suspend", n)
	}
}

func TestNobodyDecidesWhatTheyStarted(t *testing.T) {
	o := newOffice(t)
	o.startedBy(actor().Name)
	for _, approve := range []bool{true, false} {
		err := o.decide(t.Context(), "last", decideOptions{approve: approve, reason: "x"})
		if exitCode(err) != exitFailed || !strings.Contains(fmt.Sprint(err), "started this run") {
			t.Errorf("approve %v: got %v", approve, err)
		}
	}
	if n := o.tenant.Count(sim.OpSuspend); n != 0 {
		t.Errorf("%d requests to suspend", n)
	}
}

// In a terminal nothing is approved that was not shown.
func TestApprovingInATerminalShowsAndAsks(t *testing.T) {
	o := newOffice(t)
	o.startedBy("eve")
	o.terminal.interactive = true
	o.stdin = strings.NewReader("n\n")
	if err := o.decide(t.Context(), "last", decideOptions{approve: true}); exitCode(err) != exitFailed || !strings.Contains(fmt.Sprint(err), "nothing was decided") {
		t.Errorf("got %v", err)
	}
	o.says("Changes: 1 to make", "Approve this? [y/N]")
	o.stdin = strings.NewReader("y\n")
	if err := o.decide(t.Context(), "last", decideOptions{approve: true}); err != nil {
		t.Fatalf("%v\n%s", err, o.printed())
	}
	o.says("review: succeeded")
}

// While somebody else is its engine nothing is decided, and it is said who.
func TestDecidingSaysWhoHasTheDatabase(t *testing.T) {
	o := newOffice(t)
	o.startedBy("eve")
	rt, err := o.start(t.Context(), o.conf, o.stderr, func(local.Progress) {})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rt.close() }()
	err = o.decide(t.Context(), "last", decideOptions{approve: true})
	if !errors.Is(err, engine.ErrLocked) || !strings.Contains(err.Error(), "by drawbridge test (pid ") {
		t.Errorf("got %v", err)
	}
}

// What was asked for is no longer what would be done: nothing is approved, and
// it is said what has changed.
func TestApprovingWhatHasChangedRenewsTheRequest(t *testing.T) {
	o := newOffice(t)
	o.startedBy("eve")
	if err := o.run(t.Context(), "meanwhile", runOptions{}); err != nil {
		t.Fatalf("%v\n%s", err, o.printed())
	}
	err := o.decide(t.Context(), "last", decideOptions{approve: true})
	if exitCode(err) != exitFailed || !errors.Is(err, local.ErrRenewed) {
		t.Errorf("got %v", err)
	}
	o.says("earlier votes are void:", "- removed Noor Haddad (", "look at it again: drawbridge approvals show apr_")
	if n := o.tenant.Count(sim.OpSuspend); n != 1 {
		t.Errorf("%d requests to suspend", n)
	}
}
