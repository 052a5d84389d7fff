package identitytest_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
	"github.com/drawbridge-soar/drawbridge/steps/identity/identitytest"
)

// shelf is a directory and a memory of events that lives in this process: the
// second implementation the suites are held to.
type shelf struct {
	mu       sync.Mutex
	users    []identity.User
	signIns  []identity.SignIn
	now      time.Time
	refused  bool
	lost     int // replies to changes still to be lost
	features []string
}

func newShelf() *shelf {
	s := &shelf{now: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC), features: []string{"sign_ins", "item_usages", "audit"}}
	for i := range 30 {
		u := identity.User{ID: fmt.Sprintf("U%02d", i), Email: fmt.Sprintf("u%d@example.com", i), Name: "U", State: identity.Active, CreatedAt: s.now}
		if i%7 == 3 {
			u.State = identity.Suspended
		}
		s.users = append(s.users, u)
		s.signIns = append(s.signIns, identity.SignIn{
			ID: fmt.Sprintf("S%02d", i), At: s.now.Add(-time.Duration(i+1) * time.Hour), UserID: u.ID, Result: identity.SignInSuccess,
		})
	}
	return s
}

func (s *shelf) admit(ctx context.Context) error {
	if ctx.Err() != nil {
		return engine.AsFailure(ctx.Err())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refused {
		return engine.Fail(engine.ClassAuth, "refused", "the credentials are refused")
	}
	return nil
}

func (s *shelf) Users(ctx context.Context, state identity.State) iter.Seq2[identity.User, error] {
	s.mu.Lock()
	users := slices.Clone(s.users)
	s.mu.Unlock()
	users = slices.DeleteFunc(users, func(u identity.User) bool { return state != "" && u.State != state })
	return stream(ctx, s, users)
}

// stream yields a list for as long as it may be read.
func stream[T any](ctx context.Context, s *shelf, list []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		for _, item := range list {
			if err := s.admit(ctx); err != nil {
				yield(none, err)
				return
			}
			if !yield(item, nil) {
				return
			}
		}
	}
}

func (s *shelf) User(ctx context.Context, id string) (identity.User, error) {
	return s.set(ctx, id, "")
}

func (s *shelf) Suspend(ctx context.Context, id string) (identity.User, error) {
	if id == "U01" {
		return identity.User{}, engine.Fail(engine.ClassPermanent, "last_owner", "the last owner")
	}
	user, err := s.set(ctx, id, identity.Suspended)
	if err == nil && s.lost > 0 {
		s.lost--
		return identity.User{}, engine.Fail(engine.ClassUnsettled, "lost", "the reply was lost")
	}
	return user, err
}

func (s *shelf) Reactivate(ctx context.Context, id string) (identity.User, error) {
	return s.set(ctx, id, identity.Active)
}

