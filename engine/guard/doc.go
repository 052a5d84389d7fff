// Package guard decides whether changes may be made, and who may say so: how
// many targets, and which share of all, a run may change at most; how many all
// runs together; which targets no run may change; which connections and actions
// a playbook may use (Policy); and who may approve what exceeds that (People).
// Its rules are pure; the Ledger, which counts, may be used by several
// goroutines.
package guard
