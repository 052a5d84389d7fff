package enginetest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

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
	for _, g := range b.Grants {
		r.text.Write(g.Inverse)
	}
	for _, part := range []any{
		b.Runs, b.Events, b.Steps, b.Items, b.Plans, b.Answers, b.Approvals, b.Freezes, b.Grants, b.Holds, b.Signals, b.Schedules, b.Deliveries, b.Audit,
	} {
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
	play(t, r, "a secret that comes with a signal never reaches the store", func(s *scene) {
		kept := &recording{Store: s.store}
		s.store = kept
		s.redact.Learn(secret.New(canary))
		record := s.run("name: main\nsteps:\n  - wait: { signal: go }\n", nil)
		body, err := json.Marshal(map[string]any{canary: canary})
		if err != nil {
			s.Fatal(err)
		}
		sent := engine.Signal{Run: record.ID, ID: "1" + canary, Name: "go " + canary, Body: body, By: tester()}
		if err := s.process(&Life{}).Signal(s.Context(), sent); err != nil {
			s.Fatal(err)
		}
		s.wantNoSecret(kept, "")
	})
	play(t, r, "nor with a change for a time, and how it ends", func(s *scene) {
		kept := &recording{Store: s.store}
		s.store = kept
		s.redact.Learn(secret.New(canary))
		s.world.Script("unlock a", Fault{Err: engine.Fail(engine.ClassTransient, "x", "GET /?token=%s", url.QueryEscape(canary))})
		record := s.run(lockFor+"    at_end: lift\n", nil)
		s.wait(time.Hour)
		s.sweep()
		e, g := s.process(&Life{}), s.grant(record.ID)
		if _, err := e.ExtendGrant(s.Context(), g.ID, time.Now().Add(time.Hour), by("bob"), "for "+canary); err != nil {
			s.Fatal(err)
		}
		if _, err := e.EndGrant(s.Context(), g.ID, by("bob"), "because of "+canary); err != nil {
			s.Fatal(err)
		}
		s.wantGrant(record.ID, engine.GrantEnded)
		s.wantNoSecret(kept, "")
	})
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
