package connector_test

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/playbooks/connector"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	data, err := connector.Schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("connector.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("connector.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// instance is a file as a YAML editor hands it to a schema.
func instance(t *testing.T, data []byte) any {
	t.Helper()
	root, problems := yamldoc.Parse("c.yaml", data)
	if root == nil {
		t.Fatal(yamldoc.Render(problems))
	}
	v, problems := yamldoc.Decode(root, engine.TypeAny())
	if len(problems) > 0 {
		t.Fatal(yamldoc.Render(problems))
	}
	plain, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out, err := jsonschema.UnmarshalJSON(bytes.NewReader(plain))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSchemaAcceptsTheExamples(t *testing.T) {
	t.Parallel()
	schema := compiledSchema(t)
	for _, path := range examples(t) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(instance(t, data)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestSchemaRefuses what the reader refuses by the same table.
func TestSchemaRefuses(t *testing.T) {
	t.Parallel()
	schema, all := compiledSchema(t), archives(t)
	for _, name := range []string{"absolute-url", "two-slashes", "no-slash", "method", "unknown-key", "misspelt-auth", "two-auths", "no-auth", "directory-without-get"} {
		a := all["testdata/mistakes/"+name+".txtar"]
		if a == nil {
			t.Fatalf("there is no %s", name)
		}
		if schema.Validate(instance(t, a.Files[0].Data)) == nil {
			t.Errorf("an editor would not see %s", name)
		}
	}
}
