package machine_test

import (
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/expression"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// waitFor is a step that waits for a time.
func waitFor(id string, d time.Duration) *program.Node {
	return &program.Node{ID: id, Form: program.FormWait, Wait: &program.Wait{For: expression.Literal(d)}, Output: engine.MapOf()}
}

func waitUntil(id, source string) *program.Node {
	return &program.Node{ID: id, Form: program.FormWait, Wait: &program.Wait{Until: value(source)}, Output: engine.MapOf()}
}

func waitSignal(id, name string) *program.Node {
	return &program.Node{
		ID: id, Form: program.FormWait, Wait: &program.Wait{Signal: name},
		Output: engine.MapOf(engine.Field{Name: "body", Type: engine.TypeAny()}),
	}
}

func TestWaits(t *testing.T) {
	runSpecs(t, []spec{
		{"for a time", playbook(waitFor("pause", time.Hour), look("a")), `
		start
			step pause waiting
			wake +1h0m0s
		+1h tick
			step pause succeeded
			run a {}
		answer a {}
			end succeeded {}
		`},
		{"a time that is past is not waited for", playbook(waitUntil("pause", "run.time"), look("a")), `
		start
			step pause waiting
			step pause succeeded
			run a {}
		answer a {}
			end succeeded {}
		`},
		{"until a time", playbook(waitUntil("pause", "run.time + duration('90m')")), `
		start
			step pause waiting
			wake +1h30m0s
		+1h30m tick
			step pause succeeded
			end succeeded {}
		`},
		{"what is no time fails", playbook(waitUntil("pause", "1")), `
		start
			step pause waiting
			step pause failed [invalid input at pause: the input does not fit: how long to wait is neither a duration nor a time]
			end failed [invalid input at pause: the input does not fit: how long to wait is neither a duration nor a time] null
		`},
		{"its own timeout comes first", playbook(within(time.Minute, waitFor("pause", time.Hour))), `
		start
			step pause waiting
			wake +1m0s
		+1m tick
			step pause failed [timeout timeout at pause: it took longer than 1m]
			end failed [timeout timeout at pause: it took longer than 1m] null
		`},
		{"beside other branches", playbook(parallel("p", branch("x", waitFor("pause", time.Hour)), branch("y", look("a")))), `
		start
			step p started
			step p/x/pause waiting
			run p/y/a {}
			wake +1h0m0s
		answer p/y/a {}
			wake +1h0m0s
		+1h tick
			step p/x/pause succeeded
			step p succeeded
			end succeeded {}
		`},
		{"cancelled", playbook(try("t", nodes{waitFor("pause", time.Hour)}, nil, nodes{look("f")})), `
		start
			step t started
			step t/try/pause waiting
			wake +1h0m0s
		cancel enough
			step t/try/pause cancelled [cancelled cancelled at t/try/pause: enough]
			run t/finally/f {}
		answer t/finally/f {}
			step t cancelled [cancelled cancelled at t/try/pause: enough]
			end cancelled [cancelled cancelled at : enough] null
		`},
		{"for a signal", giving(playbook(waitSignal("go", "begin")), "who=steps.go.body.who"), `
		start
			step go waiting
			parked
		signal other {"who":"nobody"}
			parked
		signal begin {"who":"ann"}
			step go succeeded
			end succeeded {"who":"ann"}
		`},
		{"a signal that came before is not lost", giving(playbook(look("a"), waitSignal("go", "begin"), waitSignal("again", "begin")), "first=steps.go.body", "second=steps.again.body"), `
		start
			run a {}
		signal begin 1
		signal begin 2
		answer a {}
			step go waiting
			step go succeeded
			step again waiting
			step again succeeded
			end succeeded {"first":1,"second":2}
		`},
		{"whoever waited longest gets the signal", playbook(parallel("p", branch("x", waitSignal("x", "go")), branch("y", waitSignal("y", "go")))), `
		start
			step p started
			step p/x/x waiting
			step p/y/y waiting
			parked
		signal go
			step p/x/x succeeded
			parked
		signal go
			step p/y/y succeeded
			step p succeeded
			end succeeded {}
		`},
		{"a signal that does not come in time", playbook(within(time.Hour, waitSignal("go", "begin"))), `
		start
			step go waiting
			wake +1h0m0s
			parked
		+1h tick
			step go failed [timeout timeout at go: it took longer than 1h]
			end failed [timeout timeout at go: it took longer than 1h] null
		`},
	})
}
