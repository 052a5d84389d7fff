package local_test

import (
	"context"
	"errors"
	"flag"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/enginetest"
	"github.com/drawbridge-soar/drawbridge/engine/guard"
	"github.com/drawbridge-soar/drawbridge/engine/local"
	"github.com/drawbridge-soar/drawbridge/engine/machine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/store/memory"
)

var record = flag.Bool("record", false, "record the journals of machine.Semantics that are not there yet; those that are stay as they are")

// recordMissing records what recordings() says and nobody has recorded yet.
func recordMissing(t *testing.T) {
	t.Helper()
	if !*record {
		return
	}
	folder := filepath.Join(journals, strconv.Itoa(machine.Semantics))
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, r := range recordings() {
		file := filepath.Join(folder, r.name+".txtar")
		if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			j := newRecorder(t, r).journal()
			if err := os.WriteFile(file, j.format(), 0o644); err != nil {
				t.Fatal(err)
			}
			t.Logf("recorded %s: %d events, %s", file, len(j.entries), j.end)
		})
	}
}

// recorder carries a run out with the real engine, in virtual time, and keeps
// the journal that the store would forget with each snapshot.
type recorder struct {
	engine.Store

	t     *testing.T
	what  recording
	world *enginetest.World
	local *local.Engine
	prog  *program.Program
	run   string

	mu     sync.Mutex
	events []engine.Event
	values map[engine.Reference][]byte
}

func newRecorder(t *testing.T, what recording) *recorder {
	t.Helper()
	actions, err := engine.NewActions(enginetest.Actions()...)
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{Store: memory.New(), t: t, what: what, world: enginetest.NewWorld("a", "b", "c", "d"), values: map[engine.Reference][]byte{}}
	var bundle engine.Bundle
	r.prog, bundle = compile(t, what.sources, actions, worldCatalog())
	for call, faults := range what.faults {
		r.world.Script(call, faults...)
	}
	r.local, err = local.New(local.Config{
		Store: r, Actions: actions, Catalog: worldCatalog(), Connections: r.world.Connections(&enginetest.Life{}),
		Programs: func(context.Context, engine.Bundle) (*program.Program, error) { return r.prog, nil },
		People:   guard.People{{Name: "Bob", OSUser: "bob"}, {Name: "Ann", OSUser: "ann"}},
		Tell:     func(context.Context, engine.Approval, engine.ChangeSet, engine.RunRecord) error { return nil },
		Patience: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	r.run, err = r.local.Start(t.Context(), local.StartRequest{Program: r.prog, Bundle: bundle, Inputs: what.inputs, Actor: engine.Actor{Name: "sam", Via: "cli"}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Commit keeps what belongs to the journal.
func (r *recorder) Commit(ctx context.Context, b engine.Batch) error {
	if err := r.Store.Commit(ctx, b); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, b.Events...)
	for _, v := range b.Values {
		r.values[v.Ref] = v.Data
	}
	return nil
}

// journal carries the run out and writes down what the machine decided. The
// machine hears the recorded events for this, as it does after a crash.
func (r *recorder) journal() *journal {
	r.t.Helper()
	end := r.carryOut()
	j := &journal{name: r.what.name, sources: r.what.sources, values: r.values, snapshots: map[uint64][]byte{}}
	m := machine.New(r.prog)
	for _, stored := range r.events {
		j.entries = append(j.entries, entry{stored: stored, commands: j.apply(r.t, m, stored)})
		if n := len(r.events); len(j.entries) == n/2 || len(j.entries) == n {
			data, err := m.Snapshot()
			if err != nil {
				r.t.Fatal(err)
			}
			j.snapshots[stored.Seq] = data
		}
	}
	j.end = endOf(m)
	r.keepWhatIsReferred(j)
	if end.Status != r.what.status {
		r.t.Fatalf("%s is %s, not %s: %v", r.what.name, end.Status, r.what.status, end.Error)
	}
	return j
}

// keepWhatIsReferred forgets values that the run itself does not refer to, such
// as change sets.
func (r *recorder) keepWhatIsReferred(j *journal) {
	text := string(j.format())
	maps.DeleteFunc(j.values, func(ref engine.Reference, _ []byte) bool { return strings.Count(text, string(ref)) < 2 })
}

// carryOut drives the run to its end, while people do what the recording says.
func (r *recorder) carryOut() engine.RunRecord {
	r.t.Helper()
	acted := make(chan struct{})
	go func() {
		defer close(acted)
		for _, a := range r.what.acts {
			time.Sleep(a.after) //nolint:forbidigo // virtual: the run goes on meanwhile
			a.do(r)
		}
	}()
	for {
		run, err := r.local.Drive(r.t.Context(), r.run)
		if err != nil && !errors.Is(err, local.ErrDriven) {
			r.t.Fatal(err)
		}
		if run.Status.Final() {
			<-acted
			return run
		}
		time.Sleep(time.Minute) //nolint:forbidigo // virtual: it is looked at again
	}
}

// deed is something people do, some time after what they did before.
type deed struct {
	after time.Duration
	do    func(*recorder)
}

func says(user string, approve bool) func(*recorder) {
	return func(r *recorder) {
		open, err := r.Approvals(r.t.Context(), engine.ApprovalQuery{Run: r.run})
		i := slices.IndexFunc(open, func(a engine.Approval) bool { return a.Status == engine.ApprovalPending })
		if err != nil || i < 0 {
			r.t.Errorf("nobody is asked: %v", err)
			return
		}
		_, err = r.local.Decide(r.t.Context(), local.Decision{Approval: open[i].ID, Actor: engine.Actor{Name: user, Via: "cli"}, Approve: approve, Reason: "because"})
		if err != nil {
			r.t.Error(err)
		}
	}
}

func signals(name, body string) func(*recorder) {
	return func(r *recorder) {
		s := engine.Signal{Run: r.run, ID: name, Name: name, Body: []byte(body), By: engine.Actor{Name: "ann", Via: "cli"}}
		if err := r.local.Signal(r.t.Context(), s); err != nil {
			r.t.Error(err)
		}
	}
}

func cancels(reason string) func(*recorder) {
	return func(r *recorder) {
		if _, err := r.local.Cancel(r.t.Context(), r.run, reason); err != nil {
			r.t.Error(err)
		}
	}
}
