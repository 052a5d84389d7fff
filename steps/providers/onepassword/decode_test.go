package onepassword

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

func answer(body string) transport.Response {
	return transport.Response{Status: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}
}

const sam = `{"id":"ABC","email":"sam@example.test","display_name":"Sam","state":"ACTIVE","create_time":"2026-01-05T10:00:00Z","path":"x","new":1}`

func TestDecodePage(t *testing.T) {
	for name, tt := range map[string]struct {
		body  string
		items int
		last  bool
		code  string // of the failure; "-" for an error that is none yet
	}{
		"one, last":          {`{"results":[` + sam + `]}`, 1, true, ""},
		"empty token":        {`{"results":[` + sam + `],"next_page_token":""}`, 1, true, ""},
		"null token":         {`{"results":[],"next_page_token":null}`, 0, true, ""},
		"more":               {`{"results":[` + sam + `],"next_page_token":"x"}`, 1, false, ""},
		"users, not results": {`{"users":[` + sam + `]}`, 0, false, CodeMalformed},
		"null results":       {`{"results":null}`, 0, false, CodeMalformed},
		"endless token":      {`{"results":[],"next_page_token":"` + strings.Repeat("x", 9000) + `"}`, 0, false, CodeMalformed},
		"unknown state":      {`{"results":[` + strings.Replace(sam, "ACTIVE", "STATE_UNSPECIFIED", 1) + `]}`, 0, false, CodeMalformed},
		"no id":              {`{"results":[` + strings.Replace(sam, "ABC", "", 1) + `]}`, 0, false, CodeMalformed},
		"id is a path":       {`{"results":[` + strings.Replace(sam, "ABC", "../x", 1) + `]}`, 0, false, CodeMalformed},
		"no e-mail":          {`{"results":[` + strings.Replace(sam, "sam@example.test", "", 1) + `]}`, 0, false, CodeMalformed},
		"no create_time":     {`{"results":[` + strings.Replace(sam, `"create_time"`, `"created"`, 1) + `]}`, 0, false, CodeMalformed},
		"half":               {`{"results":[` + sam, 0, false, "-"},
		"a list":             {`[]`, 0, false, "-"},
		"nothing":            {``, 0, false, "-"},
	} {
		t.Run(name, func(t *testing.T) {
			page, err := decodePage(answer(tt.body))
			if tt.code != "" {
				if f := engine.AsFailure(err); f == nil || tt.code != "-" && f.Code != tt.code {
					t.Errorf("got %v, want %s", err, tt.code)
				}
				return
			}
			if err != nil || len(page.Items) != tt.items || page.Last != tt.last {
				t.Errorf("got %+v, %v", page, err)
			}
		})
	}
}

func TestDecodeUserIsWhoWasAskedFor(t *testing.T) {
	if user, err := decodeUser(answer(sam), "ABC"); err != nil || user.Email != "sam@example.test" {
		t.Errorf("%+v, %v", user, err)
	}
	if _, err := decodeUser(answer(sam), "ABD"); engine.AsFailure(err) == nil {
		t.Error("somebody else was taken")
	}
}

func TestExplain(t *testing.T) {
	for body, want := range map[string]string{
		`{"code":7,"message":"no_owner_remain","details":[]}`:              CodeLastOwner,
		`{"code":7,"message":"user is externally managed"}`:                CodeExternallyManaged,
		`{"code":7,"message":"EXTERNALLY_MANAGED_ADMIN"}`:                  CodeExternallyManaged,
		`{"code":7,"message":"cannot_suspend_self"}`:                       CodeSelf,
		`{"code":7,"message":"you cannot suspend yourself"}`:               CodeSelf,
		`{"code":9,"message":"Not supported with automated provisioning"}`: CodeProvisioned,
		`{"code":9,"message":"account_uses_scim"}`:                         CodeProvisioned,
		`{"code":7,"message":"permission_denied"}`:                         "",
		`<html>`: "",
	} {
		if got := explain(transport.Response{Status: 403, Body: []byte(body)}); got.Code != want {
			t.Errorf("%s: %+v", body, got)
		}
	}
	if got := explain(transport.Response{Status: 503, Body: []byte(`{"message":"no_owner_remain"}`)}); got.Code != "" {
		t.Errorf("a 503 became final: %+v", got)
	}
}

