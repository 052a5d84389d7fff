package enginetest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// serving has something of all that a server waits for.
const serving = `
name: main
concurrency: { max: 1 }
inputs:
  for_good: { type: string }
  for_a_time: { type: string }
steps:
  - uses: world.lock
    with: { id: "${{ inputs.for_good }}" }
  - id: pause
    wait: { for: 70s }
  - id: hear
    timeout: 1h
    steps:
      - wait: { signal: go }
  - id: temporary
    uses: world.lock
    with: { id: "${{ inputs.for_a_time }}" }
    for: 70s
    at_end: lift
  - uses: world.tell
    with: { text: done }
`

// testServing is about the engine's own work.
func testServing(t *testing.T, r Runtime) {
	if r.Brief {
		return
	}
	var calm string
	play(t, r, "undisturbed", func(s *scene) {
		s.patience = time.Minute
		calm = s.servedTo(func() *Life { return &Life{} })
		s.wantWorld("lock a", "lock b", "tell done", "lock c", "unlock b", "lock d", "tell done", "unlock d")
	})
	for n := 1; n < mostDeaths; n++ {
		died := false
		play(t, r, fmt.Sprintf("dying with commit %d", n), func(s *scene) {
			s.patience = time.Minute
			first := &Life{dieAt: n, durable: n%2 == 0}
			lives := []*Life{first}
			got := s.servedTo(func() *Life {
				if len(lives) == 0 {
					return &Life{}
				}
				next := lives[0]
				lives = lives[1:]
				return next
			})
			died = first.Dead()
			s.wantServed(got, calm)
		})
		if !died {
			break
		}
	}
	for _, every := range []int{2, 3, 5} {
		play(t, r, fmt.Sprintf("dying every %d commits", every), func(s *scene) {
			s.patience = time.Minute
			n := 0
			s.wantServed(s.servedTo(func() *Life {
				n++
				return &Life{dieAt: every, durable: n%2 == 0}
			}), calm)
		})
	}
}

func (s *scene) wantServed(got, calm string) {
	s.Helper()
	if got != calm {
		s.Errorf("it ended as %s\nand undisturbed as %s", got, calm)
	}
}

// servedTo serves two runs, of which the second queues, in process after
// process, each until it dies, and says how they ended.
func (s *scene) servedTo(life func() *Life) string {
	s.Helper()
	e := s.process(&Life{})
	var runs []string
	for _, ids := range [][2]string{{"a", "b"}, {"c", "d"}} {
		runs = append(runs, s.start(e, serving, map[string]any{"for_good": ids[0], "for_a_time": ids[1]}))
	}
	for range 4 * mostDeaths {
		if s.serve(life(), runs) {
			break
		}
	}
	var out strings.Builder
	for _, run := range runs {
		record, err := s.store.Run(s.Context(), run)
		if err != nil {
			s.Fatal(err)
		}
		s.want(record, engine.RunSucceeded)
		out.WriteString(s.ending(record).String())
		s.wantGrant(run, engine.GrantEnded)
	}
	return out.String()
}

// serve serves as long as a process lives, or until the runs and their grants
// are over.
func (s *scene) serve(life *Life, runs []string) (over bool) {
	s.Helper()
	e := s.process(life)
	ctx, cancel := context.WithCancel(s.Context())
	done := make(chan error)
	go func() { done <- e.Serve(ctx) }()
	for !life.Dead() && !over {
		s.wait(time.Second)
		over = true
		for _, run := range runs {
			over = s.goOn(e, life, run) && over
		}
	}
	cancel()
	if err := <-done; err != nil && !life.Dead() {
		s.Errorf("Serve returned %v", err)
	}
	return over
}

// goOn sends the signal a run waits for, and says whether it is over.
func (s *scene) goOn(e Engine, life *Life, run string) bool {
	s.Helper()
	record, err := s.store.Run(s.Context(), run)
	if err != nil {
		s.Fatal(err)
	}
	if record.Status.Final() {
		return len(s.grants(run)) == 0 || s.grant(run).State.Final()
	}
	if record.Status == engine.RunWaiting {
		err := e.Signal(s.Context(), engine.Signal{Run: run, ID: "go", Name: "go"})
		if err != nil && !life.Dead() {
			s.Errorf("signalling: %v", err)
		}
	}
	return false
}
