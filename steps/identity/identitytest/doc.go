// Package identitytest says what the capabilities of package identity mean: a
// provider that offers one runs its suite against the service or a simulator
// of it. A provider's own test is then a few lines that open a world.
package identitytest
