package vault

import (
	"context"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// SecretShare is the action secret.share.
type SecretShare struct{}

// Spec declares secret.share.
func (SecretShare) Spec() engine.ActionSpec {
	return engine.ActionSpec{
		Name:    "secret.share",
		Summary: "Hand out a copy of a stored item to named people, for a time.",
		Doc: `Makes a link under which the people named can look at a copy of the item as it is now, until it expires. They must prove that the address is theirs.

**A share cannot be taken back.** There is no inverse, ` + "`undo`" + ` leaves it, and ` + "`for:`" + ` is refused: it ends by itself after ` + "`expires`" + `, and not before. A share is a copy: to make it worthless sooner, change the secret. Where access must be taken back, give a group membership with ` + "`for:`" + ` instead.

A share lasts 1h, 1d, 7d, 14d or 30d and nothing between. ` + "`expires`" + ` is rounded *down* to one of them; the output ` + "`expires`" + ` says which. Less than 1h is an error, and so is more than the account's policy allows, before anything is shared. Each run of the step makes another share. Nothing shows the shares there are: where the reply was lost, the step ends ` + "`unsettled`" + ` and a person decides whether it is made again.

The link is of type ` + "`secret`" + `. It is kept only in the memory of the process that made it.`,
		Effect: engine.Change,
		Needs:  []engine.Capability{CapabilitySharing},
		Ends:   "expires",
		Inputs: []engine.Field{
			{Name: "vault", Type: engine.TypeString(), Required: true, Example: "Infra", Doc: "The vault's name or id."},
			{Name: "item", Type: engine.TypeString(), Required: true, Example: "db-prod", Doc: "The item's name or id."},
			{Name: "recipients", Type: engine.ListOf(engine.TypeString()), Required: true, Example: "[sam@example.com]",
				Doc: "The e-mail addresses of those who may look at it; at least one."},
			{Name: "expires", Type: engine.TypeDuration(), Required: true, Example: "1d",
				Doc: "How long it lasts at the most; rounded down to 1h, 1d, 7d, 14d or 30d."},
			{Name: "one_time", Type: engine.TypeBool(), Default: false, Doc: "Each recipient can look at it once only."},
		},
		Outputs: []engine.Field{
			{Name: "changed", Type: engine.TypeBool(), Doc: "Whether a share was made: always true."},
			{Name: "link", Type: engine.TypeSecret(), Doc: "Where the recipients find it, for inputs of type secret."},
			{Name: "expires", Type: engine.TypeDuration(), Doc: "How long it lasts."},
			{Name: "expires_at", Type: engine.TypeTime(), Doc: "When it ends, counted from the beginning of the step."},
		},
		Examples: []engine.Example{{
			Title: "Share a break-glass password for a day",
			YAML: `- uses: secret.share
  with:
    vault: Infra
    item: db-prod
    recipients: [sam@example.com]
    expires: 1d
    one_time: true
`,
		}},
	}
}

// Read finds the item and what the account allows of shares.
func (SecretShare) Read(ctx context.Context, call engine.Call) (engine.Subject, error) {
	s, conn, err := engine.Offered[Sharer](call, CapabilitySharing)
	if err != nil {
		return engine.Subject{}, err
	}
	if _, err := shareOf(call.Inputs); err != nil {
		return engine.Subject{}, err
	}
	vault, _ := call.Inputs["vault"].(string)
	name, _ := call.Inputs["item"].(string)
	item, err := s.Find(ctx, vault, name)
	if err != nil {
		return engine.Subject{}, fmt.Errorf("finding the item: %w", err)
	}
	policy, err := s.Policy(ctx, item)
	if err != nil {
		return engine.Subject{}, fmt.Errorf("reading the account's policy for shares: %w", err)
	}
	return engine.Subject{
		Connection: conn, Target: engine.Target{ID: item.ID, Name: item.Title},
		State:  map[string]any{"shared_with": []any{}, "expires": nil, "one_time": nil},
		Record: map[string]any{"item": item, "policy": policy},
		Blind:  true,
	}, nil
}

// Preview says whom the item would be shared with, unless the account does not
// allow it.
func (SecretShare) Preview(call engine.Call, before engine.Subject) (engine.Preview, error) {
	share, err := shareOf(call.Inputs)
	if err != nil {
		return engine.Preview{}, err
	}
	if policy, known := before.Record["policy"].(Policy); known {
		if err := policy.allows(share); err != nil {
			return engine.Preview{}, err
		}
	}
	recipients := make([]any, len(share.Recipients))
	for i, r := range share.Recipients {
		recipients[i] = r
	}
	return engine.Preview{
		After:   map[string]any{"shared_with": recipients, "expires": engine.FormatDuration(share.Expires), "one_time": share.OneTime},
		Outputs: outputs(call, share, engine.Secret{Memory: "not made"}),
	}, nil
}

// Perform shares the item.
func (SecretShare) Perform(ctx context.Context, call engine.Call, before engine.Subject) (map[string]any, error) {
	s, _, err := engine.Offered[Sharer](call, CapabilitySharing)
	if err != nil {
		return nil, err
	}
	share, err := shareOf(call.Inputs)
	if err != nil {
		return nil, err
	}
	item, ok := before.Record["item"].(Item)
	if !ok {
		return nil, engine.Fail(engine.ClassPermanent, CodeItem, "the item was not read")
	}
	link, err := s.Share(ctx, item, share)
	if err != nil {
		return nil, fmt.Errorf("sharing item %s: %w", item.ID, err)
	}
	handle, err := call.Keep(link)
	if err != nil { // it was shared all the same
		return nil, engine.Fail(engine.ClassUnsettled, "link", "the item was shared, but its link cannot be used: %v", err)
	}
	return outputs(call, share, handle), nil
}

func outputs(call engine.Call, share Share, link engine.Secret) map[string]any {
	return map[string]any{
		"changed": true, "link": link, "expires": share.Expires, "expires_at": call.Now.Add(share.Expires).UTC(),
	}
}

// shareOf is the share the inputs ask for.
func shareOf(inputs map[string]any) (Share, error) {
	asked, _ := inputs["expires"].(time.Duration)
	lasts, ok := roundedDown(asked)
	if !ok {
		return Share{}, engine.Fail(engine.ClassInvalid, CodeExpires, "`expires` is %s, and a share lasts 1h at least", engine.FormatDuration(asked))
	}
	share := Share{Expires: lasts}
	share.OneTime, _ = inputs["one_time"].(bool)
	list, _ := inputs["recipients"].([]any)
	for _, v := range list {
		text, _ := v.(string)
		address, err := mail.ParseAddress(text)
		if err != nil || address.Address != text {
			return Share{}, engine.Fail(engine.ClassInvalid, CodeRecipient, "%q is not an e-mail address", clip(text))
		}
		if !slices.ContainsFunc(share.Recipients, func(r string) bool { return strings.EqualFold(r, text) }) {
			share.Recipients = append(share.Recipients, text)
		}
	}
	if len(share.Recipients) == 0 {
		return Share{}, engine.Fail(engine.ClassInvalid, CodeRecipient, "`recipients` is empty: everybody who has the link could look at the item")
	}
	return share, nil
}

// roundedDown is the longest a share can last within the time asked for.
func roundedDown(asked time.Duration) (time.Duration, bool) {
	for _, d := range slices.Backward(Durations()) {
		if d <= asked {
			return d, true
		}
	}
	return 0, false
}

// allows refuses a share that the account does not allow.
func (p Policy) allows(share Share) error {
	refuse := func(format string, args ...any) error {
		return engine.Fail(engine.ClassPermanent, CodePolicy, "the account's policy does not allow it: "+format, args...)
	}
	switch {
	case !p.Named:
		return refuse("items cannot be shared with named people")
	case !p.Emails:
		return refuse("people cannot be named by e-mail address")
	case share.Expires > p.Longest:
		return refuse("a share can last %s at most, and this one would last %s", engine.FormatDuration(p.Longest), engine.FormatDuration(share.Expires))
	case p.MaxViews == 1 && !share.OneTime:
		return refuse("a share can be looked at once only; set `one_time: true`")
	}
	return nil
}

// clip is foreign text short enough for a message.
func clip(s string) string {
	const most = 60
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
