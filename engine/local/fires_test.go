package local_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/local"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// handClock shows what a test says.
type handClock struct {
	local.SystemClock

	now time.Time
}

func (c *handClock) Now() time.Time { return c.now }

// rota is a scheduler over an engine, whose clock and playbooks a test moves.
type rota struct {
	fixture

	t         *testing.T
	clock     *handClock
	playbooks []local.Active
	notices   []local.Notice
	scheduler local.Scheduler
	fault     error // of the next commits of schedules
}

// flaky is a store whose schedules cannot be written while there is a fault.
type flaky struct {
	engine.Store

	r *rota
}

func (f flaky) Commit(ctx context.Context, b engine.Batch) error {
	if f.r.fault != nil && len(b.Schedules) > 0 {
		return f.r.fault
	}
	return f.Store.Commit(ctx, b)
}

// midnight is when each rota begins.
func midnight() time.Time { return time.Date(2026, 1, 15, 0, 0, 0, 0, time.UTC) }

func newRota(t *testing.T, triggers string) *rota {
	t.Helper()
	r := &rota{t: t, clock: &handClock{now: midnight()}}
	r.fixture = newFixture(t, fine, func(c *local.Config) {
		c.Clock, c.Store = r.clock, flaky{c.Store, r}
		c.Programs = func(_ context.Context, b engine.Bundle) (*program.Program, error) {
			for _, p := range r.playbooks {
				if p.Program.Hash == b.Hash {
					return p.Program, nil
				}
			}
			return nil, engine.ErrNotFound
		}
	})
	r.write(triggers)
	r.restart()
	r.fire()
	return r
}

// write makes the rota's playbook one with those triggers.
func (r *rota) write(triggers string) {
	r.t.Helper()
	p, b := compile(r.t, map[string]string{"main": "name: main\ninputs:\n  at: { type: time, optional: true }\ntriggers:\n" + triggers +
		"\nsteps:\n  - id: one\n    uses: test.act\n"}, r.actions, engine.Catalog{})
	r.playbooks = []local.Active{{Program: p, Bundle: b, Source: "/main.yaml"}}
}

// restart is a scheduler of another process.
func (r *rota) restart() {
	r.scheduler = local.NewScheduler(r.Engine, local.Serving{
		Playbooks: func() []local.Active { return r.playbooks }, Tell: func(n local.Notice) { r.notices = append(r.notices, n) },
	})
}

