package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/engine/schedule"
	"github.com/drawbridge-soar/drawbridge/playbooks"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

func (a *app) schedulesCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "schedules", Short: "When playbooks start by themselves"}
	cmd.AddCommand(
		a.schedulesListCommand(), a.schedulesNextCommand(), a.schedulesPauseCommand(), a.schedulesResumeCommand(), a.schedulesTriggerCommand(),
	)
	return cmd
}

// nextOptions are the flags of schedules next.
type nextOptions struct {
	count int
	from  string
}

func (a *app) schedulesNextCommand() *cobra.Command {
	var o nextOptions
	cmd := &cobra.Command{
		Use:   "next PLAYBOOK",
		Short: "Show the next fire times of a playbook's schedules",
		Long: `Shows when each schedule of a playbook fires next, in its time zone and in UTC,
and says what happens where clocks change. Nothing is started, and no service
is reached.`,
		Example: `  drawbridge schedules next sweep-dormant-users
  drawbridge schedules next sweep.yaml --from 2026-03-28 --count 3`,
		Args: cobra.ExactArgs(1),
		RunE: work(func(_ context.Context, args []string) error { return a.schedulesNext(args[0], o) }),
	}
	cmd.Flags().IntVar(&o.count, "count", 20, "how many fire times of each schedule, up to 1000")
	cmd.Flags().StringVar(&o.from, "from", "", "show those after this time, as 2026-03-28 (UTC) or 2026-03-28T12:00:00+01:00; now by default")
	return cmd
}

// nextDocument is what schedules next prints with -o json.
type nextDocument struct {
	Playbook string            `json:"playbook"`
	From     string            `json:"from"`
	Triggers []triggerDocument `json:"triggers"`
}

type triggerDocument struct {
	Trigger  int            `json:"trigger"` // its place among the playbook's triggers, from 0
	Schedule string         `json:"schedule"`
	Timezone string         `json:"timezone"`
	Missed   string         `json:"missed"`
	Overlap  string         `json:"overlap"`
	Next     []fireDocument `json:"next"`
}

type fireDocument struct {
	At     string         `json:"at"`
	Local  string         `json:"local"` // in the schedule's zone, with its offset
	Shift  schedule.Shift `json:"shift"` // what a change of the clocks does to it; "" for nothing
	Change bool           `json:"clocks_changed"`
	Key    string         `json:"key"`

	at time.Time
}

func (a *app) schedulesNext(argument string, o nextOptions) error {
	if o.count < 1 || o.count > 1000 {
		return usage("--count must be from 1 to 1000")
	}
	from, err := a.fromTime(o.from)
	if err != nil {
		return err
	}
	prog, err := a.triggersOf(argument)
	if err != nil {
		return err
	}
	doc := nextDocument{Playbook: prog.Name, From: stamp(from), Triggers: []triggerDocument{}}
	for i, t := range prog.Triggers {
		if t.Schedule == "" {
			continue
		}
		next, err := nextOf(prog.Name, i, t, from, o.count)
		if err != nil {
			return err
		}
		doc.Triggers = append(doc.Triggers, next)
	}
	if a.json() {
		return a.print(doc)
	}
	return a.showNext(doc)
}

func (a *app) fromTime(text string) (time.Time, error) {
	if text == "" {
		return a.now(), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, usage("--from must be a time such as 2026-03-28 or 2026-03-28T12:00:00+01:00, not %q", text)
}

// triggersOf compiles a playbook without looking at its connections: when it
// fires does not depend on them.
func (a *app) triggersOf(argument string) (*program.Program, error) {
	conf, err := a.config()
	if err != nil {
		return nil, err
	}
	from, err := a.sources(conf, argument)
	if err != nil {
		return nil, err
	}
	env, err := a.environment(conf, nil)
	if err != nil {
		return nil, err
	}
	problems := from.problems
	var prog *program.Program
	if !yamldoc.HasErrors(problems) {
		prog, problems = playbooks.Compile(from.bundle, env)
	}
	if prog == nil {
		return nil, a.reject(yamldoc.Sort(problems))
	}
	return prog, nil
}

func nextOf(playbook string, index int, t program.Trigger, from time.Time, count int) (triggerDocument, error) {
	s, err := schedule.Parse(t.Schedule, t.Timezone)
	if err != nil {
		return triggerDocument{}, err
	}
	doc := triggerDocument{Trigger: index, Schedule: t.Schedule, Timezone: s.Location().String(), Missed: t.Missed, Overlap: t.Overlap, Next: []fireDocument{}}
	for before := from.In(s.Location()); len(doc.Next) < count; {
		at := s.Next(before)
		if at.IsZero() {
			break
		}
		doc.Next = append(doc.Next, fireDocument{
			At: stamp(at), Local: at.Format(time.RFC3339), Shift: s.Shift(at), Change: offset(before) != offset(at), Key: schedule.Key(playbook, index, at), at: at,
		})
		before = at
	}
	return doc, nil
}

func offset(t time.Time) int {
	_, seconds := t.Zone()
	return seconds
}

func (a *app) showNext(doc nextDocument) error {
	if len(doc.Triggers) == 0 {
		a.say("%s has no schedule", doc.Playbook)
	}
	for i, t := range doc.Triggers {
		if i > 0 {
			fmt.Fprintln(a.stdout)
		}
		fmt.Fprintf(a.stdout, "%s in %s, missed: %s, overlap: %s\n", a.palette.Bold(t.Schedule), t.Timezone, t.Missed, t.Overlap)
		rows := [][]string{}
		for _, f := range t.Next {
			rows = append(rows, []string{f.at.Format("Mon 2006-01-02 15:04:05 -07:00"), f.at.UTC().Format(time.DateTime), remark(f)})
		}
		if err := a.table([]string{"LOCAL", "UTC", "CLOCKS"}, rows, "it does not fire any more"); err != nil {
			return err
		}
	}
	return nil
}

// remark says what a change of the clocks has to do with a fire time.
func remark(f fireDocument) string {
	switch {
	case f.Shift == schedule.ShiftSkipped:
		return "put forward: its time was skipped, this is the next valid minute"
	case f.Shift == schedule.ShiftFirst:
		return "put back: this time comes twice, here it is the first"
	case f.Shift == schedule.ShiftAgain:
		return "put back: this time comes again"
	case f.Change:
		return "changed since the one before"
	default:
		return "-"
	}
}
