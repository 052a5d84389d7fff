package machine_test

import (
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine/machine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

func TestApprove(t *testing.T) {
	needs := approve("ok", `"Two?"`)
	needs.Approve.Needs = 2
	runSpecs(t, []spec{
		{"yes", giving(playbook(look("a"), approve("ok", "'Suspend ' + steps.a.id + '?'"), suspend("b")), "yes=steps.ok.approved"), `
		start
			run a {}
		answer a {"id":"x"}
			step ok waiting
			ask ok "Suspend x?" by group:oncall needs 1
			parked
		decide ok yes
			step ok succeeded
			run b {}
		decide ok no too late
		answer b {} done
			end succeeded {"yes":true}
		`},
		{"no", playbook(approve("ok", `"Go?"`), suspend("b")), `
		start
			step ok waiting
			ask ok "Go?" by group:oncall needs 1
			parked
		decide ok no too risky
			step ok refused [refused denied at ok: too risky]
			end denied [refused denied at ok: too risky] null
		`},
		{"no, and on_error does not help", playbook(goingOn(approve("ok", `"Go?"`)), suspend("b")), `
		start
			step ok waiting
			ask ok "Go?" by group:oncall needs 1
			parked
		decide ok no too risky
			step ok refused [refused denied at ok: too risky]
			end denied [refused denied at ok: too risky] null
		`},
		{"no, and on_deny goes on", giving(playbook(goingOnDenied(approve("ok", `"Go?"`)), when("steps.ok.approved", suspend("b")), look("c")), "yes=steps.ok.approved"), `
		start
			step ok waiting
			ask ok "Go?" by group:oncall needs 1
			parked
		decide ok no too risky
			step ok succeeded
			step b skipped
			run c {}
		answer c
			end succeeded {"yes":false}
		`},
		{"a title that cannot be evaluated", playbook(approve("ok", "1 / steps.nothing.n"), suspend("b")), `
		start
			step ok waiting
			step ok failed [invalid expression at ok: evaluating '1 / steps.nothing.n': 'steps.nothing.n' is missing]
			end failed [invalid expression at ok: evaluating '1 / steps.nothing.n': 'steps.nothing.n' is missing] null
		`},
		{"several people", playbook(needs), `
		start
			step ok waiting
			ask ok "Two?" by group:oncall needs 2
			parked
		decide ok yes
			step ok succeeded
			end succeeded {}
		`},
	})
}

func TestApprovalsExpire(t *testing.T) {
	runSpecs(t, []spec{
		{"nobody decides", playbook(askedFor(4*time.Hour, approve("ok", `"Go?"`)), suspend("b")), `
		start
			step ok waiting
			ask ok "Go?" by group:oncall needs 1 until +4h0m0s
			wake +4h0m0s
			parked
		+3h tick
			wake +4h0m0s
			parked
		+4h tick
			step ok refused [refused expired at ok: nobody approved it within 4h]
			end denied [refused expired at ok: nobody approved it within 4h] null
		`},
		{"a decision behind the deadline counts as none", playbook(askedFor(4*time.Hour, approve("ok", `"Go?"`)), suspend("b")), `
		start
			step ok waiting
			ask ok "Go?" by group:oncall needs 1 until +4h0m0s
			wake +4h0m0s
			parked
		+5h decide ok yes
			step ok refused [refused expired at ok: nobody approved it within 4h]
			end denied [refused expired at ok: nobody approved it within 4h] null
		`},
		{"nobody decides, and on_deny goes on", giving(playbook(goingOnDenied(askedFor(time.Hour, approve("ok", `"Go?"`)))), "yes=steps.ok.approved"), `
		start
			step ok waiting
			ask ok "Go?" by group:oncall needs 1 until +1h0m0s
			wake +1h0m0s
			parked
		+1h tick
			step ok succeeded
			end succeeded {"yes":false}
		`},
		{"a block around it has less time", playbook(within(time.Hour, block("k", askedFor(4*time.Hour, approve("ok", `"Go?"`)), suspend("b"))), look("c")), `
		start
			step k started
			step k/ok waiting
			ask k/ok "Go?" by group:oncall needs 1 until +4h0m0s
			wake +1h0m0s
			parked
		+1h tick
			step k/ok cancelled [cancelled timeout at k/ok: the time of a step around it was up]
			step k failed [timeout timeout at k: it took longer than 1h]
			end failed [timeout timeout at k: it took longer than 1h] null
		`},
	})
}

func TestApprovalsInside(t *testing.T) {
	runSpecs(t, []spec{
		{"a loop: a denial ends the run, and what has not begun is refused", playbook(keyed("item", "item", each("e", "['x','y','z']", approve("ok", "item + '?'"), suspend("s")))), `
		start
			step e started
			step e[x]/ok waiting
			ask e[x]/ok "x?" by group:oncall needs 1
			parked
		decide e[x]/ok yes
			step e[x]/ok succeeded
			run e[x]/s {}
		answer e[x]/s {} done
			item e[x] done
			step e[y]/ok waiting
			ask e[y]/ok "y?" by group:oncall needs 1
			parked
		decide e[y]/ok no not y
			step e[y]/ok refused [refused denied at e[y]/ok: not y]
			item e[y] refused [refused denied at e[y]/ok: not y]
			item e[z] refused [refused denied at e: the run was denied before this could be done]
			step e partial
			end denied [refused denied at e[y]/ok: not y] null
		`},
		{"branches: the others are awaited before the run is parked", playbook(parallel("p", branch("x", approve("ok", `"x?"`), suspend("s")), branch("y", look("a"), approve("go", `"y?"`)))), `
		start
			step p started
			step p/x/ok waiting
			ask p/x/ok "x?" by group:oncall needs 1
			run p/y/a {}
		answer p/y/a
			step p/y/go waiting
			ask p/y/go "y?" by group:oncall needs 1
			parked
		decide p/y/go yes
			step p/y/go succeeded
			parked
		decide p/x/ok yes
			step p/x/ok succeeded
			run p/x/s {}
		answer p/x/s {} done
			step p succeeded
			end succeeded {}
		`},
		{"branches: a denial lets what is in flight end, and begins nothing", playbook(parallel("p", branch("x", approve("ok", `"x?"`)), branch("y", suspend("s"), suspend("t")))), `
		start
			step p started
			step p/x/ok waiting
			ask p/x/ok "x?" by group:oncall needs 1
			run p/y/s {}
		decide p/x/ok no no
			step p/x/ok refused [refused denied at p/x/ok: no]
		answer p/y/s {} done
			step p refused [refused denied at p/x/ok: no]
			end denied [refused denied at p/x/ok: no] null
		`},
		{"try: a denial is not caught, and finally runs", playbook(try("t", nodes{approve("ok", `"Go?"`)}, nodes{look("c")}, nodes{look("f")}), suspend("b")), `
		start
			step t started
			step t/try/ok waiting
			ask t/try/ok "Go?" by group:oncall needs 1
			parked
		decide t/try/ok no no
			step t/try/ok refused [refused denied at t/try/ok: no]
			run t/finally/f {}
		answer t/finally/f
			step t refused [refused denied at t/try/ok: no]
			end denied [refused denied at t/try/ok: no] null
		`},
		{"a called playbook: a denial ends the caller", calledApproval(), `
		start
			step s started
			step s/call/ok waiting
			ask s/call/ok "Go?" by group:oncall needs 1
			parked
		decide s/call/ok no no
			step s/call/ok refused [refused denied at s/call/ok: no]
			step s refused [refused denied at s/call/ok: no]
			end denied [refused denied at s/call/ok: no] null
		`},
	})
}

func TestApprovalsStopped(t *testing.T) {
	asking := func() nodes {
		return nodes{try("t", nodes{approve("ok", `"Go?"`)}, nil, nodes{look("f")}), suspend("b")}
	}
	runSpecs(t, []spec{
		{"cancelled while asking", playbook(asking()...), `
		start
			step t started
			step t/try/ok waiting
			ask t/try/ok "Go?" by group:oncall needs 1
			parked
		cancel enough
			step t/try/ok cancelled [cancelled cancelled at t/try/ok: enough]
			run t/finally/f {}
		decide t/try/ok yes
		answer t/finally/f
			step t cancelled [cancelled cancelled at t/try/ok: enough]
			end cancelled [cancelled cancelled at : enough] null
		`},
		{"halted while asking", playbook(asking()...), `
		start
			step t started
			step t/try/ok waiting
			ask t/try/ok "Go?" by group:oncall needs 1
			parked
		halt frozen
			step t/try/ok cancelled [refused frozen at t/try/ok: changes were frozen before this could be done]
			run t/finally/f {}
		answer t/finally/f
			step t cancelled [refused frozen at t/try/ok: changes were frozen before this could be done]
			end blocked [refused frozen at : no change may follow] null
		`},
	})
}

func TestHalted(t *testing.T) {
	runSpecs(t, []spec{
		{"before anything was begun, what is in flight is awaited", playbook(look("a"), suspend("b")), `
		start
			run a {}
		halt max_changes
		answer a
			end blocked [refused max_changes at : no change may follow] null
		`},
		{"in the middle of a loop", playbook(keyed("item", "item", eachCall("e", "['x','y','z']", call("suspend", "change", nil)))), `
		start
			step e started
			run e[x] {}
		answer e[x] {} done
			item e[x] done
			run e[y] {}
		halt outside
		answer e[y] {} done
			item e[y] done
			item e[z] refused [refused outside at e: the run left what was approved before this could be done]
			step e partial
			end drifted [refused outside at : no change may follow] null
		`},
		{"with a finally", playbook(try("t", nodes{suspend("a"), suspend("never")}, nodes{look("c")}, nodes{look("f")})), `
		start
			step t started
			run t/try/a {}
		halt budget
		answer t/try/a {} done
			run t/finally/f {}
		answer t/finally/f
			step t cancelled [refused budget at t/try: the limit on changes was reached before this could be done]
			end blocked [refused budget at : no change may follow] null
		`},
		{"twice: the first reason stays", playbook(look("a")), `
		start
			run a {}
		halt denied
		halt frozen
		answer a
			end denied [refused denied at : no change may follow] null
		`},
	})
}

func calledApproval() *program.Program {
	sub := playbook(approve("ok", `"Go?"`))
	sub.Name = "sub"
	s, attach := calling("s", sub)
	return attach(playbook(s, suspend("b")))
}

func TestAsked(t *testing.T) {
	w := newTeller(t, playbook(askedFor(time.Hour, approve("ok", `"Go?"`))))
	w.apply(w.event("start"))
	frame, asked := w.m.Asked("ok")
	if !asked || frame != w.asked["ok"] {
		t.Errorf("it asks with frame %d: %v, not %d", frame, asked, w.asked["ok"])
	}
	if _, asked := w.m.Asked("nobody"); asked {
		t.Error("it asks at a path where no step is")
	}
	open := w.m.Outstanding()
	if len(open) != 1 {
		t.Fatalf("%d things are outstanding", len(open))
	}
	if again, ok := open[0].(machine.AskApproval); !ok || again.Title != "Go?" || !again.Expires.Equal(epoch().Add(time.Hour)) {
		t.Errorf("outstanding is %+v", open[0])
	}
	w.apply(w.event("decide ok yes"))
	if _, asked := w.m.Asked("ok"); asked || w.m.Parked() {
		t.Error("it still asks behind the decision")
	}
}
