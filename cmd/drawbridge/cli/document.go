package cli

import (
	"encoding/json"
	"time"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/screen"
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// runDocument is a run as -o json prints it: by run, by runs show and, without
// changes, steps and items, by runs list.
type runDocument struct {
	ID         string            `json:"id"`
	Playbook   string            `json:"playbook"`
	Status     engine.RunStatus  `json:"status"`
	Actor      engine.Actor      `json:"actor"`
	CreatedAt  string            `json:"created_at"`
	FinishedAt *string           `json:"finished_at"`
	Inputs     json.RawMessage   `json:"inputs"`
	Changes    []changeDocument  `json:"changes"`
	Outputs    json.RawMessage   `json:"outputs"`
	Error      *failureDocument  `json:"error"`
	Hash       string            `json:"hash"`
	Plan       string            `json:"plan"`     // the plan it applied; ""
	UndoOf     string            `json:"undo_of"`  // the run whose changes it took back; ""
	RetryOf    string            `json:"retry_of"` // the run whose failed items it repeated; ""
	UndoneBy   []string          `json:"undone_by"`
	Grants     []grantDocument   `json:"grants"`          // what it changed for a time
	NotDone    []plannedDocument `json:"not_done"`        // what was planned and never came to be tried
	Steps      []stepDocument    `json:"steps,omitempty"` // of runs show
	Items      []itemDocument    `json:"items,omitempty"` // of runs show
}

// changeDocument is one line of the ledger.
type changeDocument struct {
	Path       string           `json:"path"`
	Action     string           `json:"action"`
	Connection string           `json:"connection"`
	Target     engine.Target    `json:"target"`
	Before     json.RawMessage  `json:"before"`
	After      json.RawMessage  `json:"after"`
	Outcome    engine.Outcome   `json:"outcome"`
	Why        string           `json:"why"`
	Error      *failureDocument `json:"error,omitempty"`
	Planned    *plannedDocument `json:"planned"` // null where nothing was planned for it
	Attempts   int              `json:"attempts"`
	DurationMS *int64           `json:"duration_ms"` // of all attempts; null while it has not ended
	ApprovedBy []string         `json:"approved_by"`
	Of         string           `json:"of"` // the run that really did it, where this one took it over; ""
}

type stepDocument struct {
	Path      string            `json:"path"`
	Form      string            `json:"form"`
	Action    string            `json:"action,omitempty"`
	Status    engine.StepStatus `json:"status"`
	Attempt   int               `json:"attempt"`
	Reason    string            `json:"reason,omitempty"` // of a return
	StartedAt string            `json:"started_at"`
	EndedAt   *string           `json:"ended_at"`
	Error     *failureDocument  `json:"error,omitempty"`
}

type itemDocument struct {
	Path    string           `json:"path"`
	Key     string           `json:"key"`
	Label   string           `json:"label"`
	Outcome engine.Outcome   `json:"outcome"`
	Error   *failureDocument `json:"error"`
}

type failureDocument struct {
	Class   engine.Class `json:"class"`
	Code    string       `json:"code"`
	Message string       `json:"message"`
	Step    string       `json:"step"`
}

func documentOfRun(r engine.RunRecord) runDocument {
	return runDocument{
		ID: r.ID, Playbook: r.Playbook, Status: r.Status, Actor: r.Actor, Hash: r.Hash,
		CreatedAt: stamp(r.CreatedAt), FinishedAt: stampOf(r.FinishedAt),
		Inputs: orNull(r.Inputs), Outputs: orNull(r.Outputs), Error: documentOfFailure(r.Error),
		Changes: []changeDocument{}, Plan: r.Plan, UndoOf: r.UndoOf, RetryOf: r.RetryOf,
	}
}

func documentOfChange(s screen.Change) changeDocument {
	doc := changeDocument{
		Path: s.Path, Action: s.Action, Connection: s.Connection, Before: orNull(s.Before), After: orNull(s.After),
		Outcome: s.Outcome(), Why: s.Why, Error: documentOfFailure(s.Error),
		Attempts: s.Attempt, ApprovedBy: documentsOf(s.ApprovedBy, same), Of: s.Of,
	}
	if s.Planned != nil {
		planned := documentOfPlanned(*s.Planned)
		doc.Planned = &planned
	}
	if took, ended := s.Took(); ended {
		ms := took.Milliseconds()
		doc.DurationMS = &ms
	}
	if s.Target != nil {
		doc.Target = *s.Target
	}
	return doc
}

func documentOfStep(s engine.StepRecord) stepDocument {
	doc := stepDocument{
		Path: s.Path, Form: s.Form, Action: s.Action, Status: s.Status, Attempt: s.Attempt,
		StartedAt: stamp(s.StartedAt), EndedAt: stampOf(s.EndedAt), Error: documentOfFailure(s.Error),
	}
	if s.Form == string(program.FormReturn) {
		doc.Reason = s.Why
	}
	return doc
}

func documentOfItem(i engine.ItemRecord) itemDocument {
	return itemDocument{Path: i.Path, Key: i.Key, Label: i.Label, Outcome: i.Outcome, Error: documentOfFailure(i.Error)}
}

func documentOfFailure(f *engine.Failure) *failureDocument {
	if f == nil {
		return nil
	}
	return &failureDocument{Class: f.Class, Code: f.Code, Message: f.Message, Step: f.Step}
}

func orNull(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return json.RawMessage("null")
	}
	return raw
}

func stamp(t time.Time) string { return t.UTC().Format(engine.TimeLayout) }

func stampOf(t *time.Time) *string {
	if t == nil {
		return nil
	}
	s := stamp(*t)
	return &s
}
