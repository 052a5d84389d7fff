// Package local is the embedded runtime: it carries out runs in this process,
// from a store. It feeds what happened to the machine, commits what the machine
// asks to record, and only then does what the machine asks to do. A process
// that dies at any moment loses nothing: the run is continued from its last
// snapshot and the events after it, and a change of which only the intent is
// known is read back from its service before anything is repeated.
package local
