package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/local"
	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/engine/schedule"
)

func (a *app) schedulesListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the schedules of all playbooks in the configuration's folders", Args: cobra.NoArgs,
		Long: `Lists each schedule with its next fire time, up to when its fire times were
decided, and who has paused it. They fire while "drawbridge serve" runs.`,
		RunE: work(func(ctx context.Context, _ []string) error { return a.schedulesList(ctx) }),
	}
}

// place is a schedule: a trigger of a playbook.
type place struct {
	active local.Active
	index  int
}

func (p place) trigger() program.Trigger { return p.active.Program.Triggers[p.index] }

func (p place) series() string { return local.Series(p.active.Program.Name, p.index) }

// scheduleDocument is a schedule as -o json prints it.
type scheduleDocument struct {
	Playbook    string         `json:"playbook"`
	Trigger     int            `json:"trigger"` // its place among the playbook's triggers, from 0
	Schedule    string         `json:"schedule"`
	Timezone    string         `json:"timezone"`
	Missed      string         `json:"missed"`
	Overlap     string         `json:"overlap"`
	Next        *string        `json:"next"`         // null: paused, or it does not fire any more
	LastDecided *string        `json:"last_decided"` // null: no server has seen it yet
	Paused      *pauseDocument `json:"paused"`

	next time.Time
}

type pauseDocument struct {
	At     string `json:"at"`
	By     string `json:"by"`
	Reason string `json:"reason"`
}

func (a *app) schedulesList(ctx context.Context) error {
	conf, err := a.config()
	if err != nil {
		return err
	}
	all, err := a.places(conf)
	if err != nil {
		return err
	}
	states, err := a.scheduleStates(ctx, conf)
	if err != nil {
		return err
	}
	docs := []scheduleDocument{}
	for _, p := range all {
		doc, err := a.documentOfSchedule(p, states[p.series()])
		if err != nil {
			return err
		}
		docs = append(docs, doc)
	}
	if a.json() {
		return a.print(map[string]any{"schedules": docs})
	}
	return a.showSchedules(docs)
}

// places are the schedules of the playbooks in the configuration's folders. Those
// of a broken playbook are not among them, unless a server keeps its last good version.
func (a *app) places(conf *config.Config) ([]place, error) {
	f := &folders{conf: conf, check: a.checker(conf), report: func(text string) { a.say("%s", text) }}
	if a.house != nil && a.house.playbooks != nil {
		f = a.house.playbooks
	}
	if err := f.look(); err != nil {
		return nil, err
	}
	var out []place
	for _, p := range f.list() {
		for i, t := range p.Program.Triggers {
			if t.Schedule != "" {
				out = append(out, place{active: p, index: i})
			}
		}
	}
	return out, nil
}

// scheduleStates are what the database remembers of schedules, by id.
func (a *app) scheduleStates(ctx context.Context, conf *config.Config) (map[string]engine.ScheduleState, error) {
	store, err := a.history(conf) //nolint:contextcheck // opening a database takes no context
	if errors.Is(err, engine.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = store.Close() }() // it was only read
	list, err := store.Schedules(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the schedules: %w", err)
	}
	states := make(map[string]engine.ScheduleState, len(list))
	for _, s := range list {
		states[s.ID] = s
	}
	return states, nil
}

func (a *app) documentOfSchedule(p place, state engine.ScheduleState) (scheduleDocument, error) {
	t := p.trigger()
	times, err := schedule.Parse(t.Schedule, t.Timezone)
	if err != nil {
		return scheduleDocument{}, fmt.Errorf("reading the schedule of %s: %w", p.series(), err)
	}
	doc := scheduleDocument{
		Playbook: p.active.Program.Name, Trigger: p.index, Schedule: t.Schedule, Timezone: times.Location().String(), Missed: t.Missed, Overlap: t.Overlap,
	}
	if !state.LastAt.IsZero() {
		doc.LastDecided = stampOf(&state.LastAt)
	}
	if state.PausedAt != nil {
		doc.Paused = &pauseDocument{At: stamp(*state.PausedAt), By: state.PausedBy, Reason: state.Reason}
		return doc, nil
	}
	if doc.next = times.Next(a.now()); !doc.next.IsZero() {
		doc.Next = stampOf(&doc.next)
	}
	return doc, nil
}

func (a *app) showSchedules(docs []scheduleDocument) error {
	rows := [][]string{}
	for _, d := range docs {
		next, last := "never", "-"
		if d.Next != nil {
			next = d.next.Format("Mon 2006-01-02 15:04:05 -07:00")
		}
		if d.LastDecided != nil {
			last = *d.LastDecided
		}
		if d.Paused != nil {
			next = fmt.Sprintf("paused by %s: %s", d.Paused.By, d.Paused.Reason)
		}
		rows = append(rows, []string{local.Series(d.Playbook, d.Trigger), d.Schedule, d.Timezone, d.Missed, d.Overlap, next, last})
	}
	return a.table([]string{"SCHEDULE", "TIMES", "ZONE", "MISSED", "OVERLAP", "NEXT", "DECIDED UP TO"}, rows, "no playbook in the configuration's folders has a schedule")
}

// find are the schedules that an argument means: all of a playbook, or the one at
// a place, PLAYBOOK#N. A playbook is named, or given by its path.
func find(all []place, argument string) ([]place, error) {
	name, at, one := strings.Cut(argument, "#")
	of := func(p place) bool { return p.active.Program.Name == name || p.active.Source == absolute(name) }
	found := slices.DeleteFunc(slices.Clone(all), func(p place) bool { return !of(p) })
	if len(found) == 0 {
		var known []string
		for _, p := range all {
			known = append(known, p.active.Program.Name)
		}
		return nil, usage("no playbook %q in the configuration's folders has a schedule%s", filepath.ToSlash(name), didYouMean(name, slices.Compact(known)))
	}
	if !one {
		return found, nil
	}
	n, err := strconv.Atoi(at)
	if i := slices.IndexFunc(found, func(p place) bool { return p.index == n }); err == nil && i >= 0 {
		return found[i : i+1], nil
	}
	return nil, usage("%s has no schedule %q; it has %s", name, argument, seriesOf(found))
}

func seriesOf(found []place) string {
	var names []string
	for _, p := range found {
		names = append(names, p.series())
	}
	return strings.Join(names, ", ")
}
