// Package vault holds the actions that read and share secrets, and the
// capabilities they need from a connection.
package vault

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
)

// CapabilityVault is Vault.
const CapabilityVault engine.Capability = "vault"

// CapabilitySharing is Sharer.
const CapabilitySharing engine.Capability = "sharing"

// Codes of failures about secrets, items and shares.
const (
	CodeVault     = "vault_not_found" // there is no such vault, or the credentials do not see it
	CodeItem      = "item_not_found"
	CodeField     = "field_not_found"
	CodeAmbiguous = "ambiguous"     // a name leads to several: the id tells them apart
	CodeEmpty     = "empty_secret"  // the field is there and has no value
	CodePolicy    = "share_policy"  // the account does not allow such a share
	CodeRecipient = "recipient"     // somebody to share with is no e-mail address
	CodeExpires   = "share_expires" // a share cannot last so short a time
)

// Vault is a service that keeps secrets. It may be used by several goroutines.
type Vault interface {
	// Read is the value of a field, asked for each time. A vault, item, section
	// or field that is not there is a not_found failure, a name that several
	// have an invalid one, and a field without a value a permanent one.
	Read(ctx context.Context, at secret.Place) (secret.Value, error)
}

// Item is something that is kept in a vault, by its ids.
type Item struct {
	ID    string
	Vault string // its id
	Title string // foreign text
}

// Named is a vault or an item in a listing.
type Named struct {
	ID    string
	Title string // foreign text
}

// Choose is the one of an id, or else the only one of a name, whatever its
// letter case; what is it, for errors, and code that of there being none.
func Choose(list []Named, name, what, code string) (Named, error) {
	if i := slices.IndexFunc(list, func(n Named) bool { return n.ID == name }); i >= 0 {
		return list[i], nil
	}
	var found []Named
	for _, n := range list {
		if strings.EqualFold(n.Title, name) {
			found = append(found, n)
		}
	}
	switch len(found) {
	case 0:
		return Named{}, engine.Fail(engine.ClassNotFound, code, "there is no %s %q, or the credentials do not see it", what, clip(name))
	case 1:
		return found[0], nil
	default:
		return Named{}, engine.Fail(engine.ClassInvalid, CodeAmbiguous, "%d have the name %q: use the id of the %s", len(found), clip(name), what)
	}
}

// Policy is what an account allows of shares.
type Policy struct {
	Longest  time.Duration // the longest a share can last
	MaxViews int64         // how often one can be looked at; 0: any number of times
	Named    bool          // whether it can be for named people only
	Emails   bool          // whether people can be named by e-mail address
}

// Share is a copy of an item that is handed out.
type Share struct {
	Recipients []string      // e-mail addresses, at least one
	Expires    time.Duration // one of Durations
	OneTime    bool          // each of them can look at it once
}

// Durations are how long a share can last, shortest first. There are no others.
func Durations() []time.Duration {
	const day = 24 * time.Hour
	return []time.Duration{time.Hour, day, 7 * day, 14 * day, 30 * day}
}

// Sharer is a service that hands out copies of items. It may be used by
// several goroutines.
type Sharer interface {
	// Find is the item of a name or an id in the vault of a name or an id, as
	// Vault.Read finds them.
	Find(ctx context.Context, vault, item string) (Item, error)
	// Policy is what the account allows for the item.
	Policy(ctx context.Context, item Item) (Policy, error)
	// Share makes a share and is the link to it, which is a secret. Nothing lists
	// shares, and nothing takes one back. A failure of a class that is not
	// transient means that none was made; where nobody knows, it is unsettled.
	Share(ctx context.Context, item Item, share Share) (secret.Value, error)
}
