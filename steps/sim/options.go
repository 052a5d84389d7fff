package sim

import (
	"context"
	"time"
)

// The bounds and defaults of Options.
const (
	DefaultUsers = 1200
	MinimumUsers = 100 // fewer could not hold the cast beside ordinary people
	TokenLife    = 15 * time.Minute
)

// Options say what tenant to simulate. The zero Options are a good one.
type Options struct {
	// Seed decides names, ids, addresses and history; 0 is 1.
	Seed uint64
	// Users is how many accounts there are; DefaultUsers for 0, never fewer
	// than MinimumUsers. They are computed when asked for, so that a million
	// cost no memory; only the cast and the first few thousand have a history.
	Users int
	// Hijacked is how many accounts look hijacked; the cast's three for 0, and
	// never fewer. Where there are many, there are at least twice as many people.
	Hijacked int
	// Now is the moment the history leads up to; the time of New by default.
	Now time.Time
	// Clock stamps the log and ages the tokens. By default it starts at Now and
	// runs with real time.
	Clock func() time.Time
	// Sleep is how the tenant waits where a fault wants it to, and how senders
	// do that are never answered; with real time by default.
	Sleep func(ctx context.Context, d time.Duration) error
	// Scene replaces the cast and its stories; nil for them.
	Scene *Scene
	// TokenLife is how long an access token is good for; 15 minutes by default.
	TokenLife time.Duration
	// Forbidden are the operations the OAuth application was not granted, or, with
	// OpSlackPost, Slack's bot.
	Forbidden []Operation
	// Provisioned puts the account under automated provisioning: the Users API
	// then refuses every call.
	Provisioned bool
	// Features are what the Events token may read; all by default.
	Features []string
	// OktaPerMinute is how many calls the Okta service takes in a minute; 6000 by
	// default.
	OktaPerMinute int
	// SCIM says what the SCIM service cannot do.
	SCIM SCIM
	// Faults are in place from the start; see Tenant.Inject.
	Faults []Fault

	simulated bool // Sleep is not real: a sender waits for so long and gives up
}

func (o Options) withDefaults() Options {
	if o.Seed == 0 {
		o.Seed = 1
	}
	switch {
	case o.Scene != nil:
		o.Users = o.Scene.Ordinary + len(o.Scene.People)
	case o.Users == 0:
		o.Users = DefaultUsers
	default:
		o.Users = max(o.Users, MinimumUsers)
	}
	if o.Scene == nil {
		o.Hijacked = max(o.Hijacked, castHijacked)
		o.Users = max(o.Users, 2*o.Hijacked)
	}
	o.simulated = o.Sleep != nil
	if !o.simulated {
		o.Sleep = sleep
	}
	if o.TokenLife == 0 {
		o.TokenLife = TokenLife
	}
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	o.Now = o.Now.UTC().Truncate(time.Second)
	if o.Clock == nil {
		started, now := time.Now(), o.Now
		o.Clock = func() time.Time { return now.Add(time.Since(started)) }
	}
	if o.Features == nil {
		o.Features = []string{"signinattempts", "itemusages", "auditevents"}
	}
	return o
}

// Operation names one thing the tenant can be asked to do, for faults, grants
// and the log.
type Operation string

// The operations.
const (
	OpToken          Operation = "token"
	OpRevoke         Operation = "revoke"
	OpListUsers      Operation = "users.list"
	OpGetUser        Operation = "users.get"
	OpSuspend        Operation = "users.suspend"
	OpReactivate     Operation = "users.reactivate"
	OpIntrospect     Operation = "events.introspect"
	OpSignIns        Operation = "events.signinattempts"
	OpItemUsages     Operation = "events.itemusages"
	OpSlack          Operation = "slack" // the incoming webhook
	OpWebhook        Operation = "webhook"
	OpSlackPost      Operation = "slack.post" // chat.postMessage
	OpSlackAuth      Operation = "slack.auth" // auth.test
	OpTeams          Operation = "teams"
	OpPagerDuty      Operation = "pagerduty"
	OpEmail          Operation = "email"
	OpSCIMConfig     Operation = "scim.config"
	OpSCIMListUsers  Operation = "scim.users.list"
	OpSCIMGetUser    Operation = "scim.users.get"
	OpSCIMPatchUser  Operation = "scim.users.patch"
	OpSCIMListGroups Operation = "scim.groups.list"
	OpSCIMGetGroup   Operation = "scim.groups.get"
	OpSCIMPatchGroup Operation = "scim.groups.patch"
	OpAudit          Operation = "events.auditevents"
	OpOktaListUsers  Operation = "okta.users.list"
	OpOktaGetUser    Operation = "okta.users.get"
	OpOktaSuspend    Operation = "okta.users.suspend"
	OpOktaUnsuspend  Operation = "okta.users.unsuspend"
	OpOktaGroupsOf   Operation = "okta.users.groups"
	OpOktaRevoke     Operation = "okta.sessions.revoke"
	OpOktaListGroups Operation = "okta.groups.list"
	OpOktaGetGroup   Operation = "okta.groups.get"
	OpOktaMembers    Operation = "okta.groups.members"
	OpOktaAdd        Operation = "okta.groups.add"
	OpOktaRemove     Operation = "okta.groups.remove"
)
