// Package onepasswordevents is the provider of what happened in a 1Password
// account: sign-in attempts and item usages, through the Events API.
package onepasswordevents
