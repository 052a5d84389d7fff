// Package program holds the checked, immutable form of a playbook: what
// package playbooks compiles to and the machine runs. A program is pinned by
// the hash of its source and of the playbooks it calls.
package program

import (
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/expression"
)

// Program is a checked playbook.
type Program struct {
	Name        string
	Description string
	Hash        string // hex SHA-256 of the canonical bundle, called playbooks included
	Inputs      []engine.Field
	Outputs     []Output
	Guard       Guard
	Triggers    []Trigger
	Concurrency *Concurrency // nil: any number of runs at the same time
	Steps       []*Node
	Nodes       []*Node             // every node of Steps at any depth, by Node.Index
	Calls       map[string]*Program // by the name `call:` uses
	Changes     bool                // some step at any depth, or in a called playbook, changes something
	Unavailable []Unavailable       // what this version checks but cannot carry out yet; running refuses
}

// Concurrency is how many runs of a playbook there may be at the same time. It
// is about runs of their own: a called playbook is a part of its caller.
type Concurrency struct {
	Max      int                    // at least 1, of each group
	Key      *expression.Expression // over inputs and trigger: a text or an integer that names the group; nil: one group
	Strategy string                 // of a run that is one too many: "queue" (default) or "skip"
}

// Unavailable is a part of the language whose execution is not there yet.
type Unavailable struct {
	What         string // "guard.protect of a directory group"
	Line, Column int
}

// Output is one declared output of a playbook.
type Output struct {
	Name  string
	Type  engine.Type
	Value expression.Value
}

// Guard is the limits a playbook sets for itself; the configuration's are the ceiling.
type Guard struct {
	MaxChanges *int64
	MaxPercent *float64
	Protect    []string
	OnBlock    string // "stop" (default) or "ask"
}

// Form is which of the step forms a node is.
type Form string

// The step forms.
const (
	FormUses     Form = "uses"
	FormSteps    Form = "steps"
	FormForeach  Form = "foreach"
	FormParallel Form = "parallel"
	FormSwitch   Form = "switch"
	FormWhile    Form = "while"
	FormApprove  Form = "approve"
	FormWait     Form = "wait"
	FormCall     Form = "call"
	FormSet      Form = "set"
	FormTry      Form = "try"
	FormFail     Form = "fail"
	FormReturn   Form = "return"
)

// Node is one step. The fields after Form that belong to other forms are zero.
type Node struct {
	Index        int    // in Program.Nodes
	ID           string // "" when the step has none
	Name         string
	Segment      string // its part of a path: the id, or FORM~N
	Line, Column int
	Form         Form

	If       *expression.Expression // nil: always
	Else     []*Node                // only on blocks
	Timeout  time.Duration          // 0: none. Of each item's call where a foreach has `uses`
	Retry    *Retry                 // nil: once
	Continue bool                   // on_error: continue
	For      *Temporary             // nil: not temporary

	Output engine.Type // fields of steps.<id> beside status and error; a map type

	Uses     *Uses   // FormUses, and FormForeach over one action
	Body     []*Node // FormSteps, FormForeach over steps, FormWhile, FormTry
	Foreach  *Foreach
	Branches []Branch // FormParallel, FormSwitch: in the order written
	Default  []*Node  // FormSwitch; nil when there is none
	Switch   *expression.Expression
	While    *While
	Call     *Call
	Set      []Assignment
	Catch    []*Node          // FormTry; nil when there is none
	Finally  []*Node          // FormTry
	Fail     expression.Value // FormFail: the message
	Return   expression.Value // FormReturn: the reason; zero when there is none
	Approve  *Approve
	Wait     *Wait
}

// Uses is the call of an action.
type Uses struct {
	Action     string
	Effect     engine.Effect
	Connection engine.ConnectionRef
	Inputs     []Assignment   // those given, in declaration order; defaults come from the declaration
	Declared   []engine.Field // the action's inputs
	Output     engine.Type
}

// Assignment names a value.
type Assignment struct {
	Name  string
	Type  engine.Type
	Value expression.Value
}

// Foreach is a loop over a list that is frozen on entry.
type Foreach struct {
	List        *expression.Expression
	Elem        engine.Type
	As          string                 // the loop variable; "item" by default
	Key         *expression.Expression // nil: the element's id field, else the index
	KeyField    string                 // "id" where Key is nil and the element has one
	Label       *expression.Expression // nil: the key
	Concurrency int                    // at least 1
	ItemsRead   bool                   // some expression reads steps.<id>.items
}

// Branch is one branch of a parallel or one case of a switch. A case's Name is
// its literal as written.
type Branch struct {
	Name  string
	Match any // of a case: the literal by the switch's type
	Steps []*Node
}

// While is a loop with a condition, evaluated before each round.
type While struct {
	Condition *expression.Expression
	Max       int64 // the round after it fails the step
}

// Call runs another playbook inside this run.
type Call struct {
	Playbook string // key of Program.Calls
	Inputs   []Assignment
}

// Retry says how often and when a failed call is tried again. Only failures
// that may pass are retried: transient and timeout.
type Retry struct {
	Attempts int    // including the first
	Backoff  string // fixed or exponential (doubling)
	First    time.Duration
	Max      time.Duration
}

// Temporary makes a change end.
type Temporary struct {
	Duration expression.Value
	AtEnd    string        // ask, keep, lift; "" by the action's access
	Most     time.Duration // how long it may last in all where it is extended; 0: the playbook does not say
	Warn     time.Duration // how long before its end people are told; 0: not at all
}

// Approve asks people.
type Approve struct {
	Title   expression.Value
	By      []string
	Needs   int
	Timeout time.Duration
	OnDeny  string // end (default) or continue
	Notify  string // connection; "" for the configuration's
}

// Wait parks the run. Exactly one of its fields is set.
type Wait struct {
	For    expression.Value
	Until  expression.Value
	Signal string
}
