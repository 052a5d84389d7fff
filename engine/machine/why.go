package machine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// longestWhy is how many bytes of reasons are kept with a change.
const longestWhy = 600

// why says in words why a change is about its target: the `reasons` that the
// element of the nearest loop gives with the `evidence` behind them, as actions
// that find people do, and the conditions that let it through. It is "" where
// nothing around it knows.
func why(f *frame) string {
	if f.node.Uses.Effect != engine.Change {
		return ""
	}
	conditions := conditionsAround(f)
	for ; f != nil; f = f.parent {
		if f.env == nil || f.env.item == nil {
			continue
		}
		if said := whyOf(f.env.item.raw); said != "" {
			return shortened(strings.Join(append([]string{said}, conditions...), "; "))
		}
	}
	return shortened(strings.Join(conditions, "; "))
}

// conditionsAround are the conditions that led to a step, the innermost first.
func conditionsAround(f *frame) []string {
	var out []string
	var from *frame
	for ; f != nil; from, f = f, f.parent {
		if f.kind != kindStep {
			continue
		}
		if n := f.node; n.If != nil {
			word := "if "
			if from != nil && from.part.name == partElse {
				word = "unless "
			}
			out = append(out, word+oneLine(n.If.Source()))
		}
		if from != nil && f.node.Form == program.FormSwitch {
			out = append(out, caseOf(f, from))
		}
	}
	return out
}

func caseOf(f, from *frame) string {
	if from.part.name == partDefault {
		return "no case of " + oneLine(f.node.Switch.Source())
	}
	return "case " + f.node.Branches[from.part.n].Name + " of " + oneLine(f.node.Switch.Source())
}

func oneLine(source string) string { return strings.Join(strings.Fields(source), " ") }

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
