package cli

import (
	"maps"
	"path/filepath"
	"slices"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/playbooks"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// violations are what a playbook does against the configuration's policy, each
// at its step.
func violations(conf *config.Config, actions *engine.Actions, bundle playbooks.Bundle, prog *program.Program) []yamldoc.Diagnostic {
	catalog := conf.Catalog()
	through := func(u *program.Uses) ([]string, error) {
		action, known := actions.Named(u.Action)
		if !known {
			return nil, nil // the checker has said so
		}
		names, err := catalog.Resolve(action.Spec().Needs, u.Connection)
		return slices.Compact(slices.Sorted(maps.Values(names))), err
	}
	var found []yamldoc.Diagnostic
	for _, v := range conf.Guard.Check(prog, through) {
		source := bundle.Sources[orElse(v.Called, bundle.Root)]
		found = append(found, yamldoc.ErrorIn(source.Path, source.Data, v.Line, v.Column, "policy", "%s", v.Message))
	}
	return found
}

// checkedPolicy is violations of many playbooks. One that others call and that
// no entry of the policy is about is a part of those, and not run by itself.
func checkedPolicy(conf *config.Config, actions *engine.Actions, checked []playbooks.Checked) []yamldoc.Diagnostic {
	parts := map[string]bool{}
	for _, c := range checked {
		for name, source := range c.Bundle.Sources {
			if name != c.Bundle.Root {
				parts[filepath.Clean(source.Path)] = true
			}
		}
	}
	var found []yamldoc.Diagnostic
	for _, c := range checked {
		if c.Program == nil {
			continue
		}
		for _, d := range violations(conf, actions, c.Bundle, c.Program) {
			if d.Line > 0 || !parts[filepath.Clean(c.Path)] {
				found = append(found, d)
			}
		}
	}
	return found
}
