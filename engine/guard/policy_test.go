package guard_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/guard"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// playbook is a program with one step per action, each in a line of its own,
// over the connection behind the @.
func playbook(name string, steps ...string) *program.Program {
	p := &program.Program{Name: name, Calls: map[string]*program.Program{}}
	for i, s := range steps {
		action, connection, _ := strings.Cut(s, "@")
		n := &program.Node{Index: i, Line: i + 1, Column: 5}
		switch action {
		case "approve":
			n.Approve = &program.Approve{Notify: connection}
		default:
			n.Uses = &program.Uses{Action: action, Connection: engine.ConnectionRef{Name: connection}}
		}
		p.Nodes = append(p.Nodes, n)
	}
	return p
}

func through(u *program.Uses) ([]string, error) {
	if u.Connection.Name == "?" {
		return nil, errors.New("several fit")
	}
	return []string{u.Connection.Name}, nil
}

func TestPolicy(t *testing.T) {
	policies := []guard.Policy{
		{Playbooks: []string{"contain-*", "drill"}, Connections: []string{"1password", "slack*"}, Actions: []string{"user.*", "message.send"}},
		{Playbooks: []string{"report"}, Actions: []string{"user.list"}},
		{Playbooks: []string{"Contain-All", "free?"}},
	}
	calling := playbook("contain-all", "user.list@1password")
	calling.Calls["helper"] = playbook("anything", "user.purge@1password", "user.suspend@backup")
	calling.Calls["helper"].Calls["deep"] = playbook("report", "user.suspend@1password", "group.add_member@1password")
	calling.Calls["deep"] = calling.Calls["helper"].Calls["deep"]
	for _, c := range []struct {
		name string
		root *program.Program
		want []string // playbook, name it is called by, line and a part of the message
	}{
		{"all is allowed", playbook("contain-all", "user.suspend@1password", "message.send@slack-oncall"), nil},
		{"letter case of the playbook does not count", playbook(" DRILL", "user.suspend@1password"), nil},
		{"an action", playbook("contain-all", "user.list@1password", "group.add_member@1password"), []string{"contain-all  2:5 does not allow the action group.add_member; it allows user.*, message.send"}},
		{"a connection", playbook("drill", "user.list@backup"), []string{"drill  1:5 policy for contain-*, drill does not allow the connection backup"}},
		{"both", playbook("drill", "web.get@backup"), []string{"drill  1:5 action web.get", "drill  1:5 connection backup"}},
		{"letter case of what is allowed counts", playbook("drill", "user.list@1Password"), []string{"drill  1:5 connection 1Password"}},
		{"any connection", playbook("report", "user.list@backup"), nil},
		{"anything", playbook("free1", "web.get@backup"), nil},
		{"no entry", playbook("freedom", "user.list@1password"), []string{`freedom  0:0 no entry of ` + "`policy:`" + ` in the configuration is about the playbook "freedom"`}},
		{"no entry, nothing changed", playbook("", "clock.read@"), []string{`  0:0 no entry`}},
		{"who is told of an approval", playbook("drill", "approve@siem", "approve@"), []string{"drill  1:5 connection siem"}},
		{"a connection that cannot be known", playbook("free1", "user.list@?"), []string{"free1  1:5 several fit"}},
		{
			"what is called is held to the policy of what is run", calling,
			[]string{"report deep 2:5 action group.add_member", "anything helper 2:5 connection backup"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := guard.Configuration{Policies: policies}.Check(c.root, through)
			if len(found) != len(c.want) {
				t.Fatalf("found %+v", found)
			}
			for i, v := range found {
				gist, says := c.want[i][:strings.Index(c.want[i], ":")+2], c.want[i][strings.Index(c.want[i], ":")+3:]
				if got := v.Playbook + " " + v.Called + " " + string(rune('0'+v.Line)) + ":" + string(rune('0'+v.Column)); got != gist || !strings.Contains(v.Message, says) {
					t.Errorf("found %s %s\nwant %s", got, v.Message, c.want[i])
				}
			}
		})
	}
	if found := (guard.Configuration{}).Check(calling, through); found != nil {
		t.Errorf("without a policy: %v", found)
	}
}

func TestPolicyApproval(t *testing.T) {
	want := &guard.PolicyApproval{By: []string{"group:oncall"}, Needs: 2, Timeout: time.Hour}
	c := guard.Configuration{Policies: []guard.Policy{
		{Playbooks: []string{"drill"}},
		{Playbooks: []string{"*"}, Approve: want},
	}}
	for name, want := range map[string]*guard.PolicyApproval{"drill": nil, "Drill": nil, "other": want, "": want} {
		if diff := cmp.Diff(want, c.Approval(name)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if (guard.Configuration{}).Approval("other") != nil {
		t.Error("an approval nobody wants")
	}
}
