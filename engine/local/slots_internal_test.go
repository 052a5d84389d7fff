package local

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"
)

// crowd is runs that want slots, and what they were given.
type crowd struct {
	slots  *slots
	places []*crowded
	used   int
}

// crowded is one run of it.
type crowded struct {
	*place

	waits    bool
	overtook map[*crowded]int // runs of its playbook: how often they were served while it waited
	lines    map[*line]int    // other playbooks: how often they were served since its own was, or began to wait
}

func (c *crowd) enter(playbook string) {
	c.places = append(c.places, &crowded{place: c.slots.enter(playbook)})
}

// ask wants a slot for a run that may have one already.
func (c *crowd) ask(p *crowded) {
	if p.take() {
		c.served(p)
		return
	}
	if !p.waits {
		p.waits, p.overtook, p.lines = true, map[*crowded]int{}, map[*line]int{}
	}
}

func (c *crowd) rest(p *crowded) {
	p.rest()
	p.waits = false
}

func (c *crowd) served(p *crowded) {
	c.used++
	p.waits = false
	for _, other := range c.places {
		switch {
		case !other.waits:
		case other.line != p.line:
			other.lines[p.line]++
		default:
			other.overtook[p]++
			clear(other.lines)
		}
	}
}

// pickUp takes the slots that were handed over.
func (c *crowd) pickUp() {
	for _, p := range c.places {
		select {
		case <-p.granted:
			c.served(p)
		default:
		}
	}
}

func (c *crowd) leave(i int) {
	c.places[i].leave()
	c.places = append(c.places[:i:i], c.places[i+1:]...)
}

func (c *crowd) check(t *rapid.T) {
	if c.used > c.slots.size || c.used+c.slots.free != c.slots.size {
		t.Fatalf("%d are used and %d free, of %d", c.used, c.slots.free, c.slots.size)
	}
	for _, p := range c.places {
		if p.waits && c.slots.free > 0 {
			t.Fatal("a run waits although a slot is free")
		}
		for _, times := range p.overtook {
			if times > 1 {
				t.Fatalf("a run of %s was served %d times while another one waited", p.line.playbook, times)
			}
		}
		for l, times := range p.lines {
			if times > 1 {
				t.Fatalf("%s was served %d times while %s waited", l.playbook, times, p.line.playbook)
			}
		}
	}
}

func TestSlotsAreSharedFairly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &crowd{slots: newSlots(rapid.IntRange(1, 4).Draw(t, "slots"))}
		someone := func(t *rapid.T) int {
			if len(c.places) == 0 {
				t.Skip("nobody is there")
			}
			return rapid.IntRange(0, len(c.places)-1).Draw(t, "who")
		}
		t.Repeat(map[string]func(*rapid.T){
			"enter": func(t *rapid.T) {
				c.enter(rapid.SampledFrom([]string{"sweep", "incident", "report"}).Draw(t, "playbook"))
			},
			"ask":   func(t *rapid.T) { c.ask(c.places[someone(t)]) },
			"rest":  func(t *rapid.T) { c.rest(c.places[someone(t)]) },
			"leave": func(t *rapid.T) { c.leave(someone(t)) },
			"release": func(t *rapid.T) {
				if c.used == 0 {
					t.Skip("nothing is used")
				}
				c.used--
				c.slots.release()
				if rapid.Bool().Draw(t, "at once") {
					c.pickUp()
				}
			},
			"": func(t *rapid.T) {
				c.settleFor(t)
				c.check(t)
			},
		})
		c.close(t)
	})
}

// settleFor takes what was handed over and not picked up, half of the time by
// resting: it must not be lost.
func (c *crowd) settleFor(t *rapid.T) {
	for {
		i := c.handed()
		if i < 0 {
			return
		}
		if rapid.Bool().Draw(t, "rests instead") {
			c.rest(c.places[i])
		} else {
			c.pickUp()
		}
	}
}

func (c *crowd) handed() int {
	for i, p := range c.places {
		if len(p.granted) > 0 {
			return i
		}
	}
	return -1
}

// close lets all end: every slot is free then, and nothing is kept.
func (c *crowd) close(t *rapid.T) {
	for len(c.places) > 0 {
		c.leave(0)
	}
	for range c.used {
		c.slots.release()
	}
	if s := c.slots; s.free != s.size || len(s.lines) != 0 || len(s.waiting) != 0 {
		t.Fatalf("%d of %d are free; %d playbooks are left, %d of them waiting", s.free, s.size, len(s.lines), len(s.waiting))
	}
}

func TestSlotsTakeTurns(t *testing.T) {
	s := newSlots(1)
	holder := s.enter("sweep")
	if !holder.take() {
		t.Fatal("the only slot was not free")
	}
	var order []string
	names := map[*place]string{}
	wait := func(playbook, name string) {
		p := s.enter(playbook)
		names[p] = name
		p.take()
	}
	for i := range 3 {
		wait("sweep", fmt.Sprintf("sweep %d", i))
	}
	wait("incident", "incident 0")
	for range 4 {
		s.release()
		for p, name := range names {
			select {
			case <-p.granted:
				order = append(order, name)
			default:
			}
		}
	}
	want := "[sweep 0 incident 0 sweep 1 sweep 2]" // who comes waits one round, not for all
	if got := fmt.Sprint(order); got != want {
		t.Errorf("the order is %s, want %s", got, want)
	}
}

func TestSlotsOfManyAtOnce(t *testing.T) {
	const size, rounds = 3, 200
	s := newSlots(size)
	var busy, most atomic.Int64
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			p := s.enter(fmt.Sprintf("playbook %d", i%4))
			defer p.leave()
			for round := range rounds {
				if round%7 == 0 && !p.take() { // it is stopped while it waits
					p.rest()
				} else if round%7 == 0 {
					s.release()
				}
				if !p.take() {
					<-p.granted
				}
				n := busy.Add(1)
				for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
				}
				busy.Add(-1)
				s.release()
			}
		})
	}
	all.Wait()
	if most.Load() > size || s.free != size || len(s.lines) != 0 {
		t.Errorf("%d were used at once; %d are free, and %d playbooks left", most.Load(), s.free, len(s.lines))
	}
}
