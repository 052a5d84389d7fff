package machine_test

import (
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

func TestRetry(t *testing.T) {
	runSpecs(t, []spec{
		{"transient failures are tried again, ever later", playbook(retrying(4, "exponential", time.Second, 3*time.Second, look("a"))), `
		start
			run a {}
		fail a transient busy
			wake +1s
		+1s tick
			run a#2 {}
		fail a timeout
			wake +3s
		+2s tick
			wake +3s
		+3s tick
			run a#3 {}
		fail a transient busy
			wake +6s
		+6s tick
			run a#4 {}
		answer a
			end succeeded {}
		`},
		{"after the last attempt it has failed", playbook(retrying(2, "fixed", time.Second, 0, look("a"))), `
		start
			run a {}
		fail a transient busy
			wake +1s
		+1s tick
			run a#2 {}
		fail a transient busy
			end failed [transient busy at a: it went wrong] null
		`},
		{"other failures are not tried again", playbook(retrying(3, "fixed", time.Second, 0, look("a"))), `
		start
			run a {}
		fail a auth forbidden
			end failed [auth forbidden at a: it went wrong] null
		`},
		{"the service's own time is kept", playbook(retrying(2, "fixed", time.Second, 0, look("a"))), `
		start
			run a {}
		fail a transient busy not-before 1m
			wake +1m0s
		+1s tick
			wake +1m0s
		+1m answer a
			run a#2 {}
		answer a
			end succeeded {}
		`},
		{"a cancelled run does not wait for the next attempt", playbook(retrying(2, "fixed", time.Minute, 0, look("a"))), `
		start
			run a {}
		fail a transient busy
			wake +1m0s
		+1s cancel enough
			step a#2 cancelled [cancelled cancelled at a: enough]
			end cancelled [cancelled cancelled at : enough] null
		`},
		{"an answer while waiting is ignored", playbook(retrying(2, "fixed", time.Minute, 0, look("a"))), `
		start
			run a {}
		fail a transient busy
			wake +1m0s
		answer a
			wake +1m0s
		`},
	})
}

func TestTimeout(t *testing.T) {
	limited := func(n *program.Node) *program.Node { return within(10*time.Second, n) }
	runSpecs(t, []spec{
		{"a call that takes too long is asked to stop, awaited, and fails", playbook(limited(look("a"))), `
		start
			run a {} until +10s
			wake +10s
		+10s tick
			stop a
		+12s fail a cancelled
			end failed [timeout timeout at a: it took longer than 10s] null
		`},
		{"a call that succeeds all the same has succeeded", playbook(limited(look("a")), look("b")), `
		start
			run a {} until +10s
			wake +10s
		+10s tick
			stop a
		+11s answer a
			run b {}
		answer b
			end succeeded {}
		`},
		{"each attempt has its own time", playbook(limited(retrying(2, "fixed", time.Second, 0, look("a")))), `
		start
			run a {} until +10s
			wake +10s
		+10s tick
			stop a
		fail a timeout
			wake +11s
		+11s tick
			run a#2 {} until +21s
			wake +21s
		+15s answer a
			end succeeded {}
		`},
		{"a block that takes too long fails, after what is in it has ended", playbook(goingOn(limited(block("b", look("a"), look("never")))), look("next")), `
		start
			step b started
			run b/a {}
			wake +10s
		+10s tick
			stop b/a
		+11s answer b/a
			step b failed [timeout timeout at b: it took longer than 10s]
			run next {}
		answer next
			end partial {}
		`},
		{"the time of a block includes its retries", playbook(limited(block("b", retrying(3, "fixed", 8*time.Second, 0, look("a"))))), `
		start
			step b started
			run b/a {}
			wake +10s
		fail b/a transient busy
			wake +8s
		+8s tick
			run b/a#2 {}
			wake +10s
		fail b/a transient busy
			wake +10s
		+10s tick
			step b/a#3 cancelled [cancelled timeout at b/a: the time of a step around it was up]
			step b failed [timeout timeout at b: it took longer than 10s]
			end failed [timeout timeout at b: it took longer than 10s] null
		`},
		{"of several timers due at once the earlier comes first", playbook(limited(block("b", retrying(3, "fixed", 12*time.Second, 0, look("a"))))), `
		start
			step b started
			run b/a {}
			wake +10s
		fail b/a transient busy
			wake +10s
		+1h tick
			step b/a#2 cancelled [cancelled timeout at b/a: the time of a step around it was up]
			step b failed [timeout timeout at b: it took longer than 10s]
			end failed [timeout timeout at b: it took longer than 10s] null
		`},
		{"a retry that was due before its block's end is not begun after it", playbook(limited(block("b", retrying(3, "fixed", 5*time.Second, 0, look("a"))))), `
		start
			step b started
			run b/a {}
			wake +10s
		fail b/a transient busy
			wake +5s
		+1h tick
			step b/a#2 cancelled [cancelled timeout at b/a: the time of a step around it was up]
			step b failed [timeout timeout at b: it took longer than 10s]
			end failed [timeout timeout at b: it took longer than 10s] null
		`},
		{"a timer that is due comes before the event itself", playbook(limited(block("b", look("a"), look("never")))), `
		start
			step b started
			run b/a {}
			wake +10s
		+11s answer b/a
			step b failed [timeout timeout at b: it took longer than 10s]
			end failed [timeout timeout at b: it took longer than 10s] null
		`},
		{"a timeout around a loop passes over the items left", playbook(limited(each("e", "inputs.list", look("a")))), `
		start {"list":["x","y","z"]}
			step e started
			run e[0]/a {}
			wake +10s
		+10s tick
			stop e[0]/a
		fail e[0]/a cancelled
			item e[0] failed [cancelled timeout at e[0]/a: the time of a step around it was up]
			item e[1] skipped [cancelled timeout at e: the time of a step around it was up]
			item e[2] skipped [cancelled timeout at e: the time of a step around it was up]
			step e failed [timeout timeout at e: it took longer than 10s]
			end failed [timeout timeout at e: it took longer than 10s] null
		`},
		{"a caught timeout does not count", playbook(try("t", nodes{limited(block("b", look("a")))}, nodes{look("c", "class=steps.t.error.class")}, nil)), `
		start
			step t started
			step t/try/b started
			run t/try/b/a {}
			wake +10s
		+10s tick
			stop t/try/b/a
		fail t/try/b/a cancelled
			step t/try/b failed [timeout timeout at t/try/b: it took longer than 10s]
			run t/catch/c {"class":"timeout"}
		answer t/catch/c
			step t succeeded
			end succeeded {}
		`},
	})
}

func TestCancel(t *testing.T) {
	runSpecs(t, []spec{
		{"what is in flight is asked to stop and awaited", playbook(look("a"), look("never")), `
		start
			run a {}
		cancel wrong accounts
			stop a
		cancel again
		fail a cancelled
			end cancelled [cancelled cancelled at : wrong accounts] null
		`},
		{"finally runs, and is not stopped itself", playbook(try("t", nodes{look("a")}, nodes{look("never")}, nodes{look("f"), look("g")}), look("never2")), `
		start
			step t started
			run t/try/a {}
		cancel enough
			stop t/try/a
		fail t/try/a cancelled
			run t/finally/f {}
		answer t/finally/f
			run t/finally/g {}
		answer t/finally/g
			step t cancelled [cancelled cancelled at t/try/a: enough]
			end cancelled [cancelled cancelled at : enough] null
		`},
		{"a cancel during finally waits for its end", playbook(try("t", nodes{set("s", "n=1")}, nil, nodes{look("f"), look("g")}), look("never")), `
		start
			step t started
			step t/try/s succeeded
			run t/finally/f {}
		cancel enough
		answer t/finally/f
			run t/finally/g {}
		answer t/finally/g
			step t succeeded
			end cancelled [cancelled cancelled at : enough] null
		`},
		{"items that have not begun are skipped", playbook(wide(2, byKey(suspending()))), `
		start {"list":[{"id":"a"},{"id":"b"},{"id":"c"}]}
			step e started
			run e[a] {"id":"a"}
			run e[b] {"id":"b"}
		cancel enough
			stop e[a]
			stop e[b]
		answer e[a] {} done
			item e[a] done
			item e[c] skipped [cancelled cancelled at e: enough]
		fail e[b] cancelled
			item e[b] failed [cancelled cancelled at e[b]: enough]
			step e cancelled [cancelled cancelled at e: enough]
			end cancelled [cancelled cancelled at : enough] null
		`},
		{"a loop whose items are being read back ends at once", playbook(itemsRead(byKey(suspending()))), `
		start {"list":[{"id":"a"}]}
			step e started
			run e[a] {"id":"a"}
		answer e[a] {} done
			item e[a] done
			collect e
		cancel enough
			step e cancelled [cancelled cancelled at e: enough]
			end cancelled [cancelled cancelled at : enough] null
		`},
		{"all branches are stopped", playbook(parallel("p", branch("x", look("a")), branch("y", try("t", nodes{look("b")}, nil, nodes{look("f")})))), `
		start
			step p started
			run p/x/a {}
			step p/y/t started
			run p/y/t/try/b {}
		cancel enough
			stop p/x/a
			stop p/y/t/try/b
		fail p/y/t/try/b cancelled
			run p/y/t/finally/f {}
		fail p/x/a cancelled
		answer p/y/t/finally/f
			step p/y/t cancelled [cancelled cancelled at p/y/t/try/b: enough]
			step p cancelled [cancelled cancelled at p/x/a: enough]
			end cancelled [cancelled cancelled at : enough] null
		`},
	})
}

func TestRefusal(t *testing.T) {
	runSpecs(t, []spec{
		{"a refused change outside a loop blocks the run", playbook(suspend("s"), look("never")), `
		start
			run s {}
		fail s refused protected
			end blocked [refused protected at s: it went wrong] null
		`},
		{"with on_error: continue the run goes on, partial at best", playbook(goingOn(suspend("s")), look("next")), `
		start
			run s {}
		fail s refused protected
			run next {}
		answer next
			end partial {}
		`},
		{"the cap on changes ends the run: what runs is awaited, the rest is refused", playbook(goingOn(wide(3, byKey(suspending()))), look("never")), `
		start {"list":[{"id":"a"},{"id":"b"},{"id":"c"},{"id":"d"},{"id":"e"}]}
			step e started
			run e[a] {"id":"a"}
			run e[b] {"id":"b"}
			run e[c] {"id":"c"}
		answer e[a] {} done
			item e[a] done
			run e[d] {"id":"d"}
		fail e[b] refused max_changes
			item e[b] refused [refused max_changes at e[b]: it went wrong]
			item e[e] refused [refused max_changes at e: the limit on changes was reached before this could be done]
		answer e[c] {} done
			item e[c] done
		fail e[d] transient busy
			item e[d] failed [transient busy at e[d]: it went wrong]
			step e partial
			end blocked [refused max_changes at e[b]: it went wrong] null
		`},
		{"the cap on changes cannot be continued or caught, but finally runs", playbook(
			try("t", nodes{goingOn(suspend("s")), look("never")}, nodes{look("never2")}, nodes{look("f")}), look("never3")), `
		start
			step t started
			run t/try/s {}
		fail t/try/s refused max_changes
			run t/finally/f {}
		answer t/finally/f
			step t refused [refused max_changes at t/try/s: it went wrong]
			end blocked [refused max_changes at t/try/s: it went wrong] null
		`},
		{"steps of an item under way end, and it is refused where they were not the last", playbook(wide(2, byKey(each("e", "inputs.list", look("a"), suspend("s"))))), `
		start {"list":[{"id":"x"},{"id":"y"},{"id":"z"}]}
			step e started
			run e[x]/a {}
			run e[y]/a {}
		answer e[x]/a
			run e[x]/s {}
		fail e[x]/s refused max_changes
			item e[x] refused [refused max_changes at e[x]/s: it went wrong]
			item e[z] refused [refused max_changes at e: the limit on changes was reached before this could be done]
		answer e[y]/a
			item e[y] refused [refused max_changes at e[y]: the limit on changes was reached before this could be done]
			step e partial
			end blocked [refused max_changes at e[x]/s: it went wrong] null
		`},
		{"a cancel after that asks what is awaited to stop", playbook(wide(2, byKey(suspending()))), `
		start {"list":[{"id":"a"},{"id":"b"}]}
			step e started
			run e[a] {"id":"a"}
			run e[b] {"id":"b"}
		fail e[a] refused max_changes
			item e[a] refused [refused max_changes at e[a]: it went wrong]
		cancel enough
			stop e[b]
		fail e[b] cancelled
			item e[b] refused [refused max_changes at e[b]: the limit on changes was reached before this could be done]
			step e partial
			end blocked [refused max_changes at e[a]: it went wrong] null
		`},
	})
}

func TestResult(t *testing.T) {
	typed := giving(playbook(look("a")), "n=steps.a.n")
	typed.Outputs[0].Type = engine.TypeInteger()
	runSpecs(t, []spec{
		{"an output that cannot be evaluated fails the run", typed, `
		start
			run a {}
		answer a {"n":null}
			end failed [invalid expression at : output n: value does not have its declared type: it must be integer, not null] null
		`},
		{"a failed run has no outputs", giving(playbook(look("a")), "n=steps.a.n"), `
		start
			run a {}
		fail a permanent gone
			end failed [permanent gone at a: it went wrong] null
		`},
		{"a playbook without steps has succeeded", giving(playbook(), "one=1"), `
		start
			end succeeded {"one":1}
		`},
	})
}
