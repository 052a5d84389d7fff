// Package network makes connections to services the way the configuration
// says: through which proxy, trusting which authorities, with which client
// certificate, TLS version and timeouts, for all hosts and for single ones. It
// is the one place where a connection to a service begins, for HTTP and for
// what does not speak HTTP; what it cannot connect to it explains in words that
// say what to write in the configuration.
package network
