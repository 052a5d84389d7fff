package identity

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// SignInList is the action signin.list.
type SignInList struct{}

// SignInType is the type of a sign-in attempt in a playbook.
func SignInType() engine.Type {
	text := engine.Maybe(engine.TypeString())
	return engine.MapOf(
		engine.Field{Name: "id", Type: engine.TypeString(), Doc: "The attempt's own id."},
		engine.Field{Name: "at", Type: engine.TypeTime(), Doc: "When it happened."},
		engine.Field{Name: "user_id", Type: text, Doc: "Whose account it was; missing where the service did not know."},
		engine.Field{Name: "email", Type: text, Doc: "The address as typed; missing where the service did not know."},
		engine.Field{Name: "name", Type: text, Doc: "The account's display name; missing where the service did not know."},
		engine.Field{
			Name: "result", Type: engine.EnumOf(string(SignInSuccess), string(SignInFailed), string(SignInMFAFailed), string(SignInBlocked)),
			Doc: "How it ended: `failed` is a wrong password or key, `mfa_failed` a wrong or missing second factor, `blocked` a firewall rule or policy.",
		},
		engine.Field{Name: "reason", Type: text, Doc: "The service's own word for it, such as `password_secret_bad`."},
		engine.Field{Name: "ip", Type: text, Doc: "The address it came from."},
		engine.Field{Name: "country", Type: text, Doc: "The country of that address, as ISO 3166 alpha-2."},
		engine.Field{Name: "latitude", Type: engine.Maybe(engine.TypeNumber()), Doc: "Where that address is, in degrees."},
		engine.Field{Name: "longitude", Type: engine.Maybe(engine.TypeNumber()), Doc: "Where that address is, in degrees."},
	)
}

// Spec declares signin.list.
func (SignInList) Spec() engine.ActionSpec {
	return engine.ActionSpec{
		Name:    "signin.list",
		Summary: "List the attempts to sign in of a stretch of time.",
		Doc: `Reads every attempt of the window, successful or not, and returns each once, oldest first, however often the service delivered it. Asking further back than the service remembers (120 days at 1Password) is an error.

Every attempt that matches is held in memory and recorded with the run: pick with ` + "`where`" + ` on large accounts. To judge people rather than attempts, use ` + "`user.find_suspicious`" + `.`,
		Effect: engine.Observe,
		Needs:  []engine.Capability{CapabilitySignIns},
		Inputs: append(spanInputs(), engine.Field{
			Name: "where", Type: engine.Maybe(engine.PredicateOver(SignInType())),
			Doc: "Only attempts for which this is true. The fields of an attempt are bare names.", Example: `result == "blocked"`,
		}),
		ExactlyOne: [][]string{{"window", "from"}},
		Outputs: append([]engine.Field{
			{Name: "signins", Type: engine.ListOf(SignInType()), Doc: "The attempts that match, oldest first."},
		}, spanOutputs()...),
		Examples: []engine.Example{{
			Title: "Attempts a firewall rule stopped today",
			YAML: `- id: stopped
  uses: signin.list
  with:
    window: 24h
    where: result == "blocked"
`,
		}},
	}
}

// Observe lists the attempts.
func (SignInList) Observe(ctx context.Context, call engine.Call) (engine.Observation, error) {
	log, _, err := engine.Offered[SignIns](call, CapabilitySignIns)
	if err != nil {
		return engine.Observation{}, err
	}
	window, err := spanOf(call, log.SignInsReach())
	if err != nil {
		return engine.Observation{}, err
	}
	keep, err := newFilter(call.Inputs["where"], SignInType(), setSignIn)
	if err != nil {
		return engine.Observation{}, err
	}
	found, err := collectSignIns(ctx, log, window, keep)
	if err != nil {
		return engine.Observation{}, fmt.Errorf("listing sign-ins: %w", err)
	}
	return engine.Observation{Outputs: map[string]any{"signins": found, "from": window.from, "to": window.to}}, nil
}

func collectSignIns(ctx context.Context, log SignIns, window span, keep *filter[SignIn]) ([]any, error) {
	var found []SignIn
	for s, err := range onceEach(log.SignIns(ctx, window.from, window.to)) {
		if err != nil {
			return nil, err
		}
		matches, err := keep.match(s)
		if err != nil {
			return nil, fmt.Errorf("sign-in %s: %w", s.ID, err)
		}
		if matches {
			found = append(found, s)
		}
	}
	slices.SortFunc(found, func(a, b SignIn) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID))
	})
	rows := make([]any, len(found))
	for i, s := range found {
		row := make(map[string]any, 11)
		setSignIn(row, s)
		rows[i] = row
	}
	return rows, nil
}

// onceEach passes each attempt on the first time it is delivered.
func onceEach(all signInSeq) signInSeq {
	return func(yield func(SignIn, error) bool) {
		seen := make(map[string]struct{})
		for s, err := range all {
			if _, again := seen[s.ID]; again && err == nil && s.ID != "" {
				continue
			}
			seen[s.ID] = struct{}{}
			if !yield(s, err) {
				return
			}
		}
	}
}

func setSignIn(row map[string]any, s SignIn) {
	row["id"] = s.ID
	row["at"] = s.At.UTC()
	row["user_id"] = orNull(s.UserID)
	row["email"] = orNull(s.Email)
	row["name"] = orNull(s.Name)
	row["result"] = string(s.Result)
	row["reason"] = orNull(s.Reason)
	row["ip"] = orNull(s.IP)
	row["country"] = orNull(s.Country)
	row["latitude"] = numberOrNull(s.Latitude)
	row["longitude"] = numberOrNull(s.Longitude)
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func numberOrNull(f *float64) any {
	if f == nil {
		return nil
	}
	return *f
}
