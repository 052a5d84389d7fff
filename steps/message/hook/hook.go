// Package hook posts messages as JSON to an address that is a credential
// itself, as incoming webhooks have. It is what the providers of such services
// have in common.
package hook

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"net/url"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// Address is where messages go: a plain URL, or a reference to a secret one.
type Address struct {
	Plain  string
	Secret secret.Reference
}

// Fingerprint tells addresses apart without giving a secret one away, nor
// where it is kept.
func (a Address) Fingerprint() string {
	if a.Secret == "" {
		return a.Plain
	}
	sum := sha256.Sum256([]byte(a.Secret))
	return hex.EncodeToString(sum[:8])
}

// Hook posts to one address.
type Hook struct {
	address Address
	name    string // what errors call it: "Slack's incoming webhook"
	client  *transport.Client
	secrets secret.Resolver
}

// New makes a hook for a connection. A plain address that cannot be used is an
// invalid failure; a secret one is looked at when it is needed.
func New(o engine.Opening, name string, address Address, options transport.Options) (*Hook, error) {
	h := &Hook{address: address, name: name, client: transport.New(options.For(o)), secrets: o.Secrets}
	if address.Secret != "" {
		return h, nil
	}
	_, err := h.check(address.Plain)
	return h, err
}

// Post is one request. Accept looks at a successful answer, Explain at a
// refusal; both may be nil.
type Post struct {
	Header  http.Header
	Payload map[string]any // becomes the JSON body; values as EncodeJSON takes them
	Accept  func(transport.Response) error
	Explain func(transport.Response) transport.Explanation
	// Secrets are what header and payload were made of. Where the post is refused
	// they are read anew for the next one, like the address.
	Secrets []secret.Reference
}

// Send posts. Where a reply was lost it posts again, because a message is
// better heard twice than never; where that did not help either, the failure
// is one that may be tried again.
func (h *Hook) Send(ctx context.Context, p Post) error {
	err := h.send(ctx, p)
	if f := engine.AsFailure(err); f != nil && !f.Retryable() {
		secret.Forget(h.secrets, append(p.Secrets, h.address.Secret)...)
	}
	return err
}

func (h *Hook) send(ctx context.Context, p Post) error {
	address, err := h.resolve(ctx)
	if err != nil {
		return err
	}
	body, err := engine.EncodeJSON(p.Payload)
	if err != nil {
		return fmt.Errorf("encoding a message: %w", err)
	}
	header := http.Header{"Content-Type": {"application/json"}}
	for name, values := range p.Header {
		header[name] = values
	}
	answer, err := h.client.Do(ctx, transport.Request{
		Method: http.MethodPost, URL: address.String(), Route: "POST " + h.name, Header: header, Body: body,
		Effect: transport.Repeatable, MaxBody: 64 << 10, Explain: p.Explain,
	})
	if err != nil {
		return repeatable(ctx, err)
	}
	if p.Accept == nil {
		return nil
	}
	return p.Accept(answer)
}

// repeatable turns "nobody knows whether it arrived" into what it means for a
// message: try again, unless we were told to stop.
func repeatable(ctx context.Context, err error) error {
	f := engine.AsFailure(err)
	if f.Class != engine.ClassUnsettled {
		return err
	}
	again := *f
	switch ctx.Err() {
	case nil:
		again.Class = engine.ClassTransient
	case context.DeadlineExceeded:
		again.Class = engine.ClassTimeout
	default:
		again.Class = engine.ClassCancelled
	}
	return &again
}

// Host is the host messages go to. It resolves the address and so proves that
// it can be.
func (h *Hook) Host(ctx context.Context) (string, error) {
	address, err := h.resolve(ctx)
	if err != nil {
		return "", err
	}
	return address.Host, nil
}

func (h *Hook) resolve(ctx context.Context) (*url.URL, error) {
	if h.address.Secret == "" {
		return h.check(h.address.Plain)
	}
	value, err := h.secrets.Resolve(ctx, h.address.Secret)
	if err != nil {
		return nil, fmt.Errorf("resolving the address of %s: %w", h.name, err)
	}
	return h.check(value.Reveal())
}

// check refuses an address that would send messages in the clear. Its failures
// never show the address, not even where it could not be understood.
func (h *Hook) check(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, engine.Fail(engine.ClassInvalid, "address", "the address of %s is not a URL such as https://siem.example.com/in", h.name)
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
		return nil, engine.Fail(engine.ClassInvalid, "address", "the address of %s must begin with https://: anything else would send messages in the clear", h.name)
	}
	return u, nil
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
