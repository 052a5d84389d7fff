package scim

import (
	"context"
	"net/url"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// Test reads what the service says of itself, one user and one group. Changes
// cannot be tried without making them, and are not.
func (s *service) Test(ctx context.Context) ([]engine.Finding, error) {
	config, err := s.configuration(ctx)
	if err != nil {
		return []engine.Finding{{Subject: "sign in", Detail: advise(err)}}, ctx.Err()
	}
	var findings []engine.Finding
	if supported := config.Patch.Supported; supported != nil && !*supported {
		findings = append(findings, engine.Finding{
			Subject: "change", Detail: "the service says that it takes no PATCH, without which nobody can be suspended or put into a group",
		})
	}
	one := url.Values{"count": {"1"}}
	users, err := fetchList[wireUser](ctx, s, "/Users", one)
	findings = append(findings, s.found("list users", len(resources(users)), firstError(err, users, s.user)))
	groups, err := fetchList[wireGroup](ctx, s, "/Groups", one)
	findings = append(findings, s.found("list groups", len(resources(groups)), firstError(err, groups, wireGroup.group)))
	return findings, ctx.Err()
}

func resources[W any](list wireList[W]) []W {
	if list.Resources == nil {
		return nil
	}
	return *list.Resources
}

// firstError is why the page, or the first resource on it, cannot be used.
func firstError[W, T any](err error, list wireList[W], read func(W) (T, error)) error {
	for _, w := range resources(list) {
		if err == nil {
			_, err = read(w)
		}
	}
	return err
}

func (s *service) found(subject string, count int, err error) engine.Finding {
	switch {
	case err != nil:
		return engine.Finding{Subject: subject, Detail: advise(err)}
	case count == 0:
		return engine.Finding{Works: true, Subject: subject, Detail: "there are none; is `base_url` that of the right directory?"}
	default:
		return engine.Finding{Works: true, Subject: subject, Detail: "listed one; whether the token may make changes shows only when it does"}
	}
}

func advise(err error) string {
	f := engine.AsFailure(err)
	switch {
	case f.Code == transport.CodeUnauthorized:
		return f.Message + ". The token was not accepted: copy it again from the service's page on SCIM or automated provisioning, and see whether it has expired"
	case f.Class == engine.ClassAuth:
		return f.Message + ". Let the token read and write users and groups, where the service gives it out"
	case f.Class == engine.ClassNotFound:
		return f.Message + ". Is `base_url` the address below which /Users is? It often ends with /scim or /scim/v2"
	default:
		return f.Message
	}
}
