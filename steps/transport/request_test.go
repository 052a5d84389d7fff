package transport_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

func TestCredentialIsRenewedOnce(t *testing.T) {
	for name, tt := range map[string]struct {
		tokens []string // given one after the other
		good   string
		calls  int32
		class  engine.Class
	}{
		"good at once":          {[]string{"Bearer a"}, "Bearer a", 1, ""},
		"renewed":               {[]string{"Bearer old", "Bearer new"}, "Bearer new", 2, ""},
		"renewed, and no good":  {[]string{"Bearer old", "Bearer new", "Bearer newer"}, "Bearer newest", 2, engine.ClassAuth},
		"nothing else there is": {[]string{"Bearer old", "Bearer old"}, "Bearer new", 1, engine.ClassAuth},
	} {
		t.Run(name, func(t *testing.T) {
			handler, calls := answers(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") != tt.good {
					w.WriteHeader(http.StatusUnauthorized)
				}
			})
			client, url, _ := serve(t, transport.Options{}, handler)
			asked := 0
			_, err := client.Do(t.Context(), transport.Request{
				Method: "POST", URL: url, Effect: transport.Once,
				Credential: func(_ context.Context, refused string) (string, error) {
					if asked > 0 && refused != tt.tokens[asked-1] {
						t.Errorf("asked for another than %q, not than %q", refused, tt.tokens[asked-1])
					}
					asked++
					return tt.tokens[asked-1], nil
				},
			})
			if calls.Load() != tt.calls {
				t.Errorf("%d calls, want %d", calls.Load(), tt.calls)
			}
			checkFailure(t, err, tt.class, transport.CodeUnauthorized)
		})
	}
}

func TestCredentialThatFailsIsNotAskedAgain(t *testing.T) {
	client, url, _ := serve(t, transport.Options{}, status(200))
	asked := 0
	_, err := client.Do(t.Context(), transport.Request{
		Method: "GET", URL: url, Effect: transport.Read,
		Credential: func(context.Context, string) (string, error) {
			asked++
			return "", engine.Fail(engine.ClassTransient, "vault", "the vault is away")
		},
	})
	checkFailure(t, err, engine.ClassTransient, "vault")
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}

func TestBrokenJSONIsAskedForAgain(t *testing.T) {
	text := func(kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			_, _ = io.WriteString(w, body)
		}
	}
	good := text("application/json; charset=utf-8", `{"n":1}`)
	for name, tt := range map[string]struct {
		answers []http.HandlerFunc
		calls   int32
		class   engine.Class
		code    string
	}{
		"whole":         {[]http.HandlerFunc{good}, 1, "", ""},
		"other json":    {[]http.HandlerFunc{text("application/scim+json", `{"n":1}`)}, 1, "", ""},
		"without type":  {[]http.HandlerFunc{text("", `{"n":1}`)}, 1, "", ""},
		"half, then ok": {[]http.HandlerFunc{text("application/json", `{"n":`), good}, 2, "", ""},
		"always half":   {[]http.HandlerFunc{text("application/json", `{"n":`)}, 3, engine.ClassTransient, transport.CodeBrokenAnswer},
		"two values":    {[]http.HandlerFunc{text("application/json", `{"n":1}{"n":2}`)}, 3, engine.ClassTransient, transport.CodeBrokenAnswer},
		"wrong type":    {[]http.HandlerFunc{text("application/json", `{"n":"hunter2"}`)}, 3, engine.ClassTransient, transport.CodeBrokenAnswer},
		"a portal":      {[]http.HandlerFunc{text("text/html", `<html>`)}, 1, engine.ClassPermanent, transport.CodeNotJSON},
	} {
		t.Run(name, func(t *testing.T) {
			handler, calls := answers(tt.answers...)
			client, url, _ := serve(t, transport.Options{}, handler)
			var got struct{ N int }
			res, err := client.Do(t.Context(), transport.Request{
				Method: "GET", URL: url, Route: "GET /", Effect: transport.Read,
				Decode: func(r transport.Response) error { return r.JSON(&got) },
			})
			checkFailure(t, err, tt.class, tt.code)
			if calls.Load() != tt.calls || tt.class == "" && got.N != 1 || res.Body != nil {
				t.Errorf("%d calls, got %+v, left %q", calls.Load(), got, res.Body)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error quotes the answer: %v", err)
			}
		})
	}
}

func TestBrokenAnswerToAChangeIsUnsettled(t *testing.T) {
	client, url, _ := serve(t, transport.Options{}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
	})
	for _, effect := range []transport.Effect{transport.Once, transport.Repeatable} {
		_, err := client.Do(t.Context(), transport.Request{
			Method: "POST", URL: url, Effect: effect, Decode: func(r transport.Response) error { return r.JSON(new(any)) },
		})
		checkFailure(t, err, engine.ClassUnsettled, transport.CodeNotJSON)
	}
}

