package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/machine"
)

// farthest is how many calls are looked ahead to. A run that goes on beyond
// looks ahead again when it gets there.
const farthest = 10_000

// glance says how to look ahead.
type glance struct {
	reuse bool // answers that were kept before are good enough
}

// outlook is what looking ahead has found.
type outlook struct {
	set     engine.ChangeSet
	answers []engine.Answer
	values  []engine.StoredValue
}

// ahead is what a drive gathers that only looks ahead. The calls share it.
type ahead struct {
	glance

	rows  bool            // a row shows a target as it is: this very look has read it
	limit int             // how many calls are looked ahead to
	open  map[string]bool // paths of unsettled changes: what they do nobody knows

	mu          sync.Mutex
	calls       int
	changes     []engine.PlannedChange
	messages    []engine.PlannedAnnouncement
	approvals   []engine.PlannedApproval
	unforeseen  []engine.Unforeseen
	populations map[string]engine.Population
	answers     []engine.Answer
	values      []engine.StoredValue
	states      map[string][]previewed         // by target: what changes would make of it, in order
	items       map[string][]engine.ItemRecord // of loops, by path
}

// previewed is what the change of a step would make of a target.
type previewed struct {
	step  machine.NodeRef
	state map[string]any
}

// lookAhead drives a copy of the machine forward, with real observations and
// previewed changes, and returns what the run would do from here. Nothing of
// the run itself changes. Errors are those of the store and of ctx.
func (d *drive) lookAhead(ctx context.Context, g glance) (*outlook, error) {
	copied, err := d.machine.Look()
	if err != nil {
		return nil, fmt.Errorf("looking ahead: %w", err)
	}
	f := d.fork(copied, g)
	ctx, stop := d.untilAsked(ctx)
	defer stop()
	if err := f.look(ctx); err != nil {
		return nil, fmt.Errorf("looking ahead: %w", err)
	}
	return f.outlook(), nil
}

// errAsked means that looking ahead ended because something was asked of the
// run, such as to end. What was asked is among its events.
var errAsked = errors.New("something else was asked of the run")

// untilAsked is a context that ends when something is asked of the run. What is
// asked is an event of the run once stop returns.
func (d *drive) untilAsked(ctx context.Context) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	over, gone := make(chan struct{}), make(chan struct{})
	var asked []machine.Event
	go func() {
		defer close(gone)
		select {
		case ev := <-d.inbox:
			asked = append(asked, ev)
			cancel(errAsked)
		case <-over:
		}
	}()
	return ctx, func() {
		close(over)
		<-gone
		cancel(nil)
		d.events = append(d.events, asked...)
	}
}

// fork is a drive of the copy, which records nothing.
func (d *drive) fork(copied *machine.Machine, g glance) *drive {
	f := newDrive(d.engine, d.record, d.programs[d.record.Hash])
	f.machine, f.rules, f.ledger, f.last = copied, d.rules, d.ledger, d.last
	f.known, f.settled, f.said, f.may = d.known, d.settled, d.said, d.may
	f.ahead = &ahead{
		glance: g, rows: !g.reuse && d.machine.Seq() == 1, limit: max(farthest, int(min(d.rules.MaxChanges(), 1<<20))*4), open: make(map[string]bool),
		populations: make(map[string]engine.Population), states: make(map[string][]previewed), items: make(map[string][]engine.ItemRecord),
	}
	for _, a := range d.known {
		f.ahead.count(a.Population)
	}
	for _, failure := range d.open {
		f.ahead.open[failure.Step] = true
	}
	return f
}

// look drives the copy to its end, or as far as it can see.
func (d *drive) look(ctx context.Context) error {
	calls, stop := context.WithCancelCause(ctx)
	defer close(d.gone)
	d.place = d.engine.slots.enter(d.record.Playbook)
	defer d.place.leave()
	defer stop(errEnded)
	d.reorder(d.machine.Outstanding())
	d.wake, _ = d.machine.NextWake()
	for !d.record.Status.Final() && !d.ahead.exhausted() {
		if len(d.events) == 0 && d.idle() {
			return nil
		}
		d.await(ctx, calls)
		if d.fault != nil || ctx.Err() != nil {
			return cmp.Or(d.fault, context.Cause(ctx), ctx.Err())
		}
		if err := d.advance(calls); err != nil {
			return err
		}
	}
	return nil
}

