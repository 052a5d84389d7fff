package sim

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/drawbridge-soar/drawbridge/steps/sim/mailbox"
)

// Tenant is a simulated tenant. It may be used by several goroutines.
type Tenant struct {
	opts        Options
	people      population
	credentials Credentials
	history     func() history // computed on first use: a listing needs none

	mu        sync.Mutex
	okta      okta
	mailbox   *mailbox.Server // nil until it is asked for
	groups    []group         // as they began
	members   map[seat]bool   // where it differs from how the tenant began
	versions  map[string]int  // how often each resource of the SCIM service was changed
	scimToken string
	suspended map[int]bool // by index, where it differs from how the tenant began
	tokens    map[string]token
	readers   map[string][]string // what each token of the Events API may read
	issued    int
	faults    []armedFault
	log       record
}

// Credentials are what a client needs to know. They are made up and open
// nothing but the simulated tenant.
type Credentials struct {
	Account      string `json:"account"`
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	EventsToken  string `json:"events_token"`
	SCIMToken    string `json:"scim_token"`
	OktaToken    string `json:"okta_token"`
	SlackPath    string `json:"slack_path"`   // of the Slack-like webhook: a secret, as the real one is
	WebhookPath  string `json:"webhook_path"` // of the generic webhook
	SlackToken   string `json:"slack_token"`  // of a Slack-like bot
	SlackChannel string `json:"slack_channel"`
	TeamsPath    string `json:"teams_path"`    // of the Teams-like workflow, with its query: a secret
	PagerDutyKey string `json:"pagerduty_key"` // a routing key
}

type token struct {
	version string // of the API it was asked at; it is refused at the other
	expires time.Time
}

// New makes a tenant.
func New(o Options) *Tenant {
	o = o.withDefaults()
	t := &Tenant{
		opts:      o,
		people:    newPopulation(o),
		groups:    newGroups(o),
		members:   map[seat]bool{},
		versions:  map[string]int{},
		suspended: map[int]bool{},
		tokens:    map[string]token{},
		readers:   map[string][]string{},
	}
	t.history = sync.OnceValue(func() history { return newHistory(t.people, o.Scene) })
	t.credentials = Credentials{
		Account:      t.people.account,
		ClientID:     "sim-client-" + t.word("client"),
		ClientSecret: "sim-secret-" + t.word("secret"),
		EventsToken:  t.EventsToken(o.Features...),
		SCIMToken:    "sim-scim-" + t.word("scim"),
		OktaToken:    "sim-okta-" + t.word("okta"),
		SlackPath:    "/services/T" + t.word("team")[:8] + "/B" + t.word("channel")[:8] + "/" + t.word("slack"),
		WebhookPath:  "/hooks/" + t.word("webhook"),
		SlackToken:   "xoxb-" + t.word("bot"),
		SlackChannel: "C" + strings.ToUpper(t.word("bot's channel")[:10]),
		TeamsPath: "/workflows/" + t.word("workflow") + "/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=" +
			t.word("signature of the workflow"),
		PagerDutyKey: (t.word("routing key") + t.word("more of it"))[:32],
	}
	t.okta = okta{token: t.credentials.OktaToken, statuses: map[int]string{}}
	t.scimToken = t.credentials.SCIMToken
	t.Inject(o.Faults...)
	return t
}

// word is a made-up secret word, the same for the same seed.
func (t *Tenant) word(about string) string { return wordOf(t.opts.Seed, about) }

// Credentials are what a client needs to reach the tenant.
func (t *Tenant) Credentials() Credentials { return t.credentials }

// EventsToken makes a token for the Events API that may read the features.
func (t *Tenant) EventsToken(features ...string) string {
	claims := jsonReply(http.StatusOK, object{
		"1password.com/auuid": t.people.account, "1password.com/fts": features, "iat": t.opts.Now.Unix(),
	}).body
	head := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"ES256","typ":"JWT"}`))
	body := base64.RawURLEncoding.EncodeToString(claims)
	value := head + "." + body + "." + wordOf(t.opts.Seed, "signature "+head+"."+body)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.readers[value] = slices.Clone(features)
	return value
}

// Now is the tenant's time.
func (t *Tenant) Now() time.Time { return t.opts.Clock() }

// Users is how many accounts there are.
func (t *Tenant) Users() int { return t.opts.Users }

// Cast are the people with a part in a story.
func (t *Tenant) Cast() Cast { return t.people.cast() }

// Suspended reports whether the account is suspended now; it is an error to
// ask about an id that does not exist.
func (t *Tenant) Suspended(id string) (bool, error) {
	i, ok := t.people.indexOf(id)
	if !ok {
		return false, fmt.Errorf("there is no user %q in the tenant", id)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.isSuspended(i), nil
}

// SetSuspended makes an account suspended or active as somebody does in the
// service itself: no client has asked, and no refusal keeps them from it. It is
// not among Changes.
func (t *Tenant) SetSuspended(id string, suspended bool) error {
	i, ok := t.people.indexOf(id)
	if !ok {
		return fmt.Errorf("there is no user %q in the tenant", id)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.suspended[i] = suspended
	return nil
}

// isSuspended needs the lock.
func (t *Tenant) isSuspended(i int) bool {
	if now, touched := t.suspended[i]; touched {
		return now
	}
	return t.people.beganSuspended(i)
}

// ExpireTokens makes every access token issued so far invalid.
func (t *Tenant) ExpireTokens() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.tokens)
}
