package sqlite

import "sync/atomic"

// Stats counts what a store has written since it was opened, so that a
// benchmark can let the bare driver write the same.
type Stats struct {
	Transactions int64 // and so flushes of the disk
	Batches      int64 // commits that succeeded
	Rows         int64 // inserted or replaced
	Bytes        int64 // of the rows' values, a number counting as eight
}

// Minus is what was written between two readings.
func (s Stats) Minus(before Stats) Stats {
	return Stats{
		Transactions: s.Transactions - before.Transactions,
		Batches:      s.Batches - before.Batches,
		Rows:         s.Rows - before.Rows,
		Bytes:        s.Bytes - before.Bytes,
	}
}

type counters struct{ transactions, batches, rows, bytes atomic.Int64 }

// add counts a transaction that was committed.
func (c *counters) add(group []*request) {
	c.transactions.Add(1)
	for _, r := range group {
		c.batches.Add(1)
		c.bytes.Add(r.bytes)
		for _, op := range r.ops {
			if op.kind != trimJournal {
				c.rows.Add(1)
			}
		}
	}
}

func (c *counters) read() Stats {
	return Stats{
		Transactions: c.transactions.Load(), Batches: c.batches.Load(),
		Rows: c.rows.Load(), Bytes: c.bytes.Load(),
	}
}
