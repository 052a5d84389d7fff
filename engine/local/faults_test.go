package local_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/local"
)

// errDisk is what a store says whose disk is full.
var errDisk = errors.New("the disk is full: make room, and what was under way goes on")

// fullDisk is a store that can commit nothing while it is full.
type fullDisk struct {
	engine.Store

	full atomic.Bool
}

// Commit writes, unless the disk is full.
func (s *fullDisk) Commit(ctx context.Context, b engine.Batch) error {
	if s.full.Load() {
		return errDisk
	}
	return s.Store.Commit(ctx, b)
}

func TestAFullDiskStopsARunWhereItStandsAndSaysWhatToDo(t *testing.T) {
	var times atomic.Int64
	disk := &fullDisk{}
	act := func(context.Context) error {
		times.Add(1)
		return nil
	}
	inHouse(t, act, func(t *testing.T, h *house) {
		defer h.serve(0)()
		run := h.queue("name: main\nsteps:\n  - uses: test.act\n  - wait: { for: 30s }\n  - uses: test.act\n")
		h.pass(10 * time.Second)
		disk.full.Store(true)
		h.pass(10 * time.Minute)
		if _, err := h.submit(named("other"), true); !errors.Is(err, errDisk) {
			t.Errorf("starting a run says %v", err)
		}
		if !h.complained("the disk is full") {
			t.Errorf("nobody was told: %+v", h.told(local.NoticeTrouble))
		}
		disk.full.Store(false)
		h.pass(10 * time.Minute)
		h.stands(run, engine.RunSucceeded)
		if n := times.Load(); n != 2 {
			t.Errorf("it acted %d times", n)
		}
	}, func(c *local.Config) {
		disk.Store = c.Store
		c.Store = disk
	})
}

// complained reports whether somebody was told of a trouble with these words.
func (h *house) complained(words string) bool {
	for _, n := range h.told(local.NoticeTrouble) {
		if strings.Contains(n.Text, words) {
			return true
		}
	}
	return false
}

// jumping is a clock that can be put forward and back.
type jumping struct{ by atomic.Int64 }

// Now is the time as the clock shows it.
func (j *jumping) Now() time.Time { return time.Now().Add(time.Duration(j.by.Load())) }

// Timer waits for as long as it takes, whatever the clock shows.
func (*jumping) Timer(d time.Duration) (<-chan time.Time, func()) {
	return local.SystemClock{}.Timer(d)
}

func (j *jumping) jump(d time.Duration) { j.by.Add(int64(d)) }

func TestTheClockJumpsAnHour(t *testing.T) {
	for name, c := range map[string]struct {
		jump, before, after time.Duration // of a wait of two hours that began half an hour ago
	}{
		"forward": {time.Hour, 29 * time.Minute, 2 * time.Minute},
		"back":    {-time.Hour, 149 * time.Minute, 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			clock := &jumping{}
			inHouse(t, fine, func(t *testing.T, h *house) {
				defer h.serve(0)()
				run := h.queue("name: main\nsteps:\n  - wait: { for: 2h }\n  - uses: test.act\n")
				h.pass(30 * time.Minute)
				clock.jump(c.jump)
				h.pass(time.Second)
				if said := h.complained("the clock was put back by 1h"); said != (c.jump < 0) {
					t.Errorf("somebody was told that the clock was put back: %v", said)
				}
				h.pass(c.before - time.Second)
				h.stands(run, engine.RunWaiting)
				h.pass(c.after)
				h.stands(run, engine.RunSucceeded)
			}, func(c *local.Config) { c.Clock = clock })
		})
	}
}

func TestTheServiceIsGoneForTenMinutes(t *testing.T) {
	for name, c := range map[string]struct {
		retry string
		want  engine.RunStatus
	}{
		"tried again":     {"    retry: { attempts: 20, backoff: exponential, first: 1s, max: 1m }\n", engine.RunSucceeded},
		"not tried again": {"", engine.RunFailed},
	} {
		t.Run(name, func(t *testing.T) {
			back := time.Now()
			act := func(context.Context) error {
				if time.Now().Before(back) {
					return engine.Fail(engine.ClassTransient, "unreachable", "the service cannot be reached: see whether it is up")
				}
				return nil
			}
			inHouse(t, act, func(t *testing.T, h *house) {
				back = time.Now().Add(10 * time.Minute)
				defer h.serve(0)()
				run := h.queue(act1 + c.retry)
				h.pass(12 * time.Minute)
				r := h.stands(run, c.want)
				if c.want == engine.RunFailed && (r.Error == nil || !strings.Contains(r.Error.Message, "see whether it is up")) {
					t.Errorf("it says %+v", r.Error)
				}
			})
		})
	}
}
