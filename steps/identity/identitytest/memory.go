package identitytest

import (
	"context"
	"iter"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// memory is a service that remembers records of one kind.
type memory struct {
	read     func(ctx context.Context, from, to time.Time) iter.Seq2[record, error]
	reach    time.Duration
	from, to time.Time
	count    int
	canaries []string
	fail     func(Fault) bool
}

func testMemory(t *testing.T, open func(*testing.T) memory) {
	for name, test := range map[string]func(memory, *testing.T){
		"reads everything in the window":          memory.readsAll,
		"windows side by side leave nothing out":  memory.splits,
		"an empty window is empty":                memory.isEmpty,
		"reading can be left":                     memory.canBeLeft,
		"reading is complete or fails":            memory.isComplete,
		"a broken page is asked for again":        memory.asksAgain,
		"a record may come twice, but none less":  memory.toleratesDuplicates,
		"the order of records does not matter":    memory.toleratesDisorder,
		"asking too far back is an error":         memory.knowsItsReach,
		"cancelling ends it":                      memory.endsWhenCancelled,
		"refused credentials are an auth failure": memory.isRefused,
	} {
		t.Run(name, func(t *testing.T) { test(open(t), t) })
	}
}

// collect reads a window: how often each record came, and how it ended.
func (m memory) collect(t *testing.T, from, to time.Time) (map[string]int, error) {
	t.Helper()
	seen := map[string]int{}
	for r, err := range m.read(t.Context(), from, to) {
		if err != nil {
			return seen, err
		}
		if r.at.Before(from) || !r.at.Before(to) {
			t.Errorf("%s of %v is not in [%v, %v)", r.id, r.at, from, to)
		}
		if r.id == "" {
			t.Error("a record has no id")
		}
		seen[r.id]++
	}
	return seen, nil
}

func (m memory) breaks(t *testing.T, f Fault) {
	t.Helper()
	if m.fail == nil || !m.fail(f) {
		t.Skipf("the service cannot be made to fail so: %s", f)
	}
}

func (m memory) readsAll(t *testing.T) {
	seen, err := m.collect(t, m.from, m.to)
	if err != nil || len(seen) != m.count {
		t.Errorf("read %d of %d records, %v", len(seen), m.count, err)
	}
}

func (m memory) splits(t *testing.T) {
	all := map[string]int{}
	middle := m.from.Add(m.to.Sub(m.from) / 3)
	for _, w := range [][2]time.Time{{m.from, middle}, {middle, m.to}} {
		part, err := m.collect(t, w[0], w[1])
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(all, part)
	}
	if len(all) != m.count {
		t.Errorf("two windows have %d of %d records", len(all), m.count)
	}
}

func (m memory) isEmpty(t *testing.T) {
	seen, err := m.collect(t, m.to, m.to)
	if err != nil || len(seen) != 0 {
		t.Errorf("read %d records, %v", len(seen), err)
	}
}

func (m memory) canBeLeft(t *testing.T) {
	for range 3 {
		for _, err := range m.read(t.Context(), m.from, m.to) {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
	}
}

func (m memory) isComplete(t *testing.T) {
	for _, fault := range []Fault{PageFails, PageRepeats, PageEndless} {
		t.Run(string(fault), func(t *testing.T) {
			m.breaks(t, fault)
			seen, err := m.collect(t, m.from, m.to)
			if err == nil {
				t.Fatalf("it ended after %d of %d records as if it were complete", len(seen), m.count)
			}
			checkError(t, err, m.canaries, engine.ClassTransient, engine.ClassPermanent)
		})
	}
}

func (m memory) asksAgain(t *testing.T) {
	m.breaks(t, PageCut)
	m.readsAll(t)
}

func (m memory) toleratesDuplicates(t *testing.T) {
	m.breaks(t, PageDuplicates)
	m.readsAll(t)
}

func (m memory) toleratesDisorder(t *testing.T) {
	m.breaks(t, PageDisorder)
	m.readsAll(t)
}

func (m memory) knowsItsReach(t *testing.T) {
	_, err := m.collect(t, m.to.Add(-m.reach-day), m.to)
	checkError(t, err, m.canaries, engine.ClassInvalid)
	if _, err := m.collect(t, m.to.Add(-m.reach+day), m.from); err != nil {
		t.Errorf("a day less than the reach: %v", err)
	}
}

const day = 24 * time.Hour

func (m memory) endsWhenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	count := 0
	var ended error
	for _, err := range m.read(ctx, m.from, m.to) {
		if ended = err; err != nil {
			break
		}
		count++
		cancel()
	}
	checkError(t, ended, m.canaries, engine.ClassCancelled)
	if count == m.count {
		t.Error("everything came in spite of it")
	}
}

func (m memory) isRefused(t *testing.T) {
	m.breaks(t, Refused)
	_, err := m.collect(t, m.from, m.to)
	checkError(t, err, m.canaries, engine.ClassAuth)
}

// checkNames looks for a word in an error.
func checkNames(t *testing.T, err error, word string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), word) {
		t.Errorf("got %v, which does not name %s", err, word)
	}
}
