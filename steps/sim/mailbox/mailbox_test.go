package mailbox_test

import (
	"encoding/base64"
	"errors"
	"net/textproto"
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/steps/sim/mailbox"
)

const good = "From: a@example.com\r\nTo: b@example.com\r\nSubject: Hello\r\nDate: Sun, 01 Mar 2026 12:00:00 +0000\r\n" +
	"Message-ID: <1@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello\r\n"

func TestParseIsStrict(t *testing.T) {
	t.Parallel()
	if m, err := mailbox.Parse([]byte(good)); err != nil || m.Said() != "Hello" || m.Subject != "Hello" {
		t.Fatalf("got %+v, %v", m, err)
	}
	for name, change := range map[string][2]string{
		"bare LF":             {"Hello\r\nDate", "Hello\nDate"},
		"bare CR":             {"\r\n\r\nHello", "\r\n\r\nHel\rlo"},
		"long line":           {"Subject: Hello", "Subject: " + strings.Repeat("x", 1000)},
		"header not ASCII":    {"Subject: Hello", "Subject: Zoë"},
		"field twice":         {"Subject: Hello", "Subject: Hello\r\nSubject: Again"},
		"no date":             {"Date: Sun, 01 Mar 2026 12:00:00 +0000\r\n", ""},
		"no Message-ID":       {"Message-ID: <1@example.com>\r\n", ""},
		"broken Message-ID":   {"<1@example.com>", "1"},
		"broken address":      {"To: b@example.com", "To: b"},
		"other character set": {"utf-8", "latin1"},
		"no field":            {"Subject: Hello", "Subject Hello"},
		"no end of header":    {"\r\n\r\n", "\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := mailbox.Parse([]byte(strings.Replace(good, change[0], change[1], 1))); !errors.Is(err, mailbox.ErrMalformed) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestTheServerIsStrict speaks to it line by line.
func TestTheServerIsStrict(t *testing.T) {
	t.Parallel()
	server, err := mailbox.New(mailbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	conn, err := textproto.Dial("tcp", server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, _, err := conn.ReadResponse(220); err != nil {
		t.Fatal(err)
	}
	user, password := server.Credentials()
	secret := base64.StdEncoding.EncodeToString([]byte("\x00" + user + "\x00" + password))
	for _, step := range []struct {
		say  string
		code int
	}{
		{"MAIL FROM:<a@example.com>", 502}, {"EHLO test.example.com", 250}, {"MAIL FROM:<a@example.com>", 530},
		{"AUTH PLAIN " + secret, 523}, {"RCPT TO:<b@example.com>", 502}, {"DATA", 502}, {"RSET", 250}, {"NOOP", 250},
	} {
		if err := conn.PrintfLine("%s", step.say); err != nil {
			t.Fatal(err)
		}
		if _, said, err := conn.ReadResponse(step.code); err != nil {
			t.Fatalf("to %s it says %q: %v", step.say, said, err)
		}
	}
}
