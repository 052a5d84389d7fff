package connector

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/playbooks/connector"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
)

// directory fulfils identity.Directory.
type directory struct {
	*service

	calls *connector.Directory
}

// finder is a directory that can be asked for an address.
type finder struct{ directory }

var (
	_ identity.Directory   = directory{}
	_ identity.EmailFinder = finder{}
)

// newDirectory is a finder where the file says how to find.
func newDirectory(s *service) identity.Directory {
	d := directory{s, s.def.Directory}
	if d.calls.Find != nil {
		return finder{d}
	}
	return d
}

// Users lists the users. The service may leave the state aside: here it is
// looked at once more.
func (d directory) Users(ctx context.Context, state identity.State) iter.Seq2[identity.User, error] {
	inputs := map[string]any{"state": nil}
	if state != "" {
		inputs["state"] = string(state)
	}
	return func(yield func(identity.User, error) bool) {
		for user, err := range listed(ctx, d.service, &d.calls.List, inputs, userOf, idOfUser) {
			if err != nil {
				yield(identity.User{}, err)
				return
			}
			if state != "" && user.State != state {
				continue
			}
			if !yield(user, nil) {
				return
			}
		}
	}
}

// User finds one user by id.
func (d directory) User(ctx context.Context, id string) (identity.User, error) {
	user, err := one(ctx, d.service, &d.calls.Get, map[string]any{"id": id}, userOf)
	if err == nil && user.ID != id {
		return identity.User{}, engine.Fail(engine.ClassNotFound, CodeID, "%q is not the id of a user: the service answers to it with another", id)
	}
	return user, err
}

// UserByEmail asks the service for an address.
func (f finder) UserByEmail(ctx context.Context, email string) (identity.User, error) {
	var found []identity.User
	for user, err := range listed(ctx, f.service, f.calls.Find, map[string]any{"email": email}, userOf, idOfUser) {
		if err != nil {
			return identity.User{}, err
		}
		if identity.SameEmail(user.Email, email) {
			found = append(found, user)
		}
	}
	return identity.OneByEmail(email, found) //nolint:wrapcheck // says it all
}

// Suspend takes an account's access away.
func (d directory) Suspend(ctx context.Context, id string) (identity.User, error) {
	return d.change(ctx, &d.calls.Suspend, id, identity.Suspended)
}

// Reactivate is the inverse.
func (d directory) Reactivate(ctx context.Context, id string) (identity.User, error) {
	return d.change(ctx, &d.calls.Reactivate, id, identity.Active)
}

// change makes a state so. What counts is what is read afterwards: services
// refuse to suspend who is suspended, and answer without the account.
func (d directory) change(ctx context.Context, c *connector.Call, id string, want identity.State) (identity.User, error) {
	_, refused := d.do(ctx, c, map[string]any{"id": id})
	if refused != nil && !mayBeSo(refused) {
		return identity.User{}, refused
	}
	user, err := d.User(ctx, id)
	switch {
	case refused == nil && err != nil:
		return identity.User{}, unsettled(err)
	case err == nil && user.State == want:
		return user, nil
	case refused != nil:
		return identity.User{}, refused
	default:
		return identity.User{}, engine.Fail(engine.ClassUnsettled, CodeState, "%s was answered with success, but the account is %s", c.Route, user.State)
	}
}

// mayBeSo reports a refusal that the target may be the reason of, because it is
// so already.
func mayBeSo(err error) bool {
	return errors.Is(err, &engine.Failure{Class: engine.ClassPermanent})
}

// unsettled is the failure of a read that should have confirmed a change.
func unsettled(err error) error {
	f := engine.AsFailure(err)
	f.Class, f.Message = engine.ClassUnsettled, f.Message+"; it was to confirm a change"
	return f
}

// sessions fulfils identity.Sessions.
type sessions struct {
	*service

	calls *connector.Sessions
}

var _ identity.Sessions = sessions{}

// RevokeSessions ends all sessions of a user.
func (s sessions) RevokeSessions(ctx context.Context, user string) error {
	_, err := s.do(ctx, &s.calls.Revoke, map[string]any{"user": user})
	return err
}

// record is the fields of a row, as the file maps them.
type record map[string]any

func (r record) text(name string) string {
	s, _ := r[name].(string)
	return s
}

// mapped evaluates how a row becomes a record.
func (s *service) mapped(r *connector.Reading, row any) (record, error) {
	scope := s.scope(nil)
	scope["row"] = row
	out := record{}
	for _, f := range r.Map.Fields {
		v, err := f.Expr.Eval(scope)
		if err != nil {
			failure := engine.AsFailure(err)
			return nil, engine.Fail(engine.ClassPermanent, CodeAnswer, "%s (%s): the field `%s` of the answer: %s", r.Route, r.Name, f.Name, failure.Message)
		}
		out[f.Name] = v
	}
	if out.text("id") == "" {
		return nil, engine.Fail(engine.ClassPermanent, CodeAnswer, "%s (%s): an answer has no id", r.Route, r.Name)
	}
	return out, nil
}

// one reads what a call answers with.
func one[T any](ctx context.Context, s *service, r *connector.Reading, inputs map[string]any, of func(record) T) (T, error) {
	var none T
	answer, err := s.do(ctx, &r.Call, inputs)
	if err != nil {
		return none, err
	}
	fields, err := s.mapped(r, answer)
	if err != nil {
		return none, err
	}
	return of(fields), nil
}

// listed reads what a call lists, nothing twice.
func listed[T any](ctx context.Context, s *service, r *connector.Reading, inputs map[string]any, of func(record) T, id func(T) string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		seen := map[string]struct{}{}
		for row, err := range s.rows(ctx, &r.Call, inputs) {
			if err != nil {
				yield(none, err)
				return
			}
			fields, err := s.mapped(r, row)
			if err != nil {
				yield(none, err)
				return
			}
			thing := of(fields)
			if _, twice := seen[id(thing)]; twice {
				yield(none, engine.Fail(engine.ClassTransient, CodeDuplicate, "%s (%s): %s was listed twice, so the listing is not reliable", r.Route, r.Name, id(thing)))
				return
			}
			seen[id(thing)] = struct{}{}
			if !yield(thing, nil) {
				return
			}
		}
	}
}

func userOf(r record) identity.User {
	at, _ := r["created_at"].(time.Time)
	return identity.User{
		ID: r.text("id"), Email: r.text("email"), Name: r.text("name"), State: identity.State(r.text("state")), CreatedAt: at.UTC(),
	}
}

func idOfUser(u identity.User) string { return u.ID }
