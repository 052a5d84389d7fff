package machine_test

import (
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/expression"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

func TestUses(t *testing.T) {
	withDefault := look("a", "id=inputs.id")
	withDefault.Uses.Declared = []engine.Field{
		{Name: "id", Type: engine.TypeString(), Required: true},
		{Name: "limit", Type: engine.TypeInteger(), Default: int64(10)},
		{Name: "where", Type: engine.TypeString()},
	}
	runSpecs(t, []spec{
		{"outputs of one step are read by the next", giving(playbook(look("a"), look("b", "id=steps.a.id")), "n=steps.b.n"), `
		start
			run a {}
		answer a {"id":"x"}
			run b {"id":"x"}
		answer b {"n":7}
			end succeeded {"n":7}
		`},
		{"declared inputs are filled in, and absent ones stay absent", taking(playbook(withDefault), anything("id")...), `
		start {"id":"x"}
			run a {"id":"x","limit":10}
		answer a
			end succeeded {}
		`},
		{"a required input that is null fails the step", taking(playbook(withDefault), engine.Field{Name: "id", Type: engine.Maybe(engine.TypeString())}), `
		start {"id":null}
			step a failed [invalid input at a: the input does not fit: id is missing]
			end failed [invalid input at a: the input does not fit: id is missing] null
		`},
		{"a failure ends the run", playbook(look("a"), look("b")), `
		start
			run a {}
		fail a permanent gone
			end failed [permanent gone at a: it went wrong] null
		`},
		{"on_error: continue goes on, and the run is partial at best", giving(playbook(goingOn(look("a")), look("b")), "why=steps.a.error.code", "status=steps.a.status"), `
		start
			run a {}
		fail a permanent gone
			run b {}
		answer b
			end partial {"status":"failed","why":"gone"}
		`},
		{"an answer for another attempt or a step that is over is ignored", playbook(look("a"), look("b")), `
		start
			run a {}
		answer a {"id":"x"}
			run b {}
		answer a {"id":"y"}
		fail a permanent
		answer b
			end succeeded {}
		answer b
		tick
		cancel too late
		`},
		{"an expression that cannot be evaluated fails the step, by name", playbook(block("outer", look("a", "id=1 / inputs.none"))), `
		start
			step outer started
			step outer/a failed [invalid expression at outer/a: id: evaluating '1 / inputs.none': 'inputs.none' is missing]
			step outer failed [invalid expression at outer/a: id: evaluating '1 / inputs.none': 'inputs.none' is missing]
			end failed [invalid expression at outer/a: id: evaluating '1 / inputs.none': 'inputs.none' is missing] null
		`},
		{"run tells who, when and which", playbook(set("about", "id=run.id", "time=run.time", "actor=run.actor", "attempt=run.attempt"),
			look("a", "id=steps.about.id", "time=steps.about.time", "actor=run.actor", "attempt=run.attempt")), `
		start
			step about succeeded
			run a {"actor":"alice","attempt":1,"id":"run_1","time":"2026-03-01T12:00:00.000Z"}
		answer a
			end succeeded {}
		`},
	})
}

func TestBlocks(t *testing.T) {
	runSpecs(t, []spec{
		{"a block is a part of the path, and its steps are visible after it", giving(playbook(block("b", look("a"), block("", look("c")))), "id=steps.c.id"), `
		start
			step b started
			run b/a {}
		answer b/a
			step b/steps~2 started
			run b/steps~2/c {}
		answer b/steps~2/c {"id":"x"}
			step b/steps~2 succeeded
			step b succeeded
			end succeeded {"id":"x"}
		`},
		{"a condition that is false skips the step", giving(playbook(when("false", look("a")), when("steps.a.status == 'skipped'", look("b"))), "a=steps.a.status", "id=steps.a.id"), `
		start
			step a skipped
			run b {}
		answer b
			end succeeded {"a":"skipped","id":null}
		`},
		{"else runs instead", playbook(otherwise(when("inputs.n > 5", block("b", look("a"))), look("c"))), `
		start {"n":1}
			step b started
			run b/else/c {}
		answer b/else/c
			step b succeeded
			end succeeded {}
		`},
		{"a failure in a block is the block's", giving(playbook(goingOn(block("b", look("a"), look("never")))), "at=steps.b.error.step", "never=steps.never.status"), `
		start
			step b started
			run b/a {}
		fail b/a permanent gone
			step b failed [permanent gone at b/a: it went wrong]
			end partial {"at":"b/a","never":"skipped"}
		`},
		{"a condition that cannot be evaluated fails the step", playbook(when("inputs.n > 5", look("a"))), `
		start {"n":"x"}
			step a failed [invalid expression at a: evaluating 'inputs.n > 5': it cannot be told: a string and an integer have no order]
			end failed [invalid expression at a: evaluating 'inputs.n > 5': it cannot be told: a string and an integer have no order] null
		`},
	})
}

func TestSet(t *testing.T) {
	runSpecs(t, []spec{
		{"values are computed at once", giving(playbook(set("s", "double=inputs.n * 2", "list=[1, 2]"), look("a", "n=steps.s.double")), "list=steps.s.list"), `
		start {"n":4}
			step s succeeded
			run a {"n":8}
		answer a
			end succeeded {"list":[1,2]}
		`},
	})
}

func TestSwitch(t *testing.T) {
	number := switchOn("s", "inputs.n", nil, branch("1", look("one")), branch("2", look("two")))
	number.Branches[0].Match, number.Branches[1].Match = int64(1), int64(2)
	states := func() *program.Node {
		return switchOn("s", "inputs.state", nodes{look("other")}, branch("active", look("a")), branch("not/there", look("b")))
	}
	runSpecs(t, []spec{
		{"the case that matches runs", playbook(states()), `
		start {"state":"active"}
			step s started
			run s/active/a {}
		answer s/active/a
			step s succeeded
			end succeeded {}
		`},
		{"a case's name is escaped in the path", playbook(states()), `
		start {"state":"not/there"}
			step s started
			run s/not%2Fthere/b {}
		answer s/not%2Fthere/b
			step s succeeded
			end succeeded {}
		`},
		{"default runs where none matches", playbook(states()), `
		start {"state":"gone"}
			step s started
			run s/default/other {}
		answer s/default/other
			step s succeeded
			end succeeded {}
		`},
		{"without a default nothing runs", playbook(number), `
		start {"n":3}
			step s started
			step s skipped
			end succeeded {}
		`},
		{"integers match integers", playbook(number), `
		start {"n":2}
			step s started
			run s/2/two {}
		answer s/2/two
			step s succeeded
			end succeeded {}
		`},
	})
}

func TestWhile(t *testing.T) {
	runSpecs(t, []spec{
		{"the condition reads what the last round left", playbook(while("w", "steps.a.n == nil || steps.a.n < 2", 5, look("a", "round=index"))), `
		start
			step w started
			run w[0]/a {"round":0}
		answer w[0]/a {"n":1}
			run w[1]/a {"round":1}
		answer w[1]/a {"n":2}
			step w succeeded
			end succeeded {}
		`},
		{"the round after max fails the step", giving(playbook(goingOn(while("w", "true", 2, look("a")))), "why=steps.w.error.message"), `
		start
			step w started
			run w[0]/a {}
		answer w[0]/a
			run w[1]/a {}
		answer w[1]/a
			step w failed [permanent max_rounds at w: its condition still holds after 2 rounds]
			end partial {"why":"its condition still holds after 2 rounds"}
		`},
		{"a return leaves the loop and the playbook", playbook(while("w", "true", 9, when("index == 1", returnStep("enough"))), look("never")), `
		start
			step w started
			step w[0]/return~1 skipped
			step w[1]/return~1 succeeded: enough
			step w succeeded
			end succeeded {}
		`},
		{"a failure in a round ends it", playbook(while("w", "true", 9, look("a"))), `
		start
			step w started
			run w[0]/a {}
		fail w[0]/a permanent
			step w failed [permanent  at w[0]/a: it went wrong]
			end failed [permanent  at w[0]/a: it went wrong] null
		`},
	})
}

func TestParallel(t *testing.T) {
	runSpecs(t, []spec{
		{"branches run side by side and are joined", giving(playbook(parallel("p", branch("x", look("a"), look("b")), branch("y", look("c"))), look("d", "id=steps.a.id")), "c=steps.c.id"), `
		start
			step p started
			run p/x/a {}
			run p/y/c {}
		answer p/y/c {"id":"c"}
		answer p/x/a {"id":"a"}
			run p/x/b {}
		answer p/x/b
			step p succeeded
			run d {"id":"a"}
		answer d
			end succeeded {"c":"c"}
		`},
		{"a branch that fails does not stop the others", playbook(parallel("p", branch("x", look("a")), branch("y", look("b"), look("c"))), look("never")), `
		start
			step p started
			run p/x/a {}
			run p/y/b {}
		fail p/x/a permanent gone
		answer p/y/b
			run p/y/c {}
		answer p/y/c
			step p failed [permanent gone at p/x/a: it went wrong]
			end failed [permanent gone at p/x/a: it went wrong] null
		`},
		{"a refusal outweighs a failure", playbook(parallel("p", branch("x", suspend("a")), branch("y", suspend("b")))), `
		start
			step p started
			run p/x/a {}
			run p/y/b {}
		fail p/x/a permanent gone
		fail p/y/b refused protected
			step p refused [refused protected at p/y/b: it went wrong]
			end blocked [refused protected at p/y/b: it went wrong] null
		`},
		{"a return stops the other branches and awaits them", playbook(parallel("p", branch("x", look("a"), returnStep("done")), branch("y", look("b"), look("never"))), look("never2")), `
		start
			step p started
			run p/x/a {}
			run p/y/b {}
		answer p/x/a
			step p/x/return~2 succeeded: done
			stop p/y/b
		answer p/y/b
			step p succeeded
			end succeeded {}
		`},
		{"a failure before the return counts, one after it does not", playbook(parallel("p",
			branch("x", look("a")), branch("y", look("b"), returnStep("done")), branch("z", look("c")))), `
		start
			step p started
			run p/x/a {}
			run p/y/b {}
			run p/z/c {}
		fail p/x/a permanent gone
		answer p/y/b
			step p/y/return~2 succeeded: done
			stop p/z/c
		fail p/z/c cancelled
			step p failed [permanent gone at p/x/a: it went wrong]
			end failed [permanent gone at p/x/a: it went wrong] null
		`},
		{"what was asked for by the event that stops it is never begun", playbook(parallel("p", branch("x", look("a")), branch("y", returnStep("")), branch("z", look("b")))), `
		start
			step p started
			step p/y/return~1 succeeded
			step p/x/a cancelled [cancelled returned at p/x/a: the playbook returned before it ended]
			step p succeeded
			end succeeded {}
		`},
	})
}

func TestTry(t *testing.T) {
	guarded := func(after ...*program.Node) *program.Program {
		return playbook(append(nodes{try("t", nodes{look("a"), look("b")}, nodes{look("c", "why=steps.t.error.code")}, nodes{look("f", "status=steps.t.status")})}, after...)...)
	}
	runSpecs(t, []spec{
		{"finally runs after success", guarded(), `
		start
			step t started
			run t/try/a {}
		answer t/try/a
			run t/try/b {}
		answer t/try/b
			run t/finally/f {"status":"succeeded"}
		answer t/finally/f
			step t succeeded
			end succeeded {}
		`},
		{"catch handles a failure, and it does not count", guarded(look("next")), `
		start
			step t started
			run t/try/a {}
		fail t/try/a permanent gone
			run t/catch/c {"why":"gone"}
		answer t/catch/c
			run t/finally/f {"status":"succeeded"}
		answer t/finally/f
			step t succeeded
			run next {}
		answer next
			end succeeded {}
		`},
		{"a failure in catch counts, after finally", guarded(look("never")), `
		start
			step t started
			run t/try/a {}
		fail t/try/a permanent gone
			run t/catch/c {"why":"gone"}
		fail t/catch/c permanent worse
			run t/finally/f {"status":"failed"}
		answer t/finally/f
			step t failed [permanent worse at t/catch/c: it went wrong]
			end failed [permanent worse at t/catch/c: it went wrong] null
		`},
		{"a refusal is not caught, but finally runs", guarded(), `
		start
			step t started
			run t/try/a {}
		fail t/try/a refused protected
			run t/finally/f {"status":"refused"}
		answer t/finally/f
			step t refused [refused protected at t/try/a: it went wrong]
			end blocked [refused protected at t/try/a: it went wrong] null
		`},
		{"a failure in finally counts where nothing else went wrong", guarded(), `
		start
			step t started
			run t/try/a {}
		answer t/try/a
			run t/try/b {}
		answer t/try/b
			run t/finally/f {"status":"succeeded"}
		fail t/finally/f permanent late
			step t failed [permanent late at t/finally/f: it went wrong]
			end failed [permanent late at t/finally/f: it went wrong] null
		`},
		{"a failure before finally outweighs one in it", playbook(try("t", nodes{look("a")}, nil, nodes{look("f")})), `
		start
			step t started
			run t/try/a {}
		fail t/try/a permanent first
			run t/finally/f {}
		fail t/finally/f permanent second
			step t failed [permanent first at t/try/a: it went wrong]
			end failed [permanent first at t/try/a: it went wrong] null
		`},
		{"return runs finally", playbook(try("t", nodes{returnStep("enough")}, nodes{look("c")}, nodes{look("f")}), look("never")), `
		start
			step t started
			step t/try/return~1 succeeded: enough
			run t/finally/f {}
		answer t/finally/f
			step t succeeded
			end succeeded {}
		`},
		{"an empty catch swallows the failure", playbook(try("t", nodes{look("a")}, nodes{}, nil), look("next")), `
		start
			step t started
			run t/try/a {}
		fail t/try/a permanent gone
			step t succeeded
			run next {}
		answer next
			end succeeded {}
		`},
		{"the try's own timeout is not caught by it, and does not reach its finally", playbook(
			goingOn(within(10*time.Second, try("t", nodes{look("a")}, nodes{look("c")}, nodes{look("f")}))), look("next")), `
		start
			step t started
			run t/try/a {}
			wake +10s
		+10s tick
			stop t/try/a
		fail t/try/a cancelled
			run t/finally/f {}
		+30s answer t/finally/f
			step t failed [timeout timeout at t: it took longer than 10s]
			run next {}
		answer next
			end partial {}
		`},
	})
}

func TestCall(t *testing.T) {
	sub := giving(taking(playbook(look("a", "id=inputs.id"), when("inputs.n > 10", returnStep("too many")), look("b", "trigger=trigger")),
		engine.Field{Name: "id", Type: engine.TypeString(), Required: true},
		engine.Field{Name: "n", Type: engine.TypeInteger(), Default: int64(3), Maximum: new(int64(99))}), "found=steps.a.id", "b=steps.b.status")
	sub.Name, sub.Hash = "sub", "hash-of-sub"
	caller := func(after nodes, pairs ...string) *program.Program {
		n, attach := calling("c", sub, pairs...)
		return attach(giving(playbook(append(nodes{look("a"), n}, after...)...), "found=steps.c.found", "a=steps.a.id"))
	}
	runSpecs(t, []spec{
		{"a called playbook has inputs, names and outputs of its own", caller(nodes{look("z", "id=steps.c.found")}, "id=steps.a.id"), `
		start
			run a {}
		answer a {"id":"outer"}
			step c started
			run c/call/a {"id":"outer"}
		answer c/call/a {"id":"inner"}
			step c/call/return~2 skipped
			run c/call/b {}
		answer c/call/b
			step c succeeded
			run z {"id":"inner"}
		answer z
			end succeeded {"a":"outer","found":"inner"}
		`},
		{"a return in it ends only the called playbook", caller(nodes{look("z")}, "id='x'", "n=11"), `
		start
			run a {}
		answer a
			step c started
			run c/call/a {"id":"x"}
		answer c/call/a {"id":"inner"}
			step c/call/return~2 succeeded: too many
			step c succeeded
			run z {}
		answer z
			end succeeded {"a":null,"found":"inner"}
		`},
		{"its failure is the call's", caller(nodes{look("never")}, "id='x'"), `
		start
			run a {}
		answer a
			step c started
			run c/call/a {"id":"x"}
		fail c/call/a permanent gone
			step c failed [permanent gone at c/call/a: it went wrong]
			end failed [permanent gone at c/call/a: it went wrong] null
		`},
		{"an input of the wrong type fails the call", caller(nil, "id=7"), `
		start
			run a {}
		answer a
			step c started
			step c failed [invalid input at c: the input does not fit: id: value does not have its declared type: it must be string, not an integer]
			end failed [invalid input at c: the input does not fit: id: value does not have its declared type: it must be string, not an integer] null
		`},
		{"an input out of its bounds fails the call", caller(nil, "id='x'", "n=100"), `
		start
			run a {}
		answer a
			step c started
			step c failed [invalid input at c: the input does not fit: n is out of its bounds]
			end failed [invalid input at c: the input does not fit: n is out of its bounds] null
		`},
		{"a missing input fails the call", caller(nil, "id=steps.a.id"), `
		start
			run a {}
		answer a
			step c started
			step c failed [invalid input at c: the input does not fit: id is missing]
			end failed [invalid input at c: the input does not fit: id is missing] null
		`},
	})
}

func TestFailAndReturn(t *testing.T) {
	interpolated := failStep("")
	interpolated.Fail = expression.Interpolated([]expression.Part{{Literal: "there are "}, {Expr: bare("inputs.n")}})
	runSpecs(t, []spec{
		{"fail ends the run with its message", playbook(interpolated, look("never")), `
		start {"n":3}
			step fail~1 failed [permanent fail at fail~1: there are 3]
			end failed [permanent fail at fail~1: there are 3] null
		`},
		{"fail can be caught", playbook(try("t", nodes{failStep("no")}, nodes{look("c", "why=steps.t.error.message")}, nil)), `
		start
			step t started
			step t/try/fail~1 failed [permanent fail at t/try/fail~1: no]
			run t/catch/c {"why":"no"}
		answer t/catch/c
			step t succeeded
			end succeeded {}
		`},
		{"return ends the run as succeeded, with its outputs", giving(playbook(look("a"), returnStep("nothing to do"), look("never")), "id=steps.a.id", "never=steps.never.status"), `
		start
			run a {}
		answer a {"id":"x"}
			step return~2 succeeded: nothing to do
			end succeeded {"id":"x","never":"skipped"}
		`},
	})
}

// TestTemporary shows that a temporary change is called like any other, and that
// a wait for a signal parks the run.
func TestTemporary(t *testing.T) {
	temporary := suspend("a")
	temporary.For = &program.Temporary{Duration: expression.Literal(time.Hour)}
	runSpecs(t, []spec{
		{"for", playbook(temporary), `
		start
			run a {}
		`},
	})
}
