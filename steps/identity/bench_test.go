package identity_test

import (
	"context"
	"fmt"
	"iter"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
)

// crowd is a directory of so many people, made when they are asked for.
type crowd struct {
	*directory
	size int
}

func (c crowd) Users(context.Context, identity.State) iter.Seq2[identity.User, error] {
	return func(yield func(identity.User, error) bool) {
		u := user("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
		for range c.size {
			if !yield(u, nil) {
				return
			}
		}
	}
}

// BenchmarkUserList is what a user costs beside reading them: the figure to
// hold against decoding a page of the service, some microseconds a user.
func BenchmarkUserList(b *testing.B) {
	for _, source := range []string{`state == "suspended"`, `email endsWith "@example.org" and created_at < ago("180d")`} {
		b.Run(fmt.Sprintf("where=%q", source), func(b *testing.B) {
			inputs := map[string]any{"where": engine.Predicate{Source: source, Captured: map[string]any{
				"run": map[string]any{"time": map[string]any{"$time": "2026-11-22T12:00:00Z"}},
			}}}
			call := callOf(identity.UserList{}, &directory{}, nil, inputs)
			call.Connections[identity.CapabilityDirectory].Offers[identity.CapabilityDirectory] = crowd{size: b.N}
			b.ReportAllocs()
			if _, err := (identity.UserList{}).Observe(b.Context(), call); err != nil {
				b.Fatal(err)
			}
		})
	}
}
