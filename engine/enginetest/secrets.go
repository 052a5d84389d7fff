package enginetest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
)

const canary = `canary/+"42"&more`

// recording keeps everything that was committed, as text.
type recording struct {
	engine.Store

	mu   sync.Mutex
	text strings.Builder
}

// Commit takes down what is committed.
func (r *recording) Commit(ctx context.Context, b engine.Batch) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, v := range b.Values {
		r.text.Write(v.Data)
	}
	for _, snapshot := range b.Snapshots {
		r.text.Write(snapshot.Data)
	}
	for _, plan := range b.Plans {
		r.text.WriteString(plan.Lifted + string(plan.Inputs) + string(plan.Connections))
	}
	for _, part := range []any{b.Runs, b.Events, b.Steps, b.Items, b.Plans, b.Answers, b.Approvals} {
		enc := json.NewEncoder(&r.text)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(part); err != nil {
			return err
		}
	}
	return r.Store.Commit(ctx, b)
}

// testSecrets lets a service answer with a secret everywhere it can.
func testSecrets(t *testing.T, r Runtime) {
	play(t, r, "a secret never reaches the store", func(s *scene) {
		kept := &recording{Store: s.store}
		s.store = kept
		s.redact.Learn(secret.New(canary))
		basic := base64.StdEncoding.EncodeToString([]byte("user:" + canary))
		s.world = NewWorld("a", canary, basic)
		for _, call := range []string{"look a", "lock a"} {
			s.world.Script(call, Fault{Err: engine.Fail(engine.ClassPermanent, canary, "GET /?token=%s: %s", url.QueryEscape(canary), canary)})
		}
		record := s.run(leaky, map[string]any{"given": "it is " + canary})
		s.want(record, engine.RunPartial)
		s.wantNoSecret(kept, basic)
	})
	play(t, r, "nor with what is planned, asked, approved and undone", func(s *scene) {
		kept := &recording{Store: s.store}
		s.store = kept
		s.redact.Learn(secret.New(canary))
		s.world = NewWorld("a", "b", canary)
		s.world.name("alias", canary)
		s.world.Script("read b", Fault{Err: engine.Fail(engine.ClassPermanent, "x", "GET /?token=%s", url.QueryEscape(canary))})
		e := s.process(&Life{})
		plan, err := e.Plan(s.Context(), s.request(leakyPlan, map[string]any{"given": "it is " + canary}))
		if err != nil || plan.Pending != 2 {
			s.Fatalf("%d changes are planned: %v", plan.Pending, err)
		}
		run, err := e.Apply(s.Context(), plan.ID, "", tester())
		if err != nil {
			s.Fatal(err)
		}
		s.want(s.drive(e, run), engine.RunWaiting)
		d := Decision{Approval: s.asked(run).ID, Actor: by("bob"), Approve: true, Reason: "because of " + canary}
		if _, err := e.Decide(s.Context(), d); err != nil {
			s.Fatal(err)
		}
		s.want(s.drive(e, run), engine.RunPartial)
		s.undoLifted(run, "it is "+canary)
		s.wantNoSecret(kept, "")
	})
}

// wantNoSecret checks that nothing that was kept holds the secret, in any form.
func (s *scene) wantNoSecret(kept *recording, basic string) {
	s.Helper()
	text := kept.text.String()
	if !strings.Contains(text, secret.Placeholder) {
		s.Error("nothing was removed: the test tests nothing")
	}
	forms := map[string]string{
		"plain": canary, "JSON": `canary/+\"42\"&more`, "query": url.QueryEscape(canary),
		"base64": base64.StdEncoding.EncodeToString([]byte(canary))[:20],
	}
	if basic != "" {
		forms["basic"] = basic[8:28]
	}
	for name, form := range forms {
		if at := strings.Index(text, form); at >= 0 {
			s.Errorf("the %s secret is in the store: …%s…", name, text[max(0, at-200):min(len(text), at+100)])
		}
	}
}

const leakyPlan = `
name: main
inputs:
  given: { type: string }
steps:
  - uses: world.tell
    with: { text: "${{ inputs.given }}" }
  - id: ok
    approve: { title: "Lock them? ${{ inputs.given }}", by: ["group:oncall"] }
  - uses: world.lock
    with: { id: alias }
    on_error: continue
  - uses: world.lock
    with: { id: b }
    on_error: continue
  - uses: world.lock
    with: { id: a }
`

const leaky = `
name: main
inputs:
  given: { type: string }
steps:
  - id: all
    uses: world.list
  - id: look
    uses: world.look
    with: { id: a }
    on_error: continue
  - id: lock
    uses: world.lock
    with: { id: a }
    on_error: continue
  - id: each
    foreach: steps.all.accounts
    as: account
    key: account.email
    label: account.email
    uses: world.look
    with: { id: "${{ account.id }}" }
  - uses: world.tell
    with: { text: "${{ inputs.given }} ${{ steps.look.error?.message ?? \"\" }}" }
outputs:
  all: ${{ steps.all.accounts }}
`
