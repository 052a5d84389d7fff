package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/screen"
	"github.com/drawbridge-soar/drawbridge/engine"
)

const (
	pageSize    = 1000 // records read from the store at a time
	mostChanges = 100  // lines of the ledger in a report for people
	mostTrouble = 50   // items per loop that a report for people names
)

// past is what the store remembers of a run.
type past struct {
	run     engine.RunRecord
	steps   []engine.StepRecord // outside of loops
	changes []screen.Change
	hidden  int // changes left out
	loops   []screen.Loop
	items   []engine.ItemRecord // all, where all are wanted
}

// remember reads a run's history: everything, or as much as people read.
func remember(ctx context.Context, store engine.Store, run engine.RunRecord, everything bool) (*past, error) {
	p := &past{run: run}
	limit := mostChanges
	if everything {
		limit = 0
	}
	if err := p.readSteps(ctx, store, limit); err != nil {
		return nil, err
	}
	for i := range p.loops {
		if err := p.readItems(ctx, store, &p.loops[i], everything); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *past) readSteps(ctx context.Context, store engine.Store, limit int) error {
	places := map[string]int{} // of each change in p.changes, by path
	q := engine.StepQuery{Run: p.run.ID, Limit: pageSize}
	for {
		page, err := store.Steps(ctx, q)
		if err != nil {
			return fmt.Errorf("reading the steps of %s: %w", p.run.ID, err)
		}
		for _, s := range page {
			p.addStep(s, places, limit)
		}
		if len(page) < q.Limit {
			return nil
		}
		q.After += len(page)
	}
}

// addStep sorts a record to where it belongs. Of several attempts of a change
// the last is its line in the ledger.
func (p *past) addStep(s engine.StepRecord, places map[string]int, limit int) {
	if s.Form == "foreach" && s.Status != engine.StepSkipped && s.Attempt <= 1 {
		p.loops = append(p.loops, screen.Loop{Path: s.Path, Counts: map[engine.Outcome]int{}})
	}
	if !screen.InLoop(s.Path) {
		p.steps = append(p.steps, s)
	}
	if s.Effect != engine.Change || s.Form == "foreach" || s.Status == engine.StepSkipped {
		return
	}
	at, known := places[s.Path]
	switch {
	case known && at >= 0:
		p.changes[at].StepRecord = s
	case known:
	case limit > 0 && len(p.changes) >= limit:
		places[s.Path] = -1
		p.hidden++
	default:
		places[s.Path] = len(p.changes)
		p.changes = append(p.changes, screen.Change{StepRecord: s})
	}
}

func (p *past) readItems(ctx context.Context, store engine.Store, loop *screen.Loop, everything bool) error {
	q := engine.ItemQuery{Run: p.run.ID, Path: loop.Path, Limit: pageSize}
	for {
		page, err := store.Items(ctx, q)
		if err != nil {
			return fmt.Errorf("reading the items of %s: %w", loop.Path, err)
		}
		for _, item := range page {
			p.addItem(loop, item)
		}
		if everything {
			p.items = append(p.items, page...)
		}
		if len(page) < q.Limit {
			return nil
		}
		q.After += len(page)
	}
}

func (p *past) addItem(loop *screen.Loop, item engine.ItemRecord) {
	loop.Counts[item.Outcome]++
	switch item.Outcome {
	case engine.OutcomeFailed, engine.OutcomeRefused, engine.OutcomeUnsettled:
		if len(loop.Trouble) >= mostTrouble {
			loop.Hidden++
		} else {
			loop.Trouble = append(loop.Trouble, item)
		}
	default:
	}
	path := screen.ItemPath(item)
	for i := range p.changes {
		if c := &p.changes[i]; c.Path == path || strings.HasPrefix(c.Path, path+"/") {
			c.Label = item.Label
		}
	}
}

// report is the past as people read it.
func (p *past) report(advice []string) screen.Report {
	return screen.Report{Run: p.run, Changes: p.changes, Hidden: p.hidden, Loops: p.loops, Advice: advice}
}

// document is the past as -o json prints it.
func (p *past) document(withSteps bool) runDocument {
	doc := documentOfRun(p.run)
	for _, c := range p.changes {
		doc.Changes = append(doc.Changes, documentOfChange(c.StepRecord))
	}
	if !withSteps {
		return doc
	}
	for _, s := range p.steps {
		doc.Steps = append(doc.Steps, documentOfStep(s))
	}
	for _, i := range p.items {
		doc.Items = append(doc.Items, documentOfItem(i))
	}
	return doc
}
