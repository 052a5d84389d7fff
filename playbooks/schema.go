package playbooks

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine"
)

type object = map[string]any

// Schema is the JSON Schema (draft 2020-12) of playbooks with the inputs of
// every action, for editors. It comes from the table the checker uses; what
// needs types, order or a configuration only the checker finds.
func Schema(actions *engine.Actions) ([]byte, error) {
	defs := object{"expression": object{
		"type": "string", "pattern": `\$\{\{`, "description": "${{ … }} holds an expression; alone in a value it keeps its type.",
	}}
	for name, con := range constructs() {
		defs[name] = con.schema()
	}
	step, _ := defs["step"].(object)
	stepSchema(step, actions, defs)
	root := object{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Drawbridge playbook",
		"$ref": "#/$defs/playbook", "$defs": defs,
	}
	plain, err := engine.EncodeJSON(normal(root))
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

// normal turns typed slices into the lists the canonical encoder takes.
func normal(v any) any {
	switch v := v.(type) {
	case object:
		for name, member := range v {
			v[name] = normal(member)
		}
		return v
	case []object:
		return listOf(v, func(o object) any { return normal(o) })
	case []string:
		return listOf(v, func(s string) any { return s })
	case []any:
		return listOf(v, normal)
	default:
		return v
	}
}

func listOf[T any](in []T, each func(T) any) []any {
	out := make([]any, len(in))
	for i, v := range in {
		out[i] = each(v)
	}
	return out
}

func (c construct) schema() object {
	properties := object{}
	required := []string{}
	for _, k := range c.keys {
		if _, twice := properties[k.name]; twice {
			properties[k.name] = object{} // which of them it is follows from the form
			continue
		}
		properties[k.name] = k.schema()
		if k.required {
			required = append(required, k.name)
		}
	}
	out := object{"type": "object", "description": c.doc, "properties": properties, "additionalProperties": false, "required": required}
	switch c.name {
	case "a trigger":
		out["oneOf"] = eachRequired("schedule", "webhook")
		out["dependentRequired"] = object{"timezone": []string{"schedule"}, "missed": []string{"schedule"}, "overlap": []string{"schedule"},
			"body": []string{"webhook"}, "dedupe": []string{"webhook"}}
	case "wait":
		out["oneOf"] = eachRequired("for", "until", "signal")
	}
	return out
}

func eachRequired(names ...string) []object {
	out := make([]object, len(names))
	for i, name := range names {
		out[i] = object{"required": []string{name}}
	}
	return out
}

// schema is what may stand under the key.
func (k key) schema() object {
	out := k.shapeSchema()
	doc := k.doc
	if k.example != "" {
		doc += "\n\nExample: " + k.example
	}
	out["description"] = doc
	return out
}

func (k key) shapeSchema() object {
	steps := func() object { return object{"type": "array", "minItems": 1, "items": ref("step")} }
	switch k.shape {
	case template:
		if k.typ.Optional {
			return object{"type": []string{"string", "null"}}
		}
		return object{"type": "string"}
	case computed:
		return orExpression(typeSchema(k.typ, false))
	case bare:
		if k.typ.Kind == engine.KindBool {
			return object{"type": []string{"string", "boolean"}}
		}
		return object{"type": "string"}
	case stepList:
		return steps()
	case stepLists:
		return object{"type": "object", "minProperties": 1, "additionalProperties": steps()}
	case values:
		return object{"type": "object"}
	case nested:
		return object{"$ref": ref(k.of)["$ref"]}
	case nestedList:
		return object{"type": "array", "items": ref(k.of)}
	case nestedMap:
		return object{"type": "object", "additionalProperties": ref(k.of), "propertyNames": object{"pattern": identifierPattern().String()}}
	case declaredOne:
		return declaration(k.of)
	case declarations:
		return object{"type": "object", "minProperties": 1, "additionalProperties": declaration(k.of)}
	case connection:
		return object{"type": []string{"string", "object"}, "additionalProperties": object{"type": "string"}}
	default:
		return withBounds(typeSchema(k.typ, false), k.minimum, k.maximum)
	}
}

// declaration is a kind alone, or the whole construct.
func declaration(of string) object {
	return object{"anyOf": []object{{"type": "string", "enum": inputKinds()}, ref(of)}}
}

func ref(name string) object { return object{"$ref": "#/$defs/" + name} }

func withBounds(s object, minimum, maximum *int64) object {
	if minimum != nil {
		s["minimum"] = *minimum
	}
	if maximum != nil {
		s["maximum"] = *maximum
	}
	return s
}

// orExpression also allows one ${{ … }} where a value stands.
func orExpression(s object) object {
	return object{"anyOf": []object{s, ref("expression")}}
}

// typeSchema is a declared type, with expressions inside where they may stand.
func typeSchema(t engine.Type, expressions bool) object {
	s := kindSchema(t, expressions)
	if kind, ok := s["type"]; ok && t.Optional {
		kinds, many := kind.([]string)
		if !many {
			kinds = []string{kind.(string)}
		}
		s["type"] = append(slices.Clone(kinds), "null")
	}
	return s
}

func kindSchema(t engine.Type, expressions bool) object {
	switch t.Kind {
	case engine.KindBool:
		return object{"type": "boolean"}
	case engine.KindInteger:
		return object{"type": "integer"}
	case engine.KindNumber:
		return object{"type": "number"}
	case engine.KindDuration:
		return object{"type": "string", "pattern": `^(0|([0-9]+(ms|[smhdw]))+)$`}
	case engine.KindTime:
		return object{"type": "string", "pattern": `^[0-9]{4}-[0-9]{2}-[0-9]{2}`}
	case engine.KindList:
		return listSchema(t, expressions)
	case engine.KindMap:
		return mapSchema(t, expressions)
	case engine.KindPredicate:
		return object{"type": []string{"string", "boolean"}}
	case engine.KindType:
		return declaration("field")
	case engine.KindSecret: // never written out
		return object{"type": "string", "pattern": `^\s*\$\{\{`}
	case engine.KindString, engine.KindText:
		if len(t.Enum) > 0 {
			return object{"type": "string", "enum": t.Enum}
		}
		return object{"type": []string{"string", "number", "boolean"}} // 0815 without quotes is text, too
	default:
		return object{}
	}
}

func listSchema(t engine.Type, expressions bool) object {
	s := object{"type": "array"}
	if t.Elem != nil {
		s["items"] = valueSchema(*t.Elem, expressions)
	}
	return s
}

func mapSchema(t engine.Type, expressions bool) object {
	if len(t.Fields) == 0 {
		s := object{"type": "object"}
		if t.Elem != nil {
			s["additionalProperties"] = valueSchema(*t.Elem, expressions)
		}
		return s
	}
	return fieldsSchema(t.Fields, expressions)
}

// valueSchema is a type, or an expression of it where those may stand.
func valueSchema(t engine.Type, expressions bool) object {
	s := typeSchema(t, expressions)
	if !expressions || t.Kind == engine.KindAny || t.Kind == engine.KindPredicate || t.Kind == engine.KindType {
		return s
	}
	return orExpression(s)
}

func fieldsSchema(fields []engine.Field, expressions bool) object {
	properties := object{}
	required := []string{}
	for _, f := range fields {
		s := valueSchema(f.Type, expressions)
		if alternatives, ok := s["anyOf"].([]object); ok {
			withBounds(alternatives[0], f.Minimum, f.Maximum)
		}
		s["description"] = f.Doc
		if f.Default != nil {
			s["default"] = f.Default
		}
		properties[f.Name] = s
		if f.Required {
			required = append(required, f.Name)
		}
	}
	return object{"type": "object", "properties": properties, "additionalProperties": false, "required": required}
}

// TypeSchema is the JSON Schema of literals of a type, as a fresh map.
func TypeSchema(t engine.Type) map[string]any {
	s, _ := normal(typeSchema(t, false)).(object)
	return s
}
