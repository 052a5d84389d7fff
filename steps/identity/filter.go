package identity

import (
	"fmt"
	"iter"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/expression"
)

// The streams a directory and a log deliver.
type (
	userSeq   = iter.Seq2[User, error]
	signInSeq = iter.Seq2[SignIn, error]
)

// filter applies an optional `where` to a stream of things. All rows are
// written into the same map, which keeps a sweep over a million users as cheap
// as reading them.
type filter[T any] struct {
	predicate *expression.Predicate // nil: everything matches
	row       map[string]any
	set       func(row map[string]any, thing T)
}

// newFilter compiles the value of a predicate input, nil when it was not given.
func newFilter[T any](where any, row engine.Type, set func(map[string]any, T)) (*filter[T], error) {
	source, given := where.(engine.Predicate)
	if !given {
		return &filter[T]{}, nil
	}
	predicate, err := expression.CompilePredicate(source, row)
	if err != nil {
		return nil, fmt.Errorf("compiling where: %w", err)
	}
	return &filter[T]{predicate: predicate, row: make(map[string]any, len(row.Fields)), set: set}, nil
}

func (f *filter[T]) match(thing T) (bool, error) {
	if f.predicate == nil {
		return true, nil
	}
	f.set(f.row, thing)
	matches, err := f.predicate.Match(f.row)
	if err != nil {
		return false, fmt.Errorf("evaluating where: %w", err)
	}
	return matches, nil
}
