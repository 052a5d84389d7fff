package cli

import (
	"errors"
	"fmt"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Exit codes, the same for every command.
const (
	exitFailed      = 1 // failed, denied or cancelled
	exitUsage       = 2 // wrong usage, or a playbook or configuration with errors
	exitWaiting     = 3 // waits for a person, or unsettled
	exitBlocked     = 4 // blocked by the guard, or drifted
	exitPartial     = 5
	exitInterrupted = 130
)

// exitError ends a command with a code. Without an error everything was said.
type exitError struct {
	code int
	err  error
}

// Error is the message that is still to be said.
func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

// Unwrap is the error that is still to be said.
func (e *exitError) Unwrap() error { return e.err }

// quit ends the command with a code; everything was said.
func quit(code int) error { return &exitError{code: code} }

// usage is an error that more care with the command line would have avoided.
func usage(format string, args ...any) error {
	return &exitError{code: exitUsage, err: fmt.Errorf(format, args...)}
}

// exitCode is the code for an error a command returned.
func exitCode(err error) int {
	var exit *exitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.code
	case errors.Is(err, engine.ErrNotFound):
		return exitUsage
	case errors.Is(err, &engine.Failure{Class: engine.ClassRefused}):
		return exitBlocked
	default:
		return exitFailed
	}
}

// exitOfRun is the code for a run. One that failed because nobody knows whether
// a change happened waits for a person like one that is unsettled.
func exitOfRun(r engine.RunRecord) int {
	if r.Status == engine.RunFailed && r.Error != nil && r.Error.Class == engine.ClassUnsettled {
		return exitWaiting
	}
	return exitOf(r.Status)
}

// exitOf is the code for a run that stands like this.
func exitOf(s engine.RunStatus) int {
	switch s {
	case engine.RunSucceeded:
		return 0
	case engine.RunPartial:
		return exitPartial
	case engine.RunBlocked, engine.RunDrifted:
		return exitBlocked
	case engine.RunWaiting, engine.RunUnsettled:
		return exitWaiting
	case engine.RunInterrupted, engine.RunRunning, engine.RunQueued:
		return exitInterrupted
	default:
		return exitFailed
	}
}
