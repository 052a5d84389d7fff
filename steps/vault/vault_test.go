package vault_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/sim"
	"github.com/drawbridge-soar/drawbridge/steps/vault"
	"github.com/drawbridge-soar/drawbridge/steps/vault/vaulttest"
)

const day = 24 * time.Hour

// safe is a simulated account as a provider has it.
type safe struct{ *sim.Safe }

func (s safe) Read(ctx context.Context, at secret.Place) (secret.Value, error) {
	plain, err := s.Resolve(ctx, string(at.Reference()))
	return secret.New(plain), err
}

func (s safe) Policy(ctx context.Context, item vault.Item) (vault.Policy, error) {
	return s.Safe.Policy(ctx, item.Vault, item.ID)
}

func (s safe) Share(ctx context.Context, item vault.Item, share vault.Share) (secret.Value, error) {
	link, err := s.Safe.Share(ctx, item.Vault, item.ID, share)
	return secret.New(link), err
}

// kept is an engine.Secrets that remembers.
type kept struct{ links []string }

func (*kept) Reveal(context.Context, engine.Secret) (secret.Value, error) {
	return secret.Value{}, errors.New("nothing is revealed here")
}

func (k *kept) Keep(v secret.Value) (engine.Secret, error) {
	k.links = append(k.links, v.Reveal())
	return engine.Secret{Memory: "kept"}, nil
}

func newSafe() safe {
	s := safe{sim.NewSafe(nil)}
	s.Everything, s.Stored = false, vaulttest.Content()
	return s
}

func call(s safe, inputs map[string]any) engine.Call {
	conn := &engine.Connection{Name: "vault", Offers: map[engine.Capability]any{vault.CapabilityVault: s, vault.CapabilitySharing: s}}
	return engine.Call{
		Action: "secret.test", Inputs: inputs, Secrets: &kept{}, Now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC),
		Connections: map[engine.Capability]*engine.Connection{vault.CapabilityVault: conn, vault.CapabilitySharing: conn},
	}
}

func TestSecretRead(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		inputs map[string]any
		want   string // the handle's reference, or the failure's class and code
	}{
		{map[string]any{"reference": "op://Infra/db prod/password"}, "op://Infra/db prod/password"},
		{map[string]any{"vault": "Infra", "item": "db prod", "field": "password"}, "op://Infra/db prod/password"},
		{map[string]any{"vault": "Infra", "item": "db prod", "section": "Blue", "field": "key"}, "op://Infra/db prod/Blue/key"},
		{map[string]any{"reference": "op://Infra/db prod/nothing"}, "not_found field_not_found"},
		{map[string]any{"reference": "op://Infra/db prod/password?attribute=otp"}, "invalid reference"},
		{map[string]any{"reference": "env://PATH"}, "invalid reference"},
		{map[string]any{"reference": "op://Infra/db prod/key", "section": "Blue"}, "invalid reference"},
		{map[string]any{"vault": "Infra", "item": "db prod/password", "field": "x"}, "invalid reference"},
		{map[string]any{"vault": "Infra", "item": "", "field": "x"}, "invalid reference"},
		{map[string]any{}, "invalid reference"},
	} {
		seen, err := vault.SecretRead{}.Observe(t.Context(), call(newSafe(), tt.inputs))
		if f := engine.AsFailure(err); f != nil {
			if got := string(f.Class) + " " + f.Code; got != tt.want {
				t.Errorf("%v: got %v", tt.inputs, err)
			}
			continue
		}
		want := map[string]any{"value": engine.Secret{Connection: "vault", Reference: tt.want}}
		if diff := cmp.Diff(want, seen.Outputs); diff != "" {
			t.Errorf("%v: %s", tt.inputs, diff)
		}
	}
}

func share(more map[string]any) map[string]any {
	inputs := map[string]any{
		"vault": "Infra", "item": "db prod", "recipients": []any{"sam@example.com", "SAM@example.com", "noor@example.com"},
		"expires": 10 * day, "one_time": true,
	}
	for name, v := range more {
		inputs[name] = v
	}
	return inputs
}

