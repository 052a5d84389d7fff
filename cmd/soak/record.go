package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

const (
	steps    = 6  // of a run
	changing = 20 // one run in so many changes something
)

func actor() engine.Actor { return engine.Actor{Name: "drawbridge", Via: "schedule"} }

// when is the time of a run.
func when(n int) time.Time {
	return time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(n) * 30 * time.Minute)
}

// heartbeat is a batch that grows nothing.
func heartbeat() engine.Batch {
	return engine.Batch{Bundles: []engine.Bundle{{Hash: "sweep", Name: "sweep", Data: []byte("name: sweep\n")}}}
}

// record records a run with the records an engine leaves, in two commits where
// an engine makes one for each step: it starts, and it ends. What it reads is a
// large value of its own. One run in so many changes something and is audited.
func (l *life) record(ctx context.Context, n int) error {
	run := engine.RunRecord{
		ID: fmt.Sprintf("run_%026d", n), Playbook: "sweep", Hash: "sweep", Status: engine.RunRunning, Actor: actor(),
		Inputs: json.RawMessage(`{"unused_for":"90d"}`), Attempt: 1, Semantics: 1, CreatedAt: when(n),
	}
	begin := heartbeat()
	begin.Runs, begin.Events = []engine.RunRecord{run}, []engine.Event{event(run.ID, 1, when(n))}
	begin.Values = []engine.StoredValue{value(n, l.sizes.value)}
	if n%changing == 0 {
		begin.Audit = []engine.AuditEntry{engine.AuditStart(run)}
	}
	if err := l.store.Commit(ctx, begin); err != nil {
		return fmt.Errorf("starting a run: %w", err)
	}
	all := engine.Batch{}
	for i := range steps {
		all.Events = append(all.Events, event(run.ID, uint64(i)+2, when(n)))
		all.Steps = append(all.Steps, step(run, i, n%changing == 0 && i == steps-1))
	}
	finished := when(n).Add(time.Minute)
	run.Status, run.FinishedAt, run.Outputs = engine.RunSucceeded, &finished, json.RawMessage(`{"suspended":[]}`)
	all.Runs = []engine.RunRecord{run}
	all.Snapshots = []engine.Snapshot{{Run: run.ID, Seq: steps + 1, Semantics: 1, Data: []byte(strings.Repeat("s", 1500))}}
	if n%changing == 0 {
		last := all.Steps[steps-1]
		all.Audit = []engine.AuditEntry{engine.AuditIntent(actor(), last), engine.AuditResult(actor(), last), engine.AuditEnd(run)}
	}
	if err := l.store.Commit(ctx, all); err != nil {
		return fmt.Errorf("recording a run: %w", err)
	}
	return nil
}

func event(run string, seq uint64, at time.Time) engine.Event {
	return engine.Event{Run: run, Seq: seq, At: at, Kind: "step_done", Data: json.RawMessage(`{"frame":12,"attempt":1,"outcome":"done"}`)}
}

func value(n, size int) engine.StoredValue {
	word := fmt.Sprintf(`{"user":"U%d","state":"active"},`, n)
	data := []byte(strings.Repeat(word, size/len(word)+1)[:size])
	sum := sha256.Sum256(data)
	return engine.StoredValue{Ref: engine.Reference(hex.EncodeToString(sum[:])), Data: data}
}

func step(run engine.RunRecord, i int, changes bool) engine.StepRecord {
	ended := run.CreatedAt.Add(time.Second)
	s := engine.StepRecord{
		Run: run.ID, Path: fmt.Sprintf("step_%d", i), Attempt: 1, Form: "uses", Action: "user.list", Effect: engine.Observe,
		Connection: "1password", Status: engine.StepSucceeded, Arguments: "9f86d081884c7d65", StartedAt: run.CreatedAt, EndedAt: &ended,
	}
	if changes {
		s.Action, s.Effect, s.Outcome, s.Target = "user.suspend", engine.Change, engine.OutcomeDone, &engine.Target{ID: "U1", Name: "Alice"}
		s.Before, s.After = json.RawMessage(`{"state":"active"}`), json.RawMessage(`{"state":"suspended"}`)
	}
	return s
}
