package scim

import (
	"context"
	"fmt"
	"time"
	"unicode"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

const (
	defaultPageSize = 100 // what services answer without being asked to limit themselves
	maxPageSize     = 1000
	maxID           = 512

	// SCIM has no limit of its own, and services rarely say theirs. This one
	// lists two thousand people a second and is slow enough for small services.
	perSecond = 20
	atOnce    = 50
)

// The ways to page through a listing.
const (
	pagingAuto   = "auto"
	pagingIndex  = "index"
	pagingCursor = "cursor"
)

// What holds for resources that do not say when they were created.
const (
	createdRequired  = "required"
	createdAssumeNew = "assume_new"
)

// Provider declares `provider: scim`.
func Provider() engine.Provider {
	return engine.Provider{
		Name:       "scim",
		Summary:    "The people and groups of any directory that speaks SCIM 2.0.",
		Doc:        doc,
		Setup:      setup,
		Settings:   settings(),
		ExactlyOne: [][]string{{"token", "client_id"}},
		Capabilities: []engine.Capability{
			identity.CapabilityDirectory, identity.CapabilityGroups, engine.CapabilityTest,
		},
		Open: func(o engine.Opening) (*engine.Connection, error) {
			return open(o, transport.Options{})
		},
	}
}

const setup = `1. Find the address and the bearer token that the service gives out to systems
   that provision it:
   - **1Password, hosted provisioning**: sign in as an owner or an administrator,
     open *Integrations → Automated User Provisioning*, and set it up for your
     identity provider. The set-up shows the SCIM URL and the bearer token, once:
     a token that is lost means setting it up again. Turn the provisioning of
     users on, and that of groups where playbooks shall change them.
   - **1Password SCIM Bridge**: the address at which you deployed the bridge,
     with ` + "`/scim`" + ` behind it, and the bearer token that came with the
     ` + "`scimsession`" + ` file when the bridge was set up.
   - **Microsoft Entra ID**: switch on its *SCIM Provisioning API*, register an
     application, and grant it the application permissions *User.ReadWrite.All*
     and *Group.ReadWrite.All* with an administrator's consent. ` + "`base_url`" + ` is
     ` + "`https://graph.microsoft.com/rp/scim`" + `. In place of a token, give the
     application's id and secret as ` + "`client_id`" + ` and ` + "`client_secret`" + `, with
     ` + "`token_url: https://login.microsoftonline.com/TENANT/oauth2/v2.0/token`" + ` and
     ` + "`scope: https://graph.microsoft.com/.default`" + `.
   - **Okta** sends SCIM and does not answer it. Reach the service that Okta
     provisions, with the address and the token that were given to Okta.
2. Put the token into ` + "`SCIM_TOKEN`" + `, or into a file or a vault, and refer to it.
3. ` + "`base_url`" + ` is the address below which ` + "`/Users`" + ` is. Take it as it is shown:
   ` + "`drawbridge connections test`" + ` says when it is another.
4. Leave ` + "`paging`" + ` as it is. Where the test says that a user has no
   ` + "`meta.created`" + `, set ` + "`created: assume_new`" + `.`

const doc = `Suspending is a PATCH that sets ` + "`active`" + ` to false, reactivating one that sets it
to true, and membership a PATCH of one member; nothing is replaced whole or
deleted. Where a resource has a version, that version and no other is changed.
Listings are held to what the service counts: where people come or go while they
are read, they fail and can be read again.

Where another system owns the accounts, its next synchronisation may set
` + "`active`" + ` or a group's members back: change them there too. 1Password's hosted
provisioning does not manage groups that may recover accounts or manage all
groups.

A person's address is the primary one of their ` + "`emails`" + `, else the one of type
` + "`work`" + `, else the first; without any it is the ` + "`userName`" + `.`

func settings() []engine.Field {
	one, most := int64(1), int64(maxPageSize)
	secretType := engine.Type{Kind: engine.KindSecret}
	return []engine.Field{
		{Name: "base_url", Type: engine.TypeString(), Required: true, Example: "https://scim.example.com/scim",
			Doc: "The address below which `/Users` and `/Groups` are, as the service shows it."},
		{Name: "token", Type: secretType, Example: "env://SCIM_TOKEN",
			Doc: "The bearer token. It is fetched again when the service refuses it."},
		{Name: "client_id", Type: secretType, Example: "env://SCIM_CLIENT_ID",
			Doc: "In place of a token: the client that asks for one (OAuth client credentials). It needs `client_secret` and `token_url`."},
		{Name: "client_secret", Type: secretType, Example: "env://SCIM_CLIENT_SECRET",
			Doc: "The client's secret. It goes to `token_url` only."},
		{Name: "token_url", Type: engine.TypeString(), Example: "https://login.example.com/oauth2/token",
			Doc: "Where the client gets its tokens."},
		{Name: "scope", Type: engine.TypeString(), Example: "https://graph.microsoft.com/.default",
			Doc: "What the client asks a token for, where the service wants to hear it."},
		{Name: "paging", Type: engine.EnumOf(pagingAuto, pagingIndex, pagingCursor), Default: pagingAuto,
			Doc: "How the service pages: by `startIndex`, by cursor (RFC 9865), or as its `ServiceProviderConfig` says; by index where it says nothing."},
		{Name: "page_size", Type: engine.TypeInteger(), Default: int64(defaultPageSize), Minimum: &one, Maximum: &most,
			Doc: "How many people or groups one request asks for. The service may give fewer."},
		{Name: "created", Type: engine.EnumOf(createdRequired, createdAssumeNew), Default: createdRequired,
			Doc: "What holds for an account without `meta.created`: it is an error, or it counts as made just now, so that nothing finds it by its age."},
		{Name: "settle", Type: engine.TypeDuration(), Default: engine.DefaultSettle,
			Doc: "How long a read may still show the state before a change. `0s` means never."},
	}
}

// open makes the connection; it reaches nothing. The options are what tests
// replace: how the transport waits.
func open(o engine.Opening, options transport.Options) (*engine.Connection, error) {
	base, err := transport.BaseURL(setting(o.Settings, "base_url", ""))
	if err != nil {
		return nil, fmt.Errorf("opening connection %s: %w", o.Name, err)
	}
	options.Limit, options.Burst = perSecond, atOnce // unless the configuration says otherwise
	client := transport.New(options.For(o))
	credential, err := credentialOf(o, client)
	if err != nil {
		return nil, fmt.Errorf("opening connection %s: %w", o.Name, err)
	}
	s := &service{
		client: client, base: base, credential: credential,
		paging:    setting(o.Settings, "paging", pagingAuto),
		pageSize:  int(setting(o.Settings, "page_size", int64(defaultPageSize))),
		assumeNew: setting(o.Settings, "created", createdRequired) == createdAssumeNew,
		now:       o.Now,
	}
	return &engine.Connection{
		Name:        o.Name,
		Provider:    "scim",
		Fingerprint: "scim " + base,
		Settle:      new(setting(o.Settings, "settle", engine.DefaultSettle)),
		Offers: map[engine.Capability]any{
			identity.CapabilityDirectory: s, identity.CapabilityGroups: s, engine.CapabilityTest: s,
		},
	}, nil
}

// credentialOf is the bearer token that is given, or the way to one.
func credentialOf(o engine.Opening, client *transport.Client) (func(context.Context, string) (string, error), error) {
	none := secret.Reference("")
	id, word := setting(o.Settings, "client_id", none), setting(o.Settings, "client_secret", none)
	raw := setting(o.Settings, "token_url", "")
	if id == none {
		if word != none || raw != "" || setting(o.Settings, "scope", "") != "" {
			return nil, engine.Fail(engine.ClassInvalid, "client_id", "client_secret, token_url and scope belong to a client_id, and there is none")
		}
		return transport.Bearer(o.Secrets, "token", setting(o.Settings, "token", none)), nil
	}
	if word == none || raw == "" {
		return nil, engine.Fail(engine.ClassInvalid, "client_id", "a client_id needs a client_secret and a token_url beside it")
	}
	address, err := transport.BaseURL(raw)
	if err != nil {
		return nil, engine.Fail(engine.ClassInvalid, "token_url", "token_url: %s", engine.AsFailure(err).Message)
	}
	t := &clientTokens{
		client: client, secrets: o.Secrets, id: id, word: word, url: address, scope: setting(o.Settings, "scope", ""), now: o.Now,
	}
	if t.now == nil {
		t.now = time.Now
	}
	return t.credential, nil
}

// setting is a setting's value, or what holds without it.
func setting[T any](settings map[string]any, name string, absent T) T {
	if v, ok := settings[name].(T); ok {
		return v
	}
	return absent
}

// validID reports whether a string can be the id of a resource. RFC 7643 lets
// ids be any text; what would be another path when it is escaped, cannot.
func validID(id string) bool {
	for _, r := range id {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return false
		}
	}
	return id != "" && id != "." && id != ".." && len(id) <= maxID
}
