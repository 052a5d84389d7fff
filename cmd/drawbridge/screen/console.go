package screen

import (
	"bytes"
	"io"
	"strconv"
	"strings"
	"sync"
)

// Console is a terminal of which the last lines are redrawn in place while
// everything else that is written scrolls by above them. It may be used by
// several goroutines. What it writes must be complete lines.
type Console struct {
	mu     sync.Mutex
	out    io.Writer
	frame  []string // the lines at the bottom, drawn again after each write
	drawn  int      // how many of them stand on the screen
	hidden bool     // the cursor
}

// NewConsole makes a console over a terminal.
func NewConsole(out io.Writer) *Console { return &Console{out: out} }

// Write prints text above the frame. A last line without its end is completed,
// or the frame would be drawn into it.
func (c *Console) Write(text []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var b bytes.Buffer
	c.erase(&b)
	b.Write(text)
	if c.hidden && len(text) > 0 && text[len(text)-1] != '\n' {
		b.WriteByte('\n')
	}
	c.redraw(&b)
	if _, err := c.out.Write(b.Bytes()); err != nil {
		return 0, err
	}
	return len(text), nil
}

// Draw replaces the frame. Lines must fit the width of the terminal.
func (c *Console) Draw(lines []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var b bytes.Buffer
	if !c.hidden {
		b.WriteString("\x1b[?25l")
		c.hidden = true
	}
	c.erase(&b)
	c.frame = lines
	c.redraw(&b)
	_, _ = c.out.Write(b.Bytes()) // a terminal that went away is no reason to stop a run
}

// Close takes the frame away and gives the cursor back. It may be called twice.
func (c *Console) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	var b bytes.Buffer
	c.erase(&b)
	c.frame = nil
	if c.hidden {
		b.WriteString("\x1b[?25h")
		c.hidden = false
	}
	_, _ = c.out.Write(b.Bytes())
}

func (c *Console) erase(b *bytes.Buffer) {
	if c.drawn > 0 {
		b.WriteString("\x1b[" + strconv.Itoa(c.drawn) + "A\r\x1b[J")
		c.drawn = 0
	}
}

func (c *Console) redraw(b *bytes.Buffer) {
	if len(c.frame) == 0 {
		return
	}
	b.WriteString(strings.Join(c.frame, "\n") + "\n")
	c.drawn = len(c.frame)
}
