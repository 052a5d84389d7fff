package enginetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/guard"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// people are those who may decide. Dave is the owner of account a.
func people() guard.People {
	return guard.People{
		{Name: "tester", OSUser: "tester", Email: "tester@corp.example", Groups: []string{"oncall"}},
		{Name: "alice", OSUser: "asmith", Email: "alice@corp.example", Groups: []string{"oncall", "second"}},
		{Name: "bob", OSUser: "bob", Email: "bob@corp.example", Groups: []string{"oncall"}},
		{Name: "carol", OSUser: "carol", Email: "carol@corp.example"},
		{Name: "dave", OSUser: "dave", Email: "a@example.com", Groups: []string{"oncall"}},
	}
}

func by(user string) engine.Actor { return engine.Actor{Name: user, Via: "cli"} }

func tester() engine.Actor { return by("tester") }

// tell notes what those who may decide are told.
func (s *scene) tell(_ context.Context, a engine.Approval, _ engine.ChangeSet, _ engine.RunRecord) error {
	if s.deaf != nil {
		return s.deaf
	}
	s.heard = append(s.heard, a)
	return nil
}

// compose compiles a playbook that an engine makes.
func (s *scene) compose(_ context.Context, name string, source []byte) (*program.Program, engine.Bundle, error) {
	p, b := s.runtime.Compile(s.T, map[string]string{"main": string(source)}, s.actions, s.catalog)
	b.Data = source
	if p.Name != name {
		return nil, b, fmt.Errorf("the playbook calls itself %s, not %s", p.Name, name)
	}
	return p, b, nil
}

// wait lets time pass while nobody carries anything out.
func (s *scene) wait(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // virtual: nobody drives the run meanwhile
}

// approvals are the requests of a run, the oldest first.
func (s *scene) approvals(run string) []engine.Approval {
	s.Helper()
	list, err := s.store.Approvals(s.Context(), engine.ApprovalQuery{Run: run})
	if err != nil {
		s.Fatal(err)
	}
	slices.Reverse(list)
	return list
}

// asked is the one request of a run that waits for people.
func (s *scene) asked(run string) engine.Approval {
	s.Helper()
	open := slices.DeleteFunc(s.approvals(run), func(a engine.Approval) bool { return a.Status != engine.ApprovalPending })
	if len(open) != 1 {
		s.Fatalf("%d requests are open, not one", len(open))
	}
	return open[0]
}

// says lets somebody decide the one open request of a run.
func (s *scene) says(run, user string, approve bool) (engine.Approval, error) {
	s.Helper()
	return s.process(&Life{}).Decide(s.Context(), Decision{Approval: s.asked(run).ID, Actor: by(user), Approve: approve, Reason: "because"})
}

// approve lets somebody approve the one open request of a run; it must count.
func (s *scene) approve(run, user string) engine.Approval {
	s.Helper()
	a, err := s.says(run, user, true)
	if err != nil {
		s.Fatalf("%s cannot approve: %v", user, err)
	}
	return a
}

// refused checks that something was refused in a certain way.
func (s *scene) refused(err, want error) {
	s.Helper()
	if !errors.Is(err, want) {
		s.Errorf("it was not refused as %q: %v", want, err)
	}
}

// set is the change set a request is about.
func (s *scene) set(ref engine.Reference) engine.ChangeSet {
	s.Helper()
	data, err := s.store.Value(s.Context(), ref)
	if err != nil {
		s.Fatal(err)
	}
	var set engine.ChangeSet
	if err := json.Unmarshal(data, &set); err != nil {
		s.Fatal(err)
	}
	return set
}

// wantPending checks which targets a change set is about to change.
func (s *scene) wantPending(set engine.ChangeSet, want ...string) {
	s.Helper()
	var got []string
	for _, c := range set.Pending() {
		got = append(got, c.Target.ID)
	}
	if !equal(got, want) {
		s.Errorf("it would change %q, not %q", got, want)
	}
}
