package onepasswordvault

import (
	"context"

	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/vault"
)

// Core is the official SDK, as far as it is used: it signs in once and may be
// asked by one goroutine at a time. Its errors are failures, or wrap one; one
// of the class auth with transport.CodeUnauthorized means that nothing was
// done because the token is not accepted any more.
type Core interface {
	// Resolve is the field that a reference leads to: op://vault/item/field.
	Resolve(ctx context.Context, reference string) (string, error)
	// Vaults are all that the service account sees.
	Vaults(ctx context.Context) ([]vault.Named, error)
	// Find is the item of a name or an id, in the vault of a name or an id, as
	// vault.Choose chooses; archived items are none.
	Find(ctx context.Context, in, item string) (vault.Item, error)
	// Policy is what the account allows of shares of an item.
	Policy(ctx context.Context, vaultID, itemID string) (vault.Policy, error)
	// Share makes a share and is its link. Where it may have been made although
	// it failed, the failure is unsettled.
	Share(ctx context.Context, vaultID, itemID string, share vault.Share) (string, error)
}

// Start makes a Core that has signed in with a service account's token. It may
// take seconds.
type Start func(ctx context.Context, token secret.Value, version string) (Core, error)
