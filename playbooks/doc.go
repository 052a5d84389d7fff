// Package playbooks reads playbooks: YAML with positions, then a tree of
// steps, then checks that compile every expression against the types of what
// is certain to have run before it, then a program the machine can carry out.
//
// Everything wrong in a playbook, and in those it calls, is reported at once,
// as data that points at a line and a column. The keys of the language stand
// in one table (keys.go), from which both the checks and the JSON Schema come.
package playbooks
