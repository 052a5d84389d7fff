package playbooktest

import (
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// maxPlaces bounds how many steps a playbook with all it calls may have here.
const maxPlaces = 50_000

// place is a step of a playbook, or of one it calls, where a run comes to it.
type place struct {
	node *program.Node
	of   *program.Program
}

// places are the steps of a program by their paths, without the keys of items
// and the numbers of rounds.
func places(p *program.Program) map[string]place {
	out := map[string]place{}
	walk(out, "", p, p.Steps)
	return out
}

func walk(out map[string]place, over string, p *program.Program, steps []*program.Node) {
	for _, n := range steps {
		path := joined(over, n.Segment)
		if len(out) >= maxPlaces {
			return
		}
		out[path] = place{node: n, of: p}
		walk(out, joined(path, "else"), p, n.Else)
		body := path
		if n.Form == program.FormTry {
			body = joined(path, "try")
		}
		walk(out, body, p, n.Body)
		for _, b := range n.Branches {
			walk(out, joined(path, escaped(b.Name)), p, b.Steps)
		}
		walk(out, joined(path, "default"), p, n.Default)
		walk(out, joined(path, "catch"), p, n.Catch)
		walk(out, joined(path, "finally"), p, n.Finally)
		if n.Call != nil && p.Calls[n.Call.Playbook] != nil {
			called := p.Calls[n.Call.Playbook]
			walk(out, joined(path, "call"), called, called.Steps)
		}
	}
}

func joined(over, segment string) string {
	if over == "" {
		return segment
	}
	return over + "/" + segment
}

// escaped is a name as paths have it.
func escaped(name string) string {
	var b strings.Builder
	for _, r := range name {
		if !strings.ContainsRune("/[]%", r) && !unicode.IsControl(r) {
			b.WriteRune(r)
			continue
		}
		for _, c := range []byte(string(r)) {
			b.WriteByte('%')
			b.WriteByte("0123456789ABCDEF"[c>>4])
			b.WriteByte("0123456789ABCDEF"[c&15])
		}
	}
	return b.String()
}

// plain is a path without the keys of items and the numbers of rounds.
func plain(path string) string {
	var b strings.Builder
	for path != "" {
		before, rest, found := strings.Cut(path, "[")
		b.WriteString(before)
		if !found {
			break
		}
		_, path, _ = strings.Cut(rest, "]")
	}
	return b.String()
}

// Matches reports whether a step that a test names is the one with a path of a
// run: the very one where the name has keys of items, else for every item.
func Matches(named, path string) bool {
	if strings.Contains(named, "[") {
		return named == path
	}
	return named == plain(path)
}

// find is the path of the step that a test names: by its path, or by the last
// part of it where only one step has it. Without such a step it is "".
func find(all map[string]place, name string) string {
	if _, ok := all[plain(name)]; ok {
		return name
	}
	found := ""
	for path := range all {
		if path != name && !strings.HasSuffix(path, "/"+name) {
			continue
		}
		if found != "" {
			return ""
		}
		found = path
	}
	return found
}

// names are what a step can be called by, sorted.
func names(all map[string]place) []string { return slices.Sorted(maps.Keys(all)) }
