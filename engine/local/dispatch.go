package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

const (
	// lookahead is how many runs more are read than can be begun at once, so that not
	// every run that ends asks the store.
	lookahead = 256
	// freshAge is how long a run that was recorded while Serve began is left to
	// whoever recorded it.
	freshAge = 10 * time.Second
	// clockJump is how far the clock may move between two looks.
	clockJump = time.Minute
	// fullFor is for how long at most a group is taken to be full without asking.
	fullFor = 10 * time.Second
)

// dispatcher carries out what is due. What that is, the store knows: beside the
// runs under way it remembers only those that could not be carried out.
type dispatcher struct {
	engine  *Engine
	serving Serving
	runs    int           // at the same time
	share   int           // of them, of one playbook: the rest is for others
	poked   chan struct{} // that there may be more that is due
	freed   chan struct{} // that a run is not under way any more
	under   sync.WaitGroup

	mu      sync.Mutex
	busy    map[string]string    // by run: its playbook
	of      map[string]int       // by playbook: how many are under way
	resting map[string]resting   // by run: left for later, or left behind
	full    map[string]time.Time // by group, or schedule: since when there is no place

	backlog []engine.RunRecord // due, and not begun yet; of dispatch alone
	more    bool               // the store has more that is due
	next    time.Time          // when the first run is due after those; zero: not within a beat
	looking trouble
	clock   time.Time // what it showed at the last look; of dispatch alone
}

// resting is a run that is not to be carried out before a time.
type resting struct {
	until time.Time
	tries int // that failed, in a row
}

func newDispatcher(e *Engine, s Serving) *dispatcher {
	runs := orDefault(s.Runs, DefaultRuns)
	return &dispatcher{
		engine: e, serving: s, runs: runs, share: max(1, runs-runs/4),
		poked: make(chan struct{}, 1), freed: make(chan struct{}, 1),
		busy: make(map[string]string), of: make(map[string]int),
		resting: make(map[string]resting), full: make(map[string]time.Time),
		looking: trouble{what: "what is due could not be read"},
	}
}

// pickUp finds the runs that a process left behind. One that is being carried
// out now was not.
func (d *dispatcher) pickUp(ctx context.Context) error {
	began := d.now()
	q := engine.RunQuery{Statuses: []engine.RunStatus{engine.RunRunning, engine.RunInterrupted, engine.RunUnsettled}, Limit: 1000}
	for {
		page, err := d.engine.config.Store.Runs(ctx, q)
		if err != nil {
			return fmt.Errorf("listing the runs that are not over: %w", err)
		}
		for i := range page {
			when := began
			if page[i].Status == engine.RunRunning && page[i].CreatedAt.After(d.engine.began) {
				when = began.Add(freshAge)
			}
			d.adopt(page[i].ID, when)
		}
		if len(page) < q.Limit {
			return nil
		}
		q.After = page[len(page)-1].ID
	}
}

// adopt takes a run over that is not due by itself, from a time on.
func (d *dispatcher) adopt(run string, from time.Time) {
	d.mu.Lock()
	d.resting[run] = resting{until: from}
	d.mu.Unlock()
	signalOne(d.poked)
}

// poke looks for what is due at once, also for a run that was left for later.
func (d *dispatcher) poke(run string) {
	d.mu.Lock()
	if r, left := d.resting[run]; left {
		r.until = time.Time{}
		d.resting[run] = r
	}
	d.mu.Unlock()
	signalOne(d.poked)
}

func signalOne(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// driven notes how a run stands after it was carried out, by whomever.
func (d *dispatcher) driven(record engine.RunRecord) {
	if over := record.Status.Final(); over && record.Status != engine.RunSucceeded || record.Status == engine.RunUnsettled {
		d.serving.Tell(Notice{Kind: NoticeRun, At: d.now(), Run: &record})
	}
	if record.Group == "" && record.Series == "" {
		return
	}
	d.mu.Lock()
	delete(d.full, record.Group)
	delete(d.full, lane(record))
	d.mu.Unlock()
	signalOne(d.freed)
}

// dispatch carries out what is due until ctx ends, and waits for what is under way.
func (d *dispatcher) dispatch(ctx context.Context) {
	defer d.under.Wait()
	for ctx.Err() == nil {
		began := d.now()
		pause := d.after(&d.looking, d.look(ctx))
		if left := d.next.Sub(d.now()); !d.next.IsZero() && pause <= beat {
			pause = max(0, min(pause, left))
		}
		timer, stop := d.engine.config.Clock.Timer(pause)
		d.await(ctx, min(beat, max(gap, 4*d.now().Sub(began))), nil) // most of the time is for the runs
		for waiting := true; waiting && ctx.Err() == nil; {
			select {
			case <-ctx.Done():
			case <-timer:
				waiting = false
			case <-d.poked:
				waiting = false
			case <-d.freed:
				d.launch(ctx)
				waiting = !d.short()
			}
		}
		stop()
	}
}

// short reports whether runs could be begun if it were known which.
func (d *dispatcher) short() bool { return d.more && len(d.backlog) == 0 && d.free() > 0 }

// look reads what is due, and begins what there is room for. While there is room
// and more is due, it reads on: what it has read may all be waiting for a place.
func (d *dispatcher) look(ctx context.Context) error {
	d.watchClock()
	d.mu.Lock()
	now := d.now()
	for group, since := range d.full {
		if now.Sub(since) >= fullFor {
			delete(d.full, group)
		}
	}
	limit := len(d.busy) + len(d.resting) + d.runs + lookahead
	d.mu.Unlock()
	for {
		due, err := d.engine.config.Store.Due(ctx, now.Add(beat), limit)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // it was told to stop
		}
		d.more = len(due) == limit
		due, d.next = dueBy(due, now)
		left, missing := d.rested(ctx, now)
		if err = errors.Join(err, missing); err != nil && len(left) == 0 {
			return fmt.Errorf("reading what is due: %w", err)
		}
		d.backlog = slices.Concat(left, due)
		d.launch(ctx)
		if err != nil || !d.more || d.free() == 0 || !d.mayHide() {
			return err
		}
		limit *= 4
	}
}

