package scim

import (
	"fmt"
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
	// lists a thousand people a second and is slow enough for small services.
	perSecond = 10
	atOnce    = 20
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
		Name:     "scim",
		Summary:  "The people and groups of any directory that speaks SCIM 2.0.",
		Doc:      doc,
		Settings: settings(),
		Capabilities: []engine.Capability{
			identity.CapabilityDirectory, identity.CapabilityGroups, engine.CapabilityTest,
		},
		Open: func(o engine.Opening) (*engine.Connection, error) {
			return open(o, transport.Options{})
		},
	}
}

const doc = `Any service that other systems provision by SCIM 2.0 (RFC 7643, RFC 7644) can be
reached: it gives out an address and a bearer token for that.

- **1Password, hosted provisioning**: *Integrations → Automated User
  Provisioning*; the set-up shows the SCIM URL and the token. Turn provisioning of
  users and groups on.
- **1Password SCIM Bridge**: the address at which you deployed the bridge, with
  ` + "`/scim`" + ` behind it, and the bearer token its set-up gave you.
- **Microsoft Entra ID**, as a service: the SCIM Provisioning API, with the
  address ` + "`https://graph.microsoft.com/rp/scim`" + `. Its tokens live for an hour:
  keep one in a file that is renewed; it is read again when it is refused.
- **Okta** is a client of SCIM and not a service: reach what Okta provisions.

Suspending is a PATCH that sets ` + "`active`" + ` to false, reactivating one that sets it
to true; nothing is ever replaced whole or deleted. Where another system owns the
accounts, its next synchronisation may set ` + "`active`" + ` back: change them there too.

A person's address is the primary one of their ` + "`emails`" + `, else the one of type
` + "`work`" + `, else the first; without any it is the ` + "`userName`" + `.`

func settings() []engine.Field {
	one, most := int64(1), int64(maxPageSize)
	return []engine.Field{
		{Name: "base_url", Type: engine.TypeString(), Required: true, Example: "https://scim.example.com/scim",
			Doc: "The address below which `/Users` and `/Groups` are, as the service shows it."},
		{Name: "token", Type: engine.Type{Kind: engine.KindSecret}, Required: true, Example: "env://SCIM_TOKEN",
			Doc: "The bearer token. It is fetched again when the service refuses it."},
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
	s := &service{
		client:    transport.New(options.For(o)),
		base:      base,
		token:     &token{secrets: o.Secrets, ref: setting(o.Settings, "token", secret.Reference(""))},
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
