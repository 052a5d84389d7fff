package program

import (
	"fmt"
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/expression"
)

// Trigger is a schedule or a webhook.
type Trigger struct {
	Schedule string           // cron expression, @daily and the like, or @every; "" for a webhook
	Timezone string           // IANA name; "" is UTC
	Missed   string           // none, last, all
	Overlap  string           // skip, queue, allow
	Webhook  string           // its name; "" for a schedule
	With     expression.Value // inputs
	// Body is the declared shape of a webhook's body: a map with fields. The
	// zero Type where the webhook declares none, and takes any JSON.
	Body engine.Type
	// Dedupe makes of trigger.body what tells deliveries apart: one that comes
	// to the same text or integer starts nothing. Nil: every delivery is new.
	Dedupe *expression.Expression
}

// TriggerType is the type of `trigger` in a playbook with these triggers. Its
// body has what the bodies of all webhooks have in common.
func TriggerType(triggers []Trigger) engine.Type {
	t := engine.TriggerType()
	for i, f := range t.Fields {
		if f.Name == "body" {
			t.Fields[i].Type, _ = SharedBody(triggers)
		}
	}
	return t
}

// SharedBody is the type of trigger.body: the fields that all webhooks declare,
// typed alike, and optional where a schedule starts the playbook as well. It is
// dynamic where no webhook declares a body. The reasons say why something
// declared cannot be used, by its path below trigger ("body.alert.id").
func SharedBody(triggers []Trigger) (engine.Type, map[string]string) {
	hooks := slices.DeleteFunc(slices.Clone(triggers), func(t Trigger) bool { return t.Webhook == "" })
	if !slices.ContainsFunc(hooks, func(t Trigger) bool { return t.Body.Kind != "" }) {
		return engine.TypeAny(), nil
	}
	shared := &sharing{reasons: map[string]string{}}
	body, alike := hooks[0].Body, hooks[0].Body.Kind != ""
	if !alike {
		shared.undeclared(hooks[0].Webhook)
	}
	for i := 1; i < len(hooks) && alike; i++ {
		body, alike = shared.bodies(body, hooks[i], hooks[:i])
	}
	if !alike {
		return engine.TypeAny(), shared.reasons
	}
	body.Optional = len(hooks) < len(triggers)
	return body, shared.reasons
}

// sharing finds what types have in common.
type sharing struct {
	reasons    map[string]string
	other, one string // who declares the two types that are compared, for reasons
}

func (s *sharing) undeclared(hook string) {
	s.reasons["body"] = fmt.Sprintf("the webhook %q declares no body", hook)
}

func (s *sharing) bodies(body engine.Type, hook Trigger, before []Trigger) (engine.Type, bool) {
	if hook.Body.Kind == "" {
		s.undeclared(hook.Webhook)
		return engine.Type{}, false
	}
	s.one, s.other = fmt.Sprintf("the webhook %q", before[0].Webhook), fmt.Sprintf("the webhook %q", hook.Webhook)
	return s.types(body, hook.Body, "body")
}

// types is what two types have in common; false where that is nothing.
func (s *sharing) types(a, b engine.Type, path string) (engine.Type, bool) {
	out, alike := a, a.Kind == b.Kind && (len(a.Fields) > 0) == (len(b.Fields) > 0)
	out.Optional = a.Optional || b.Optional
	switch {
	case !alike:
		s.reasons[path] = fmt.Sprintf("%s and %s declare it differently: %s and %s", s.one, s.other, a.Certain(), b.Certain())
	case len(a.Fields) > 0:
		if out.Fields = s.fields(a.Fields, b.Fields, path); len(out.Fields) == 0 {
			s.reasons[path] = fmt.Sprintf("%s and %s declare no field of it alike", s.one, s.other)
			return out, false
		}
	case a.Kind == engine.KindList && a.Elem != nil && b.Elem != nil:
		var elem engine.Type
		if elem, alike = s.types(*a.Elem, *b.Elem, path); alike {
			out.Elem = &elem
		}
	case !slices.Equal(a.Enum, b.Enum):
		out.Enum = nil
	}
	return out, alike
}

func (s *sharing) fields(a, b []engine.Field, path string) []engine.Field {
	var out []engine.Field
	for _, f := range a {
		g, both := engine.FieldNamed(b, f.Name)
		if !both {
			s.reasons[path+"."+f.Name] = s.other + " does not declare it"
			continue
		}
		t, alike := s.types(f.Type, g.Type, path+"."+f.Name)
		if f.Type, f.Required = t, f.Required && g.Required; alike {
			out = append(out, f)
		}
	}
	for _, g := range b {
		if _, both := engine.FieldNamed(a, g.Name); !both {
			s.reasons[path+"."+g.Name] = s.one + " does not declare it"
		}
	}
	return out
}
