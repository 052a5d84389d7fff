// Package machine carries out playbooks as a pure state machine: events go in,
// commands come out, and nothing else happens. It has no clock, no goroutine,
// no I/O and no randomness, and it ranges over no map, so the same events lead
// to the same commands wherever and whenever they are applied. A run is
// continued after a crash by restoring its last snapshot and applying the
// events after it; it costs nothing but its snapshot while it sleeps.
//
// A run is a tree of frames: a sequence holds the step it has come to, a step
// holds the sequences of its body, branches, items or rounds. Whatever has
// ended leaves the tree; what later expressions may read of it stays in the
// scope it belongs to, and large values stay outside the state, by reference.
//
// Rules that are decided here:
//   - Items of a foreach and branches of a parallel are independent: one that
//     fails does not stop the others. A refusal outweighs a failure, and a
//     failure outweighs a return.
//   - Stopping is joined: whatever is in flight is asked to stop and awaited
//     before catch, finally or the next step. A finally cannot be stopped from
//     outside.
//   - A timeout limits one attempt of an action's call, and the whole of any
//     other step.
//   - Timers that are due at once fire in the order of their times, an outer
//     one before an inner one; what they begin begins at the time of the event,
//     so that time during which nothing ran counts against nobody.
package machine
