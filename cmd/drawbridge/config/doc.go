// Package config reads drawbridge.yaml: where the playbooks are, which
// services to reach and how, and what no playbook may exceed. Reading it opens
// no socket and resolves no secret. What is wrong comes back as diagnostics
// that point at a line and a column and never show what may be a secret.
package config
