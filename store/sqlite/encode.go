package sqlite

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// valuePart is the size in bytes of the parts a large value is stored in.
const valuePart = 256 << 10

// encode turns a batch into operations. It runs in the committer's goroutine,
// so that the writer has nothing to do but to write.
func encode(b engine.Batch) ([]operation, error) {
	ops := make([]operation, 0, len(b.Bundles)+len(b.Values)+len(b.Runs)+len(b.Events)+
		len(b.Steps)+len(b.Items)+2*len(b.Snapshots))
	add := func(k kind, values ...any) { ops = append(ops, operation{kind: k, args: arguments(values...)}) }
	for _, bundle := range b.Bundles {
		add(putBundle, bundle.Hash, bundle.Name, required(bundle.Data))
	}
	for _, v := range b.Values {
		part := int64(0)
		for data := range slices.Chunk(v.Data, valuePart) {
			add(putValue, string(v.Ref), part, required(data))
			part++
		}
		if part == 0 {
			add(putValue, string(v.Ref), part, required(nil))
		}
	}
	for i := range b.Runs {
		values, err := runValues(&b.Runs[i])
		if err != nil {
			return nil, err
		}
		add(putRun, values...)
	}
	for _, e := range b.Events {
		add(addEvent, e.Run, int64(e.Seq), e.At.UnixMicro(), e.Kind, optional(e.Data))
	}
	for i := range b.Steps {
		values, err := stepValues(&b.Steps[i])
		if err != nil {
			return nil, err
		}
		add(putStep, values...)
	}
	for _, item := range b.Items {
		failure, err := failureJSON(item.Error)
		if err != nil {
			return nil, err
		}
		add(putItem, item.Run, item.Path, int64(item.Index), item.Key, item.Label, string(item.Outcome),
			failure, item.EndedAt.UnixMicro())
	}
	for _, snap := range b.Snapshots {
		add(putSnapshot, snap.Run, int64(snap.Seq), int64(snap.Semantics), required(snap.Data))
		add(trimJournal, snap.Run, int64(snap.Seq))
	}
	return ops, nil
}

func runValues(r *engine.RunRecord) ([]any, error) {
	failure, err := failureJSON(r.Error)
	return []any{
		r.ID, r.Hash, r.Playbook, string(r.Status), r.Actor.Name, r.Actor.Via,
		optional(r.Inputs), optional(r.Trigger), optional(r.Outputs), failure,
		int64(r.Attempt), int64(r.Semantics), r.CreatedAt.UnixMicro(), micros(r.FinishedAt), micros(r.WakeAt),
		number(r.MaxChanges), optional(r.Connections),
	}, err
}

func stepValues(s *engine.StepRecord) ([]any, error) {
	var id, name any
	if s.Target != nil {
		id, name = s.Target.ID, s.Target.Name
	}
	failure, err := failureJSON(s.Error)
	return []any{
		s.Run, s.Path, int64(s.Attempt), s.Form, s.Action, string(s.Effect), s.Connection,
		string(s.Status), string(s.Outcome), id, name, optional(s.Before), optional(s.After),
		s.Arguments, optional(s.Inverse), failure, s.StartedAt.UnixMicro(), micros(s.EndedAt), s.Why,
	}, err
}

// number is a number that may be missing.
func number(n *int64) any {
	if n == nil {
		return nil
	}
	return *n
}

// required is data that exists also where it is empty: the driver takes nil
// for NULL.
func required(data []byte) any {
	if data == nil {
		return []byte{}
	}
	return data
}

func optional(data []byte) any {
	if data == nil {
		return nil
	}
	return data
}

func micros(t *time.Time) any {
	if t == nil {
		return nil
	}
	return t.UnixMicro()
}

func failureJSON(f *engine.Failure) (any, error) {
	if f == nil {
		return nil, nil
	}
	stored := *f
	stored.NotBefore = engine.StoredTime(f.NotBefore)
	data, err := json.Marshal(stored)
	if err != nil {
		return nil, fmt.Errorf("%w: encoding a failure: %w", engine.ErrRecord, err)
	}
	return data, nil
}

// weigh is how many bytes the operations hand to SQLite.
func weigh(ops []operation) int64 {
	var sum int64
	for _, op := range ops {
		for i := range op.args {
			sum += size(op.args[i].Value)
		}
	}
	return sum
}

func size(v driver.Value) int64 {
	switch v := v.(type) {
	case string:
		return int64(len(v))
	case []byte:
		return int64(len(v))
	case nil:
		return 0
	default:
		return 8
	}
}
