package transport

import (
	"context"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
)

// CodeSecret is the code of a failure to resolve a secret.
const CodeSecret = "secret"

// Bearer is the Credential of a service whose token is a secret of the
// configuration. It is resolved when it is first needed. After a 401 it is
// read anew where it is kept: where it was replaced there, the request is sent
// once more. The name is that of the setting, for errors.
func Bearer(secrets secret.Resolver, name string, ref secret.Reference) func(ctx context.Context, refused string) (string, error) {
	const scheme = "Bearer "
	return func(ctx context.Context, refused string) (string, error) {
		v, err := Renewed(ctx, secrets, name, ref, strings.TrimPrefix(refused, scheme))
		if err != nil {
			return "", err
		}
		return scheme + v.Reveal(), nil
	}
}

// Renewed resolves a secret of the configuration, anew where a service has
// refused its value; "" is no value that was refused. The error is a failure of
// the class auth that names the setting.
func Renewed(ctx context.Context, secrets secret.Resolver, name string, ref secret.Reference, refused string) (v secret.Value, err error) {
	if refused == "" {
		v, err = secrets.Resolve(ctx, ref)
	} else {
		v, err = secret.Renew(ctx, secrets, ref, secret.New(refused))
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return v, err //nolint:wrapcheck // the end of the context, which is classified by the caller
	case err != nil:
		return v, engine.Fail(engine.ClassAuth, CodeSecret, "resolving %s: %v", name, err)
	}
	return v, nil
}
