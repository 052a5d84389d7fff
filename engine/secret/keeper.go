package secret

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
)

// ErrReference is wrapped by the errors of a Keeper: the reference is
// malformed, of a kind that is not known, or leads to nothing usable.
var ErrReference = errors.New("secret reference")

// Keeper resolves references to environment variables (env://NAME) and files
// (file:///path). It keeps what it resolved in memory, and nowhere else, and
// teaches every value to its Redactor before anybody sees it. It may be used
// by several goroutines.
type Keeper struct {
	redactor *Redactor
	lookup   func(string) (string, bool)
	log      *slog.Logger

	mu    sync.Mutex
	known map[Reference]Value
}

// KeeperConfig is what a Keeper needs.
type KeeperConfig struct {
	Redactor *Redactor                   // learns every value; required
	Lookup   func(string) (string, bool) // environment variables; os.LookupEnv by default
	Log      *slog.Logger                // hears of files that others can read; discarded by default
}

// NewKeeper makes a Keeper.
func NewKeeper(c KeeperConfig) (*Keeper, error) {
	if c.Redactor == nil {
		return nil, errors.New("a keeper of secrets needs a redactor that learns them")
	}
	k := &Keeper{redactor: c.Redactor, lookup: c.Lookup, log: c.Log, known: make(map[Reference]Value)}
	if k.lookup == nil {
		k.lookup = os.LookupEnv
	}
	if k.log == nil {
		k.log = slog.New(slog.DiscardHandler)
	}
	return k, nil
}

// Resolve is the value behind a reference. An unset variable, a missing or
// empty file and a value shorter than MinLength are errors that name the
// reference. One trailing newline is not part of the value.
func (k *Keeper) Resolve(ctx context.Context, ref Reference) (Value, error) {
	if err := ctx.Err(); err != nil {
		return Value{}, fmt.Errorf("resolving %s: %w", ref, err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if v, ok := k.known[ref]; ok {
		return v, nil
	}
	plain, err := k.read(ref)
	if err != nil {
		return Value{}, err
	}
	v, err := usable(ref, plain)
	if err != nil {
		return Value{}, err
	}
	k.redactor.Learn(v)
	k.known[ref] = v
	return v, nil
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

func (k *Keeper) read(ref Reference) (string, error) {
	kind, rest, ok := strings.Cut(string(ref), "://")
	if !ok {
		return "", fmt.Errorf("%w: write env://NAME or file:///path, not the secret itself", ErrReference)
	}
	switch kind {
	case "env":
		return k.readVariable(ref, rest)
	case "file":
		return k.readFile(ref, rest)
	case "op":
		return "", fmt.Errorf("%w %s: op:// is not available in this version yet; use env:// or file://", ErrReference, ref)
	default:
		return "", fmt.Errorf("%w of the unknown kind %q: write env://NAME or file:///path", ErrReference, kind+"://")
	}
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
