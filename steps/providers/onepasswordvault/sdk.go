package onepasswordvault

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/1password/onepassword-sdk-go"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/vault"
)

// sdk is the official SDK with one client. The SDK compiles its WebAssembly
// core when the first client of a process is made, which takes seconds and some
// 130 MiB, and speaks HTTP with the process-wide client of net/http: it heeds
// HTTPS_PROXY, and no network settings of the configuration.
type sdk struct{ client *onepassword.Client }

// StartSDK is the Start of the official SDK.
func StartSDK(ctx context.Context, token secret.Value, version string) (Core, error) {
	client, err := onepassword.NewClient(ctx,
		onepassword.WithServiceAccountToken(token.Reveal()), onepassword.WithIntegrationInfo("Drawbridge", version))
	if err != nil {
		return nil, signInFailure(err, token)
	}
	return sdk{client}, nil
}

// Resolve asks for one reference by the call whose refusals have types.
func (s sdk) Resolve(ctx context.Context, reference string) (string, error) {
	all, err := s.client.Secrets().ResolveAll(ctx, []string{reference})
	if err != nil {
		return "", failure(err)
	}
	one, ok := all.IndividualResponses[reference]
	switch {
	case ok && one.Error != nil:
		return "", unresolved(one.Error.Type)
	case !ok || one.Content == nil:
		return "", engine.Fail(engine.ClassPermanent, CodeSDK, "the SDK has not answered what it was asked")
	}
	return one.Content.Secret, nil
}

// Vaults lists the vaults.
func (s sdk) Vaults(ctx context.Context) ([]vault.Named, error) {
	list, err := s.client.Vaults().List(ctx)
	if err != nil {
		return nil, failure(err)
	}
	out := make([]vault.Named, len(list))
	for i, v := range list {
		out[i] = vault.Named{ID: v.ID, Title: v.Title}
	}
	return out, nil
}

// Find lists the vaults, and the items of the one that is meant.
func (s sdk) Find(ctx context.Context, in, item string) (vault.Item, error) {
	vaults, err := s.Vaults(ctx)
	if err != nil {
		return vault.Item{}, err
	}
	v, err := vault.Choose(vaults, in, "vault", vault.CodeVault)
	if err != nil {
		return vault.Item{}, err //nolint:wrapcheck // says which vault
	}
	list, err := s.client.Items().List(ctx, v.ID)
	if err != nil {
		return vault.Item{}, failure(err)
	}
	items := make([]vault.Named, len(list))
	for i, it := range list {
		items[i] = vault.Named{ID: it.ID, Title: it.Title}
	}
	one, err := vault.Choose(items, item, "item", vault.CodeItem)
	return vault.Item{ID: one.ID, Vault: v.ID, Title: one.Title}, err //nolint:wrapcheck // says which item
}

// Policy reads the account's policy for shares.
func (s sdk) Policy(ctx context.Context, vaultID, itemID string) (vault.Policy, error) {
	p, err := s.client.Items().Shares().GetAccountPolicy(ctx, vaultID, itemID)
	if err != nil {
		return vault.Policy{}, failure(err)
	}
	return policyOf(p)
}

func policyOf(p onepassword.ItemShareAccountPolicy) (vault.Policy, error) {
	i := slices.Index(durationNames(), p.MaxExpiry)
	if i < 0 {
		return vault.Policy{}, engine.Fail(engine.ClassPermanent, CodeSDK, "the account's policy for shares has a longest duration that is not known: %q", clip(string(p.MaxExpiry)))
	}
	out := vault.Policy{
		Longest: vault.Durations()[i],
		Named:   slices.Contains(p.AllowedTypes, onepassword.AllowedTypeAuthenticated),
		Emails:  slices.Contains(p.AllowedRecipientTypes, onepassword.AllowedRecipientTypeEmail),
	}
	if p.MaxViews != nil {
		out.MaxViews = int64(*p.MaxViews)
	}
	return out, nil
}

// durationNames are the SDK's names of vault.Durations, in the same order.
func durationNames() []onepassword.ItemShareDuration {
	return []onepassword.ItemShareDuration{
		onepassword.ItemShareDurationOneHour, onepassword.ItemShareDurationOneDay, onepassword.ItemShareDurationSevenDays,
		onepassword.ItemShareDurationFourteenDays, onepassword.ItemShareDurationThirtyDays,
	}
}

// Share checks the recipients against the policy and makes the share. Only the
// last call changes anything.
func (s sdk) Share(ctx context.Context, vaultID, itemID string, share vault.Share) (string, error) {
	lasts, err := durationName(share.Expires)
	if err != nil {
		return "", err
	}
	policy, err := s.client.Items().Shares().GetAccountPolicy(ctx, vaultID, itemID)
	if err != nil {
		return "", failure(err)
	}
	recipients, err := s.client.Items().Shares().ValidateRecipients(ctx, policy, share.Recipients)
	if err != nil {
		return "", engine.Fail(engine.ClassPermanent, vault.CodePolicy, "the account's policy does not allow these recipients: %s", clip(err.Error()))
	}
	item, err := s.client.Items().Get(ctx, vaultID, itemID)
	if err != nil {
		return "", failure(err)
	}
	link, err := s.client.Items().Shares().Create(ctx, item, policy, onepassword.ItemShareParams{
		Recipients: recipients, ExpireAfter: &lasts, OneTimeOnly: share.OneTime,
	})
	if err != nil {
		return "", mayBeShared(failure(err))
	}
	if !strings.HasPrefix(link, "https://") {
		return "", engine.Fail(engine.ClassUnsettled, CodeSDK, "the item may be shared, but the answer is no link")
	}
	return link, nil
}

func durationName(d time.Duration) (onepassword.ItemShareDuration, error) {
	i := slices.Index(vault.Durations(), d)
	if i < 0 {
		return "", engine.Fail(engine.ClassInvalid, vault.CodeExpires, "a share cannot last %s", engine.FormatDuration(d))
	}
	return durationNames()[i], nil
}

// mayBeShared makes unsettled what leaves open whether a share was made: all
// but a refusal.
func mayBeShared(err error) error {
	f := engine.AsFailure(err)
	if f.Class == engine.ClassAuth || f.Class == engine.ClassNotFound || f.Code == codeRateLimited {
		return f
	}
	return engine.Fail(engine.ClassUnsettled, f.Code, "%s; it may be shared", f.Message)
}
