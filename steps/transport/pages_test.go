package transport_test

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

type intPage = transport.Page[int]

// book is a listing of so many pages with ten items each; page numbers are tokens.
func book(pages int) func(context.Context, string) (intPage, error) {
	return func(_ context.Context, token string) (intPage, error) {
		n, _ := strconv.Atoi(token)
		p := intPage{Next: strconv.Itoa(n + 1), Last: n == pages-1}
		for i := range 10 {
			p.Items = append(p.Items, n*10+i)
		}
		return p, nil
	}
}

func read(ctx context.Context, fetch func(context.Context, string) (intPage, error)) (items []int, err error) {
	for item, e := range transport.Pages(ctx, "", fetch) {
		if e != nil {
			return items, e
		}
		items = append(items, item)
	}
	return items, nil
}

func TestPagesAreComplete(t *testing.T) {
	items, err := read(t.Context(), book(7))
	if err != nil || len(items) != 70 {
		t.Fatalf("%d items, %v", len(items), err)
	}
	for i, item := range items {
		if i != item {
			t.Fatalf("item %d is %d", i, item)
		}
	}
}

func TestPagesNeverEndEarlyWithoutAnError(t *testing.T) {
	broken := func(ctx context.Context, token string) (intPage, error) {
		if token == "3" {
			return intPage{}, engine.Fail(engine.ClassTransient, "page", "page 3 broke")
		}
		return book(7)(ctx, token)
	}
	circle := func(ctx context.Context, token string) (intPage, error) {
		p, err := book(7)(ctx, token)
		if token == "4" {
			p.Next = "2"
		}
		return p, err
	}
	itself := func(context.Context, string) (intPage, error) { return intPage{Items: []int{1}, Next: "x"}, nil }
	n := 0
	empty := func(context.Context, string) (intPage, error) { n++; return intPage{Next: strconv.Itoa(n)}, nil }
	for name, tt := range map[string]struct {
		fetch func(context.Context, string) (intPage, error)
		items int
		code  string
	}{
		"a page that breaks":     {broken, 30, "page"},
		"back to an earlier one": {circle, 50, transport.CodeRepeatedPage},
		"itself":                 {itself, 2, transport.CodeRepeatedPage},
		"empty for ever":         {empty, 0, transport.CodeEndless},
	} {
		t.Run(name, func(t *testing.T) {
			items, err := read(t.Context(), tt.fetch)
			checkFailure(t, err, engine.ClassTransient, tt.code)
			if len(items) != tt.items {
				t.Errorf("%d items before it, want %d", len(items), tt.items)
			}
		})
	}
}

func TestPagesWithEmptyOnesBetween(t *testing.T) {
	items, err := read(t.Context(), func(ctx context.Context, token string) (intPage, error) {
		n, _ := strconv.Atoi(token)
		p, err := book(30)(ctx, token)
		if n%3 != 0 {
			p.Items = nil
		}
		return p, err
	})
	if err != nil || len(items) != 100 {
		t.Errorf("%d items, %v", len(items), err)
	}
}

func TestPagesFetchOneAheadAndStopWhenLeft(t *testing.T) {
	fetched := make(chan string, 100)
	slow := func(ctx context.Context, token string) (intPage, error) {
		fetched <- token
		return book(50)(ctx, token)
	}
	seen := 0
	for item, err := range transport.Pages(t.Context(), "", slow) {
		if err != nil {
			t.Fatal(err)
		}
		if item == 0 {
			if first, second := <-fetched, <-fetched; first != "" || second != "1" {
				t.Errorf("fetched %q and %q while the first item was looked at", first, second)
			}
		}
		if seen++; seen == 15 {
			break
		}
	}
	if rest := len(fetched); rest > 1 {
		t.Errorf("%d pages fetched in vain", rest)
	}
}

func TestPagesOfACancelledContextAreAnError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var failed error
	items := 0
	for _, err := range transport.Pages(ctx, "", book(50)) {
		if err != nil {
			failed = err
			break
		}
		items++
		cancel()
	}
	if !errors.Is(failed, &engine.Failure{Class: engine.ClassCancelled}) || items >= 500 {
		t.Errorf("ended after %d items with %v", items, failed)
	}
}
