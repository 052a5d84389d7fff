package screen

import (
	"strings"

	"github.com/drawbridge-soar/drawbridge/steps/message"
)

// Clean makes foreign text safe for one line of a terminal, at most limit
// characters long; 0 means no limit.
func Clean(s string, limit int) string { return message.Clean(s, limit) }

// CleanLines is Clean for text of several lines, whose line breaks stay.
func CleanLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = message.Clean(line, 0)
	}
	return strings.Join(lines, "\n")
}
