package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/sim"
)

func at(seconds float64) time.Time {
	return time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(seconds * float64(time.Second)))
}

func ordered(id, playbook, order string) engine.RunRecord {
	return engine.RunRecord{ID: id, Playbook: playbook, Status: engine.RunSucceeded, Trigger: json.RawMessage(`{"body":{"order":"` + order + `"}}`)}
}

func fired(id string, t time.Time) engine.RunRecord {
	return engine.RunRecord{
		ID: id, Playbook: "tick", Status: engine.RunSucceeded, CreatedAt: t, Trigger: json.RawMessage(`{"kind":"schedule","time":"` + t.Format(time.RFC3339) + `"}`),
	}
}

func changed(user string, op sim.Operation, seconds float64) sim.Change {
	return sim.Change{User: user, Operation: op, At: at(seconds), Changed: true}
}

// spotless is a campaign in which nothing went wrong.
func spotless() evidence {
	e := evidence{
		orders: []order{
			{ID: "order-1", Hook: "contain", Users: []string{"a", "b"}, Run: "run_1"},
			{ID: "order-2", Hook: "lend", Users: []string{"c"}, Run: "run_2"},
		},
		runs: []engine.RunRecord{ordered("run_1", "contain", "order-1"), ordered("run_2", "lend", "order-2")},
		grants: []engine.Grant{
			{ID: "gnt_1", Run: "run_2", State: engine.GrantEnded},
		},
		changes: []sim.Change{
			changed("a", sim.OpSuspend, 1), changed("b", sim.OpSuspend, 1), changed("c", sim.OpReactivate, 2), changed("c", sim.OpSuspend, 30),
		},
		messages: []sim.Message{{Text: "order-1 ends"}, {Text: "order-2 ends"}},
		up:       []span{{at(0), at(4)}, {at(29), at(40)}}, // down when the grant was due
		ticks:    map[string]time.Duration{"tick": 2 * time.Second},
		until:    at(40),
	}
	for s := 2; s <= 38; s += 2 {
		e.runs = append(e.runs, fired(fmt.Sprintf("tick_%d", s), at(float64(s))))
	}
	return e
}

// TestJudge doctors a spotless campaign in every way a server could fail, and
// each must be found.
func TestJudge(t *testing.T) {
	for name, c := range map[string]struct {
		doctor func(*evidence)
		want   string // "" for no violation
	}{
		"nothing":                        {func(*evidence) {}, ""},
		"a delivery was lost":            {func(e *evidence) { e.runs = e.runs[1:] }, "order-1 to contain was acknowledged as run_1, and its runs are []"},
		"a delivery has two runs":        {func(e *evidence) { e.runs = append(e.runs, ordered("run_9", "contain", "order-1")) }, "its runs are [run_1 run_9]"},
		"another run was acknowledged":   {func(e *evidence) { e.orders[0].Run = "run_7" }, "acknowledged as run_7"},
		"a run is stuck":                 {func(e *evidence) { e.runs[0].Status = engine.RunWaiting }, "run_1 of contain order-1 is waiting"},
		"a run failed":                   {func(e *evidence) { e.runs[1].Status = engine.RunFailed }, "run_2 of lend order-2 is failed"},
		"an account was left out":        {func(e *evidence) { e.changes = e.changes[1:] }, "a (order-1 contain run_1) was changed by []"},
		"an account was changed twice":   {func(e *evidence) { e.changes = append(e.changes, changed("a", sim.OpSuspend, 3)) }, "changed by [users.suspend users.suspend]"},
		"a change was asked for again":   {func(e *evidence) { again(e, false) }, "a (order-1 contain run_1) was asked for again"},
		"the answer before was lost":     {func(e *evidence) { again(e, true) }, ""},
		"an account of nobody":           {func(e *evidence) { e.changes = append(e.changes, changed("z", sim.OpSuspend, 3)) }, "users.suspend of z at 12:00:03.000 was ordered by nobody"},
		"access was left":                {func(e *evidence) { e.changes = e.changes[:3] }, "c (order-2 lend run_2) was changed by [users.reactivate]"},
		"access ended too soon":          {func(e *evidence) { e.changes[3].At = at(4) }, "taken back after 2s, not 3s"},
		"access ended too late":          {func(e *evidence) { e.changes[3].At = at(36) }, "taken back after a server had been up for 7s past its time"},
		"a grant is left":                {func(e *evidence) { e.grants[0].State = engine.GrantArmed }, "gnt_1 of run_2 () is armed"},
		"a fire time was missed":         {func(e *evidence) { e.runs = append(e.runs[:5], e.runs[6:]...) }, "tick has no run for 12:00:08.000"},
		"a fire time has two runs":       {func(e *evidence) { e.runs = append(e.runs, fired("tick_x", at(8))) }, "tick has 2 runs for 12:00:08.000: tick_8, tick_x"},
		"a run fired between fire times": {func(e *evidence) { e.runs = append(e.runs, fired("tick_x", at(9))) }, "which is no fire time"},
		"a run fired at no time":         {func(e *evidence) { e.runs[3].Trigger = nil }, "tick_4 of tick has no fire time"},
		"a schedule stopped":             {func(e *evidence) { e.runs = e.runs[:6] }, "tick fired for the last time"},
		"a schedule never fired":         {func(e *evidence) { e.runs = e.runs[:2] }, "tick never fired"},
		"a run of the end is not over":   {func(e *evidence) { e.runs[len(e.runs)-1].Status = engine.RunInterrupted }, ""},
		"an older run is not over":       {func(e *evidence) { e.runs[4].Status = engine.RunInterrupted }, "tick_6 of tick  is interrupted"},
		"a message was never sent":       {func(e *evidence) { e.messages = e.messages[:1] }, "the message of order-2 lend run_2 was never sent"},
	} {
		t.Run(name, func(t *testing.T) {
			e := spotless()
			c.doctor(&e)
			got := strings.Join(judge(e), "\n")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// again has the account a be asked to be suspended once more, in vain.
func again(e *evidence, lost bool) {
	e.changes[0].Lost = lost
	more := changed("a", sim.OpSuspend, 3)
	more.Changed = false
	e.changes = append(e.changes, more)
}

func TestOrdersShareNoAccount(t *testing.T) {
	a := accounts{}
	for i := range 200 {
		a.active, a.suspended = append(a.active, fmt.Sprintf("a%d", i)), append(a.suspended, fmt.Sprintf("s%d", i))
	}
	taken := map[string]bool{}
	random := chance(7, 0)
	for n := range 1000 {
		o, ok := a.take(n, random)
		if !ok {
			continue
		}
		body, err := o.body()
		if err != nil || !strings.Contains(string(body), o.ID) {
			t.Fatalf("the body of %s is %s: %v", o.ID, body, err)
		}
		for _, user := range o.Users {
			if taken[user] || !strings.Contains(string(body), `"`+user+`"`) {
				t.Errorf("%s of %s is taken already or not in %s", user, o.ID, body)
			}
			taken[user] = true
		}
	}
	if len(taken) < 300 {
		t.Errorf("only %d accounts were taken", len(taken))
	}
}
