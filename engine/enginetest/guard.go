package enginetest

import (
	"errors"
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/guard"
)

const lockEach = `
name: main
%GUARD%
steps:
  - id: each
    foreach: '["a", "b", "c", "d"]'
    as: who
    key: who
    concurrency: %CONCURRENCY%
    uses: world.lock
    with: { id: "${{ who }}" }
  - uses: world.tell
    with: { text: behind }
`

// lockFound locks one account, looks for those that are open then, and locks them.
const lockFound = `
name: main
guard: { max_changes: %CAP% }
steps:
  - uses: world.lock
    with: { id: a }
  - id: found
    uses: world.list
  - id: each
    foreach: steps.found.accounts | filter(.state == "open")
    as: who
    key: who.id
    uses: world.lock
    with: { id: "${{ who.id }}" }
`

func lockEachWith(guard, concurrency string) string {
	return strings.NewReplacer("%GUARD%", guard, "%CONCURRENCY%", concurrency).Replace(lockEach)
}

// testGuard is about limits and protected targets.
func testGuard(t *testing.T, r Runtime) {
	play(t, r, "over the cap, nothing is changed", func(s *scene) {
		record := s.run(lockEachWith("guard: { max_changes: 2 }", "1"), nil)
		s.want(record, engine.RunBlocked)
		s.wantWorld()
		if record.Error == nil || record.Error.Code != engine.CodeMaxChanges || !strings.Contains(record.Error.Message, "at most 2 targets") {
			s.Errorf("the failure does not tell: %+v", record.Error)
		}
	})
	play(t, r, "what a run finds behind its own changes is judged before it is changed", func(s *scene) {
		record := s.run(strings.Replace(lockFound, "%CAP%", "2", 1), nil)
		s.want(record, engine.RunBlocked)
		s.wantWorld("lock a")
		if got := s.items(record.ID, "each"); !equal(got, []string{"b refused", "c refused", "d refused"}) {
			s.Errorf("the items are %q", got)
		}
	})
	play(t, r, "what a run finds behind its own changes is changed within the cap", func(s *scene) {
		s.want(s.run(strings.Replace(lockFound, "%CAP%", "4", 1), nil), engine.RunSucceeded)
		s.wantWorld("lock a", "lock b", "lock c", "lock d")
	})
	play(t, r, "the cap holds across restarts", func(s *scene) {
		run := s.dieWith(strings.Replace(lockFound, "%CAP%", "2", 1), 4)
		s.want(s.drive(s.process(&Life{}), run), engine.RunBlocked)
		s.wantWorld("lock a")
	})
	testCeiling(t, r)
}

// testCeiling is about who sets the limits, and what counts.
func testCeiling(t *testing.T, r Runtime) {
	play(t, r, "what needs no change does not count", func(s *scene) {
		s.run("name: main\nsteps:\n  - uses: world.lock\n    with: { id: a }\n  - uses: world.lock\n    with: { id: b }\n", nil)
		record := s.run(lockEachWith("guard: { max_changes: 2 }", "1"), nil)
		s.want(record, engine.RunSucceeded)
		s.wantWorld("lock a", "lock b", "lock c", "lock d", "tell behind")
	})
	play(t, r, "the configuration is the ceiling", func(s *scene) {
		one := int64(1)
		s.guard = guard.Configuration{Limits: guard.Limits{MaxChanges: &one}}
		s.want(s.run(lockEachWith("guard: { max_changes: 9 }", "1"), nil), engine.RunBlocked)
		s.wantWorld()
	})
	testProtection(t, r)
}

// testProtection is about targets no run may change.
func testProtection(t *testing.T, r Runtime) {
	play(t, r, "protected targets are refused", func(s *scene) {
		s.guard = guard.Configuration{Limits: guard.Limits{Protect: []string{"B@example.*"}}}
		record := s.run(lockEachWith("guard: { protect: [\"d\"] }", "1"), nil)
		s.want(record, engine.RunPartial)
		s.wantWorld("lock a", "lock c", "tell behind")
		got := s.items(record.ID, "each")
		if !equal(got, []string{"a done", "b refused", "c done", "d refused"}) {
			s.Errorf("the items are %q", got)
		}
	})
	play(t, r, "a refused step blocks the run", func(s *scene) {
		s.guard = guard.Configuration{Limits: guard.Limits{Protect: []string{"a"}}}
		record := s.run(lockOne, nil)
		s.want(record, engine.RunBlocked)
		s.wantFailure(record, engine.ClassRefused, engine.CodeProtected, "lock")
		s.wantWorld()
	})
}

// testRefusals is about what is refused before anything is recorded.
func testRefusals(t *testing.T, r Runtime) {
	percent := 500.0
	for _, c := range []struct {
		name     string
		playbook string
		inputs   map[string]any
		guard    guard.Limits
		want     []string
		is       error
	}{
		{"an input that is missing", "inputs:\n  n: { type: integer }\n", nil, guard.Limits{}, []string{"n is required"}, nil},
		{
			"every wrong input at once", "inputs:\n  n: { type: integer, minimum: 1 }\n  d: { type: duration, default: 1h }\n  s: { type: string, enum: [x, y], default: x }\n",
			map[string]any{"n": 0, "d": "soon", "s": "z", "N": 1}, guard.Limits{},
			[]string{"n must be at least 1", "d must be a duration", "s must be x | y", "did you mean n?"}, nil,
		},
		{"a percentage that is none", "", nil, guard.Limits{MaxPercent: &percent}, []string{"max_percent under `guard:` in the configuration"}, guard.ErrSetting},
		{"a group", "guard: { protect: [\"directory-group:Admins\"] }\n", nil, guard.Limits{}, []string{"directory-group:Admins"}, guard.ErrUnavailable},
	} {
		play(t, r, c.name, func(s *scene) {
			s.guard.Limits = c.guard
			req := s.request("name: main\n"+c.playbook+"steps:\n  - uses: world.lock\n    with: { id: a }\n", c.inputs)
			_, err := s.process(&Life{}).Start(s.Context(), req)
			if err == nil || c.is != nil && !errors.Is(err, c.is) {
				s.Fatalf("starting gave %v", err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					s.Errorf("%q is missing in: %v", want, err)
				}
			}
			s.wantNothing()
		})
	}
}

// wantNothing checks that no run was recorded and nothing done.
func (s *scene) wantNothing() {
	s.Helper()
	runs, err := s.store.Runs(s.Context(), engine.RunQuery{})
	if err != nil || len(runs) != 0 {
		s.Errorf("%d runs were recorded: %v", len(runs), err)
	}
	s.wantWorld()
}
