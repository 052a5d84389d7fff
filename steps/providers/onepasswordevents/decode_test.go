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
		usages, err := decodePage(answer(string(body)), wireUsage.usage)
		for _, u := range usages.Items {
			if err == nil && (u.ID == "" || u.At.IsZero()) {
				t.Errorf("an incomplete usage came through: %+v", u)
			}
		}
	})
}
