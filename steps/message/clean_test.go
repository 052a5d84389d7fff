package message_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/message"
)

func TestClean(t *testing.T) {
	tests := []struct {
		name, in, want string
	}{
		{"plain", "Sam Example", "Sam Example"},
		{"other scripts stay", "Zoë Müller 山田 Ωμέγα 😀", "Zoë Müller 山田 Ωμέγα 😀"},
		{"markup is not its business", "<!channel> *a* & b", "<!channel> *a* & b"},
		{"line breaks become one space", "a\r\nb\n\n\tc\u2028d\u0085e", "a b c d e"},
		{"spaces stay", "a  b ", "a  b "},
		{"controls go", "a\x00b\x08c\x7fd\u0080e", "abcde"},
		{"a control does not split a run of breaks", "a\n\x00\nb", "a b"},
		{"colours", "\x1b[31;1mred\x1b[0m", "red"},
		{"one-character introducer", "\u009b31mred", "red"},
		{"window title", "\x1b]0;owned\aname", "name"},
		{"window title, long end", "\x1b]0;owned\x1b\\name", "name"},
		{"window title, one-character form", "\u009d0;owned\u009cname", "name"},
		{"link", "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\", "click"},
		{"unended title hides nothing", "\x1b]0;name", "0;name"},
		{"character set", "\x1b(0name\x1b7", "name"},
		{"escape at the end", "name\x1b", "name"},
		{"sequence that breaks off", "name\x1b[31", "name"},
		{"right to left", "\u202egpj.exe\u202c \u2066x\u2069 \u200fy\u200e \u061cz", "gpj.exe x y z"},
		{"invisible", "a\u200bb\u200cc\u200dd\ufeffe\u2060f\u00adg\u3164h\U000e0041i", "abcdefghi"},
		{"broken UTF-8", "a\xffb", "a\ufffdb"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := message.Clean(tt.in, 0); got != tt.want {
				t.Errorf("Clean(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestCleanShortens(t *testing.T) {
	tests := []struct {
		in    string
		limit int
		want  string
	}{
		{"abc", 3, "abc"},
		{"abcd", 3, "ab…"},
		{"äöü", 3, "äöü"},
		{"äöüß", 3, "äö…"},
		{"abcd", 1, "…"},
		{"abcd", 0, "abcd"},
		{"a\x00b\x00c", 3, "abc"},
	}
	for _, tt := range tests {
		if got := message.Clean(tt.in, tt.limit); got != tt.want {
			t.Errorf("Clean(%q, %d) = %q, want %q", tt.in, tt.limit, got, tt.want)
		}
	}
}

func TestCleanFields(t *testing.T) {
	in := map[string]any{
		"na\x00me": "a\u202eb",
		"list":     []any{"\x1b[1mbold", int64(3), nil, true},
		"text":     engine.Text{{S: "by "}, {S: "\u202eSam", Foreign: true}},
		"deep":     map[string]any{"long": strings.Repeat("x", 3000)},
	}
	want := map[string]any{
		"name": "ab",
		"list": []any{"bold", int64(3), nil, true},
		"text": "by Sam",
		"deep": map[string]any{"long": strings.Repeat("x", message.MaxForeign-1) + "…"},
	}
	if diff := cmp.Diff(want, message.CleanFields(in)); diff != "" {
		t.Error(diff)
	}
}

func TestRender(t *testing.T) {
	text := engine.Text{
		{S: "*Suspended*\n"},
		{S: "<b>\n\x1b[1m" + strings.Repeat("x", 3000), Foreign: true},
		{S: " <https://example.com|why>"},
	}
	got := message.Render(text, func(s string) string { return strings.ReplaceAll(s, "<", "&lt;") })
	want := "*Suspended*\n&lt;b> " + strings.Repeat("x", message.MaxForeign-5) + "… <https://example.com|why>"
	if got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func FuzzClean(f *testing.F) {
	for _, seed := range []string{
		"", "Sam", "<!channel>", "\x1b[31mred\x1b[0m", "\x1b]0;t\a", "\x1b]8;;x\x1b\\", "\u202egpj", "a\xff\xfeb", "\u009b1m", "\x1b\x1b[m", "a\r\n\tb", "\u200d\ufeff", "\x1b]\x1b]\x1b]",
	} {
		f.Add(seed, 5)
	}
	f.Fuzz(func(t *testing.T, s string, limit int) {
		got := message.Clean(s, limit)
		if !utf8.ValidString(got) {
			t.Errorf("Clean(%q) = %q is not UTF-8", s, got)
		}
		if limit > 0 && utf8.RuneCountInString(got) > limit {
			t.Errorf("Clean(%q, %d) = %q is too long", s, limit, got)
		}
		for _, r := range got {
			if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.In(r, unicode.Zl, unicode.Zp) {
				t.Errorf("Clean(%q) = %q keeps %U", s, got, r)
			}
		}
		if again := message.Clean(got, limit); again != got {
			t.Errorf("Clean(%q) = %q, and cleaned again %q", s, got, again)
		}
	})
}
