package machine

import (
	"container/heap"
	"time"
)

// timers is a heap of the frames that have a timer, the earliest first; of two
// at the same time the one begun first, which is never inside the other.
type timers []*frame

// Len is for container/heap.
func (t timers) Len() int { return len(t) }

// Less is for container/heap.
func (t timers) Less(i, j int) bool {
	if t[i].due.Equal(t[j].due) {
		return t[i].id < t[j].id
	}
	return t[i].due.Before(t[j].due)
}

// Swap is for container/heap.
func (t timers) Swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].slot, t[j].slot = i+1, j+1
}

// Push is for container/heap.
func (t *timers) Push(x any) {
	f, ok := x.(*frame)
	if !ok {
		return
	}
	*t = append(*t, f)
	f.slot = len(*t)
}

// Pop is for container/heap.
func (t *timers) Pop() any {
	last := len(*t) - 1
	f := (*t)[last]
	(*t)[last] = nil
	*t = (*t)[:last]
	f.slot = 0
	return f
}

func (t timers) first() *frame {
	if len(t) == 0 {
		return nil
	}
	return t[0]
}

// arm sets a frame's timer, replacing the one it had.
func (m *Machine) arm(f *frame, due time.Time) {
	m.disarm(f)
	f.due = due
	heap.Push(&m.timers, f)
}

func (m *Machine) disarm(f *frame) {
	if f.slot > 0 {
		heap.Remove(&m.timers, f.slot-1)
	}
	f.due = time.Time{}
}

// fire does what has become due, in the order of time.
func (m *Machine) fire() {
	for {
		f := m.timers.first()
		if f == nil || f.due.After(m.now) {
			return
		}
		m.disarm(f)
		m.expire(f)
		m.dropCut()
	}
}

// expire is what happens when a frame's timer is due.
func (m *Machine) expire(f *frame) {
	switch {
	case f.ask != nil:
		m.expireApproval(f)
	case f.pause == pauseTime:
		f.pause = ""
		m.finish(f, succeeded())
	case f.call.running():
		f.call.expired = true
		m.stopCall(f, stopTimeout)
	case f.call.waiting():
		m.ask(f)
	default:
		f.timedOut = true
		m.stop(f, stopTimeout)
	}
}
