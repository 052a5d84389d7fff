package slack

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/message"
)

func TestSplit(t *testing.T) {
	tests := []struct {
		name, text string
		limit      int
		head, rest string
	}{
		{"short", "abc", 3, "abc", ""},
		{"at a line", "ab\ncd ef", 6, "ab", "cd ef"},
		{"at a word", "abc de", 5, "abc", " de"},
		{"not at an early word", "a bcdefg", 6, "a bcde", "fg"},
		{"within a word", "abcd", 3, "abc", "d"},
		{"characters", "äöüß", 3, "äöü", "ß"},
		{"not within a reference", "ab&lt;x", 4, "ab", "&lt;x"},
		{"not before its end", "ab&amp;x", 6, "ab", "&amp;x"},
		{"behind a reference", "ab&lt;xyz", 7, "ab&lt;x", "yz"},
		{"not within a link", "ab <https://x|a b> c", 16, "ab ", "<https://x|a b> c"},
		{"a link that is too long", "<https://x|a b>", 8, "<https:/", "/x|a b>"},
		{"a bare sign", "a & bcdef", 6, "a ", "& bcdef"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if head, rest := split(tt.text, tt.limit); head != tt.head || rest != tt.rest {
				t.Errorf("got %q and %q, want %q and %q", head, rest, tt.head, tt.rest)
			}
		})
	}
}

func FuzzSplit(f *testing.F) {
	f.Add("ab <https://x|a b> &lt; c\nd", 7)
	f.Add("&&&&&&<<<<", 2)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		limit = min(max(limit, 1), 1000)
		head, rest := split(text, limit)
		if n := utf8.RuneCountInString(head); n > limit || n == 0 && text != "" {
			t.Errorf("split(%q, %d) took %q", text, limit, head)
		}
		if head+rest != text && head+"\n"+rest != text {
			t.Errorf("split(%q, %d) = %q, %q loses something", text, limit, head, rest)
		}
	})
}

// TestLongMessages finds what people wrote in full up to the limit, then cut
// off, and always the link.
func TestLongMessages(t *testing.T) {
	link := message.Link{Title: "Look & decide", URL: "https://soar.example.com/a|b?c=<d>&e"}
	for name, text := range map[string]string{
		"lines":      strings.Repeat("• sam@example.com: suspended\n", 5000),
		"words":      strings.Repeat("sam@example.com ", 5000),
		"one word":   strings.Repeat("x", 50_000),
		"no text":    strings.Repeat("\n", 50_000) + "x",
		"references": strings.Repeat("&lt;", 20_000),
	} {
		t.Run(name, func(t *testing.T) {
			body, err := engine.EncodeJSON(payload(message.Message{Text: engine.Text{{S: text}}, Link: link}))
			if err != nil {
				t.Fatal(err)
			}
			got := read(t, body)
			if end := "<https://soar.example.com/a%7Cb?c=&lt;d&gt;&amp;e|Look &amp; decide>"; !strings.HasSuffix(got, end) {
				t.Errorf("it ends in %q", got[max(len(got)-100, 0):])
			}
			if name != "no text" && !strings.Contains(got, shortened) {
				t.Error("it does not say that something is missing")
			}
			if n := utf8.RuneCountInString(got); n > maxMessage+100 {
				t.Errorf("%d characters", n)
			}
		})
	}
}
