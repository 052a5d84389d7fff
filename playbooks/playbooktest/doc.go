// Package playbooktest is what *.test.yaml files say: what a playbook is given,
// in which tenant, at what time, and what must come of it.
//
// Parse reads a file into a Suite, Bind holds it against the playbook it is
// about, Judge compares what happened with what was expected, and Cover counts
// what of a playbook its tests have reached. Carrying the tests out is the
// command line's: only it knows the runtime and the simulators.
package playbooktest
