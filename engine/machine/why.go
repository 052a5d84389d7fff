package machine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// longestWhy is how many bytes of reasons are kept with a change.
const longestWhy = 600

// why says in words why a change is about its target: the `reasons` that the
// element of the nearest loop gives, and the `evidence` behind them. Actions
// that find people give both. It is "" where no loop around it knows.
func why(f *frame) string {
	if f.node.Uses.Effect != engine.Change {
		return ""
	}
	for ; f != nil; f = f.parent {
		if f.env == nil || f.env.item == nil {
			continue
		}
		if said := whyOf(f.env.item.raw); said != "" {
			return said
		}
	}
	return ""
}

// whyOf reads the reasons of an element; what has another shape gives none.
func whyOf(raw []byte) string {
	var element struct {
		Reasons  []string        `json:"reasons"`
		Evidence json.RawMessage `json:"evidence"`
	}
	if json.Unmarshal(raw, &element) != nil || len(element.Reasons) == 0 {
		return ""
	}
	said := strings.Join(element.Reasons, ", ")
	if facts := factsOf(element.Evidence); len(facts) > 0 {
		said += ": " + strings.Join(facts, ", ")
	}
	return shortened(said)
}

// factsOf lists the members of an object, in the order they stand there.
func factsOf(evidence json.RawMessage) []string {
	dec := json.NewDecoder(bytes.NewReader(evidence))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return nil
	}
	var facts []string
	for dec.More() {
		name, err := dec.Token()
		var value any
		if err != nil || dec.Decode(&value) != nil {
			return facts
		}
		if said := fact(value); said != "" {
			facts = append(facts, fmt.Sprintf("%s %s", name, said))
		}
	}
	return facts
}

// fact is a value of the evidence in words; what is nothing says nothing.
func fact(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		if v != 0 {
			return strconv.FormatFloat(v, 'f', -1, 64)
		}
	case bool:
		if v {
			return "yes"
		}
	case []any:
		var parts []string
		for _, elem := range v {
			if part := fact(elem); part != "" {
				parts = append(parts, part)
			}
		}
		return strings.Join(parts, " ")
	}
	return ""
}

func shortened(s string) string {
	if len(s) <= longestWhy {
		return s
	}
	end := longestWhy
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
