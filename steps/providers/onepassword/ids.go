package onepassword

import "hash/maphash"

// ids notices an id that comes twice. It keeps 8 bytes of each in small tables
// that grow one by one, so that a million cost some 12 MB and no growth needs
// room for all of them twice.
type ids struct {
	seed   maphash.Seed
	tables [256]table
}

func newIDs() *ids { return &ids{seed: maphash.MakeSeed()} }

// add reports whether the id is new. That two ids have the same 64 bits is
// less likely than one in ten million for a million of them.
func (s *ids) add(id string) bool {
	h := maphash.String(s.seed, id) | 1 // 0 marks a free place
	return s.tables[h>>56].add(h)
}

// table is a hash table with open addressing.
type table struct {
	places []uint64
	used   int
}

func (t *table) add(h uint64) bool {
	if 4*t.used >= 3*len(t.places) {
		t.grow()
	}
	if !put(t.places, h) {
		return false
	}
	t.used++
	return true
}

func (t *table) grow() {
	larger := make([]uint64, max(2*len(t.places), 64))
	for _, h := range t.places {
		if h != 0 {
			put(larger, h)
		}
	}
	t.places = larger
}

// put fills the first free place for h; false when h has one already.
func put(places []uint64, h uint64) bool {
	mask := uint64(len(places) - 1)
	for i := h >> 1 & mask; ; i = (i + 1) & mask {
		switch places[i] {
		case h:
			return false
		case 0:
			places[i] = h
			return true
		}
	}
}
