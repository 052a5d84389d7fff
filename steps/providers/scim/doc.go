// Package scim is the provider of directories that speak SCIM 2.0 (RFC 7643,
// RFC 7644): it lists people and groups, finds one, suspends and reactivates,
// and puts people into groups and out of them.
package scim
