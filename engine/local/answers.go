package local

import (
	"context"
	"fmt"
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/machine"
)

// inquiry is what an observation asks: the same question at the same place
// gets the answer it got before, until something was changed in between.
type inquiry struct{ path, arguments string }

// known are the answers a run may use.
type known map[inquiry]engine.Answer

// recallAnswers reads the answers kept for the run, and before those the
// answers of the plan it applies, and of the runs it retries with their plans.
func (d *drive) recallAnswers(ctx context.Context) error {
	owners, err := d.owners(ctx)
	if err != nil {
		return err
	}
	for _, owner := range owners {
		answers, err := d.engine.config.Store.Answers(ctx, owner)
		if err != nil {
			return fmt.Errorf("reading what was observed: %w", err)
		}
		d.learn(answers)
	}
	return nil
}

// owners are whose answers the run may use; those of the last count most.
func (d *drive) owners(ctx context.Context) ([]string, error) {
	runs, err := d.retried(ctx)
	if err != nil {
		return nil, err
	}
	var owners []string
	for _, run := range append(runs, d.record) {
		if run.Plan != "" {
			owners = append(owners, run.Plan)
		}
		owners = append(owners, run.ID)
	}
	return owners, nil
}

func (d *drive) learn(answers []engine.Answer) {
	for _, a := range answers {
		d.known[inquiry{a.Path, a.Arguments}] = a
	}
}

// recall is the kept answer to an observation, unless something was changed
// through one of its connections since.
func (d *drive) recallAnswer(ctx context.Context, j *job) (*answer, error) {
	call := j.step.Call
	kept, there := d.known[inquiry{call.Path, hash(call.Inputs)}]
	if !there || call.Attempt > 1 || d.changedBefore(j) != "" {
		return nil, nil
	}
	data, err := d.engine.config.Store.Value(ctx, kept.Value)
	if err != nil {
		return nil, fmt.Errorf("reading what was observed: %w", err)
	}
	f := &facts{connection: connectionNames(j.wiring.connections), arguments: kept.Arguments}
	return &answer{event: j.done(data, "", nil), facts: f, population: kept.Population}, nil
}

// changedBefore names an earlier step that has changed something through one
// of the connections of a call, "" where none has.
func (d *drive) changedBefore(j *job) string {
	for _, ref := range j.step.Call.Earlier {
		w := d.wireNode(ref)
		for _, name := range w.connections {
			if slices.Contains(j.connections(), name) {
				return w.node.Segment
			}
		}
	}
	return ""
}

// connections are the names of those a call goes through.
func (j *job) connections() []string {
	names := make([]string, 0, len(j.wiring.connections))
	for _, name := range j.wiring.connections {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// wireNode is the wiring of any step of the program.
func (d *drive) wireNode(ref machine.NodeRef) *wiring {
	return d.wire(machine.Call{Program: ref.Program, Node: ref.Node})
}
