package playbooks

import (
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// stepForms are the forms of a step in the order messages name them. Each is
// the key of the same name.
func stepForms() []program.Form {
	return []program.Form{
		program.FormUses, program.FormSteps, program.FormForeach, program.FormParallel, program.FormSwitch,
		program.FormWhile, program.FormApprove, program.FormWait, program.FormCall, program.FormSet,
		program.FormTry, program.FormFail, program.FormReturn,
	}
}

func stepConstruct() construct {
	doc := "One step. It has exactly one form: uses, steps, foreach, parallel, switch, while, approve, wait, call, set, try, fail or return."
	return construct{name: "a step", doc: doc, keys: slices.Concat(anyStepKeys(), callingKeys(), blockKeys(), loopKeys(), otherFormKeys())}
}

// anyStepKeys go with every form.
func anyStepKeys() []key {
	return []key{
		{name: "id", typ: engine.TypeString(), example: "contain",
			doc: "The step's name for expressions (steps.ID), in paths and in the history. Unique in the file."},
		{name: "name", typ: engine.TypeString(), doc: "What people read instead of the id."},
		{name: "if", shape: bare, typ: engine.TypeBool(), example: "len(steps.suspicious.users) > 0",
			doc: "A condition: the step is skipped where it is false. Before a loop it is evaluated once."},
		{name: "timeout", typ: engine.TypeDuration(), example: "30s", doc: "How long the step may take before it fails.",
			forms: []program.Form{program.FormUses, program.FormSteps, program.FormForeach, program.FormParallel, program.FormSwitch, program.FormWhile, program.FormCall, program.FormTry}},
		{name: "on_error", typ: engine.EnumOf("fail", "continue"),
			doc: "fail (default) ends the run when the step fails; continue goes on, and the run ends partial at best."},
	}
}

// callingKeys belong to steps that call an action or a playbook.
func callingKeys() []key {
	return []key{
		{name: "uses", typ: engine.TypeString(), example: "user.suspend", doc: "The action to call.",
			forms: []program.Form{program.FormUses, program.FormForeach}},
		{name: "call", typ: engine.TypeString(), example: "offboard-one",
			doc: "Another playbook to run as a part of this one: the file of that name in the same folder.", forms: []program.Form{program.FormCall}},
		{name: "with", shape: values, example: "id: ${{ user.id }}", doc: "The inputs of the action or the called playbook.",
			forms: []program.Form{program.FormUses, program.FormForeach, program.FormCall}},
		{name: "connection", shape: connection, example: "1password",
			doc:   "The connection to act through, or a map of one per capability. Without it, the only one that fits, or the configuration's default.",
			forms: []program.Form{program.FormUses, program.FormForeach}},
		{name: "for", shape: computed, typ: engine.TypeDuration(), example: "4h",
			doc:   "Makes the change temporary: it is taken back after this time. Only for actions that have an inverse.",
			forms: []program.Form{program.FormUses, program.FormForeach}},
		{name: "at_end", typ: engine.EnumOf("ask", "keep", "lift"),
			doc:   "What happens at the end of `for`. Access that was given is lifted; access that was taken away asks first.",
			forms: []program.Form{program.FormUses, program.FormForeach}},
		{name: "max", typ: engine.TypeDuration(), example: "8h",
			doc:   "How long a change made for a time may last in all, where somebody extends it; without it, as long as they say.",
			forms: []program.Form{program.FormUses, program.FormForeach}},
		{name: "warn", typ: engine.TypeDuration(), example: "15m",
			doc:   "How long before the end of `for` people are told that it is near; without it nobody is.",
			forms: []program.Form{program.FormUses, program.FormForeach}},
		{name: "retry", shape: nested, of: "retry", doc: "How a failed call is tried again; once by default.",
			forms: []program.Form{program.FormUses, program.FormForeach}},
	}
}

// blockKeys belong to steps that hold other steps.
func blockKeys() []key {
	return []key{
		{name: "steps", shape: stepList, doc: "A block of steps, or the body of a loop.",
			forms: []program.Form{program.FormSteps, program.FormForeach, program.FormWhile}},
		{name: "else", shape: stepList, doc: "What to do instead of the block where its `if` is false.", forms: []program.Form{program.FormSteps}},
		{name: "parallel", shape: stepLists, doc: "Named branches that run at the same time.", forms: []program.Form{program.FormParallel}},
		{name: "switch", shape: bare, example: "steps.lookup.user.state", doc: "An expression; the case with its value runs.", forms: []program.Form{program.FormSwitch}},
		{name: "cases", shape: stepLists, doc: "The steps for each value of the switch.", forms: []program.Form{program.FormSwitch}},
		{name: "default", shape: stepList, doc: "The steps where no case fits.", forms: []program.Form{program.FormSwitch}},
		{name: "try", shape: stepList, doc: "Steps whose failure is caught.", forms: []program.Form{program.FormTry}},
		{name: "catch", shape: stepList, doc: "What to do after a failure in try; steps.ID.error says which. Refusals are not caught.", forms: []program.Form{program.FormTry}},
		{name: "finally", shape: stepList, doc: "What to do in any case, also when the run is cancelled.", forms: []program.Form{program.FormTry}},
	}
}

func loopKeys() []key {
	return []key{
		{name: "foreach", shape: bare, typ: engine.ListOf(engine.TypeAny()), example: "steps.suspicious.users",
			doc: "A list: the action or the steps are carried out for each of its elements. It is evaluated once.", forms: []program.Form{program.FormForeach}},
		{name: "as", typ: engine.TypeString(), doc: "The name of the element in expressions; item by default.", forms: []program.Form{program.FormForeach}},
		{name: "key", shape: bare, example: "user.id", doc: "The element's name in paths and in the history; its id by default. No two may be alike.",
			forms: []program.Form{program.FormForeach}},
		{name: "label", shape: bare, example: "user.email", doc: "What people read instead of the key.", forms: []program.Form{program.FormForeach}},
		{name: "concurrency", typ: engine.TypeInteger(), minimum: bound(1), maximum: bound(maxConcurrency), doc: "How many elements at the same time; 1 by default.",
			forms: []program.Form{program.FormForeach}},
		{name: "while", shape: bare, typ: engine.TypeBool(), doc: "A condition: the steps are repeated as long as it is true. It may read what the last round left.",
			forms: []program.Form{program.FormWhile}},
		{name: "max", typ: engine.TypeInteger(), minimum: bound(1), maximum: bound(maxRounds), doc: "How many rounds at most; one more fails the step.",
			forms: []program.Form{program.FormWhile}},
	}
}

func otherFormKeys() []key {
	return []key{
		{name: "approve", shape: nested, of: "approve", doc: "Asks people before the run goes on.", forms: []program.Form{program.FormApprove}},
		{name: "wait", shape: nested, of: "wait", doc: "Parks the run for a time or until a signal.", forms: []program.Form{program.FormWait}},
		{name: "set", shape: values, example: "count: ${{ len(steps.list.users) }}", doc: "Computes values; read as steps.ID.NAME.", forms: []program.Form{program.FormSet}},
		{name: "fail", shape: template, typ: engine.TypeString(), doc: "Ends the run as failed, with this message.", forms: []program.Form{program.FormFail}},
		{name: "return", shape: template, typ: engine.Maybe(engine.TypeString()), example: "nothing to do",
			doc: "Ends the playbook as succeeded, for this reason. Its outputs are still evaluated.", forms: []program.Form{program.FormReturn}},
	}
}

// goesWith reports whether the key means something in a step of that form.
func (k key) goesWith(f program.Form) bool { return len(k.forms) == 0 || slices.Contains(k.forms, f) }
