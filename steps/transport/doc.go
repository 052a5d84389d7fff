// Package transport is the one HTTP client of all providers. It bounds what a
// service can do to us (time, bytes, redirects), repeats what may be repeated,
// keeps to the service's pace, and turns every outcome into an engine.Failure
// whose text names host and route and never a credential.
package transport
