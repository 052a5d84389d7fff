// Package onepasswordconnect is the provider that reads items of 1Password
// through a Connect server of one's own.
package onepasswordconnect