func (a *ahead) exhausted() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.calls > a.limit
}

// outlook is what the drive has gathered, in its canonical order.
func (d *drive) outlook() *outlook {
	a := d.ahead
	a.mu.Lock()
	defer a.mu.Unlock()
	set := engine.ChangeSet{
		Playbook: d.record.Hash, Changes: sortedBy(a.changes, func(c engine.PlannedChange) string { return c.Path }),
		Announcements: sortedBy(a.messages, func(m engine.PlannedAnnouncement) string { return m.Path }),
		Approvals:     sortedBy(a.approvals, func(p engine.PlannedApproval) string { return p.Path }),
		Unforeseen:    sortedBy(a.unforeseen, func(u engine.Unforeseen) string { return u.Path }),
		Populations:   make([]engine.Population, 0, len(a.populations)),
		Complete:      true,
	}
	for _, name := range slices.Sorted(maps.Keys(a.populations)) {
		set.Populations = append(set.Populations, a.populations[name])
	}
	for _, u := range set.Unforeseen {
		set.Complete = set.Complete && !u.Changes
	}
	if result, over := d.machine.Done(); over {
		set.Failure = result.Failure
		set.Complete = set.Complete && (result.Failure == nil || result.Failure.Class == engine.ClassRefused)
	} else if a.calls > a.limit {
		set.Complete, set.Bound = false, fmt.Sprintf("it was looked ahead to the first %d calls only", a.limit)
	}
	return &outlook{set: set, answers: a.answers, values: a.values}
}

func sortedBy[T any](list []T, key func(T) string) []T {
	out := make([]T, 0, len(list))
	out = append(out, list...)
	slices.SortStableFunc(out, func(x, y T) int { return cmp.Compare(key(x), key(y)) })
	return out
}

// count takes in how many a complete listing had; the largest of a connection counts.
func (a *ahead) count(p *engine.Population) {
	if p == nil {
		return
	}
	if largest, seen := a.populations[p.Connection]; !seen || p.Count > largest.Count {
		a.populations[p.Connection] = *p
	}
}

// keep takes in an answer for the execution that follows.
func (a *ahead) keep(ans engine.Answer, data []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	ans.Value = referenceOf(data)
	a.answers = append(a.answers, ans)
	a.values = append(a.values, engine.StoredValue{Ref: ans.Value, Data: data})
	a.count(ans.Population)
}

// addLine takes in a line of the change set. A call that was tried again has one.
func (a *ahead) addLine(c engine.PlannedChange) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if i := slices.IndexFunc(a.changes, func(o engine.PlannedChange) bool { return c.Outcome != "" && o.Path == c.Path }); i >= 0 {
		a.changes[i] = c
		return
	}
	a.changes = append(a.changes, c)
}

// collected takes the commands of the copy that only tell something, and
// returns the others.
func (d *drive) collected(c machine.Command) bool {
	a := d.ahead
	a.mu.Lock()
	defer a.mu.Unlock()
	switch c := c.(type) {
	case machine.PutItem:
		a.items[c.Item.Path] = append(a.items[c.Item.Path], c.Item)
	case machine.Unforeseen:
		a.unforeseen = append(a.unforeseen, engine.Unforeseen{Path: c.Path, After: c.After, Changes: c.Changes})
	case machine.PutValue, machine.PutStep:
	case machine.PassWait:
		d.events = append(d.events, machine.Event{Kind: machine.Passed, Frame: c.Frame})
	case machine.AskApproval:
		a.approvals = append(a.approvals, engine.PlannedApproval{Path: c.Path, Title: d.engine.config.Redact.String(c.Title), By: c.By, Needs: c.Needs})
		d.events = append(d.events, machine.Event{Kind: machine.Decided, Frame: c.Frame})
	default:
		return false
	}
	return true
}
