package onepasswordevents

import (
	"context"

	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// token is the bearer token, resolved when it is first needed and read anew
// when the service refuses it: it may have been rotated.
type token struct {
	secrets secret.Resolver
	ref     secret.Reference
}

// credential is a transport.Request's.
func (t *token) credential(ctx context.Context, refused string) (string, error) {
	return transport.Bearer(t.secrets, "token", t.ref)(ctx, refused)
}