// dueBy are the runs that are due by a time, and when the first of the others is;
// zero where there is none. What is due soon is not left until the next beat.
func dueBy(all []engine.RunRecord, now time.Time) (due []engine.RunRecord, next time.Time) {
	due = all[:0]
	for i := range all {
		wake := all[i].WakeAt
		switch {
		case all[i].Status != engine.RunWaiting || wake == nil || !wake.After(now):
			due = append(due, all[i])
		case next.IsZero() || wake.Before(next):
			next = *wake
		}
	}
	return due, next
}

// watchClock tells of a clock that was put back: what is to end lasts longer then.
// What it passes over when it is put forward is due at once, and is only logged.
func (d *dispatcher) watchClock() {
	before, now := d.clock, d.now().Round(0) // without the reading that is never put back
	d.clock = now
	moved := now.Sub(before)
	switch {
	case before.IsZero():
	case moved < -clockJump:
		d.serving.Tell(Notice{Kind: NoticeTrouble, At: now, Text: fmt.Sprintf(
			"the clock was put back by %s: grants and waits last longer by as much, and no schedule fires before it shows %s again; see drawbridge grants list, and let NTP keep the clock",
			engine.FormatDuration(-moved.Round(time.Second)), before.UTC().Format(time.RFC3339))})
	case moved > clockJump && d.looking.tries == 0:
		d.engine.config.Log.Warn("the clock was put forward, or the machine slept: what became due meanwhile is done now", "by", moved.Round(time.Second).String())
	}
}

// mayHide reports whether groups without a place may hide one that has a place.
// They cannot once a run was read that stands second in such a group: the first
// of every other group of its playbook came before it.
func (d *dispatcher) mayHide() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	hides, seen := make(map[string]bool), make(map[string]bool)
	for i := range d.backlog {
		run := &d.backlog[i]
		place, full := d.fullOf(*run)
		if !full {
			continue
		}
		if second := seen[place] && place == run.Group; second {
			hides[run.Playbook] = false
		} else if _, known := hides[run.Playbook]; !known {
			hides[run.Playbook] = true
		}
		seen[place] = true
	}
	for _, hidden := range hides {
		if hidden {
			return true
		}
	}
	return false
}

// rested are the runs that were left for later and whose time has come.
func (d *dispatcher) rested(ctx context.Context, now time.Time) ([]engine.RunRecord, error) {
	d.mu.Lock()
	var ids []string
	for id, r := range d.resting {
		if _, busy := d.busy[id]; !busy && !r.until.After(now) {
			ids = append(ids, id)
		}
	}
	d.mu.Unlock()
	slices.Sort(ids)
	var out []engine.RunRecord
	for _, id := range ids {
		record, err := d.engine.config.Store.Run(ctx, id)
		switch {
		case errors.Is(err, engine.ErrNotFound):
			d.forget(id)
		case err != nil:
			return out, fmt.Errorf("reading run %s: %w", id, err)
		default:
			out = append(out, record)
		}
	}
	return out, nil
}

func (d *dispatcher) forget(run string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.resting, run)
}

func (d *dispatcher) free() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.runs - len(d.busy)
}

// launch begins what there is room for. What has to wait for room or a place
// stays in the backlog.
func (d *dispatcher) launch(ctx context.Context) {
	var kept []engine.RunRecord
	waiting := make(map[string]bool) // by group: a run that is due before others of it
	for i, run := range d.backlog {
		if ctx.Err() != nil || d.free() <= 0 {
			kept = append(kept, d.backlog[i:]...)
			break
		}
		inLine := run.Status == engine.RunQueued && run.Group != ""
		if inLine && waiting[run.Group] || d.begin(ctx, run) {
			kept = append(kept, run)
			waiting[run.Group] = waiting[run.Group] || inLine
		}
	}
	d.backlog = kept
}

