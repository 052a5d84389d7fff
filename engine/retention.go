package engine

import "time"

// Retention says what a store may forget. A zero limit limits nothing.
//
// What never goes, whatever the limits say: runs that are not over, and those
// that a run which stays has retried or taken back; requests that are pending;
// grants, and the runs of those about which people are asked at their end; freezes; the audit trail; runs whose changes a budget still counts; and the
// run that was recorded last.
type Retention struct {
	Now   time.Time     // from which ages are counted back
	Actor Actor         // on whose behalf, for the audit trail
	Runs  time.Duration // runs go that ended longer ago
	Keep  int           // how many finished runs stay at most, the newest
	Plans time.Duration // plans go that were made longer ago and never applied
	// Deliveries is how long a webhook call that was taken is remembered; after
	// that the same would be taken again.
	Deliveries time.Duration
	// Bytes is how large the store may be. From nine tenths of it on, the oldest
	// finished runs go until it is down to eight.
	Bytes int64
	// KeepChanges is how long a run stays after its last change: the longest
	// window of any budget.
	KeepChanges time.Duration
	// DryRun counts what would go and removes nothing.
	DryRun bool
}

// Pruned is what a store has forgotten.
type Pruned struct {
	Runs    int   `json:"runs"`    // with their steps, items, journals, answers and approvals
	Plans   int   `json:"plans"`   // with their answers
	Values  int   `json:"values"`  // that nobody referred to any more
	Bundles int   `json:"bundles"` // that nobody referred to any more
	Freed   int64 `json:"freed"`   // bytes the store has become smaller
	Bytes   int64 `json:"bytes"`   // how large it is now
	// First is the oldest run that went; "" where none did.
	First string `json:"first"`
	// Over reports that the store is larger than it may be and that nothing more may go.
	Over bool `json:"over"`
}
