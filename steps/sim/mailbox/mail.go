package mailbox

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"
)

// silence is how long a message that is never answered keeps its sender waiting.
const silence = 10 * time.Minute

// maxLine is the longest line of a message without its end (RFC 5322, 2.1.1).
const maxLine = 998

// ErrMalformed is wrapped by the errors of Parse.
var ErrMalformed = errors.New("the message is malformed")

// Mail is a mail that was taken.
type Mail struct {
	From    string      `json:"from"` // of the envelope
	To      []string    `json:"to"`   // of the envelope
	Header  mail.Header `json:"header"`
	Subject string      `json:"subject"` // decoded
	Text    string      `json:"text"`    // the part that is plain text, decoded, with \n as the end of lines
	HTML    string      `json:"html"`    // the same of the HTML part
	Raw     []byte      `json:"-"`
	Lost    bool        `json:"lost"` // the sender was never told
}

// Said is the text without the end of its last line, which every mail has.
func (m Mail) Said() string { return strings.TrimSuffix(m.Text, "\n") }

// Parse reads a message as strictly as a careful server does.
func Parse(raw []byte) (Mail, error) {
	if err := checkLines(raw); err != nil {
		return Mail{}, err
	}
	if err := checkHeader(raw); err != nil {
		return Mail{}, err
	}
	message, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return Mail{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	m := Mail{Header: message.Header, Raw: raw}
	if m.Subject, err = new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject")); err != nil {
		return Mail{}, fmt.Errorf("%w: its subject: %w", ErrMalformed, err)
	}
	if err := m.checkFields(); err != nil {
		return Mail{}, err
	}
	if err := m.readPart(message.Header.Get, message.Body, 0); err != nil {
		return Mail{}, err
	}
	return m, nil
}

// checkLines refuses lines that do not end in CRLF and lines that are too long.
func checkLines(raw []byte) error {
	for n, line := range bytes.SplitAfter(raw, []byte("\n")) {
		bare, ended := bytes.CutSuffix(line, []byte("\r\n"))
		switch {
		case len(line) == 0:
		case !ended, bytes.ContainsAny(bare, "\r\n"):
			return fmt.Errorf("%w: line %d does not end in CRLF", ErrMalformed, n+1)
		case len(bare) > maxLine:
			return fmt.Errorf("%w: line %d is longer than %d characters", ErrMalformed, n+1, maxLine)
		case bytes.IndexByte(bare, 0) >= 0:
			return fmt.Errorf("%w: line %d contains a NUL", ErrMalformed, n+1)
		}
	}
	return nil
}

// checkHeader refuses what is not ASCII where no SMTPUTF8 was agreed upon, and
// fields that may be there only once but are not.
func checkHeader(raw []byte) error {
	head, _, ended := bytes.Cut(raw, []byte("\r\n\r\n"))
	if !ended {
		return fmt.Errorf("%w: it has no empty line after its header", ErrMalformed)
	}
	if !isASCII(string(head)) {
		return fmt.Errorf("%w: its header is not ASCII", ErrMalformed)
	}
	seen := map[string]bool{}
	for line := range strings.SplitSeq(string(head), "\r\n") {
		name, _, isField := strings.Cut(line, ":")
		switch {
		case strings.HasPrefix(line, " "), strings.HasPrefix(line, "\t"):
			if strings.TrimSpace(line) == "" {
				return fmt.Errorf("%w: its header has a line of white space", ErrMalformed)
			}
			continue
		case !isField || name == "" || strings.ContainsAny(name, " \t"):
			return fmt.Errorf("%w: its header has a line that is no field", ErrMalformed)
		}
		if name = strings.ToLower(name); seen[name] && name != "received" {
			return fmt.Errorf("%w: its header has the field %s twice", ErrMalformed, name)
		}
		seen[name] = true
	}
	return nil
}

func (m *Mail) checkFields() error {
	for _, name := range []string{"From", "Date", "Message-ID", "MIME-Version", "Subject", "To"} {
		if m.Header.Get(name) == "" {
			return fmt.Errorf("%w: it has no %s", ErrMalformed, name)
		}
	}
	if _, err := m.Header.Date(); err != nil {
		return fmt.Errorf("%w: its date: %w", ErrMalformed, err)
	}
	for _, name := range []string{"From", "To", "Cc"} {
		if _, err := m.Header.AddressList(name); err != nil && !errors.Is(err, mail.ErrHeaderNotPresent) {
			return fmt.Errorf("%w: its %s: %w", ErrMalformed, name, err)
		}
	}
	id := m.Header.Get("Message-ID")
	if !strings.HasPrefix(id, "<") || !strings.HasSuffix(id, ">") || strings.Count(id, "@") != 1 || strings.ContainsAny(id, " \t") {
		return fmt.Errorf("%w: its Message-ID is %q", ErrMalformed, id)
	}
	return nil
}

// readPart decodes a part, and those in it.
func (m *Mail) readPart(header func(string) string, body io.Reader, depth int) error {
	kind, params, err := mime.ParseMediaType(header("Content-Type"))
	switch {
	case err != nil:
		return fmt.Errorf("%w: its Content-Type: %w", ErrMalformed, err)
	case strings.HasPrefix(kind, "multipart/"):
		return m.readParts(multipart.NewReader(body, params["boundary"]), depth)
	case !strings.EqualFold(params["charset"], "utf-8"):
		return fmt.Errorf("%w: a part has the character set %q", ErrMalformed, params["charset"])
	}
	text, err := decode(header("Content-Transfer-Encoding"), body)
	if err != nil {
		return err
	}
	text = strings.ReplaceAll(text, "\r\n", "\n")
	switch kind {
	case "text/plain":
		m.Text += text
	case "text/html":
		m.HTML += text
	default:
		return fmt.Errorf("%w: a part is %s", ErrMalformed, kind)
	}
	return nil
}

func (m *Mail) readParts(parts *multipart.Reader, depth int) error {
	if depth > 3 {
		return fmt.Errorf("%w: its parts are nested too deeply", ErrMalformed)
	}
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: its parts: %w", ErrMalformed, err)
		}
		if err := m.readPart(part.Header.Get, part, depth+1); err != nil {
			return err
		}
	}
}

func decode(encoding string, body io.Reader) (string, error) {
	switch strings.ToLower(encoding) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "", "7bit", "8bit":
	default:
		return "", fmt.Errorf("%w: a part has the encoding %q", ErrMalformed, encoding)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return "", fmt.Errorf("%w: decoding a part: %w", ErrMalformed, err)
	}
	if !utf8.Valid(text) {
		return "", fmt.Errorf("%w: a part is not UTF-8", ErrMalformed)
	}
	return string(text), nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
