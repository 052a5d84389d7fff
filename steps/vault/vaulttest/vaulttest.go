// Package vaulttest is what every provider of the capabilities of package
// vault must do, as tests.
package vaulttest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/sim"
	"github.com/drawbridge-soar/drawbridge/steps/vault"
)

// Fault is something that goes wrong in the service.
type Fault int

// The faults.
const (
	TokenRotated Fault = iota // the token is another one now, also where it is kept
	TokenRefused              // the token is not accepted any more
	Forbidden                 // the credentials may not do it
	Unavailable               // the service has an error of its own
	Limited                   // the service asks not to be called so often
	ReplyLost                 // shares are made, and the reply is lost
)

// World is a service that holds Content.
type World struct {
	Vault    vault.Vault
	Sharer   vault.Sharer              // nil: it cannot share
	Shared   func() []sim.SharedItem   // what was shared
	Policy   func(policy vault.Policy) // makes the account's policy another one
	Canaries []string                  // credentials that no error may hold
	Break    func(Fault)
}

// Content is what the service of a World holds.
func Content() []sim.StoredVault {
	id := sim.ItemID
	return []sim.StoredVault{{
		ID: id("Infra"), Name: "Infra", Items: []sim.StoredItem{
			{ID: id("db"), Title: "db prod", Fields: []sim.StoredField{
				{ID: "password", Label: "password", Value: "hunter2-of-the-database"},
				{ID: "old", Label: "old password", Section: "History", Value: "hunter1-of-the-database"},
				{ID: "k1", Label: "key", Section: "Blue", Value: "the-blue-key"},
				{ID: "k2", Label: "key", Section: "Green", Value: "the-green-key"},
				{ID: "blank", Label: "blank", Value: ""},
			}},
			{ID: id("twin 1"), Title: "twin", Fields: []sim.StoredField{{ID: "password", Label: "password", Value: "the-first-twin"}}},
			{ID: id("twin 2"), Title: "twin", Fields: []sim.StoredField{{ID: "password", Label: "password", Value: "the-second-twin"}}},
			{ID: id("quoted"), Title: `a "quoted" \ name`, Fields: []sim.StoredField{{ID: "password", Label: "password", Value: "the-quoted-one"}}},
		},
	}, {ID: id("Double 1"), Name: "Double"}, {ID: id("Double 2"), Name: "Double"}}
}

