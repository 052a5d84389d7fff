package identity

import (
	"context"
	"fmt"
	"strings"
	"unicode"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// UserType is the type of a user in a playbook.
func UserType() engine.Type { return engine.MapOf(userFields()...) }

func userFields() []engine.Field {
	return []engine.Field{
		{Name: "id", Type: engine.TypeString(), Doc: "The service's own, unchanging id."},
		{Name: "email", Type: engine.TypeString(), Doc: "The address as the directory writes it."},
		{Name: "name", Type: engine.TypeString(), Doc: "The display name, as its owner chose it."},
		{Name: "state", Type: stateType(), Doc: "Whether the account can be used."},
		{Name: "created_at", Type: engine.TypeTime(), Doc: "When the account was created."},
	}
}

func stateType() engine.Type { return engine.EnumOf(string(Active), string(Suspended)) }

// userValue is the user as playbooks see it.
func userValue(u User) map[string]any {
	row := make(map[string]any, 5)
	setUser(row, u)
	return row
}

// setUser writes a user into a row that may be reused.
func setUser(row map[string]any, u User) {
	row["id"] = u.ID
	row["email"] = u.Email
	row["name"] = u.Name
	row["state"] = string(u.State)
	row["created_at"] = u.CreatedAt.UTC()
}

// selectorInputs are the two ways to name one user, of which one must be given.
func selectorInputs() []engine.Field {
	return []engine.Field{
		{
			Name: "id", Type: engine.Maybe(engine.TypeString()),
			Doc:     "The user's id.",
			Example: `"${{ user.id }}"`,
		},
		{
			Name: "email", Type: engine.Maybe(engine.TypeString()),
			Doc: "The user's address, in upper or lower case. It must be the address of exactly one account: none and several are errors. " +
				"Where the service cannot be asked for an address, the whole directory is read: inside loops, prefer `id`.",
			Example: "sam@example.com",
		},
	}
}

// selectUser finds the user a call names by id or by e-mail.
func selectUser(ctx context.Context, dir Directory, inputs map[string]any) (User, *int64, error) {
	if id, _ := inputs["id"].(string); id != "" {
		u, err := dir.User(ctx, id)
		if err != nil {
			return User{}, nil, fmt.Errorf("looking up user %s: %w", id, err)
		}
		return u, nil, nil
	}
	email, _ := inputs["email"].(string)
	if email == "" {
		return User{}, nil, engine.Fail(engine.ClassInvalid, "no_user", "neither the id nor the email of a user was given")
	}
	if finder, ok := dir.(EmailFinder); ok {
		u, err := finder.UserByEmail(ctx, email)
		if err != nil {
			return User{}, nil, fmt.Errorf("looking for %q: %w", email, err)
		}
		return u, nil, nil
	}
	return userByEmail(ctx, dir, email)
}

// userByEmail reads the whole directory of a service that cannot be asked for
// an address, and says how many accounts it has.
func userByEmail(ctx context.Context, dir Directory, email string) (User, *int64, error) {
	var found []User
	var count int64
	for u, err := range dir.Users(ctx, "") {
		if err != nil {
			return User{}, nil, fmt.Errorf("looking for %q among the users: %w", email, err)
		}
		count++
		if SameEmail(u.Email, email) {
			found = append(found, u)
		}
	}
	u, err := OneByEmail(email, found)
	if err != nil {
		return User{}, nil, err
	}
	return u, &count, nil
}

// OneByEmail is the only one of those who have an address; not_found where
// there is none, an invalid failure that names them where there are several.
func OneByEmail(email string, found []User) (User, error) {
	switch len(found) {
	case 0:
		return User{}, engine.Fail(engine.ClassNotFound, "user_not_found", "no user has the address %q", email)
	case 1:
		return found[0], nil
	default:
		return User{}, engine.Fail(engine.ClassInvalid, "ambiguous", "%d users have the address %q: %s; name one by its id",
			len(found), email, strings.Join(userIDs(found), ", "))
	}
}

func userIDs(users []User) []string {
	ids := make([]string, len(users))
	for i, u := range users {
		ids[i] = u.ID
	}
	return ids
}

// SameEmail reports whether two addresses are the same, in upper or lower case.
func SameEmail(a, b string) bool { return emailKey(a) == emailKey(b) }

// emailKey is the form of an address that is compared: lower case, except that
// no other letter becomes an ASCII one. The Kelvin sign in "Kim@example.com"
// would otherwise make its owner the same person as kim@example.com.
func emailKey(email string) string {
	return strings.Map(func(r rune) rune {
		lower := unicode.ToLower(r)
		if r > unicode.MaxASCII && lower <= unicode.MaxASCII {
			return r
		}
		return lower
	}, email)
}

// population is the size of the directory behind a connection, as the engine
// takes its percentages of; nil where the directory was not read to its end.
func population(conn *engine.Connection, count *int64) *engine.Population {
	if count == nil {
		return nil
	}
	return &engine.Population{Connection: conn.Name, Count: *count}
}
