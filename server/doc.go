// Package server is what `drawbridge serve` shows to the outside: health,
// metrics and webhooks over HTTP, and a local socket through which the command
// line works. It decides nothing about runs: it asks the engine, through the
// small interfaces it declares, as the command line does.
package server
