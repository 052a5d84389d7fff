package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/message"
)

// How people are told by a serving process.
const (
	mostMessages  = 5                // within messageWindow; what comes beyond goes into one digest
	messageWindow = time.Minute      // slides
	repeatWindow  = 10 * time.Minute // the same about the same is told once within it
	mostPending   = 1000             // notices that wait to be told
	mostDigested  = 40               // that a digest lists
	firstRetry    = time.Second      // doubles with each try
	longestRetry  = time.Minute
	retryFor      = time.Hour       // then a message is given up
	lastTelling   = 5 * time.Second // what the end of the process waits for
)

// note is something that people should know.
type note struct {
	kind    string
	subject string // the same kind and subject is the same thing to know
	text    engine.Text
	at      time.Time // when the notifier heard of it
}

// notifier tells people. It deduplicates, keeps to a few messages a minute, and
// tries again what does not arrive. It may be used by several goroutines.
type notifier struct {
	send  func(context.Context, message.Message) error // nil: nobody is told
	log   *slog.Logger
	now   func() time.Time
	clean func(string) string // takes secrets out

	mu      sync.Mutex
	pending []note
	told    map[string]*repeats // by kind and subject
	sent    int64               // messages
	lost    int64               // notices
	more    chan struct{}       // has something when there is more to tell
}

// repeats is what came of the same thing since it was told.
type repeats struct {
	since time.Time
	count int
}

func newNotifier(send func(context.Context, message.Message) error, log *slog.Logger, now func() time.Time, clean func(string) string) *notifier {
	return &notifier{send: send, log: log, now: now, clean: clean, told: map[string]*repeats{}, more: make(chan struct{}, 1)}
}

// tell hears of something, and returns at once.
func (n *notifier) tell(one note) {
	n.mu.Lock()
	defer n.mu.Unlock()
	one.at = n.now()
	if !n.isNew(&one) {
		return
	}
	n.log.Warn("a notice", "about", one.kind, "text", one.text.String())
	switch {
	case n.send == nil:
		return
	case len(n.pending) >= mostPending:
		n.lose("too many wait to be told", one)
		return
	}
	n.pending = append(n.pending, one)
	select {
	case n.more <- struct{}{}:
	default: // it knows
	}
}

// isNew counts what was told not long ago. What is told again says how often it
// was not.
func (n *notifier) isNew(one *note) bool {
	n.forget(one.at)
	key := one.kind + "/" + one.subject
	last := n.told[key]
	if last != nil && one.at.Sub(last.since) < repeatWindow {
		last.count++
		return false
	}
	if last != nil && last.count > 0 {
		one.text = append(slices.Clone(one.text), engine.TextPart{S: fmt.Sprintf(" (and %s since %s)",
			plural(last.count, "time more", "times more"), last.since.UTC().Format("15:04 UTC"))})
	}
	n.told[key] = &repeats{since: one.at}
	return true
}

// forget keeps what was told from growing for ever.
func (n *notifier) forget(now time.Time) {
	if len(n.told) < 2*mostPending {
		return
	}
	for key, r := range n.told {
		if now.Sub(r.since) >= repeatWindow {
			delete(n.told, key)
		}
	}
}

// lose gives notices up; the lock is held.
func (n *notifier) lose(why string, notes ...note) {
	n.lost += int64(len(notes))
	for _, one := range notes {
		delete(n.told, one.kind+"/"+one.subject) // it may be told when it comes again
		n.log.Error("nobody was told", "about", one.kind, "text", one.text.String(), "reason", why)
	}
}

// counts are how many messages were sent and how many notices lost.
func (n *notifier) counts() (sent, lost int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.sent, n.lost
}

