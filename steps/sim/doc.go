// Package sim is a simulated tenant of the services Drawbridge talks to: the
// 1Password Users API in both versions, the 1Password Events API, a SCIM 2.0
// directory and an Okta organisation of the same people and their groups, Slack's
// incoming webhook and bot, Teams' workflows, PagerDuty's Events API and a
// generic webhook, served over loopback HTTP.
//
// It is strict: it refuses what the real services refuse or do not document
// (an unknown query parameter, a body where none belongs, a page size above
// the maximum), so that a client that works here has kept to the contract. It
// is deterministic: the same seed gives the same people with the same history.
// And it remembers everything it was asked, in order, so that tests and a
// crash harness in another process can say what really happened.
package sim
