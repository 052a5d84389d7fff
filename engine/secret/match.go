package secret

import (
	"cmp"
	"slices"
)

// text is what a matcher looks through.
type text interface{ ~string | ~[]byte }

// matcher finds any of many needles. Needles are found by their first two
// bytes: nearly every position of a text without secrets costs one look into a
// bitmap. It is immutable.
type matcher struct {
	first   [1 << 10]uint64 // a bit for every pair of bytes a needle begins with
	needles map[uint16][]needle
	longest int
}

// needle is one form of a secret. A needle that only ever stands in escaped
// text is as good as any other: what is found is removed.
type needle string

func newMatcher(forms []string) *matcher {
	m := &matcher{needles: make(map[uint16][]needle)}
	for _, form := range slices.Compact(slices.Sorted(slices.Values(forms))) {
		p := pair(form, 0)
		m.first[p>>6] |= 1 << (p & 63)
		m.needles[p] = append(m.needles[p], needle(form))
		m.longest = max(m.longest, len(form))
	}
	for _, list := range m.needles {
		slices.SortStableFunc(list, func(a, b needle) int { return cmp.Compare(len(b), len(a)) })
	}
	return m
}

func pair[T text](s T, at int) uint16 { return uint16(s[at])<<8 | uint16(s[at+1]) }

// find is the first needle in s at or behind from, the longest of those that
// begin there; start is len(s) when there is none.
func find[T text](m *matcher, s T, from int) (start, end int) {
	for i := from; i+1 < len(s); i++ {
		p := pair(s, i)
		if m.first[p>>6]&(1<<(p&63)) == 0 {
			continue
		}
		for _, n := range m.needles[p] {
			if hasPrefix(s[i:], n) {
				return i, i + len(n)
			}
		}
	}
	return len(s), len(s)
}

func hasPrefix[T text](s T, n needle) bool {
	return len(s) >= len(n) && string(s[:len(n)]) == string(n)
}

// unfinished is where the tail of s begins that could be the beginning of a
// needle that the next write completes; len(s) when nothing could.
func (m *matcher) unfinished(s []byte) int {
	for i := max(0, len(s)-m.longest+1); i < len(s); i++ {
		if m.begins(s[i:]) {
			return i
		}
	}
	return len(s)
}

func (m *matcher) begins(tail []byte) bool {
	if len(tail) == 1 {
		return m.beginsWith(tail[0])
	}
	for _, n := range m.needles[pair(tail, 0)] {
		if len(n) > len(tail) && string(n[:len(tail)]) == string(tail) {
			return true
		}
	}
	return false
}

// beginsWith looks at the 256 bits that share a first byte.
func (m *matcher) beginsWith(c byte) bool {
	row := m.first[int(c)<<2 : int(c)<<2+4]
	return row[0]|row[1]|row[2]|row[3] != 0
}
