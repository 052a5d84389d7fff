package playbooks

import (
	"fmt"
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// What a step sees of `x`, by where both stand. READ is replaced with a step
// that reads steps.x in the way asked for.
func TestWhatIsSeenOfAStep(t *testing.T) {
	t.Parallel()
	const (
		certain  = "certain"  // its outputs are there
		optional = "optional" // they may be missing
		hidden   = "hidden"   // it cannot be named
	)
	const x = "{ id: x, set: { n: 1 } }"
	tests := []struct{ name, steps, want string }{
		{"before", "[" + x + ", READ]", certain},
		{"later", "[READ, " + x + "]", hidden},
		{"under an if", "[{ id: x, if: inputs.go, set: { n: 1 } }, READ]", optional},
		{"with on_error", "[{ id: x, on_error: continue, set: { n: 1 } }, READ]", optional},
		{"in a block", "[{ steps: [" + x + "] }, READ]", certain},
		{"before, from a block", "[" + x + ", { steps: [READ] }]", certain},
		{"in a block under an if", "[{ if: inputs.go, steps: [" + x + "] }, READ]", optional},
		{"in the same block under an if", "[{ if: inputs.go, steps: [" + x + ", READ] }]", certain},
		{"in a block that may fail", "[{ on_error: continue, steps: [" + x + "] }, READ]", optional},
		{"in the else", "[{ if: inputs.go, steps: [{ set: { a: 1 } }], else: [" + x + "] }, READ]", optional},
		{"in the block, from the else", "[{ if: inputs.go, steps: [" + x + "], else: [READ] }]", hidden},
		{"in a branch", "[{ parallel: { a: [" + x + "], b: [{ set: { a: 1 } }] } }, READ]", certain},
		{"in another branch", "[{ parallel: { a: [" + x + "], b: [READ] } }]", hidden},
		{"in a case", "[{ switch: inputs.go, cases: { true: [" + x + "] } }, READ]", optional},
		{"in the default", "[{ switch: inputs.go, cases: { true: [{ set: { a: 1 } }] }, default: [" + x + "] }, READ]", optional},
		{"in another case", "[{ switch: inputs.go, cases: { true: [" + x + "], false: [READ] } }]", hidden},
		{"in a foreach", "[{ foreach: inputs.list, key: item, steps: [" + x + "] }, READ]", hidden},
		{"in the same foreach", "[{ foreach: inputs.list, key: item, steps: [" + x + ", READ] }]", certain},
		{"in a while", "[{ while: inputs.go, max: 3, steps: [" + x + "] }, READ]", hidden},
		{"in the last round", "[{ while: inputs.go, max: 3, steps: [READ, " + x + "] }]", hidden},
		{"in a try", "[{ try: [" + x + "], finally: [{ set: { a: 1 } }] }, READ]", certain},
		{"in a try with catch", "[{ try: [" + x + "], catch: [{ set: { a: 1 } }] }, READ]", optional},
		{"in the catch", "[{ try: [{ set: { a: 1 } }], catch: [" + x + "] }, READ]", optional},
		{"in the finally", "[{ try: [{ set: { a: 1 } }], finally: [" + x + "] }, READ]", certain},
		{"in the try, from the catch", "[{ try: [" + x + "], catch: [READ] }]", optional},
		{"in the try, from the finally", "[{ try: [" + x + "], finally: [READ] }]", optional},
		{"in the finally, from the try", "[{ try: [READ], finally: [" + x + "] }]", hidden},
		{"after a return that may be", "[{ if: inputs.go, return: done }, " + x + ", READ]", certain},
		{"nowhere", "[READ]", hidden},
	}
	reads := []struct{ expression, legal string }{
		{"steps.x.n + 1", certain},
		{"(steps.x.n ?? 0) + 1", certain + optional},
		{"(steps.x?.n ?? 0) + 1", certain + optional},
		{"steps.x.status == 'succeeded'", certain + optional},
		{"steps.x.error == nil", certain + optional},
	}
	for _, tt := range tests {
		for _, read := range reads {
			text := "inputs: { go: { type: bool }, list: { type: list, items: string } }\nsteps: " +
				strings.Replace(tt.steps, "READ", fmt.Sprintf("{ set: { r: %q } }", "${{ "+read.expression+" }}"), 1)
			_, problems := Compile(load(t, map[string]string{"a.yaml": text}, "a.yaml"), testEnvironment(t))
			if legal := strings.Contains(read.legal, tt.want); yamldoc.HasErrors(problems) == legal {
				t.Errorf("%s, %s: it should be legal: %v\n%s", tt.name, read.expression, legal, yamldoc.Render(problems))
			}
		}
	}
}

func TestWhatOutputsSee(t *testing.T) {
	t.Parallel()
	const x = "{ id: x, set: { n: 1 } }"
	tests := []struct {
		name, steps string
		certain     bool
	}{
		{"a step", "[" + x + "]", true},
		{"before a return", "[" + x + ", { if: inputs.go, return: done }]", true},
		{"after a return", "[{ if: inputs.go, return: done }, " + x + "]", false},
		{"after a return inside a block", "[{ steps: [{ if: inputs.go, return: done }] }, " + x + "]", false},
		{"beside a return in another branch", "[{ parallel: { a: [" + x + "], b: [{ if: inputs.go, return: done }] } }]", false},
	}
	for _, tt := range tests {
		text := "inputs: { go: { type: bool } }\nsteps: " + tt.steps + "\noutputs: { n: \"${{ steps.x.n + 1 }}\" }\n"
		p, problems := Compile(load(t, map[string]string{"a.yaml": text}, "a.yaml"), testEnvironment(t))
		if (p != nil) != tt.certain {
			t.Errorf("%s:\n%s", tt.name, yamldoc.Render(problems))
		}
	}
}

func TestNamesOfLoops(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, steps, problem string
	}{
		{"inside", "[{ foreach: inputs.list, as: p, key: p, steps: [{ set: { a: '${{ p }}', b: '${{ index }}' } }] }]", ""},
		{"the default name", "[{ foreach: inputs.list, key: item, steps: [{ set: { a: '${{ item }}' } }] }]", ""},
		{"outside", "[{ foreach: inputs.list, as: p, key: p, steps: [{ set: { a: 1 } }] }, { set: { a: '${{ p }}' } }]", "unknown-name"},
		{"index outside", "[{ set: { a: '${{ index }}' } }]", "not-run"},
		{"in the condition of its loop", "[{ foreach: inputs.list, as: p, if: p == 'x', key: p, steps: [{ set: { a: 1 } }] }]", "unknown-name"},
		{"both of two", "[{ foreach: inputs.list, as: p, key: p, steps: [{ foreach: inputs.list, as: q, key: q, steps: [{ set: { a: '${{ p + q }}' } }] }] }]", ""},
		{"one name for two", "[{ foreach: inputs.list, key: item, steps: [{ foreach: inputs.list, key: item, steps: [{ set: { a: 1 } }] }] }]", "clash"},
		{"index in a while", "[{ while: index < 3, max: 3, steps: [{ set: { a: '${{ index }}' } }] }]", ""},
		{"a reserved name", "[{ foreach: inputs.list, as: run, key: run, steps: [{ set: { a: 1 } }] }]", "reserved"},
		{"no name", "[{ foreach: inputs.list, as: a-b, steps: [{ set: { a: 1 } }] }]", "name"},
	}
	for _, tt := range tests {
		text := "inputs: { list: { type: list, items: string } }\nsteps: " + tt.steps + "\n"
		_, problems := Compile(load(t, map[string]string{"a.yaml": text}, "a.yaml"), testEnvironment(t))
		var code string
		if len(problems) > 0 {
			code = problems[0].Code
		}
		if code != tt.problem {
			t.Errorf("%s: %q, want %q\n%s", tt.name, code, tt.problem, yamldoc.Render(problems))
		}
	}
}
