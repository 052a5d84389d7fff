package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/engine/schedule"
)

// The overlap policies of a trigger: what happens where an earlier run of it is
// not over.
const (
	overlapSkip  = "skip"
	overlapQueue = "queue"
	overlapAllow = "allow"
)

// againAfter is when a schedule is looked at again that is due and could not be
// decided: its store did not work, or it is paused.
const againAfter = time.Second

// fires is what an Engine knows of schedules beside its store.
type fires struct {
	mu            sync.Mutex // held while a schedule's state is read and written
	fired, missed atomic.Int64
}

// FireCounts are how many runs schedules have started since this Engine was
// made, and for how many fire times none was started.
func (e *Engine) FireCounts() (fired, missed int64) {
	return e.fires.fired.Load(), e.fires.missed.Load()
}

// Series is the identity of a playbook's trigger: its name and the trigger's
// place, "sweep#0".
func Series(playbook string, place int) string { return fmt.Sprintf("%s#%d", playbook, place) }

// scheduler starts the runs of schedules at their times. It belongs to one
// goroutine.
type scheduler struct {
	engine  *Engine
	serving Serving
	hashes  []string // of the playbooks that timed was made of, with their names
	timed   []*timed
}

// timed is a trigger with a schedule, and when it is due next.
type timed struct {
	active Active
	place  int
	series string
	spec   string // as a ScheduleState has it
	times  schedule.Schedule
	next   time.Time // zero: it does not fire any more
}

func newScheduler(e *Engine, s Serving) *scheduler {
	return &scheduler{engine: e, serving: s}
}

// fire starts the runs that are due of all schedules, and returns when to ask
// next; zero where nothing is scheduled. It may be asked at any time, and as
// often: where nothing is due it costs next to nothing. Errors are those of the
// store; the other schedules were decided all the same, and what the error is
// about is due still.
func (s *scheduler) fire(ctx context.Context) (next time.Time, err error) {
	now := s.engine.config.Clock.Now()
	if s.serving.Playbooks == nil {
		return time.Time{}, nil
	}
	if err := s.reload(ctx, now); err != nil {
		return now.Add(againAfter), err
	}
	var problems []error
	for _, t := range s.timed {
		if !t.next.IsZero() && !now.Before(t.next) {
			again, err := s.decide(ctx, t, now)
			problems = append(problems, err)
			next = earlier(next, again)
			continue
		}
		next = earlier(next, t.next)
	}
	return next, errors.Join(problems...)
}

// earlier is the earlier of two times; zero is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// reload finds the triggers again where the playbooks are others than before. A
// schedule that was just written, or written anew, has missed nothing.
func (s *scheduler) reload(ctx context.Context, now time.Time) error {
	playbooks := s.serving.Playbooks()
	if s.hashes != nil && s.same(playbooks) {
		return nil
	}
	timed := timedOf(playbooks)
	s.engine.fires.mu.Lock()
	defer s.engine.fires.mu.Unlock()
	states, err := s.engine.schedules(ctx)
	if err != nil {
		return err
	}
	var fresh []engine.ScheduleState
	for _, t := range timed {
		state, known := states[t.series]
		if !known || state.Spec != t.spec {
			state.ID, state.Playbook, state.Spec, state.LastAt = t.series, t.active.Program.Name, t.spec, now
			fresh = append(fresh, state)
		}
		t.next = t.times.Next(state.LastAt)
	}
	if len(fresh) > 0 {
		if err := s.engine.config.Store.Commit(ctx, engine.Batch{Schedules: fresh}); err != nil {
			return fmt.Errorf("recording new schedules: %w", err)
		}
	}
	s.timed, s.hashes = timed, []string{}
	for _, p := range playbooks {
		s.hashes = append(s.hashes, p.Program.Name, p.Program.Hash)
	}
	return nil
}

// same reports whether the playbooks are those that the triggers were read of.
func (s *scheduler) same(playbooks []Active) bool {
	if len(s.hashes) != 2*len(playbooks) {
		return false
	}
	for i, p := range playbooks {
		if s.hashes[2*i] != p.Program.Name || s.hashes[2*i+1] != p.Program.Hash {
			return false
		}
	}
	return true
}

