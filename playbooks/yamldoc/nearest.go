package yamldoc

import (
	"slices"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// UnknownKeys reports the keys of a map that are not known, each with the
// nearest known name. Where says in what: "a step", "the configuration".
func UnknownKeys(n *Node, where string, known []string) []Diagnostic {
	var out []Diagnostic
	for _, e := range n.Entries() {
		if !slices.Contains(known, e.Name()) {
			out = append(out, e.Key.Unknown("key", where, known))
		}
	}
	return out
}

// Unknown reports that the text of a node is not one of the known names. What
// is the sort of name ("key", "action"), where what it belongs to, or "".
func (n *Node) Unknown(what, where string, known []string) Diagnostic {
	if where != "" {
		where = " in " + where
	}
	d := n.Errorf("unknown-"+strings.ReplaceAll(what, " ", "-"), "unknown %s %q%s", what, clip(n.Text()), where).
		WithSuggestion(engine.Nearest(n.Text(), known))
	if len(known) == 0 {
		return d
	}
	return d.WithHint("known: %s", list(known))
}

// list is names for a hint, clipped where they are many.
func list(names []string) string {
	const most = 40
	sorted := slices.Sorted(slices.Values(names))
	if len(sorted) > most {
		return strings.Join(sorted[:most], ", ") + ", …"
	}
	return strings.Join(sorted, ", ")
}

// clip shortens foreign text inside a message.
func clip(text string) string {
	const most = 60
	runes := []rune(text[:min(len(text), 4*most+4)])
	if len(runes) <= most {
		return text
	}
	return string(runes[:most]) + "…"
}
