// Package connector makes providers and actions of connector files: what the
// checker of package playbooks/connector has let through is carried out here,
// over package rest. Requests go to the connection's base URL and nowhere else;
// what is missing in an answer is an error; a listing is complete or fails.
package connector
