package expression_test

import (
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/expression"
)

// runField is the root name `run`, as every playbook has it.
func runField() engine.Field {
	return engine.Field{Name: "run", Type: engine.MapOf(
		engine.Field{Name: "id", Type: engine.TypeString()},
		engine.Field{Name: "time", Type: engine.TypeTime()},
	)}
}

func runValue() map[string]any {
	return map[string]any{"id": "run_1", "time": time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
}

func TestEveryFunctionIsDocumentedByAnExampleThatIsTrue(t *testing.T) {
	scope := expression.NewScope(runField())
	for _, f := range expression.Functions() {
		t.Run(f.Name, func(t *testing.T) {
			if !strings.HasPrefix(f.Signature, f.Name+"(") || !strings.HasSuffix(f.Doc, ".") || !strings.Contains(f.Example, f.Name+"(") {
				t.Errorf("incomplete documentation: %+v", f)
			}
			e, problems := expression.Compile(f.Example, scope, engine.TypeBool())
			if len(problems) > 0 {
				t.Fatalf("%s: %+v", f.Example, problems)
			}
			v, err := e.Eval(map[string]any{"run": runValue()})
			if err != nil {
				t.Fatal(err)
			}
			if v != true {
				t.Errorf("%s is %v", f.Example, v)
			}
		})
	}
}

func TestFunctionsAreSortedAndUnique(t *testing.T) {
	last := ""
	for _, f := range expression.Functions() {
		if f.Name <= last {
			t.Errorf("%s follows %s", f.Name, last)
		}
		last = f.Name
	}
}
