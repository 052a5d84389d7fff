package machine

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// place gives a frame what follows from its parent and its part: the program,
// the step, the names it sees, its path. It is the same when a frame is opened
// and when it is restored.
func (f *frame) place(root *code, parent *frame, p part) {
	f.parent, f.part = parent, p
	if parent == nil {
		f.code, f.list = root, root.prog.Steps
		f.env = &env{code: root}
		return
	}
	f.code, f.env, f.node = parent.code, parent.env, parent.node
	switch p.name {
	case partStep:
		f.kind, f.node = kindStep, parent.list[parent.pc]
		f.path = joined(parent.path, f.node.Segment)
		if f.node.Form == program.FormWhile {
			f.env = &env{up: parent.env, code: f.code, indexed: true}
		}
	case partItem:
		f.placeItem(p)
	case partCall:
		f.code = parent.code.called(f.node.Call.Playbook)
		f.env = &env{code: f.code}
		f.list, f.path = f.code.prog.Steps, joined(parent.path, string(partCall))
	case partRound:
		f.list, f.path = f.node.Body, indexed(parent.path, strconv.FormatInt(p.n, 10))
	default:
		f.placeBody(p)
	}
}

// placeBody is place for the sequences a step holds besides rounds and items.
func (f *frame) placeBody(p part) {
	n, over := f.node, f.parent.path
	switch p.name {
	case partElse:
		f.list, f.path = n.Else, joined(over, string(p.name))
	case partTry:
		f.list, f.path = n.Body, joined(over, string(p.name))
	case partCatch:
		f.list, f.path = n.Catch, joined(over, string(p.name))
	case partFinally:
		f.list, f.path = n.Finally, joined(over, string(p.name))
	case partDefault:
		f.list, f.path = n.Default, joined(over, string(p.name))
	case partBranch:
		b := n.Branches[p.n]
		f.list, f.path = b.Steps, joined(over, escape(b.Name))
	default:
		f.list, f.path = n.Body, over
	}
}

// placeItem is place for an item of a foreach.
func (f *frame) placeItem(p part) {
	it, _ := f.parent.loop.at(p.offset)
	f.env = &env{up: f.parent.env, code: f.code, loop: f.node.Foreach, item: &it, index: p.n, indexed: true}
	f.path = indexed(f.parent.path, escape(it.key))
	if f.node.Uses != nil {
		f.kind = kindItem
		return
	}
	f.list = f.node.Body
}

// fits reports whether a step of that form can hold such a part. Restoring
// asks before it places.
func fits(parent *frame, p part) bool {
	if parent.kind == kindSequence {
		return p.name == partStep && parent.pc < len(parent.list)
	}
	n := parent.node
	if parent.kind == kindItem || p.name == partStep || p.name == partRoot {
		return false
	}
	switch p.name {
	case partElse:
		return n.Else != nil
	case partBranch:
		return (n.Form == program.FormParallel || n.Form == program.FormSwitch) && p.n >= 0 && p.n < int64(len(n.Branches))
	default:
		return partsForm(p.name) == n.Form
	}
}

// partsForm is the form whose part it is, where there is only one.
func partsForm(p partName) program.Form {
	switch p {
	case partBody:
		return program.FormSteps
	case partDefault:
		return program.FormSwitch
	case partTry, partCatch, partFinally:
		return program.FormTry
	case partCall:
		return program.FormCall
	case partRound:
		return program.FormWhile
	case partItem:
		return program.FormForeach
	default:
		return ""
	}
}

func joined(over, segment string) string {
	if over == "" {
		return segment
	}
	return over + "/" + segment
}

func indexed(over, key string) string { return over + "[" + key + "]" }

// escape percent-encodes what has a meaning in a path, and control characters.
func escape(key string) string {
	if !strings.ContainsFunc(key, special) {
		return key
	}
	var b strings.Builder
	for _, r := range key {
		if !special(r) {
			b.WriteRune(r)
			continue
		}
		for _, c := range utf8.AppendRune(nil, r) {
			b.WriteByte('%')
			b.WriteByte(hexDigit(c >> 4))
			b.WriteByte(hexDigit(c & 15))
		}
	}
	return b.String()
}

func special(r rune) bool {
	switch r {
	case '/', '[', ']', '%':
		return true
	}
	return unicode.IsControl(r)
}

func hexDigit(n byte) byte { return "0123456789ABCDEF"[n] }
