package enginetest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// mostDeaths is more commits than any playbook of the suite needs.
const mostDeaths = 200

// testCrashes kills the process with each of its commits in turn, once just
// before and once just after it became durable, and continues the run in the
// next process, which dies as well, and so on. However often it dies, the run
// ends as it would have, every change is made exactly once, and every message
// is sent at least once.
func testCrashes(t *testing.T, r Runtime) {
	for _, f := range crashForms(t, r.Brief) {
		t.Run(f.name, func(t *testing.T) {
			var calm ending
			play(t, r, "alone", func(s *scene) { calm = s.ending(s.run(f.playbook, f.inputs)) })
			for _, durable := range []bool{false, true} {
				testDeaths(t, r, f, calm, durable)
			}
			for _, every := range []int{2, 3, 5} {
				play(t, r, fmt.Sprintf("dying every %d commits", every), func(s *scene) { s.dieAndDie(f, calm, every) })
			}
		})
	}
}

// crashForms are the forms that need no fault: one holds a bit of everything.
func crashForms(t *testing.T, brief bool) []form {
	t.Helper()
	return slices.DeleteFunc(forms(t), func(f form) bool { return f.faults != nil || brief && f.name != "a-sweep" })
}

// ending is what must be the same however a run came to its end.
type ending struct {
	status  engine.RunStatus
	outputs string
	steps   []string
	items   []string
	changes []string
	told    []string
}

func (s *scene) ending(r engine.RunRecord) ending {
	s.Helper()
	e := ending{status: r.Status, outputs: string(r.Outputs), items: s.items(r.ID, "each")}
	for _, step := range s.steps(r.ID) {
		e.steps = append(e.steps, fmt.Sprintf("%s#%d %s %s", step.Path, step.Attempt, step.Status, step.Outcome))
	}
	for _, done := range s.world.Done() {
		if strings.HasPrefix(done, "tell ") {
			e.told = append(e.told, done)
		} else {
			e.changes = append(e.changes, done)
		}
	}
	e.steps, e.changes = sorted(e.steps), sorted(e.changes)
	e.told = slices.Compact(sorted(e.told))
	return e
}

// String is the ending as JSON, for the difference a failed test prints.
func (e ending) String() string {
	data, err := json.MarshalIndent(map[string]any{
		"status": e.status, "outputs": e.outputs, "steps": e.steps, "items": e.items, "changes": e.changes, "told": e.told,
	}, "", " ")
	if err != nil {
		return err.Error()
	}
	return string(data)
}

func (s *scene) wantEnding(r engine.RunRecord, calm ending) {
	s.Helper()
	if got := s.ending(r); got.String() != calm.String() {
		s.Errorf("it ended as %s\nand undisturbed as %s", got, calm)
	}
}

func testDeaths(t *testing.T, r Runtime, f form, calm ending, durable bool) {
	t.Helper()
	died := true
	for n := 2; died && n < mostDeaths; n++ { // the first commit is the start itself
		play(t, r, fmt.Sprintf("dying with commit %d, durable %v", n, durable), func(s *scene) {
			life := &Life{dieAt: n, durable: durable}
			e := s.process(life)
			run := s.start(e, f.playbook, f.inputs)
			record, err := e.Drive(s.Context(), run)
			died = life.Dead()
			if died != (err != nil) {
				s.Fatalf("it died: %v, and Drive returned %v", died, err)
			}
			if died {
				record = s.drive(s.process(&Life{}), run)
			}
			s.wantEnding(record, calm)
		})
	}
	if died {
		t.Errorf("it still died after %d commits", mostDeaths)
	}
}

// dieAndDie lets process after process die.
func (s *scene) dieAndDie(f form, calm ending, every int) {
	s.Helper()
	run := s.start(s.process(&Life{}), f.playbook, f.inputs)
	for n := range mostDeaths {
		life := &Life{dieAt: every, durable: n%2 == 0}
		record, err := s.process(life).Drive(s.Context(), run)
		if err == nil {
			s.wantEnding(record, calm)
			return
		}
	}
	s.Errorf("it made no progress in %d processes", mostDeaths)
}
