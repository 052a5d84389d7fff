package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os/exec"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestShapes holds -o json to the documented keys: programs depend on them.
func TestShapes(t *testing.T) {
	dir := t.TempDir()
	db := dir + "/drawbridge.db"
	run := object(t, "demo", "--dir", dir, "-o", "json")
	whole := []string{
		"id", "playbook", "status", "actor", "created_at", "finished_at", "grants", "inputs", "changes", "outputs", "error", "hash",
		"plan", "undo_of", "retry_of", "undone_by", "not_done",
	}
	keys(t, "a run", run, whole...)
	changes := list(t, run["changes"])
	keys(t, "a change", changes[0], "path", "action", "connection", "target", "before", "after", "outcome", "why", "planned", "attempts", "duration_ms", "approved_by", "of")
	target, _ := changes[0].(map[string]any)["target"].(map[string]any)
	keys(t, "a target", target, "id", "name")

	shown := object(t, "runs", "show", "last", "--db", db, "-o", "json")
	keys(t, "a run that is shown", shown, append(whole, "steps", "items")...)
	if diff := cmp.Diff(run["changes"], shown["changes"]); diff != "" {
		t.Errorf("the ledger reads differently afterwards (-run +shown):\n%s", diff)
	}
	keys(t, "a step", list(t, shown["steps"])[0], "path", "form", "action", "status", "attempt", "started_at", "ended_at")
	keys(t, "an item", list(t, shown["items"])[0], "path", "key", "label", "outcome", "error")

	runs := object(t, "runs", "list", "--db", db, "-o", "json")
	keys(t, "the list of runs", runs, "runs")
	keys(t, "a run of the list", list(t, runs["runs"])[0], "id", "playbook", "status", "actor", "created_at", "finished_at", "error")
	actions := object(t, "actions", "list", "-o", "json")
	keys(t, "the list of actions", actions, "actions")
	keys(t, "the list of approvals", object(t, "approvals", "list", "--db", db, "-o", "json"), "approvals")
	keys(t, "a freeze", object(t, "freeze", "--reason", "a test", "--db", db, "-o", "json"), "id", "reason", "by", "at", "thawed_by", "thaw_reason", "thawed_at")
	keys(t, "the list of connections", object(t, "connections", "list", "-o", "json"), "connections")
	keys(t, "an error", object(t, "runs", "show", "nothing", "--db", db, "-o", "json"), "error")
}

// object runs the command and reads the one JSON object it prints.
func object(t *testing.T, args ...string) map[string]any {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "drawbridge", args...)
	cmd.Dir = t.TempDir()
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	dec := json.NewDecoder(bytes.NewReader(out))
	var doc map[string]any
	if err := dec.Decode(&doc); err != nil {
		t.Fatalf("%v printed %q: %v", args, out, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		t.Errorf("%v printed more than one object: %q", args, out)
	}
	return doc
}

func list(t *testing.T, v any) []any {
	t.Helper()
	l, ok := v.([]any)
	if !ok || len(l) == 0 {
		t.Fatalf("not a list with something in it: %v", v)
	}
	return l
}

func keys(t *testing.T, what string, v any, want ...string) {
	t.Helper()
	object, _ := v.(map[string]any)
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(object))); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
