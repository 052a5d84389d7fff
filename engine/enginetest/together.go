package enginetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// testTogether is about many runs, and large ones.
func testTogether(t *testing.T, r Runtime) {
	play(t, r, "many runs at a time", func(s *scene) {
		e := s.process(&Life{})
		var group errgroup.Group
		for i := range 20 {
			run := s.start(e, "name: main\ninputs:\n  n: { type: integer }\nsteps:\n  - id: look\n    uses: world.look\n    with: { id: a }\n"+
				"  - uses: world.tell\n    with: { text: \"${{ inputs.n }}\" }\n", map[string]any{"n": i})
			group.Go(func() error {
				record, err := e.Drive(s.Context(), run)
				if err == nil && record.Status != engine.RunSucceeded {
					err = fmt.Errorf("run %d is %s", i, record.Status)
				}
				return err
			})
		}
		if err := group.Wait(); err != nil {
			s.Error(err)
		}
		if n := len(s.world.Done()); n != 20 {
			s.Errorf("%d messages were sent", n)
		}
	})
	testLargeValues(t, r)
}

// testLargeValues is about what is kept beside the state.
func testLargeValues(t *testing.T, r Runtime) {
	play(t, r, "large values a playbook computes", func(s *scene) {
		list := make([]any, 2000)
		for i := range list {
			list[i] = i
		}
		s.world.Script("look a", Fault{Blocks: true})
		ctx, cancel := context.WithTimeout(s.Context(), time.Minute)
		defer cancel()
		e := s.process(&Life{})
		run := s.start(e, computeLarge, map[string]any{"list": list})
		record, err := e.Drive(ctx, run)
		if err != nil {
			s.Fatal(err)
		}
		s.want(record, engine.RunInterrupted)
		record = s.drive(s.process(&Life{}), run)
		s.want(record, engine.RunSucceeded)
		s.wantOutputs(record, `{"last":3998}`)
	})
	play(t, r, "values too large for the state", func(s *scene) {
		ids := make([]string, 300)
		for i := range ids {
			ids[i] = fmt.Sprintf("account-%03d", i)
		}
		s.world = NewWorld(ids...)
		for _, id := range ids {
			s.world.Script("look "+id, Fault{Takes: time.Second}, Fault{Takes: time.Second})
		}
		e := s.process(&Life{dieAt: 12})
		run := s.start(e, loopOverMany, nil)
		if _, err := e.Drive(s.Context(), run); err == nil {
			s.Fatal("the process did not die")
		}
		record := s.drive(s.process(&Life{}), run)
		s.want(record, engine.RunSucceeded)
		s.wantOutputs(record, `{"all":300,"done":300}`)
		if s.world.most < 10 {
			s.Errorf("at most %d calls were under way at once", s.world.most)
		}
	})
}

const computeLarge = `
name: main
inputs:
  list: { type: list, items: integer }
steps:
  - id: twice
    set: { list: "${{ map(inputs.list, # * 2) }}" }
  - uses: world.look
    with: { id: a }
outputs:
  last: ${{ last(steps.twice.list) }}
`

const loopOverMany = `
name: main
steps:
  - id: all
    uses: world.list
  - id: each
    foreach: steps.all.accounts
    as: account
    key: account.id
    concurrency: 20
    uses: world.look
    with: { id: "${{ account.id }}" }
outputs:
  all: ${{ len(steps.all.accounts) }}
  done: ${{ len(filter(steps.each.items, .outcome == "done")) }}
`
