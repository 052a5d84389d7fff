package cli

import (
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/local"
	"github.com/drawbridge-soar/drawbridge/engine/machine"
)

// Between two steps forward minutes may pass: what is shown meanwhile is the
// last of them, however soon it came after the one before.
func TestLiveViewIsNotStale(t *testing.T) {
	clock := time.Date(2026, 1, 31, 3, 0, 0, 0, time.UTC)
	l := &live{now: func() time.Time { return clock }}
	step := func(path string, cost time.Duration) {
		l.watch(local.Progress{View: func() machine.View {
			clock = clock.Add(cost)
			return machine.View{Root: []machine.StepView{{Path: path, Status: engine.StepStarted}}}
		}})
	}
	shows := func(want string) {
		t.Helper()
		if got := l.view.Root[0].Path; got != want {
			t.Errorf("it shows %s, want %s", got, want)
		}
	}
	step("first", time.Microsecond)
	clock = clock.Add(time.Millisecond)
	step("second", 10*time.Millisecond)
	shows("second")
	clock = clock.Add(10 * time.Millisecond)
	step("too soon for a view that costs so much", 0)
	shows("second")
	clock = clock.Add(time.Second)
	step("third", 0)
	shows("third")
}
