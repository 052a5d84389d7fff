// Package yamldoc reads YAML strictly and remembers where everything stood.
//
// A document is bounded in size, depth and aliases, is the only one of its
// file, has no duplicate keys, tags or merge keys, and never takes a value for
// something its author did not write: 0777, 1_000, yes and 2024-01-02 are text
// until somebody asks for a type. What is wrong comes back as Diagnostics,
// which point at a line and a column, also inside quoted and block scalars.
//
// It is the only importer of yaml.v3.
package yamldoc
