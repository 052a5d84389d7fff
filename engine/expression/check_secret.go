package expression

import (
	"github.com/expr-lang/expr/ast"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// codeSecret is the code of a secret that would go where secrets must not.
const codeSecret = "secret"

// keepsSecrets reports a secret that is used for anything but being handed, as
// it is, to an input declared secret; and anything else that is handed to one.
// It is false where something was wrong: that is then said in place of what
// else the types do not allow.
func (c *checker) keepsSecrets(root ast.Node, t, want engine.Type) bool {
	passed := make(map[ast.Node]bool)
	if want.Kind == engine.KindSecret {
		c.handOver(root, passed)
	}
	for n := range c.types {
		switch n := n.(type) {
		case *ast.MemberNode:
			passed[n.Node] = true // what is taken of it is looked at itself
		case *ast.ChainNode:
			passed[n.Node] = true
		}
	}
	leak := c.firstLeak(passed)
	switch {
	case leak != nil:
		c.onlyOther(codeType)
		what := "is a secret"
		if c.types[leak].Kind != engine.KindSecret {
			what = "holds a secret"
		}
		c.problem(leak, codeSecret, "`%s` %s: only an input of type secret takes one, as it is", c.src.quote(leak), what).Hint =
			"a secret cannot be compared, put into a text, or given to anything else"
		return false
	case want.Kind == engine.KindSecret && !unknown(t) && t.Kind != engine.KindSecret:
		c.problem(root, codeSecret, "this is %s, a secret is needed", describe(t)).Hint =
			"a secret is an output of an action such as secret.read: write ${{ steps.ID.value }}"
		return false
	}
	return true
}

// handOver marks what is handed to an input as it is: the whole, or the sides
// it is one of.
func (c *checker) handOver(n ast.Node, passed map[ast.Node]bool) {
	passed[n] = true
	switch n := n.(type) {
	case *ast.BinaryNode:
		if n.Operator == "??" {
			c.handOver(n.Left, passed)
			c.handOver(n.Right, passed)
		}
	case *ast.ConditionalNode:
		c.handOver(n.Exp1, passed)
		c.handOver(n.Exp2, passed)
	}
}

// firstLeak is the first of the smallest nodes that hold a secret and may not.
func (c *checker) firstLeak(passed map[ast.Node]bool) ast.Node {
	var found ast.Node
	var at span
	for n, t := range c.types {
		if passed[n] || !t.HoldsSecret() {
			continue
		}
		here := c.src.span(n)
		if found == nil || here.from < at.from || here.from == at.from && here.to < at.to {
			found, at = n, here
		}
	}
	return found
}

// onlyOther drops the problems of a code: another one says the same better.
func (c *checker) onlyOther(code string) {
	kept := c.problems[:0]
	for _, p := range c.problems {
		if p.Code != code {
			kept = append(kept, p)
		}
	}
	c.problems = kept
}
