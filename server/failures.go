package server

import (
	"net/netip"
	"sync"
	"time"
)

// Limits on deliveries that could not prove where they come from.
const (
	maxFailures   = 20          // of one address within failureWindow
	failureWindow = time.Minute // counted from the first of them
	maxAddresses  = 4096        // that are remembered; the oldest are forgotten first
)

// failures counts refused deliveries by the address they came from, in bounded
// memory. It may be used by several goroutines.
type failures struct {
	mu    sync.Mutex
	known map[netip.Prefix]*failing
	order []netip.Prefix // by when they were first seen
}

type failing struct {
	since time.Time
	count int
}

func newFailures() *failures { return &failures{known: map[netip.Prefix]*failing{}} }

// wait is how long an address must wait before it is heard again; 0 for not at all.
func (f *failures) wait(remote string, now time.Time) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	one := f.known[source(remote)]
	if one == nil || one.count < maxFailures {
		return 0
	}
	return max(0, one.since.Add(failureWindow).Sub(now))
}

// add counts a refused delivery.
func (f *failures) add(remote string, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	from := source(remote)
	one := f.known[from]
	if one == nil {
		f.forgetOldest()
		one = &failing{since: now}
		f.known[from], f.order = one, append(f.order, from)
	}
	if now.Sub(one.since) >= failureWindow {
		one.since, one.count = now, 0
	}
	one.count++
}

func (f *failures) forgetOldest() {
	if len(f.order) < maxAddresses {
		return
	}
	delete(f.known, f.order[0])
	f.order = append(f.order[:0], f.order[1:]...)
}

// source is what is counted together: one IPv4 address, or the /64 that one
// subscriber has of IPv6.
func source(remote string) netip.Prefix {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{}
	}
	addr, bits := at.Addr().Unmap().WithZone(""), 64
	if addr.Is4() {
		bits = 32
	}
	return netip.PrefixFrom(addr, bits).Masked()
}
