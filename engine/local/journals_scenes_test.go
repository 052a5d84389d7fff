package local_test

import (
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/enginetest"
)

// recording is a run that is recorded for each version of machine.Semantics.
type recording struct {
	name    string
	sources map[string]string
	inputs  map[string]any
	faults  map[string][]enginetest.Fault // by call, as World.Script takes them
	acts    []deed                        // what people do meanwhile
	status  engine.RunStatus              // how it ends
}

func alone(text string) map[string]string { return map[string]string{"main": text} }

func passing() enginetest.Fault {
	return enginetest.Fault{Err: engine.Fail(engine.ClassTransient, "busy", "it is busy")}
}

func lasting() enginetest.Fault {
	return enginetest.Fault{Err: engine.Fail(engine.ClassPermanent, "broken", "it is broken")}
}

// recordings together have every form of step, every kind of event and every
// command in them. A recording that is there is not changed: add another.
func recordings() []recording {
	return []recording{
		{name: "nested-loops", sources: alone(nestedLoops), status: engine.RunPartial, faults: map[string][]enginetest.Fault{
			"tell a1": {passing(), passing()}, "tell b2": {lasting()}, "tell c1": {passing(), passing(), passing()},
			"tell b1": {{Takes: 10 * time.Second}},
		}},
		{name: "parallel-and-call", sources: parallelAndCall(), inputs: map[string]any{"who": "b"}, status: engine.RunSucceeded, faults: map[string][]enginetest.Fault{
			"tell slow": {{Takes: time.Minute}}, "lock b": {{Takes: 5 * time.Second}},
		}},
		{name: "try-and-time-limits", sources: alone(tryAndTimeLimits), status: engine.RunSucceeded, faults: map[string][]enginetest.Fault{
			"lock a": {lasting()}, "look b": {{Blocks: true}, {Blocks: true}}, "tell never ends": {{Blocks: true}},
		}},
		{name: "waits", sources: alone(waitsForAll), status: engine.RunSucceeded, acts: []deed{
			{90 * time.Second, signals("early", `{"n":1}`)}, {4 * time.Hour, signals("go", `{"cleared":true}`)},
		}},
		{name: "approved", sources: alone(approved), status: engine.RunSucceeded, acts: []deed{
			{90 * time.Second, says("bob", true)}, {time.Minute, says("ann", true)}, {time.Hour, says("bob", false)},
		}},
		{name: "denied", sources: alone(denied), status: engine.RunDenied, acts: []deed{{90 * time.Second, says("bob", false)}}},
		{name: "not-decided-in-time", sources: alone(approved), status: engine.RunDenied},
		{name: "temporary", sources: alone(temporary), status: engine.RunSucceeded},
		{name: "rounds-and-cases", sources: alone(roundsAndCases), status: engine.RunPartial, faults: map[string][]enginetest.Fault{"look a": {lasting()}}},
		{name: "too-many-rounds", sources: alone(tooManyRounds), status: engine.RunFailed},
		{name: "failed-by-itself", sources: alone(failedByItself), status: engine.RunFailed},
		{name: "refused-items", sources: alone(refusedItems), status: engine.RunPartial},
		{name: "blocked", sources: alone(blocked), status: engine.RunBlocked},
		{name: "cancelled", sources: alone(cancelled), status: engine.RunCancelled, acts: []deed{{10 * time.Second, cancels("a mistake")}}, faults: map[string][]enginetest.Fault{
			"look a": {{Blocks: true}}, "tell cleaning up": {{Takes: time.Minute}},
		}},
		{name: "large-values", sources: alone(largeValues), inputs: map[string]any{"text": strings.Repeat("large ", 800)}, status: engine.RunSucceeded},
	}
}

const nestedLoops = `name: main
steps:
  - id: outer
    foreach: '["a", "b", "c"]'
    as: who
    key: who
    concurrency: 2
    steps:
      - id: inner
        foreach: '[1, 2]'
        as: n
        key: string(n)
        label: '"number " + string(n)'
        uses: world.tell
        with: { text: "${{ who }}${{ n }}" }
        retry: { attempts: 3, backoff: exponential, first: 10s, max: 15s }
      - set: { lost: "${{ len(filter(steps.inner.items, .outcome != 'done')) }}" }
        id: sums
      - uses: world.tell
        with: { text: "${{ who }} lost ${{ steps.sums.lost }}" }
outputs:
  outcomes: "${{ join(map(steps.outer.items, .outcome), ' ') }}"
`

func parallelAndCall() map[string]string {
	return map[string]string{"main": `name: main
inputs:
  who: { type: string }
steps:
  - parallel:
      left:
        - id: l
          uses: world.look
          with: { id: a }
        - uses: world.tell
          with: { text: slow }
      right:
        - id: sub
          call: lockit
          with: { who: "${{ inputs.who }}" }
        - if: steps.sub.state == "open"
          uses: world.tell
          with: { text: never }
      middle:
        - steps:
            - id: m
              set: { half: "${{ 1 + 1 }}" }
  - uses: world.tell
    with: { text: "${{ steps.l.account.id }} ${{ steps.sub.state }} ${{ steps.m.half }}" }
outputs:
  state: ${{ steps.sub.state }}
`, "lockit": `name: lockit
inputs:
  who: { type: string }
steps:
  - id: lock
    uses: world.lock
    with: { id: "${{ inputs.who }}" }
  - if: steps.lock.changed
    return: it was open
  - fail: it was locked before
outputs:
  state: ${{ steps.lock.account.state }}
`}
}

