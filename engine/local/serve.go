package local

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// DefaultRuns is how many runs Serve carries out at the same time unless told.
const DefaultRuns = 256

// How Serve passes the time.
const (
	// beat is how often Serve looks for what is due. What is due is begun within
	// a second, of which the rest is for beginning it.
	beat = 500 * time.Millisecond
	// gap is the shortest pause between two looks, however often it is nudged.
	gap = 20 * time.Millisecond
	// headStart is for how long runs wait for the first sweep of the grants.
	headStart = 10 * time.Second
	// servedPatience is how long a run that waits for a time is kept in the
	// process where the configuration does not say.
	servedPatience = time.Minute
	// firstRest and lastRest are the pauses before something that failed is tried
	// again: the first, and the longest it is doubled to.
	firstRest = time.Second
	lastRest  = 5 * time.Minute
)

// errServing means that Serve was called while it works.
var errServing = errors.New("this engine is serving already")

// firing starts the runs whose fire time has come. It returns when it wants to be
// called next at the latest; zero is within a second.
type firing func(ctx context.Context) (next time.Time, err error)

// Serve does the engine's own work until ctx ends: it ends grants, continues
// what a process that died left behind, and carries out runs that are queued,
// whose time has come, or for which there are signals or decisions. It returns
// nil when nothing it began is under way: runs are interrupted, and go on with
// the next Serve. Before it begins it returns the errors of the store.
func (e *Engine) Serve(ctx context.Context, s Serving) error {
	if s.Tell == nil {
		s.Tell = func(Notice) {}
	}
	d := newDispatcher(e, s)
	if err := e.attach(d); err != nil {
		return err
	}
	defer e.detach()
	if err := d.pickUp(ctx); err != nil {
		return fmt.Errorf("looking for what was left behind: %w", err)
	}
	var parts sync.WaitGroup
	swept := make(chan struct{})
	parts.Go(func() { d.sweep(ctx, sync.OnceFunc(func() { close(swept) })) })
	if fire := e.firing(s); fire != nil {
		parts.Go(func() { d.fire(ctx, fire) })
	}
	d.await(ctx, headStart, swept)
	d.dispatch(ctx)
	parts.Wait()
	return nil
}

// firing is the scheduler of what is served; nil where nothing can be scheduled.
func (e *Engine) firing(s Serving) firing {
	if s.Playbooks == nil {
		return nil
	}
	return newScheduler(e, s).fire
}

func (e *Engine) attach(d *dispatcher) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.serving != nil {
		return errServing
	}
	e.serving = d
	return nil
}

func (e *Engine) detach() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.serving = nil
}

// server is what serves now; nil where nothing does.
func (e *Engine) server() *dispatcher {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.serving
}

// poke lets Serve, where it works, look at once for what is due: the run may be.
func (e *Engine) poke(run string) {
	if d := e.server(); d != nil {
		d.poke(run)
	}
}

// adopt hands Serve, where it works, a run that somebody should go on with.
func (e *Engine) adopt(run string) {
	if d := e.server(); d != nil {
		d.adopt(run, d.now())
	}
}

// driven tells Serve, where it works, how a run stands after it was carried out.
func (e *Engine) driven(record engine.RunRecord) {
	if d := e.server(); d != nil {
		d.driven(record)
	}
}

// patience is how long a run that waits for a time is kept in the process; 0
// keeps it until it is over.
func (e *Engine) patience() time.Duration {
	if e.config.Patience == 0 && e.server() != nil {
		return servedPatience
	}
	return e.config.Patience
}

// sweep ends grants whose time is up, for as long as it serves. first is called
// after the first time.
func (d *dispatcher) sweep(ctx context.Context, first func()) {
	inner, stop := d.gracefully(ctx)
	defer stop()
	t := trouble{what: "the grants could not be swept"}
	for ctx.Err() == nil {
		swept, err := d.engine.Sweep(inner)
		for _, n := range swept.Notices(d.now()) {
			d.serving.Tell(n)
		}
		if inner.Err() != nil {
			err = nil
		}
		pause := d.after(&t, err)
		first()
		d.await(ctx, pause, nil)
	}
}

// fire starts the runs whose fire time has come, for as long as it serves. The
// time is looked at again and again: the clock may jump.
func (d *dispatcher) fire(ctx context.Context, fire firing) {
	t := trouble{what: "the schedules could not be followed"}
	for ctx.Err() == nil {
		next, err := fire(ctx)
		if ctx.Err() != nil {
			return
		}
		pause := d.after(&t, err)
		if left := next.Sub(d.now()); err == nil && !next.IsZero() {
			pause = max(gap, min(pause, left))
		}
		d.await(ctx, pause, nil)
	}
}

// trouble is something that fails again and again. Somebody is told once.
type trouble struct {
	what  string
	tries int
}

// after is the pause until something is done again.
func (d *dispatcher) after(t *trouble, err error) time.Duration {
	if err == nil {
		t.tries = 0
		return beat
	}
	t.tries++
	if t.tries == 1 {
		d.complain(t.what, err)
	}
	return rest(t.tries)
}

// rest is the pause after the n-th failure in a row.
func rest(n int) time.Duration {
	pause := firstRest
	for i := 1; i < n && pause < lastRest; i++ {
		pause *= 2
	}
	return min(pause, lastRest)
}

// complain says what the engine could not do by itself.
func (d *dispatcher) complain(what string, err error) {
	text := d.engine.config.Redact.String(fmt.Sprintf("%s, and that is tried again: %s", what, err))
	d.engine.config.Log.Warn("serving", "trouble", text)
	d.serving.Tell(Notice{Kind: NoticeTrouble, At: d.now(), Text: text})
}

// gracefully is a context that ends with the grace after ctx.
func (d *dispatcher) gracefully(ctx context.Context) (context.Context, func()) {
	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	unhook := context.AfterFunc(ctx, func() {
		d.await(inner, d.engine.config.Grace, nil)
		cancel()
	})
	return inner, func() { unhook(); cancel() }
}

// await passes the time until something happens, or ctx ends.
func (d *dispatcher) await(ctx context.Context, most time.Duration, something <-chan struct{}) {
	timer, stop := d.engine.config.Clock.Timer(most)
	defer stop()
	select {
	case <-ctx.Done():
	case <-timer:
	case <-something:
	}
}

func (d *dispatcher) now() time.Time { return d.engine.config.Clock.Now() }