// timedOf are the triggers with a schedule. Of two playbooks with one name the
// first counts, because fire times go by the name.
func timedOf(playbooks []Active) []*timed {
	var out []*timed
	seen := make(map[string]bool)
	for _, p := range playbooks {
		if seen[p.Program.Name] {
			continue
		}
		seen[p.Program.Name] = true
		for place, t := range p.Program.Triggers {
			times, err := schedule.Parse(t.Schedule, t.Timezone)
			if t.Schedule == "" || err != nil { // the checker has refused what cannot be read
				continue
			}
			out = append(out, &timed{active: p, place: place, series: Series(p.Program.Name, place), spec: specOf(t), times: times})
		}
	}
	return out
}

// specOf is a trigger's schedule with its zone, as a ScheduleState remembers it.
func specOf(t program.Trigger) string {
	if t.Timezone == "" {
		return t.Schedule
	}
	return t.Schedule + " in " + t.Timezone
}

// schedules are what the store remembers of schedules, by id.
func (e *Engine) schedules(ctx context.Context) (map[string]engine.ScheduleState, error) {
	list, err := e.config.Store.Schedules(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the schedules: %w", err)
	}
	out := make(map[string]engine.ScheduleState, len(list))
	for _, state := range list {
		out[state.ID] = state
	}
	return out, nil
}

// decide starts what is due of one schedule, and then records that it was
// decided: who dies between the two starts nothing twice, because every fire
// time has its key. It returns when the schedule is to be looked at next.
func (s *scheduler) decide(ctx context.Context, t *timed, now time.Time) (time.Time, error) {
	s.engine.fires.mu.Lock()
	defer s.engine.fires.mu.Unlock()
	states, err := s.engine.schedules(ctx)
	if err != nil {
		return now.Add(againAfter), err
	}
	state, known := states[t.series]
	switch {
	case known && state.PausedAt != nil:
		return now.Add(againAfter), nil
	case !known:
		state = engine.ScheduleState{ID: t.series, Playbook: t.active.Program.Name, Spec: t.spec, LastAt: now}
	}
	v := s.due(t, state.LastAt, now)
	if err := s.start(ctx, t, v); err != nil {
		return now.Add(againAfter), fmt.Errorf("firing %s: %w", t.series, err)
	}
	if now.After(state.LastAt) {
		state.LastAt = now
	}
	if err := s.engine.config.Store.Commit(ctx, engine.Batch{Schedules: []engine.ScheduleState{state}}); err != nil {
		return now.Add(againAfter), fmt.Errorf("firing %s: recording that it was decided: %w", t.series, err)
	}
	s.settle(t, v, now)
	t.next = t.times.Next(state.LastAt)
	return t.next, nil
}

// dueFires is what is done about the fire times of one schedule.
type dueFires struct {
	fire    []time.Time
	created int
	left    int    // fire times that were missed and are not made up for
	skipped int    // left out because of earlier runs
	why     string // of those
	refused int    // whose runs could not be started
	trouble error  // of those, the last one
}

func (s *scheduler) due(t *timed, last, now time.Time) *dueFires {
	v := &dueFires{}
	v.fire, v.left = schedule.Due(t.times, last, now, schedule.Missed(t.trigger().Missed), 0)
	return v
}

func (t *timed) trigger() program.Trigger { return t.active.Program.Triggers[t.place] }

func (t *timed) key(at time.Time) string { return schedule.Key(t.active.Program.Name, t.place, at) }

// start starts the runs of what is due, the oldest first. Only an error of the
// store is one: the rest is told, and does not come again.
func (s *scheduler) start(ctx context.Context, t *timed, v *dueFires) error {
	keys := make([]string, len(v.fire))
	for i, at := range v.fire {
		keys[i] = t.key(at)
	}
	room, why, err := s.engine.room(ctx, t.series, t.trigger().Overlap, keys)
	if err != nil {
		return err
	}
	for i, at := range v.fire {
		there, err := s.engine.started(ctx, keys[i])
		switch {
		case err != nil:
			return err
		case there:
		case room == 0:
			v.skipped, v.why = v.skipped+1, why
		default:
			room--
			if err := s.startOne(ctx, t, at, v); err != nil {
				return err
			}
		}
	}
	return nil
}

