package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test binary be one of the processes that are measured.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && strings.HasPrefix(os.Args[1], "measured-") {
		if err := dispatch(context.Background(), os.Args[1:], os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// TestQuickBench sees that everything that is measured can be.
func TestQuickBench(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the binary and starts a dozen processes")
	}
	var out strings.Builder
	err := bench(t.Context(), quickSize(), &out)
	t.Logf("\n%s", out.String())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"durable steps, 1 at a time", "durable steps, 16 at a time", "durable steps, 64 at a time", "sweep of 3000 users",
		"its memory, at the peak", "a run of 60 changes", "its requests per change", "its memory, beside a tenth of them", "foreach over 500 items, memory", "its time per item", "a run of two steps",
		"300 parked runs", "the last of 20 due at once",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table has no line %q", want)
		}
	}
}

func TestMissedBoundsAreCounted(t *testing.T) {
	var out strings.Builder
	table := newTable(&out)
	table.add(row{what: "a", bound: "≥ 1"})
	table.add(row{what: "b", bound: "≥ 1", missed: true})
	table.add(row{what: "c"})
	if table.missed() != 1 || strings.Count(out.String(), "MISSED") != 1 || strings.Count(out.String(), " ok\n") != 1 {
		t.Errorf("%d missed:\n%s", table.missed(), out.String())
	}
}

func TestFigures(t *testing.T) {
	all := []measured{{3 * time.Second, 5}, {time.Second, 9}, {2 * time.Second, 7}}
	if fastest(all).time != time.Second || median(all) != 2*time.Second || peak(all) != 9 {
		t.Errorf("fastest %v, median %v, peak %d", fastest(all).time, median(all), peak(all))
	}
	for d, want := range map[time.Duration]string{1500 * time.Microsecond: "1.5 ms", 2340 * time.Millisecond: "2.34 s"} {
		if got := seconds(d); got != want {
			t.Errorf("seconds(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestDispatchRefusesWhatItDoesNotKnow(t *testing.T) {
	for _, args := range [][]string{{"-frobnicate"}, {childLoop, "many", "."}, {"-only", "nothing"}} {
		if err := dispatch(t.Context(), args, &strings.Builder{}); err == nil {
			t.Errorf("%v was taken", args)
		}
	}
}
