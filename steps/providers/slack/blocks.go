package slack

import (
	"strings"
	"unicode/utf8"

	"github.com/drawbridge-soar/drawbridge/steps/message"
)

// Slack's limits, in characters, of which ours are the last two: nobody reads
// more in a chat, and notifications show the beginning.
const (
	maxBlocks  = 50
	maxSection = 3000
	maxMessage = 12_000
	maxText    = 4000
)

const (
	shortened = "… (shortened)"
	continued = "…" // begins a section in the middle of a line, so that nobody takes it for a line of its own
)

// payload is the message as both a webhook and chat.postMessage take it: blocks
// to read, and a text for notifications and for what shows no blocks.
func payload(msg message.Message) map[string]any {
	text := message.Render(msg.Text, escape)
	return map[string]any{
		"text": shorten(text, maxText), "blocks": blocks(shorten(text, maxMessage), msg.Link),
		"unfurl_links": false, "unfurl_media": false,
	}
}

// blocks are as many sections as the text needs, and one for the link. It is a
// link and not a button: pressing a button makes Slack call the app, and warn
// that it does not answer.
func blocks(text string, link message.Link) []any {
	var out []any
	begin := ""
	for text != "" && len(out) < maxBlocks-1 {
		part, rest := split(text, maxSection-utf8.RuneCountInString(begin))
		if strings.TrimSpace(part) != "" {
			out = append(out, section(begin+part))
		}
		begin = ""
		if rest != "" && text[len(part)] != '\n' {
			begin = continued
		}
		text = rest
	}
	if link.URL != "" {
		url := strings.ReplaceAll(escape(link.URL), "|", "%7C")
		out = append(out, section("<"+url+"|"+escape(link.Title)+">"))
	}
	return out
}

// section shows mrkdwn. That it is verbatim keeps Slack from making links and
// mentions of words that only look like them; those that are written as such work.
func section(text string) map[string]any {
	return map[string]any{
		"type": "section",
		"text": map[string]any{"type": "mrkdwn", "text": text, "verbatim": true},
	}
}

// escape makes foreign text inert: these three characters begin everything in
// Slack's markup that mentions or links.
func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// shorten cuts a text off that has more than limit characters, and says so.
func shorten(text string, limit int) string {
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	head, _ := split(text, limit-utf8.RuneCountInString(shortened))
	return head + shortened
}

// split takes at most limit characters off a text: to the end of a line where
// there is one, else of a word in its second half. It tears no link and no
// reference apart.
func split(text string, limit int) (head, rest string) {
	end := offset(text, limit)
	if end == len(text) {
		return text, ""
	}
	if at := strings.LastIndexByte(text[:end], '\n'); at > 0 {
		return text[:at], text[at+1:]
	}
	if at := whole(text, strings.LastIndexByte(text[:end], ' ')); at > end/2 {
		return text[:at], text[at:]
	}
	if at := whole(text, end); at > 0 {
		end = at
	}
	return text[:end], text[end:]
}

// offset is where so many characters of the text end.
func offset(text string, characters int) int {
	for at := range text {
		if characters == 0 {
			return at
		}
		characters--
	}
	return len(text)
}

// whole is the place at or before end where no "<…>" and no "&…;" is open.
func whole(text string, end int) int {
	if end <= 0 {
		return end
	}
	head := text[:end]
	if open := strings.LastIndexByte(head, '<'); open > strings.LastIndexByte(head, '>') {
		end = open
	}
	const longest = len("&amp;")
	if at := strings.LastIndexByte(text[:end], '&'); at >= 0 && end-at < longest && !strings.Contains(text[at:end], ";") {
		end = at
	}
	return end
}
