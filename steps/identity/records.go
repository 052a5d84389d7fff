package identity

import (
	"cmp"
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// records gathers what a log says of people until the directory tells who they
// are. People are joined by id. An address joins only the records that have no
// id, in the same account, and only where exactly one user has it: an address
// is what somebody typed, and acting on the wrong person is worse than missing
// the right one.
type records[T any] struct {
	byID     map[string]*entry[T]
	byEmail  map[string][]*entry[T] // by emailKey; one entry per account that was recorded
	nameless int64                  // records with neither
}

// entry is what was recorded under one id or one address.
type entry[T any] struct {
	data    T
	count   int64
	email   string
	account string
	claims  []string // ids of the users it could belong to
}

func newRecords[T any]() *records[T] {
	return &records[T]{byID: make(map[string]*entry[T]), byEmail: make(map[string][]*entry[T])}
}

// add counts a record and gives the entry it belongs to, nil where it names nobody.
func (r *records[T]) add(id, email, account string) *entry[T] {
	var e *entry[T]
	switch {
	case id != "":
		e = r.withID(id)
	case email != "":
		e = r.withEmail(email, account)
	default:
		r.nameless++
		return nil
	}
	e.count++
	return e
}

func (r *records[T]) withID(id string) *entry[T] {
	e := r.byID[id]
	if e == nil {
		e = &entry[T]{}
		r.byID[id] = e
	}
	return e
}

func (r *records[T]) withEmail(email, account string) *entry[T] {
	key := emailKey(email)
	for _, e := range r.byEmail[key] {
		if e.account == account {
			return e
		}
	}
	e := &entry[T]{email: key, account: account}
	r.byEmail[key] = append(r.byEmail[key], e)
	return e
}

// claim gives the entries that belong or could belong to a user. Whether an
// entry under an address does is known once every user has claimed theirs.
func (r *records[T]) claim(u User) []*entry[T] {
	var mine []*entry[T]
	if e := r.byID[u.ID]; e != nil {
		mine = append(mine, e)
	}
	for _, e := range r.byEmail[emailKey(u.Email)] {
		if e.account == u.Account || e.account == "" || u.Account == "" {
			mine = append(mine, e)
		}
	}
	for _, e := range mine {
		e.claims = append(e.claims, u.ID)
	}
	return mine
}

// claimed reports whether any user claimed anything.
func (r *records[T]) claimed() bool {
	for e := range r.entries {
		if len(e.claims) > 0 {
			return true
		}
	}
	return false
}

// knowsAnID reports whether any user has one of the ids.
func (r *records[T]) knowsAnID() bool {
	for _, e := range r.byID {
		if len(e.claims) > 0 {
			return true
		}
	}
	return false
}

// unknown counts the records that no user claimed.
func (r *records[T]) unknown() int64 {
	n := r.nameless
	for e := range r.entries {
		if len(e.claims) == 0 {
			n += e.count
		}
	}
	return n
}

// entries yields every entry, in no particular order.
func (r *records[T]) entries(yield func(*entry[T]) bool) {
	for _, e := range r.byID {
		if !yield(e) {
			return
		}
	}
	for _, same := range r.byEmail {
		for _, e := range same {
			if !yield(e) {
				return
			}
		}
	}
}

// ambiguous lists the entries that several users claimed, by address.
func (r *records[T]) ambiguous() []any {
	var doubtful []*entry[T]
	for e := range r.entries {
		if len(e.claims) > 1 {
			doubtful = append(doubtful, e)
		}
	}
	slices.SortFunc(doubtful, func(a, b *entry[T]) int {
		return cmp.Or(cmp.Compare(a.email, b.email), cmp.Compare(a.account, b.account))
	})
	rows := make([]any, len(doubtful))
	for i, e := range doubtful {
		slices.Sort(e.claims)
		ids := make([]any, len(e.claims))
		for j, id := range e.claims {
			ids[j] = id
		}
		rows[i] = map[string]any{"email": e.email, "users": ids, "records": e.count}
	}
	return rows
}

// ambiguousField declares the output that ambiguous fills.
func ambiguousField(consequence string) engine.Field {
	return engine.Field{
		Name: "ambiguous",
		Type: engine.ListOf(engine.MapOf(
			engine.Field{Name: "email", Type: engine.TypeString(), Doc: "The address, in lower case."},
			engine.Field{Name: "users", Type: engine.ListOf(engine.TypeString()), Doc: "The ids of the users who have it."},
			engine.Field{Name: "records", Type: engine.TypeInteger(), Doc: "How many records name it and no id."},
		)),
		Doc: "Addresses that records without an id name and several users have. " + consequence,
	}
}
