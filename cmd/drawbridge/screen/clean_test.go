package screen_test

import (
	"testing"
	"unicode"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/screen"
)

func TestClean(t *testing.T) {
	for _, c := range []struct {
		name, in string
		limit    int
		want     string
	}{
		{"plain text stays", "Zoë O'Brien <z@example.com>", 0, "Zoë O'Brien <z@example.com>"},
		{"escape sequences lose their power", "\x1b[31mred\x1b[0m", 0, "[31mred[0m"},
		{"so does the 8-bit introducer", "a\u009b31mb", 0, "a31mb"},
		{"a title cannot be set", "x\x1b]0;pwned\x07y", 0, "x]0;pwnedy"},
		{"text cannot be turned around", "user\u202Egnp.exe", 0, "usergnp.exe"},
		{"isolates and marks go", "a\u2066b\u2069\u200Fc\u061C", 0, "abc"},
		{"zero width goes", "ad\u200Bmin\uFEFF", 0, "admin"},
		{"tags go", "a\U000E0041b", 0, "ab"},
		{"fillers go", "a\u3164b\uFE0F", 0, "ab"},
		{"lines become one", "a\r\nb\u2028c\td", 0, "a b c d"},
		{"broken UTF-8 shows", "a\xffb", 0, "a\uFFFDb"},
		{"what fits is whole", "abcde", 5, "abcde"},
		{"what does not is cut", "abcdef", 5, "abcd…"},
		{"cutting minds characters", "äöüßé!", 3, "äö…"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := screen.Clean(c.in, c.limit); got != c.want {
				t.Errorf("Clean(%q, %d) = %q, want %q", c.in, c.limit, got, c.want)
			}
		})
	}
}

func TestCleanLinesKeepsLineBreaksOnly(t *testing.T) {
	if got, want := screen.CleanLines("a\x1b[2J\nb\rc\n"), "a[2J\nbc\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzClean(f *testing.F) {
	f.Add("a\x1b[31m\u202Eb", 3)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		for _, r := range screen.Clean(s, limit%100) {
			if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
				t.Errorf("%U came through from %q", r, s)
			}
		}
	})
}
