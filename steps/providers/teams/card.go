package teams

import (
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/message"
)

const (
	// maxSize is how large a message may be, in bytes of JSON: a little less
	// than the 28 KB of Teams, which adds to it.
	maxSize = 27 << 10
	// maxLines bounds how many blocks a card has.
	maxLines = 200

	shortened = "… (shortened)"
)

// payload is a message with one card attached.
func payload(msg message.Message) (map[string]any, error) {
	card := map[string]any{
		"$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
		"type":    "AdaptiveCard",
		"version": "1.4",
		"body":    []any{},
	}
	if link := msg.Link; link.URL != "" {
		if u, err := url.Parse(link.URL); err != nil || u.Scheme != "https" || u.Host == "" {
			return nil, engine.Fail(engine.ClassInvalid, "link", "the link of a message must be an address that begins with https://")
		}
		card["actions"] = []any{map[string]any{"type": "Action.OpenUrl", "title": message.Clean(link.Title, 80), "url": link.URL}}
	}
	whole := map[string]any{
		"type": "message",
		"attachments": []any{map[string]any{
			"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": nil, "content": card,
		}},
	}
	frame, err := engine.EncodeJSON(whole)
	if err != nil {
		return nil, fmt.Errorf("encoding a card: %w", err)
	}
	if card["body"], err = blocks(message.Render(msg.Text, escape), maxSize-len(frame)); err != nil {
		return nil, fmt.Errorf("encoding a card: %w", err)
	}
	return whole, nil
}

// blocks are the lines of the text, one block each: a card takes a single line
// break for a space. They have at most so many bytes together.
func blocks(text string, room int) ([]any, error) {
	last, err := size(block(shortened, ""))
	if err != nil {
		return nil, err
	}
	frame, err := size(block("", "medium"))
	if err != nil {
		return nil, err
	}
	out := []any{}
	spacing := ""
	for line := range strings.SplitSeq(text, "\n") {
		if strings.TrimSpace(line) == "" {
			spacing = "medium" // a paragraph begins
			continue
		}
		next := block(line, spacing)
		n, err := size(next)
		if err != nil {
			return nil, err
		}
		if n+last > room || len(out) == maxLines {
			if cut := fitting(line, room-last-frame); len(out) < maxLines && cut != "" {
				out = append(out, block(cut, spacing))
			}
			return append(out, block(shortened, "")), nil
		}
		room -= n
		out, spacing = append(out, next), "none"
	}
	return out, nil
}

func block(line, spacing string) map[string]any {
	b := map[string]any{"type": "TextBlock", "text": line, "wrap": true}
	if spacing != "" {
		b["spacing"] = spacing
	}
	return b
}

// size is how many bytes a block adds to the body.
func size(block map[string]any) (int, error) {
	encoded, err := engine.EncodeJSON(block)
	return len(encoded) + len(","), err
}

// fitting is the beginning of a line, at most limit bytes of it as JSON, without
// half an escape at its end.
func fitting(line string, limit int) string {
	end := len(line)
	for at, r := range line {
		if limit -= encodedSize(r); limit < 0 {
			end = at
			break
		}
	}
	head := line[:end]
	slashes := len(head) - len(strings.TrimRight(head, `\`))
	return head[:len(head)-slashes%2]
}

// encodedSize is how many bytes a character has at most within a JSON string.
func encodedSize(r rune) int {
	switch {
	case r < 0x20, r == 0x7f, r == 0x2028, r == 0x2029:
		return len(`\u0000`)
	case r == '"', r == '\\':
		return 2
	default:
		return utf8.RuneLen(r)
	}
}

// escape makes foreign text inert: whatever could begin markup stands behind a
// backslash, which the Markdown of cards takes away. "{" begins the functions of
// cards, as in {{DATE(…)}}.
func escape(s string) string {
	var b strings.Builder
	for i, r := range s {
		if strings.ContainsRune("\\`*_{}[]()<>#!|~&", r) || beginsList(s, i) || beginsAddress(s, i) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// beginsList reports the sign at i that makes the beginning of s an item of a
// list, or a heading: "- a", "+ a", "1. a", "=".
func beginsList(s string, i int) bool {
	switch s[i] {
	case '-', '+', '=':
		return i == 0
	case '.':
		return i > 0 && strings.Trim(s[:i], "0123456789") == ""
	default:
		return false
	}
}

// beginsAddress reports the sign at i that makes what stands there an address
// that is a link by itself.
func beginsAddress(s string, i int) bool {
	switch s[i] {
	case ':':
		return strings.HasPrefix(s[i:], "://")
	case '.':
		return i >= 3 && strings.EqualFold(s[i-3:i], "www")
	default:
		return false
	}
}
