package connector

import (
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

func input(name string) engine.Field { return engine.Field{Name: name, Type: engine.TypeString()} }

func (r *reader) capabilities(g given, d *Definition) {
	all, ok := r.nested(g, "capabilities", "capabilities")
	if !ok {
		return
	}
	if dir, ok := r.nested(all, "directory", "directory"); ok {
		d.Directory = r.directory(dir)
	}
	if groups, ok := r.nested(all, "groups", "groups"); ok {
		d.Groups = r.groups(groups)
	}
	if sessions, ok := r.nested(all, "sessions", "sessions"); ok {
		d.Sessions = &Sessions{Revoke: r.changing(sessions, "sessions", "revoke", input("user"))}
	}
}

func (r *reader) directory(g given) *Directory {
	state := engine.Field{Name: "state", Type: engine.Maybe(engine.EnumOf("active", "suspended"))}
	user := record{g["user"], "user", userFields()}
	d := &Directory{
		List:       r.reading(g, "directory", "list", lists, user, state),
		Get:        r.reading(g, "directory", "get", reads, user, input("id")),
		Suspend:    r.changing(g, "directory", "suspend", input("id")),
		Reactivate: r.changing(g, "directory", "reactivate", input("id")),
	}
	if g.has("find") {
		find := r.reading(g, "directory", "find", lists, user, input("email"))
		d.Find = &find
	}
	return d
}

func (r *reader) groups(g given) *Groups {
	group, member := record{g["group"], "group", groupFields()}, record{g["member"], "member", memberFields()}
	out := &Groups{
		List:    r.reading(g, "groups", "list", lists, group),
		Get:     r.reading(g, "groups", "get", reads, group, input("id")),
		Members: r.reading(g, "groups", "members", lists, member, input("group")),
		Add:     r.changing(g, "groups", "add", input("group"), input("user")),
		Remove:  r.changing(g, "groups", "remove", input("group"), input("user")),
	}
	if g.has("of_user") {
		of := r.reading(g, "groups", "of_user", lists, group, input("user"))
		out.Of = &of
	}
	return out
}

// record is how rows become what a capability hands on.
type record struct {
	at     value
	name   string
	fields []engine.Field
}

// reading compiles a call whose answer or rows become records.
func (r *reader) reading(g given, capability, name string, why purpose, as record, inputs ...engine.Field) Reading {
	v, ok := g[name]
	if !ok || v.node.Kind() == yamldoc.Null {
		return Reading{}
	}
	out := Reading{Call: r.call(v, capability+"."+name, why, inputs...)}
	row := out.Returns
	if why == lists {
		row = out.Row
	}
	if row.Kind == "" || as.at.node == nil {
		return out // reported already
	}
	out.Map = r.rowOf(as.at, as.name, as.fields, r.scope(engine.Field{Name: "row", Type: row}))
	return out
}

// changing compiles a call that makes something so, and may be repeated.
func (r *reader) changing(g given, capability, name string, inputs ...engine.Field) Call {
	v, ok := g[name]
	if !ok || v.node.Kind() == yamldoc.Null {
		return Call{}
	}
	c := r.call(v, capability+"."+name, changes, inputs...)
	c.Repeatable = true
	return c
}
