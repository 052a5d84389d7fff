package playbooktest

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/playbooks"
)

type object = map[string]any

// Schema is the JSON Schema (draft 2020-12) of test files, for editors. It
// comes from the table the reader uses; what depends on the playbook only
// `drawbridge test` finds.
func Schema() ([]byte, error) {
	defs := object{}
	for name, con := range constructs() {
		defs[name] = con.schema()
	}
	root := object{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Drawbridge playbook tests",
		"$ref": "#/$defs/file", "$defs": defs,
	}
	plain, err := engine.EncodeJSON(root)
	if err != nil {
		return nil, fmt.Errorf("encoding schema: %w", err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, plain, "", "  "); err != nil {
		return nil, fmt.Errorf("indenting schema: %w", err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

func (c construct) schema() object {
	properties := object{}
	required := []any{}
	for _, k := range c.keys {
		s := k.schema()
		s["description"] = k.doc
		properties[k.name] = s
		if k.required {
			required = append(required, k.name)
		}
	}
	out := object{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
	if c.name == "expect" || c.name == "messages" || c.name == "path" {
		out["minProperties"] = int64(1)
	}
	return out
}

func (k key) schema() object {
	switch k.shape {
	case nested:
		return ref(k.of)
	case nestedList:
		return object{"type": "array", "items": ref(k.of)}
	case raw:
		return object{"type": "object"}
	case eitherWay:
		return object{"anyOf": []any{object{"type": "array", "items": ref(k.of)}, ref("counted")}}
	case byLoop:
		item := object{"enum": anys(outcomes())}
		return object{"type": "object", "additionalProperties": object{"type": "object", "additionalProperties": item}}
	default:
		s := playbooks.TypeSchema(k.typ)
		if k.minimum != nil {
			s["minimum"] = *k.minimum
		}
		return s
	}
}

func ref(name string) object { return object{"$ref": "#/$defs/" + name} }

func anys(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}
