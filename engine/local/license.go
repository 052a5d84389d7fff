package local

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/machine"
)

// license is what a run may do: the change set it has looked ahead to, or that
// was planned or approved. It is only read.
type license struct {
	set    engine.ChangeSet
	lines  map[string]int // place in set.Changes, by path
	strict bool           // it was planned or approved: nothing outside of it happens
	saved  bool           // it is a saved plan: not even what is so already may differ
}

func newLicense(set engine.ChangeSet, strict, saved bool) *license {
	l := &license{set: set, lines: make(map[string]int, len(set.Changes)), strict: strict, saved: saved}
	for i := range set.Changes {
		l.lines[set.Changes[i].Path] = i
	}
	return l
}

// line is the line of a call; nil where it was not foreseen.
func (l *license) line(c machine.Call) *engine.PlannedChange {
	if l == nil {
		return nil
	}
	i, known := l.lines[c.Path]
	if !known || l.set.Changes[i].Arguments != hash(c.Inputs) || l.set.Changes[i].Action != c.Action {
		return nil
	}
	return &l.set.Changes[i]
}

// admits is why the change, with its target as it was just read, is not the one
// that was foreseen; nil where it is.
//
// A target that is as the change makes it, or that the run itself has changed
// so, only needs no change; of a saved plan, only the latter.
func (l *license) admits(line *engine.PlannedChange, f *facts, fingerprint string, equal, mine bool) *engine.Failure {
	before := bytes.Equal(line.Before, f.before)
	switch {
	case line.Target.ID != f.target.ID:
		return drifted(f, "it was planned for %s (%s)", line.Target.Name, line.Target.ID)
	case line.Fingerprint != fingerprint:
		return drifted(f, "its connection leads somewhere else now")
	case line.Outcome == engine.OutcomeFailed:
		return drifted(f, "it could not be read when the change was foreseen")
	case before && bytes.Equal(line.After, f.after):
		return nil
	case equal && (mine || !l.saved), !l.strict && line.Outcome == "" && bytes.Equal(line.After, f.after):
		return nil
	case !before:
		return drifted(f, "it was %s when the change was foreseen, and is %s now", line.Before, f.before)
	default:
		return drifted(f, "it would become %s now, and not %s", f.after, line.After)
	}
}

func drifted(f *facts, format string, args ...any) *engine.Failure {
	return engine.Fail(engine.ClassRefused, engine.CodeDrift, "%s (%s) was left alone: %s", f.target.Name, f.target.ID, fmt.Sprintf(format, args...))
}

// outside is the refusal of a change that nobody planned or approved.
func outside(c machine.Call) *engine.Failure {
	return engine.Fail(engine.ClassRefused, engine.CodeOutside,
		"%s of %s is not in the change set that was planned or approved; make a new plan", c.Action, c.Path)
}

// within is what a saved plan says of what people have approved on the way: they
// can leave lines out of the plan, and add or alter none. What was not shown to
// them is not in it either.
func within(plan, approved engine.ChangeSet) engine.ChangeSet {
	shown := make(map[string]engine.PlannedChange, len(approved.Changes))
	for _, c := range approved.Changes {
		shown[c.Path] = c
	}
	out := approved
	out.Changes = nil
	for _, c := range plan.Changes {
		seen, there := shown[c.Path]
		switch {
		case !there:
			continue
		case seen.Error != nil && seen.Error.Code == engine.CodeExcluded:
			c = seen
		}
		out.Changes = append(out.Changes, c)
	}
	return out
}

// merged is a newer change set with the lines of an older one that it does not
// mention and that were made, or tried: what was done before it. Whatever else
// was once foreseen no longer counts.
func merged(older, newer engine.ChangeSet, made map[string]bool) engine.ChangeSet {
	out := newer
	out.Changes = slices.Clone(newer.Changes)
	known := make(map[string]bool, len(newer.Changes))
	for i := range newer.Changes {
		known[newer.Changes[i].Path] = true
	}
	for _, c := range older.Changes {
		if made[c.Path] && !known[c.Path] {
			out.Changes = append(out.Changes, c)
		}
	}
	slices.SortFunc(out.Changes, func(a, b engine.PlannedChange) int { return cmp.Compare(a.Path, b.Path) })
	return out
}

// encodeSet is a change set as it is stored.
func encodeSet(set engine.ChangeSet) (engine.StoredValue, error) {
	data, err := json.Marshal(set)
	if err != nil {
		return engine.StoredValue{}, fmt.Errorf("encoding the change set: %w", err)
	}
	return engine.StoredValue{Ref: referenceOf(data), Data: data}, nil
}

// changeSet reads a stored change set.
func (e *Engine) changeSet(ctx context.Context, ref engine.Reference) (engine.ChangeSet, error) {
	var set engine.ChangeSet
	data, err := e.config.Store.Value(ctx, ref)
	if err != nil {
		return set, fmt.Errorf("reading the change set: %w", err)
	}
	if err := json.Unmarshal(data, &set); err != nil {
		return set, fmt.Errorf("reading the change set: %w", err)
	}
	return set, nil
}
