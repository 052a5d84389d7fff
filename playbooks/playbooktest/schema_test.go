package playbooktest_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/playbooks/playbooktest"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := playbooktest.Schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("tests.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("tests.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// instance is a YAML document as a JSON Schema sees it.
func instance(t *testing.T, text []byte) any {
	t.Helper()
	root, problems := yamldoc.Parse("x.test.yaml", text)
	if root == nil || len(problems) > 0 {
		return nil
	}
	v, problems := yamldoc.Decode(root, engine.TypeAny())
	if len(problems) > 0 {
		return nil
	}
	data, err := engine.EncodeJSON(v)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestSchemaAcceptsTheExamples(t *testing.T) {
	schema := compiledSchema(t)
	files, err := filepath.Glob("../../examples/*.test.yaml")
	if err != nil || len(files) < 5 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(instance(t, text)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// TestSchemaFindsMisspeltKeys is what editors are to say while one types.
func TestSchemaFindsMisspeltKeys(t *testing.T) {
	schema := compiledSchema(t)
	mistakes, err := filepath.Glob("testdata/mistakes/unknown-key-*.txtar")
	if err != nil || len(mistakes) < 4 {
		t.Fatalf("%v, %v", mistakes, err)
	}
	for _, name := range append(mistakes, "testdata/mistakes/wrong-status.txtar", "testdata/mistakes/empty-messages.txtar", "testdata/mistakes/unknown-fault.txtar") {
		a, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		doc := instance(t, a.Files[0].Data)
		if doc == nil {
			t.Fatalf("%s is not YAML", name)
		}
		if schema.Validate(doc) == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
