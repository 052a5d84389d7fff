package playbooks

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// smallest is the smallest step of each form.
func smallest() map[string]string {
	return map[string]string{
		"uses":               "uses: user.suspend, with: { id: u1 }",
		"steps":              "steps: [{ fail: x }]",
		"foreach with uses":  "foreach: '[\"a\"]', key: item, uses: user.suspend, with: { id: u1 }",
		"foreach with steps": "foreach: '[\"a\"]', steps: [{ fail: x }]",
		"parallel":           "parallel: { a: [{ fail: x }] }",
		"switch":             "switch: 1 + 1, cases: { 2: [{ fail: x }] }",
		"while":              "while: index < 1, max: 1, steps: [{ fail: x }]",
		"approve":            "approve: { title: x, by: [y] }",
		"wait":               "wait: { for: 1h }",
		"call":               "call: other",
		"set":                "set: { a: 1 }",
		"try":                "try: [{ fail: x }], finally: [{ fail: x }]",
		"fail":               "fail: x",
		"return":             "return:",
	}
}

// sample is a value each key of a step takes.
func sample(k key) string {
	switch k.name {
	case "if", "while":
		return "1 == 1"
	case "foreach":
		return `'["b"]'`
	case "switch":
		return "1 + 1"
	case "key", "label":
		return "item"
	case "uses":
		return "user.list"
	case "call":
		return "other"
	case "connection":
		return "1password"
	case "with":
		return "{}"
	case "retry":
		return "{ attempts: 2 }"
	case "approve":
		return "{ title: x, by: [y] }"
	case "wait":
		return "{ for: 1h }"
	case "on_error":
		return "continue"
	case "at_end":
		return "ask"
	case "timeout", "for":
		return "1h"
	case "max", "concurrency":
		return "2"
	case "set":
		return "{ b: 1 }"
	}
	switch k.shape {
	case stepList:
		return "[{ fail: y }]"
	case stepLists:
		return "{ b: [{ fail: y }] }"
	default:
		return "word"
	}
}

// For every form and every key: the checker and the schema agree on whether
// they go together.
func TestCheckerAndSchemaAgreeOnKeys(t *testing.T) {
	t.Parallel()
	schema := compiledSchema(t, testActions(t))
	env := testEnvironment(t)
	structural := []string{"unknown-key", "misplaced-key", "missing-key", "form", "type", "missing-input"}
	compared := 0
	for form, smallest := range smallest() {
		for _, k := range stepConstruct().keys {
			if strings.Contains(smallest, k.name+":") {
				continue
			}
			text := fmt.Sprintf("steps:\n  - { %s, %s: %s }\n", smallest, k.name, sample(k))
			b := load(t, map[string]string{"a.yaml": text, "other.yaml": "steps: [{ fail: x }]\n"}, "a.yaml")
			_, problems := Compile(b, env)
			problems = slices.DeleteFunc(problems, func(d yamldoc.Diagnostic) bool { return !slices.Contains(structural, d.Code) })
			v, ok := instance(t, []byte(text))
			if !ok {
				t.Fatalf("not YAML: %s", text)
			}
			if err := schema.Validate(v); (err != nil) != (len(problems) > 0) {
				t.Errorf("%s and %s: the schema says %v, the checker\n%s", form, k.name, err, yamldoc.Render(problems))
			}
			compared++
		}
	}
	if compared < 300 {
		t.Errorf("only %d pairs were compared", compared)
	}
}

func TestSmallestStepsAreValid(t *testing.T) {
	t.Parallel()
	schema := compiledSchema(t, testActions(t))
	seen := map[program.Form]bool{}
	for form, smallest := range smallest() {
		text := fmt.Sprintf("steps:\n  - { %s }\n", smallest)
		p, problems := Compile(load(t, map[string]string{"a.yaml": text, "other.yaml": "steps: [{ fail: x }]\n"}, "a.yaml"), testEnvironment(t))
		if p == nil {
			t.Errorf("%s:\n%s", form, yamldoc.Render(problems))
			continue
		}
		seen[p.Steps[0].Form] = true
		if v, ok := instance(t, []byte(text)); !ok || schema.Validate(v) != nil {
			t.Errorf("%s: the schema rejects it", form)
		}
	}
	if len(seen) != len(stepForms()) {
		t.Errorf("only these forms are tried: %v", seen)
	}
}

// A key with a letter too many is found wherever it stands.
func TestEveryMisspeltKeyIsFound(t *testing.T) {
	t.Parallel()
	env, tried := testEnvironment(t), 0
	for path, a := range archives(t, "valid") {
		lines := strings.Split(string(a.Files[0].Data), "\n")
		for i, line := range lines {
			name, _, isKey := strings.Cut(strings.TrimLeft(line, " -"), ":")
			if !isKey || !slices.Contains(allKeys(), name) || strings.Contains(line, "|") {
				continue
			}
			tried++
			broken := slices.Clone(lines)
			broken[i] = strings.Replace(line, name+":", name+"x:", 1)
			b := Bundle{Root: "a", Sources: map[string]Source{"a": {Name: "a", Path: "a.yaml", Data: []byte(strings.Join(broken, "\n"))}}}
			_, problems := Compile(b, env)
			found := slices.ContainsFunc(problems, func(d yamldoc.Diagnostic) bool {
				return d.Line == i+1 && d.Severity == yamldoc.Error && strings.HasPrefix(d.Code, "unknown-")
			})
			if !found {
				t.Errorf("%s:%d: %s is not reported:\n%s", path, i+1, broken[i], yamldoc.Render(problems))
			}
		}
	}
	if tried < 100 {
		t.Errorf("only %d keys were tried", tried)
	}
}

func allKeys() []string {
	var names []string
	for _, con := range constructs() {
		names = append(names, con.names()...)
	}
	return names
}
