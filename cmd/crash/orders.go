package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/drawbridge-soar/drawbridge/steps/sim"
)

// lent is how long the playbooks lend and lock let a change last.
const lent = 3 * time.Second

// order is one delivery to a webhook, with accounts that no other order has.
type order struct {
	ID    string
	Hook  string   // also the name of the playbook it starts
	Users []string // ids
	Run   string   // what the server acknowledged; "" before it did
}

// wanted is what becomes of each account of an order, in this order. A second
// operation takes the first one back after lent.
func (o order) wanted() []sim.Operation {
	switch o.Hook {
	case "lend":
		return []sim.Operation{sim.OpReactivate, sim.OpSuspend}
	case "lock":
		return []sim.Operation{sim.OpSuspend, sim.OpReactivate}
	default:
		return []sim.Operation{sim.OpSuspend}
	}
}

// body is what is delivered.
func (o order) body() ([]byte, error) {
	type group struct {
		Name  string   `json:"name"`
		Users []string `json:"users"`
	}
	body := map[string]any{"order": o.ID}
	if o.Hook == "contain" {
		half := len(o.Users) / 2
		body["groups"] = []group{{"one", o.Users[:half]}, {"two", o.Users[half:]}}
	} else {
		body["user"] = o.Users[0]
	}
	data, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("making the body of %s: %w", o.ID, err)
	}
	return data, nil
}

// accounts are what orders may be about, and nothing else touches.
type accounts struct {
	active, suspended []string // ids
}

// take makes an order of accounts that nobody has taken; false when they run out.
func (a *accounts) take(n int, random *rand.Rand) (order, bool) {
	hooks := []string{"contain", "contain", "lend", "lend", "lock", "ask", "patient"}
	o := order{ID: fmt.Sprintf("order-%d", n), Hook: hooks[random.IntN(len(hooks))]}
	from, count := &a.active, 1
	switch o.Hook {
	case "contain":
		count = 2 + random.IntN(4)
	case "lend":
		from = &a.suspended
	}
	if len(*from) < count {
		return o, false
	}
	o.Users, *from = (*from)[:count], (*from)[count:]
	return o, true
}
