package yamldoc

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

// Bool is the value of a plain true or false. YAML's yes, no, on and off are text.
func (n *Node) Bool() (value, ok bool) {
	if n.Kind() != Scalar || n.Quoted() {
		return false, false
	}
	switch n.value {
	case "true", "True", "TRUE":
		return true, true
	case "false", "False", "FALSE":
		return false, true
	}
	return false, false
}

// Integer is the value of a plain decimal integer that fits 64 bits. Octal,
// hexadecimal and grouped digits (0777, 0x1f, 1_000) are text: readers and
// YAML versions disagree about them.
func (n *Node) Integer() (int64, bool) {
	if n.Kind() != Scalar || n.Quoted() || !isInteger(n.value) {
		return 0, false
	}
	v, err := strconv.ParseInt(n.value, 10, 64)
	return v, err == nil
}

// Number is the value of a plain decimal number, with or without a fraction
// and an exponent. Infinities and NaN are text.
func (n *Node) Number() (float64, bool) {
	if n.Kind() != Scalar || n.Quoted() || !numberPattern().MatchString(n.value) {
		return 0, false
	}
	v, err := strconv.ParseFloat(n.value, 64)
	return v, err == nil && !math.IsInf(v, 0)
}

func isInteger(s string) bool {
	digits := strings.TrimLeft(s, "+-")
	if digits == "" || len(s)-len(digits) > 1 || len(digits) > 1 && digits[0] == '0' {
		return false
	}
	return strings.Trim(digits, "0123456789") == ""
}

func numberPattern() *regexp.Regexp {
	return regexp.MustCompile(`^[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)
}