func (s *shelf) set(ctx context.Context, id string, state identity.State) (identity.User, error) {
	if err := s.admit(ctx); err != nil {
		return identity.User{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.users, func(u identity.User) bool { return u.ID == id })
	if i < 0 {
		return identity.User{}, engine.Fail(engine.ClassNotFound, "user", "there is no such user")
	}
	if state != "" {
		s.users[i].State = state
	}
	return s.users[i], nil
}

func (s *shelf) within(from, to time.Time) ([]identity.SignIn, error) {
	if from.Before(s.now.Add(-s.SignInsReach())) {
		return nil, engine.Fail(engine.ClassInvalid, "reach", "too far back")
	}
	return slices.DeleteFunc(slices.Clone(s.signIns), func(a identity.SignIn) bool { return a.At.Before(from) || !a.At.Before(to) }), nil
}

func (s *shelf) SignIns(ctx context.Context, from, to time.Time) iter.Seq2[identity.SignIn, error] {
	list, err := s.within(from, to)
	if err != nil {
		return func(yield func(identity.SignIn, error) bool) { yield(identity.SignIn{}, err) }
	}
	return stream(ctx, s, list)
}

func (s *shelf) Events(ctx context.Context, kind identity.EventKind, from, to time.Time) iter.Seq2[identity.Event, error] {
	return func(yield func(identity.Event, error) bool) {
		for a, err := range s.SignIns(ctx, from, to) {
			if !yield(identity.Event{ID: string(kind) + a.ID, At: a.At, UserID: a.UserID}, err) {
				return
			}
		}
	}
}

func (s *shelf) EventLog(ctx context.Context, kind identity.EventKind) (identity.EventLog, error) {
	return identity.EventLog{Credentials: strings.Join(s.features, " "), Version: "1"}, s.Require(ctx, kind)
}

// EventsAfter takes as cursor the kind and how many events were read, oldest first.
func (s *shelf) EventsAfter(ctx context.Context, kind identity.EventKind, cursor string, from time.Time) iter.Seq2[identity.EventPage, error] {
	return func(yield func(identity.EventPage, error) bool) {
		start := slices.IndexFunc(s.signIns, func(a identity.SignIn) bool { return a.At.Before(from) })
		if start < 0 || cursor != "" {
			start = len(s.signIns)
		}
		at := len(s.signIns) - start
		if cursor != "" {
			if n, err := fmt.Sscanf(cursor, string(kind)+" %d", &at); n != 1 || err != nil {
				yield(identity.EventPage{}, engine.Fail(engine.ClassInvalid, identity.CodeCursorRefused, "this cursor is none"))
				return
			}
		}
		for {
			end := min(at+3, len(s.signIns))
			page := identity.EventPage{Cursor: fmt.Sprintf("%s %d", kind, end)}
			for _, a := range s.signIns[len(s.signIns)-end : len(s.signIns)-at] {
				page.Events = append(page.Events, identity.Event{ID: string(kind) + a.ID, At: a.At, UserID: a.UserID})
			}
			if err := s.admit(ctx); err != nil {
				yield(identity.EventPage{}, err)
				return
			}
			if !yield(page, nil) || end == len(s.signIns) {
				return
			}
			at = end
		}
	}
}

func (s *shelf) SignInsReach() time.Duration { return 120 * 24 * time.Hour }
func (s *shelf) EventsReach() time.Duration  { return s.SignInsReach() }

func (s *shelf) Require(_ context.Context, kinds ...identity.EventKind) error {
	for _, kind := range kinds {
		if !slices.Contains(s.features, string(kind)) {
			return engine.Fail(engine.ClassAuth, "missing_feature", "the token may not read %s", kind)
		}
	}
	return nil
}

func (s *shelf) breaks(f identitytest.Fault) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch f {
	case identitytest.Refused:
		s.refused = true
	case identitytest.ReplyLost:
		s.lost = 1
	case identitytest.RepliesLost:
		s.lost = 100
	default:
		return false // it has no pages and no tokens
	}
	return true
}

// club is a service of groups that lives in this process.
type club struct {
	*shelf

	groups  []identity.Group
	members map[string][]string
}

func newClub() *club {
	c := &club{shelf: newShelf(), members: map[string][]string{}}
	for i := range 9 {
		id := fmt.Sprintf("G%02d", i)
		c.groups = append(c.groups, identity.Group{ID: id, Name: "Group " + id})
		for n := range i {
			c.members[id] = append(c.members[id], fmt.Sprintf("U%02d", n))
		}
	}
	return c
}

func (c *club) Groups(ctx context.Context) iter.Seq2[identity.Group, error] {
	return stream(ctx, c.shelf, c.groups)
}

func (c *club) Group(ctx context.Context, id string) (identity.Group, error) {
	if err := c.admit(ctx); err != nil {
		return identity.Group{}, err
	}
	for _, g := range c.groups {
		if g.ID == id {
			return g, nil
		}
	}
	return identity.Group{}, engine.Fail(engine.ClassNotFound, "group", "there is no such group")
}

func (c *club) Members(ctx context.Context, group string) iter.Seq2[identity.Member, error] {
	return func(yield func(identity.Member, error) bool) {
		if _, err := c.Group(ctx, group); err != nil {
			yield(identity.Member{}, err)
			return
		}
		for _, id := range slices.Clone(c.members[group]) {
			if !yield(identity.Member{ID: id}, nil) {
				return
			}
		}
	}
}

func (c *club) IsMember(ctx context.Context, group, user string) (bool, error) {
	_, err := c.Group(ctx, group)
	return slices.Contains(c.members[group], user), err
}

func (c *club) AddMember(ctx context.Context, group, user string) error {
	if _, err := c.User(ctx, user); err != nil {
		return err
	}
	in, err := c.IsMember(ctx, group, user)
	if err == nil && !in {
		c.members[group] = append(c.members[group], user)
	}
	return c.reply(err)
}

func (c *club) RemoveMember(ctx context.Context, group, user string) error {
	_, err := c.Group(ctx, group)
	c.members[group] = slices.DeleteFunc(c.members[group], func(id string) bool { return err == nil && id == user })
	return c.reply(err)
}

func (c *club) reply(err error) error {
	if err == nil && c.lost > 0 {
		c.lost--
		return engine.Fail(engine.ClassUnsettled, "lost", "the reply was lost")
	}
	return err
}

