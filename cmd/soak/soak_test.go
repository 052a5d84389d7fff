package main

import (
	"strings"
	"testing"
	"time"
)

// TestTwoThousandRuns: much more than there is room for, and the
// files stay within it. What it takes is not judged: the machine does other things.
func TestTwoThousandRuns(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes some seconds")
	}
	s := sizes{runs: 2000, budget: 25_000_000, every: 50, value: 20_000}
	f, err := soak(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%s", f)
	if err := f.judge(s, false); err != nil {
		t.Error(err)
	}
	if f.pruned < 500 || f.left < 300 || f.pruned+f.left != s.runs {
		t.Errorf("%d of %d runs were forgotten and %d are left", f.pruned, s.runs, f.left)
	}
}

func TestJudge(t *testing.T) {
	fine := figures{largest: 10, lists: []time.Duration{1}, held: []time.Duration{1}, prune: []time.Duration{1}}
	s := sizes{budget: 10}
	for what, spoil := range map[string]func(*figures){
		"":           func(*figures) {},
		"bytes":      func(f *figures) { f.largest = 11 },
		"problems":   func(f *figures) { f.problems = 1 },
		"the list":   func(f *figures) { f.lists = []time.Duration{time.Second} },
		"is held up": func(f *figures) { f.held = []time.Duration{time.Second} },
	} {
		f := fine
		spoil(&f)
		if err := f.judge(s, true); (err == nil) != (what == "") || err != nil && !strings.Contains(err.Error(), what) {
			t.Errorf("%q: got %v", what, err)
		}
	}
}
