package connector

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/playbooks"
)

type object = map[string]any

// Schema is the JSON Schema (draft 2020-12) of connector files, for editors. It
// comes from the table the reader uses; what needs types and names only the
// checker finds.
func Schema() ([]byte, error) {
	defs := playbooks.DeclarationSchemas()
	for name, con := range constructs() {
		defs[name] = con.schema()
	}
	plain, err := engine.EncodeJSON(object{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Drawbridge connector",
		"$ref": "#/$defs/file", "$defs": defs,
	})
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
		s := maps.Clone(k.schema())
		s["description"] = k.doc
		properties[k.name] = s
		if k.required {
			required = append(required, k.name)
		}
	}
	out := object{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
	if len(c.one) > 0 {
		out["minProperties"], out["maxProperties"] = int64(1), int64(1)
	}
	return out
}

func (k key) schema() object {
	switch k.shape {
	case nested:
		return object{"$ref": "#/$defs/" + k.of}
	case named:
		return object{"type": "object", "additionalProperties": object{"$ref": "#/$defs/" + k.of}}
	case declarations:
		return object{"type": "object", "additionalProperties": object{"$ref": "#/$defs/input"}}
	case declared:
		return playbooks.DeclarationSchema()
	case request:
		return object{"type": "string", "pattern": `^(GET|HEAD|POST|PUT|PATCH|DELETE) /([^/]|$)`}
	case path:
		return object{"type": "string", "pattern": `^/([^/]|$)`}
	case bare:
		return object{"type": []any{"string", "boolean", "number"}}
	case bares:
		return object{"type": "array", "items": object{"type": "string"}}
	case mapping, templates:
		return object{"type": "object"}
	case template:
		return object{}
	default:
		s := playbooks.TypeSchema(k.typ)
		if k.minimum != nil {
			s["minimum"] = *k.minimum
		}
		return s
	}
}
