package machine

import (
	"github.com/drawbridge-soar/drawbridge/engine"
)

// loop is a foreach under way. Items that have ended leave nothing here but a count.
type loop struct {
	items    val // the frozen list, as frozenItems writes it
	total    int
	next     int // index of the item that begins next
	offset   int // and where it stands in items
	counts   counts
	failure  *engine.Failure // the first failed item's
	spoilt   bool            // an item failed or was refused, other than by being stopped
	returned bool            // an item returned
	reason   string          // and said this
	collect  bool            // the items are being read back
	after    string          // while looking ahead: what became of an item is known only after this path
}

func (l *loop) collecting() bool { return l != nil && l.collect }

// counts is how many items have ended how, in the order of outcomes.
type counts [6]int

func outcomes() [6]engine.Outcome {
	return [...]engine.Outcome{
		engine.OutcomeDone, engine.OutcomeUnchanged, engine.OutcomeSkipped,
		engine.OutcomeRefused, engine.OutcomeFailed, engine.OutcomeUnsettled,
	}
}

func (c *counts) add(o engine.Outcome) {
	for i, known := range outcomes() {
		if known == o {
			c[i]++
		}
	}
}

func (c *counts) of(wanted ...engine.Outcome) int {
	n := 0
	for i, known := range outcomes() {
		for _, o := range wanted {
			if known == o {
				n += c[i]
			}
		}
	}
	return n
}

// enterLoop freezes the list and begins the first items.
func (m *Machine) enterLoop(f *frame) (ending, bool) {
	data, total, fail := m.freeze(f)
	if fail != nil {
		return failed(fail), true
	}
	f.loop = &loop{items: m.keep(data), total: total, offset: firstItem}
	return m.fill(f)
}

// fill begins items until the window is full, and ends the loop after the last.
// A loop that is being stopped passes over the items that have not begun.
func (m *Machine) fill(f *frame) (ending, bool) {
	l := f.loop
	for l.next < l.total && (f.stop != "" || len(f.kids) < max(1, f.node.Foreach.Concurrency)) {
		if m.pause(f) {
			return ending{}, false
		}
		if f.stop != "" {
			m.passOver(f)
			continue
		}
		child := m.open(f, part{name: partItem, n: int64(l.next), offset: l.offset})
		l.next, l.offset = l.next+1, child.env.item.end
		if e, done := m.launch(child); done {
			m.itemEnded(f, child, e)
		}
	}
	if len(f.kids) > 0 {
		return ending{}, false
	}
	return m.loopOver(f)
}

// passOver records an item that will not begin any more.
func (m *Machine) passOver(f *frame) {
	l := f.loop
	it, _ := l.at(l.offset)
	outcome := engine.OutcomeSkipped
	if f.stop == stopHalt {
		outcome = engine.OutcomeRefused
	}
	m.putItem(f, l.next, &it, outcome, m.reason(f))
	l.next, l.offset = l.next+1, it.end
}

// itemEnded records an item that has ended. A return in it stops the loop.
func (m *Machine) itemEnded(f, child *frame, e ending) {
	l := f.loop
	if l.after == "" {
		l.after = child.deeds.after
	}
	o := itemOutcome(e, child)
	m.putItem(f, int(child.env.index), child.env.item, o, e.failure)
	if f.stop == "" && troubled(o) {
		l.spoilt = true
	}
	if e.returned && !l.returned {
		l.returned, l.reason = true, e.reason
		m.stop(f, stopReturn)
	}
}

func troubled(o engine.Outcome) bool {
	return o == engine.OutcomeFailed || o == engine.OutcomeRefused || o == engine.OutcomeUnsettled
}

func (m *Machine) putItem(f *frame, index int, it *item, o engine.Outcome, fail *engine.Failure) {
	l := f.loop
	l.counts.add(o)
	if l.failure == nil && (o == engine.OutcomeFailed || o == engine.OutcomeUnsettled) {
		l.failure = fail
	}
	m.emit(PutItem{Item: engine.ItemRecord{
		Run: m.start.run, Path: f.path, Index: index, Key: it.key, Label: it.label,
		Outcome: o, Error: fail, EndedAt: m.now,
	}})
}

// itemOutcome is what became of an item.
func itemOutcome(e ending, child *frame) engine.Outcome {
	switch e.status {
	case engine.StepRefused:
		return engine.OutcomeRefused
	case engine.StepUnsettled:
		return engine.OutcomeUnsettled
	case engine.StepFailed:
		return engine.OutcomeFailed
	case engine.StepCancelled:
		if child.stop == stopHalt {
			return engine.OutcomeRefused
		}
		return engine.OutcomeFailed
	default:
		return child.deeds.outcome()
	}
}

// outcome is what became of an item that completed.
func (d deeds) outcome() engine.Outcome {
	switch {
	case d.changed:
		return engine.OutcomeDone
	case d.unchanged:
		return engine.OutcomeUnchanged
	case d.ran:
		return engine.OutcomeDone
	default:
		return engine.OutcomeSkipped
	}
}

// loopOver ends a loop whose items have ended, after reading them back where
// some expression wants them.
func (m *Machine) loopOver(f *frame) (ending, bool) {
	l := f.loop
	switch {
	case l.returned:
		m.spoilt = m.spoilt || l.spoilt
		return returned(l.reason), true
	case f.stop != "" && f.stop != stopHalt:
		return m.stopped(f), true
	case f.stop == stopHalt || !f.node.Foreach.ItemsRead:
		return m.verdict(f, nil), true
	case l.total == 0:
		return m.verdict(f, []byte("[]")), true
	}
	l.collect = true
	m.emit(CollectItems{Frame: f.id, Path: f.path})
	return ending{}, false
}

func (m *Machine) itemsCollected(ev Event) {
	f := m.frames[ev.Frame]
	if f == nil || !f.loop.collecting() {
		return
	}
	f.loop.collect = false
	if ev.Failure != nil {
		fail := *ev.Failure
		fail.Step = f.path
		m.finish(f, failed(&fail))
		return
	}
	m.finish(f, m.verdict(f, ev.Value.Inline))
}

// verdict is the status of a loop that ran to its end.
func (m *Machine) verdict(f *frame, items []byte) ending {
	l := f.loop
	e := ending{status: engine.StepSucceeded, after: l.after}
	if items != nil {
		data := append([]byte(`{"items":`), items...)
		e.value = m.keep(append(data, '}'))
	}
	lost := l.counts.of(engine.OutcomeFailed, engine.OutcomeUnsettled)
	refused := l.counts.of(engine.OutcomeRefused)
	switch {
	case lost+refused == 0:
	case refused == 0 && l.counts.of(engine.OutcomeDone, engine.OutcomeUnchanged) == 0:
		e.status, e.failure = engine.StepFailed, l.everyItemFailed(f.path, lost)
	default:
		e.status, m.spoilt = engine.StepPartial, true
	}
	return e
}

func (l *loop) everyItemFailed(path string, n int) *engine.Failure {
	fail := engine.Fail(l.failure.Class, "items", "every item that was tried failed (%d), the first with: %s", n, l.failure.Message)
	fail.Step = path
	return fail
}
