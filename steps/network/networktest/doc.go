// Package networktest has what tests of connections need, all on loopback: an
// authority that issues certificates, and a proxy that insists on its rules.
package networktest