// run tells people until ctx ends; what is not told then is left to close.
func (n *notifier) run(ctx context.Context) {
	var recent []time.Time // when the last messages were sent, at most mostMessages
	for n.wait(ctx) {
		full := len(recent) == mostMessages && n.now().Sub(recent[0]) < messageWindow
		if full && !sleep(ctx, recent[0].Add(messageWindow).Sub(n.now())) {
			return
		}
		notes := n.take(full)
		if !n.deliver(ctx, notes) {
			n.putBack(notes)
			return
		}
		recent = append(recent, n.now())
		recent = recent[max(0, len(recent)-mostMessages):]
	}
}

// wait returns when there is something to tell, or false at the end.
func (n *notifier) wait(ctx context.Context) bool {
	for {
		n.mu.Lock()
		some := len(n.pending) > 0
		n.mu.Unlock()
		if some {
			return ctx.Err() == nil
		}
		select {
		case <-n.more:
		case <-ctx.Done():
			return false
		}
	}
}

// take is what the next message is about: one thing, or everything there is.
func (n *notifier) take(all bool) []note {
	n.mu.Lock()
	defer n.mu.Unlock()
	count := 1
	if all {
		count = len(n.pending)
	}
	notes := slices.Clone(n.pending[:count])
	n.pending = slices.Delete(n.pending, 0, count)
	return notes
}

func (n *notifier) putBack(notes []note) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.pending = append(notes, n.pending...)
}

// deliver sends one message, again and again until it arrives or nothing can be
// hoped for any more. It is false when ctx ended before that.
func (n *notifier) deliver(ctx context.Context, notes []note) bool {
	m := n.messageOf(notes)
	pause, until := firstRetry, n.now().Add(retryFor)
	for {
		err := n.try(ctx, m)
		switch {
		case err == nil:
			n.mu.Lock()
			n.sent++
			n.mu.Unlock()
			return true
		case ctx.Err() != nil:
			return false
		case hopeless(err) || !n.now().Before(until):
			n.mu.Lock()
			n.lose(n.clean(err.Error()), notes...)
			n.mu.Unlock()
			return true
		}
		n.log.Warn("people could not be told; it is tried again", "notices", len(notes), "in", pause.String(), "error", err)
		if !sleep(ctx, pause) {
			return false
		}
		pause = min(2*pause, longestRetry)
	}
}

// hopeless reports an error that no other try would mend.
func hopeless(err error) bool {
	var f *engine.Failure
	return errors.As(err, &f) && f.Class == engine.ClassInvalid
}

func (n *notifier) try(ctx context.Context, m message.Message) error {
	ctx, cancel := context.WithTimeout(ctx, notifyTimeout)
	defer cancel()
	return n.send(ctx, m)
}

// close tries once more to tell what is left, after run has returned.
func (n *notifier) close(ctx context.Context) {
	n.mu.Lock()
	left := len(n.pending)
	n.mu.Unlock()
	if left == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lastTelling)
	defer cancel()
	notes := n.take(true)
	err := n.try(ctx, n.messageOf(notes))
	n.mu.Lock()
	defer n.mu.Unlock()
	if err != nil {
		n.lose(n.clean(err.Error()), notes...)
		return
	}
	n.sent++
}

// messageOf is a message about one thing, or the digest of several.
func (n *notifier) messageOf(notes []note) message.Message {
	var t text
	t.own("Drawbridge: ")
	if len(notes) == 1 {
		t = append(t, notes[0].text...)
	} else {
		t.own(fmt.Sprintf("%d things to look at, together because more than %d messages a minute would not be read", len(notes), mostMessages))
	}
	for i, one := range notes {
		if len(notes) == 1 {
			break
		}
		if i == mostDigested {
			t.own(fmt.Sprintf("\n… and %d more; drawbridge handover lists what needs a look", len(notes)-i))
			break
		}
		t = append(*t.own("\n• "), one.text...)
	}
	for i := range t {
		t[i].S = n.clean(t[i].S)
	}
	first := notes[0]
	return message.Message{Text: engine.Text(t), Key: fmt.Sprintf("%s/%s/%d", first.kind, n.clean(first.subject), first.at.UnixMilli())}
}

// sleep is false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
