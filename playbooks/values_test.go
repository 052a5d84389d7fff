package playbooks

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// compiled is the program of one playbook.
func compiled(t *testing.T, text string) *program.Program {
	t.Helper()
	p, problems := Compile(load(t, map[string]string{"a.yaml": text}, "a.yaml"), testEnvironment(t))
	if p == nil {
		t.Fatalf("%s\n%s", text, yamldoc.Render(problems))
	}
	return p
}

const declared = `inputs:
  n: { type: integer, default: 3 }
  s: { type: string, default: é }
  d: { type: duration, default: 90m }
  l: { type: list, items: string, default: [a, b] }
  o: { type: string, optional: true }
  x: { type: any, default: { deep: 1 } }
`

func inputValues() map[string]any {
	return map[string]any{"inputs": map[string]any{
		"n": int64(3), "s": "é", "d": 90 * time.Minute, "l": []any{"a", "b"}, "o": nil, "x": map[string]any{"deep": int64(1)},
	}}
}

func TestValuesKeepTheirTypes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		yaml string
		typ  string
		want any
	}{
		{"5", "integer", int64(5)},
		{"0777", "string", "0777"},
		{"2024-01-02", "string", "2024-01-02"},
		{"1.0", "number", 1.0},
		{"yes", "string", "yes"},
		{"true", "bool", true},
		{`"${{ inputs.n }}"`, "integer", int64(3)},
		{`${{ inputs.n + 1 }}`, "integer", int64(4)},
		{`${{ inputs.d }}`, "duration", 90 * time.Minute},
		{`${{ inputs.l }}`, "list of string", []any{"a", "b"}},
		{`${{ inputs.o }}`, "string?", nil},
		{`${{ inputs.o ?? "none" }}`, "string", "none"},
		{`${{ inputs.x.deep }}`, "any", int64(1)},
		{`n is ${{ inputs.n }}`, "string", "n is 3"},
		{`"${{ inputs.s }}${{ inputs.n }}"`, "string", "é3"},
		{`it takes ${{ inputs.d }}`, "string", "it takes 90m"},
		{`"$${{ inputs.n }}"`, "string", "${{ inputs.n }}"},
		{"|\n          ${{ inputs.n }}\n", "integer", int64(3)},
		{"|\n          n: ${{ inputs.n }}\n", "string", "n: 3\n"},
		{`"${{ '}}' }}"`, "string", "}}"},
		{`[1, "${{ inputs.n }}"]`, "list of integer", []any{int64(1), int64(3)}},
		{`[1, x]`, "list of any", []any{int64(1), "x"}},
		{`[]`, "list of any", []any{}},
		{`{ a: "${{ inputs.s }}", b: [~] }`, "map", map[string]any{"a": "é", "b": []any{nil}}},
		{`{}`, "map of any", map[string]any{}},
	}
	for _, tt := range tests {
		t.Run(tt.yaml, func(t *testing.T) {
			t.Parallel()
			p := compiled(t, declared+"steps:\n  - set:\n      v: "+tt.yaml+"\n")
			v := p.Steps[0].Set[0]
			if got := v.Type.String(); got != tt.typ {
				t.Errorf("the type is %s, want %s", got, tt.typ)
			}
			got, err := v.Value.Eval(inputValues())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestInputsOfActions(t *testing.T) {
	t.Parallel()
	p := compiled(t, declared+`steps:
  - uses: message.send
    connection: slack
    with:
      fields: { b: "${{ inputs.n }}" }
      text: "Hello ${{ inputs.s }}!"
  - uses: user.find_suspicious
    with:
      rules:
        - when: failed > inputs.n
          name: "rule ${{ inputs.n }}"
`)
	send, find := p.Nodes[0].Uses, p.Nodes[1].Uses
	if send.Inputs[0].Name != "text" || send.Inputs[1].Name != "fields" {
		t.Error("the inputs are not in the order of their declaration")
	}
	text, err := send.Inputs[0].Value.Eval(inputValues())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(engine.Text{{S: "Hello "}, {S: "é", Foreign: true}, {S: "!"}}, text); diff != "" {
		t.Errorf("text, -want +got:\n%s", diff)
	}
	rules, err := find.Inputs[0].Value.Eval(inputValues())
	if err != nil {
		t.Fatal(err)
	}
	want := []any{map[string]any{"name": "rule 3", "when": engine.Predicate{
		Source: "failed > inputs.n", Captured: map[string]any{"inputs": map[string]any{"n": int64(3)}},
	}}}
	if diff := cmp.Diff(want, rules); diff != "" {
		t.Errorf("rules, -want +got:\n%s", diff)
	}
}

func TestItemsReadOnlyWhereTheyAre(t *testing.T) {
	t.Parallel()
	const loop = "inputs: { l: { type: list, items: string } }\nsteps:\n  - { id: x, foreach: inputs.l, key: item, steps: [{ set: { a: 1 } }] }\n"
	for more, want := range map[string]bool{
		"": false,
		"  - if: steps.x.status == 'failed'\n    fail: x\n":                              false,
		"  - if: len(steps.x.items) > 1\n    fail: x\n":                                  true,
		"  - set: { all: \"${{ steps.x }}\" }\n":                                         true,
		"  - fail: \"${{ len(steps.x.items) }} of them\"\n":                              true,
		"outputs: { n: \"${{ steps.x.items | map(.key) }}\" }\n":                         true,
		"  - uses: user.list\n    with: { where: \"id in map(steps.x.items, .key)\" }\n": true,
	} {
		if got := compiled(t, loop+more).Steps[0].Foreach.ItemsRead; got != want {
			t.Errorf("%s: items read %v", more, got)
		}
	}
}

func TestChangesAreSeenAtAnyDepth(t *testing.T) {
	t.Parallel()
	const suspend = "{ uses: user.suspend, with: { id: u1 } }"
	for steps, want := range map[string]bool{
		"[{ uses: user.list }]": false,
		"[{ uses: message.send, connection: slack, with: { text: x } }]": false,
		"[" + suspend + "]": true,
		"[{ steps: [{ parallel: { a: [" + suspend + "] } }] }]":                    true,
		"[{ try: [{ fail: x }], catch: [" + suspend + "] }]":                       true,
		"[{ foreach: '[\"a\"]', key: item, steps: [" + suspend + "] }]":            true,
		"[{ switch: 1, cases: { 1: [{ fail: x }] }, default: [" + suspend + "] }]": true,
	} {
		if got := compiled(t, "steps: "+steps+"\n").Changes; got != want {
			t.Errorf("%s: changes %v", steps, got)
		}
	}
	p, problems := Compile(load(t, map[string]string{"a.yaml": "steps: [{ call: b }]", "b.yaml": "steps: [" + suspend + "]"}, "a.yaml"), testEnvironment(t))
	if p == nil || !p.Changes {
		t.Errorf("a change of a called playbook is not seen:\n%s", yamldoc.Render(problems))
	}
}

func TestConnections(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, step, problem string }{
		{"the only one", "uses: message.send, with: { text: x }", ""},
		{"the default of two", "uses: user.list", ""},
		{"another than the default", "uses: user.list, connection: scim", ""},
		{"none of two", "uses: ticket.open, with: { title: x }", "2:13 ambiguous-connection"},
		{"one of two", "uses: ticket.open, with: { title: x }, connection: siem", ""},
		{"one that cannot", "uses: user.list, connection: signins", "2:36 capability"},
		{"one that is not", "uses: user.list, connection: sicm", "2:36 unknown-connection scim"},
		{"one for two needs", "uses: user.find_suspicious, connection: scim, with: { rules: [] }", "2:47 capability"},
		{"one each", "uses: user.find_suspicious, connection: { directory: scim, signins: signins }, with: { rules: [] }", ""},
		{"one of two needs", "uses: user.find_suspicious, connection: { directory: scim }, with: { rules: [] }", ""},
		{"a wrong one of two", "uses: user.find_suspicious, connection: { directory: slack }, with: { rules: [] }", "2:60 capability"},
		{"no such need", "uses: user.list, connection: { directry: scim }", "2:38 unknown-key directory"},
		{"computed", "uses: user.list, connection: '${{ 1 }}'", "2:36 type"},
		{"a list", "uses: user.list, connection: [scim]", "2:36 type"},
		{"one of one that is not, for two needs", "uses: user.find_suspicious, connection: nowhere, with: { rules: [] }", "2:47 unknown-connection"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, problems := Compile(load(t, map[string]string{"a.yaml": "steps:\n  - { " + tt.step + " }\n"}, "a.yaml"), testEnvironment(t))
			var got string
			if len(problems) > 0 {
				d := problems[0]
				got = trimmed(d.Line, d.Column, d.Code, d.Suggestion)
			}
			if got != tt.problem || len(problems) > 1 {
				t.Errorf("%q, want %q\n%s", got, tt.problem, yamldoc.Render(problems))
			}
		})
	}
}

func TestNoCapabilityAtAll(t *testing.T) {
	t.Parallel()
	env := testEnvironment(t)
	env.Catalog = &engine.Catalog{}
	_, problems := Compile(load(t, map[string]string{"a.yaml": "steps: [{ uses: user.list }]\n"}, "a.yaml"), env)
	if len(problems) != 1 || problems[0].Code != "no-connection" {
		t.Errorf("problems:\n%s", yamldoc.Render(problems))
	}
}
