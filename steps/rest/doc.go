// Package rest talks to HTTP APIs as somebody has described them: where the
// service is, how it is signed in to, what is asked, how a listing goes on. It
// is what http.request and connector files have in common. Requests go through
// the hardened client of package transport; a listing is complete or an error;
// answers are JSON in the engine's values; errors name routes and pointers, and
// never a value or a credential.
package rest