// started reports whether there is a run with a key.
func (e *Engine) started(ctx context.Context, key string) (bool, error) {
	_, err := e.config.Store.RunByKey(ctx, key)
	if errors.Is(err, engine.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for the run of %s: %w", key, err)
	}
	return true, nil
}

func (s *scheduler) startOne(ctx context.Context, t *timed, at time.Time, v *dueFires) error {
	req, err := s.request(t, at)
	if err == nil {
		var created bool
		_, created, err = s.engine.StartOnce(ctx, req)
		if created {
			v.created++
		}
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil, errors.Is(err, errRecording), errors.Is(err, engine.ErrClosed):
		return err
	}
	v.refused, v.trouble = v.refused+1, err
	return nil
}

// request is the run of a fire time.
func (s *scheduler) request(t *timed, at time.Time) (StartRequest, error) {
	trigger, err := scheduleTrigger(at)
	if err != nil {
		return StartRequest{}, err
	}
	inputs, err := s.engine.TriggerInputs(t.active.Program, t.trigger(), trigger)
	return StartRequest{
		Program: t.active.Program, Bundle: t.active.Bundle, Source: t.active.Source, Inputs: inputs,
		Actor: engine.Actor{Name: "schedule", Via: "schedule"}, Trigger: trigger, Key: t.key(at), Series: t.series, Queue: true,
	}, err
}

// scheduleTrigger is `trigger` of a run that a schedule has started.
func scheduleTrigger(at time.Time) (json.RawMessage, error) {
	data, err := json.Marshal(map[string]any{"kind": "schedule", "time": at.UTC().Format(time.RFC3339), "webhook": nil, "body": nil})
	if err != nil {
		return nil, fmt.Errorf("encoding the trigger: %w", err)
	}
	return data, nil
}

// settle counts and tells what became of what was due, once that is recorded.
func (s *scheduler) settle(t *timed, v *dueFires, now time.Time) {
	e := s.engine
	e.fires.fired.Add(int64(v.created))
	e.fires.missed.Add(int64(v.left + v.skipped + v.refused))
	if v.left > 0 {
		s.tell(Notice{Kind: NoticeMissed, At: now, Series: t.series, Missed: v.left, Text: fmt.Sprintf(
			"%s: nothing was started for %s that %s missed; what is made up for is `missed: %s`", t.series, fireTimes(v.left), were(v.left), t.trigger().Missed)})
	}
	if v.skipped > 0 {
		s.tell(Notice{Kind: NoticeMissed, At: now, Series: t.series, Missed: v.skipped, Text: fmt.Sprintf(
			"%s: nothing was started for %s: %s", t.series, fireTimes(v.skipped), v.why)})
	}
	if v.refused > 0 {
		s.tell(Notice{Kind: NoticeTrouble, At: now, Series: t.series, Missed: v.refused, Text: fmt.Sprintf(
			"%s: nothing could be started for %s: %s", t.series, fireTimes(v.refused), e.config.Redact.String(v.trouble.Error()))})
	}
}

func (s *scheduler) tell(n Notice) {
	s.engine.config.Log.Warn(n.Text, "series", n.Series, "missed", n.Missed)
	if s.serving.Tell != nil {
		s.serving.Tell(n)
	}
}

func fireTimes(n int) string {
	if n == 1 {
		return "a fire time"
	}
	return fmt.Sprintf("%d fire times", n)
}

func were(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

// unfinished are the statuses of runs that are not over.
func unfinished() []engine.RunStatus {
	return []engine.RunStatus{
		engine.RunQueued, engine.RunRunning, engine.RunWaiting, engine.RunUnsettled, engine.RunInterrupted,
	}
}
