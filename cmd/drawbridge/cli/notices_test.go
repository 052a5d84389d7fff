package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/local"
	"github.com/drawbridge-soar/drawbridge/steps/message"
)

// channel is a fake service that carries messages, in virtual time.
type channel struct {
	mu   sync.Mutex
	fail error // of every message, while it is set
	got  []string
	keys map[string]int
	at   []time.Duration // since the test began
	from time.Time
}

func (c *channel) send(_ context.Context, m message.Message) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.keys == nil {
		c.keys = map[string]int{}
	}
	c.keys[m.Key]++
	if c.fail != nil {
		return c.fail
	}
	c.got = append(c.got, m.Text.String())
	c.at = append(c.at, time.Since(c.from))
	return nil
}

// breaks lets every message fail from now on; nil lets them through.
func (c *channel) breaks(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fail = err
}

// telling runs a test with a notifier that works.
func telling(t *testing.T, test func(t *testing.T, n *notifier, c *channel)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := &channel{from: time.Now()}
		hide := func(s string) string { return strings.ReplaceAll(s, "hunter2", "***") }
		n := newNotifier(c.send, slog.New(slog.DiscardHandler), time.Now, hide)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); n.run(ctx) }()
		test(t, n, c)
		stop()
		<-done
	})
}

func of(i int) note {
	return note{kind: "run", subject: fmt.Sprint(i), text: foreignText(fmt.Sprintf("run %d.", i))}
}

func TestTheSameIsToldOnceInTenMinutes(t *testing.T) {
	telling(t, func(t *testing.T, n *notifier, c *channel) {
		for range 4 {
			n.tell(of(1))
			pass(3 * time.Minute)
		}
		if len(c.got) != 1 { // at 0, 3, 6 and 9 minutes
			t.Fatalf("within ten minutes: %q", c.got)
		}
		n.tell(of(1))
		n.tell(of(2))
		synctest.Wait()
		if len(c.got) != 3 || !strings.Contains(c.got[1], "and 3 times more since") || strings.Contains(c.got[2], "more") {
			t.Errorf("later: %q", c.got)
		}
	})
}

func TestBeyondFiveAMinuteThereIsADigest(t *testing.T) {
	telling(t, func(t *testing.T, n *notifier, c *channel) {
		for i := range 100 {
			n.tell(of(i))
		}
		pass(10 * time.Minute)
		if len(c.got) != 6 {
			t.Fatalf("%d messages: %q", len(c.got), c.got)
		}
		digest := c.got[5]
		for i := 5; i < 5+mostDigested; i++ {
			if !strings.Contains(digest, fmt.Sprintf("run %d.", i)) {
				t.Errorf("run %d is not in the digest", i)
			}
		}
		if !strings.Contains(digest, "95 things") || !strings.Contains(digest, "and 55 more") || c.at[5] != time.Minute {
			t.Errorf("after %v: %s", c.at[5], digest)
		}
	})
}

func TestNoMinuteHasMoreThanFiveMessages(t *testing.T) {
	telling(t, func(t *testing.T, n *notifier, c *channel) {
		for i := range 300 {
			n.tell(of(i))
			pass(time.Second)
		}
		pass(2 * time.Minute)
		for i := mostMessages; i < len(c.at); i++ {
			if c.at[i]-c.at[i-mostMessages] < messageWindow {
				t.Errorf("six messages from %v to %v", c.at[i-mostMessages], c.at[i])
			}
		}
		all := strings.Join(c.got, "\n")
		for i := range 300 {
			if !strings.Contains(all, fmt.Sprintf("run %d.", i)) && !strings.Contains(all, "more; drawbridge handover") {
				t.Errorf("run %d was not told", i)
			}
		}
	})
}

func TestNothingIsLostWhileTheServiceIsGone(t *testing.T) {
	telling(t, func(t *testing.T, n *notifier, c *channel) {
		c.breaks(errors.New("no route to host"))
		for i := range 3 {
			n.tell(of(i))
		}
		pass(30 * time.Minute)
		if len(c.got) != 0 {
			t.Fatalf("got %q", c.got)
		}
		c.breaks(nil)
		pass(2 * time.Minute)
		if len(c.got) != 3 {
			t.Errorf("afterwards: %q", c.got)
		}
		if sent, lost := n.counts(); sent != 3 || lost != 0 {
			t.Errorf("%d sent, %d lost", sent, lost)
		}
		if len(c.keys) != 3 {
			t.Errorf("the tries have other keys: %v", c.keys)
		}
	})
}

