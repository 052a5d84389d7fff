package machine_test

import (
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// suspending is a foreach over inputs.list that suspends each item.
func suspending() *program.Node {
	return eachCall("e", "inputs.list", call("suspend", engine.Change, with("id=item.id")))
}

func byKey(n *program.Node) *program.Node { return keyed("item.id", "item?.name ?? ''", n) }

func TestForeachItems(t *testing.T) {
	byField := suspending()
	byField.Foreach.KeyField = "id"
	runSpecs(t, []spec{
		{"items over one action are its calls, named by key and shown by label", playbook(byKey(suspending())), `
		start {"list":[{"id":"a","name":"Ann"},{"id":"b/[c]%","name":null}]}
			step e started
			run e[a] {"id":"a"}
		answer e[a] {} done
			item e[a] (Ann) done
			run e[b%2F%5Bc%5D%25] {"id":"b/[c]%"}
		answer e[b%2F%5Bc%5D%25] {} unchanged
			item e[b/[c]%] unchanged
			step e succeeded
			end succeeded {}
		`},
		{"without a key an item is named by its id", playbook(byField), `
		start {"list":[{"id":"a"},{"id":7}]}
			step e started
			run e[a] {"id":"a"}
		answer e[a] {} done
			item e[a] done
			run e[7] {"id":7}
		answer e[7] {} done
			item e[7] done
			step e succeeded
			end succeeded {}
		`},
		{"else by its index", playbook(each("e", "inputs.list", look("a", "n=index", "v=item"))), `
		start {"list":["x","y"]}
			step e started
			run e[0]/a {"n":0,"v":"x"}
		answer e[0]/a
			item e[0] done
			run e[1]/a {"n":1,"v":"y"}
		answer e[1]/a
			item e[1] done
			step e succeeded
			end succeeded {}
		`},
		{"as many as the window has room for run at the same time", playbook(wide(2, byKey(suspending()))), `
		start {"list":[{"id":"a"},{"id":"b"},{"id":"c"},{"id":"d"}]}
			step e started
			run e[a] {"id":"a"}
			run e[b] {"id":"b"}
		answer e[b] {} done
			item e[b] done
			run e[c] {"id":"c"}
		answer e[a] {} done
			item e[a] done
			run e[d] {"id":"d"}
		answer e[d] {} done
			item e[d] done
		answer e[c] {} done
			item e[c] done
			step e succeeded
			end succeeded {}
		`},
		{"two items with one key fail the step before the first", playbook(byKey(suspending())), `
		start {"list":[{"id":"a"},{"id":"b"},{"id":"a"}]}
			step e started
			step e failed [invalid list at e: the list cannot be looped over: two of its items have the key "a"]
			end failed [invalid list at e: the list cannot be looped over: two of its items have the key "a"] null
		`},
		{"an item without a key fails it too", playbook(byField), `
		start {"list":[{"id":"a"},{"id":null}]}
			step e started
			step e failed [invalid list at e: the list cannot be looped over: the key of item 1 is no string or number]
			end failed [invalid list at e: the list cannot be looped over: the key of item 1 is no string or number] null
		`},
		{"a key that cannot be evaluated says for which item", playbook(byKey(suspending())), `
		start {"list":[{"id":"a"},{"name":"Bea"}]}
			step e started
			step e failed [invalid expression at e: the key of item 1: evaluating 'item.id': it is missing]
			end failed [invalid expression at e: the key of item 1: evaluating 'item.id': it is missing] null
		`},
		{"what is no list fails it", playbook(suspending()), `
		start {"list":"a"}
			step e started
			step e failed [invalid list at e: the list cannot be looped over: it is no list]
			end failed [invalid list at e: the list cannot be looped over: it is no list] null
		`},
		{"the list is frozen on entry, and computed ones too", playbook(each("e", "map(inputs.list, # * 2)", look("a", "v=item"))), `
		start {"list":[1,2]}
			step e started
			run e[0]/a {"v":2}
		answer e[0]/a
			item e[0] done
			run e[1]/a {"v":4}
		answer e[1]/a
			item e[1] done
			step e succeeded
			end succeeded {}
		`},
		{"an empty list succeeds", giving(playbook(itemsRead(suspending())), "n=len(steps.e.items)"), `
		start {"list":[]}
			step e started
			step e succeeded
			end succeeded {"n":0}
		`},
		{"the condition is evaluated once, before the loop", playbook(when("len(inputs.list) > 1", suspending())), `
		start {"list":[{"id":"a"}]}
			step e skipped
			end succeeded {}
		`},
		{"loops within loops see both variables", playbook(each("e", "inputs.list", each("f", "item.inner", look("a", "n=index", "v=item")))), `
		start {"list":[{"inner":["x"]},{"inner":["y"]}]}
			step e started
			step e[0]/f started
			run e[0]/f[0]/a {"n":0,"v":"x"}
		answer e[0]/f[0]/a
			item e[0]/f[0] done
			step e[0]/f succeeded
			item e[0] done
			step e[1]/f started
			run e[1]/f[0]/a {"n":0,"v":"y"}
		answer e[1]/f[0]/a
			item e[1]/f[0] done
			step e[1]/f succeeded
			item e[1] done
			step e succeeded
			end succeeded {}
		`},
		{"items are read back where an expression wants them", giving(playbook(itemsRead(byKey(suspending()))), "first=steps.e.items[0].key"), `
		start {"list":[{"id":"a"}]}
			step e started
			run e[a] {"id":"a"}
		answer e[a] {} done
			item e[a] done
			collect e
		items e [{"key":"a","label":"a","outcome":"done","error":null}]
			step e succeeded
			end succeeded {"first":"a"}
		items e []
		`},
	})
}

func TestForeachOutcomes(t *testing.T) {
	body := func(n *program.Node) *program.Node { return byKey(n) }
	two := func() *program.Program {
		return playbook(body(each("e", "inputs.list", look("a"), suspend("s"))), look("next"))
	}
	runSpecs(t, []spec{
		{"an item's outcome tells what was done in it", playbook(wide(9, body(each("e", "inputs.list",
			when("item.id != 'skipped'", look("a")), when("item.id in ['done', 'unchanged', 'both']", suspend("s")), when("item.id == 'both'", suspend("s2")))))), `
		start {"list":[{"id":"done"},{"id":"unchanged"},{"id":"both"},{"id":"read"},{"id":"skipped"}]}
			step e started
			run e[done]/a {}
			run e[unchanged]/a {}
			run e[both]/a {}
			run e[read]/a {}
			step e[skipped]/a skipped
			step e[skipped]/s skipped
			step e[skipped]/s2 skipped
			item e[skipped] skipped
		answer e[done]/a
			run e[done]/s {}
		answer e[unchanged]/a
			run e[unchanged]/s {}
		answer e[both]/a
			run e[both]/s {}
		answer e[read]/a
			step e[read]/s skipped
			step e[read]/s2 skipped
			item e[read] done
		answer e[done]/s {} done
			step e[done]/s2 skipped
			item e[done] done
		answer e[unchanged]/s {} unchanged
			step e[unchanged]/s2 skipped
			item e[unchanged] unchanged
		answer e[both]/s {} unchanged
			run e[both]/s2 {}
		answer e[both]/s2 {} done
			item e[both] done
			step e succeeded
			end succeeded {}
		`},
		{"a failed item does not stop the others, and the run ends partial", two(), `
		start {"list":[{"id":"x"},{"id":"y"}]}
			step e started
			run e[x]/a {}
		fail e[x]/a permanent gone
			item e[x] failed [permanent gone at e[x]/a: it went wrong]
			run e[y]/a {}
		answer e[y]/a
			run e[y]/s {}
		answer e[y]/s {} done
			item e[y] done
			step e partial
			run next {}
		answer next
			end partial {}
		`},
		{"a refused item ends its body, and the run ends partial", two(), `
		start {"list":[{"id":"x"},{"id":"y"}]}
			step e started
			run e[x]/a {}
		answer e[x]/a
			run e[x]/s {}
		fail e[x]/s refused protected
			item e[x] refused [refused protected at e[x]/s: it went wrong]
			run e[y]/a {}
		answer e[y]/a
			run e[y]/s {}
		answer e[y]/s {} unchanged
			item e[y] unchanged
			step e partial
			run next {}
		answer next
			end partial {}
		`},
		{"where every item that was tried failed, the step failed", two(), `
		start {"list":[{"id":"x"},{"id":"y"}]}
			step e started
			run e[x]/a {}
		fail e[x]/a permanent gone
			item e[x] failed [permanent gone at e[x]/a: it went wrong]
			run e[y]/a {}
		fail e[y]/a permanent other
			item e[y] failed [permanent other at e[y]/a: it went wrong]
			step e failed [permanent items at e: every item that was tried failed (2), the first with: it went wrong]
			end failed [permanent items at e: every item that was tried failed (2), the first with: it went wrong] null
		`},
		{"an unsettled item counts as failed", two(), `
		start {"list":[{"id":"x"}]}
			step e started
			run e[x]/a {}
		answer e[x]/a
			run e[x]/s {}
		fail e[x]/s unsettled
			item e[x] unsettled [unsettled  at e[x]/s: it went wrong]
			step e failed [unsettled items at e: every item that was tried failed (1), the first with: it went wrong]
			end failed [unsettled items at e: every item that was tried failed (1), the first with: it went wrong] null
		`},
		{"all refused is partial", playbook(body(suspending())), `
		start {"list":[{"id":"x"}]}
			step e started
			run e[x] {"id":"x"}
		fail e[x] refused protected
			item e[x] refused [refused protected at e[x]: it went wrong]
			step e partial
			end partial {}
		`},
		{"a failed loop that is caught does not count", playbook(try("t", nodes{body(suspending())}, nodes{look("c", "why=steps.t.error.message")}, nil)), `
		start {"list":[{"id":"x"}]}
			step t started
			step t/try/e started
			run t/try/e[x] {"id":"x"}
		fail t/try/e[x] permanent gone
			item t/try/e[x] failed [permanent gone at t/try/e[x]: it went wrong]
			step t/try/e failed [permanent items at t/try/e: every item that was tried failed (1), the first with: it went wrong]
			run t/catch/c {"why":"every item that was tried failed (1), the first with: it went wrong"}
		answer t/catch/c
			step t succeeded
			end succeeded {}
		`},
		{"a partial loop inside a try is no failure, but counts", playbook(try("t", nodes{body(suspending())}, nodes{look("never")}, nil)), `
		start {"list":[{"id":"x"},{"id":"y"}]}
			step t started
			step t/try/e started
			run t/try/e[x] {"id":"x"}
		fail t/try/e[x] permanent gone
			item t/try/e[x] failed [permanent gone at t/try/e[x]: it went wrong]
			run t/try/e[y] {"id":"y"}
		answer t/try/e[y] {} done
			item t/try/e[y] done
			step t/try/e partial
			step t succeeded
			end partial {}
		`},
		{"a return in an item unwinds the loop", playbook(wide(2, body(each("e", "inputs.list", look("a"), when("item.id == 'x'", returnStep("found"))))), look("never")), `
		start {"list":[{"id":"x"},{"id":"y"},{"id":"z"}]}
			step e started
			run e[x]/a {}
			run e[y]/a {}
		answer e[x]/a
			step e[x]/return~2 succeeded: found
			item e[x] done
			stop e[y]/a
			item e[z] skipped [cancelled returned at e: the playbook returned before it ended]
		fail e[y]/a cancelled
			item e[y] failed [cancelled returned at e[y]/a: the playbook returned before it ended]
			step e succeeded
			end succeeded {}
		`},
		{"each item's call is retried and limited by itself", playbook(body(within(5*time.Second, retrying(2, "fixed", time.Second, 0, suspending())))), `
		start {"list":[{"id":"x"}]}
			step e started
			run e[x] {"id":"x"} until +5s
			wake +5s
		fail e[x] transient busy
			wake +1s
		+1s tick
			run e[x]#2 {"id":"x"} until +6s
			wake +6s
		+6s tick
			stop e[x]
		fail e[x] cancelled
			item e[x] failed [timeout timeout at e[x]: it took longer than 5s]
			step e failed [timeout items at e: every item that was tried failed (1), the first with: it took longer than 5s]
			end failed [timeout items at e: every item that was tried failed (1), the first with: it took longer than 5s] null
		`},
		{"the steps of an item are forgotten with it", playbook(each("e", "inputs.list", when("index == 0", look("a")), look("b", "before=steps.a.status"))), `
		start {"list":["x","y"]}
			step e started
			run e[0]/a {}
		answer e[0]/a
			run e[0]/b {"before":"succeeded"}
		answer e[0]/b
			item e[0] done
			step e[1]/a skipped
			run e[1]/b {"before":"skipped"}
		answer e[1]/b
			item e[1] done
			step e succeeded
			end succeeded {}
		`},
	})
}
