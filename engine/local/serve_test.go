package local_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/guard"
	"github.com/drawbridge-soar/drawbridge/engine/local"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// house is an engine that can be served, and served again by the next process.
type house struct {
	fixture

	t *testing.T

	mu       sync.Mutex
	programs map[string]*program.Program
	requests map[string]local.StartRequest // by their playbooks
	notices  []local.Notice
	broken   map[string]bool // playbooks that cannot be compiled any more
}

// inHouse runs a test in virtual time.
func inHouse(t *testing.T, action act, test func(t *testing.T, h *house), adjust ...func(*local.Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := &house{t: t, programs: map[string]*program.Program{}, requests: map[string]local.StartRequest{}, broken: map[string]bool{}}
		h.fixture = newFixture(t, action, append(adjust, func(c *local.Config) { c.Programs = h.compiled })...)
		test(t, h)
	})
}

var errGone = errors.New("its playbook is gone")

func (h *house) compiled(_ context.Context, b engine.Bundle) (*program.Program, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.broken[b.Name] {
		return nil, errGone
	}
	return h.programs[b.Hash], nil
}

// restart is the next process.
func (h *house) restart() {
	h.t.Helper()
	var err error
	if h.Engine, err = local.New(h.config); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) tell(n local.Notice) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.notices = append(h.notices, n)
}

func (h *house) told(kind local.NoticeKind) []local.Notice {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(h.notices), func(n local.Notice) bool { return n.Kind != kind })
}

// serve serves until the function that it returns is called.
func (h *house) serve(runs int) (stop func()) {
	ctx, cancel := context.WithCancel(h.t.Context())
	done := make(chan error)
	go func() { done <- h.Serve(ctx, local.Serving{Tell: h.tell, Runs: runs}) }()
	return sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			h.t.Errorf("Serve returned %v", err)
		}
	})
}

// submit records a run; it is started queued where that is asked for.
func (h *house) submit(text string, queue bool) (string, error) {
	h.t.Helper()
	h.mu.Lock()
	req, compiled := h.requests[text]
	if !compiled {
		req = h.request(h.t, text)
		h.requests[text], h.programs[req.Bundle.Hash] = req, req.Program
	}
	h.mu.Unlock()
	req.Queue = queue
	return h.Start(h.t.Context(), req)
}

func (h *house) queue(text string) string {
	h.t.Helper()
	return h.started(h.submit(text, true))
}

func (h *house) started(run string, err error) string {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
	return run
}

// pass lets time pass, and everything happen that happens meanwhile.
func (h *house) pass(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // virtual: the engine works meanwhile
	synctest.Wait()
}

func (h *house) stands(run string, want engine.RunStatus) engine.RunRecord {
	h.t.Helper()
	record, err := h.store.Run(h.t.Context(), run)
	if err != nil || record.Status != want {
		h.t.Errorf("%s is %s, %v, want %s: %+v", run, record.Status, err, want, record.Error)
	}
	return record
}

const waits = "name: main\nsteps:\n  - wait: { for: 1h }\n  - uses: test.act\n"

func named(name string) string { return strings.Replace(act1, "name: main", "name: "+name, 1) }

func TestServeCarriesOutWhatIsQueuedAtOnce(t *testing.T) {
	inHouse(t, fine, func(t *testing.T, h *house) {
		defer h.serve(0)()
		h.pass(10 * time.Second)
		run := h.queue(act1)
		h.pass(50 * time.Millisecond)
		h.stands(run, engine.RunSucceeded)
		for _, entry := range audited(t, h.store) {
			if entry == "resume" {
				t.Error("it was resumed, and had not begun")
			}
		}
	})
}

func audited(t *testing.T, s engine.Store) []string {
	t.Helper()
	records, err := s.Audit(t.Context(), engine.AuditQuery{})
	if err != nil {
		t.Fatal(err)
	}
	var verbs []string
	for _, r := range records {
		verbs = append(verbs, string(r.Verb))
	}
	return verbs
}

