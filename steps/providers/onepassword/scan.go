package onepassword

import (
	"bytes"
	"time"
	"unicode/utf8"

	"github.com/drawbridge-soar/drawbridge/steps/identity"
)

// scanPage reads a page in the form the service sends: objects of plain
// strings. It is several times as fast as encoding/json, which counts when an
// account has a million users. Anything else about the page (an escape, a
// null, a nested value, a missing field) makes it give up, and encoding/json
// decides what the page means.
func scanPage(body []byte) (users []identity.User, next string, ok bool) {
	s := &scanner{b: body}
	ok = s.object(func(key []byte) bool {
		switch string(key) {
		case "results":
			again := users != nil
			users = make([]identity.User, 0, 1+bytes.Count(body, []byte(`"id"`)))
			return !again && s.list(func() bool {
				user, ok := s.user()
				users = append(users, user)
				return ok
			})
		case "next_page_token":
			token, ok := s.text()
			next = string(token)
			return ok
		default:
			return false
		}
	})
	return users, next, ok && users != nil && s.end()
}

// scanner walks over JSON of which it knows only strings, lists and objects.
type scanner struct {
	b []byte
	i int
}

// user reads one user with everything a user must have. Its strings share one
// allocation of their own, so that keeping one user does not keep a page.
func (s *scanner) user() (u identity.User, ok bool) {
	var id, email, name, state, created []byte
	ok = s.object(func(key []byte) bool {
		value, ok := s.text()
		switch string(key) {
		case "id":
			id = value
		case "email":
			email = value
		case "display_name":
			name = value
		case "state":
			state = value
		case "create_time":
			created = value
		case "path":
		default:
			return false
		}
		return ok
	})
	if !ok || len(id) == 0 || len(email) == 0 || u.CreatedAt.UnmarshalText(created) != nil {
		return u, false
	}
	buffer := make([]byte, 0, 192)
	all := string(append(append(append(buffer, id...), email...), name...))
	u.ID, u.Email, u.Name = all[:len(id)], all[len(id):len(id)+len(email)], all[len(id)+len(email):]
	u.CreatedAt = u.CreatedAt.UTC()
	u.State, ok = stateNamed(string(state))
	return u, ok && validID(u.ID) && !u.CreatedAt.Equal(time.Time{})
}

func (s *scanner) object(member func(key []byte) bool) bool {
	return s.sequence('{', '}', func() bool {
		key, ok := s.text()
		return ok && s.byte(':') && member(key)
	})
}

func (s *scanner) list(item func() bool) bool { return s.sequence('[', ']', item) }

func (s *scanner) sequence(open, end byte, item func() bool) bool {
	if !s.byte(open) {
		return false
	}
	if s.byte(end) {
		return true
	}
	for item() {
		if s.byte(end) {
			return true
		}
		if !s.byte(',') {
			return false
		}
	}
	return false
}

// byte passes over one byte, and white space before it, if it is the next.
func (s *scanner) byte(want byte) bool {
	s.space()
	if s.i >= len(s.b) || s.b[s.i] != want {
		return false
	}
	s.i++
	return true
}

func (s *scanner) space() {
	for s.i < len(s.b) && (s.b[s.i] == ' ' || s.b[s.i] == '\n' || s.b[s.i] == '\t' || s.b[s.i] == '\r') {
		s.i++
	}
}

func (s *scanner) end() bool {
	s.space()
	return s.i == len(s.b)
}

// text reads a string that means itself.
func (s *scanner) text() ([]byte, bool) {
	if !s.byte('"') {
		return nil, false
	}
	start, foreign := s.i, false
	for ; s.i < len(s.b); s.i++ {
		switch c := s.b[s.i]; {
		case c == '"':
			text := s.b[start:s.i]
			s.i++
			return text, !foreign || utf8.Valid(text)
		case c == '\\' || c < ' ':
			return nil, false
		case c >= utf8.RuneSelf:
			foreign = true
		}
	}
	return nil, false
}
