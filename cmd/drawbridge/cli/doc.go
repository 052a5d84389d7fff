// Package cli is the command line: one file per command, and wiring.go, where
// actions, providers, stores and the engine are put together. It is the only
// code that sees every adapter.
//
// What a command results in goes to standard output, everything said about it
// to standard error, and all of it through the redactor of secrets.
package cli
