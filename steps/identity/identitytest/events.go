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

// EventsWorld is a memory of events whose content is known. Of each kind there
// must be at least three pages in the window.
type EventsWorld struct {
	Events   identity.Events
	From, To time.Time
	Count    map[identity.EventKind]int // events in [From, To); no kind the service does not have
	Canaries []string
	Break    func(identity.EventKind, Fault) bool
	// Lacking are connections whose credentials may not read the kind, and how
	// the service calls what is missing.
	Lacking map[identity.EventKind]Lacking
	// Unread is the same service, where it can go on from a cursor.
	Unread identity.UnreadEvents
	// Happen makes one more event of the kind happen now; false where it cannot.
	Happen func(identity.EventKind) bool
}

// Lacking is a connection that may not read something.
type Lacking struct {
	Events  identity.Events
	Unread  identity.UnreadEvents // nil where the service has no cursors
	Feature string
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

// TestEvents runs the suite for every kind; open makes a fresh world for each test.
func TestEvents(t *testing.T, open func(*testing.T) EventsWorld) {
	for _, kind := range identity.EventKinds() {
		t.Run(string(kind), func(t *testing.T) {
			stream := func(t *testing.T) memory {
				w := open(t)
				if _, has := w.Count[kind]; !has {
					t.Skip("the service has no such events")
				}
				return memory{
					read: func(ctx context.Context, from, to time.Time) iter.Seq2[record, error] {
						return records(w.Events.Events(ctx, kind, from, to), func(e identity.Event) record { return record{e.ID, e.At} })
					},
					reach: w.Events.EventsReach(), from: w.From, to: w.To, count: w.Count[kind], canaries: w.Canaries,
					fail: func(f Fault) bool { return w.Break != nil && w.Break(kind, f) },
				}
			}
			testMemory(t, stream)
			t.Run("says which right is missing", func(t *testing.T) { open(t).saysWhatIsMissing(t, kind) })
			testUnread(t, kind, open)
		})
	}
}

func (w EventsWorld) saysWhatIsMissing(t *testing.T, kind identity.EventKind) {
	if err := w.Events.Require(t.Context(), kind); err != nil {
		t.Errorf("nothing is missing, but %v", err)
	}
	poor, has := w.Lacking[kind]
	if !has {
		t.Skip("there are no credentials without it")
	}
	err := poor.Events.Require(t.Context(), identity.EventKinds()...)
	checkError(t, err, w.Canaries, engine.ClassAuth)
	checkNames(t, err, poor.Feature)
	if poor.Unread != nil {
		_, err := poor.Unread.EventLog(t.Context(), kind)
		checkError(t, err, w.Canaries, engine.ClassAuth)
		checkNames(t, err, poor.Feature)
	}
}

// record is what all kinds of records have in common.
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
