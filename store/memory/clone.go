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
	r.Error, r.MaxChanges, r.Starters = cloneFailure(r.Error), clonePointer(r.MaxChanges), slices.Clone(r.Starters)
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
	s.Target = clonePointer(s.Target)
	return s
}

func cloneItem(i engine.ItemRecord) engine.ItemRecord {
	i.Error, i.EndedAt = cloneFailure(i.Error), engine.StoredTime(i.EndedAt)
	return i
}

func clonePlan(p engine.PlanRecord) engine.PlanRecord {
	p.Inputs, p.Connections = slices.Clone(p.Inputs), slices.Clone(p.Connections)
	p.MaxChanges, p.Blocked, p.CreatedAt = clonePointer(p.MaxChanges), cloneFailure(p.Blocked), engine.StoredTime(p.CreatedAt)
	return p
}

func cloneAnswer(a engine.Answer) engine.Answer {
	a.Population, a.At = clonePointer(a.Population), engine.StoredTime(a.At)
	return a
}

func cloneApproval(a engine.Approval) engine.Approval {
	a.By, a.Excluded, a.Votes = slices.Clone(a.By), slices.Clone(a.Excluded), slices.Clone(a.Votes)
	for i := range a.Votes {
		v := &a.Votes[i]
		v.Except, v.At = slices.Clone(v.Except), engine.StoredTime(v.At)
	}
	a.CreatedAt = engine.StoredTime(a.CreatedAt)
	a.ExpiresAt, a.ToldAt, a.DecidedAt = cloneTime(a.ExpiresAt), cloneTime(a.ToldAt), cloneTime(a.DecidedAt)
	return a
}

func cloneFreeze(f engine.Freeze) engine.Freeze {
	f.At, f.ThawedBy, f.ThawedAt = engine.StoredTime(f.At), clonePointer(f.ThawedBy), cloneTime(f.ThawedAt)
	return f
}

func cloneGrant(g engine.Grant) engine.Grant {
	g.Inverse, g.Before, g.After = slices.Clone(g.Inverse), slices.Clone(g.Before), slices.Clone(g.After)
	g.Error, g.Lasts = cloneFailure(g.Error), g.Lasts.Truncate(time.Microsecond)
	g.Most, g.Warn = g.Most.Truncate(time.Microsecond), g.Warn.Truncate(time.Microsecond)
	g.EndsAt, g.NextTry, g.CreatedAt = engine.StoredTime(g.EndsAt), engine.StoredTime(g.NextTry), engine.StoredTime(g.CreatedAt)
	g.WarnedAt, g.AlarmedAt = cloneTime(g.WarnedAt), cloneTime(g.AlarmedAt)
	g.StartedAt, g.EndedAt = cloneTime(g.StartedAt), cloneTime(g.EndedAt)
	return g
}

func cloneHold(h engine.Hold) engine.Hold {
	h.At, h.ReleasedBy, h.ReleasedAt = engine.StoredTime(h.At), clonePointer(h.ReleasedBy), cloneTime(h.ReleasedAt)
	return h
}

func cloneSignal(s engine.Signal) engine.Signal {
	s.Body, s.At = slices.Clone(s.Body), engine.StoredTime(s.At)
	return s
}

func cloneSchedule(s engine.ScheduleState) engine.ScheduleState {
	s.LastAt, s.PausedAt = engine.StoredTime(s.LastAt), cloneTime(s.PausedAt)
	return s
}

func clonePointer[T any](p *T) *T {
	if p == nil {
		return nil
	}
	out := *p
	return &out
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
