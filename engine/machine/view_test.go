package machine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/machine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

func viewText(v machine.View) string {
	var b strings.Builder
	fmt.Fprintln(&b, v.Status)
	writeViews(&b, v.Root, "")
	return b.String()
}

func writeViews(b *strings.Builder, views []machine.StepView, indent string) {
	for _, v := range views {
		fmt.Fprintf(b, "%s%s %q %s", indent, v.Path, v.Title, v.Status)
		if v.Total > 0 {
			fmt.Fprintf(b, " %d done, %d failed of %d", v.Counts[engine.OutcomeDone], v.Counts[engine.OutcomeFailed], v.Total)
		}
		if !v.Wake.IsZero() {
			fmt.Fprintf(b, " until +%s", v.Wake.Sub(epoch()))
		}
		fmt.Fprintf(b, "%s\n", failureText(v.Failure))
		writeViews(b, v.Steps, indent+"  ")
	}
}

func TestView(t *testing.T) {
	named := block("b", set("s", "n=1"), goingOn(look("gone")), parallel("p",
		branch("x", wide(2, byKey(suspending()))),
		branch("y", wide(1, keyed("item.id", "item.name", each("f", "inputs.list", when("false", look("no")), retrying(2, "fixed", time.Minute, 0, look("a"))))))))
	named.Name = "Contain them"
	w := newTeller(t, playbook(&program.Node{Form: program.FormUses, Uses: call("look", engine.Observe, nil)}, named))
	if got := w.m.View().Status; got != engine.RunQueued {
		t.Errorf("before its start the run is %s", got)
	}
	for _, line := range []string{
		`start {"list":[{"id":"a","name":"Ann"},{"id":"b","name":"Bob"},{"id":"c","name":"Cy"}]}`,
		`answer uses~1`, `fail b/gone permanent gone`, `answer b/p/x/e[a] {} done`, `fail b/p/x/e[b] permanent gone`, `fail b/p/y/f[a]/a transient busy`,
	} {
		w.apply(w.event(line))
	}
	want := `running
uses~1 "look" succeeded
b "Contain them" started
  b/s "s" succeeded
  b/gone "gone" failed [permanent gone at b/gone: it went wrong]
  b/p "p" started
    b/p/x/e "e" started 1 done, 1 failed of 3
      b/p/x/e[c] "Cy" started
    b/p/y/f "f" started 0 done, 0 failed of 3
      b/p/y/f[a] "Ann" started
        b/p/y/f[a]/no "no" skipped
        b/p/y/f[a]/a "a" waiting until +1m0s [transient busy at b/p/y/f[a]/a: it went wrong]
`
	if diff := cmp.Diff(want, viewText(w.m.View())); diff != "" {
		t.Errorf("the view is another (-want +got):\n%s", diff)
	}
	w.apply(w.event(`answer b/p/x/e[c] {} done`))
	if got := w.m.View().Status; got != engine.RunWaiting {
		t.Errorf("a run that waits for time only is %s", got)
	}
}

func TestOutstanding(t *testing.T) {
	w := newTeller(t, playbook(parallel("p", branch("x", within(time.Second, look("a"))), branch("y", look("b")), branch("z", itemsRead(suspending())))))
	w.apply(w.event(`start {"list":[{"id":"a"}]}`))
	w.apply(w.event(`answer p/z/e[0] {} done`))
	w.apply(w.event(`+1s tick`))
	a, b := w.call("p/x/a"), w.call("p/y/b")
	want := []machine.Command{a, machine.CancelStep{Frame: a.Frame}, b, machine.CollectItems{Frame: w.collect["p/z/e"], Path: "p/z/e"}}
	if diff := cmp.Diff(want, w.m.Outstanding()); diff != "" {
		t.Errorf("the run waits for something else (-want +got):\n%s", diff)
	}
}

// TestBurst checks that loops which wait for nothing neither block the driver
// nor need more from it than being woken.
func TestBurst(t *testing.T) {
	for name, step := range map[string]*program.Node{
		"foreach": each("e", "1..2500", when("item > 2500", look("never"))),
		"while":   while("w", "index < 2500", 3000, when("false", look("never"))),
		"nested":  each("e", "1..50", while("w", "index < 50", 60, when("false", look("never")))),
	} {
		t.Run(name, func(t *testing.T) {
			w := newTeller(t, playbook(step))
			w.apply(w.event("start"))
			wakes := 0
			for _, over := w.m.Done(); !over; _, over = w.m.Done() {
				if at, ok := w.m.NextWake(); !ok || at.After(epoch()) {
					t.Fatalf("after %d wakes the run wants to be woken %v, %v", wakes, at, ok)
				}
				if before := len(w.lines); wakes > 0 && before > 3*1000*(wakes+1) {
					t.Fatalf("%d commands after %d events", before, wakes)
				}
				w.apply(w.event("tick"))
				wakes++
			}
			if wakes < 2 || wakes > 4 {
				t.Errorf("it took %d wakes", wakes)
			}
			if result, _ := w.m.Done(); result.Status != engine.RunSucceeded {
				t.Errorf("the run ended %s", result.Status)
			}
		})
	}
}

// TestBurstCancelled checks that a cancelled run passes over what is left in
// bursts as well, and records every item.
func TestBurstCancelled(t *testing.T) {
	w := newTeller(t, playbook(each("e", "1..5000", look("a"))))
	w.apply(w.event("start"))
	w.apply(w.event("cancel enough"))
	w.apply(w.event("fail e[0]/a cancelled"))
	for range 10 {
		w.apply(w.event("tick"))
	}
	items := 0
	for _, line := range w.lines {
		if strings.HasPrefix(line, "  item ") {
			items++
		}
	}
	if result, over := w.m.Done(); !over || result.Status != engine.RunCancelled || items != 5000 {
		t.Errorf("over: %v, %s, %d items", over, result.Status, items)
	}
}
