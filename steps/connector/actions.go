package connector

import (
	"context"
	"fmt"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/playbooks/connector"
)

// Actions are the actions of a connector file's own.
func Actions(def *connector.Definition) []engine.Action {
	var out []engine.Action
	for i := range def.Actions {
		a := action{def: def, Action: &def.Actions[i]}
		switch a.Action.Spec.Effect {
		case engine.Observe:
			out = append(out, observation{a})
		case engine.Change:
			out = append(out, change{a})
		case engine.Announce:
			out = append(out, announcement{a})
		}
	}
	return out
}

type action struct {
	def *connector.Definition
	*connector.Action
}

// Spec declares the action.
func (a action) Spec() engine.ActionSpec { return a.Action.Spec }

// service is the connection that a call goes through.
func (a action) service(call engine.Call) (*service, *engine.Connection, error) {
	return engine.Offered[*service](call, a.def.Capability())
}

// inputs are a call's, with null for those that were not given.
func (a action) inputs(call engine.Call) map[string]any {
	out := make(map[string]any, len(a.Action.Spec.Inputs))
	for _, f := range a.Action.Spec.Inputs {
		out[f.Name] = call.Inputs[f.Name]
	}
	return out
}

// outputs evaluates what the action results in.
func (a action) outputs(scope map[string]any) (map[string]any, error) {
	out := make(map[string]any, len(a.Out)+1)
	for _, o := range a.Out {
		v, err := o.Expr.Eval(scope)
		if err != nil {
			return nil, fmt.Errorf("%s: the output %s: %w", a.Action.Spec.Name, o.Name, err)
		}
		out[o.Name] = v
	}
	return out, nil
}

// call carries out a request that is not a change of a target, and evaluates
// what it results in.
func (a action) call(ctx context.Context, call engine.Call) (map[string]any, error) {
	s, _, err := a.service(call)
	if err != nil {
		return nil, err
	}
	inputs := a.inputs(call)
	scope := s.scope(inputs)
	if a.Call.Listing {
		rows := []any{}
		for row, err := range s.rows(ctx, &a.Call, inputs) {
			if err != nil {
				return nil, err
			}
			rows = append(rows, row)
		}
		scope["rows"] = rows
		return a.outputs(scope)
	}
	if scope["response"], err = s.do(ctx, &a.Call, inputs); err != nil {
		return nil, err
	}
	return a.outputs(scope)
}

type observation struct{ action }

// Observe makes the request.
func (o observation) Observe(ctx context.Context, call engine.Call) (engine.Observation, error) {
	outputs, err := o.call(ctx, call)
	return engine.Observation{Outputs: outputs}, err
}

type announcement struct{ action }

// Announce makes the request.
func (a announcement) Announce(ctx context.Context, call engine.Call) (map[string]any, error) {
	return a.call(ctx, call)
}

type change struct{ action }

// Names of what a change that no read shows is about.
const (
	blindField  = "done"
	scopeRecord = "scope" // in Subject.Record: the names that expressions begin with
)

// Read makes the request that reads the target.
func (c change) Read(ctx context.Context, call engine.Call) (engine.Subject, error) {
	s, conn, err := c.service(call)
	if err != nil {
		return engine.Subject{}, err
	}
	inputs := c.inputs(call)
	scope := s.scope(inputs)
	if c.Change.Read != nil {
		if scope["response"], err = s.do(ctx, c.Change.Read, inputs); err != nil {
			return engine.Subject{}, err
		}
	}
	subject, err := c.subject(scope)
	subject.Connection = conn
	return subject, err
}

// subject is the target as it was read.
func (c change) subject(scope map[string]any) (engine.Subject, error) {
	out := engine.Subject{State: map[string]any{}, Record: map[string]any{scopeRecord: scope}}
	id, err := c.Change.ID.Eval(scope)
	if err != nil {
		return out, c.wrong("id", err)
	}
	out.Target.ID, _ = id.(string)
	if out.Target.ID == "" {
		return out, engine.Fail(engine.ClassPermanent, CodeAnswer, "%s: the target has no id", c.Action.Spec.Name)
	}
	out.Target.Name = out.Target.ID
	if c.Change.Target != nil {
		name, err := c.Change.Target.Eval(scope)
		if err != nil {
			return out, c.wrong("name", err)
		}
		if text, _ := name.(string); text != "" {
			out.Target.Name = text
		}
	}
	for _, e := range c.Change.Aliases {
		alias, err := e.Eval(scope)
		if err != nil {
			return out, c.wrong("aliases", err)
		}
		if text, _ := alias.(string); text != "" {
			out.Aliases = append(out.Aliases, text)
		}
	}
	if c.Change.Read == nil {
		out.Blind, out.Repeatable, out.State[blindField] = true, c.Call.Repeatable, false
		return out, nil
	}
	for _, field := range c.Change.State {
		if out.State[field.Name], err = field.Expr.Eval(scope); err != nil {
			return out, c.wrong(field.Name, err)
		}
	}
	return out, nil
}

func (c change) wrong(what string, err error) error {
	return fmt.Errorf("%s: the `%s` of its target: %w", c.Action.Spec.Name, what, err)
}

// Preview says what the change makes of the target.
func (c change) Preview(_ engine.Call, before engine.Subject) (engine.Preview, error) {
	scope, _ := before.Record[scopeRecord].(map[string]any)
	out := engine.Preview{After: map[string]any{}}
	differs := c.Change.Read == nil
	if differs {
		out.After[blindField] = true
	}
	for _, p := range c.Change.After {
		v, err := p.Value.Eval(scope)
		if err != nil {
			return out, c.wrong(p.Name, err)
		}
		out.After[p.Name] = v
		differs = differs || v != before.State[p.Name]
	}
	var err error
	if out.Outputs, err = c.changed(before, differs); err != nil || !differs || c.Change.Inverse == nil {
		return out, err
	}
	out.Inverse, err = c.inverse(scope, before.Target)
	return out, err
}

func (c change) inverse(scope map[string]any, target engine.Target) (*engine.Invocation, error) {
	with := map[string]any{"settings": scope["settings"], "inputs": scope["inputs"], "run": scope["run"],
		"target": map[string]any{"id": target.ID, "name": target.Name}}
	out := &engine.Invocation{Action: c.Change.Inverse.Action, Inputs: map[string]any{}}
	for _, p := range c.Change.Inverse.With {
		v, err := p.Value.Eval(with)
		if err != nil {
			return nil, fmt.Errorf("%s: the input %s of its inverse: %w", c.Action.Spec.Name, p.Name, err)
		}
		if v != nil {
			out.Inputs[p.Name] = v
		}
	}
	return out, nil
}

// changed are the outputs of the step.
func (c change) changed(before engine.Subject, changed bool) (map[string]any, error) {
	scope, _ := before.Record[scopeRecord].(map[string]any)
	out, err := c.outputs(scope)
	if err != nil {
		return nil, err
	}
	out["changed"] = changed
	return out, nil
}

// Perform makes the request that carries the change out.
func (c change) Perform(ctx context.Context, call engine.Call, before engine.Subject) (map[string]any, error) {
	s, _, err := c.service(call)
	if err != nil {
		return nil, err
	}
	if _, err := s.do(ctx, &c.Call, c.inputs(call)); err != nil {
		return nil, err
	}
	return c.changed(before, true)
}
