package playbooks

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
	"github.com/drawbridge-soar/drawbridge/steps"
)

func compiledSchema(tb testing.TB, actions *engine.Actions) *jsonschema.Schema {
	tb.Helper()
	data, err := Schema(actions)
	if err != nil {
		tb.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		tb.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("playbook.json", doc); err != nil {
		tb.Fatal(err)
	}
	schema, err := c.Compile("playbook.json")
	if err != nil {
		tb.Fatal(err)
	}
	return schema
}

// TestSchemaAcceptsTheExamples holds the schema that editors get, with the
// actions there really are, against what newcomers copy.
func TestSchemaAcceptsTheExamples(t *testing.T) {
	t.Parallel()
	actions, err := engine.NewActions(steps.All()...)
	if err != nil {
		t.Fatal(err)
	}
	schema := compiledSchema(t, actions)
	files, problem := Files("../examples")
	if problem != nil || len(files) < 4 {
		t.Fatalf("%d examples, %v", len(files), problem)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		v, ok := instance(t, data)
		if !ok {
			t.Fatalf("%s is not YAML", file)
		}
		if err := schema.Validate(v); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// instance is a playbook as a language server hands it to the schema.
func instance(tb testing.TB, data []byte) (any, bool) {
	tb.Helper()
	root, problems := yamldoc.Parse("playbook.yaml", data)
	if len(problems) > 0 {
		return nil, false
	}
	v, problems := yamldoc.Decode(root, engine.TypeAny())
	if len(problems) > 0 {
		tb.Fatal(yamldoc.Render(problems))
	}
	encoded, err := engine.EncodeJSON(v)
	if err != nil {
		tb.Fatal(err)
	}
	out, err := jsonschema.UnmarshalJSON(bytes.NewReader(encoded))
	if err != nil {
		tb.Fatal(err)
	}
	return out, true
}

func TestSchemaAcceptsValidPlaybooks(t *testing.T) {
	t.Parallel()
	schema := compiledSchema(t, testActions(t))
	for path, a := range archives(t, "valid") {
		for _, f := range a.Files {
			if f.Name == "want" {
				continue
			}
			v, ok := instance(t, f.Data)
			if !ok {
				t.Fatalf("%s is not YAML", path)
			}
			if err := schema.Validate(v); err != nil {
				t.Errorf("%s, %s: %v", path, f.Name, err)
			}
		}
	}
}

// onlyTheChecker are the mistakes no schema can see: they need types, the
// order of steps, other files, a configuration or the text of a value.
func onlyTheChecker() []string {
	return strings.Fields(`
		after-return after-switch ambiguous-connection braces-cut-by-comment call-broken call-input call-output call-path capability
		capability-of-map catch-error-outside change-by-index column-in-block column-in-folded column-in-quotes column-in-single-quotes
		condition-in-braces condition-no-bool cron-fields cron-last-day cron-step cron-value cron-zone duplicate-id enum-compared
		first-step-later foreach-no-list id-of-loop-variable id-with-dash input-default list-in-text maybe-skipped never no-inputs
		optional-bare optional-in-text predicate-clash predicate-unknown-field protect-empty recursion reserved-id rule-no-bool
		step-in-loop step-in-other-branch step-is-itself step-runs-later switch-unknown-case time-zone trigger-input trigger-unused
		two-values-for-integer unclosed-braces unknown-connection unknown-field-in-filter unknown-function unknown-input unknown-output
		unknown-playbook unknown-step unreachable wrong-type-expression approve-nobody
		change-by-index-of-any key-no-name switch-case-type branch-name change-by-index-as-key switch-on-list enum-empty name-of-two-lines
		predicate-in-braces syntax-cut-by-comment webhook-name set-status trigger-sees-no-steps retry-pauses switch-case-twice step-around
		webhook-twice minimum-of-text for-expression-type switch-optional default-type output-name map-in-text schedule-computed
		connection-of-nothing connection-empty connection-empty-map approve-too-few default-null-used-bare default-null-typed default-and-optional notify-unknown output-called-status key-optional
		schedule-has-no-body braces-in-condition braces-in-predicate optional-into-one-of optional-into-optional default-among-cases
		no-timeout braces-in-default braces-in-default-list step-by-escape steps-as-a-value variable-is-a-word braces-in-protect
		braces-in-case duration-too-long approve-unknown-person approve-unknown-group approve-group-without-prefix
		approve-too-few-in-group notify-no-messages change-by-index-and-run braces-of-another braces-of-a-shell negation-first predicate-computed
		every-too-often every-no-duration every-in-a-zone schedule-word concurrency-optional concurrency-constant concurrency-of-list
		concurrency-by-step concurrency-by-run dedupe-of-map dedupe-by-input dedupe-optional dedupe-in-braces dedupe-by-time
		body-typed-otherwise body-not-in-all body-nothing-in-common body-wrong-type body-declared-by-one body-optional-bare
		body-unknown-field body-enum-of-integer body-fields-of-string input-fields-unknown input-fields-default
		input-needs-capability shape-field shape-optional max-shorter-than-for max-nothing warn-nothing warn-longer-than-max warn-longer-than-for for-nothing
		secret-as-string secret-beside-text secret-compared-with-nil secret-dynamic-given secret-dynamic-map-given
		secret-in-any-input secret-in-called secret-in-condition secret-in-fail secret-in-function secret-in-let secret-in-list
		secret-in-message secret-in-message-field secret-in-output secret-in-predicate secret-in-set secret-in-switch secret-in-text
		secret-in-title secret-in-wait secret-string-given secret-whole-step-in-set`)
}

func TestSchemaRejectsStructuralMistakes(t *testing.T) {
	t.Parallel()
	schema := compiledSchema(t, testActions(t))
	beyond := map[string]bool{}
	for _, name := range onlyTheChecker() {
		beyond[name] = true
	}
	for path, a := range archives(t, "mistakes") {
		name := strings.TrimSuffix(filepath.Base(path), ".txtar")
		v, ok := instance(t, a.Files[0].Data)
		if !ok {
			continue
		}
		rejected := schema.Validate(v) != nil
		if rejected == beyond[name] {
			t.Errorf("%s: rejected by the schema: %v", name, rejected)
		}
	}
}

func TestSchemaExplainsEveryKey(t *testing.T) {
	t.Parallel()
	for of, con := range constructs() {
		if con.doc == "" {
			t.Errorf("%s has no documentation", of)
		}
		for _, k := range con.keys {
			if k.doc == "" {
				t.Errorf("%s.%s has no documentation", of, k.name)
			}
			if k.of != "" && constructs()[k.of].name == "" {
				t.Errorf("%s.%s refers to the construct %q, which does not exist", of, k.name, k.of)
			}
		}
	}
}

func TestSchemaIsDeterministic(t *testing.T) {
	t.Parallel()
	first, err := Schema(testActions(t))
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		again, err := Schema(testActions(t))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, again) {
			t.Fatal("two schemas of the same actions differ")
		}
	}
}
