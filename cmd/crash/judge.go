package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/sim"
)

// evidence is everything that is known at the end of a campaign. Times of the
// tenant are by the harness's clock.
type evidence struct {
	orders   []order // those that were acknowledged
	runs     []engine.RunRecord
	grants   []engine.Grant
	changes  []sim.Change
	messages []sim.Message
	up       []span
	ticks    map[string]time.Duration // how often each scheduled playbook fires
	until    time.Time                // when the last server was told to stop
}

// tolerance is how long a server may be up before it takes back what is due.
const tolerance = 5 * time.Second

// early is how much too soon a change may seem to be taken back: the time
// counts from when the call began, and the tenant notes when it answered.
const early = 750 * time.Millisecond

// judge lists every violation, with the runs it is about.
func judge(e evidence) []string {
	var out []string
	for _, check := range []func(evidence) []string{
		judgeDeliveries, judgeEnds, judgeChanges, judgeStrangers, judgeGrants, judgeFires, judgeMessages,
	} {
		out = append(out, check(e)...)
	}
	return out
}

// judgeDeliveries: each acknowledged delivery has exactly one run, that one.
func judgeDeliveries(e evidence) []string {
	var out []string
	runs := map[string][]string{} // by order
	for _, r := range e.runs {
		if id := orderOf(r); id != "" {
			runs[id] = append(runs[id], r.ID)
		}
	}
	for _, o := range e.orders {
		if got := runs[o.ID]; len(got) != 1 || got[0] != o.Run {
			out = append(out, fmt.Sprintf("%s to %s was acknowledged as %s, and its runs are %v", o.ID, o.Hook, o.Run, got))
		}
	}
	return out
}

// orderOf is the order that a run was started by.
func orderOf(r engine.RunRecord) string {
	var trigger struct {
		Body struct {
			Order string `json:"order"`
		} `json:"body"`
	}
	if json.Unmarshal(r.Trigger, &trigger) != nil { // one without a trigger
		return ""
	}
	return trigger.Body.Order
}

// settling is how young a run of a schedule may be that had not ended when the
// last server stopped.
const settling = 10 * time.Second

// judgeEnds: every run has succeeded, but those that had just begun.
func judgeEnds(e evidence) []string {
	var out []string
	for _, r := range e.runs {
		young := e.ticks[r.Playbook] > 0 && e.until.Sub(r.CreatedAt) < settling
		if r.Status == engine.RunSucceeded || young && !r.Status.Final() {
			continue
		}
		why := ""
		if r.Error != nil {
			why = ": " + r.Error.Message
		}
		out = append(out, fmt.Sprintf("%s of %s %s is %s%s", r.ID, r.Playbook, orderOf(r), r.Status, why))
	}
	return out
}

// judgeChanges: every account changed exactly as its order wants, and was not
// asked to be again by somebody who had been told.
func judgeChanges(e evidence) []string {
	var out []string
	seen := byUser(e.changes)
	for _, o := range e.orders {
		for _, user := range o.Users {
			var done []sim.Operation
			for i, c := range seen[user] {
				if c.Changed {
					done = append(done, c.Operation)
				} else if i == 0 || !seen[user][i-1].Lost {
					out = append(out, fmt.Sprintf("%s of %s (%s) was asked for again at %s, though its answer was not lost", c.Operation, user, about(o), clock(c.At)))
				}
			}
			if !slices.Equal(done, o.wanted()) {
				out = append(out, fmt.Sprintf("%s (%s) was changed by %v, and should be by %v", user, about(o), done, o.wanted()))
			}
		}
	}
	return out
}

func about(o order) string { return o.ID + " " + o.Hook + " " + o.Run }

func clock(t time.Time) string { return t.Format("15:04:05.000") }

func byUser(all []sim.Change) map[string][]sim.Change {
	out := map[string][]sim.Change{}
	for _, c := range all {
		out[c.User] = append(out[c.User], c)
	}
	return out
}

// judgeStrangers: nothing was changed that nobody ordered.
func judgeStrangers(e evidence) []string {
	ordered := map[string]bool{}
	for _, o := range e.orders {
		for _, user := range o.Users {
			ordered[user] = true
		}
	}
	var out []string
	for _, c := range e.changes {
		if !ordered[c.User] {
			out = append(out, fmt.Sprintf("%s of %s at %s was ordered by nobody", c.Operation, c.User, clock(c.At)))
		}
	}
	return out
}

