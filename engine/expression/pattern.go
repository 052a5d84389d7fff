package expression

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
)

// Bounds on regular expressions. The time a match takes is that of the text
// times that of the expression.
const (
	maxPattern = 2000 // bytes of a regular expression
	maxStates  = 1000 // of the machine it becomes: a{500} has as many as 500 letters
)

// pattern is a compiled regular expression and the number of its states.
type pattern struct {
	*regexp.Regexp
	size int
}

// errPattern is for what is no regular expression at all.
var errPattern = errors.New("is not a regular expression")

// errLargePattern is for one that would take too long.
var errLargePattern = errors.New("is too large a regular expression")

// compilePattern is the pattern of a text; errors wrap errPattern or errLargePattern.
func compilePattern(text string) (*pattern, error) {
	if len(text) > maxPattern {
		return nil, errLargePattern
	}
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errPattern, err)
	}
	states, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errPattern, err)
	}
	if len(states.Inst) > maxStates {
		return nil, errLargePattern
	}
	compiled, err := regexp.Compile(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errPattern, err)
	}
	return &pattern{compiled, len(states.Inst)}, nil
}

// reasonOf is the error without its cause, which quotes the text.
func reasonOf(err error) string {
	if errors.Is(err, errLargePattern) {
		return errLargePattern.Error()
	}
	return errPattern.Error()
}
