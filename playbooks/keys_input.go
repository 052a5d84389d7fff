package playbooks

import "github.com/drawbridge-soar/drawbridge/engine"

// inputKinds are the kinds an input can be declared with, as written.
func inputKinds() []string {
	return []string{"bool", "boolean", "integer", "number", "string", "time", "duration", "list", "map", "any"}
}

func inputConstruct() construct {
	return construct{name: "an input", doc: "One input of the playbook.", keys: append(declarationKeys(),
		key{name: "default", typ: engine.Maybe(engine.TypeAny()), doc: "The value where none is given. Without a default the input is required, unless it is optional."},
		key{name: "optional", typ: engine.TypeBool(), doc: "The input may be left out; expressions must then say what happens: inputs.name ?? …."},
	)}
}

func fieldConstruct() construct {
	return construct{name: "a field", doc: "One field of a map, or what a list holds. A kind alone stands for { type: KIND }.", keys: append(declarationKeys(),
		key{name: "optional", typ: engine.TypeBool(), doc: "It may be missing or null; expressions must then say what happens: … ?? …."},
	)}
}

// declarationKeys say what a value is.
func declarationKeys() []key {
	return []key{
		{name: "type", typ: engine.EnumOf(inputKinds()...), required: true,
			doc: "The kind of its value. A value of kind any is checked only when it is used."},
		{name: "description", typ: engine.TypeString(), doc: "What it means, for those who run the playbook."},
		{name: "minimum", typ: engine.TypeInteger(), doc: "The least value of an integer."},
		{name: "maximum", typ: engine.TypeInteger(), doc: "The greatest value of an integer."},
		{name: "enum", typ: engine.ListOf(engine.TypeString()), doc: "The only values a string can have."},
		{name: "items", shape: declaredOne, typ: engine.EnumOf(inputKinds()...), of: "field", example: "string",
			doc: "What a list holds: a kind, or a declaration such as { type: map, fields: … }. Any by default."},
		{name: "fields", shape: declarations, of: "field", example: "{ id: string, score: { type: integer, optional: true } }",
			doc: "What a map has: names with a kind or a declaration each. A map without fields has free keys."},
	}
}
