package identitytest

import (
	"context"
	"iter"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
)

// SignInsWorld is a memory of sign-ins whose content is known. The window must
// take at least three pages.
type SignInsWorld struct {
	SignIns  identity.SignIns
	From, To time.Time
	Count    int // attempts in [From, To)
	Canaries []string
	Break    func(Fault) bool // as DirectoryWorld's
}

// EventsWorld is the same for item usages.
type EventsWorld struct {
	Events   identity.Events
	From, To time.Time
	Count    int // usages in [From, To)
	Canaries []string
	Break    func(Fault) bool
	// Lacking are connections whose credentials may not read everything, by
	// the name of the feature that is missing.
	Lacking map[string]identity.Events
}

// TestSignIns runs the suite; open makes a fresh world for each test.
func TestSignIns(t *testing.T, open func(*testing.T) SignInsWorld) {
	stream := func(t *testing.T) memory {
		w := open(t)
		return memory{
			read: func(ctx context.Context, from, to time.Time) iter.Seq2[record, error] {
				return records(w.SignIns.SignIns(ctx, from, to), func(s identity.SignIn) record { return record{s.ID, s.At} })
			},
			reach: w.SignIns.SignInsReach(), from: w.From, to: w.To, count: w.Count, canaries: w.Canaries, fail: w.Break,
		}
	}
	testMemory(t, stream)
	t.Run("every attempt has a result", func(t *testing.T) {
		w := open(t)
		for s, err := range w.SignIns.SignIns(t.Context(), w.From, w.To) {
			if err != nil {
				t.Fatal(err)
			}
			switch s.Result {
			case identity.SignInSuccess, identity.SignInFailed, identity.SignInMFAFailed, identity.SignInBlocked:
			default:
				t.Errorf("%s ended as %q", s.ID, s.Result)
			}
			if s.UserID == "" && s.Email == "" {
				t.Errorf("%s is about nobody", s.ID)
			}
		}
	})
}

// TestEvents runs the suite; open makes a fresh world for each test.
func TestEvents(t *testing.T, open func(*testing.T) EventsWorld) {
	stream := func(t *testing.T) memory {
		w := open(t)
		return memory{
			read: func(ctx context.Context, from, to time.Time) iter.Seq2[record, error] {
				return records(w.Events.ItemUsages(ctx, from, to), func(u identity.ItemUsage) record { return record{u.ID, u.At} })
			},
			reach: w.Events.EventsReach(), from: w.From, to: w.To, count: w.Count, canaries: w.Canaries, fail: w.Break,
		}
	}
	testMemory(t, stream)
	t.Run("says which feature is missing", func(t *testing.T) {
		w := open(t)
		if err := w.Events.Require(t.Context()); err != nil {
			t.Errorf("nothing is missing, but %v", err)
		}
		for feature, events := range w.Lacking {
			err := events.Require(t.Context())
			checkError(t, err, w.Canaries, engine.ClassAuth)
			checkNames(t, err, feature)
		}
	})
}

// record is what the two kinds of records have in common.
type record struct {
	id string
	at time.Time
}

func records[T any](all iter.Seq2[T, error], as func(T) record) iter.Seq2[record, error] {
	return func(yield func(record, error) bool) {
		for r, err := range all {
			if !yield(as(r), err) {
				return
			}
		}
	}
}
