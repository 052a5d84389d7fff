package cli

import "github.com/drawbridge-soar/drawbridge/engine"

// lent is a store that whoever borrowed it cannot close.
type lent struct{ engine.Store }

// Close leaves the store open for the others.
func (lent) Close() error { return nil }