func TestServeWakesWhatIsParkedWithinASecond(t *testing.T) {
	inHouse(t, fine, func(t *testing.T, h *house) {
		stop := h.serve(2)
		var runs []string
		for range 10 { // more than are carried out at the same time: they are parked
			h.pass(123 * time.Millisecond)
			runs = append(runs, h.queue(waits))
		}
		h.pass(30 * time.Minute)
		stop()
		h.restart()
		defer h.serve(2)()
		h.pass(29 * time.Minute)
		for _, run := range runs {
			h.stands(run, engine.RunWaiting)
		}
		h.pass(2 * time.Minute)
		for _, run := range runs {
			r := h.stands(run, engine.RunSucceeded)
			if late := r.FinishedAt.Sub(r.CreatedAt) - time.Hour; late < 0 || late > time.Second {
				t.Errorf("it was late by %s", late)
			}
		}
	})
}

func TestServeGoesOnWithWhatWasLeftBehind(t *testing.T) {
	inHouse(t, fine, func(t *testing.T, h *house) {
		running := h.started(h.submit(act1, false)) // its process died before it was carried out
		interrupted := h.started(h.submit(named("other"), false))
		rewritten(t, h.fixture, interrupted, func(r *engine.RunRecord) { r.Status = engine.RunInterrupted })
		asleep, queued := h.started(h.submit(waits, false)), h.queue(act1)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { h.pass(time.Second); cancel() }()
		if _, err := h.Drive(ctx, asleep); err != nil {
			t.Fatal(err)
		}
		rewritten(t, h.fixture, asleep, func(r *engine.RunRecord) {
			at := time.Now().Add(time.Hour)
			r.Status, r.WakeAt = engine.RunWaiting, &at
		})
		h.restart()
		defer h.serve(0)()
		h.pass(time.Second)
		for _, run := range []string{running, interrupted, queued} {
			h.stands(run, engine.RunSucceeded)
		}
		h.stands(asleep, engine.RunWaiting)
	})
}

const listens = "name: main\nsteps:\n  - wait: { signal: go }\n  - uses: test.act\n"

func TestSignalsWakeWhatIsParked(t *testing.T) {
	send := func(h *house, run string) {
		h.t.Helper()
		if err := h.Signal(h.t.Context(), engine.Signal{Run: run, ID: "1", Name: "go"}); err != nil {
			h.t.Error(err)
		}
	}
	inHouse(t, fine, func(t *testing.T, h *house) {
		stop := h.serve(0)
		first, second := h.queue(listens), h.queue(listens)
		h.pass(time.Hour)
		h.stands(first, engine.RunWaiting)
		send(h, first)
		h.pass(50 * time.Millisecond)
		h.stands(first, engine.RunSucceeded)
		stop()
		send(h, second) // and the process died
		h.restart()
		defer h.serve(0)()
		h.pass(time.Second)
		h.stands(second, engine.RunSucceeded)
	})
}

func TestDecisionsWakeWhatIsParked(t *testing.T) {
	people := guard.People{{Name: "Robin", OSUser: "rob"}}
	const asks = "name: main\nsteps:\n  - id: ask\n    approve: { title: ok, by: [Robin] }\n"
	decide := func(h *house, run string) {
		h.t.Helper()
		asked, err := h.store.Approvals(h.t.Context(), engine.ApprovalQuery{Run: run})
		if err != nil || len(asked) != 1 {
			h.t.Fatalf("%d approvals, %v", len(asked), err)
		}
		if _, err := h.Decide(h.t.Context(), local.Decision{Approval: asked[0].ID, Actor: engine.Actor{Name: "rob"}, Approve: true}); err != nil {
			h.t.Fatal(err)
		}
	}
	inHouse(t, fine, func(t *testing.T, h *house) {
		stop := h.serve(0)
		first, second := h.queue(asks), h.queue(asks)
		h.pass(time.Hour)
		decide(h, first)
		h.pass(50 * time.Millisecond)
		h.stands(first, engine.RunSucceeded)
		stop()
		decide(h, second) // and the process died
		h.restart()
		defer h.serve(0)()
		h.pass(time.Second)
		h.stands(second, engine.RunSucceeded)
	}, func(c *local.Config) { c.People = people })
}

func TestApprovalsRunOutWhileServing(t *testing.T) {
	people := guard.People{{Name: "Robin", OSUser: "rob"}}
	inHouse(t, fine, func(t *testing.T, h *house) {
		defer h.serve(0)()
		run := h.queue("name: main\nsteps:\n  - id: ask\n    approve: { title: ok, by: [Robin], timeout: 2h }\n")
		h.pass(2*time.Hour - time.Second)
		h.stands(run, engine.RunWaiting)
		h.pass(2 * time.Second)
		h.stands(run, engine.RunDenied)
		if told := h.told(local.NoticeRun); len(told) != 1 || told[0].Run.ID != run || told[0].Run.Status != engine.RunDenied {
			t.Errorf("told of %+v", told)
		}
	}, func(c *local.Config) { c.People = people })
}

