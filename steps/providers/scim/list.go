package scim

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strconv"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// listing is one walk through a collection. It is complete or fails: what the
// service counts must be what it gives, from the first page to the last.
type listing[W, T any] struct {
	service *service
	path    string // "/Users"
	filter  string
	by      string // how to page; set by the first fetch
	read    func(W) (T, error)
	id      func(T) string

	seen  map[string]struct{}
	total int // by the first page; -1 while no page has counted
}

// all yields every resource of a collection that a filter lets pass.
func all[W, T any](ctx context.Context, s *service, path, filter string, read func(W) (T, error), id func(T) string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		l := &listing[W, T]{
			service: s, path: path, filter: filter, read: read, id: id, seen: map[string]struct{}{}, total: -1,
		}
		for item, err := range transport.Pages(ctx, "", l.fetch) {
			if !yield(item, err) || err != nil {
				return
			}
		}
	}
}

// fetch gets one page. Only the goroutine that walks calls it, page after page.
func (l *listing[W, T]) fetch(ctx context.Context, token string) (transport.Page[T], error) {
	if l.by == "" {
		by, err := l.service.pagesBy(ctx)
		if err != nil {
			return transport.Page[T]{}, err
		}
		l.by = by
	}
	wire, err := fetchList[W](ctx, l.service, l.path, l.query(token))
	if err != nil {
		return transport.Page[T]{}, err
	}
	page, err := l.take(wire, token)
	if err != nil {
		return transport.Page[T]{}, err
	}
	return page, nil
}

func (l *listing[W, T]) query(token string) url.Values {
	query := url.Values{"count": {strconv.Itoa(l.service.pageSize)}}
	if l.by == pagingCursor {
		query.Set("cursor", token) // empty for the first page (RFC 9865, 2)
	} else {
		query.Set("startIndex", strconv.Itoa(len(l.seen)+1))
	}
	if l.filter != "" {
		query.Set("filter", l.filter)
	}
	return query
}

// take checks a page against what came before it, and says where the next begins.
func (l *listing[W, T]) take(wire wireList[W], token string) (transport.Page[T], error) {
	page := transport.Page[T]{}
	if wire.Start > 0 && l.by == pagingIndex && wire.Start != len(l.seen)+1 {
		return page, engine.Fail(engine.ClassTransient, transport.CodeRepeatedPage,
			"%s: asked for the page from %d on, the service gave the one from %d on", l.path, len(l.seen)+1, wire.Start)
	}
	for _, w := range *wire.Resources {
		item, err := l.read(w)
		if err != nil {
			return page, err
		}
		id := l.id(item)
		if _, again := l.seen[id]; again {
			return page, engine.Fail(engine.ClassTransient, CodeRepeatedID, "%s: %s was listed twice, so the listing is not reliable", l.path, id)
		}
		l.seen[id] = struct{}{}
		page.Items = append(page.Items, item)
	}
	if err := l.count(wire); err != nil {
		return page, err
	}
	page.Next = wire.Next
	page.Last = wire.Next == ""
	if l.by == pagingIndex {
		page.Next, page.Last = strconv.Itoa(len(l.seen)+1), len(l.seen) == l.total
	}
	return page, l.finish(page, len(*wire.Resources), token)
}

// count holds the service to its first count: one that changes means that
// people came or went, and that with pages by index somebody was passed over.
func (l *listing[W, T]) count(wire wireList[W]) error {
	switch {
	case wire.Total == nil && l.by == pagingCursor:
		return nil // it need not count (RFC 9865, 2.1)
	case wire.Total == nil:
		return malformed("%s: the answer has no totalResults", l.path)
	case l.total < 0:
		l.total = *wire.Total
	case l.total != *wire.Total:
		return engine.Fail(engine.ClassTransient, CodeIncomplete,
			"%s: there were %d when the listing began and are %d now; it must be read again", l.path, l.total, *wire.Total)
	}
	return nil
}

// finish finds a listing that ends too early, or does not.
func (l *listing[W, T]) finish(page transport.Page[T], items int, token string) error {
	short := l.total >= 0 && len(l.seen) < l.total
	switch {
	case l.total >= 0 && len(l.seen) > l.total, page.Last && short, l.by == pagingIndex && items == 0 && short:
		return engine.Fail(engine.ClassTransient, CodeIncomplete,
			"%s: the service counts %d and gave %d, so the listing is not complete", l.path, l.total, len(l.seen))
	case !page.Last && page.Next == token:
		return engine.Fail(engine.ClassTransient, transport.CodeRepeatedPage, "%s: the page names itself as the next", l.path)
	}
	return nil
}

// fetchList sends one request for a page.
func fetchList[W any](ctx context.Context, s *service, path string, query url.Values) (wireList[W], error) {
	var wire wireList[W]
	err := s.do(ctx, request{
		method: http.MethodGet, path: path, route: path, query: query, limit: maxPageBody,
		decode: func(r transport.Response) error {
			wire = wireList[W]{} // of an attempt whose answer was cut
			if err := r.JSON(&wire); err != nil {
				return err
			}
			if wire.Resources == nil {
				if wire.Total == nil || *wire.Total != 0 {
					return malformed("the page has no `Resources`")
				}
				wire.Resources = new([]W) // RFC 7644, 3.4.2: none may be left out
			}
			return nil
		},
	})
	return wire, err
}

// pagesBy is how the service pages: as the setting says, else as the service
// says of itself, which is asked once.
func (s *service) pagesBy(ctx context.Context) (string, error) {
	if s.paging != pagingAuto {
		return s.paging, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byPage != "" {
		return s.byPage, nil
	}
	config, err := s.configuration(ctx)
	if err != nil {
		return "", err
	}
	s.byPage = pagingIndex
	if p := config.Pagination; p.Cursor && (!p.Index || p.Default == pagingCursor) {
		s.byPage = pagingCursor
	}
	return s.byPage, nil
}

// wireConfig is a ServiceProviderConfig (RFC 7643, 5; RFC 9865, 4).
type wireConfig struct {
	Patch struct {
		Supported *bool `json:"supported"`
	} `json:"patch"`
	Pagination struct {
		Cursor  bool   `json:"cursor"`
		Index   bool   `json:"index"`
		Default string `json:"defaultPaginationMethod"`
	} `json:"pagination"`
}

// configuration is what the service says of itself. One that says nothing, or
// does not let this token read it, is one with pages by index.
func (s *service) configuration(ctx context.Context) (wireConfig, error) {
	var config wireConfig
	const path = "/ServiceProviderConfig"
	err := s.do(ctx, request{method: http.MethodGet, path: path, route: path, limit: maxUserBody, decode: func(r transport.Response) error {
		config = wireConfig{}
		return r.JSON(&config)
	}})
	if err == nil {
		return config, nil
	}
	f := engine.AsFailure(err)
	silent := f.Class == engine.ClassNotFound || f.Class == engine.ClassPermanent || f.Code == "http_403" || f.Code == "http_501"
	if silent {
		return wireConfig{}, nil
	}
	return wireConfig{}, err
}
