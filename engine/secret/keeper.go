package secret

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// ErrReference is wrapped by the errors of a Keeper: the reference is
// malformed, of a kind that is not known, or leads to nothing usable.
var ErrReference = errors.New("secret reference")

// renewEvery is how long a value that was read anew and found unchanged is not
// read again: a service that refuses everything must not become a flood of
// requests to the place where its secret is kept.
const renewEvery = 10 * time.Second

// readTimeout bounds one reading of a Source, which serves all who wait for it.
const readTimeout = 90 * time.Second

// Source reads secrets that are kept in a service. It is asked only when a
// secret is needed, and may be slow to start.
type Source interface {
	// Read is the secret kept at a place. Errors never hold a value.
	Read(ctx context.Context, at Place) (Value, error)
}

// Keeper resolves references to environment variables (env://NAME), files
// (file:///path) and fields of 1Password items (op://vault/item/field). It
// keeps what it resolved in memory, and nowhere else, and teaches every value
// to its Redactor before anybody sees it. It may be used by several goroutines.
type Keeper struct {
	redactor    *Redactor
	lookup      func(string) (string, bool)
	onePassword Source
	log         *slog.Logger
	now         func() time.Time
	group       singleflight.Group // one reading of a reference at a time

	mu    sync.Mutex
	known map[Reference]kept
}

// kept is a value as it was last read.
type kept struct {
	value   Value
	renewed time.Time // when it was last read because it had been refused; zero: never
}

// KeeperConfig is what a Keeper needs.
type KeeperConfig struct {
	Redactor    *Redactor                   // learns every value; required
	Lookup      func(string) (string, bool) // environment variables; os.LookupEnv by default
	OnePassword Source                      // where op:// leads; nil: nowhere
	Log         *slog.Logger                // hears of files that others can read; discarded by default
	Now         func() time.Time            // time.Now by default
}

// NewKeeper makes a Keeper.
func NewKeeper(c KeeperConfig) (*Keeper, error) {
	if c.Redactor == nil {
		return nil, errors.New("a keeper of secrets needs a redactor that learns them")
	}
	k := &Keeper{
		redactor: c.Redactor, lookup: c.Lookup, onePassword: c.OnePassword, log: c.Log, now: c.Now,
		known: make(map[Reference]kept),
	}
	if k.lookup == nil {
		k.lookup = os.LookupEnv
	}
	if k.log == nil {
		k.log = slog.New(slog.DiscardHandler)
	}
	if k.now == nil {
		k.now = time.Now
	}
	return k, nil
}

// Resolve is the value behind a reference. An unset variable, a missing or
// empty file, a field that is not there and a value shorter than MinLength are
// errors that name the reference. One trailing newline is not part of the value.
func (k *Keeper) Resolve(ctx context.Context, ref Reference) (Value, error) {
	if err := ctx.Err(); err != nil {
		return Value{}, fmt.Errorf("resolving %s: %w", ref, err)
	}
	if have, ok := k.have(ref); ok {
		return have.value, nil
	}
	return k.fetch(ctx, ref, time.Time{})
}

// Renew is Resolve for a service that has refused a value: the reference is
// read again, because the secret may have been replaced. A value that came
// since is returned as it is, and one that was found unchanged is not read
// again for 10 seconds. The Redactor still removes the old one.
func (k *Keeper) Renew(ctx context.Context, ref Reference, refused Value) (Value, error) {
	have, ok := k.have(ref)
	if ok && (have.value != refused || k.now().Sub(have.renewed) < renewEvery) {
		return have.value, nil
	}
	return k.fetch(ctx, ref, k.now())
}

func (k *Keeper) have(ref Reference) (kept, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	have, ok := k.known[ref]
	return have, ok
}

// fetch reads a reference, together with all others who want to know it now.
// The reading is not cut off where one of them gives up.
func (k *Keeper) fetch(ctx context.Context, ref Reference, renewed time.Time) (Value, error) {
	reading := k.group.DoChan(string(ref), func() (any, error) {
		detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTimeout)
		defer cancel()
		v, err := k.read(detached, ref)
		if err != nil {
			return Value{}, err
		}
		k.redactor.Learn(v)
		k.mu.Lock()
		defer k.mu.Unlock()
		k.known[ref] = kept{value: v, renewed: renewed}
		return v, nil
	})
	select {
	case r := <-reading:
		v, _ := r.Val.(Value)
		return v, r.Err
	case <-ctx.Done():
		return Value{}, fmt.Errorf("resolving %s: %w", ref, ctx.Err())
	}
}

// Forget makes the next Resolve read the reference anew: a service has refused
// the value, so it may have been replaced. The Redactor still removes the old one.
func (k *Keeper) Forget(ref Reference) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.known, ref)
}

// Learn keeps a secret that was not resolved but received, such as an access
// token, out of everything that is stored or shown.
func (k *Keeper) Learn(v Value) { k.redactor.Learn(v) }

func (k *Keeper) read(ctx context.Context, ref Reference) (Value, error) {
	var plain string
	var err error
	kind, rest, ok := strings.Cut(string(ref), "://")
	switch {
	case !ok:
		return Value{}, fmt.Errorf("%w: write env://NAME, file:///path or op://vault/item/field, not the secret itself", ErrReference)
	case kind == "env":
		plain, err = k.readVariable(ref, rest)
	case kind == "file":
		plain, err = k.readFile(ref, rest)
	case kind == "op":
		plain, err = k.readPlace(ctx, ref)
	default:
		return Value{}, fmt.Errorf("%w of the unknown kind %q: write env://NAME, file:///path or op://vault/item/field", ErrReference, kind+"://")
	}
	if err != nil {
		return Value{}, err
	}
	return usable(ref, plain)
}

func (k *Keeper) readPlace(ctx context.Context, ref Reference) (string, error) {
	at, err := ParsePlace(ref)
	switch {
	case err != nil:
		return "", err
	case k.onePassword == nil:
		return "", fmt.Errorf("%w %s: write under `secrets: onepassword:` in the configuration how to reach 1Password, or use env:// or file://", ErrReference, ref)
	}
	v, err := k.onePassword.Read(ctx, at)
	if err != nil {
		return "", fmt.Errorf("%w %s: %w", ErrReference, ref, err)
	}
	return v.Reveal(), nil
}

func (k *Keeper) readVariable(ref Reference, name string) (string, error) {
	if name == "" || strings.ContainsAny(name, "/=\x00") {
		return "", fmt.Errorf("%w %s: write env:// and the name of an environment variable", ErrReference, ref)
	}
	plain, set := k.lookup(name)
	if !set {
		return "", fmt.Errorf("%w %s: the environment variable %s is not set", ErrReference, ref, name)
	}
	return plain, nil
}

func usable(ref Reference, plain string) (Value, error) {
	plain = strings.TrimSuffix(strings.TrimSuffix(plain, "\n"), "\r")
	switch trimmed := strings.TrimSpace(plain); {
	case trimmed == "":
		return Value{}, fmt.Errorf("%w %s: it is empty", ErrReference, ref)
	case len(trimmed) < MinLength:
		return Value{}, fmt.Errorf("%w %s: it is shorter than %d bytes and could not be kept out of logs", ErrReference, ref, MinLength)
	}
	return New(plain), nil
}
