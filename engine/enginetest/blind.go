package enginetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// posting calls an action that no read shows.
func posting(action, more string) string {
	return "name: main\nsteps:\n  - id: post\n    uses: world." + action + "\n    with: { id: a }\n" + more +
		"outputs:\n  receipt: ${{ steps.post.receipt }}\n"
}

// testBlind is about changes that no read shows: nothing is concluded from
// reading, and only what may be made twice is.
func testBlind(t *testing.T, r Runtime) {
	for _, c := range []struct {
		name, action, more string
		faults             []Fault
		status             engine.RunStatus
		world              []string
		took               time.Duration
	}{
		{"that works", "post", "", nil, engine.RunSucceeded, []string{"post a"}, 0},
		{"whose reply is lost", "post", "", []Fault{{Err: lostReply(), After: true}}, engine.RunFailed, []string{"post a"}, 0},
		{"whose reply is lost is not tried again", "post", "    retry: { attempts: 3 }\n", []Fault{{Err: lostReply()}}, engine.RunFailed, nil, 0},
		{"that fails in a way nobody has classified", "post", "", []Fault{{Err: errors.New("gone"), After: true}}, engine.RunFailed, []string{"post a"}, 0},
		{"whose service is busy is tried again", "post", "    retry: { attempts: 2, first: 4s }\n", []Fault{{Err: busy()}}, engine.RunSucceeded, []string{"post a"}, 4 * time.Second},
		{"that may be made twice and whose reply is lost", "file", "", []Fault{{Err: lostReply(), After: true}}, engine.RunSucceeded, []string{"file a", "file a"}, time.Second},
		{"that may be made twice and whose reply is lost always", "file", "", many(lostReply(), 9), engine.RunFailed, nil, 3 * time.Second},
	} {
		play(t, r, "a change no read shows "+c.name, func(s *scene) {
			s.world.Script(c.action+" a", c.faults...)
			began := time.Now()
			record := s.run(posting(c.action, c.more), nil)
			s.want(record, c.status)
			s.wantWorld(c.world...)
			s.wantElapsed(began, c.took)
			step := s.step(record.ID, "post")
			if c.status == engine.RunSucceeded {
				s.wantOutputs(record, `{"receipt":"receipt of a"}`)
				return
			}
			if step.Status != engine.StepUnsettled || step.Outcome != engine.OutcomeUnsettled || !strings.Contains(record.Error.Message, "nobody knows") {
				s.Errorf("the record is %+v, and the run says %+v", step, record.Error)
			}
		})
	}
	testBlindDeaths(t, r)
}

// testBlindDeaths kills the process between the intent and the result.
func testBlindDeaths(t *testing.T, r Runtime) {
	for _, happened := range []bool{false, true} {
		play(t, r, fmt.Sprintf("a death behind the intent of a change no read shows, made: %v", happened), func(s *scene) {
			run := s.dieWith(posting("post", ""), dieBehindIntent)
			if happened {
				s.made("post")
			}
			record := s.drive(s.process(&Life{}), run)
			s.want(record, engine.RunFailed)
			s.wantFailure(record, engine.ClassUnsettled, "unsettled", "post")
			if got := s.world.Calls("post a"); got != 0 && !happened || got > 1 {
				s.Errorf("it was made again: %d calls", got)
			}
			if record = s.retry(record.ID); s.world.Calls("post a") == 0 {
				s.Error("a person cannot have it made again")
			}
			s.want(record, engine.RunSucceeded)
		})
		play(t, r, fmt.Sprintf("a death behind the intent of a change that may be made twice, made: %v", happened), func(s *scene) {
			run := s.dieWith(posting("file", ""), dieBehindIntent)
			want := []string{"file a"}
			if happened {
				s.made("file")
				want = append(want, "file a")
			}
			record := s.drive(s.process(&Life{}), run)
			s.want(record, engine.RunSucceeded)
			s.wantOutputs(record, `{"receipt":"receipt of a"}`)
			s.wantWorld(want...)
		})
	}
	play(t, r, "a change no read shows is not made again when something else is", func(s *scene) {
		s.world.Script("lock b", Fault{Err: broken()})
		record := s.run("name: main\nsteps:\n  - id: post\n    uses: world.post\n    with: { id: a }\n"+
			"  - id: lock\n    uses: world.lock\n    with: { id: b }\n", nil)
		s.want(record, engine.RunFailed)
		s.want(s.retry(record.ID), engine.RunSucceeded)
		s.wantWorld("post a", "lock b")
	})
}

// made is what the call of the process that died has done after all.
func (s *scene) made(verb string) {
	s.Helper()
	if err := (service{s.world, &Life{}}).post(s.Context(), verb, "a"); err != nil {
		s.Fatal(err)
	}
}
