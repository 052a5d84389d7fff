package yamldoc

import (
	"slices"
	"strings"
)

// maxNameLength bounds what is compared: longer names are no misspellings.
const maxNameLength = 64

// Nearest is the known name that is most likely meant by name, or "". One edit
// in three characters is taken for a misspelling; a swap of neighbours is one
// edit, capitals and the choice of - or _ are none.
func Nearest(name string, known []string) string {
	best, bestDistance := "", len([]rune(name))/3+1
	for _, k := range slices.Sorted(slices.Values(known)) {
		if k == name || len(name) > maxNameLength || len(k) > maxNameLength {
			continue
		}
		if d := distance(fold(name), fold(k)); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

// fold removes the differences people make without noticing.
func fold(s string) []rune {
	return []rune(strings.NewReplacer("-", "_", " ", "_").Replace(strings.ToLower(s)))
}

// distance is the optimal string alignment distance.
func distance(a, b []rune) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			rows[i][j] = cheapest(rows, a, b, i, j)
		}
	}
	return rows[len(a)][len(b)]
}

func cheapest(rows [][]int, a, b []rune, i, j int) int {
	change := 1
	if a[i-1] == b[j-1] {
		change = 0
	}
	best := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
	if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
		best = min(best, rows[i-2][j-2]+1)
	}
	return best
}

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
		WithSuggestion(Nearest(n.Text(), known))
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
