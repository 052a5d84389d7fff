package local_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/local"
)

const triggered = `
inputs:
  who: { type: string }
  since: { type: time }
  note: { type: string, optional: true }
  count: { type: integer, default: 3 }
triggers:
  - webhook: alert
    body:
      alert: { type: map, fields: { id: { type: string }, number: { type: integer }, user: { type: string }, note: { type: string, optional: true } } }
    dedupe: trigger.body.alert.id
    with:
      who: "${{ trigger.body.alert.user }}"
      since: "${{ trigger.time - duration('1h') }}"
      note: "${{ trigger.body.alert.note }}"
  - webhook: numbered
    body:
      alert: { type: map, fields: { number: { type: integer } } }
    dedupe: trigger.body.alert.number
    with: { who: all, since: "${{ trigger.time }}" }
steps:
  - uses: test.act
`

func TestATriggerMakesTheInputs(t *testing.T) {
	f := newFixture(t, nil)
	p, _ := compile(t, map[string]string{"main": triggered}, f.actions, engine.Catalog{})
	trigger := json.RawMessage(`{"kind":"webhook","time":"2026-11-27T12:00:00Z","webhook":"alert","body":{"alert":{"id":"A-1","number":7,"user":"dana"}}}`)
	got, err := f.TriggerInputs(p, p.Triggers[0], trigger)
	want := map[string]any{"who": "dana", "since": time.Date(2026, 11, 27, 11, 0, 0, 0, time.UTC)}
	if err != nil || !cmp.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	for i, want := range []string{"A-1", "7"} {
		if key, err := local.DedupeKey(p.Triggers[i], trigger); err != nil || key != want {
			t.Errorf("trigger %d: the key is %q, %v", i, key, err)
		}
	}
}

func TestWhatMakesNoInputsIsSaidWithoutItsValues(t *testing.T) {
	f := newFixture(t, nil)
	p, _ := compile(t, map[string]string{"main": triggered}, f.actions, engine.Catalog{})
	for name, body := range map[string]string{
		"another shape": `{"alert":{"id":4711,"number":"hunter2","user":"hunter2"}}`,
		"no body":       `null`,
	} {
		trigger := json.RawMessage(`{"kind":"webhook","time":"2026-11-27T12:00:00Z","webhook":"alert","body":` + body + `}`)
		_, err := f.TriggerInputs(p, p.Triggers[0], trigger)
		if !errors.Is(err, local.ErrInputs) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := local.DedupeKey(p.Triggers[0], trigger); !errors.Is(err, local.ErrInputs) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the key: %v", name, err)
		}
	}
	empty := json.RawMessage(`{"kind":"webhook","time":"2026-11-27T12:00:00Z","webhook":"alert","body":{"alert":{"id":"","number":7,"user":"dana"}}}`)
	if _, err := local.DedupeKey(p.Triggers[0], empty); !errors.Is(err, local.ErrInputs) {
		t.Errorf("an empty key: %v", err)
	}
}
