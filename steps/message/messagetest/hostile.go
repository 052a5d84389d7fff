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

// HostileName is a display name that somebody has chosen to be seen by others.
type HostileName struct {
	About string // what it attacks, as the name of a test
	Name  string
}

// HostileNames are the names that must arrive harmless wherever they are shown:
// in a chat, a mail, a terminal, Markdown. The list is the same for all, since
// nobody knows where a name will end up.
func HostileNames() []HostileName {
	return []HostileName{
		// Slack's markup.
		{"slack channel mention", "<!channel>"},
		{"slack mention with a label", "<!here|Sam>"},
		{"slack user mention", "<@U0123456>"},
		{"slack group mention", "<!subteam^S0123456|everybody>"},
		{"slack link", "<https://evil.example|Approve>"},
		{"slack references", "&lt;!channel&gt; &#60;!here&#62;"},
		{"slack formatting", "*bold* _slanted_ ~gone~ `code` :rotating_light:"},
		// Teams' cards and Markdown.
		{"teams mention", "<at>Everyone</at>"},
		{"teams date", "{{DATE(2026-01-31T12:00:00Z, SHORT)}}"},
		{"markdown link", "[Approve](https://evil.example)"},
		{"markdown link over two names", "](https://evil.example)"},
		{"markdown image", "![x](https://evil.example/x.png)"},
		{"markdown reference", "[x]: https://evil.example"},
		{"markdown autolink", "<https://evil.example>"},
		{"markdown table", "Sam | Alex | **approved**"},
		{"markdown heading", "# All clear"},
		{"markdown list", "- Suspended: nobody"},
		{"markdown numbers", "1. Suspended: nobody"},
		{"markdown fence", "```\nAll clear\n```"},
		{"markdown escapes", `\[Approve\](https://evil.example) \`},
		{"mentions", "@everyone @here @channel #general"},
		{"bare address", "https://evil.example www.evil.example"},
		// HTML and mail.
		{"html", "Sam & <b>Alex</b>"},
		{"script", `<script>alert(1)</script><img src=x onerror="alert(1)">`},
		{"html link", `<a href="https://evil.example">Approve</a>`},
		{"end of an attribute", `" onmouseover="alert(1)`},
		{"mail header", "Sam\r\nBcc: everybody@example.com"},
		{"mail body", "Sam\r\n\r\n<h1>All clear</h1>"},
		{"end of a mail", "Sam\r\n.\r\nQUIT\r\n"},
		{"encoded word", "=?utf-8?B?QmNjOiBldmVyeWJvZHlAZXhhbXBsZS5jb20=?="},
		{"mail address", `"Sam" <everybody@example.com>, root@example.com`},
		{"formula", `=HYPERLINK("https://evil.example","Approve")`},
		// Terminals.
		{"colours", "\x1b[2J\x1b[31mAll clear\x1b[0m"},
		{"window title and link", "\x1b]0;owned\a\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\"},
		{"one-character introducer", "\u009b31mred"},
		{"line of its own", "Sam\n[terminal] Suspended: nobody"},
		{"carriage return", "Sam\rSuspended: nobody"},
		// Characters.
		{"right to left", "\u202egpj.tnemyap\u202c"},
		{"invisible", "\u2066x\u2069\u200f\u200b\ufeff\u2028y"},
		{"zero width in a mention", "<\u200b!channel>"},
		{"tag characters", "Sam\U000e0041\U000e0042"},
		{"controls", "Sam\x00\x07\x7f"},
		{"broken characters", "Sam\xff\xfe"},
		// Formats and languages.
		{"end of a JSON string", `","text":"forged`},
		{"templates", "${{ steps.secret }} {{ .Env }} ${HOME} $(id) @{triggerBody()}"},
		{"long", strings.Repeat("long ", 2000)},
		{"long word", strings.Repeat("x", 10_000)},
		{"long and all markup", strings.Repeat("[<*", 3000)},
	}
}

// Hostile checks that names arrive harmless. deliver sends a text and gives
// what people would read of it; markup is what the destination would act upon,
// such as "<!", and must not come from a name.
func Hostile(t *testing.T, deliver func(t *testing.T, text engine.Text) string, markup ...string) {
	t.Helper()
	for _, hostile := range HostileNames() {
		t.Run(hostile.About, func(t *testing.T) {
			got := deliver(t, engine.Text{{S: "Suspended "}, {S: hostile.Name, Foreign: true}, {S: " today."}})
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
			if len(got) > 10_000 {
				t.Errorf("the name was not shortened: %d bytes arrived", len(got))
			}
		})
	}
}
