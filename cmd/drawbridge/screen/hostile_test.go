package screen_test

import (
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/screen"
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/message"
	"github.com/drawbridge-soar/drawbridge/steps/message/messagetest"
)

func TestHostileNamesInMarkdown(t *testing.T) {
	messagetest.Hostile(t, func(_ *testing.T, text engine.Text) string {
		return message.Render(text, func(name string) string { return screen.Markdown(name, 300) })
	}, "<", "](", "![", "|", "`", "**", "https://", "www.e", "@h", "@e", "#g", "# A")
}

// TestHostileNamesInAPlan puts each name everywhere in a plan that others can
// have chosen: what stands around it must not change its shape.
func TestHostileNamesInAPlan(t *testing.T) {
	want := shape(planAbout("Sam Example"))
	for _, hostile := range messagetest.HostileNames() {
		t.Run(hostile.About, func(t *testing.T) {
			got := planAbout(hostile.Name)
			if shape(got) != want {
				t.Errorf("the plan has another shape:\n%s", got)
			}
			for _, markup := range []string{"<!", "<s", "<a", "](", "\x1b", "\u202e", "https://"} {
				if strings.Contains(got, markup) {
					t.Errorf("%q stands in\n%s", markup, got)
				}
			}
		})
	}
}

func planAbout(name string) string {
	change := planned("U1", name, "", nil)
	change.Why = name
	refused := planned("U2", name, engine.OutcomeRefused, engine.Fail(engine.ClassRefused, engine.CodeProtected, "%s", name))
	pl := hostilePlan()
	pl.Record.Playbook, pl.Record.Actor.Name = name, name
	pl.Set = engine.ChangeSet{
		Changes:   []engine.PlannedChange{change, refused},
		Approvals: []engine.PlannedApproval{{Path: "review", Title: name, By: []string{name}, Needs: 1}},
	}
	var out strings.Builder
	screen.WriteMarkdown(&out, pl)
	return out.String()
}

// shape is what a reader of the Markdown makes paragraphs and tables of.
func shape(markdown string) string {
	var out strings.Builder
	for line := range strings.Lines(markdown) {
		first, _, _ := strings.Cut(line, " ")
		if strings.Trim(first, "#-|") != "" {
			first = "text"
		}
		out.WriteString(strings.TrimSpace(first))
		out.WriteString(strings.Repeat("|", strings.Count(line, "|")))
		out.WriteByte('\n')
	}
	return out.String()
}
