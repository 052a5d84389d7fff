package rest

import (
	"net/http"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// nextLink is the target of the link with rel="next" in the headers, as RFC
// 8288 has it; "" where there is none. What cannot be read is an error: it may
// be the page that is missing.
func nextLink(header http.Header) (string, error) {
	next := ""
	for _, line := range header.Values("Link") {
		for rest := line; strings.Trim(rest, " \t,") != ""; {
			var target string
			var isNext, ok bool
			if target, isNext, rest, ok = link(strings.TrimLeft(rest, " \t,")); !ok {
				return "", engine.Fail(engine.ClassTransient, transport.CodeBrokenAnswer, "the header Link cannot be read")
			}
			if isNext && next != "" && next != target {
				return "", engine.Fail(engine.ClassTransient, transport.CodeBrokenAnswer, "the header Link names two next pages")
			}
			if isNext {
				next = target
			}
		}
	}
	return next, nil
}

// link reads one link-value: <target>; name=value; name="value".
func link(s string) (target string, isNext bool, rest string, ok bool) {
	end := strings.IndexByte(s, '>')
	if !strings.HasPrefix(s, "<") || end < 0 {
		return "", false, "", false
	}
	target, rest = s[1:end], s[end+1:]
	seen := false
	for {
		rest = strings.TrimLeft(rest, " \t")
		if rest == "" || rest[0] == ',' {
			return target, isNext, rest, true
		}
		if rest[0] != ';' {
			return "", false, "", false
		}
		var name, value string
		if name, value, rest, ok = parameter(strings.TrimLeft(rest[1:], " \t")); !ok {
			return "", false, "", false
		}
		if strings.EqualFold(name, "rel") && !seen { // only the first counts
			seen = true
			for _, relation := range strings.Fields(value) {
				isNext = isNext || strings.EqualFold(relation, "next")
			}
		}
	}
}

// parameter reads name, name=token or name="quoted"; an empty one is fine.
func parameter(s string) (name, value, rest string, ok bool) {
	end := strings.IndexAny(s, "=;, \t")
	if end < 0 {
		return s, "", "", true
	}
	name, rest = s[:end], strings.TrimLeft(s[end:], " \t")
	if !strings.HasPrefix(rest, "=") {
		return name, "", rest, true
	}
	rest = strings.TrimLeft(rest[1:], " \t")
	if !strings.HasPrefix(rest, `"`) {
		end = strings.IndexAny(rest, ";, \t")
		if end < 0 {
			end = len(rest)
		}
		return name, rest[:end], rest[end:], true
	}
	var b strings.Builder
	for i := 1; i < len(rest); i++ {
		switch {
		case rest[i] == '"':
			return name, b.String(), rest[i+1:], true
		case rest[i] == '\\' && i+1 < len(rest):
			i++
		}
		b.WriteByte(rest[i])
	}
	return "", "", "", false
}
