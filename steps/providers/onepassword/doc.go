// Package onepassword is the provider of 1Password accounts through the Users
// API: it lists people, finds one, suspends and reactivates.
package onepassword
