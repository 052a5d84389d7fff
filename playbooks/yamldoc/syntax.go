package yamldoc

import (
	"fmt"
	"regexp"
	"strings"
)

// syntaxError points at what yaml.v3 could not read. Its own errors carry no
// column and often the line where the enclosing value began, so the place is
// found by reading ever shorter beginnings of the file.
func syntaxError(src *source, err error) Diagnostic {
	text := regexp.MustCompile(`^(decoding: )?yaml: (line \d+: )?`).ReplaceAllString(err.Error(), "")
	line := firstBadLine(src)
	content := src.line(line)
	indent := len(content) - len(strings.TrimLeft(content, " \t"))
	at := src.lines[line-1] + indent
	if tab := strings.IndexByte(content[:indent], '\t'); tab >= 0 {
		return src.diagnostic(src.lines[line-1]+tab, 1, "syntax", "a tab cannot indent YAML").
			WithHint("indent with spaces")
	}
	if name, ok := strings.CutPrefix(text, "unknown anchor '"); ok {
		name, _, _ = strings.Cut(name, "'")
		at += max(0, strings.Index(content[indent:], "*"+name))
		return src.diagnostic(at, len(name)+1, "aliases", "there is no anchor &"+clip(name)+" before this alias")
	}
	if strings.Contains(text, "exceeded max depth") {
		return src.diagnostic(at, 1, "too-deep", fmt.Sprintf("nested more than %d levels deep", MaxDepth))
	}
	if from := quotedPart(content); from >= 0 {
		return src.diagnostic(src.lines[line-1]+from, len(content)-from, "syntax", "this is not YAML: "+clip(text)).
			WithHint("a text that begins with a quotation mark or a bracket, and goes on after its counterpart, must be in quotes as a whole, as in '\"a\" in list'")
	}
	d := src.diagnostic(at, len(content)-indent, "syntax", "this is not YAML: "+clip(text))
	if hint := syntaxHint(text, content); hint != "" {
		d.Hint = hint
	}
	return d
}

// quotedPart is where the value of a line begins that is quoted or bracketed
// only in its first part, or -1: if: "a" in ["a"].
func quotedPart(content string) int {
	found := regexp.MustCompile(`^[-\s]*[A-Za-z_]+:\s+((?:"[^"]*"|'[^']*'|\[[^\]]*\])\s*[^\s,#:\]}"'].*)$`).FindStringSubmatchIndex(content)
	if found == nil {
		return -1
	}
	return found[2]
}

// syntaxHint says what to do about the mistakes people make most.
func syntaxHint(text, content string) string {
	trimmed := strings.TrimSpace(content)
	switch {
	case strings.Contains(content, "${{") && strings.ContainsAny(trimmed, "[{"):
		return `inside { } and [ ], put "${{ … }}" in double quotes`
	case strings.Contains(text, "incompatible YAML document"):
		return "leave the line with %YAML out"
	case strings.Contains(text, "mapping values are not allowed"):
		return `a text that holds ": " must be in quotes, and keys of one map are indented alike`
	case strings.Contains(text, "cannot start any token"):
		return "a text that begins with @, `, % or another sign must be in quotes"
	case strings.Contains(text, "did not find expected"):
		return "look for a missing bracket or quote, or for lines that are not indented alike"
	}
	return ""
}

// maxTries bounds how often a broken file is read again.
const maxTries = 60

// firstBadLine is the line after the longest beginning of the file that reads:
// the line of the mistake, or the one in which something unclosed began.
func firstBadLine(src *source) int {
	good, bad, tries := 0, len(src.lines), 0
	for tries < maxTries {
		for bad-good > 1 && tries < maxTries {
			tries++
			if middle := (good + bad) / 2; src.reads(middle) {
				good = middle
			} else {
				bad = middle
			}
		}
		further := src.readsFurther(bad, &tries)
		if further == 0 {
			break
		}
		good, bad = further, len(src.lines)
	}
	for bad < len(src.lines) && blank(src.line(bad)) {
		bad++
	}
	return bad
}

// readsFurther looks for a longer beginning that reads: the line in question
// may only have begun a value of several lines.
func (s *source) readsFurther(bad int, tries *int) int {
	const ahead = 12
	for line := bad + 1; line <= bad+ahead && line < len(s.lines) && *tries < maxTries; line++ {
		*tries++
		if s.reads(line) {
			return line
		}
	}
	return 0
}

// reads reports whether the first lines of the file are YAML by themselves.
func (s *source) reads(lines int) bool {
	end := len(s.text)
	if lines < len(s.lines) {
		end = s.lines[lines]
	}
	_, _, err := decode(s.text[:end])
	return err == nil
}

func blank(line string) bool {
	line = strings.TrimSpace(line)
	return line == "" || line[0] == '#'
}
