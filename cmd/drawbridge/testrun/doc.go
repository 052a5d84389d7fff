// Package testrun carries playbook tests out: offline, against the simulators,
// with a clock that nobody has to wait for, many at a time.
package testrun
