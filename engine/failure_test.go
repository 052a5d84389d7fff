package engine_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
)

func TestErrorsAreClassified(t *testing.T) {
	owner := engine.Fail(engine.ClassPermanent, "last_owner", "the last owner cannot be suspended")
	for name, tt := range map[string]struct {
		err  error
		want engine.Failure
	}{
		"a failure":         {owner, engine.Failure{Class: engine.ClassPermanent, Code: "last_owner", Message: "the last owner cannot be suspended"}},
		"a wrapped failure": {fmt.Errorf("suspending U1: %w", owner), engine.Failure{Class: engine.ClassPermanent, Code: "last_owner", Message: "suspending U1: the last owner cannot be suspended"}},
		"a deadline":        {context.DeadlineExceeded, engine.Failure{Class: engine.ClassTimeout, Code: "deadline", Message: "context deadline exceeded"}},
		"a cancellation":    {fmt.Errorf("reading: %w", context.Canceled), engine.Failure{Class: engine.ClassCancelled, Code: "cancelled", Message: "reading: context canceled"}},
		"anything else":     {errors.New("odd"), engine.Failure{Class: engine.ClassPermanent, Code: "error", Message: "odd"}},
	} {
		if got := engine.AsFailure(tt.err); *got != tt.want {
			t.Errorf("%s: %+v, want %+v", name, *got, tt.want)
		}
	}
	if got := engine.AsFailure(nil); got != nil {
		t.Errorf("no error became %v", got)
	}
}

func TestFailuresMatchByClassAndCode(t *testing.T) {
	err := fmt.Errorf("suspending: %w", engine.Fail(engine.ClassRefused, engine.CodeProtected, "protected"))
	for name, tt := range map[string]struct {
		target engine.Failure
		want   bool
	}{
		"class":          {engine.Failure{Class: engine.ClassRefused}, true},
		"class and code": {engine.Failure{Class: engine.ClassRefused, Code: engine.CodeProtected}, true},
		"other code":     {engine.Failure{Class: engine.ClassRefused, Code: engine.CodeMaxChanges}, false},
		"other class":    {engine.Failure{Class: engine.ClassAuth}, false},
	} {
		if got := errors.Is(err, &tt.target); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

func TestOnlyWhatMayPassIsRetried(t *testing.T) {
	for class, want := range map[engine.Class]bool{
		engine.ClassTransient: true, engine.ClassTimeout: true,
		engine.ClassInvalid: false, engine.ClassPermanent: false, engine.ClassAuth: false, engine.ClassNotFound: false,
		engine.ClassRefused: false, engine.ClassCancelled: false, engine.ClassUnsettled: false,
	} {
		if got := engine.Fail(class, "x", "x").Retryable(); got != want {
			t.Errorf("%s retryable: %v, want %v", class, got, want)
		}
	}
}
