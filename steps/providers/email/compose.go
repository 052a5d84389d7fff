package email

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/mail"
	"regexp"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/message"
)

const (
	maxSubject        = 160 // characters; programs show some 70 of them
	maxForeignSubject = 60  // of one interpolated value, so that what the author wrote stays in sight
)

// compose makes the message as it goes over the wire: the header, and the text
// as plain text and as HTML.
func (m *messenger) compose(msg message.Message) ([]byte, error) {
	id, err := m.messageID(msg.Key)
	if err != nil {
		return nil, err
	}
	subject := m.subject(msg.Text)
	page, err := asHTML(subject, msg)
	if err != nil {
		return nil, err
	}
	out := gomail.NewMsg(gomail.WithCharset(gomail.CharsetUTF8), gomail.WithEncoding(gomail.EncodingQP), gomail.WithNoDefaultUserAgent())
	out.FromMailAddress(m.from)
	out.ToMailAddress(copies(m.to)...)
	if len(m.cc) > 0 {
		out.CcMailAddress(copies(m.cc)...)
	}
	out.Subject(subject)
	out.SetDateWithValue(m.now())
	out.SetMessageIDWithValue(id)
	out.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834
	out.SetGenHeader(gomail.HeaderXAutoResponseSuppress, "All")
	out.SetGenHeader(gomail.HeaderUserAgent, "Drawbridge/"+message.Clean(m.version, 0))
	out.SetBodyString(gomail.TypeTextPlain, asText(msg.Linked()))
	out.AddAlternativeString(gomail.TypeTextHTML, page)
	var buf bytes.Buffer
	if _, err := out.WriteTo(&buf); err != nil {
		return nil, fmt.Errorf("composing a mail: %w", err)
	}
	return buf.Bytes(), nil
}

// copies keeps the library's hands off the settings.
func copies(list []*mail.Address) []*mail.Address {
	out := make([]*mail.Address, len(list))
	for i, a := range list {
		c := *a
		out[i] = &c
	}
	return out
}

// messageID is the same for every attempt at a message, and tells nobody what
// the step is called.
func (m *messenger) messageID(key string) (string, error) {
	id := sha256.Sum256([]byte(key))
	if key == "" {
		if _, err := rand.Read(id[:]); err != nil {
			return "", fmt.Errorf("making a Message-ID: %w", err)
		}
	}
	return hex.EncodeToString(id[:16]) + "@" + domain(m.from), nil
}

// subject is the first line that says something.
func (m *messenger) subject(t engine.Text) string {
	var b strings.Builder
	for _, part := range t {
		if part.Foreign {
			b.WriteString(message.Clean(part.S, maxForeignSubject))
		} else {
			b.WriteString(plain(part.S))
		}
	}
	line, _, _ := strings.Cut(strings.TrimSpace(b.String()), "\n")
	line = strings.Join(strings.Fields(m.prefix+" "+line), " ") // a folded header keeps single spaces only
	// An encoded word (RFC 2047) in the text would be decoded by who reads it,
	// and with it whatever was taken out before.
	return message.Clean(strings.ReplaceAll(line, "=?", "= ?"), maxSubject)
}

// asText is the plain text: what the author wrote as it is.
func asText(t engine.Text) string {
	return plain(message.Render(t, func(foreign string) string { return foreign }))
}

// plain is what the author wrote in the characters and line ends of a mail.
func plain(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\r\n", "\n"), "\ufffd")
}

// piece is a part of the HTML text: a line break, a link, or text.
type piece struct {
	Break bool
	Link  string
	Text  string
}

// page escapes whatever it is given.
const page = `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{{.Subject}}</title></head>
<body style="font-family: sans-serif; line-height: 1.5">
<p>{{range .Pieces}}{{if .Break}}<br>
{{else if .Link}}<a href="{{.Link}}">{{.Text}}</a>{{else}}{{.Text}}{{end}}{{end}}</p>{{with .Link}}
<p>{{.Title}}: <a href="{{.URL}}">{{.URL}}</a></p>{{end}}
</body></html>
`

func asHTML(subject string, msg message.Message) (string, error) {
	parsed, err := template.New("mail").Parse(page)
	if err != nil {
		return "", fmt.Errorf("composing a mail: %w", err)
	}
	var pieces []piece
	for _, part := range msg.Text {
		if part.Foreign {
			pieces = append(pieces, piece{Text: message.Clean(part.S, message.MaxForeign)})
		} else {
			pieces = append(pieces, written(part.S)...)
		}
	}
	var buf bytes.Buffer
	shown := map[string]any{"Subject": subject, "Pieces": pieces}
	if msg.Link.URL != "" {
		shown["Link"] = msg.Link
	}
	if err := parsed.Execute(&buf, shown); err != nil {
		return "", fmt.Errorf("composing a mail: %w", err)
	}
	return buf.String(), nil
}

// written is what the author wrote: its lines, and its web addresses as links.
func written(s string) []piece {
	address := regexp.MustCompile(`https?://[^\s<>"'|]*[^\s<>"'|.,;:!?)\]}]`)
	var out []piece
	for n, line := range strings.Split(plain(s), "\n") {
		if n > 0 {
			out = append(out, piece{Break: true})
		}
		rest := 0
		for _, at := range address.FindAllStringIndex(line, -1) {
			out = append(out, piece{Text: line[rest:at[0]]}, piece{Link: line[at[0]:at[1]], Text: line[at[0]:at[1]]})
			rest = at[1]
		}
		out = append(out, piece{Text: line[rest:]})
	}
	return out
}
