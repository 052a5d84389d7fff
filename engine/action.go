package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Effect is what carrying out an action does to the world.
type Effect string

// The three effects. Every action has exactly one.
const (
	Observe  Effect = "observe"  // reads; no side effects
	Change   Effect = "change"   // changes a target; previewed, guarded, recorded, and mostly reversible
	Announce Effect = "announce" // tells people; never in a plan, at least once in a run
)

// Access says what a reversible change does to somebody's access.
type Access string

// Gives and Takes decide what happens when a temporary change ends: access
// that was given is taken back, access that was taken away asks first.
const (
	Gives Access = "gives"
	Takes Access = "takes"
)

// ActionSpec declares an action once, for the checker, the schema, the
// reference pages and the runtime.
type ActionSpec struct {
	Name       string // capability-style name: "user.suspend"
	Summary    string // one sentence
	Doc        string // Markdown: what it does, what to beware of
	Effect     Effect
	Needs      []Capability // connections it acts through; empty for none
	Inputs     []Field
	ExactlyOne [][]string // groups of inputs of which exactly one must be given
	Outputs    []Field
	Shape      *Shape // an output whose type the playbook says; nil for none
	Ends       string // the input that says how long a change lasts which ends by itself; it has no Inverse then
	Inverse    string // name of the action that takes a change back; "" for none
	Access     Access // of a reversible change
	Examples   []Example
}

// Shape lets a playbook say of which type an output is. The type is known when
// the playbook is checked, and an answer that does not fit it fails the step.
type Shape struct {
	Input  string // of KindType; it is written out in the playbook, and the action does not get it
	Output string // whose declared type holds without the input
}

// Example is a playbook fragment (a list of steps) that the suite checks.
type Example struct {
	Title string
	YAML  string
}

// Output is the type of steps.<id> as far as the action's outputs go.
func (s ActionSpec) Output() Type { return MapOf(s.Outputs...) }

// Call is one invocation of an action.
type Call struct {
	Run         string
	Path        string
	Attempt     int // from 1
	Action      string
	Key         string // idempotency key: the same for every attempt and after every crash
	Now         time.Time
	Inputs      map[string]any // by declared type; defaults filled in, absent optional inputs are absent
	Connections map[Capability]*Connection
	Secrets     Secrets   // nil where nothing of type secret can come
	Playbook    string    // its name
	Positions   Positions // how far readers of logs have come; nil where nothing is remembered
}

// Action is what every action can do: declare itself. It also is exactly one
// of Observer, Changer and Announcer, by its effect.
type Action interface {
	Spec() ActionSpec
}

// Observer is an action that reads.
type Observer interface {
	Action
	Observe(ctx context.Context, call Call) (Observation, error)
}

// Observation is what an Observer saw.
type Observation struct {
	Outputs    map[string]any
	Population *Population // set when a whole directory was read
}

// Population is the size of a complete listing, before any filter.
type Population struct {
	Connection string `json:"connection"`
	Count      int64  `json:"count"`
}

// Changer is an action that changes one target. The engine calls Read and
// Preview, records the intent durably, calls Perform, and records the result;
// after a crash or a lost reply it calls Read again to see what happened.
type Changer interface {
	Action
	// Read observes the target as it is now. A target that does not exist is a
	// not_found failure.
	Read(ctx context.Context, call Call) (Subject, error)
	// Preview says what Perform would make of the subject. It is pure.
	Preview(call Call, before Subject) (Preview, error)
	// Perform carries the change out and returns the outputs. It is called only
	// when Preview differs from the subject's state.
	Perform(ctx context.Context, call Call, before Subject) (map[string]any, error)
}

// Recognizer is a Changer that can tell its target from a row that an
// observation of the same connection has just returned, so that looking ahead
// costs no request per target. It is only asked for previews: before a change
// is made, its target always is read.
type Recognizer interface {
	Changer
	// Recognize makes the subject of the call from the row; false where the row
	// is about another target, or does not show all of it.
	Recognize(call Call, row map[string]any) (Subject, bool)
}