func TestScanPageAgreesWithJSON(t *testing.T) {
	for name, tt := range map[string]struct {
		body string
		fast bool
	}{
		"as sent":       {`{"results":[` + strings.Replace(sam, `,"new":1`, "", 1) + `],"next_page_token":"x"}`, true},
		"with spaces":   {"{ \"results\" : [ " + strings.ReplaceAll(strings.Replace(sam, `,"new":1`, "", 1), ",", " ,\n\t") + " ] }\n", true},
		"nobody":        {`{"results":[]}`, true},
		"accents":       {`{"results":[` + strings.Replace(strings.Replace(sam, `,"new":1`, "", 1), "Sam", "Tomás 山田", 1) + `]}`, true},
		"an escape":     {`{"results":[` + strings.Replace(strings.Replace(sam, `,"new":1`, "", 1), "Sam", `S\u0061m`, 1) + `]}`, false},
		"a new field":   {`{"results":[` + sam + `]}`, false},
		"results twice": {`{"results":[],"results":[]}`, false},
		"no state":      {`{"results":[` + strings.Replace(sam, "ACTIVE", "", 1) + `]}`, false},
		"more behind":   {`{"results":[]} {}`, false},
	} {
		if _, _, fast := scanPage([]byte(tt.body)); fast != tt.fast {
			t.Errorf("%s: scanned %v, want %v", name, fast, tt.fast)
		}
		compareScan(t, []byte(tt.body))
	}
}

// compareScan holds scanPage to what encoding/json makes of the same page.
func compareScan(t *testing.T, body []byte) {
	t.Helper()
	users, next, ok := scanPage(body)
	if !ok {
		return
	}
	var wire wirePage
	if err := json.Unmarshal(body, &wire); err != nil || wire.Results == nil || wire.Next != next || len(*wire.Results) != len(users) {
		t.Fatalf("scanned %d users, then %q; JSON says %+v, %v", len(users), next, wire, err)
	}
	for i, w := range *wire.Results {
		if want, err := w.user(); err != nil || want != users[i] {
			t.Errorf("user %d: scanned %+v, JSON says %+v, %v", i, users[i], want, err)
		}
	}
}

func TestIDsNoticeEveryRepetition(t *testing.T) {
	seen := newIDs()
	for i := range 100_000 {
		if !seen.add(strconv.Itoa(i)) {
			t.Fatalf("%d was taken for one before it", i)
		}
	}
	for i := range 100_000 {
		if seen.add(strconv.Itoa(i)) {
			t.Fatalf("%d was not noticed the second time", i)
		}
	}
}

func FuzzDecodePage(f *testing.F) {
	f.Add([]byte(`{"results":[` + sam + `],"next_page_token":"x"}`))
	f.Add([]byte(`{"results":[{"id":"A","email":"\ud800","state":"SUSPENDED","create_time":"0001-01-01T00:00:00Z"}]}`))
	f.Add([]byte(`{"results":[null,{}]}`))
	f.Add([]byte(`{"results"`))
	f.Add([]byte(`{"results":[` + strings.Replace(sam, `,"new":1`, "", 1) + `]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		compareScan(t, body)
		page, err := decodePage(answer(string(body)))
		if err != nil {
			return
		}
		if page.Last != (page.Next == "") {
			t.Errorf("last is %v with the token %q", page.Last, page.Next)
		}
		for _, u := range page.Items {
			if !validID(u.ID) || u.Email == "" || u.State == "" || u.CreatedAt.IsZero() {
				t.Errorf("an incomplete user came through: %+v", u)
			}
		}
	})
}
