package rest_test

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/rest"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// page is one page of a service: what its body and its Link header say.
type page struct{ body, link string }

// book answers /list?at=KEY with the page of that key.
func book(pages map[string]page) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p, there := pages[r.URL.Query().Get("at")]
		if !there {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if p.link != "" {
			w.Header().Set("Link", strings.ReplaceAll(p.link, "ORIGIN", "http://"+r.Host))
		}
		_, _ = io.WriteString(w, strings.ReplaceAll(p.body, "ORIGIN", "http://"+r.Host))
	}
}

func TestListingsAreCompleteOrAnError(t *testing.T) {
	t.Parallel()
	link := rest.Paging{Link: true, Key: "/id"}
	byURL := rest.Paging{Items: "/data", Key: "/id", NextURL: "/links/next"}
	cursor := rest.Paging{Items: "/data", Key: "/id", Cursor: "/next", Param: "at"}
	absent, more, few := cursor, cursor, cursor
	absent.Absent, more.More, few.MaxPages = true, "/more", 2
	for name, tt := range map[string]struct {
		paging rest.Paging
		pages  map[string]page
		want   string // the ids
		class  engine.Class
		code   string
	}{
		"link": {link, map[string]page{
			"":  {`[{"id":"a"},{"id":"b"}]`, `<ORIGIN/list?at=2>; rel="next", <ORIGIN/list>; rel="self"`},
			"2": {`[{"id":"c"}]`, `</list>; rel=first`},
		}, "a b c", "", ""},
		"link elsewhere":  {link, map[string]page{"": {`[]`, `<https://evil.example.com/list>; rel="next"`}}, "", engine.ClassPermanent, rest.CodeElsewhere},
		"link in clear":   {link, map[string]page{"": {`[]`, `<ftp://127.0.0.1/list>; rel="next"`}}, "", engine.ClassPermanent, rest.CodeElsewhere},
		"link broken":     {link, map[string]page{"": {`[]`, `ORIGIN/list?at=2; rel="next"`}}, "", engine.ClassTransient, transport.CodeBrokenAnswer},
		"link repeated":   {link, map[string]page{"": {`[]`, `</list?at=2>; rel="next"`}, "2": {`[]`, `</list?at=2>; rel="next"`}}, "", engine.ClassTransient, transport.CodeRepeatedPage},
		"link twice":      {link, map[string]page{"": {`[]`, `</list?at=2>; rel="next", </list?at=3>; rel="next"`}}, "", engine.ClassTransient, transport.CodeBrokenAnswer},
		"an item twice":   {link, map[string]page{"": {`[{"id":"a"}]`, `</list?at=2>; rel="next"`}, "2": {`[{"id":"a"}]`, ""}}, "", engine.ClassTransient, rest.CodeDuplicate},
		"an item without": {link, map[string]page{"": {`[{"name":"a"}]`, ""}}, "", engine.ClassPermanent, rest.CodeMissing},
		"page 2 is gone":  {link, map[string]page{"": {`[{"id":"a"}]`, `</list?at=9>; rel="next"`}}, "", engine.ClassPermanent, "http_400"},
		"url": {byURL, map[string]page{
			"": {`{"data":[{"id":1}],"links":{"next":"/list?at=2"}}`, ""}, "2": {`{"data":[{"id":2}],"links":{"next":null}}`, ""},
		}, "1 2", "", ""},
		"url elsewhere": {byURL, map[string]page{"": {`{"data":[],"links":{"next":"//evil.example.com/list"}}`, ""}}, "", engine.ClassPermanent, rest.CodeElsewhere},
		"url with user": {byURL, map[string]page{"": {`{"data":[],"links":{"next":"http://me@127.0.0.1/list"}}`, ""}}, "", engine.ClassPermanent, rest.CodeElsewhere},
		"url missing":   {byURL, map[string]page{"": {`{"data":[],"links":{}}`, ""}}, "", engine.ClassPermanent, rest.CodeMissing},
		"url no text":   {byURL, map[string]page{"": {`{"data":[],"links":{"next":true}}`, ""}}, "", engine.ClassPermanent, rest.CodeType},
		"cursor": {cursor, map[string]page{
			"": {`{"data":[{"id":"a"}],"next":"x y"}`, ""}, "x y": {`{"data":[],"next":"z"}`, ""}, "z": {`{"data":[{"id":"b"}],"next":""}`, ""},
		}, "a b", "", ""},
		"cursor repeated":         {cursor, map[string]page{"": {`{"data":[],"next":"x"}`, ""}, "x": {`{"data":[],"next":"x"}`, ""}}, "", engine.ClassTransient, transport.CodeRepeatedPage},
		"cursor missing":          {cursor, map[string]page{"": {`{"data":[]}`, ""}}, "", engine.ClassPermanent, rest.CodeMissing},
		"cursor absent at last":   {absent, map[string]page{"": {`{"data":[{"id":"a"}]}`, ""}}, "a", "", ""},
		"no items":                {cursor, map[string]page{"": {`{"next":null}`, ""}}, "", engine.ClassPermanent, rest.CodeMissing},
		"items no list":           {cursor, map[string]page{"": {`{"data":{},"next":null}`, ""}}, "", engine.ClassPermanent, rest.CodeType},
		"too many":                {few, map[string]page{"": {`{"data":[],"next":"1"}`, ""}, "1": {`{"data":[],"next":"2"}`, ""}, "2": {`{"data":[],"next":null}`, ""}}, "", engine.ClassPermanent, rest.CodePages},
		"no more":                 {more, map[string]page{"": {`{"data":[{"id":"a"}],"next":"x","more":false}`, ""}}, "a", "", ""},
		"more, and nothing named": {more, map[string]page{"": {`{"data":[],"next":null,"more":true}`, ""}}, "", engine.ClassTransient, rest.CodeIncomplete},
		"more is missing":         {more, map[string]page{"": {`{"data":[],"next":null}`, ""}}, "", engine.ClassPermanent, rest.CodeMissing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service := serve(t, rest.Config{}, book(tt.pages))
			items, err := service.Collect(t.Context(), rest.Request{Path: "/list", Effect: transport.Read, Pages: &tt.paging})
			if tt.class != "" {
				checkFailure(t, err, tt.class, tt.code)
				if items != nil {
					t.Errorf("part of a listing was returned: %v", items)
				}
				return
			}
			var ids []string
			for _, item := range items {
				fields, _ := item.(map[string]any)
				ids = append(ids, fmt.Sprint(fields["id"]))
			}
			if got := strings.Join(ids, " "); got != tt.want || err != nil {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

// counting answers with the items from a number on, at most three a page, and
// claims a total.
func counting(have, claims int, perPage bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		from, _ := strconv.Atoi(r.URL.Query().Get("at"))
		if perPage {
			from = (from - 1) * 3
		}
		var items []string
		for i := from; i < min(have, from+3); i++ {
			items = append(items, fmt.Sprintf(`{"id":%d}`, i))
		}
		answer(fmt.Sprintf(`{"data":[%s],"total":%d}`, strings.Join(items, ","), claims))(w, r)
	}
}

func TestListingsByNumber(t *testing.T) {
	t.Parallel()
	for _, perPage := range []bool{true, false} {
		for have := range 8 {
			p := rest.Paging{Items: "/data", Key: "/id", Page: perPage, Offset: !perPage, Param: "at"}
			if perPage {
				p.First = 1
			}
			counted := p
			counted.Total = "/total"
			for _, paging := range []rest.Paging{p, counted} {
				service := serve(t, rest.Config{}, counting(have, have, perPage))
				items, err := service.Collect(t.Context(), rest.Request{Path: "/list", Effect: transport.Read, Pages: &paging})
				if len(items) != have || err != nil {
					t.Errorf("by page %v, total %q: %d of %d, %v", perPage, paging.Total, len(items), have, err)
				}
			}
			service := serve(t, rest.Config{}, counting(have, have+1, perPage))
			_, err := service.Collect(t.Context(), rest.Request{Path: "/list", Effect: transport.Read, Pages: &counted})
			checkFailure(t, err, engine.ClassTransient, rest.CodeIncomplete)
		}
	}
}

func TestPagingThatGoesOnInNoWayOrTwo(t *testing.T) {
	t.Parallel()
	service := serve(t, rest.Config{}, answer(`[]`))
	for _, p := range []rest.Paging{{}, {Link: true, Page: true, Param: "p"}, {Cursor: "/next"}, {Offset: true}} {
		_, err := service.Collect(t.Context(), rest.Request{Path: "/list", Pages: &p})
		checkFailure(t, err, engine.ClassInvalid, "pages")
	}
}

func TestPointers(t *testing.T) {
	t.Parallel()
	document := map[string]any{"a": map[string]any{"b/c": []any{"x", map[string]any{"~": int64(1)}}}, "": "empty"}
	for text, want := range map[string]any{
		"/a/b~1c/0": "x", "/a/b~1c/1/~0": int64(1), "/": "empty", "/a/b~1c/2": nil, "/a/b~1c/00": nil, "/a/b~1c/-": nil, "/z": nil, "/a/b~1c/0/x": nil,
	} {
		p, err := rest.ParsePointer(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, there := p.Find(document); got != want || there != (want != nil) {
			t.Errorf("%s: got %v, %v", text, got, there)
		}
	}
	for _, text := range []string{"a", "#/a", "/~", "/~2"} {
		_, err := rest.ParsePointer(text)
		checkFailure(t, err, engine.ClassInvalid, "pointer")
	}
}