const tryAndTimeLimits = `name: main
steps:
  - id: t
    try:
      - uses: world.lock
        with: { id: a }
      - uses: world.tell
        with: { text: never }
    catch:
      - uses: world.tell
        with: { text: "${{ steps.t.error.code }}" }
    finally:
      - uses: world.tell
        with: { text: finally }
  - id: patient
    uses: world.look
    with: { id: b }
    timeout: 30s
    retry: { attempts: 3, backoff: fixed, first: 1m }
  - id: limited
    try:
      - timeout: 2m
        steps:
          - parallel:
              one:
                - uses: world.tell
                  with: { text: never ends }
              two:
                - wait: { for: 1h }
    catch:
      - uses: world.tell
        with: { text: "${{ steps.limited.error.class }}" }
`

const waitsForAll = `name: main
steps:
  - uses: world.lock
    with: { id: a }
  - id: pause
    wait: { for: 90m }
  - id: later
    wait: { until: "${{ run.time + duration('3h') }}" }
  - id: heard
    wait: { signal: early }
  - id: word
    timeout: 2h
    steps:
      - id: go
        wait: { signal: go }
  - if: steps.go?.body?.cleared ?? false
    uses: world.unlock
    with: { id: a }
  - try:
      - timeout: 10m
        steps:
          - wait: { signal: nobody sends it }
    catch:
      - uses: world.tell
        with: { text: nobody said anything }
`

const approved = `name: main
steps:
  - id: all
    uses: world.list
  - id: ok
    approve: { title: "Lock ${{ len(steps.all.accounts) }}?", by: [Bob, Ann], needs: 2, timeout: 4h }
  - id: each
    foreach: steps.all.accounts | filter(.state == "open")
    as: who
    key: who.id
    uses: world.lock
    with: { id: "${{ who.id }}" }
  - id: more
    approve: { title: 'And more?', by: [Bob], on_deny: continue }
  - uses: world.tell
    with: { text: "more: ${{ steps.more.approved }}" }
`

const denied = `name: main
steps:
  - try:
      - approve: { title: 'Lock it?', by: [Bob], timeout: 4h }
      - uses: world.lock
        with: { id: a }
    catch:
      - uses: world.tell
        with: { text: never }
    finally:
      - uses: world.tell
        with: { text: cleaned up }
`

const temporary = `name: main
inputs:
  hours: { type: integer, default: 2 }
steps:
  - uses: world.lock
    with: { id: a }
    for: 4h
    at_end: lift
    max: 8h
    warn: 15m
  - foreach: '["b", "c"]'
    as: who
    key: who
    uses: world.lock
    with: { id: "${{ who }}" }
    for: "${{ duration(string(inputs.hours) + 'h') }}"
    at_end: keep
  - uses: world.unlock
    with: { id: a }
`

const roundsAndCases = `name: main
steps:
  - id: see
    uses: world.look
    with: { id: a }
    on_error: continue
  - while: index < 3
    max: 5
    steps:
      - switch: index
        cases:
          0:
            - uses: world.tell
              with: { text: first }
          1:
            - wait: { for: 10s }
        default:
          - uses: world.tell
            with: { text: "${{ index }}" }
  - switch: steps.see.error?.code ?? "none"
    cases:
      none:
        - uses: world.tell
          with: { text: never }
      broken:
        - return: nothing more to do
  - uses: world.tell
    with: { text: never }
outputs:
  code: ${{ steps.see.error?.code ?? "none" }}
`

const tooManyRounds = `name: main
steps:
  - while: index >= 0
    max: 2
    steps:
      - uses: world.tell
        with: { text: "${{ index }}" }
`

const failedByItself = `name: main
steps:
  - id: all
    uses: world.list
  - if: len(steps.all.accounts) > 3
    fail: "${{ len(steps.all.accounts) }} are too many"
  - uses: world.tell
    with: { text: never }
`

const refusedItems = `name: main
guard: { protect: ["b"] }
steps:
  - id: each
    foreach: '["a", "b", "c"]'
    as: who
    key: who
    concurrency: 3
    uses: world.lock
    with: { id: "${{ who }}" }
  - foreach: '["a", "d"]'
    as: who
    key: who
    steps:
      - if: who == "d"
        uses: world.lock
        with: { id: "${{ who }}" }
  - uses: world.tell
    with: { text: "${{ len(steps.each.items) }}" }
`

const blocked = `name: main
guard: { max_changes: 1 }
steps:
  - uses: world.lock
    with: { id: a }
  - id: seen
    uses: world.look
    with: { id: a }
  - foreach: '["b", "c"]'
    as: who
    key: who
    uses: world.lock
    with: { id: "${{ who }}" }
`

const cancelled = `name: main
steps:
  - try:
      - parallel:
          one:
            - uses: world.look
              with: { id: a }
          two:
            - wait: { signal: go }
          three:
            - foreach: '["b", "c"]'
              as: who
              key: who
              steps:
                - uses: world.lock
                  with: { id: "${{ who }}" }
                - wait: { for: 1h }
    catch:
      - uses: world.tell
        with: { text: never }
    finally:
      - uses: world.tell
        with: { text: cleaning up }
  - uses: world.tell
    with: { text: never }
`

const largeValues = `name: main
inputs:
  text: { type: string }
steps:
  - id: kept
    set: { twice: "${{ inputs.text + inputs.text }}" }
  - wait: { for: 1h }
  - uses: world.tell
    with: { text: "${{ len(steps.kept.twice) }}" }
  - foreach: '["a", "b"]'
    as: who
    key: who
    uses: world.tell
    with: { text: "${{ who }} ${{ inputs.text }}" }
outputs:
  size: ${{ len(steps.kept.twice) }}
`
