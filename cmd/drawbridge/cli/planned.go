package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// readPlanned reads what was foreseen for a run, who approved it, and by which
// runs it was taken back.
func (p *past) readPlanned(ctx context.Context, store engine.Store) error {
	var err error
	if p.set, err = readSet(ctx, store, p.run.ChangeSet); err != nil {
		return fmt.Errorf("reading the plan of %s: %w", p.run.ID, err)
	}
	for one, err := range approvals(ctx, store, engine.ApprovalQuery{Run: p.run.ID}) {
		if err != nil {
			return fmt.Errorf("reading the approvals of %s: %w", p.run.ID, err)
		}
		p.approvals = append(p.approvals, one)
	}
	undoes, err := store.Undoes(ctx, p.run.ID)
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		return fmt.Errorf("reading what took %s back: %w", p.run.ID, err)
	}
	for _, r := range undoes {
		p.undoneBy = append(p.undoneBy, r.ID)
	}
	return p.readApproved(ctx, store)
}

// readApproved notes who approved which paths: an approval stands for the
// changes that its request showed and its voters did not leave out.
func (p *past) readApproved(ctx context.Context, store engine.Store) error {
	p.approvedBy = map[string][]string{}
	for _, one := range p.approvals {
		if one.Status != engine.ApprovalApproved {
			continue
		}
		set, err := readSet(ctx, store, one.Set)
		if err != nil {
			return fmt.Errorf("reading what %s approved: %w", one.ID, err)
		}
		for _, c := range set.Without(one.Excluded).Pending() {
			for _, v := range counted(one) {
				p.approvedBy[c.Path] = append(p.approvedBy[c.Path], v.Person)
			}
		}
	}
	return nil
}

// settle brings together what was planned and what happened.
func (p *past) settle(ledger map[string]line) {
	byPath := make(map[string]*engine.PlannedChange, len(p.set.Changes))
	for i := range p.set.Changes {
		c := &p.set.Changes[i]
		byPath[c.Path] = c
		if _, tried := ledger[c.Path]; !tried && c.Outcome == "" && p.run.Status.Final() {
			p.open = append(p.open, *c)
		}
	}
	for i := range p.changes {
		c := &p.changes[i]
		c.Planned, c.ApprovedBy = byPath[c.Path], distinct(p.approvedBy[c.Path])
	}
}

func distinct(names []string) []string {
	out := slices.Clone(names)
	slices.Sort(out)
	return slices.Compact(out)
}
