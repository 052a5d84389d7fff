package scim

import (
	"context"
	"sync"

	"github.com/drawbridge-soar/drawbridge/engine/secret"
)

// token is the bearer token, resolved when it is first needed and again when
// the service refuses it: it may have been rotated.
type token struct {
	secrets secret.Resolver
	ref     secret.Reference

	mu    sync.Mutex
	value string
}

// credential is a transport.Request's.
func (t *token) credential(ctx context.Context, refused string) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.value != "" && t.value != refused {
		return t.value, nil
	}
	resolved, err := t.secrets.Resolve(ctx, t.ref)
	if err != nil {
		return "", unresolved("token", err)
	}
	t.value = "Bearer " + resolved.Reveal()
	return t.value, nil
}
