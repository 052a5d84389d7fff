package screen

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// WriteMarkdown writes a plan for a pull request. Whatever comes from outside
// is escaped so that it stays text in any cell: it makes no link, mentions
// nobody, and ends no table.
func WriteMarkdown(w io.Writer, pl Plan) {
	r := pl.Record
	what := "Plan of"
	if r.UndoOf != "" {
		what = "Plan to undo " + markdownCode(r.UndoOf) + ", a run of"
	}
	fmt.Fprintf(w, "### %s %s: %s\n\n", what, Markdown(r.Playbook, nameWidth), Planned(pl.Set))
	if r.Blocked != nil {
		fmt.Fprintf(w, "**Blocked: a run of this would change nothing.** %s\n\n", Markdown(cause(r.Blocked), 600))
	}
	markdownChanges(w, pl.Set.Pending())
	markdownOthers(w, pl.Set.Changes)
	markdownRest(w, pl.Set)
	fmt.Fprintf(w, "%s\n\n", Markdown(completeness(pl.Set, Palette{}), 400))
	fmt.Fprintf(w, "%s, hash %s, made %s by %s\n", markdownCode(r.ID), markdownCode(ShortHash(r.Digest)),
		r.CreatedAt.UTC().Format(time.RFC3339), Markdown(r.Actor.Name, nameWidth))
	for _, line := range pl.Advice {
		fmt.Fprintf(w, "\n%s\n", markdownCode(line))
	}
}

func markdownChanges(w io.Writer, list []engine.PlannedChange) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintln(w, "| Target | Action | Connection | Before → after | Where | Why |\n|---|---|---|---|---|---|")
	for _, c := range list {
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s |\n", markdownTarget(c.Target), Markdown(c.Action, nameWidth),
			Markdown(c.Connection, nameWidth), Markdown(PlannedDelta(c), 0), Markdown(c.Path, 0), Markdown(c.Why, 400))
	}
	fmt.Fprintln(w)
}

func markdownOthers(w io.Writer, list []engine.PlannedChange) {
	told := false
	for _, c := range list {
		if c.Outcome == "" || c.Outcome == engine.OutcomeUnchanged {
			continue
		}
		if !told {
			fmt.Fprintln(w, "| Left as it is | Outcome | Because |\n|---|---|---|")
			told = true
		}
		because := ""
		if c.Error != nil {
			because = cause(c.Error)
		}
		fmt.Fprintf(w, "| %s | %s | %s |\n", markdownTarget(c.Target), c.Outcome, Markdown(because, 600))
	}
	if told {
		fmt.Fprintln(w)
	}
}

func markdownRest(w io.Writer, set engine.ChangeSet) {
	var lines []string
	for _, a := range set.Announcements {
		says := "what it says is known only after " + a.After
		if a.After == "" {
			says = MessageText(a)
		}
		lines = append(lines, fmt.Sprintf("message over %s: %s", Markdown(a.Connection, nameWidth), Markdown(says, 500)))
	}
	for _, a := range set.Approvals {
		lines = append(lines, fmt.Sprintf("approval asked for: %s (%s)", Markdown(a.Title, 200), Markdown(Deciders(a.By, a.Needs), 300)))
	}
	for _, u := range set.Unforeseen {
		lines = append(lines, fmt.Sprintf("%s: known only after %s", Markdown(u.Path, 0), Markdown(u.After, 0)))
	}
	for _, pop := range set.Populations {
		lines = append(lines, fmt.Sprintf("population of %s: %d", Markdown(pop.Connection, nameWidth), pop.Count))
	}
	if set.Failure != nil {
		lines = append(lines, "the run would fail: "+Markdown(failure(set.Failure), 600))
	}
	for _, line := range lines {
		fmt.Fprintln(w, "- "+line)
	}
	if len(lines) > 0 {
		fmt.Fprintln(w)
	}
}

func markdownTarget(t engine.Target) string {
	if t.Name == "" || t.Name == t.ID {
		return Markdown(t.ID, 0)
	}
	return Markdown(t.Name, nameWidth) + " (" + Markdown(t.ID, 0) + ")"
}

// Markdown makes foreign text inert in Markdown, also in a cell of a table.
// Everything that could begin markup is written as a character reference,
// which no parser takes for markup. Renderers look for mentions, addresses and
// links once more in what comes out of that: an invisible character breaks
// those up. Escape sequences and controls are taken out, as by Clean.
func Markdown(s string, limit int) string {
	var b strings.Builder
	clean := Clean(s, limit)
	for i, r := range clean {
		switch {
		case r == '_' && insideWord(clean, i): // which is no markup
			b.WriteRune(r)
		case strings.ContainsRune("\\`*_{}[]()|<>&~!^$", r):
			fmt.Fprintf(&b, "&#%d;", r)
		case r == '@', r == '#', r == ':' && strings.HasPrefix(clean[i:], "://"), r == '.' && endsInWWW(clean[:i]):
			fmt.Fprintf(&b, "&#%d;&#8203;", r)
		case r == '-' && i == 0:
			b.WriteString("&#45;")
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// markdownCode is text that people copy: a command, an id.
func markdownCode(s string) string {
	if clean := Clean(s, 0); !strings.Contains(clean, "`") {
		return "`" + clean + "`"
	}
	return Markdown(s, 0)
}

func insideWord(s string, i int) bool {
	before, _ := utf8.DecodeLastRuneInString(s[:i])
	after, _ := utf8.DecodeRuneInString(s[i+1:])
	alphanumeric := func(r rune) bool { return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) }
	return alphanumeric(before) && alphanumeric(after)
}

func endsInWWW(s string) bool {
	return len(s) >= 3 && strings.EqualFold(s[len(s)-3:], "www")
}
