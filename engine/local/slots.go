package local

import (
	"container/heap"
	"sync"
)

// slots are the calls there may be at the same time, of all runs together. A
// free one goes to the playbook that was served least recently of those that
// wait, and within it to the run that was: so that a sweep over many items, or
// many runs of one playbook, delay the others by no more than one round. Within
// a run, calls begin in the order in which they were asked for.
type slots struct {
	size int

	mu      sync.Mutex
	free    int
	served  uint64           // how many turns there were
	lines   map[string]*line // by playbook: those with runs under way
	waiting turns[*line]
}

// line is the runs of a playbook.
type line struct {
	turn

	playbook string
	places   int // runs under way
	waiting  turns[*place]
}

// place is where a run waits for slots, one at a time. It belongs to the run's
// own goroutine, except for what slots.mu guards.
type place struct {
	turn

	slots   *slots
	line    *line
	granted chan struct{} // holds a slot that was handed over and not taken yet
	before  [2]uint64     // last of the place and of its line before that
}

func newSlots(size int) *slots {
	return &slots{size: size, free: size, lines: make(map[string]*line)}
}

// enter gives a run its place, which must be left. It is behind all that wait:
// new ones cannot keep old ones waiting.
func (s *slots) enter(playbook string) *place {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.served++
	l := s.lines[playbook]
	if l == nil {
		l = &line{turn: newTurn(s.served), playbook: playbook}
		s.lines[playbook] = l
	}
	l.places++
	return &place{turn: newTurn(s.served), slots: s, line: l, granted: make(chan struct{}, 1)}
}

// release gives a slot back.
func (s *slots) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.putBack()
}

// putBack hands a slot to whoever's turn it is, or keeps it: a slot is free
// only while nobody waits.
func (s *slots) putBack() {
	if len(s.waiting) == 0 {
		s.free++
		return
	}
	l := s.waiting[0]
	p := l.waiting[0]
	l.waiting.remove(p)
	s.serve(p)
	s.settle(l)
	p.granted <- struct{}{}
}

func (s *slots) serve(p *place) {
	p.before = [2]uint64{p.last, p.line.last}
	s.served++
	p.last, p.line.last = s.served, s.served
}

// unserve takes back a turn that was not used.
func (s *slots) unserve(p *place) {
	if p.line.last == p.last { // no other run of the playbook was served since
		p.line.last = p.before[1]
	}
	p.last = p.before[0]
	s.settle(p.line)
}

// settle puts a playbook where it belongs after its runs, or its turn, changed.
func (s *slots) settle(l *line) {
	switch {
	case len(l.waiting) == 0:
		s.waiting.remove(l)
	case l.index >= 0:
		heap.Fix(&s.waiting, l.index)
	default:
		heap.Push(&s.waiting, l)
	}
}

// take takes a slot if there is one for the run. Otherwise the run waits from
// then on: take again, or receive from granted, which is the slot.
func (p *place) take() bool {
	select {
	case <-p.granted:
		return true
	default:
	}
	s := p.slots
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.free > 0:
		s.free--
		s.serve(p)
		return true
	case p.index < 0 && len(p.granted) == 0:
		heap.Push(&p.line.waiting, p)
		s.settle(p.line)
	}
	return false
}

// rest stops waiting: a run that does something else keeps no slot from the
// others. Its turn is not lost; it waits on from where it was.
func (p *place) rest() {
	p.slots.mu.Lock()
	defer p.slots.mu.Unlock()
	p.stop()
}

func (p *place) stop() {
	if p.index >= 0 {
		p.line.waiting.remove(p)
		p.slots.settle(p.line)
	}
	select {
	case <-p.granted:
		p.slots.unserve(p)
		p.slots.putBack()
	default:
	}
}

// leave ends the place. Slots that were taken are released by whoever has them.
func (p *place) leave() {
	s := p.slots
	s.mu.Lock()
	defer s.mu.Unlock()
	p.stop()
	if p.line.places--; p.line.places == 0 {
		delete(s.lines, p.line.playbook)
	}
}

// turn orders those who wait: the one that was served longest ago is next.
type turn struct {
	last  uint64 // when it was served last; without that, when it came
	index int    // among those who wait; -1: it does not
}

func newTurn(last uint64) turn { return turn{last: last, index: -1} }

func (t *turn) its() *turn { return t }

// turns is a heap of those who wait, the next first.
type turns[T interface{ its() *turn }] []T

// Len, Less, Swap, Push and Pop are those of a heap.
func (q turns[T]) Len() int { return len(q) }

// Less reports whose turn comes first.
func (q turns[T]) Less(i, j int) bool { return q[i].its().last < q[j].its().last }

// Swap exchanges two.
func (q turns[T]) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].its().index, q[j].its().index = i, j
}

// Push puts one at the end.
func (q *turns[T]) Push(x any) {
	v, _ := x.(T)
	v.its().index = len(*q)
	*q = append(*q, v)
}

// Pop takes the last away.
func (q *turns[T]) Pop() any {
	var none T
	last := len(*q) - 1
	v := (*q)[last]
	(*q)[last] = none
	*q = (*q)[:last]
	v.its().index = -1
	return v
}

// remove takes one away who waits; nothing for one who does not.
func (q *turns[T]) remove(v T) {
	if at := v.its().index; at >= 0 {
		heap.Remove(q, at)
	}
}
