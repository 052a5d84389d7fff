package onepasswordevents

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// Require asks whether the token may read the logs of these kinds.
func (r *reader) Require(ctx context.Context, kinds ...identity.EventKind) error {
	token, err := r.introspect(ctx)
	if err != nil {
		return err
	}
	var missing []feature
	for _, kind := range kinds {
		f, err := featureOf(kind)
		if err != nil {
			return err
		}
		if !slices.Contains(token.features, f.name) {
			missing = append(missing, f)
		}
	}
	if len(missing) > 0 {
		return lacks(missing)
	}
	return nil
}

// lacks is the failure of a token that may not read something.
func lacks(missing []feature) error {
	words := make([]string, len(missing))
	for i, f := range missing {
		words[i] = f.words + " (" + f.name + ")"
	}
	return engine.Fail(engine.ClassAuth, CodeMissingFeature,
		"the token may not read %s; make one that may, in 1Password under Integrations → Events Reporting", strings.Join(words, " and "))
}

// introspection is what the service says of a token.
type introspection struct {
	uuid     string
	features []string
}

func (r *reader) introspect(ctx context.Context) (introspection, error) {
	var answer struct {
		UUID     string    `json:"uuid"` // v1 writes the keys with capitals, which makes no difference here
		Features *[]string `json:"features"`
	}
	path := r.path("auth/introspect")
	if r.version == "v1" {
		path = "/api/auth/introspect"
	}
	_, err := r.client.Do(ctx, transport.Request{
		Method: http.MethodGet, URL: r.base + path, Route: "GET " + path,
		Effect: transport.Read, Credential: r.token.credential, Explain: explain,
		Decode: func(res transport.Response) error {
			if err := res.JSON(&answer); err != nil {
				return err
			}
			if answer.Features == nil {
				return malformed("the answer does not say what the token may read")
			}
			return nil
		},
	})
	if err != nil {
		return introspection{}, err
	}
	return introspection{uuid: answer.UUID, features: *answer.Features}, nil
}

// Test introspects the token and reads one record of each kind that it may read.
func (r *reader) Test(ctx context.Context) ([]engine.Finding, error) {
	token, err := r.introspect(ctx)
	if err != nil {
		return []engine.Finding{{Subject: "token", Detail: advise(err)}}, ctx.Err()
	}
	findings := []engine.Finding{{Works: true, Subject: "token", Detail: "may read " + strings.Join(token.features, ", ")}}
	for _, f := range features() {
		if slices.Contains(token.features, f.name) {
			findings = append(findings, r.probe(ctx, f))
			continue
		}
		findings = append(findings, engine.Finding{Subject: "read " + f.words, Detail: engine.AsFailure(lacks([]feature{f})).Message})
	}
	return findings, ctx.Err()
}

func (r *reader) probe(ctx context.Context, f feature) engine.Finding {
	now := r.now()
	ask := question(window{now.Add(-time.Hour), now}, "", 1)
	_, err := page(ctx, r, f.name, ask, func(w struct{}) (struct{}, error) { return w, nil })
	if err != nil {
		return engine.Finding{Subject: "read " + f.words, Detail: advise(err)}
	}
	return engine.Finding{Works: true, Subject: "read " + f.words, Detail: "the last hour could be read"}
}

func advise(err error) string {
	f := engine.AsFailure(err)
	if errors.Is(err, &engine.Failure{Class: engine.ClassAuth}) {
		return f.Message + ". Make a token that may read sign-in attempts, item usages and audit events, in 1Password under Integrations → Events Reporting; it belongs to one region"
	}
	return f.Message
}
