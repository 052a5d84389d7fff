// Package guard decides whether a change may be made: how many targets a run
// may change at most, and which targets no run may change. Its rules are pure;
// the Ledger, which counts, may be used by several goroutines.
package guard