func TestWhatCannotBeToldIsCounted(t *testing.T) {
	telling(t, func(t *testing.T, n *notifier, c *channel) {
		c.breaks(engine.Fail(engine.ClassInvalid, "connection", "there is none"))
		n.tell(of(1))
		synctest.Wait()
		c.breaks(errors.New("gone"))
		n.tell(of(2))
		pass(3 * time.Hour)
		if _, lost := n.counts(); lost != 2 || len(c.got) != 0 {
			t.Errorf("%d lost, got %q", lost, c.got)
		}
		for i := range mostPending + 10 {
			n.tell(of(100 + i))
		}
		synctest.Wait()
		if _, lost := n.counts(); lost < 10 || lost > 13 {
			t.Errorf("%d lost of too many", lost)
		}
		c.breaks(nil)
		pass(2 * time.Minute)
		n.tell(of(1)) // it was never told
		pass(2 * time.Minute)
		if all := strings.Join(c.got, "\n"); !strings.Contains(all, "run 1.") {
			t.Errorf("what was lost is not told when it comes again: %q", c.got)
		}
	})
}

func TestTheEndTellsWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &channel{from: time.Now(), fail: errors.New("gone")}
		n := newNotifier(c.send, slog.New(slog.DiscardHandler), time.Now, func(s string) string { return s })
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); n.run(ctx) }()
		n.tell(of(1))
		n.tell(of(2))
		synctest.Wait()
		stop()
		<-done
		c.breaks(nil)
		n.close(t.Context())
		if len(c.got) != 1 || !strings.Contains(c.got[0], "run 1.") || !strings.Contains(c.got[0], "run 2.") {
			t.Errorf("got %q", c.got)
		}
	})
}

func TestWhatIsHeardIsToldInWords(t *testing.T) {
	at := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	grant := &engine.Grant{ID: "gnt_1", Action: "group.add", AtEnd: "lift", Tries: 3, EndsAt: at, Target: engine.Target{ID: "u1", Name: "Dana"}, Error: engine.Fail(engine.ClassAuth, "auth", "not allowed")}
	run := func(s engine.RunStatus) *engine.RunRecord {
		return &engine.RunRecord{ID: "run_1", Playbook: "contain", Status: s, Actor: engine.Actor{Name: "siem", Via: "webhook"}, Error: engine.Fail(engine.ClassRefused, "x", "too many: hunter2")}
	}
	refused := local.Progress{Run: *run(engine.RunRunning), Steps: []engine.StepRecord{{
		Status: engine.StepRefused, Action: "user.suspend", Target: &engine.Target{ID: "u1"}, Error: engine.Fail(engine.ClassRefused, engine.CodeProtected, "u1 is protected"),
	}}}
	cases := map[string]struct {
		hear func(n *notifier)
		want string // "" for nothing
	}{
		"blocked":   {func(n *notifier) { n.hear(local.Notice{Kind: local.NoticeRun, Run: run(engine.RunBlocked)}) }, "contain is blocked: too many: *** (run_1, started by siem)"},
		"unsettled": {func(n *notifier) { n.hearRun(*run(engine.RunUnsettled)) }, "contain is unsettled"},
		"succeeded": {func(n *notifier) { n.hearRun(*run(engine.RunSucceeded)) }, ""},
		"cancelled": {func(n *notifier) { n.hearRun(*run(engine.RunCancelled)) }, ""},
		"waiting":   {func(n *notifier) { n.hearRun(*run(engine.RunWaiting)) }, ""},
		"refused":   {func(n *notifier) { n.hearProgress(refused) }, "contain was refused user.suspend of u1: u1 is protected (run_1, started by siem)"},
		"missed": {func(n *notifier) {
			n.hear(local.Notice{Kind: local.NoticeMissed, Series: "sweep#0", Missed: 3, Text: "the machine was off"})
		}, "3 fire times of sweep#0 were missed: the machine was off"},
		"expiry":  {func(n *notifier) { n.hear(local.Notice{Kind: local.NoticeExpiry, Grant: grant}) }, "group.add of Dana (u1) ends at 2026-11-27T12:00:00Z (gnt_1)"},
		"overdue": {func(n *notifier) { n.hear(local.Notice{Kind: local.NoticeOverdue, Grant: grant}) }, "OVERDUE: group.add of Dana (u1) should have ended at 2026-11-27T12:00:00Z and could not be ended in 3 tries (gnt_1): not allowed"},
		"trouble": {func(n *notifier) { n.hear(local.Notice{Kind: local.NoticeTrouble, Text: "the clock jumped"}) }, "the clock jumped"},
		"broken":  {func(n *notifier) { n.hearBroken("x.yaml does not pass") }, "x.yaml does not pass"},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			telling(t, func(t *testing.T, n *notifier, c *channel) {
				test.hear(n)
				test.hear(n)
				synctest.Wait()
				switch {
				case test.want == "" && len(c.got) > 0:
					t.Errorf("it told %q", c.got)
				case test.want != "" && (len(c.got) != 1 || !strings.Contains(c.got[0], "Drawbridge: "+test.want)):
					t.Errorf("it told %q", c.got)
				}
			})
		})
	}
}

// pass lets virtual time pass.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait() // what became of it has been seen
}
