// Package drawbridge_test guards what holds for the repository as a whole.
package drawbridge_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/drawbridge-soar/drawbridge/"

// arrow allows packages below from to import packages below to. Both are paths
// in the module; "=" behind one means that package alone, without those below.
type arrow struct{ from, to, why string }

// arrows lists every import between packages of this module that may be. What
// is not in it may not: a new arrow is a decision, with its reason here.
func arrows() []arrow {
	return []arrow{
		{"engine=", "engine/secret=", "a provider is opened with a resolver, so that secrets are fetched late"},
		{"engine/expression", "engine=", "expressions are typed by the engine's types and yield its values"},
		{"engine/program", "engine=", "a program names actions, connections and types"},
		{"engine/program", "engine/expression", "a program holds compiled expressions"},
		{"engine/machine", "engine=", "the machine speaks of runs, steps, items and failures"},
		{"engine/machine", "engine/program", "the machine interprets programs"},
		{"engine/machine", "engine/expression", "the machine evaluates a program's expressions"},
		{"engine/guard", "engine=", "the guard judges targets and step records"},
		{"engine/guard", "engine/program", "a playbook's guard may lower the configuration's"},
		{"engine/local", "engine=", "the runtime carries out actions and writes to the store port"},
		{"engine/local", "engine/secret", "secrets are removed from what actions return before it is stored"},
		{"engine/local", "engine/program", "the runtime loads the program a run is pinned to"},
		{"engine/local", "engine/machine", "the runtime drives the machine"},
		{"engine/local", "engine/guard", "the runtime asks the guard before each change"},
		{"engine/local", "engine/schedule", "the runtime starts what is due"},
		{"engine/schedule", "engine=", "the duration of @every is written like any other, and a misspelt word gets a suggestion"},
		{"engine/enginetest", "engine", "the conformance suite speaks of everything a runtime does"},
		{"playbooks/yamldoc", "engine=", "a scalar is read by its declared type"},
		{"playbooks", "playbooks/yamldoc", "playbooks are YAML documents with positions"},
		{"playbooks", "engine=", "the checker knows actions, types and connections"},
		{"playbooks", "engine/expression", "the checker compiles every expression"},
		{"playbooks", "engine/program", "playbooks compile to programs"},
		{"playbooks=", "engine/schedule", "what a schedule may say is decided where it is computed, once"},
		{"playbooks=", "engine/guard", "whom an approval's `by` is about is decided in one place"},
		{"playbooks/connector", "playbooks=", "inputs and answers are declared as a playbook's inputs are"},
		{"playbooks/playbooktest", "playbooks=", "the JSON Schema of a literal is the same in a playbook and in its test"},
		{"steps", "engine=", "actions and providers implement the engine's ports"},
		{"steps", "engine/secret", "providers resolve and send credentials"},
		{"steps", "engine/expression", "actions evaluate predicates over the rows they read"},
		{"steps=", "steps", "the list of all actions names every capability folder"},
		{"steps/providers=", "steps/providers", "the list of all providers names every provider"},
		{"steps/providers", "steps/identity", "a provider implements the interface its capability's folder declares"},
		{"steps/providers", "steps/message", "a provider implements the interface its capability's folder declares"},
		{"steps/providers", "steps/transport", "every provider speaks HTTP through the one hardened client"},
		{"steps/transport=", "steps/network", "the one client connects the way the configuration says, and has what went wrong explained where that is known"},
		{"steps/providers", "steps/rest", "a service that is only described is asked as it is described"},
		{"steps/providers", "steps/network", "requests of a connection that goes where playbooks say are kept from private addresses"},
		{"steps/providers", "steps/web", "a provider implements the interface its capability's folder declares"},
		{"steps/web", "steps/rest", "what a playbook asks for is a described request"},
		{"steps/web", "steps/transport", "an action knows whether its request may be repeated"},
		{"steps/rest", "steps/transport", "an API that is described goes through the one hardened client"},
		{"steps/providers/email=", "steps/network=", "mail goes over the configured network too, and its TLS is explained in the same words"},
		{"steps/providers", "steps/vault", "a provider implements the interface its capability's folder declares"},
		{"steps/sim", "steps/vault", "a simulated account takes the place of an SDK, in the words of that capability"},
		{"steps/vault/vaulttest", "steps/vault", "the suite tests that capability"},
		{"steps/vault/vaulttest", "steps/sim", "the suite says what a simulated account must hold"},
		{"steps/message/hook", "steps/transport", "posting to a webhook is the same for every messenger, and goes through the one hardened client"},
		{"steps/identity/identitytest", "steps/identity", "the suite tests that capability"},
		{"steps/message/messagetest", "steps/message", "the suite tests that capability"},
		{"steps/sim=", "steps/sim/mailbox", "the simulated tenant has a mail server"},
		{"steps/connector", "playbooks/connector", "a connector file is checked in one place, and carried out as it was checked"},
		{"steps/connector", "steps/identity", "a connector fulfils the interfaces the capability's folder declares"},
		{"steps/connector", "steps/rest", "what a connector file describes is carried out as any described API"},
		{"steps/connector", "steps/transport", "every provider speaks HTTP through the one hardened client"},
		{"steps/reference", "steps", "the reference pages are made from the lists of actions and providers"},
		{"store", "engine=", "stores implement the engine's port"},
		{"store/sqlite", "store/sqlite", "a store may have parts"},
		{"server", "engine=", "the server counts runs, and a webhook's body has a declared type"},
		{"server", "engine/secret=", "a webhook's secret is resolved late, and compared without being shown"},
		{"cmd", "", "the command line wires everything and alone sees every adapter"},
	}
}

