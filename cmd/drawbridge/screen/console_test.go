package screen_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/screen"
)

// display is as much of a terminal as the console uses.
type display struct {
	lines  []string
	cursor bool
}

func show(t *testing.T, written string) display {
	t.Helper()
	d := display{lines: []string{""}, cursor: true}
	for len(written) > 0 {
		switch {
		case take(&written, "\x1b[?25l"):
			d.cursor = false
		case take(&written, "\x1b[?25h"):
			d.cursor = true
		case strings.HasPrefix(written, "\x1b["):
			d.up(t, &written)
		case take(&written, "\n"):
			d.lines = append(d.lines, "")
		default:
			d.lines[len(d.lines)-1] += written[:1]
			written = written[1:]
		}
	}
	return d
}

func (d *display) up(t *testing.T, written *string) {
	t.Helper()
	var n int
	if _, err := fmt.Sscanf(*written, "\x1b[%dA\r\x1b[J", &n); err != nil {
		t.Fatalf("an escape sequence the console must not use: %q", *written)
	}
	*written = strings.TrimPrefix(*written, fmt.Sprintf("\x1b[%dA\r\x1b[J", n))
	d.lines = append(d.lines[:len(d.lines)-1-n], "")
}

func take(s *string, prefix string) bool {
	rest, found := strings.CutPrefix(*s, prefix)
	*s = rest
	return found
}

func TestConsoleKeepsTheFrameBelowWhatIsWritten(t *testing.T) {
	var out bytes.Buffer
	c := screen.NewConsole(&out)
	c.Draw([]string{"step one", "step two"})
	fmt.Fprintln(c, "a message")
	c.Draw([]string{"step one", "step two", "step three"})
	fmt.Fprint(c, "one without its end")
	d := show(t, out.String())
	want := "a message\none without its end\nstep one\nstep two\nstep three\n"
	if got := strings.Join(d.lines, "\n"); got != want {
		t.Errorf("the screen shows:\n%s\nwant:\n%s", got, want)
	}
	if d.cursor {
		t.Error("the cursor blinks in the frame")
	}
}

func TestConsoleGivesTheScreenBack(t *testing.T) {
	var out bytes.Buffer
	c := screen.NewConsole(&out)
	c.Draw([]string{"step one"})
	c.Close()
	c.Close()
	fmt.Fprintln(c, "the report")
	d := show(t, out.String())
	if got := strings.Join(d.lines, "\n"); got != "the report\n" || !d.cursor {
		t.Errorf("the screen shows %q, cursor %v", got, d.cursor)
	}
}

func TestConsoleThatNeverDrewWritesPlainText(t *testing.T) {
	var out bytes.Buffer
	c := screen.NewConsole(&out)
	fmt.Fprint(c, "plain")
	c.Close()
	if out.String() != "plain" {
		t.Errorf("got %q", out.String())
	}
}
