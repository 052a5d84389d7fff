package rest

import (
	"context"
	"iter"
	"net/url"
	"strconv"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// DefaultMaxPages is how many pages a listing may have that does not say it.
const DefaultMaxPages = 10_000

// Paging says how a listing goes on. Exactly one of Single, Link, NextURL,
// Cursor, Page and Offset is set. A listing is complete or an error: a page that was given
// before, an item that comes twice, a pointer that leads nowhere and a page too
// many are errors.
type Paging struct {
	Items Pointer // the list of items in a page; empty where the page itself is the list
	Key   Pointer // what is unique in an item; empty where nothing is compared

	Single  bool    // one page is all there is
	Link    bool    // the next page is the link with rel="next" in the header Link; without one it is the last
	NextURL Pointer // leads to the address of the next page, at the same origin
	Cursor  Pointer // leads to what is sent as Param for the next page
	Page    bool    // Param counts pages, from First; an empty page is behind the last
	Offset  bool    // Param counts items, from First; an empty page is behind the last

	Param string  // the query parameter of Cursor, Page and Offset
	First int64   // of Page and Offset: what the first page has
	More  Pointer // leads to whether there is a next page; empty where nothing does
	Total Pointer // leads to how many items there are in all; empty where nothing does
	// Absent says that the last page lacks what NextURL or Cursor leads to.
	// Without it that must be there, and be null or empty: a misspelt pointer
	// would make every first page the last.
	Absent   bool
	MaxPages int // DefaultMaxPages for 0
}

// check refuses what is not one way to go on. Errors are invalid failures.
func (p *Paging) check() error {
	ways := 0
	for _, way := range []bool{p.Single, p.Link, p.NextURL != "", p.Cursor != "", p.Page, p.Offset} {
		if way {
			ways++
		}
	}
	switch {
	case ways != 1:
		return engine.Fail(engine.ClassInvalid, "pages", "a listing goes on in exactly one way: by link, URL, cursor, page or offset")
	case (p.Cursor != "" || p.Page || p.Offset) && p.Param == "":
		return engine.Fail(engine.ClassInvalid, "pages", "a cursor, page or offset needs the query parameter it is sent as")
	default:
		return nil
	}
}

// List yields the items of all pages, or ends with an error; it never ends
// early without one. The next page is fetched while the consumer works on one.
func (s *Service) List(ctx context.Context, r Request) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		w, err := s.walk(r)
		if err != nil {
			yield(nil, err)
			return
		}
		for item, err := range transport.Pages(ctx, "", w.page) {
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(item, nil) {
				return
			}
		}
	}
}

// Collect is List in one list.
func (s *Service) Collect(ctx context.Context, r Request) ([]any, error) {
	all := []any{}
	for item, err := range s.List(ctx, r) {
		if err != nil {
			return nil, err
		}
		all = append(all, item)
	}
	return all, nil
}

// All is List in one answer: its body is the list of all items, and the rest is
// that of the last page.
func (s *Service) All(ctx context.Context, r Request) (Answer, error) {
	w, err := s.walk(r)
	if err != nil {
		return Answer{}, err
	}
	all := []any{}
	for item, err := range transport.Pages(ctx, "", w.page) {
		if err != nil {
			return Answer{}, err
		}
		all = append(all, item)
	}
	return Answer{Status: w.last.Status, Header: w.last.Header, Body: all}, nil
}

// walk is one listing under way. It is used by one goroutine at a time.
type walk struct {
	service *Service
	request Request
	paging  Paging
	first   *url.URL
	pages   int
	items   int64
	last    Answer // without its body
	seen    map[string]struct{}
}

func (s *Service) walk(r Request) (*walk, error) {
	w := &walk{service: s, request: r, seen: map[string]struct{}{}}
	if r.Pages != nil {
		w.paging = *r.Pages
		if err := w.paging.check(); err != nil {
			return nil, err
		}
	}
	if w.paging.MaxPages <= 0 {
		w.paging.MaxPages = DefaultMaxPages
	}
	var err error
	w.first, err = s.address(r)
	if w.paging.Page || w.paging.Offset {
		w.first = w.with(strconv.FormatInt(w.paging.First, 10))
	}
	return w, err
}

// with is the listing's address with the parameter of a page.
func (w *walk) with(value string) *url.URL {
	if w.first == nil {
		return nil
	}
	at := *w.first
	query := at.Query()
	query.Set(w.paging.Param, value)
	at.RawQuery = query.Encode()
	return &at
}

func (w *walk) page(ctx context.Context, token string) (transport.Page[any], error) {
	if w.pages++; w.pages > w.paging.MaxPages {
		return transport.Page[any]{}, w.fail(engine.ClassPermanent, CodePages, "the listing has more than %d pages", w.paging.MaxPages)
	}
	at, err := w.at(token)
	if err != nil {
		return transport.Page[any]{}, err
	}
	answer, err := w.service.ask(ctx, w.request, at)
	if err != nil {
		return transport.Page[any]{}, err
	}
	w.last = Answer{Status: answer.Status, Header: answer.Header}
	items, err := w.itemsOf(answer)
	if err != nil {
		return transport.Page[any]{}, err
	}
	next, last, err := w.next(answer, at, len(items))
	if err == nil && last {
		err = w.complete(answer)
	}
	return transport.Page[any]{Items: items, Next: next, Last: last}, err
}

