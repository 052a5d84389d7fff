package secret_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine/secret"
)

func TestPlaces(t *testing.T) {
	t.Parallel()
	tests := []struct {
		ref  secret.Reference
		want secret.Place
		why  string // "": it is right
	}{
		{ref: "op://Infra/db-prod/password", want: secret.Place{Vault: "Infra", Item: "db-prod", Field: "password"}},
		{ref: "op://My Vault/Mail & Co/Section 1/pass word", want: secret.Place{Vault: "My Vault", Item: "Mail & Co", Section: "Section 1", Field: "pass word"}},
		{ref: "op://Infra/db/password?attribute=otp", why: "?attribute is not available"},
		{ref: "op://Infra/db/key?ssh-format=openssh", why: "?ssh-format is not available"},
		{ref: "op://Infra/db", why: "it must be op://vault/item/field"},
		{ref: "op://a/b/c/d/e", why: "it must be op://vault/item/field"},
		{ref: "op:///db/password", why: "the vault is empty"},
		{ref: "op://Infra//password", why: "the item is empty"},
		{ref: "op://Infra/db/", why: "the field is empty"},
		{ref: "op://Infra/db//password", why: "the section is empty"},
		{ref: "op://Infra/ db/password", why: "the item begins or ends with white space"},
		{ref: "op://Infra/d\nb/password", why: "a control character"},
		{ref: "op://Infra/d#b/password", why: "use its id"},
		{ref: "env://TOKEN", why: "it must begin with op://"},
	}
	for _, tt := range tests {
		got, err := secret.ParsePlace(tt.ref)
		switch {
		case tt.why != "":
			if !errors.Is(err, secret.ErrReference) || !strings.Contains(err.Error(), tt.why) {
				t.Errorf("%q: got %v, want %q", tt.ref, err, tt.why)
			}
		case err != nil || got != tt.want:
			t.Errorf("%q: got %+v, %v", tt.ref, got, err)
		case got.Reference() != tt.ref:
			t.Errorf("%q is written %q", tt.ref, got.Reference())
		}
	}
}

func FuzzParsePlace(f *testing.F) {
	for _, seed := range []string{"op://a/b/c", "op://a/b/c/d", "op://a/b/c?attribute=otp", "op:///", "op://a//b", "env://A", "op://a/\x00/c", "op://\xff/b/c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := secret.ParsePlace(secret.Reference(text))
		if err != nil {
			if !errors.Is(err, secret.ErrReference) {
				t.Errorf("%q: %v wraps no ErrReference", text, err)
			}
			return
		}
		if string(p.Reference()) != text {
			t.Errorf("%q is written %q", text, p.Reference())
		}
	})
}

// shelf is a Source that can be changed.
type shelf struct {
	value atomic.Value // string
	reads atomic.Int32
	gate  chan struct{} // nil: answers at once
}

func (s *shelf) Read(ctx context.Context, at secret.Place) (secret.Value, error) {
	s.reads.Add(1)
	if s.gate != nil {
		select {
		case <-s.gate:
		case <-ctx.Done():
			return secret.Value{}, ctx.Err()
		}
	}
	if at.Item != "db" {
		return secret.Value{}, errors.New("there is no such item")
	}
	v, _ := s.value.Load().(string)
	return secret.New(v), nil
}

func onShelf(t *testing.T, s *shelf) (*secret.Keeper, *secret.Redactor) {
	t.Helper()
	var r secret.Redactor
	k, err := secret.NewKeeper(secret.KeeperConfig{Redactor: &r, OnePassword: s})
	if err != nil {
		t.Fatal(err)
	}
	return k, &r
}

func TestKeeperAsksTheSourceOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{gate: make(chan struct{})}
		s.value.Store("kept-in-1password")
		k, r := onShelf(t, s)
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		results := make(chan error, 3)
		for range 2 {
			go func() {
				v, err := k.Resolve(t.Context(), "op://Infra/db/password")
				if err == nil && v.Reveal() != "kept-in-1password" {
					err = errors.New("another value came")
				}
				results <- err
			}()
		}
		synctest.Wait()
		if _, err := k.Resolve(impatient, "op://Infra/db/password"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("who gave up got %v", err)
		}
		close(s.gate)
		for range 2 {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		if _, err := k.Resolve(t.Context(), "op://Infra/db/password"); err != nil || s.reads.Load() != 1 {
			t.Errorf("it was read %d times: %v", s.reads.Load(), err)
		}
		if got := r.String("is kept-in-1password"); got != "is <secret>" {
			t.Errorf("it was not learned: %s", got)
		}
	})
}

func TestKeeperSaysWhatTheSourceSaid(t *testing.T) {
	t.Parallel()
	k, _ := onShelf(t, &shelf{})
	_, err := k.Resolve(t.Context(), "op://Infra/other/password")
	if !errors.Is(err, secret.ErrReference) || !strings.Contains(err.Error(), "op://Infra/other/password: there is no such item") {
		t.Errorf("got %v", err)
	}
}

func TestKeeperReadsARefusedSecretAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const ref = "op://Infra/db/password"
		s := &shelf{}
		s.value.Store("the-old-token")
		k, r := onShelf(t, s)
		first, err := k.Resolve(t.Context(), ref)
		if err != nil {
			t.Fatal(err)
		}
		renew := func(refused secret.Value, want string, reads int32) {
			t.Helper()
			got, err := secret.Renew(t.Context(), k, ref, refused)
			if err != nil || got.Reveal() != want || s.reads.Load() != reads {
				t.Errorf("got %q after %d readings (want %q, %d): %v", got.Reveal(), s.reads.Load(), want, reads, err)
			}
		}
		renew(first, "the-old-token", 2)
		s.value.Store("the-new-token")
		renew(first, "the-old-token", 2) // it was looked at just now
		<-time.After(10 * time.Second)   // of the bubble's clock
		renew(first, "the-new-token", 3)
		renew(first, "the-new-token", 3) // which another one has fetched
		if got := r.String("the-old-token the-new-token"); got != "<secret> <secret>" {
			t.Errorf("got %q", got)
		}
	})
}
