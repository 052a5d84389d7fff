package onepasswordevents

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// feature is what a token must be allowed to read, in the service's words and
// in people's.
type feature struct{ name, words, path string }

func features() []feature {
	return []feature{
		{"signinattempts", "sign-in attempts", signInsPath},
		{"itemusages", "item usages", usagesPath},
	}
}

// Require asks whether the token may read both sign-in attempts and item usages.
func (r *reader) Require(ctx context.Context) error {
	granted, err := r.granted(ctx)
	if err != nil {
		return err
	}
	var missing []string
	for _, f := range features() {
		if !slices.Contains(granted, f.name) {
			missing = append(missing, f.words+" ("+f.name+")")
		}
	}
	if len(missing) > 0 {
		return engine.Fail(engine.ClassAuth, CodeMissingFeature,
			"the token may not read %s; make one that may, in 1Password under Integrations → Events Reporting", strings.Join(missing, " and "))
	}
	return nil
}

func (r *reader) granted(ctx context.Context) ([]string, error) {
	var answer struct {
		Features *[]string `json:"features"`
	}
	_, err := r.client.Do(ctx, transport.Request{
		Method: http.MethodGet, URL: r.base + introspect, Route: "GET " + introspect,
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
		return nil, err
	}
	return *answer.Features, nil
}

// Test introspects the token and reads one record of each kind.
func (r *reader) Test(ctx context.Context) ([]engine.Finding, error) {
	granted, err := r.granted(ctx)
	if err != nil {
		return []engine.Finding{{Subject: "token", Detail: advise(err)}}, ctx.Err()
	}
	findings := []engine.Finding{{Works: true, Subject: "token", Detail: "may read " + strings.Join(granted, ", ")}}
	for _, f := range features() {
		findings = append(findings, r.probe(ctx, f))
	}
	return findings, ctx.Err()
}

func (r *reader) probe(ctx context.Context, f feature) engine.Finding {
	now := r.now()
	ask := question(window{now.Add(-time.Hour), now}, "", 1)
	_, err := page(ctx, r, f.path, ask, func(w struct{}) (struct{}, error) { return w, nil })
	if err != nil {
		return engine.Finding{Subject: "read " + f.words, Detail: advise(err)}
	}
	return engine.Finding{Works: true, Subject: "read " + f.words, Detail: "the last hour could be read"}
}

func advise(err error) string {
	f := engine.AsFailure(err)
	if errors.Is(err, &engine.Failure{Class: engine.ClassAuth}) {
		return f.Message + ". Make a token that may read sign-in attempts and item usages, in 1Password under Integrations → Events Reporting; it belongs to one region"
	}
	return f.Message
}
