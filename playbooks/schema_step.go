package playbooks

import (
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// stepSchema completes the schema of a step: its forms with the keys that go
// with each, and the inputs of each action.
func stepSchema(step object, actions *engine.Actions, defs object) {
	step["oneOf"] = formSchemas()
	step["dependentRequired"] = object{"else": []string{"if"}, "at_end": []string{"for"}, "warn": []string{"for"}}
	var names, cases []object
	for _, name := range actions.Names() {
		action, _ := actions.Named(name)
		spec := action.Spec()
		defs["with "+name] = actionSchema(spec)
		names = append(names, object{"const": name, "description": spec.Summary})
		cases = append(cases, actionCase(spec))
	}
	properties, _ := step["properties"].(object)
	if uses, ok := properties["uses"].(object); ok && len(names) > 0 {
		uses["oneOf"] = names
		step["allOf"] = cases
	}
}

func actionSchema(spec engine.ActionSpec) object {
	s := fieldsSchema(certainFields(spec.Inputs), true)
	s["description"] = spec.Summary
	if !needsInputs(spec) {
		s["type"] = []string{"object", "null"}
	}
	var groups []object
	for _, group := range spec.ExactlyOne {
		groups = append(groups, object{"oneOf": eachRequired(group...)})
	}
	if len(groups) > 0 {
		s["allOf"] = groups
	}
	return s
}

// needsInputs reports whether the action cannot be called without `with`.
func needsInputs(spec engine.ActionSpec) bool {
	return len(spec.ExactlyOne) > 0 || slices.ContainsFunc(spec.Inputs, func(f engine.Field) bool { return f.Required })
}

// actionCase says what follows from the action's name.
func actionCase(spec engine.ActionSpec) object {
	then := object{"properties": object{"with": ref("with " + spec.Name)}}
	if needsInputs(spec) {
		then["required"] = []string{"with"}
	}
	if spec.Inverse == "" {
		then["not"] = object{"required": []string{"for"}}
	}
	return object{
		"if":   object{"properties": object{"uses": object{"const": spec.Name}}, "required": []string{"uses"}},
		"then": then,
	}
}

// formSchemas are the forms of a step: which keys each must have and may have.
func formSchemas() []object {
	var out []object
	for _, f := range stepForms() {
		switch f {
		case program.FormForeach:
			out = append(out, formSchema(f, loopOverSteps(), "foreach", "uses"), formSchema(f, loopOverAction(), "foreach", "steps"))
		case program.FormWhile:
			out = append(out, formSchema(f, nil, "while", "steps", "max"))
		case program.FormSwitch:
			out = append(out, formSchema(f, nil, "switch", "cases"))
		case program.FormTry:
			s := formSchema(f, nil, "try")
			s["anyOf"] = eachRequired("catch", "finally")
			out = append(out, s)
		default:
			out = append(out, formSchema(f, nil, string(f)))
		}
	}
	return out
}

// loopOverSteps are the keys of a foreach only where its body is steps.
func loopOverSteps() []string { return []string{"steps"} }

// loopOverAction are the keys of a foreach only where its body is an action.
func loopOverAction() []string {
	return []string{"uses", "with", "connection", "for", "at_end", "max", "warn", "retry"}
}

func formSchema(f program.Form, except []string, required ...string) object {
	var allowed []string
	out := object{"required": required}
	for _, k := range stepConstruct().keys {
		isForm := slices.Contains(stepForms(), program.Form(k.name))
		fits := k.goesWith(f) && !isForm || slices.Contains(required, k.name)
		if !fits || slices.Contains(except, k.name) || slices.Contains(allowed, k.name) {
			continue
		}
		allowed = append(allowed, k.name)
		if k.name == "max" {
			maximum(out, f)
		}
	}
	out["propertyNames"] = object{"enum": allowed}
	return out
}

// maximum adds what `max` is in a step of this form: a number of rounds, or the
// time a change made for a time may last.
func maximum(s object, f program.Form) {
	for _, k := range stepConstruct().keys {
		if k.name == "max" && k.goesWith(f) {
			s["properties"] = object{"max": k.schema()}
		}
	}
	if f != program.FormWhile {
		s["dependentRequired"] = object{"max": []string{"for"}}
	}
}
