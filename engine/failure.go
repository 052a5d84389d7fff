package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Class says what kind of failure it is and so what may follow: only
// transient and timeout failures are retried, refused ones cannot be caught.
type Class string

// The classes of failures.
const (
	ClassInvalid   Class = "invalid"   // the playbook or its inputs asked for something impossible
	ClassTransient Class = "transient" // may work when tried again
	ClassPermanent Class = "permanent" // will not work when tried again
	ClassAuth      Class = "auth"      // the credentials are missing, wrong or not allowed to
	ClassNotFound  Class = "not_found"
	ClassRefused   Class = "refused" // by the guard, by drift, by exclusion: Drawbridge would not
	ClassTimeout   Class = "timeout"
	ClassCancelled Class = "cancelled"
	ClassUnsettled Class = "unsettled" // nobody knows whether the change happened
)

// Codes the engine itself gives; providers add theirs (last_owner, rate_limited, …).
const (
	CodeMaxChanges = "max_changes" // the run's cap on changes was reached: the run ends blocked
	CodeMaxPercent = "max_percent" // the change set is too large a share of the directory
	CodeBudget     = "budget"      // all runs together have used up the connection's budget: the run ends blocked
	CodeFrozen     = "frozen"      // changes are frozen: the run ends blocked
	CodePolicy     = "policy"      // the configuration does not let this playbook do that
	CodeHeld       = "held"        // a hold keeps the target as it is: the item is refused
	CodeProtected  = "protected"   // the target is protected: the item is refused
	CodeExcluded   = "excluded"    // the approvers left it out: the item is refused
	CodeDrift      = "drift"       // the target is not as it was planned or approved: the item is refused
	CodeOutside    = "outside"     // a change that is not in the approved set: the run ends drifted
	CodeDenied     = "denied"      // somebody said no: the run ends denied
	CodeExpired    = "expired"     // nobody decided in time: the run ends denied
	CodeExpression = "expression"  // an expression could not be evaluated
	CodeFailStep   = "fail"        // a `fail` step
)

// Failure is an error in the shape that is stored, shown and handed to
// playbooks as steps.<id>.error. Its message never contains a secret.
type Failure struct {
	Class     Class     `json:"class"`
	Code      string    `json:"code"`
	Message   string    `json:"message"`
	Step      string    `json:"step"`       // path of the step it happened in; filled in by the machine
	NotBefore time.Time `json:"not_before"` // the service asked not to be called before; zero when it did not
}

// Fail makes a failure.
func Fail(class Class, code, format string, args ...any) *Failure {
	return &Failure{Class: class, Code: code, Message: fmt.Sprintf(format, args...)}
}

// Error is the message with the class in front.
func (f *Failure) Error() string { return string(f.Class) + ": " + f.Message }

// Is makes errors.Is(err, &Failure{Class: …}) and {Class, Code} match by those fields.
func (f *Failure) Is(target error) bool {
	t, ok := target.(*Failure)
	return ok && t.Class == f.Class && (t.Code == "" || t.Code == f.Code)
}

// Retryable reports whether trying again may help.
func (f *Failure) Retryable() bool { return f.Class == ClassTransient || f.Class == ClassTimeout }

// Uncertain reports whether a change that failed like this may have happened:
// the call was cut off, or its reply never came.
func (f *Failure) Uncertain() bool {
	switch f.Class {
	case ClassTransient, ClassTimeout, ClassCancelled, ClassUnsettled:
		return true
	default:
		return false
	}
}

// AsFailure classifies an error: a wrapped *Failure keeps its class and code
// but takes the whole chain's message, in which the class is not said again.
// Context errors become timeout and cancelled, everything else is permanent.
// It is nil for nil.
func AsFailure(err error) *Failure {
	if err == nil {
		return nil
	}
	var f *Failure
	if errors.As(err, &f) {
		c := *f
		if direct, ok := err.(*Failure); !ok || direct != f { //nolint:errorlint // asks whether err itself is the failure or wraps it
			c.Message = strings.Replace(err.Error(), f.Error(), f.Message, 1) // its class stands beside it
		}
		return &c
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return &Failure{Class: ClassTimeout, Code: "deadline", Message: err.Error()}
	case errors.Is(err, context.Canceled):
		return &Failure{Class: ClassCancelled, Code: "cancelled", Message: err.Error()}
	default:
		return &Failure{Class: ClassPermanent, Code: "error", Message: err.Error()}
	}
}

// FailureType is the type of steps.<id>.error.
func FailureType() Type {
	return MapOf(
		Field{Name: "class", Type: EnumOf("invalid", "transient", "permanent", "auth", "not_found", "refused", "timeout", "cancelled", "unsettled")},
		Field{Name: "code", Type: TypeString()},
		Field{Name: "message", Type: TypeString()},
		Field{Name: "step", Type: TypeString()},
	)
}

// Value is the failure as expressions see it.
func (f *Failure) Value() map[string]any {
	return map[string]any{"class": string(f.Class), "code": f.Code, "message": f.Message, "step": f.Step}
}
