package transport_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// TestBearerIsReadAnewWhenRefused sends a token that was replaced where it is
// kept: one request more, and it works; one that was not is not sent twice.
func TestBearerIsReadAnewWhenRefused(t *testing.T) {
	t.Parallel()
	env := map[string]string{"TOKEN": "the-old-token"}
	keeper, err := secret.NewKeeper(secret.KeeperConfig{
		Redactor: &secret.Redactor{}, Lookup: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
	})
	if err != nil {
		t.Fatal(err)
	}
	accepted, calls := "the-old-token", 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		if r.Header.Get("Authorization") != "Bearer "+accepted {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer srv.Close()
	client := transport.New(transport.Options{})
	defer client.Close()
	send := func() error {
		_, err := client.Do(t.Context(), transport.Request{
			Method: http.MethodGet, URL: srv.URL, Route: "GET /", Effect: transport.Read,
			Credential: transport.Bearer(keeper, "token", "env://TOKEN"),
		})
		return err
	}
	if err := send(); err != nil || calls != 1 {
		t.Fatalf("%d calls: %v", calls, err)
	}
	env["TOKEN"], accepted = "the-new-token", "the-new-token"
	if err := send(); err != nil || calls != 3 {
		t.Fatalf("%d calls: %v", calls, err)
	}
	accepted = "another"
	err = send()
	if !errors.Is(err, &engine.Failure{Class: engine.ClassAuth, Code: transport.CodeUnauthorized}) || calls != 4 {
		t.Errorf("%d calls: %v", calls, err)
	}
}

func TestBearerNamesTheSetting(t *testing.T) {
	t.Parallel()
	keeper, err := secret.NewKeeper(secret.KeeperConfig{Redactor: &secret.Redactor{}, Lookup: func(string) (string, bool) { return "", false }})
	if err != nil {
		t.Fatal(err)
	}
	_, err = transport.Bearer(keeper, "api_token", "env://TOKEN")(t.Context(), "")
	if !errors.Is(err, &engine.Failure{Class: engine.ClassAuth, Code: transport.CodeSecret}) || !strings.Contains(err.Error(), "resolving api_token") {
		t.Errorf("got %v", err)
	}
}