func TestErrorsNameRouteAndHostOnly(t *testing.T) {
	const word = "T0ken-Of-Gold"
	encoded := base64.StdEncoding.EncodeToString([]byte("client:" + word))
	echo := func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		_, _ = fmt.Fprintf(w, "you sent %s to %s\x1b[31m\u202e\n%s", r.Header.Get("Authorization"), r.URL.RequestURI(), strings.Repeat("x", 900))
	}
	client, url, _ := serve(t, transport.Options{}, echo)
	for name, header := range map[string]string{"bearer": "Bearer " + word, "basic": "Basic " + encoded} {
		_, err := client.Do(t.Context(), transport.Request{
			Method: "GET", URL: url + "/services/" + word + "?q=" + word, Route: "GET /services/…", Effect: transport.Read,
			Header: http.Header{"Authorization": {header}},
			Explain: func(r transport.Response) transport.Explanation {
				return transport.Explanation{Message: string(r.Body)}
			},
		})
		message := err.Error()
		host := strings.TrimPrefix(url, "http://")
		if !strings.Contains(message, "GET /services/… at "+host+": 418 I'm a teapot: you sent") {
			t.Errorf("%s: %s", name, message)
		}
		if strings.Contains(message, word) || strings.Contains(message, encoded) || strings.ContainsAny(message, "\x1b\u202e\n") || len(message) > 400 {
			t.Errorf("%s: foreign text came through: %q", name, message)
		}
	}
}

// A service may send back what it was sent in another encoding, and the message
// may be cut in the middle of it.
func TestErrorsHideCredentialsInEveryEncoding(t *testing.T) {
	word := `Gold/en+"` + strings.Repeat("Token", 60)
	part := "TokenToken"
	client, address, _ := serve(t, transport.Options{}, status(http.StatusTeapot))
	for name, encode := range map[string]func(string) string{
		"url":    url.QueryEscape,
		"json":   func(s string) string { return fmt.Sprintf("%q", s) },
		"base64": func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
		"basic":  func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte("id:" + s)) },
	} {
		_, err := client.Do(t.Context(), transport.Request{
			Method: "GET", URL: address, Route: "GET /", Effect: transport.Read,
			Header: http.Header{"Authorization": {"Bearer " + word}},
			Explain: func(transport.Response) transport.Explanation {
				return transport.Explanation{Message: "no: " + encode(word)}
			},
		})
		for _, left := range []string{part, base64.StdEncoding.EncodeToString([]byte(part + "Token"))[:12]} {
			if strings.Contains(err.Error(), left) {
				t.Errorf("%s came through: %v", name, err)
			}
		}
	}
}

func TestConnectionErrorsHideTheURL(t *testing.T) {
	at := newClock()
	client := transport.New(transport.Options{Now: at.Now, Sleep: at.Sleep})
	for _, url := range []string{"http://127.0.0.1:1/services/s3cret?x=s3cret", "http://user:s3cret@127.0.0.1:1/", "http://[s3cret", "s3cret://x"} {
		_, err := client.Do(t.Context(), transport.Request{Method: "GET", URL: url, Route: "GET /services/…", Effect: transport.Read})
		if err == nil || strings.Contains(err.Error(), "s3cret") && url != "s3cret://x" {
			t.Errorf("%v", err)
		}
	}
}

func TestHTTPGoesThroughDo(t *testing.T) {
	handler, calls := answers(status(503), status(200, "Content-Type: application/json"))
	client, url, _ := serve(t, transport.Options{}, handler)
	library := client.HTTP(transport.Request{Route: "POST /token", Effect: transport.Read})
	res, err := library.Post(url, "text/plain", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || string(body) != `{"message":"as told"}` || calls.Load() != 2 {
		t.Errorf("%q, %v, %d calls", body, err, calls.Load())
	}
	refused, url2, _ := serve(t, transport.Options{}, status(403))
	_, err = refused.HTTP(transport.Request{Effect: transport.Read}).Get(url2) //nolint:bodyclose // there is none
	if !errors.Is(err, &engine.Failure{Class: engine.ClassAuth}) {
		t.Errorf("got %v", err)
	}
}

func TestBaseURL(t *testing.T) {
	for raw, want := range map[string]string{
		"https://api.1password.com":    "https://api.1password.com",
		"https://proxy.example/1p/":    "https://proxy.example/1p",
		"http://127.0.0.1:8080":        "http://127.0.0.1:8080",
		"http://localhost:1":           "http://localhost:1",
		"http://[::1]:1":               "http://[::1]:1",
		"http://api.1password.com":     "",
		"https://user:pw@example.com":  "",
		"https://example.com/?a=b":     "",
		"https://example.com/#x":       "",
		"api.1password.com":            "",
		"":                             "",
		"file:///etc/passwd":           "",
		"http://127.0.0.1.example.com": "",
	} {
		got, err := transport.BaseURL(raw)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v", raw, got, err)
		}
		if err != nil && strings.Contains(err.Error(), "pw") {
			t.Errorf("the error repeats the password: %v", err)
		}
	}
}

func TestRetryEndsInsideItsWindow(t *testing.T) {
	at := newClock()
	client := transport.New(transport.Options{Now: at.Now, Sleep: at.Sleep})
	calls := 0
	err := client.Retry(t.Context(), func(context.Context) error {
		calls++
		at.now = at.now.Add(15 * time.Second) // one slow attempt
		return engine.Fail(engine.ClassTransient, "slow", "slow")
	})
	checkFailure(t, err, engine.ClassTransient, "slow")
	if calls != 1 {
		t.Errorf("%d attempts, though the first took the whole window", calls)
	}
	if err := client.Retry(t.Context(), func(context.Context) error { return errors.New("plain") }); engine.AsFailure(err).Class != engine.ClassPermanent {
		t.Errorf("got %v", err)
	}
}
