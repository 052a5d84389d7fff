// Package messagetest is the conformance suite of message.Messenger. A
// provider's own test hands it a way to open the messenger and to see what
// people would read.
package messagetest

import (
	"strings"
	"testing"
	"unicode"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// hostileNames are display names that people have chosen to be seen by others.
func hostileNames() []string {
	return []string{
		"<!channel>",
		"<!here|Sam>",
		"<@U0123456>",
		"<https://evil.example|Approve>",
		"Sam & <b>Alex</b>",
		"\x1b[2J\x1b[31mAll clear\x1b[0m",
		"\x1b]0;owned\a\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
		"\u009b31mred",
		"Sam\n[terminal] Suspended: nobody",
		"Sam\r\nBcc: everybody@example.com",
		"\u202egpj.tnemyap\u202c",
		"\u2066x\u2069\u200f\u200b\ufeff\u2028y",
		"Sam\x00\x07\x7f",
		`","text":"forged`,
		"${{ steps.secret }} {{ .Env }}",
		strings.Repeat("long ", 2000),
	}
}

// Hostile checks that names arrive harmless. deliver sends a text and gives
// what people would read of it; markup is what the destination would act upon,
// such as "<!", and must not come from a name.
func Hostile(t *testing.T, deliver func(t *testing.T, text engine.Text) string, markup ...string) {
	t.Helper()
	for _, name := range hostileNames() {
		t.Run(clip(name), func(t *testing.T) {
			got := deliver(t, engine.Text{{S: "Suspended "}, {S: name, Foreign: true}, {S: " today."}})
			if !strings.Contains(got, "Suspended ") || !strings.Contains(got, " today.") {
				t.Errorf("what the author wrote did not arrive: %q", got)
			}
			for _, r := range got {
				if r != '\n' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)) {
					t.Errorf("%U arrived in %q", r, got)
				}
			}
			if lines := strings.Count(strings.TrimRight(got, "\n"), "\n"); lines > 0 {
				t.Errorf("the name began a line of its own: %q", got)
			}
			for _, m := range markup {
				if strings.Contains(got, m) {
					t.Errorf("%q arrived in %q", m, got)
				}
			}
			if len(got) > 5000 {
				t.Errorf("the name was not shortened: %d bytes arrived", len(got))
			}
		})
	}
}

func clip(s string) string { return s[:min(len(s), 24)] }
