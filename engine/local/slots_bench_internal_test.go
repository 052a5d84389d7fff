package local

import "testing"

// BenchmarkSlots takes and gives back a slot that nobody else wants.
func BenchmarkSlots(b *testing.B) {
	s := newSlots(64)
	p := s.enter("main")
	defer p.leave()
	for b.Loop() {
		p.take()
		s.release()
		p.rest()
	}
}
