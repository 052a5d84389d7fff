package cli

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/local"
	"github.com/drawbridge-soar/drawbridge/engine/machine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
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

// stuck is a reader that reads nothing until it is let.
type stuck struct {
	let chan struct{}
	bytes.Buffer
}

func (s *stuck) Write(p []byte) (int, error) {
	<-s.let
	return s.Buffer.Write(p)
}

// Whoever follows a run of a server's and does not read holds it up as little as
// nobody.
func TestASlowReaderDoesNotHoldUpTheRun(t *testing.T) {
	reader := &stuck{let: make(chan struct{})}
	f := (&app{house: &house{}, output: "table", stdout: (&secret.Redactor{}).Writer(reader)}).newFollower()
	for i := range 50_000 {
		now := time.Now()
		step := engine.StepRecord{Path: fmt.Sprintf("step~%d", i), Status: engine.StepSucceeded, EndedAt: &now}
		f.watch(local.Progress{Steps: []engine.StepRecord{step}, View: func() machine.View { return machine.View{} }})
	}
	close(reader.let)
	f.close()
	f.close()
	if got := reader.String(); !strings.Contains(got, "step~0") || len(got) > 3<<20 {
		t.Errorf("it was told %d bytes: %.100s", len(got), got)
	}
}