// Subject is the target of a change as it was read.
type Subject struct {
	Connection *Connection
	Target     Target
	State      map[string]any // the fields the change is about: {"state": "active"}
	Aliases    []string       // other names protection matches: e-mail addresses
	Population *Population    // set when a whole directory was read to find it
	Record     map[string]any // what else was read of it, for the outputs of Preview and Perform; never compared or stored

	// Blind says that no read shows whether the change was made: a request that
	// was sent, a link that was shared. Its State and the preview's After differ
	// always, and a transient failure of Perform means that it was not made. After
	// a lost reply or a crash nothing is concluded from reading: it ends unsettled,
	// and a person decides whether it is made again.
	Blind bool
	// Repeatable, of a Blind one, says that making the change twice is the same as
	// making it once: it is made again, under the same key, instead of unsettled.
	Repeatable bool
}

// Target names what is changed.
type Target struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Preview is what a change would lead to.
type Preview struct {
	After   map[string]any // the same fields as Subject.State; equal means nothing to do
	Outputs map[string]any // the step's outputs where nothing has to be done, or in a plan
	Inverse *Invocation    // how to take it back; nil where it cannot be
}

// Invocation names an action and its inputs, resolved.
type Invocation struct {
	Action string         `json:"action"`
	Inputs map[string]any `json:"inputs"`
}

// Announcer is an action that tells people.
type Announcer interface {
	Action
	Announce(ctx context.Context, call Call) (map[string]any, error)
}

// ErrActions is wrapped by the errors of NewActions.
var ErrActions = errors.New("the list of actions is wrong")

// Actions is the set of actions a binary knows.
type Actions struct {
	byName map[string]Action
	names  []string
}

// NewActions makes the set; a duplicate name, an action whose effect and
// methods disagree, or an unknown inverse is an error.
func NewActions(list ...Action) (*Actions, error) {
	a := &Actions{byName: make(map[string]Action, len(list))}
	for _, action := range list {
		spec := action.Spec()
		if _, twice := a.byName[spec.Name]; twice {
			return nil, fmt.Errorf("%w: %s is in it twice", ErrActions, spec.Name)
		}
		if !fits(action, spec.Effect) {
			return nil, fmt.Errorf("%w: %s has the effect %q but not its methods", ErrActions, spec.Name, spec.Effect)
		}
		if shape := spec.Shape; shape != nil {
			in, _ := FieldNamed(spec.Inputs, shape.Input)
			if _, has := FieldNamed(spec.Outputs, shape.Output); in.Type.Kind != KindType || !has {
				return nil, fmt.Errorf("%w: %s has no input %q of kind type, or no output %q", ErrActions, spec.Name, shape.Input, shape.Output)
			}
		}
		a.byName[spec.Name] = action
		a.names = append(a.names, spec.Name)
	}
	slices.Sort(a.names)
	for _, name := range a.names {
		if inverse := a.byName[name].Spec().Inverse; inverse != "" && a.byName[inverse] == nil {
			return nil, fmt.Errorf("%w: %s names the inverse %s, which is not in it", ErrActions, name, inverse)
		}
	}
	return a, nil
}

func fits(action Action, effect Effect) bool {
	_, observes := action.(Observer)
	_, changes := action.(Changer)
	_, announces := action.(Announcer)
	switch effect {
	case Observe:
		return observes && !changes && !announces
	case Change:
		return changes && !observes && !announces
	case Announce:
		return announces && !observes && !changes
	default:
		return false
	}
}

// Named finds an action.
func (a *Actions) Named(name string) (Action, bool) {
	action, ok := a.byName[name]
	return action, ok
}

// Names are all names, sorted.
func (a *Actions) Names() []string { return slices.Clone(a.names) }
