package engine

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