func (r *rota) fire() time.Time {
	r.t.Helper()
	next, err := r.scheduler.Fire(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return next
}

// pass lets time pass, asking every so often.
func (r *rota) pass(d, every time.Duration) {
	r.t.Helper()
	for end := r.clock.now.Add(d); r.clock.now.Before(end); {
		r.clock.now = r.clock.now.Add(every)
		r.fire()
	}
}

// end carries out every run that is queued.
func (r *rota) end() {
	r.t.Helper()
	for _, run := range r.runs() {
		if _, err := r.Drive(r.t.Context(), run.ID); err != nil {
			r.t.Fatal(err)
		}
	}
}

// runs are those of the rota, the oldest first.
func (r *rota) runs() []engine.RunRecord {
	r.t.Helper()
	list, err := r.store.Runs(r.t.Context(), engine.RunQuery{Limit: 1000})
	if err != nil {
		r.t.Fatal(err)
	}
	slices.Reverse(list)
	return list
}

// want checks for which times runs were started, as 15:04.
func (r *rota) want(times ...string) {
	r.t.Helper()
	var got []string
	for _, run := range r.runs() {
		_, at, _ := strings.Cut(run.Key, "@")
		when, err := time.Parse(time.RFC3339, at)
		if err != nil {
			r.t.Fatal(err)
		}
		got = append(got, when.Format("15:04"))
	}
	slices.Sort(got)
	if !slices.Equal(got, times) {
		r.t.Errorf("runs were started for %v, want %v", got, times)
	}
}

// wantMissed checks how many fire times were told as missed.
func (r *rota) wantMissed(n int) {
	r.t.Helper()
	told := 0
	for _, notice := range r.notices {
		told += notice.Missed
	}
	if _, missed := r.FireCounts(); told != n || missed != int64(n) {
		r.t.Errorf("%d were told as missed and %d counted, want %d: %+v", told, missed, n, r.notices)
	}
}

const hourly = `  - { schedule: "0 * * * *", missed: %s, overlap: %s }`

func TestAScheduleStartsARunAtEachOfItsTimes(t *testing.T) {
	r := newRota(t, fmt.Sprintf(hourly, "last", "allow"))
	if next := r.fire(); !next.Equal(midnight().Add(time.Hour)) {
		t.Errorf("it asks to be asked next at %s", next)
	}
	r.pass(3*time.Hour, time.Second)
	r.want("01:00", "02:00", "03:00")
	r.wantMissed(0)
	run := r.runs()[0]
	if run.Status != engine.RunQueued || run.Series != "main#0" || run.Key != "main#0@2026-01-15T01:00:00Z" || run.Actor.Via != "schedule" ||
		!strings.Contains(string(run.Trigger), `"time":"2026-01-15T01:00:00Z"`) {
		t.Errorf("the run is %+v", run)
	}
	if fired, _ := r.FireCounts(); fired != 3 {
		t.Errorf("%d were counted", fired)
	}
}

func TestATriggerGivesItsRunInputs(t *testing.T) {
	r := newRota(t, `  - { schedule: "0 * * * *", with: { at: "${{ trigger.time }}" } }`)
	r.pass(time.Hour, time.Second)
	if run := r.runs()[0]; !strings.Contains(string(run.Inputs), `"at":"2026-01-15T01:00:00`) {
		t.Errorf("the inputs are %s", run.Inputs)
	}
}

func TestMissedTimes(t *testing.T) {
	away := func(r *rota) { r.clock.now = midnight().Add(4*time.Hour + 10*time.Minute) }
	for _, absence := range []struct {
		name string
		gone func(r *rota)
	}{
		{"the process was away", func(r *rota) { away(r); r.restart() }},
		{"the machine slept", away},
		{"the clock was put forward", away},
		{"it was paused", func(r *rota) {
			r.hand(r.PauseSchedule(t.Context(), r.playbooks[0], 0, engine.Actor{Name: "sam"}, "the directory moves"))
			r.pass(4*time.Hour+10*time.Minute, time.Minute)
			r.want()
			r.hand(r.ResumeSchedule(t.Context(), r.playbooks[0], 0, engine.Actor{Name: "sam"}))
		}},
	} {
		for missed, want := range map[string][]string{"none": {}, "last": {"04:00"}, "all": {"01:00", "02:00", "03:00", "04:00"}} {
			for _, overlap := range []string{"skip", "queue", "allow"} {
				t.Run(absence.name+"/"+missed+"/"+overlap, func(t *testing.T) {
					r := newRota(t, fmt.Sprintf(hourly, missed, overlap))
					absence.gone(r)
					r.fire()
					r.want(want...)
					r.wantMissed(4 - len(want))
					r.end()
					r.pass(50*time.Minute, time.Second)
					r.want(append(want, "05:00")...)
				})
			}
		}
	}
}

func (r *rota) hand(_ engine.ScheduleState, err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func TestWhatIsMadeUpForIsCapped(t *testing.T) {
	r := newRota(t, `  - { schedule: "@every 1m", missed: all, overlap: allow }`)
	r.clock.now = midnight().Add(5 * time.Hour)
	r.fire()
	if n := len(r.runs()); n != 100 {
		t.Errorf("%d runs were started", n)
	}
	r.wantMissed(200)
}

func TestAClockThatIsPutBackFiresNothingTwice(t *testing.T) {
	r := newRota(t, fmt.Sprintf(hourly, "all", "allow"))
	r.pass(150*time.Minute, time.Second)
	r.want("01:00", "02:00")
	r.clock.now = r.clock.now.Add(-time.Hour)
	r.pass(90*time.Minute, time.Second)
	r.want("01:00", "02:00", "03:00")
	r.wantMissed(0)
}

func TestWhoDiesBetweenTheStartAndItsRecordFiresNothingTwice(t *testing.T) {
	for _, overlap := range []string{"skip", "queue", "allow"} {
		t.Run(overlap, func(t *testing.T) {
			r := newRota(t, fmt.Sprintf(hourly, "all", overlap))
			r.clock.now, r.fault = midnight().Add(2*time.Hour), errors.New("the disk is full")
			for range 3 {
				if next, err := r.scheduler.Fire(t.Context()); !errors.Is(err, r.fault) || !next.After(r.clock.now) {
					t.Fatalf("asked next at %s: %v", next, err)
				}
			}
			r.want("01:00", "02:00")
			r.fault = nil
			r.restart()
			r.clock.now = r.clock.now.Add(10 * time.Second)
			r.fire()
			r.want("01:00", "02:00")
			r.wantMissed(0)
		})
	}
}

func TestTwoSchedulersFireNothingTwice(t *testing.T) {
	r := newRota(t, fmt.Sprintf(hourly, "all", "skip"))
	one := r.scheduler
	config := r.config
	config.Store = r.store
	e, err := local.New(config)
	if err != nil {
		t.Fatal(err)
	}
	two := local.NewScheduler(e, local.Serving{Playbooks: func() []local.Active { return r.playbooks }})
	if _, err := two.Fire(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		r.clock.now = r.clock.now.Add(time.Hour)
		failed := make(chan error, 2)
		for _, s := range []local.Scheduler{one, two} {
			go func() {
				_, err := s.Fire(t.Context())
				failed <- err
			}()
		}
		if err := errors.Join(<-failed, <-failed); err != nil {
			t.Fatal(err)
		}
		r.end()
	}
	r.want("01:00", "02:00", "03:00")
}

func TestAPlaybookThatWasWrittenAnewHasMissedNothing(t *testing.T) {
	r := newRota(t, fmt.Sprintf(hourly, "all", "allow"))
	r.pass(time.Hour, time.Second)
	r.write(`  - { schedule: "*/30 * * * *", missed: all, overlap: allow }`)
	r.clock.now = midnight().Add(3*time.Hour + 5*time.Minute)
	r.restart()
	r.fire()
	r.want("01:00")
	r.pass(30*time.Minute, time.Second)
	r.want("01:00", "03:30")
	r.wantMissed(0)

	r.playbooks = nil
	r.pass(time.Hour, time.Second)
	r.want("01:00", "03:30")
}

func TestOverlap(t *testing.T) {
	r := newRota(t, fmt.Sprintf(hourly, "last", "skip"))
	r.pass(3*time.Hour, time.Second)
	r.want("01:00") // it is queued still
	r.wantMissed(2)
	if n := r.notices[0]; n.Kind != local.NoticeMissed || n.Series != "main#0" || !strings.Contains(n.Text, r.runs()[0].ID+" is queued still") {
		t.Errorf("the notice is %+v", n)
	}
	r.end()
	r.pass(time.Hour, time.Second)
	r.want("01:00", "04:00")

	for overlap, want := range map[string][]bool{"queue": {false, true, true}, "allow": {false, false, false}} {
		t.Run(overlap, func(t *testing.T) {
			r := newRota(t, fmt.Sprintf(hourly, "last", overlap))
			r.pass(3*time.Hour, time.Second)
			r.want("01:00", "02:00", "03:00")
			for i, run := range r.runs() {
				busy, err := r.SeriesBusy(t.Context(), run)
				if err != nil || busy != want[i] {
					t.Errorf("run %d has to wait: %v, %v", i, busy, err)
				}
			}
			if _, err := r.Drive(t.Context(), r.runs()[0].ID); err != nil {
				t.Fatal(err)
			}
			if busy, err := r.SeriesBusy(t.Context(), r.runs()[1]); err != nil || busy {
				t.Errorf("the second has to wait when the first is over: %v", err)
			}
		})
	}
}

func TestWhatIsQueuedIsCapped(t *testing.T) {
	r := newRota(t, `  - { schedule: "@every 1m", overlap: queue }`)
	r.pass(2*time.Hour, time.Minute)
	if n := len(r.runs()); n != 100 {
		t.Errorf("%d runs are queued", n)
	}
	r.wantMissed(20)
}

func TestARunThatCannotBeStartedIsTold(t *testing.T) {
	r := newRota(t, fmt.Sprintf(hourly, "all", "allow"))
	r.playbooks[0].Bundle.Hash = "another"
	r.restart()
	r.pass(time.Hour, time.Second)
	r.want()
	if len(r.notices) != 1 || r.notices[0].Kind != local.NoticeTrouble || !strings.Contains(r.notices[0].Text, "the sources have the hash") {
		t.Errorf("told %+v", r.notices)
	}
	r.pass(30*time.Minute, time.Second)
	r.wantMissed(1)
}

func TestOneSeriesDoesNotHoldUpAnother(t *testing.T) {
	r := newRota(t, fmt.Sprintf(hourly, "last", "skip")+"\n"+`  - { schedule: "30 * * * *", overlap: allow }`)
	r.pass(2*time.Hour, time.Second)
	r.want("00:30", "01:00", "01:30")
}

func TestTriggerIsNoneOfTheTimes(t *testing.T) {
	r := newRota(t, fmt.Sprintf(hourly, "last", "allow"))
	for range 2 {
		run, err := r.Trigger(t.Context(), r.playbooks[0], 0, engine.Actor{Name: "sam", Via: "cli"})
		if err != nil {
			t.Fatal(err)
		}
		record, err := r.Drive(t.Context(), run)
		if err != nil || record.Status != engine.RunSucceeded || record.Series != "main#0" || record.Actor.Name != "sam" || !slices.Contains(record.Starters, "sam") {
			t.Errorf("the run is %+v, %v", record, err)
		}
	}
	if _, err := r.Trigger(t.Context(), r.playbooks[0], 1, engine.Actor{Name: "sam"}); !errors.Is(err, local.ErrSchedule) {
		t.Errorf("a schedule that is not there: %v", err)
	}
}

func BenchmarkNothingIsDue(b *testing.B) {
	r := &rota{clock: &handClock{now: midnight()}}
	r.fixture = newFixture(&testing.T{}, fine, func(c *local.Config) { c.Clock = r.clock })
	p, bundle := compile(b, map[string]string{"main": "name: main\ntriggers:\n  - { schedule: \"0 0 1 1 *\" }\nsteps:\n  - uses: test.act\n"}, r.actions, engine.Catalog{})
	for range 100 {
		r.playbooks = append(r.playbooks, local.Active{Program: p, Bundle: bundle})
	}
	r.restart()
	for b.Loop() {
		if _, err := r.scheduler.Fire(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