// at is the address of a page.
func (w *walk) at(token string) (*url.URL, error) {
	switch {
	case token == "":
		return w.first, nil
	case !w.paging.Link && w.paging.NextURL == "":
		return w.with(token), nil
	}
	at, err := url.Parse(token)
	if err != nil {
		return nil, w.fail(engine.ClassPermanent, CodeElsewhere, "the address of the next page cannot be read")
	}
	return at, nil
}

// itemsOf are the items of a page, of which none came before.
func (w *walk) itemsOf(answer Answer) ([]any, error) {
	found, there := w.paging.Items.Find(answer.Body)
	items, isList := found.([]any)
	switch {
	case !there:
		return nil, w.fail(engine.ClassPermanent, CodeMissing, "the answer has no %s", w.paging.Items)
	case !isList:
		return nil, w.fail(engine.ClassPermanent, CodeType, "%s of the answer is not a list", name(w.paging.Items))
	}
	w.items += int64(len(items))
	if w.paging.Key == "" {
		return items, nil
	}
	for i, item := range items {
		key, none, err := w.paging.Key.text(item)
		if none || err != nil {
			return nil, w.fail(engine.ClassPermanent, CodeMissing, "item %d of a page has no %s that tells it from others", i, w.paging.Key)
		}
		if _, twice := w.seen[key]; twice {
			return nil, w.fail(engine.ClassTransient, CodeDuplicate, "an item was listed twice, by its %s, so the listing is not reliable", w.paging.Key)
		}
		w.seen[key] = struct{}{}
	}
	return items, nil
}

func name(p Pointer) string {
	if p == "" {
		return "the whole"
	}
	return string(p)
}

// next is the token of the page after this one.
func (w *walk) next(answer Answer, at *url.URL, items int) (token string, last bool, err error) {
	if w.request.Pages == nil || w.paging.Single {
		return "", true, nil
	}
	if w.paging.More != "" {
		more, there := w.paging.More.Find(answer.Body)
		goesOn, isBool := more.(bool)
		if !there || !isBool {
			return "", false, w.fail(engine.ClassPermanent, CodeMissing, "the answer has no %s that is true or false", w.paging.More)
		}
		if !goesOn {
			return "", true, nil
		}
	}
	token, last, err = w.following(answer, at, items)
	if err == nil && last && w.paging.More != "" {
		err = w.fail(engine.ClassTransient, CodeIncomplete, "%s says that there is more, and no next page is named", w.paging.More)
	}
	return token, last, err
}

func (w *walk) following(answer Answer, at *url.URL, items int) (token string, last bool, err error) {
	p := w.paging
	switch {
	case p.Page, p.Offset:
		return w.counted(answer, items)
	case p.Link:
		target, err := nextLink(answer.Header)
		if err != nil || target == "" {
			return "", true, err
		}
		return w.resolve(at, target)
	default:
		pointer := p.Cursor + p.NextURL // one of them is empty
		value, none, err := pointer.text(answer.Body)
		if none && (err == nil || p.Absent) {
			return "", true, nil
		}
		if err != nil {
			return "", false, w.fail(engine.ClassPermanent, engine.AsFailure(err).Code, "%s: is it the last page? Then say that it may be absent", engine.AsFailure(err).Message)
		}
		if p.NextURL != "" {
			return w.resolve(at, value)
		}
		return value, false, nil
	}
}

// counted is the next number of a listing by page or offset.
func (w *walk) counted(answer Answer, items int) (token string, last bool, err error) {
	if items == 0 {
		return "", true, nil
	}
	if w.paging.Total != "" {
		total, err := w.total(answer)
		if err != nil || w.items >= total {
			return "", true, err
		}
	}
	if w.paging.Page {
		return strconv.FormatInt(w.paging.First+int64(w.pages), 10), false, nil
	}
	return strconv.FormatInt(w.paging.First+w.items, 10), false, nil
}

func (w *walk) total(answer Answer) (int64, error) {
	found, _ := w.paging.Total.Find(answer.Body)
	total, ok := found.(int64)
	if !ok || total < 0 {
		return 0, w.fail(engine.ClassPermanent, CodeMissing, "the answer has no %s that is a number of items", w.paging.Total)
	}
	return total, nil
}

// complete compares what was listed with the total, where there is one.
func (w *walk) complete(answer Answer) error {
	if w.paging.Total == "" {
		return nil
	}
	total, err := w.total(answer)
	if err == nil && w.items < total {
		err = w.fail(engine.ClassTransient, CodeIncomplete, "the listing ended after %d of %d items", w.items, total)
	}
	return err
}

// resolve is the address of the next page, which must be at the same origin:
// elsewhere the credentials would go along.
func (w *walk) resolve(at *url.URL, target string) (token string, last bool, err error) {
	next, err := at.Parse(target)
	if err != nil || next.User != nil || !sameOrigin(next, w.first) {
		return "", false, w.fail(engine.ClassPermanent, CodeElsewhere, "the next page is said to be at another place, which is not followed")
	}
	next.Fragment = ""
	return next.String(), false, nil
}

func (w *walk) fail(class engine.Class, code, format string, args ...any) error {
	f := engine.Fail(class, code, format, args...)
	route := w.request.Route
	if route == "" {
		route = "GET " + w.first.EscapedPath()
	}
	f.Message = "listing " + route + " at " + w.first.Host + ": " + f.Message
	return f
}