type listed struct {
	ImportPath   string   `json:"ImportPath"`
	Doc          string   `json:"Doc"`
	Imports      []string `json:"Imports"`
	TestImports  []string `json:"TestImports"`
	XTestImports []string `json:"XTestImports"`
}

func packages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Doc,Imports,TestImports,XTestImports", "./...").Output()
	if err != nil {
		t.Fatalf("listing packages: %v", err)
	}
	var all []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func TestImportArrows(t *testing.T) {
	used := map[arrow]bool{}
	for _, p := range packages(t) {
		from := strings.TrimPrefix(p.ImportPath, module)
		for _, imported := range p.Imports {
			to, ours := strings.CutPrefix(imported, module)
			if !ours {
				continue
			}
			found := false
			for _, a := range arrows() {
				if covers(a.from, from) && covers(a.to, to) {
					found, used[a] = true, true
				}
			}
			if !found {
				t.Errorf("%s imports %s, and no arrow allows it", from, to)
			}
		}
	}
	for _, a := range arrows() {
		if a.why == "" {
			t.Errorf("the arrow %s → %s has no reason", a.from, a.to)
		}
		if !used[a] {
			t.Errorf("nothing uses the arrow %s → %s (%s); take it away", a.from, a.to, a.why)
		}
	}
}

func covers(pattern, path string) bool {
	if exact, only := strings.CutSuffix(pattern, "="); only {
		return path == exact
	}
	return pattern == "" || path == pattern || strings.HasPrefix(path, pattern+"/")
}

// TestOneDoorPerLibrary keeps a library that has traps, or that we may have to
// replace, behind one package.
func TestOneDoorPerLibrary(t *testing.T) {
	doors := map[string]struct{ doors, why string }{
		"gopkg.in/yaml.v3":                         {"playbooks/yamldoc", "it is unmaintained, and loses positions and duplicate keys unless walked by hand"},
		"github.com/expr-lang/expr":                {"engine/expression", "expressions must be checked, bounded and deterministic"},
		"github.com/mattn/go-sqlite3":              {"store/sqlite", "its defaults lose data and lock up"},
		"github.com/robfig/cron/v3":                {"engine/schedule", "its parser panics on some input and its daylight-saving rules are not ours: tests compare with it where there is no daylight saving"},
		"golang.org/x/oauth2":                      {"steps/providers steps/rest", "it sends tokens to other hosts on redirect; a provider and an API that is described hand it the hardened client, which does not follow"},
		"github.com/1password/onepassword-sdk-go":  {"steps/providers/onepasswordvault", "it takes seconds to start and 130 MiB, cannot be cancelled, and its errors are texts"},
		"github.com/spf13/cobra":                   {"cmd", "nothing but the command line knows of flags"},
		"charm.land/lipgloss/v2":                   {"cmd", "nothing but the command line draws"},
		"github.com/prometheus/client_golang":      {"server", "nothing but the server is scraped; others hand it figures"},
		"github.com/santhosh-tekuri/jsonschema/v6": {"playbooks steps/providers", "only tests validate: against our schemas, and those that services publish"},
	}
	for _, p := range packages(t) {
		from := strings.TrimPrefix(p.ImportPath, module)
		if strings.HasPrefix(from, "cmd/bench") {
			continue // measures go-sqlite3 bare, as the floor
		}
		for _, imported := range append(p.Imports, append(p.TestImports, p.XTestImports...)...) {
			for library, d := range doors {
				isDoor := slices.ContainsFunc(strings.Fields(d.doors), func(door string) bool { return covers(door, from) })
				if covers(library, imported) && !isDoor {
					t.Errorf("%s imports %s, which only %s may: %s", from, imported, d.doors, d.why)
				}
			}
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, p := range packages(t) {
		if p.ImportPath+"/" != module && p.Doc == "" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}

func TestTheModuleReplacesNothing(t *testing.T) {
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(mod), "replace ") {
		t.Error("go.mod has a replace directive: `go install` of this module would fail")
	}
}
