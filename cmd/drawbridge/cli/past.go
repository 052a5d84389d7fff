package cli

import (
	"context"
	"fmt"

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
	counts  map[engine.Outcome]int // of all changes, also of those left out
	loops   []screen.Loop
	items   []engine.ItemRecord // all, where all are wanted

	set        engine.ChangeSet       // what was foreseen or approved last
	approvals  []engine.Approval      // of the run, newest first
	approvedBy map[string][]string    // people, by the path of a change
	grants     []engine.Grant         // those that end first before the others
	awaits     []string               // the signals it waits for, where they are known
	undoneBy   []string               // the runs that took changes of it back, newest first
	open       []engine.PlannedChange // what was planned and never came to be tried
}

// line is where a change, by its path, stands among p.changes.
type line struct {
	place   int
	outcome engine.Outcome
}

// leftOut is the place of a change that is only counted.
const leftOut = -1

// remember reads a run's history: everything, or as much as people read.
func remember(ctx context.Context, store engine.Store, run engine.RunRecord, everything bool) (*past, error) {
	p := &past{run: run, counts: map[engine.Outcome]int{}}
	if err := p.readPlanned(ctx, store); err != nil {
		return nil, err
	}
	if err := p.readGrants(ctx, store); err != nil {
		return nil, err
	}
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
	ledger := map[string]line{}
	q := engine.StepQuery{Run: p.run.ID, Limit: pageSize}
	for {
		page, err := store.Steps(ctx, q)
		if err != nil {
			return fmt.Errorf("reading the steps of %s: %w", p.run.ID, err)
		}
		for _, s := range page {
			p.addStep(s, ledger, limit)
		}
		if len(page) < q.Limit {
			p.settle(ledger)
			return nil
		}
		q.After += len(page)
	}
}

// addStep sorts a record to where it belongs. Of several attempts of a change
// the last is its line in the ledger.
func (p *past) addStep(s engine.StepRecord, ledger map[string]line, limit int) {
	if s.Form == "foreach" && s.Status != engine.StepSkipped && s.Attempt <= 1 {
		p.loops = append(p.loops, screen.Loop{Path: s.Path, Counts: map[engine.Outcome]int{}})
	}
	if !screen.InLoop(s.Path) {
		p.steps = append(p.steps, s)
	}
	if s.Effect != engine.Change || s.Form == "foreach" || s.Status == engine.StepSkipped {
		return
	}
	underWay := p.run.Status == engine.RunRunning && s.Status == engine.StepStarted
	p.addChange(screen.Change{StepRecord: s, UnderWay: underWay, Began: s.StartedAt}, ledger, limit)
}

func (p *past) addChange(c screen.Change, ledger map[string]line, limit int) {
	l, again := ledger[c.Path]
	switch {
	case again:
		p.counts[l.outcome]--
	case limit > 0 && len(p.changes) >= limit:
		l.place = leftOut
	default:
		l.place = len(p.changes)
		p.changes = append(p.changes, c)
	}
	if again && l.place != leftOut {
		c.Began = p.changes[l.place].Began
		p.changes[l.place] = c
	}
	l.outcome = c.Shown()
	p.counts[l.outcome]++
	ledger[c.Path] = l
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
			if !everything { // only people read labels, and they read few changes
				p.label(item)
			}
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
}

// label gives the changes of an item the name people read.
func (p *past) label(item engine.ItemRecord) {
	path := screen.ItemPath(item)
	for i := range p.changes {
		if screen.Within(p.changes[i].Path, path) {
			p.changes[i].Label = item.Label
		}
	}
}

// report is the past as people read it.
func (p *past) report(advice []string) screen.Report {
	return screen.Report{Run: p.run, Changes: p.changes, Counts: p.counts, Loops: p.loops, Open: p.open, Advice: advice}
}

// document is the past as -o json prints it.
func (p *past) document(withSteps bool) runDocument {
	doc := documentOfRun(p.run)
	doc.UndoneBy, doc.NotDone = documentsOf(p.undoneBy, same), documentsOf(p.open, documentOfPlanned)
	for _, c := range p.changes {
		doc.Changes = append(doc.Changes, documentOfChange(c))
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
