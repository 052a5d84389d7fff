package playbooktest

import (
	"net/url"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// Suite is one test file.
type Suite struct {
	Path     string
	Playbook string // path of the playbook it tests
	Cases    []*Case

	at *yamldoc.Node // where the playbook is named; nil where it is not
}

// PlaybookMissing is the diagnostic of a suite whose playbook cannot be read.
func (s *Suite) PlaybookMissing() yamldoc.Diagnostic {
	const hint = "name it with playbook:, as a path from this file"
	if s.at == nil {
		return yamldoc.NewDiagnostic(s.Path, "playbook", "there is no playbook %s to test", s.Playbook).WithHint(hint)
	}
	return s.at.Errorf("playbook", "there is no playbook %s to test", s.Playbook).WithHint(hint)
}

// Case is one test.
type Case struct {
	Name         string
	Time         time.Time // what the clock shows when the run starts
	Inputs       map[string]any
	Tenant       Tenant
	Faults       []Fault
	Replies      []Reply
	Observations []Observation
	Approvals    []Decision
	Guard        *program.Guard // takes the place of the configuration's; nil for that
	Trigger      *Trigger       // what starts the run; nil: somebody does
	Signals      []Signal
	Later        time.Duration // how much time passes after the run
	Expect       Expect

	name     *yamldoc.Node
	inputs   []yamldoc.Entry
	observed []yamldoc.Entry
}

// Line is where the test stands in its file.
func (c *Case) Line() int {
	line, _ := c.name.Position()
	return line
}

// Failed is a diagnostic about the test as a whole.
func (c *Case) Failed(format string, args ...any) yamldoc.Diagnostic {
	return c.name.Errorf(codeExpect, format, args...)
}

// Tenant is who is there, and what they did.
type Tenant struct {
	Generated int // people who live ordinary lives, beside those named
	People    []Person
	SignIns   []SignIns
	Usages    []Usage
	Audits    []Audit
}

// Person is one named account. An empty ID is made up.
type Person struct {
	ID, Email, Name string
	Suspended       bool
	Created         time.Time // zero: long before the test
	Refuses         string    // why it cannot be suspended: last_owner, externally_managed, self; "" where it can
}

// SignIns is a row of failures, half a minute apart, and a success a minute
// after them; the last of it was so long Ago.
type SignIns struct {
	Who      int // index in Tenant.People
	Ago      time.Duration
	Failures int
	Success  bool
	From     string // address
	Country  string
}

// Usage is one use of a stored item.
type Usage struct {
	Who int // index in Tenant.People
	Ago time.Duration
}

// Reply is what a web service answers to a request.
type Reply struct {
	Method  string
	Address *url.URL // without a host, of any service; without a query, with any
	Status  int
	Headers map[string]string
	Body    []byte
	Times   int  // how often; -1 for any number
	Lost    bool // the connection is cut before the answer
}

// Audit is one change in the account. Who and Whom are indexes in
// Tenant.People, -1 for an integration and for something that is no person.
type Audit struct {
	Action, Object string
	Ago            time.Duration
	Who, Whom      int
}

// Fault is something that goes wrong with requests to the simulated services.
type Fault struct {
	Operation  string // any when empty
	Kind       string
	After      int // so many requests pass first
	Every      int // then only each n-th is hit; 0 for each
	Times      int // how many are hit; -1 for all
	RetryAfter time.Duration
	Delay      time.Duration
}

// Observation is a recorded answer of a step.
type Observation struct {
	Step    string // path, without keys of items where it stands for all of them
	Outputs map[string]any
}

// Answer is what somebody says to an approval.
type Answer string

// The answers. Withheld is also that of an approval nobody here answers.
const (
	Given    Answer = "given"
	Denied   Answer = "denied"
	Withheld Answer = "withheld"
)

// Decision is what one person says to one approval.
type Decision struct {
	Step   string // path; "" for an approval of the run as a whole
	Answer Answer
	By     string // name of a person in the configuration
	Except []string
	Reason string
	After  time.Duration // how long they take

	at *yamldoc.Node // where the step is named; nil where it is not
}

// Trigger is what starts the run.
type Trigger struct {
	Of   program.Trigger // one of the playbook's, by Bind
	Body []byte          // of a webhook, as JSON, by Bind

	webhook, schedule string
	at                *yamldoc.Node // where it is named
	body              *yamldoc.Node // nil without one
}

// Signal is what a run is sent while it waits for it.
type Signal struct {
	Name  string
	Body  []byte        // as JSON; "null" without one
	By    string        // name of a person in the configuration; "" for who started the run
	After time.Duration // how long the run has waited then

	at *yamldoc.Node // where it is named
}

// Expect is what must come of it. What is nil is not checked.
type Expect struct {
	status   *want[engine.RunStatus]
	failure  *want[string]
	changes  *lines
	plan     *lines
	grants   *lines
	messages *messages
	items    []loop
	ran      *want[[]step]
	notRan   *want[[]step]
	outputs  []output
}

// Plans reports whether the test expects something of a plan.
func (e Expect) Plans() bool { return e.plan != nil }

// want is an expected value and where it stands.
type want[T any] struct {
	value T
	at    *yamldoc.Node
}

// lines are expected changes: exactly these, or only how many.
type lines struct {
	at    *yamldoc.Node
	exact []line
	count *int64 // nil: exact
}

// line is one expected change, or one expected grant.
type line struct {
	at      *yamldoc.Node
	target  string         // id, name or e-mail
	action  string         // any when empty
	outcome engine.Outcome // the state, of a grant
	wrong   *yamldoc.Node  // where the outcome stands, or the line
}

// messages are what must have been sent.
type messages struct {
	count    *want[int64]
	contains []want[string]
	lacks    []want[string]
}

// loop is the items a loop must have had, all of them.
type loop struct {
	step  step
	items []item
}

type item struct {
	at      *yamldoc.Node
	name    string // key or label
	outcome engine.Outcome
}

// step is a step that is named, and the path it is resolved to by Bind.
type step struct {
	at   *yamldoc.Node
	name string
	path string
}

// output is one expected output.
type output struct {
	key   *yamldoc.Node
	value *yamldoc.Node
	json  []byte // by Bind
}
