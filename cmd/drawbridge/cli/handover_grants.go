package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// shift is how far ahead the next shift is told of what ends.
const shift = 12 * time.Hour

// lastingDocument is what handover says of temporary changes and of what is held.
type lastingDocument struct {
	Expiries []grantDocument `json:"expiries"` // that end within 12 hours, the first to end first
	Overdue  []grantDocument `json:"overdue"`  // that should have ended and could not be ended
	Asking   []grantDocument `json:"asking"`   // whose time is up, and people are asked
	Holds    []holdDocument  `json:"holds"`    // that hold, the newest first
}

func noLasting() lastingDocument {
	return lastingDocument{Expiries: []grantDocument{}, Overdue: []grantDocument{}, Asking: []grantDocument{}, Holds: []holdDocument{}}
}

// gatherLasting reads the grants that the next shift has to do with, and the holds.
func (a *app) gatherLasting(ctx context.Context, store engine.Store, doc *lastingDocument) error {
	for g, err := range grants(ctx, store, engine.GrantQuery{States: liveStates()}) {
		if err != nil {
			return fmt.Errorf("listing grants: %w", err)
		}
		one := a.documentOfGrant(g)
		switch {
		case g.Overdue(a.now()):
			doc.Overdue = append(doc.Overdue, one)
		case g.State == engine.GrantAsking:
			doc.Asking = append(doc.Asking, one)
		case g.EndsAt.Before(a.now().Add(shift)):
			doc.Expiries = append(doc.Expiries, one)
		}
	}
	holds, err := store.Holds(ctx, false)
	if err != nil {
		return fmt.Errorf("reading the holds: %w", err)
	}
	doc.Holds = documentsOf(holds, documentOfHold)
	return nil
}

// showLasting writes what ends, what should have ended, and what is held.
func (a *app) showLasting(doc lastingDocument) error {
	var ends, late, asking, holds [][]string
	for _, g := range doc.Expiries {
		state := string(g.State)
		if g.Error != nil {
			state += ": " + g.Error.Message
		}
		ends = append(ends, []string{g.ID, nameAndID(g.Target), g.Action, g.EndsAt, atEnd(g.AtEnd), state})
	}
	for _, g := range doc.Overdue {
		why := "nobody has tried yet"
		if g.Error != nil {
			why = g.Error.Message
		}
		late = append(late, []string{g.ID, nameAndID(g.Target), g.Action, g.EndsAt, why})
	}
	for _, g := range doc.Asking {
		asking = append(asking, []string{g.ID, nameAndID(g.Target), g.Action, g.EndsAt, g.Approval})
	}
	for _, h := range doc.Holds {
		holds = append(holds, []string{h.ID, h.Target, orElse(h.Connection, "every connection"), h.At, h.By.Name, h.Reason})
	}
	return errors.Join(
		a.section("OVERDUE, not taken back", []string{"GRANT", "TARGET", "ACTION", "DUE", "WHY"}, late),
		a.section("Ends within 12 hours", []string{"GRANT", "TARGET", "ACTION", "ENDS", "THEN", "STATE"}, ends),
		a.section("Time is up, somebody has to say what then", []string{"GRANT", "TARGET", "ACTION", "DUE", "APPROVAL"}, asking),
		a.section("Held as it is", []string{"HOLD", "TARGET", "ON", "SINCE", "BY", "REASON"}, holds),
	)
}
