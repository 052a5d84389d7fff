package local

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// keptPrograms is how many compiled programs are kept: enough for the
// playbooks of a busy engine, and not more after months of edits.
const keptPrograms = 128

// programs remembers compiled programs by hash, the oldest first to go.
type programs struct {
	byHash map[string]*program.Program
	order  []string
}

func (p *programs) put(prog *program.Program) {
	if p.byHash == nil {
		p.byHash = make(map[string]*program.Program)
	}
	if p.byHash[prog.Hash] == nil {
		p.order = append(p.order, prog.Hash)
	}
	p.byHash[prog.Hash] = prog
	if len(p.order) > keptPrograms {
		delete(p.byHash, p.order[0])
		p.order = p.order[1:]
	}
}

func (e *Engine) keep(prog *program.Program) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.programs.put(prog)
}

func (e *Engine) kept(hash string) *program.Program {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.programs.byHash[hash]
}

// program is the one a run is pinned to, never the one of that name today.
func (e *Engine) program(ctx context.Context, hash string) (*program.Program, error) {
	if prog := e.kept(hash); prog != nil {
		return prog, nil
	}
	bundle, err := e.config.Store.Bundle(ctx, hash)
	if err != nil {
		return nil, fmt.Errorf("reading the playbook of the run: %w", err)
	}
	prog, err := e.config.Programs(ctx, bundle)
	if err != nil {
		return nil, fmt.Errorf("compiling the playbook of the run: %w", err)
	}
	if prog.Hash != hash {
		return nil, fmt.Errorf("compiling the playbook of the run: it has the hash %s, not %s", prog.Hash, hash)
	}
	e.keep(prog)
	return prog, nil
}

// everyProgram visits a program and those it calls, each once.
func everyProgram(root *program.Program, visit func(*program.Program)) {
	seen := make(map[string]bool)
	var walk func(*program.Program)
	walk = func(p *program.Program) {
		key := p.Name + " " + p.Hash // a copy under another name has other limits
		if seen[key] {
			return
		}
		seen[key] = true
		visit(p)
		for _, name := range slices.Sorted(maps.Keys(p.Calls)) {
			walk(p.Calls[name])
		}
	}
	walk(root)
}