// begin carries a run out, if nobody does and it need not wait. It reports
// whether it has to wait for a place.
func (d *dispatcher) begin(ctx context.Context, run engine.RunRecord) (waits bool) {
	d.mu.Lock()
	_, busy := d.busy[run.ID]
	crowded := d.of[run.Playbook] >= d.share
	_, full := d.fullOf(run)
	early := d.resting[run.ID].until.After(d.now())
	d.mu.Unlock()
	switch {
	case busy || early || d.engine.isDriven(run.ID):
		return false
	case crowded || full:
		return true
	}
	release, err := d.engine.admit(ctx, run)
	if err != nil {
		d.note(ctx, run, run, err)
		return errors.Is(err, ErrBusy)
	}
	d.mu.Lock()
	d.busy[run.ID] = run.Playbook
	d.of[run.Playbook]++
	d.mu.Unlock()
	d.under.Go(func() {
		after, err := d.engine.driveIf(ctx, run.ID, d.entry(release))
		release() // where it was not let in
		d.end(ctx, run, after, err)
	})
	return false
}

// lane is what a run shares with the others of its schedule.
func lane(r engine.RunRecord) string { return "schedule " + r.Series }

// fullOf is the group, or the schedule, in which a queued run has no place. The
// caller holds mu.
func (d *dispatcher) fullOf(r engine.RunRecord) (place string, full bool) {
	if r.Status != engine.RunQueued {
		return "", false
	}
	if _, full = d.full[r.Group]; full {
		return r.Group, true
	}
	_, full = d.full[lane(r)]
	return lane(r), full
}

// isDriven reports whether somebody carries a run out, or decides about it.
func (e *Engine) isDriven(run string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.driving[run] != nil
}

// entry lets a run in that has something to do, and has its place already.
func (d *dispatcher) entry(release func()) entry {
	return func(ctx context.Context, r engine.RunRecord) (func(), error) {
		work, err := d.hasWork(ctx, r)
		if err == nil && !work {
			err = errUnwanted
		}
		return release, err
	}
}

// hasWork says whether a run has something to do now.
func (d *dispatcher) hasWork(ctx context.Context, r engine.RunRecord) (bool, error) {
	switch {
	case r.Status.Final():
		return false, nil
	case r.Status != engine.RunWaiting, r.WakeAt != nil && !r.WakeAt.After(d.now()):
		return true, nil
	}
	unheard, err := d.engine.config.Store.Signals(ctx, r.ID)
	if err != nil {
		return false, fmt.Errorf("reading its signals: %w", err)
	}
	return len(unheard) > 0, nil
}

// end makes room for another run.
func (d *dispatcher) end(ctx context.Context, before, after engine.RunRecord, err error) {
	d.note(ctx, before, after, err)
	d.mu.Lock()
	delete(d.busy, before.ID)
	if d.of[before.Playbook]--; d.of[before.Playbook] == 0 {
		delete(d.of, before.Playbook)
	}
	d.mu.Unlock()
	signalOne(d.freed)
}

// note remembers a run that has to be left for later, and nothing of others.
func (d *dispatcher) note(ctx context.Context, before, after engine.RunRecord, err error) {
	switch {
	case ctx.Err() != nil:
	case err == nil:
		d.settleDown(ctx, after)
	case errors.Is(err, ErrBusy):
		d.mu.Lock()
		place := before.Group
		if errors.Is(err, errBehind) {
			place = lane(before)
		}
		d.full[place] = d.now()
		d.mu.Unlock()
	case errors.Is(err, ErrDriven): // whoever has it may leave something to do
	case errors.Is(err, errUnwanted), errors.Is(err, engine.ErrNotFound):
		d.forget(before.ID)
	default:
		d.fail(before, err)
	}
}

// settleDown lets a run rest that was carried out and still has something to do,
// such as a signal that it does not hear before people have let it begin.
func (d *dispatcher) settleDown(ctx context.Context, r engine.RunRecord) {
	work := false
	if r.Status == engine.RunWaiting {
		work, _ = d.hasWork(ctx, r) // what cannot be read now is read again
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !work {
		delete(d.resting, r.ID)
		return
	}
	left := d.resting[r.ID]
	left.tries++
	left.until = d.now().Add(rest(left.tries))
	d.resting[r.ID] = left
}

// fail leaves a run for later that could not be carried out.
func (d *dispatcher) fail(r engine.RunRecord, err error) {
	d.mu.Lock()
	left := d.resting[r.ID]
	left.tries++
	left.until = d.now().Add(rest(left.tries))
	d.resting[r.ID] = left
	d.mu.Unlock()
	if left.tries == 1 {
		d.complain(fmt.Sprintf("run %s of %s could not be carried out", r.ID, cmp.Or(r.Playbook, "a playbook")), err)
	}
}
