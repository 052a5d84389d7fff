package connector

import (
	"fmt"
	"net/http"
	"time"

	"golang.org/x/time/rate"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/playbooks/connector"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
	"github.com/drawbridge-soar/drawbridge/steps/rest"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// Codes of this package's failures, beside those of packages rest and transport.
const (
	CodeID        = "id"        // what stands in a path cannot be an id
	CodeAnswer    = "answer"    // an answer is not what the file says it is
	CodeDuplicate = "duplicate" // a listing had something twice
	CodeState     = "state"     // a change was answered with success, and is not to be seen
)

// Provider is the provider of a connector file's connections.
func Provider(def *connector.Definition) engine.Provider {
	p := engine.Provider{
		Name: def.Name, Summary: def.Summary, Doc: def.Doc, Settings: def.Settings,
		Capabilities: []engine.Capability{engine.CapabilityTest},
		Open: func(o engine.Opening) (*engine.Connection, error) {
			return open(def, o, transport.Options{})
		},
	}
	for capability := range offers(&service{def: def}) {
		if capability != engine.CapabilityTest {
			p.Capabilities = append(p.Capabilities, capability)
		}
	}
	return sorted(p)
}

// service is an opened connection.
type service struct {
	def      *connector.Definition
	name     string         // of the connection
	settings map[string]any // those that are no secrets; null where one is not given
	rest     *rest.Service
	now      func() time.Time
}

// open makes the connection; it reaches nothing. The options are what tests
// replace: how the transport waits.
func open(def *connector.Definition, o engine.Opening, options transport.Options) (*engine.Connection, error) {
	s := &service{def: def, name: o.Name, settings: plain(def, o.Settings), now: o.Now}
	if s.now == nil {
		s.now = time.Now
	}
	base, _ := o.Settings[connector.SettingBaseURL].(string)
	options.Limit, options.Burst, options.Most = rate.Limit(def.Rate.PerSecond), def.Rate.Burst, def.Rate.Concurrency
	config := rest.Config{
		Base: base, Auth: authOf(def.Auth, o.Settings), Secrets: o.Secrets, Client: transport.New(options.For(o)),
		Rate: rest.Rate{Remaining: def.Rate.Remaining, Reset: def.Rate.Reset}, Explain: s.explain, Now: s.now,
	}
	var err error
	if config.Header, err = s.headers(def.Headers, s.scope(nil)); err != nil {
		return nil, fmt.Errorf("opening connection %s: %w", o.Name, err)
	}
	if config.Auth.TokenURL, err = s.path(def.Auth.TokenPath, s.scope(nil)); err != nil {
		return nil, fmt.Errorf("opening connection %s: %w", o.Name, err)
	}
	if s.rest, err = rest.New(config); err != nil {
		return nil, fmt.Errorf("opening connection %s: %w", o.Name, err)
	}
	place, err := engine.EncodeJSON(s.settings)
	if err != nil {
		return nil, fmt.Errorf("opening connection %s: %w", o.Name, err)
	}
	normal, err := transport.BaseURL(base)
	if err != nil {
		return nil, fmt.Errorf("opening connection %s: %w", o.Name, err)
	}
	return &engine.Connection{
		Name: o.Name, Provider: def.Name, Fingerprint: def.Name + " " + normal + " " + string(place), Edition: "connector " + def.Hash,
		Settle: new(def.Settle), Offers: offers(s),
	}, nil
}

// offers is what a connection can do.
func offers(s *service) map[engine.Capability]any {
	out := map[engine.Capability]any{engine.CapabilityTest: s}
	if s.def.Directory != nil {
		out[identity.CapabilityDirectory] = newDirectory(s)
	}
	if s.def.Groups != nil {
		out[identity.CapabilityGroups] = groups{s, s.def.Groups}
	}
	if s.def.Sessions != nil {
		out[identity.CapabilitySessions] = sessions{s, s.def.Sessions}
	}
	if len(s.def.Actions) > 0 {
		out[s.def.Capability()] = s
	}
	return out
}

// plain are the settings that expressions see.
func plain(def *connector.Definition, settings map[string]any) map[string]any {
	out := map[string]any{}
	for _, f := range def.Settings {
		if f.Type.Kind != engine.KindSecret && f.Name != connector.SettingBaseURL {
			out[f.Name] = settings[f.Name]
		}
	}
	return out
}

func authOf(a connector.Auth, settings map[string]any) rest.Auth {
	reference := func(name string) secret.Reference {
		ref, _ := settings[name].(secret.Reference)
		return ref
	}
	return rest.Auth{
		Kind: rest.AuthKind(a.Kind), Secret: reference(a.Secret), User: reference(a.User),
		Header: a.Header, Prefix: a.Prefix, Scopes: a.Scopes, InBody: a.InBody,
		Signature: rest.Signature{Hash: a.Algorithm, Encoding: a.Encoding, Parts: a.Sign, Separator: a.Separator, Timestamp: a.Timestamp},
	}
}

// explain reads the service's own words and code in a refusal. An answer that
// does not have them says nothing.
func (s *service) explain(res transport.Response) transport.Explanation {
	var out transport.Explanation
	if s.def.Errors.Message == nil && s.def.Errors.Code == nil {
		return out
	}
	body, err := engine.DecodeJSON(res.Body, engine.TypeAny())
	if err != nil {
		return out
	}
	scope := s.scope(nil)
	scope["response"] = body
	if s.def.Errors.Message != nil {
		if words, err := s.def.Errors.Message.Eval(scope); err == nil {
			out.Message, _ = words.(string)
		}
	}
	if s.def.Errors.Code != nil && res.Status != http.StatusTooManyRequests && res.Status != http.StatusUnauthorized {
		if code, err := s.def.Errors.Code.Eval(scope); err == nil {
			out.Code = asCode(code)
		}
	}
	return out
}

// asCode is a service's code where it can be one of a failure: one short word.
func asCode(v any) string {
	code, _ := v.(string)
	for _, c := range code {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '_' && c != '-' && c != '.' {
			return ""
		}
	}
	const longest = 60
	if len(code) > longest {
		return ""
	}
	return code
}
