package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// gate is a service of doors and badges of which nothing in this repository
// knows but a connector file. It refuses what it does not expect.
type gate struct {
	mu     sync.Mutex
	badges []badge
}

type badge struct {
	ID     string `json:"id"`
	Holder string `json:"holder"`
	Locked bool   `json:"locked"`
}

type gateKey struct{}

const gateToken = "gate-token-0123456789"

func startGate(ts *testscript.TestScript, _ bool, _ []string) {
	g, _ := ts.Value(gateKey{}).(*gate)
	g.badges = []badge{{"B1", "Ada", false}, {"B2", "Ben", false}, {"B3", "Cleo", false}}
	server := httptest.NewServer(g)
	ts.Defer(server.Close)
	ts.Setenv("GATE_TOKEN", gateToken)
	path := ts.MkAbs("drawbridge.yaml")
	ts.Check(os.WriteFile(path, []byte(strings.ReplaceAll(ts.ReadFile(path), "$GATE", server.URL)), 0o600))
}

func checkBadge(ts *testscript.TestScript, neg bool, args []string) {
	g, _ := ts.Value(gateKey{}).(*gate)
	if len(args) != 2 || args[0] != "locked" {
		ts.Fatalf("usage: badge locked ID")
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, b := range g.badges {
		if b.ID == args[1] && b.Locked == neg {
			ts.Fatalf("%s is locked: %v", b.ID, b.Locked)
		}
	}
}

// ServeHTTP lists badges two at a time, shows one and sets whether it is locked.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	id, one := strings.CutPrefix(r.URL.Path, "/sites/north/badges/")
	switch {
	case r.Header.Get("Authorization") != "Bearer "+gateToken:
		answer(w, http.StatusUnauthorized, map[string]any{"error": "who are you?"})
	case r.Method == http.MethodGet && r.URL.Path == "/sites/north/badges":
		g.list(w, r)
	case one && (r.Method == http.MethodGet || r.Method == http.MethodPut):
		g.one(w, r, id)
	default:
		answer(w, http.StatusNotFound, map[string]any{"error": "no such thing"})
	}
}

func (g *gate) list(w http.ResponseWriter, r *http.Request) {
	const first, second = 2, "p2"
	switch r.URL.Query().Get("cursor") {
	case "":
		answer(w, http.StatusOK, map[string]any{"badges": g.badges[:first], "next": second})
	case second:
		answer(w, http.StatusOK, map[string]any{"badges": g.badges[first:]})
	default:
		answer(w, http.StatusBadRequest, map[string]any{"error": "no such page"})
	}
}

func (g *gate) one(w http.ResponseWriter, r *http.Request, id string) {
	for i, b := range g.badges {
		if b.ID != id {
			continue
		}
		if r.Method == http.MethodPut {
			var body struct {
				Locked *bool `json:"locked"`
			}
			if json.NewDecoder(r.Body).Decode(&body) != nil || body.Locked == nil {
				answer(w, http.StatusBadRequest, map[string]any{"error": "locked or not?"})
				return
			}
			g.badges[i].Locked = *body.Locked
		}
		answer(w, http.StatusOK, g.badges[i])
		return
	}
	answer(w, http.StatusNotFound, map[string]any{"error": "no such badge"})
}

func answer(w http.ResponseWriter, status int, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		status, data = http.StatusInternalServerError, nil
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(data)
}
