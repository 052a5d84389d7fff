package transport

import (
	"context"
	"hash/maphash"
	"iter"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Page is one page of a listing.
type Page[T any] struct {
	Items []T
	Next  string // token of the page after it
	Last  bool   // there is none after it; Next is not looked at
}

// Codes of failures of a listing that cannot be complete.
const (
	CodeRepeatedPage = "repeated_page" // a page named one that had been read already as the next
	CodeEndless      = "endless"       // too many empty pages in a row
)

// maxEmpty is how many pages in a row may be empty: some services answer so
// while they look further.
const maxEmpty = 1000

// Pages yields all items of a listing, or ends with an error; it never ends
// early without one. While the consumer works on a page the next is fetched.
// The first token is handed to the first fetch as it is. Breaking off stops
// the fetching before it returns.
func Pages[T any](ctx context.Context, first string, fetch func(ctx context.Context, token string) (Page[T], error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		pages := make(chan fetched[T])
		go walk(ctx, first, fetch, pages)
		defer func() {
			cancel()
			for range pages { // until the walk has ended
				continue
			}
		}()
		complete := false
		for p := range pages {
			complete = p.page.Last
			for _, item := range p.page.Items {
				if !yield(item, nil) {
					return
				}
			}
			if p.err != nil {
				var none T
				yield(none, p.err)
				return
			}
		}
		if !complete { // the walk ended because ctx did
			var none T
			yield(none, engine.AsFailure(context.Cause(ctx)))
		}
	}
}

type fetched[T any] struct {
	page Page[T]
	err  error
}

// walk sends page after page until the last, an error, or the end of ctx.
func walk[T any](ctx context.Context, token string, fetch func(context.Context, string) (Page[T], error), pages chan<- fetched[T]) {
	defer close(pages)
	guard := newGuard(token)
	for ctx.Err() == nil {
		page, err := fetch(ctx, token)
		if err == nil && !page.Last {
			err = guard.check(page.Next, len(page.Items))
		}
		select {
		case pages <- fetched[T]{page, err}:
		case <-ctx.Done():
			return
		}
		if err != nil || page.Last {
			return
		}
		token = page.Next
	}
}

// guard keeps a listing from going round in circles. It remembers hashes, so
// that a long listing stays small.
type guard struct {
	seed  maphash.Seed
	seen  map[uint64]struct{}
	empty int
}

func newGuard(first string) *guard {
	g := &guard{seed: maphash.MakeSeed(), seen: map[uint64]struct{}{}}
	g.seen[maphash.String(g.seed, first)] = struct{}{}
	return g
}

func (g *guard) check(next string, items int) error {
	if items > 0 {
		g.empty = 0
	} else if g.empty++; g.empty > maxEmpty {
		return engine.Fail(engine.ClassTransient, CodeEndless, "the listing went on for %d empty pages", maxEmpty)
	}
	h := maphash.String(g.seed, next)
	if _, again := g.seen[h]; again {
		return engine.Fail(engine.ClassTransient, CodeRepeatedPage, "the listing came back to a page it had given before, so it is not complete")
	}
	g.seen[h] = struct{}{}
	return nil
}
