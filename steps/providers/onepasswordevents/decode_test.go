package onepasswordevents

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

func answer(body string) transport.Response {
	return transport.Response{Status: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}
}

const attempt = `{"uuid":"U1","session_uuid":"S","timestamp":"2026-11-20T08:01:02.000000001Z","country":"FR",
	"category":"credentials_failed","type":"password_secret_bad","details":null,
	"target_user":{"uuid":"A1","name":"Sam","email":"sam@example.test"},
	"client":{"app_name":"x","ip_address":"192.0.2.10"},"location":{"country":"FR","latitude":48.8,"longitude":2.3}}`

func TestDecodeSignIns(t *testing.T) {
	without := func(part string) string { return strings.Replace(attempt, part, "", 1) }
	for name, tt := range map[string]struct {
		body string
		last bool
		code string // of the failure; "-" for an error that is none yet
	}{
		"one, last":          {`{"cursor":"c","has_more":false,"items":[` + attempt + `]}`, true, ""},
		"more":               {`{"cursor":"c","has_more":true,"items":[` + attempt + `]}`, false, ""},
		"empty and more":     {`{"cursor":"c","has_more":true,"items":[]}`, false, ""},
		"null and more":      {`{"cursor":"c","has_more":true,"items":null}`, false, ""},
		"last, no cursor":    {`{"has_more":false,"items":[]}`, true, ""},
		"last, no items":     {`{"cursor":"c","has_more":false}`, false, CodeMalformed},
		"has_more missing":   {`{"cursor":"c","items":[]}`, false, CodeMalformed},
		"more, no cursor":    {`{"has_more":true,"items":[]}`, false, CodeMalformed},
		"no uuid":            {`{"has_more":false,"items":[` + without(`"uuid":"U1",`) + `]}`, false, CodeMalformed},
		"no timestamp":       {`{"has_more":false,"items":[` + without(`"timestamp":"2026-11-20T08:01:02.000000001Z",`) + `]}`, false, CodeMalformed},
		"unknown category":   {`{"has_more":false,"items":[` + strings.Replace(attempt, "credentials_failed", "telepathy_failed", 1) + `]}`, false, CodeUnknownCategory},
		"a null record":      {`{"has_more":false,"items":[null]}`, false, CodeMalformed},
		"half":               {`{"has_more":false,"items":[` + attempt, false, "-"},
		"cursor without end": {`{"has_more":true,"items":[],"cursor":"` + strings.Repeat("x", 20_000) + `"}`, false, CodeMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			page, err := decodePage(answer(tt.body), wireSignIn.signIn)
			if tt.code != "" {
				if f := engine.AsFailure(err); f == nil || tt.code != "-" && f.Code != tt.code {
					t.Errorf("got %v, want %s", err, tt.code)
				}
				return
			}
			if err != nil || page.Last != tt.last {
				t.Errorf("got %+v, %v", page, err)
			}
		})
	}
}

func TestDecodeIsLenientWhereTheServiceIs(t *testing.T) {
	page, err := decodePage(answer(`{"has_more":false,"items":[{"uuid":"U","timestamp":"2026-11-20T08:00:00+01:00","category":"success",
		"target_user":null,"location":{"country":"DE"},"account_uuid":"X","new":{"a":[1]}}]}`), wireSignIn.signIn)
	want := identity.SignIn{ID: "U", At: time.Date(2026, 11, 20, 7, 0, 0, 0, time.UTC), Result: identity.SignInSuccess, Country: "DE", Account: "X"}
	if err != nil || len(page.Items) != 1 || page.Items[0] != want {
		t.Errorf("got %+v, %v", page.Items, err)
	}
}

func TestAPersonOfAnotherAccount(t *testing.T) {
	page, err := decodePage(answer(`{"has_more":false,"items":[{"uuid":"U","timestamp":"2026-11-20T08:00:00Z","category":"success",
		"account_uuid":"CLIENT","target_user":{"uuid":"A","user_account_uuid":"PROVIDER"}}]}`), wireSignIn.signIn)
	if err != nil || page.Items[0].Account != "PROVIDER" {
		t.Errorf("got %+v, %v", page.Items, err)
	}
}

