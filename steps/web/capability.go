// Package web holds the actions that ask a service over HTTP for what no other
// action knows, and the capability they need from a connection.
package web

import (
	"context"
	"net/url"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/rest"
)

// CapabilityHTTP is the capability the actions of this package need: HTTP.
const CapabilityHTTP engine.Capability = "http"

// HTTP is a service that is asked over HTTP. A *rest.Service is one.
type HTTP interface {
	// Address is where a request would go, or why it cannot go there.
	Address(r rest.Request) (*url.URL, error)
	// Do carries a request out. An error of class unsettled means that nobody
	// knows whether it was.
	Do(ctx context.Context, r rest.Request) (rest.Answer, error)
	// All follows a listing to its end, or fails; the body is the list of items.
	All(ctx context.Context, r rest.Request) (rest.Answer, error)
}
