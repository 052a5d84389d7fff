package expression

import (
	"fmt"
	"slices"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Compile checks source against scope and that its type fits want (KindAny for
// anything). An expression with problems is nil.
func Compile(source string, scope *Scope, want engine.Type) (*Expression, []Problem) {
	src, node, problem := parse(source)
	if problem != nil {
		return nil, []Problem{*problem}
	}
	c := newChecker(src, scope)
	t := c.check(node)
	if c.keepsSecrets(node, t, want) {
		c.fit(node, t, want)
	}
	if len(c.problems) > 0 {
		return nil, inOrder(c.problems)
	}
	c.reads = unique(c.reads)
	l := newLowering(c)
	program, err := l.program(node)
	if len(l.problems) > 0 {
		return nil, inOrder(l.problems)
	}
	if err != nil {
		return nil, []Problem{{Length: len(source), Code: codeSyntax, Message: "this cannot be compiled"}}
	}
	e := &Expression{source: source, t: t, builds: c.builds, reads: c.reads, optional: c.optional, program: program, sites: l.sites}
	e.settled = c.mixed
	if settles(t, want) {
		e.t, e.settled = want, true
	}
	e.roots = rootsOf(scope, c)
	return e, nil
}

// inOrder sorts problems by place and drops those said twice.
func inOrder(problems []Problem) []Problem {
	slices.SortStableFunc(problems, func(a, b Problem) int { return a.Offset - b.Offset })
	return slices.Compact(problems)
}

// rootsOf are the names among the reads, and the fields of a row.
func rootsOf(scope *Scope, c *checker) []root {
	var roots []root
	add := func(name string, t engine.Type) {
		r := root{name: name, certain: !t.Optional && t.Kind != engine.KindAny && t.Kind != engine.KindNull}
		if !slices.Contains(roots, r) {
			roots = append(roots, r)
		}
	}
	for _, path := range c.reads {
		t, _ := scope.root(path[0])
		add(path[0], t)
	}
	for _, name := range c.rowReads() {
		t, _ := scope.rowField(name)
		add(name, t)
	}
	return roots
}

// rowReads are the fields of the row the expression uses.
func (c *checker) rowReads() []string {
	var names []string
	for n := range c.types {
		id, ok := n.(*ast.IdentifierNode)
		if !ok || c.scope.row == nil {
			continue
		}
		_, isRoot := c.scope.root(id.Value)
		if _, isField := c.scope.rowField(id.Value); isField && !isRoot {
			names = append(names, id.Value)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// program compiles an expression for the virtual machine.
func (l *lowering) program(node ast.Node) (*vm.Program, error) {
	return l.compile(l.lower(node))
}

// predicate compiles an expression whose value must be a bool.
func (l *lowering) predicate(node ast.Node) (*vm.Program, error) {
	return l.compile(l.condition(node))
}

func (l *lowering) compile(lowered ast.Node) (*vm.Program, error) {
	config := conf.New(map[string]any{})
	config.Optimize = false
	for name, run := range l.used {
		config.Functions[name] = &builtin.Function{Name: name, Func: metered(run)}
	}
	program, err := compiler.Compile(&parser.Tree{Node: lowered, Source: file.NewSource("")}, config)
	if err != nil {
		return nil, fmt.Errorf("compiling: %w", err)
	}
	return program, nil
}

// metered is a runner as the machine calls it: with the meter before its arguments.
func metered(run runner) vm.Function {
	return func(args ...any) (any, error) {
		m, ok := args[0].(*meter)
		if !ok {
			return nil, &fault{arg: -1, reason: "cannot be computed here"}
		}
		return run(m, args[1:])
	}
}
