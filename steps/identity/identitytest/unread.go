package identitytest

import (
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
)

// testUnread runs what is asked of a service that goes on from a cursor.
func testUnread(t *testing.T, kind identity.EventKind, open func(*testing.T) EventsWorld) {
	for name, test := range map[string]func(*testing.T, EventsWorld, identity.EventKind){
		"going on from any cursor misses nothing":     goesOn,
		"where everything was read nothing is unread": isDrained,
		"what happens afterwards is unread":           seesWhatHappens,
		"reading what is unread is complete or fails": unreadIsComplete,
		"a cursor that is none is refused":            refusesCursors,
		"a log is known without its credentials":      knowsItsLog,
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t)
			if _, has := w.Count[kind]; w.Unread == nil || !has {
				t.Skip("the service has no such events, or no cursors")
			}
			test(t, w, kind)
		})
	}
}

// after reads what is behind a cursor, at most so many pages, 0 for all: the
// ids, and where to go on.
func (w EventsWorld) after(t *testing.T, kind identity.EventKind, cursor string, from time.Time, most int) (ids map[string]bool, next string, err error) {
	t.Helper()
	ids, next = map[string]bool{}, cursor
	pages := 0
	for page, err := range w.Unread.EventsAfter(t.Context(), kind, cursor, from) {
		if err != nil {
			return ids, next, err
		}
		if page.Cursor == "" {
			t.Fatal("a page has no cursor")
		}
		for _, e := range page.Events {
			ids[e.ID] = true
		}
		next = page.Cursor
		if pages++; pages == most {
			break
		}
	}
	if pages == 0 {
		t.Error("there was not one page, and so no cursor")
	}
	return ids, next, nil
}

func goesOn(t *testing.T, w EventsWorld, kind identity.EventKind) {
	whole, _, err := w.after(t, kind, "", w.From, 0)
	if err != nil || len(whole) < w.Count[kind] {
		t.Fatalf("read %d events of at least %d, %v", len(whole), w.Count[kind], err)
	}
	pieces, cursor := map[string]bool{}, ""
	for range len(whole) + 3 {
		ids, next, err := w.after(t, kind, cursor, w.From, 1)
		if err != nil {
			t.Fatal(err)
		}
		for id := range ids {
			pieces[id] = true
		}
		if next == cursor || len(pieces) == len(whole) {
			break
		}
		cursor = next
	}
	if len(pieces) != len(whole) {
		t.Errorf("page by page there are %d of %d events", len(pieces), len(whole))
	}
}

func isDrained(t *testing.T, w EventsWorld, kind identity.EventKind) {
	_, cursor, err := w.after(t, kind, "", w.From, 0)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		ids, next, err := w.after(t, kind, cursor, time.Time{}, 0)
		if err != nil || len(ids) > 0 {
			t.Errorf("%d events came again, %v", len(ids), err)
		}
		cursor = next
	}
}

func seesWhatHappens(t *testing.T, w EventsWorld, kind identity.EventKind) {
	_, cursor, err := w.after(t, kind, "", w.To.Add(-time.Hour), 0)
	if err != nil {
		t.Fatal(err)
	}
	if w.Happen == nil || !w.Happen(kind) {
		t.Skip("nothing of the kind can be made happen")
	}
	ids, _, err := w.after(t, kind, cursor, time.Time{}, 0)
	if err != nil || len(ids) != 1 {
		t.Errorf("one event happened, and %d are unread, %v", len(ids), err)
	}
}

func unreadIsComplete(t *testing.T, w EventsWorld, kind identity.EventKind) {
	for _, fault := range []Fault{PageFails, PageRepeats, PageEndless} {
		t.Run(string(fault), func(t *testing.T) {
			if w.Break == nil || !w.Break(kind, fault) {
				t.Skip("the service cannot be made to fail so")
			}
			ids, _, err := w.after(t, kind, "", w.From, 0)
			if err == nil {
				t.Fatalf("it ended after %d of %d events as if it were complete", len(ids), w.Count[kind])
			}
			checkError(t, err, w.Canaries, engine.ClassTransient, engine.ClassPermanent)
		})
	}
	for _, fault := range []Fault{PageDuplicates, PageDisorder, PageCut} {
		t.Run(string(fault), func(t *testing.T) {
			if !w.Break(kind, fault) {
				t.Skip("the service cannot be made to fail so")
			}
			ids, _, err := w.after(t, kind, "", w.From, 0)
			if err != nil || len(ids) < w.Count[kind] {
				t.Errorf("read %d events of at least %d, %v", len(ids), w.Count[kind], err)
			}
		})
	}
}

func refusesCursors(t *testing.T, w EventsWorld, kind identity.EventKind) {
	_, others, err := w.after(t, otherKind(kind), "", w.To.Add(-time.Hour), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, cursor := range []string{"no-cursor-of-ours", others} {
		_, _, err := w.after(t, kind, cursor, time.Time{}, 0)
		checkError(t, err, w.Canaries, engine.ClassInvalid)
		if f := engine.AsFailure(err); f == nil || f.Code != identity.CodeCursorRefused {
			t.Errorf("got %v, want the code %s", err, identity.CodeCursorRefused)
		}
	}
}

func otherKind(kind identity.EventKind) identity.EventKind {
	if kind == identity.EventSignIns {
		return identity.EventItemUsages
	}
	return identity.EventSignIns
}

func knowsItsLog(t *testing.T, w EventsWorld, kind identity.EventKind) {
	log, err := w.Unread.EventLog(t.Context(), kind)
	if err != nil || log.Credentials == "" || log.Version == "" {
		t.Fatalf("got %+v, %v", log, err)
	}
	NoLeak(t, log.Credentials+" "+log.Version, w.Canaries...)
	if again, err := w.Unread.EventLog(t.Context(), kind); err != nil || again != log {
		t.Errorf("the second time it is %+v, %v", again, err)
	}
	for _, other := range w.Lacking {
		if other.Unread == nil {
			continue
		}
		if theirs, err := other.Unread.EventLog(t.Context(), kind); err == nil && theirs.Credentials == log.Credentials {
			t.Error("other credentials have the same log")
		}
	}
}
