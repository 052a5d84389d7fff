package onepasswordvault

import (
	"context"
	"errors"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// codeAbandoned is the code of a call that goes on although nobody waits for it.
const codeAbandoned = "abandoned"

// session starts the core when it is first needed and lets one call at a time
// use it: the SDK has one core for the whole process.
type session struct {
	start   Start
	secrets secret.Resolver
	ref     secret.Reference
	version string
	turn    chan struct{} // holds one token: whoever has it may use what follows

	core  Core // nil: not started, or its token is not accepted any more
	token secret.Value
}

func newSession(o engine.Opening, start Start) *session {
	ref, _ := o.Settings["token"].(secret.Reference)
	s := &session{start: start, secrets: o.Secrets, ref: ref, version: o.Version, turn: make(chan struct{}, 1)}
	s.turn <- struct{}{}
	return s
}

// use makes a call when it is its turn. Where the token is not accepted, it is
// read anew where it is kept, and where it was replaced there the call is made
// once more. The SDK does not heed the end of a context: whoever gives up does
// not wait for it, while the next one does.
func use[T any](ctx context.Context, s *session, call func(context.Context, Core) (T, error)) (T, error) {
	var none T
	select {
	case <-s.turn:
	case <-ctx.Done():
		return none, engine.AsFailure(ctx.Err())
	}
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		defer func() { s.turn <- struct{}{} }()
		v, err := twice(ctx, s, call)
		done <- result{v, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		given := engine.AsFailure(ctx.Err())
		return none, engine.Fail(given.Class, codeAbandoned, "1Password's SDK has not answered yet: %v", ctx.Err())
	}
}

func twice[T any](ctx context.Context, s *session, call func(context.Context, Core) (T, error)) (T, error) {
	value, err := once(ctx, s, call)
	if !notAccepted(err) {
		return value, err
	}
	refused := s.token
	s.core = nil
	renewed, failed := transport.Renewed(ctx, s.secrets, "token", s.ref, refused.Reveal())
	if failed != nil || renewed == refused {
		return value, err
	}
	value, err = once(ctx, s, call)
	if notAccepted(err) {
		s.core = nil
	}
	return value, err
}

func once[T any](ctx context.Context, s *session, call func(context.Context, Core) (T, error)) (T, error) {
	var none T
	if s.core == nil {
		token, err := transport.Renewed(ctx, s.secrets, "token", s.ref, "")
		if err != nil {
			return none, err
		}
		s.token = token
		if s.core, err = s.start(ctx, token, s.version); err != nil {
			s.core = nil
			return none, err
		}
	}
	return call(ctx, s.core)
}

// notAccepted reports a failure that a new token may cure.
func notAccepted(err error) bool {
	var f *engine.Failure
	return errors.As(err, &f) && f.Class == engine.ClassAuth && (f.Code == transport.CodeUnauthorized || f.Code == CodeToken)
}