func TestGroupsOnTheShelf(t *testing.T) {
	identitytest.TestGroups(t, func(*testing.T) identitytest.GroupsWorld {
		c := newClub()
		members := map[string][]string{}
		for group, ids := range c.members {
			members[group] = slices.Clone(ids)
		}
		return identitytest.GroupsWorld{
			Groups: c, All: c.groups, Members: members, Group: "G05", Member: "U03", Other: "U20", Break: c.breaks,
		}
	})
}

// doors is a service of sessions that lives in this process.
type doors struct {
	*shelf

	ended map[string]int
}

func (d *doors) RevokeSessions(ctx context.Context, user string) error {
	if _, err := d.User(ctx, user); err != nil {
		return err
	}
	d.ended[user]++
	if d.lost > 0 {
		d.lost--
		return engine.Fail(engine.ClassUnsettled, "lost", "the reply was lost")
	}
	return nil
}

func TestSessionsOnTheShelf(t *testing.T) {
	identitytest.TestSessions(t, func(*testing.T) identitytest.SessionsWorld {
		d := &doors{shelf: newShelf(), ended: map[string]int{}}
		return identitytest.SessionsWorld{
			Sessions: d, User: "U01", Revoked: func(id string) int { return d.ended[id] }, Break: d.breaks,
		}
	})
}

func TestSuitesOnTheShelf(t *testing.T) {
	t.Run("directory", func(t *testing.T) {
		identitytest.TestDirectory(t, func(*testing.T) identitytest.DirectoryWorld {
			s := newShelf()
			return identitytest.DirectoryWorld{Directory: s, Users: s.users, Target: "U05", LastOwner: "U01", Break: s.breaks}
		})
	})
	t.Run("sign-ins", func(t *testing.T) {
		identitytest.TestSignIns(t, func(*testing.T) identitytest.SignInsWorld {
			s := newShelf()
			return identitytest.SignInsWorld{SignIns: s, From: s.now.Add(-20 * time.Hour), To: s.now, Count: 20, Break: s.breaks}
		})
	})
	t.Run("events", func(t *testing.T) {
		identitytest.TestEvents(t, func(*testing.T) identitytest.EventsWorld {
			s, poor := newShelf(), newShelf()
			poor.features = []string{"sign_ins", "audit"}
			count := map[identity.EventKind]int{}
			for _, kind := range identity.EventKinds() {
				count[kind] = 20
			}
			return identitytest.EventsWorld{
				Events: s, From: s.now.Add(-20 * time.Hour), To: s.now, Count: count, Unread: s,
				Break:   func(_ identity.EventKind, f identitytest.Fault) bool { return s.breaks(f) },
				Lacking: map[identity.EventKind]identitytest.Lacking{identity.EventItemUsages: {poor, poor, "item_usages"}},
				Happen: func(identity.EventKind) bool {
					s.signIns = slices.Insert(s.signIns, 0, identity.SignIn{ID: "new", At: s.now, UserID: "U01", Result: identity.SignInSuccess})
					return true
				},
			}
		})
	})
}

// witness is a test that remembers whether it failed.
type witness struct {
	testing.TB
	failed int
}

func (w *witness) Helper()               {}
func (w *witness) Errorf(string, ...any) { w.failed++ }

func TestNoLeakSeesEveryForm(t *testing.T) {
	const canary = `ca/na"ry+secret&value`
	for name, text := range map[string]string{
		"plain":           "error: " + canary,
		"JSON":            `{"token":"ca/na\"ry+secret\u0026value"}`,
		"query":           "?token=" + url.QueryEscape(canary),
		"path":            "/x/" + url.PathEscape(canary),
		"base64":          base64.StdEncoding.EncodeToString([]byte(canary)),
		"basic":           base64.StdEncoding.EncodeToString([]byte("id:" + canary)),
		"basic, longer":   base64.StdEncoding.EncodeToString([]byte("i:" + canary + ":more")),
		"basic, longest":  base64.StdEncoding.EncodeToString([]byte("client:" + canary)),
		"in several ones": "x" + base64.RawStdEncoding.EncodeToString([]byte("a"+canary)),
	} {
		w := &witness{TB: t}
		identitytest.NoLeak(w, text, "other", canary)
		if w.failed == 0 {
			t.Errorf("%s: it was not seen in %s", name, text)
		}
	}
	w := &witness{TB: t}
	identitytest.NoLeak(w, "error: <secret>", canary)
	identitytest.NoLeakingError(w, nil, canary)
	if w.failed > 0 {
		t.Error("a leak was seen where none is")
	}
	identitytest.NoLeakingError(w, errors.New(canary), canary)
	if w.failed == 0 {
		t.Error("a leaking error was not seen")
	}
}
