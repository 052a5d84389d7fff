// Package connector reads connector files: services that Drawbridge can act on
// without a line of Go. A file says how the service is called and what the
// answers mean; everything in it is checked before anything is sent.
//
// A connector file never says where the service is. The host comes from the
// connection in the configuration alone, and so do all secrets, so that a file
// from somebody else cannot send a credential elsewhere.
package connector