func TestManyRunsOfOnePlaybookDelayNoOther(t *testing.T) {
	const crowd = 10_000
	slow := func(ctx context.Context) error {
		select {
		case <-time.After(10 * time.Second):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	inHouse(t, slow, func(t *testing.T, h *house) {
		for range crowd {
			h.queue(named("crowd"))
		}
		before := h.queue(named("before"))
		defer h.serve(8)()
		h.pass(12 * time.Second)
		h.stands(before, engine.RunSucceeded)
		after := h.queue(named("after")) // while as many of the crowd are under way as may be
		h.pass(11 * time.Second)
		h.stands(after, engine.RunSucceeded)
		done, err := h.store.Runs(t.Context(), engine.RunQuery{Playbook: "crowd", Statuses: []engine.RunStatus{engine.RunSucceeded}})
		if err != nil || len(done) < 6 {
			t.Errorf("%d of the crowd are over, %v", len(done), err)
		}
	}, func(c *local.Config) { c.Workers = 8 })
}

func TestAStuckRunBlocksNobody(t *testing.T) {
	inHouse(t, fine, func(t *testing.T, h *house) {
		var stuck []string
		for i := range 20 {
			stuck = append(stuck, h.queue(named(fmt.Sprintf("stuck%d", i%2))))
		}
		h.broken["stuck0"], h.broken["stuck1"], h.broken["main"] = true, true, false
		h.restart()
		for range 3 { // it is the bundle's name that counts
			h.queue(act1)
		}
		late := h.queue(act1)
		h.mu.Lock()
		for _, p := range []string{"stuck0", "stuck1"} {
			h.broken[p] = true
		}
		h.mu.Unlock()
		defer h.serve(2)()
		h.pass(2 * time.Second)
		h.stands(late, engine.RunSucceeded)
		h.pass(time.Hour)
		if told := h.told(local.NoticeTrouble); len(told) != len(stuck) || !strings.Contains(told[0].Text, errGone.Error()) {
			t.Errorf("%d troubles were told: %+v", len(told), told)
		}
		h.mu.Lock()
		clear(h.broken)
		h.mu.Unlock()
		h.pass(6 * time.Minute)
		for _, run := range stuck {
			h.stands(run, engine.RunSucceeded)
		}
	})
}

func TestServeStopsGracefully(t *testing.T) {
	var began, ended int
	var mu sync.Mutex
	count := func(n *int) { mu.Lock(); *n++; mu.Unlock() }
	inHouse(t, func(ctx context.Context) error {
		count(&began)
		select {
		case <-time.After(5 * time.Second):
			count(&ended)
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}, func(t *testing.T, h *house) {
		const two = "name: main\nsteps:\n  - uses: test.act\n  - uses: test.act\n"
		stop := h.serve(2)
		runs := []string{h.queue(two), h.queue(two), h.queue(two)}
		h.pass(time.Second)
		at := time.Now()
		stop()
		if took := time.Since(at); took > 16*time.Second {
			t.Errorf("it took %s to stop", took)
		}
		if began != 2 {
			t.Errorf("%d calls were begun", began)
		}
		h.restart()
		defer h.serve(2)()
		h.pass(time.Minute)
		for _, run := range runs {
			h.stands(run, engine.RunSucceeded)
		}
	})
}

func TestServeIsOneAtATime(t *testing.T) {
	inHouse(t, fine, func(t *testing.T, h *house) {
		defer h.serve(0)()
		h.pass(time.Second)
		if err := h.Serve(t.Context(), local.Serving{}); err == nil {
			t.Error("it served twice")
		}
	})
}

func TestACancelledQueuedRunNeedsNoPlace(t *testing.T) {
	inHouse(t, fine, func(t *testing.T, h *house) {
		first, second := h.started(h.submit(limited(""), false)), h.started(h.submit(limited(""), false))
		h.stands(first, engine.RunRunning)
		h.stands(second, engine.RunQueued)
		if r, err := h.Cancel(t.Context(), second, ""); err != nil || r.Status != engine.RunCancelled {
			t.Errorf("it is %s, %v", r.Status, err)
		}
	})
}