// judgeGrants: what was lent was taken back, not too soon, and not much later
// than a server was there to do it; and no grant is left.
func judgeGrants(e evidence) []string {
	var out []string
	seen := byUser(e.changes)
	for _, o := range e.orders {
		if len(o.wanted()) != 2 {
			continue
		}
		var done []sim.Change
		for _, c := range seen[o.Users[0]] {
			if c.Changed {
				done = append(done, c)
			}
		}
		if len(done) != 2 {
			continue // judgeChanges says so
		}
		due := done[0].At.Add(lent)
		if done[1].At.Before(due.Add(-early)) {
			out = append(out, fmt.Sprintf("%s (%s) was taken back after %s, not %s", o.Users[0], about(o), done[1].At.Sub(done[0].At), lent))
		}
		if late := upBetween(e.up, due, done[1].At); late > tolerance {
			out = append(out, fmt.Sprintf("%s (%s) was taken back after a server had been up for %s past its time, %s", o.Users[0], about(o), late, clock(due)))
		}
	}
	for _, g := range e.grants {
		if g.State != engine.GrantEnded {
			out = append(out, fmt.Sprintf("%s of %s (%s) is %s", g.ID, g.Run, g.Target.ID, g.State))
		}
	}
	return out
}

// upBetween is for how long a server was up between two times.
func upBetween(up []span, from, to time.Time) time.Duration {
	total := time.Duration(0)
	for _, s := range up {
		a, b := s.from, s.to
		if a.Before(from) {
			a = from
		}
		if b.IsZero() || b.After(to) {
			b = to
		}
		if b.After(a) {
			total += b.Sub(a)
		}
	}
	return total
}

// judgeFires: from the first to the last fire time of each schedule there is
// exactly one run for each.
func judgeFires(e evidence) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(e.ticks)) {
		at := map[time.Time][]string{}
		var first, last time.Time
		for _, r := range e.runs {
			if r.Playbook != name {
				continue
			}
			t, err := fireTime(r)
			if err != nil {
				out = append(out, fmt.Sprintf("%s of %s has no fire time: %v", r.ID, name, err))
				continue
			}
			at[t] = append(at[t], r.ID)
			if first.IsZero() || t.Before(first) {
				first = t
			}
			if t.After(last) {
				last = t
			}
		}
		out = append(out, judgeSeries(e, name, at, first, last)...)
	}
	return out
}

func judgeSeries(e evidence, name string, at map[time.Time][]string, first, last time.Time) []string {
	every := e.ticks[name]
	if len(at) == 0 {
		return []string{name + " never fired"}
	}
	var out []string
	for t := first; !t.After(last); t = t.Add(every) {
		switch runs := at[t]; len(runs) {
		case 0:
			out = append(out, fmt.Sprintf("%s has no run for %s", name, clock(t)))
		case 1:
		default:
			out = append(out, fmt.Sprintf("%s has %d runs for %s: %s", name, len(runs), clock(t), strings.Join(runs, ", ")))
		}
		delete(at, t)
	}
	for t, runs := range at {
		out = append(out, fmt.Sprintf("%s has %v for %s, which is no fire time", name, runs, t.Format(time.RFC3339Nano)))
	}
	if behind := e.until.Sub(last); behind > 2*every+settling {
		out = append(out, fmt.Sprintf("%s fired for the last time %s before the end", name, behind))
	}
	return out
}

func fireTime(r engine.RunRecord) (time.Time, error) {
	var trigger struct {
		Time time.Time `json:"time"`
	}
	if err := json.Unmarshal(r.Trigger, &trigger); err != nil {
		return time.Time{}, fmt.Errorf("reading the trigger: %w", err)
	}
	return trigger.Time.UTC(), nil
}

// judgeMessages: every order's message was sent, at least once.
func judgeMessages(e evidence) []string {
	sent := map[string]bool{}
	for _, m := range e.messages {
		sent[m.Text] = true
	}
	var out []string
	for _, o := range e.orders {
		if !sent[o.ID+" ends"] {
			out = append(out, fmt.Sprintf("the message of %s was never sent", about(o)))
		}
	}
	return out
}
