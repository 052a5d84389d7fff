package program_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

func field(name string, t engine.Type) engine.Field {
	return engine.Field{Name: name, Type: t, Required: !t.Optional}
}

func hook(name string, fields ...engine.Field) program.Trigger {
	t := program.Trigger{Webhook: name}
	if len(fields) > 0 {
		t.Body = engine.MapOf(fields...)
	}
	return t
}

func TestWhatBodiesHaveInCommon(t *testing.T) {
	text, number, daily := engine.TypeString(), engine.TypeInteger(), program.Trigger{Schedule: "@daily"}
	alert := func(fields ...engine.Field) engine.Field { return field("alert", engine.MapOf(fields...)) }
	anything := engine.TypeAny()
	for name, test := range map[string]struct {
		triggers []program.Trigger
		want     engine.Type
		reasons  []string
	}{
		"no webhook":              {[]program.Trigger{daily}, anything, nil},
		"nothing declared":        {[]program.Trigger{hook("a"), hook("b")}, anything, nil},
		"one":                     {[]program.Trigger{hook("a", field("id", text))}, engine.MapOf(field("id", text)), nil},
		"one, and a schedule":     {[]program.Trigger{daily, hook("a", field("id", text))}, engine.Maybe(engine.MapOf(field("id", text))), nil},
		"the first declares none": {[]program.Trigger{hook("a"), hook("b", field("id", text))}, anything, []string{"body"}},
		"the last declares none":  {[]program.Trigger{hook("a", field("id", text)), hook("b")}, anything, []string{"body"}},
		"fields of one only": {[]program.Trigger{hook("a", field("id", text), field("x", text)), hook("b", field("y", text), field("id", text))},
			engine.MapOf(field("id", text)), []string{"body.x", "body.y"}},
		"fields of other types": {[]program.Trigger{hook("a", field("id", text), field("n", text)), hook("b", field("id", text), field("n", number))},
			engine.MapOf(field("id", text)), []string{"body.n"}},
		"missing in one": {[]program.Trigger{hook("a", field("id", text)), hook("b", field("id", engine.Maybe(text)))},
			engine.MapOf(field("id", engine.Maybe(text))), nil},
		"other values": {[]program.Trigger{hook("a", field("s", engine.EnumOf("low"))), hook("b", field("s", engine.EnumOf("high")))},
			engine.MapOf(field("s", text)), nil},
		"fields of maps": {[]program.Trigger{hook("a", alert(field("id", text), field("x", text))), hook("b", alert(field("id", text)))},
			engine.MapOf(alert(field("id", text))), []string{"body.alert.x"}},
		"maps with nothing in common": {[]program.Trigger{hook("a", field("id", text), alert(field("x", text))), hook("b", field("id", text), alert(field("y", text)))},
			engine.MapOf(field("id", text)), []string{"body.alert", "body.alert.x", "body.alert.y"}},
		"a map with free keys": {[]program.Trigger{hook("a", field("id", text), alert(field("x", text))), hook("b", field("id", text), field("alert", engine.DictOf(anything)))},
			engine.MapOf(field("id", text)), []string{"body.alert"}},
		"lists": {[]program.Trigger{hook("a", field("l", engine.ListOf(text))), hook("b", field("l", engine.ListOf(text)))},
			engine.MapOf(field("l", engine.ListOf(text))), nil},
		"lists of other things": {[]program.Trigger{hook("a", field("id", text), field("l", engine.ListOf(text))), hook("b", field("id", text), field("l", engine.ListOf(number)))},
			engine.MapOf(field("id", text)), []string{"body.l"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, reasons := program.SharedBody(test.triggers)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if paths := slices.Sorted(maps.Keys(reasons)); !slices.Equal(paths, test.reasons) {
				t.Errorf("reasons %v", reasons)
			}
			if f, _ := program.TriggerType(test.triggers).Field("body"); !cmp.Equal(f.Type, got) {
				t.Errorf("trigger.body is %v", f.Type)
			}
		})
	}
}
