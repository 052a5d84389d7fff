// Package engine holds the nouns of Drawbridge and the ports between its
// parts: types and values, actions, connections, runs, changes, failures and
// the store. It has no behaviour of its own beyond what those nouns need to be
// well formed (encoding, classification, name resolution), imports no other
// package of this module, and every other package may import it.
package engine