func TestEveryCategoryHasAResult(t *testing.T) {
	for category, want := range map[string]identity.SignInResult{
		"success": identity.SignInSuccess, "firewall_reported_success": identity.SignInSuccess,
		"credentials_failed": identity.SignInFailed, "sso_failed": identity.SignInFailed,
		"mfa_failed":            identity.SignInMFAFailed,
		"modern_version_failed": identity.SignInBlocked, "firewall_failed": identity.SignInBlocked,
	} {
		if got, known := resultOf(category); !known || got != want {
			t.Errorf("%s is %q", category, got)
		}
	}
}

func TestDecodeEvents(t *testing.T) {
	usage, err := decodePage(answer(`{"has_more":false,"items":[{"uuid":"U","timestamp":"2026-11-20T08:00:00Z","used_version":1,"vault_uuid":"v","item_uuid":"i",
		"user":{"uuid":"A","name":"Sam","email":"sam@example.test"},"client":{"ip_address":"192.0.2.1"},"location":{"country":"DE"},"action":"reveal"}]}`), wireUsage.event)
	at := time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)
	want := identity.Event{
		ID: "U", At: at, UserID: "A", Email: "sam@example.test", Name: "Sam", Action: "reveal",
		ObjectType: "item", ObjectID: "i", RelatedID: "v", IP: "192.0.2.1", Country: "DE",
	}
	if err != nil || len(usage.Items) != 1 || usage.Items[0] != want {
		t.Errorf("a usage: %+v, %v", usage.Items, err)
	}
	audit, err := decodePage(answer(`{"has_more":false,"items":[{"uuid":"E","timestamp":"2026-11-20T08:00:00Z","actor_uuid":"A",
		"actor_details":{"uuid":"A","name":"Sam","email":"sam@example.test"},"action":"join","object_type":"gm","object_uuid":"g","object_details":null,
		"aux_id":7,"aux_uuid":"B","aux_info":"R","aux_details":{"x":1},"session":{"uuid":"s","ip":"192.0.2.1"},"account_uuid":"X","location":{"country":"DE"}}]}`), wireAudit.event)
	want = identity.Event{
		ID: "E", At: at, UserID: "A", Email: "sam@example.test", Name: "Sam", Action: "join", ObjectType: "gm", ObjectID: "g",
		RelatedID: "B", Detail: "R", IP: "192.0.2.1", Country: "DE", Account: "X",
	}
	if err != nil || len(audit.Items) != 1 || audit.Items[0] != want {
		t.Errorf("an audit event: %+v, %v", audit.Items, err)
	}
	if _, err := decodePage(answer(`{"has_more":false,"items":[{"uuid":"E","timestamp":"2026-11-20T08:00:00Z"}]}`), wireAudit.event); err == nil {
		t.Error("an audit event of nothing came through")
	}
}

func FuzzDecodePage(f *testing.F) {
	f.Add([]byte(`{"cursor":"c","has_more":true,"items":[` + attempt + `]}`))
	f.Add([]byte(`{"has_more":false,"items":[{"uuid":"U","timestamp":"2026-11-20T08:00:00Z","user":{"uuid":1}}]}`))
	f.Add([]byte(`{"has_more":false,"items":[null,{}]}`))
	f.Add([]byte(`{"has_more"`))
	f.Fuzz(func(t *testing.T, body []byte) {
		page, err := decodePage(answer(string(body)), wireSignIn.signIn)
		if err == nil {
			if !page.Last && page.Next == "" {
				t.Error("more follows, and nothing says where")
			}
			for _, s := range page.Items {
				if s.ID == "" || s.At.IsZero() || s.Result == "" {
					t.Errorf("an incomplete attempt came through: %+v", s)
				}
			}
		}
		usages, err := decodePage(answer(string(body)), wireUsage.event)
		for _, u := range usages.Items {
			if err == nil && (u.ID == "" || u.At.IsZero()) {
				t.Errorf("an incomplete usage came through: %+v", u)
			}
		}
		audits, err := decodePage(answer(string(body)), wireAudit.event)
		for _, a := range audits.Items {
			if err == nil && (a.ID == "" || a.At.IsZero() || a.Action == "") {
				t.Errorf("an incomplete audit event came through: %+v", a)
			}
		}
	})
}
