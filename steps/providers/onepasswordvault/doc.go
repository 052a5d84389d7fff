// Package onepasswordvault is the provider that reads and shares items of
// 1Password with a service account, through the official SDK.
package onepasswordvault
