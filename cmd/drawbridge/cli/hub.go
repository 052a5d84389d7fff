package cli

import (
	"sync"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/local"
)

// hub passes the progress of all runs of a process on to whoever follows one
// of them, and counts. It may be used by several goroutines.
type hub struct {
	mu       sync.Mutex
	watchers map[string]map[*watcher]struct{} // by run
	steps    map[engine.StepStatus]int64
	changes  map[engine.Outcome]int64
	ended    map[engine.RunStatus]int64
}

type watcher struct {
	tell    func(local.Progress) // nil for one that only waits
	changed chan struct{}
}

func newHub() *hub {
	return &hub{
		watchers: map[string]map[*watcher]struct{}{},
		steps:    map[engine.StepStatus]int64{}, changes: map[engine.Outcome]int64{}, ended: map[engine.RunStatus]int64{},
	}
}

// watch calls tell at each step forward of a run until the function it returns
// is called.
func (h *hub) watch(run string, tell func(local.Progress)) (leave func()) {
	_, leave = h.join(run, tell)
	return leave
}

// await is a channel that has something after each step forward of a run.
func (h *hub) await(run string) (changed <-chan struct{}, leave func()) { return h.join(run, nil) }

func (h *hub) join(run string, tell func(local.Progress)) (changed <-chan struct{}, leave func()) {
	w := &watcher{tell: tell, changed: make(chan struct{}, 1)}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.watchers[run] == nil {
		h.watchers[run] = map[*watcher]struct{}{}
	}
	h.watchers[run][w] = struct{}{}
	return w.changed, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.watchers[run], w)
		if len(h.watchers[run]) == 0 {
			delete(h.watchers, run)
		}
	}
}

// publish is told of every step forward of every run.
func (h *hub) publish(p local.Progress) {
	for _, w := range h.count(p) {
		if w.tell != nil {
			w.tell(p)
		}
		select {
		case w.changed <- struct{}{}:
		default: // it has not looked since the last time
		}
	}
}

func (h *hub) count(p local.Progress) []*watcher {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range p.Steps {
		if s.EndedAt == nil {
			continue
		}
		h.steps[s.Status]++
		if s.Effect == engine.Change && s.Outcome != "" {
			h.changes[s.Outcome]++
		}
	}
	if p.Run.Status.Final() {
		h.ended[p.Run.Status]++
	}
	var all []*watcher
	for w := range h.watchers[p.Run.ID] {
		all = append(all, w)
	}
	return all
}
