package connector

import (
	"context"
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/playbooks/connector"
)

var _ engine.Tester = (*service)(nil)

// Test signs in and makes the request the file names for that; else the first
// of the listings it has. Nothing is changed.
func (s *service) Test(ctx context.Context) ([]engine.Finding, error) {
	if err := s.rest.Authorize(ctx); err != nil {
		return []engine.Finding{{Subject: "sign in", Detail: engine.AsFailure(err).Message}}, ctx.Err()
	}
	call, subject := s.trial()
	if call == nil {
		return []engine.Finding{{Works: true, Subject: "credentials", Detail: "they are there; the connector names no request that tries them"}}, nil
	}
	if err := s.try(ctx, call); err != nil {
		return []engine.Finding{{Subject: subject, Detail: engine.AsFailure(err).Message}}, ctx.Err()
	}
	return []engine.Finding{{Works: true, Subject: subject, Detail: "worked; whether changes are allowed shows only when they are made"}}, nil
}

func (s *service) trial() (call *connector.Call, subject string) {
	switch {
	case s.def.Test != nil:
		return s.def.Test, s.def.Test.Route
	case s.def.Directory != nil:
		return &s.def.Directory.List.Call, "list users"
	case s.def.Groups != nil:
		return &s.def.Groups.List.Call, "list groups"
	default:
		return nil, ""
	}
}

// try makes a request, and reads no more than the first row of a listing.
func (s *service) try(ctx context.Context, c *connector.Call) error {
	inputs := map[string]any{"state": nil}
	if !c.Listing {
		_, err := s.do(ctx, c, inputs)
		return err
	}
	for _, err := range s.rows(ctx, c, inputs) {
		return err
	}
	return nil
}

// sorted is a provider whose capabilities stand in order.
func sorted(p engine.Provider) engine.Provider {
	slices.Sort(p.Capabilities)
	return p
}
