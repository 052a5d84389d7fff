package memory

import (
	"slices"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// The clones share nothing with the original, and hold times as every store does.

func cloneRun(r engine.RunRecord) engine.RunRecord {
	r.Inputs, r.Trigger, r.Outputs = slices.Clone(r.Inputs), slices.Clone(r.Trigger), slices.Clone(r.Outputs)
	r.Connections = slices.Clone(r.Connections)
	r.Error = cloneFailure(r.Error)
	if r.MaxChanges != nil {
		limit := *r.MaxChanges
		r.MaxChanges = &limit
	}
	r.CreatedAt = engine.StoredTime(r.CreatedAt)
	r.FinishedAt, r.WakeAt = cloneTime(r.FinishedAt), cloneTime(r.WakeAt)
	return r
}

func cloneEvent(e engine.Event) engine.Event {
	e.At, e.Data = engine.StoredTime(e.At), slices.Clone(e.Data)
	return e
}

func cloneStep(s engine.StepRecord) engine.StepRecord {
	s.Before, s.After, s.Inverse = slices.Clone(s.Before), slices.Clone(s.After), slices.Clone(s.Inverse)
	s.Error = cloneFailure(s.Error)
	s.StartedAt, s.EndedAt = engine.StoredTime(s.StartedAt), cloneTime(s.EndedAt)
	if s.Target != nil {
		target := *s.Target
		s.Target = &target
	}
	return s
}

func cloneItem(i engine.ItemRecord) engine.ItemRecord {
	i.Error, i.EndedAt = cloneFailure(i.Error), engine.StoredTime(i.EndedAt)
	return i
}

func cloneFailure(f *engine.Failure) *engine.Failure {
	if f == nil {
		return nil
	}
	out := *f
	out.NotBefore = engine.StoredTime(out.NotBefore)
	return &out
}

func cloneTime(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	out := engine.StoredTime(*t)
	return &out
}
