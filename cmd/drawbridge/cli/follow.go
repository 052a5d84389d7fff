package cli

import (
	"context"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/screen"
	"github.com/drawbridge-soar/drawbridge/engine/local"
	"github.com/drawbridge-soar/drawbridge/engine/machine"
)

// frameTime is how often the live tree is drawn: fast enough to look alive,
// slow enough to cost nothing.
const frameTime = 80 * time.Millisecond

// viewRest is how many times as long as a view took passes before the next one
// is taken: it costs time that the run could use.
const viewRest = 10

// follower shows a run while it is carried out.
type follower interface {
	watch(local.Progress)
	messages() io.Writer // where messages to the terminal go meanwhile
	close()              // may be called twice
}

func (a *app) newFollower() follower {
	switch {
	case a.json():
		return quiet{to: a.stderr}
	case a.terminal.drawable:
		return a.newLive()
	case a.house != nil: // whose runs are not for a client to hold up
		return relay(a.stdout, a.palette)
	default:
		return &plain{lines: screen.NewLines(a.stdout, a.palette), to: a.stdout}
	}
}

// quiet shows nothing: the answer is one JSON object at the end.
type quiet struct{ to io.Writer }

func (quiet) watch(local.Progress)  {}
func (q quiet) messages() io.Writer { return q.to }
func (quiet) close()                {}

// plain writes a line where a step begins or ends.
type plain struct {
	mu    sync.Mutex
	lines *screen.Lines
	to    io.Writer
}

func (p *plain) watch(pr local.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines.Update(pr.Steps, pr.Items)
	p.lines.Begun(pr.View().Root)
}

func (p *plain) messages() io.Writer { return p.to }

func (p *plain) close() {}

// relayedMost is how many bytes wait for a slow reader.
const relayedMost = 1 << 20

// relayed is plain for a reader that may be slow: what it is told waits, and the
// run does not. Where too much waits, lines are left out.
type relayed struct {
	plain

	to      io.Writer
	mu      sync.Mutex
	waiting []byte
	closed  bool
	more    chan struct{} // has something where there is something new
	done    chan struct{}
}

func relay(to io.Writer, palette screen.Palette) *relayed {
	r := &relayed{to: to, more: make(chan struct{}, 1), done: make(chan struct{})}
	r.plain = plain{lines: screen.NewLines(r, palette), to: r}
	go r.pass()
	return r
}

// Write never waits.
func (r *relayed) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed && len(r.waiting)+len(p) <= relayedMost {
		r.waiting = append(r.waiting, p...)
		r.wake()
	}
	return len(p), nil
}

func (r *relayed) wake() {
	select {
	case r.more <- struct{}{}:
	default: // it was not looked at since the last time
	}
}

func (r *relayed) pass() {
	defer close(r.done)
	for range r.more {
		r.mu.Lock()
		next, last := r.waiting, r.closed
		r.waiting = nil
		r.mu.Unlock()
		_, _ = r.to.Write(next) // a reader that went away is no reason to stop a run
		if last {
			return
		}
	}
}

// close waits until everything has been passed on.
func (r *relayed) close() {
	r.mu.Lock()
	r.closed = true
	r.wake()
	r.mu.Unlock()
	<-r.done
}

// live redraws the step tree in place.
type live struct {
	console *screen.Console
	size    func() (columns, rows int)
	now     func() time.Time
	flush   func() error

	mu   sync.Mutex
	tree *screen.Tree
	view machine.View
	rest time.Time // no view is taken until then

	once sync.Once
	stop chan struct{}
	done chan struct{}
}

func (a *app) newLive() *live {
	l := &live{
		console: screen.NewConsole(a.stdout), size: a.terminal.size, now: a.now, flush: a.stdout.Flush,
		tree: screen.NewTree(a.palette), stop: make(chan struct{}), done: make(chan struct{}),
	}
	go l.draw()
	return l
}

// watch takes a view of the run. It cannot be taken later, and the next step
// forward may be minutes away, so one is left out only where they cost much.
func (l *live) watch(p local.Progress) {
	l.mu.Lock()
	defer l.mu.Unlock()
	began := l.now()
	if began.Before(l.rest) && !p.Run.Status.Final() {
		return
	}
	l.view = p.View()
	ended := l.now()
	l.rest = ended.Add(viewRest * ended.Sub(began))
}

func (l *live) messages() io.Writer { return l.console }

func (l *live) draw() {
	defer close(l.done)
	tick := time.NewTicker(frameTime)
	defer tick.Stop()
	for {
		select {
		case <-l.stop:
			return
		case <-tick.C:
			l.frame()
		}
	}
}

func (l *live) frame() {
	columns, rows := l.size()
	l.mu.Lock()
	lines := l.tree.Lines(l.view, l.now(), columns, rows)
	l.mu.Unlock()
	l.console.Draw(lines)
	_ = l.flush() // a terminal that went away is no reason to stop a run
}

// close takes the tree away: what follows says it all, from the records.
func (l *live) close() {
	l.once.Do(func() {
		close(l.stop)
		<-l.done
		l.console.Close()
		_ = l.flush() // as above
	})
}

// interruptible makes a context that the first Ctrl-C cancels; the second one
// ends the process at once, with the cursor where it belongs.
func (a *app) interruptible(ctx context.Context, f follower) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		select {
		case <-done:
			return
		case <-signals:
		}
		a.say("interrupting: waiting for what is under way; once more to leave at once")
		cancel()
		select {
		case <-done:
		case <-signals:
			f.close()
			a.say("left at once; nothing is lost: continue with %s", a.command("runs resume"))
			_ = a.stdout.Close()
			_ = a.stderr.Close()
			os.Exit(exitInterrupted)
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel()
	}
}