func TestSecretShare(t *testing.T) {
	t.Parallel()
	s := newSafe()
	c := call(s, share(nil))
	subject, err := vault.SecretShare{}.Read(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if !subject.Blind || subject.Repeatable || subject.Target != (engine.Target{ID: sim.ItemID("db"), Name: "db prod"}) {
		t.Errorf("the subject is %+v", subject)
	}
	preview, err := vault.SecretShare{}.Preview(c, subject)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"shared_with": []any{"sam@example.com", "noor@example.com"}, "expires": "7d", "one_time": true}
	if diff := cmp.Diff(want, preview.After); diff != "" || preview.Inverse != nil {
		t.Errorf("after it: %s, and the inverse is %v", diff, preview.Inverse)
	}
	outputs, err := vault.SecretShare{}.Perform(t.Context(), c, subject)
	if err != nil {
		t.Fatal(err)
	}
	made := s.Shared()
	if len(made) != 1 || !slices.Equal(made[0].Recipients, []string{"sam@example.com", "noor@example.com"}) || made[0].Expires != 7*day || !made[0].OneTime {
		t.Fatalf("shared: %+v", made)
	}
	if k, _ := c.Secrets.(*kept); !slices.Equal(k.links, []string{made[0].Link}) {
		t.Errorf("kept: %v", k.links)
	}
	wantOut := map[string]any{"changed": true, "link": engine.Secret{Memory: "kept"}, "expires": 7 * day, "expires_at": c.Now.Add(7 * day)}
	if diff := cmp.Diff(wantOut, outputs); diff != "" {
		t.Error(diff)
	}
}

func TestDurationsAreRoundedDown(t *testing.T) {
	t.Parallel()
	for asked, want := range map[time.Duration]time.Duration{
		time.Hour: time.Hour, 23 * time.Hour: time.Hour, day: day, 6 * day: day, 7 * day: 7 * day, 13 * day: 7 * day,
		14 * day: 14 * day, 29 * day: 14 * day, 30 * day: 30 * day, 365 * day: 30 * day,
	} {
		c := call(newSafe(), share(map[string]any{"expires": asked}))
		subject, err := vault.SecretShare{}.Read(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		preview, err := vault.SecretShare{}.Preview(c, subject)
		if err != nil || preview.Outputs["expires"] != want {
			t.Errorf("%s became %v: %v", asked, preview.Outputs["expires"], err)
		}
	}
}

// TestSharesThatAreNotMade is refused before anything is shared.
func TestSharesThatAreNotMade(t *testing.T) {
	t.Parallel()
	all := vault.Policy{Longest: 30 * day, Named: true, Emails: true}
	for _, tt := range []struct {
		name   string
		inputs map[string]any
		policy vault.Policy
		code   string
		says   string
	}{
		{"too short", map[string]any{"expires": 59 * time.Minute}, all, vault.CodeExpires, "1h at least"},
		{"nobody", map[string]any{"recipients": []any{}}, all, vault.CodeRecipient, "everybody who has the link"},
		{"no address", map[string]any{"recipients": []any{"Sam <sam@example.com>"}}, all, vault.CodeRecipient, "is not an e-mail address"},
		{"a domain", map[string]any{"recipients": []any{"example.com"}}, all, vault.CodeRecipient, "is not an e-mail address"},
		{"not there", map[string]any{"item": "nothing"}, all, vault.CodeItem, "nothing"},
		{"too long for the account", nil, vault.Policy{Longest: day, Named: true, Emails: true}, vault.CodePolicy, "24h at most"},
		{"only for everybody", nil, vault.Policy{Longest: 30 * day, Emails: true}, vault.CodePolicy, "named people"},
		{"only domains", nil, vault.Policy{Longest: 30 * day, Named: true}, vault.CodePolicy, "by e-mail address"},
		{"only once", map[string]any{"one_time": false}, vault.Policy{Longest: 30 * day, Named: true, Emails: true, MaxViews: 1}, vault.CodePolicy, "one_time: true"},
	} {
		s := newSafe()
		s.Policies = tt.policy
		c := call(s, share(tt.inputs))
		subject, err := vault.SecretShare{}.Read(t.Context(), c)
		if err == nil {
			_, err = vault.SecretShare{}.Preview(c, subject)
		}
		if f := engine.AsFailure(err); f == nil || f.Code != tt.code || !strings.Contains(f.Message, tt.says) {
			t.Errorf("%s: got %v", tt.name, err)
		}
		if len(s.Shared()) != 0 {
			t.Errorf("%s: it was shared", tt.name)
		}
	}
}

func TestALostReplyOfAShare(t *testing.T) {
	t.Parallel()
	s := newSafe()
	c := call(s, share(nil))
	subject, err := vault.SecretShare{}.Read(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	s.Fail = func(string) error { return engine.Fail(engine.ClassUnsettled, "lost", "nobody knows") }
	_, err = vault.SecretShare{}.Perform(t.Context(), c, subject)
	if f := engine.AsFailure(err); f == nil || f.Class != engine.ClassUnsettled || len(s.Shared()) != 1 {
		t.Errorf("got %v with %d shares", err, len(s.Shared()))
	}
}