// TestVault runs the suite; open makes a fresh world for each test.
func TestVault(t *testing.T, open func(*testing.T) World) {
	t.Run("reads a field", func(t *testing.T) { reads(t, open(t)) })
	t.Run("says what is not there", func(t *testing.T) { missing(t, open(t)) })
	t.Run("reads the token anew when it is refused", func(t *testing.T) {
		w := open(t)
		w.read(t, "op://Infra/db prod/password", "hunter2-of-the-database")
		w.Break(TokenRotated)
		w.read(t, "op://Infra/db prod/password", "hunter2-of-the-database")
	})
	for fault, class := range map[Fault]engine.Class{
		TokenRefused: engine.ClassAuth, Forbidden: engine.ClassAuth, Unavailable: engine.ClassTransient, Limited: engine.ClassTransient,
	} {
		t.Run("fails as "+string(class), func(t *testing.T) {
			w := open(t)
			w.Break(fault)
			_, err := w.Vault.Read(t.Context(), place(t, "op://Infra/db prod/password"))
			w.check(t, err, class, "")
		})
	}
	t.Run("ends when cancelled", func(t *testing.T) {
		w := open(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := w.Vault.Read(ctx, place(t, "op://Infra/db prod/password"))
		w.check(t, err, engine.ClassCancelled, "")
	})
}

func place(t *testing.T, ref secret.Reference) secret.Place {
	t.Helper()
	p, err := secret.ParsePlace(ref)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (w World) read(t *testing.T, ref secret.Reference, want string) {
	t.Helper()
	v, err := w.Vault.Read(t.Context(), place(t, ref))
	if err != nil || v.Reveal() != want {
		t.Errorf("%s is %q, want %q: %v", ref, v.Reveal(), want, err)
	}
}

// check holds an error against its class and code, and looks for secrets in it.
func (w World) check(t *testing.T, err error, class engine.Class, code string) {
	t.Helper()
	if !errors.Is(err, &engine.Failure{Class: class, Code: code}) {
		t.Errorf("got %v, want a failure of the class %s with the code %q", err, class, code)
	}
	if err == nil {
		return
	}
	secrets := slices.Clone(w.Canaries)
	for _, v := range Content() {
		for _, i := range v.Items {
			for _, f := range i.Fields {
				secrets = append(secrets, f.Value)
			}
		}
	}
	for _, s := range secrets {
		if s != "" && strings.Contains(err.Error(), s) {
			t.Errorf("a secret stands in %v", err)
		}
	}
}

func reads(t *testing.T, w World) {
	for ref, want := range map[secret.Reference]string{
		"op://Infra/db prod/password": "hunter2-of-the-database",
		"op://infra/DB Prod/Password": "hunter2-of-the-database",
		secret.Reference("op://" + sim.ItemID("Infra") + "/" + sim.ItemID("db") + "/password"): "hunter2-of-the-database",
		"op://Infra/db prod/old password":                                    "hunter1-of-the-database",
		"op://Infra/db prod/History/old":                                     "hunter1-of-the-database",
		"op://Infra/db prod/green/key":                                       "the-green-key",
		secret.Reference("op://Infra/" + sim.ItemID("twin 2") + "/password"): "the-second-twin",
		`op://Infra/a "quoted" \ name/password`:                              "the-quoted-one",
	} {
		w.read(t, ref, want)
	}
}

func missing(t *testing.T, w World) {
	for _, tt := range []struct {
		ref   secret.Reference
		class engine.Class
		code  string
	}{
		{"op://Nowhere/db prod/password", engine.ClassNotFound, vault.CodeVault},
		{"op://Infra/nothing/password", engine.ClassNotFound, vault.CodeItem},
		{"op://Infra/db prod/nothing", engine.ClassNotFound, vault.CodeField},
		{"op://Infra/db prod/Nowhere/key", engine.ClassNotFound, vault.CodeField},
		{"op://Infra/db prod/Blue/password", engine.ClassNotFound, vault.CodeField},
		{"op://Double/db prod/password", engine.ClassInvalid, vault.CodeAmbiguous},
		{"op://Infra/twin/password", engine.ClassInvalid, vault.CodeAmbiguous},
		{"op://Infra/db prod/key", engine.ClassInvalid, vault.CodeAmbiguous},
		{"op://Infra/db prod/blank", engine.ClassPermanent, vault.CodeEmpty},
	} {
		_, err := w.Vault.Read(t.Context(), place(t, tt.ref))
		if !errors.Is(err, &engine.Failure{Class: tt.class, Code: tt.code}) {
			t.Errorf("%s: got %v, want %s %s", tt.ref, err, tt.class, tt.code)
		}
		w.check(t, err, tt.class, tt.code)
	}
}

// TestSharing runs the suite of those who can share.
func TestSharing(t *testing.T, open func(*testing.T) World) {
	t.Run("finds items", func(t *testing.T) { finds(t, open(t)) })
	t.Run("shares an item", func(t *testing.T) { shares(t, open(t)) })
	t.Run("says what the account allows", func(t *testing.T) {
		w := open(t)
		want := vault.Policy{Longest: 24 * time.Hour, MaxViews: 1, Named: true}
		w.Policy(want)
		if got, err := w.Sharer.Policy(t.Context(), w.item(t)); err != nil || got != want {
			t.Errorf("got %+v, want %+v: %v", got, want, err)
		}
		_, err := w.Sharer.Share(t.Context(), w.item(t), aShare())
		w.check(t, err, engine.ClassPermanent, vault.CodePolicy)
	})
	t.Run("nobody knows when the reply is lost", func(t *testing.T) {
		w := open(t)
		item := w.item(t)
		w.Break(ReplyLost)
		_, err := w.Sharer.Share(t.Context(), item, aShare())
		w.check(t, err, engine.ClassUnsettled, "")
		if n := len(w.Shared()); n != 1 {
			t.Errorf("%d shares were made", n)
		}
	})
	t.Run("a refusal is one", func(t *testing.T) {
		for _, fault := range []Fault{Forbidden, TokenRefused} {
			w := open(t)
			item := w.item(t)
			w.Break(fault)
			_, err := w.Sharer.Share(t.Context(), item, aShare())
			w.check(t, err, engine.ClassAuth, "")
			if n := len(w.Shared()); n != 0 {
				t.Errorf("%d shares were made", n)
			}
		}
	})
}

func aShare() vault.Share {
	return vault.Share{Recipients: []string{"sam@example.com"}, Expires: 7 * 24 * time.Hour, OneTime: true}
}

func (w World) item(t *testing.T) vault.Item {
	t.Helper()
	item, err := w.Sharer.Find(t.Context(), "Infra", "db prod")
	if err != nil {
		t.Fatal(err)
	}
	return item
}

func finds(t *testing.T, w World) {
	want := vault.Item{ID: sim.ItemID("db"), Vault: sim.ItemID("Infra"), Title: "db prod"}
	if got := w.item(t); got != want {
		t.Errorf("got %+v", got)
	}
	if got, err := w.Sharer.Find(t.Context(), want.Vault, want.ID); err != nil || got != want {
		t.Errorf("by ids: %+v, %v", got, err)
	}
	_, err := w.Sharer.Find(t.Context(), "Nowhere", "db prod")
	w.check(t, err, engine.ClassNotFound, vault.CodeVault)
	_, err = w.Sharer.Find(t.Context(), "Infra", "nothing")
	w.check(t, err, engine.ClassNotFound, vault.CodeItem)
	_, err = w.Sharer.Find(t.Context(), "Infra", "twin")
	w.check(t, err, engine.ClassInvalid, vault.CodeAmbiguous)
}

func shares(t *testing.T, w World) {
	link, err := w.Sharer.Share(t.Context(), w.item(t), aShare())
	if err != nil {
		t.Fatal(err)
	}
	made := w.Shared()
	if len(made) != 1 || made[0].Item != sim.ItemID("db") || made[0].Link != link.Reveal() ||
		!slices.Equal(made[0].Recipients, aShare().Recipients) || made[0].Expires != aShare().Expires || !made[0].OneTime {
		t.Errorf("shared: %+v", made)
	}
}
