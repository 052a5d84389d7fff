package sqlite_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/store/sqlite"
	"github.com/drawbridge-soar/drawbridge/store/sqlite/floor"
)

// BenchmarkSteps commits what one step of a run leaves behind: its event, its
// record, and every 64 events a snapshot. The ratio compares it with the bare
// driver writing as many rows, bytes and transactions.
func BenchmarkSteps(b *testing.B) {
	for _, committers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("committers=%d", committers), func(b *testing.B) {
			s, err := sqlite.Open(filepath.Join(b.TempDir(), "runs.db"), sqlite.Options{Mode: sqlite.Engine})
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = s.Close() })
			startRuns(b, s, committers)
			before := s.Stats()
			b.ResetTimer()
			commitSteps(b, s, committers)
			b.StopTimer()
			report(b, s.Stats().Minus(before), committers)
		})
	}
}

func startRuns(b *testing.B, s engine.Store, n int) {
	batch := engine.Batch{Bundles: []engine.Bundle{{Hash: "b", Name: "bench", Data: []byte("name: bench\n")}}}
	for i := range n {
		batch.Runs = append(batch.Runs, engine.RunRecord{
			ID: runID(i), Playbook: "bench", Hash: "b", Status: engine.RunRunning, CreatedAt: time.Unix(int64(i), 0),
		})
	}
	if err := s.Commit(b.Context(), batch); err != nil {
		b.Fatal(err)
	}
}

func runID(i int) string { return fmt.Sprintf("run_01jbench0000000000000000%02d", i) }

// commitSteps lets every committer drive its own run until b.N steps are done.
func commitSteps(b *testing.B, s engine.Store, committers int) {
	var left atomic.Int64
	left.Store(int64(b.N))
	var wg sync.WaitGroup
	for i := range committers {
		wg.Go(func() {
			for seq := uint64(1); left.Add(-1) >= 0; seq++ {
				if err := s.Commit(b.Context(), stepBatch(runID(i), seq)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func stepBatch(run string, seq uint64) engine.Batch {
	now := time.Now()
	batch := engine.Batch{
		Events: []engine.Event{{
			Run: run, Seq: seq, At: now, Kind: "step_done",
			Data: json.RawMessage(`{"frame":12,"attempt":1,"value":{"inline":{"user":{"id":"ABCDEFGHIJKLMNOPQRSTUVWXYZ","email":"alice@example.com","name":"Alice Example","state":"suspended"}}},"outcome":"done"}`),
		}},
		Steps: []engine.StepRecord{{
			Run: run, Path: fmt.Sprintf("contain[user-%06d@example.com]/suspend", seq), Attempt: 1, Form: "uses",
			Action: "user.suspend", Effect: engine.Change, Connection: "1password", Status: engine.StepSucceeded,
			Outcome: engine.OutcomeDone, Target: &engine.Target{ID: "ABCDEFGHIJKLMNOPQRSTUVWXYZ", Name: "Alice Example"},
			Before: json.RawMessage(`{"state":"active"}`), After: json.RawMessage(`{"state":"suspended"}`),
			Arguments: "9f86d081884c7d659a2feaa0c55ad015", StartedAt: now, EndedAt: &now,
		}},
	}
	if seq%64 == 0 {
		batch.Snapshots = []engine.Snapshot{{Run: run, Seq: seq, Semantics: 1, Data: []byte(strings.Repeat("s", 4096))}}
	}
	return batch
}

func report(b *testing.B, written sqlite.Stats, runs int) {
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "steps/s")
	b.ReportMetric(float64(written.Batches)/float64(written.Transactions), "batches/tx")
	for unit, table := range map[string]floor.Table{"of-keyed": floor.Keyed, "of-appended": floor.Appended} {
		took, err := floor.Insert(b.Context(), b.TempDir(), table, written, runs)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(took.Seconds()/b.Elapsed().Seconds(), unit)
	}
}
