package sim

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"strings"
	"sync"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/vault"
)

// StoredVault is one vault of a simulated 1Password account.
type StoredVault struct {
	ID, Name string
	Items    []StoredItem
}

// StoredItem is one item in it.
type StoredItem struct {
	ID, Title string
	Fields    []StoredField
}

// StoredField is one field of an item.
type StoredField struct {
	ID, Label string
	Section   string // its label; its id is the same in lower case
	Value     string
}

// ItemID is an id as vaults and items have it, made of a word.
func ItemID(word string) string {
	sum := sha256.Sum256([]byte("item " + word))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:26]
}

// SharedItem is a share that was made.
type SharedItem struct {
	Vault, Item string // their ids
	vault.Share

	At   time.Time
	Link string
}

// Safe is a simulated 1Password account as a service account sees it: what
// the official SDK is to the provider onepassword-vault. It refuses what the
// real one would refuse. It may be used by several goroutines.
type Safe struct {
	// Stored is what there is; not to be changed while it is used.
	Stored []StoredVault
	// Everything makes every item and field exist that is asked for, with a value
	// of its own: for tests of playbooks, which must hold no secrets.
	Everything bool
	// Policies is what the account allows of shares.
	Policies vault.Policy
	// Clock stamps shares; time.Now by default.
	Clock func() time.Time
	// Fail is asked before each call, by its name (resolve, vaults, find, policy,
	// share), and fails it; nil fails none. A share that fails as unsettled is
	// made all the same.
	Fail func(call string) error

	mu     sync.Mutex
	shared []SharedItem
}

// NewSafe is an account in which everything is and may be shared.
func NewSafe(clock func() time.Time) *Safe {
	return &Safe{Everything: true, Clock: clock, Policies: vault.Policy{Longest: 30 * 24 * time.Hour, Named: true, Emails: true}}
}

// Shared are the shares that were made.
func (v *Safe) Shared() []SharedItem {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]SharedItem(nil), v.shared...)
}

func (v *Safe) before(ctx context.Context, call string) error {
	if err := ctx.Err(); err != nil {
		return engine.AsFailure(err)
	}
	if v.Fail == nil {
		return nil
	}
	return v.Fail(call)
}

// Resolve is the field a reference leads to.
func (v *Safe) Resolve(ctx context.Context, reference string) (string, error) {
	if err := v.before(ctx, "resolve"); err != nil {
		return "", err
	}
	parts := strings.Split(strings.TrimPrefix(reference, "op://"), "/")
	if !strings.HasPrefix(reference, "op://") || len(parts) < 3 || len(parts) > 4 || strings.Contains(reference, "?") {
		return "", engine.Fail(engine.ClassInvalid, "reference", "1Password cannot read the reference")
	}
	if v.Everything {
		return "simulated-" + ItemID(reference), nil
	}
	in, err := v.vault(parts[0])
	if err != nil {
		return "", err
	}
	item, err := chosen(in.Items, parts[1])
	if err != nil {
		return "", err
	}
	return fieldOf(item, parts[2:])
}

func (v *Safe) vault(name string) (StoredVault, error) {
	var list []vault.Named
	for _, s := range v.Stored {
		list = append(list, vault.Named{ID: s.ID, Title: s.Name})
	}
	one, err := vault.Choose(list, name, "vault", vault.CodeVault)
	for _, s := range v.Stored {
		if s.ID == one.ID {
			return s, err
		}
	}
	return StoredVault{}, err
}

func chosen(items []StoredItem, name string) (StoredItem, error) {
	one, err := vault.Choose(titles(items), name, "item", vault.CodeItem)
	for _, i := range items {
		if i.ID == one.ID {
			return i, err
		}
	}
	return StoredItem{}, err
}

func titles(items []StoredItem) []vault.Named {
	var list []vault.Named
	for _, i := range items {
		list = append(list, vault.Named{ID: i.ID, Title: i.Title})
	}
	return list
}

// fieldOf finds a field by [field] or [section, field].
func fieldOf(item StoredItem, path []string) (string, error) {
	section, name := "", path[len(path)-1]
	if len(path) == 2 {
		section = path[0]
	}
	var found []string
	for _, f := range item.Fields {
		if (f.ID == name || strings.EqualFold(f.Label, name)) && (section == "" || strings.EqualFold(f.Section, section)) {
			found = append(found, f.Value)
		}
	}
	switch len(found) {
	case 0:
		return "", engine.Fail(engine.ClassNotFound, vault.CodeField, "the item has no such field")
	case 1:
		return found[0], nil
	default:
		return "", engine.Fail(engine.ClassInvalid, vault.CodeAmbiguous, "several fields have the name")
	}
}

// Vaults are all vaults.
func (v *Safe) Vaults(ctx context.Context) ([]vault.Named, error) {
	if err := v.before(ctx, "vaults"); err != nil {
		return nil, err
	}
	var list []vault.Named
	for _, s := range v.Stored {
		list = append(list, vault.Named{ID: s.ID, Title: s.Name})
	}
	return list, nil
}

// Find is the item of a name or an id in a vault.
func (v *Safe) Find(ctx context.Context, in, item string) (vault.Item, error) {
	if err := v.before(ctx, "find"); err != nil {
		return vault.Item{}, err
	}
	if v.Everything {
		return vault.Item{ID: ItemID(in + "/" + item), Vault: ItemID(in), Title: item}, nil
	}
	holder, err := v.vault(in)
	if err != nil {
		return vault.Item{}, err
	}
	it, err := chosen(holder.Items, item)
	return vault.Item{ID: it.ID, Vault: holder.ID, Title: it.Title}, err
}

// Policy is the account's.
func (v *Safe) Policy(ctx context.Context, vaultID, itemID string) (vault.Policy, error) {
	if err := v.before(ctx, "policy"); err != nil {
		return vault.Policy{}, err
	}
	return v.Policies, v.there(vaultID, itemID)
}

func (v *Safe) there(vaultID, itemID string) error {
	if v.Everything {
		return nil
	}
	for _, s := range v.Stored {
		for _, i := range s.Items {
			if s.ID == vaultID && i.ID == itemID {
				return nil
			}
		}
	}
	return engine.Fail(engine.ClassNotFound, vault.CodeItem, "there is no such item")
}

// Share makes a share.
func (v *Safe) Share(ctx context.Context, vaultID, itemID string, share vault.Share) (string, error) {
	failed := v.before(ctx, "share")
	if failed != nil && engine.AsFailure(failed).Class != engine.ClassUnsettled {
		return "", failed
	}
	if err := v.there(vaultID, itemID); err != nil {
		return "", err
	}
	if len(share.Recipients) == 0 || share.Expires > v.Policies.Longest || !v.Policies.Named {
		return "", engine.Fail(engine.ClassPermanent, vault.CodePolicy, "the account's policy does not allow it")
	}
	at := time.Now()
	if v.Clock != nil {
		at = v.Clock()
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	link := "https://share.1password.example/s#" + ItemID(itemID+at.String()+strings.Join(share.Recipients, ","))
	v.shared = append(v.shared, SharedItem{Vault: vaultID, Item: itemID, Share: share, At: at, Link: link})
	if failed != nil {
		return "", failed
	}
	return link, nil
}
