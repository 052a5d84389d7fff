package cli

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/message"
)

func TestWhatWasLookedAt(t *testing.T) {
	one := asked{Approval: approval("apr_01", engine.ApprovalPending)}
	set := setOf(lineOf("U1", "Mara"))
	for _, c := range []struct {
		o      decideOptions
		digest string
		wrong  string
		code   int
	}{
		{decideOptions{}, "", "", 0},
		{decideOptions{hash: "0123456789AB"}, one.Digest, "", 0},
		{decideOptions{hash: one.Digest}, one.Digest, "", 0},
		{decideOptions{hash: "ffff456789ab"}, "", "look at it again; nothing was decided", 1},
		{decideOptions{hash: "0"}, "", "nothing was decided", 1},
		{decideOptions{except: []string{"mara@example.com"}}, "", "", 0},
		{decideOptions{except: []string{"mra@example.com"}}, "", `nothing in apr_01 is called "mra@example.com"`, 2},
	} {
		got, err := looked(one, set, c.o)
		if got != c.digest || c.wrong == "" && err != nil || c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)) || exitCode(err) != c.code {
			t.Errorf("%+v: %q, %v", c.o, got, err)
		}
	}
}

func TestOnlyYesIsYes(t *testing.T) {
	for answer, want := range map[string]bool{"y\n": true, "YES\n": true, " yes": true, "\n": false, "n\n": false, "": false, "yeah\n": false} {
		a, _, _ := desk(t)
		a.stdin = strings.NewReader(answer)
		if got := a.confirm("Sure?"); got != want {
			t.Errorf("%q: %v", answer, got)
		}
	}
}

func TestARenewedRequestSaysWhatChanged(t *testing.T) {
	was, is := setOf(lineOf("U1", "Mara")), setOf(lineOf("U1", "Mara"), lineOf("U9", "Eve"))
	renewed := approval("apr_01", engine.ApprovalPending)
	renewed.Round, renewed.Set = 2, "s2"
	store := kept(t, engine.Batch{Runs: []engine.RunRecord{run(engine.RunWaiting)}, Approvals: []engine.Approval{renewed}},
		map[engine.Reference]engine.ChangeSet{"s1": was, "s2": is})
	a, out, _ := desk(t)
	a.tellRenewal(t.Context(), store, asked{Approval: approval("apr_01", engine.ApprovalPending)}, was)
	a.flush(t)
	want := `What would be done has changed since apr_01 was asked for; earlier votes are void:
  + added   Eve (U9)  user.suspend  state: active → suspended
look at it again: drawbridge approvals show apr_01
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestApprovalsAreListed(t *testing.T) {
	late := approval("apr_02", engine.ApprovalPending)
	passed := noon.Add(-time.Minute)
	late.ExpiresAt, late.Needs = &passed, 2
	late.Round = 2
	late.Votes = []engine.Vote{{Person: "bob", Approve: true, Round: 1}, {Person: "carol", Approve: true, Round: 2}}
	store := kept(t, engine.Batch{Runs: []engine.RunRecord{run(engine.RunWaiting)}, Approvals: []engine.Approval{approval("apr_01", engine.ApprovalPending), late, approval("apr_00", engine.ApprovalDenied)}},
		map[engine.Reference]engine.ChangeSet{"s1": setOf()})
	a, out, _ := desk(t)
	found, err := listApprovals(t.Context(), store, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.showApprovals(found, false); err != nil {
		t.Fatal(err)
	}
	a.flush(t)
	for _, want := range []string{"apr_01    contain   Suspend 2 accounts?  pending  2026-01-31 11:55:00  3h          0 of 1", "time is up  1 of 2"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "apr_00") {
		t.Errorf("what is decided is listed:\n%s", out.String())
	}
}

// The message says what a decision needs and nothing acts in it: what others
// wrote stands in foreign parts, which each destination escapes.
func TestMessageToApprovers(t *testing.T) {
	a, _, _ := desk(t)
	set := setOf()
	for i := range 12 {
		set.Changes = append(set.Changes, lineOf(fmt.Sprintf("U%02d", i), "Eve <!channel>"))
	}
	set.Complete = false
	one := approval("apr_01", engine.ApprovalPending)
	one.Round, one.Excluded = 2, []string{"contain[U00]"}
	got := a.approvalMessage(one, set, run(engine.RunWaiting))
	want := `Drawbridge asks for approval: Suspend 2 accounts? (asked anew, round 2: what would be done has changed, earlier votes are void)
contain (run_01), started by alice, would make 11 changes and perhaps more, which is known only later
• Eve <!channel> (U01): user.suspend, state: active → suspended — guessed-then-in
`
	if !strings.HasPrefix(got.String(), want) {
		t.Errorf("got\n%s", got)
	}
	end := `
• Eve <!channel> (U10): user.suspend, state: active → suspended — guessed-then-in
… and 1 more
May decide: group:oncall: one person, until 2026-01-31T15:00:00Z
Look at it and decide: drawbridge approvals show apr_01`
	if !strings.HasSuffix(got.String(), end) {
		t.Errorf("got\n%s", got)
	}
	for _, part := range got {
		if strings.Contains(part.S, "<!channel>") && !part.Foreign {
			t.Errorf("a name stands as if Drawbridge had written it: %q", part.S)
		}
	}
}

// mailbox is a connection that keeps what it is given.
type mailbox struct{ got, links []string }

func (m *mailbox) Send(_ context.Context, msg message.Message) error {
	m.got, m.links = append(m.got, msg.Key), append(m.links, msg.Link.URL)
	return nil
}

type connectionsByName map[string]*mailbox

func (c connectionsByName) Connection(_ context.Context, name string) (*engine.Connection, error) {
	if c[name] == nil {
		return nil, engine.ErrNotFound
	}
	return &engine.Connection{Name: name, Offers: map[engine.Capability]any{message.CapabilityMessages: c[name]}}, nil
}

func TestApproversAreToldOverTheirConnection(t *testing.T) {
	a, _, _ := desk(t)
	oncall, team := &mailbox{}, &mailbox{}
	send := a.approvalSender(connectionsByName{"oncall": oncall, "team": team}, "team", "")
	one := approval("apr_01", engine.ApprovalPending)
	if err := send(t.Context(), one, setOf(), run(engine.RunWaiting)); err != nil {
		t.Fatal(err)
	}
	one.Notify, one.Round = "oncall", 2
	if err := send(t.Context(), one, setOf(), run(engine.RunWaiting)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]string{{"apr_01/1"}, {"apr_01/2"}}, [][]string{team.got, oncall.got}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	one.Notify = "gone"
	if err := send(t.Context(), one, setOf(), run(engine.RunWaiting)); err == nil || !strings.Contains(err.Error(), "telling gone of apr_01") {
		t.Errorf("got %v", err)
	}
	one.Notify = ""
	if err := a.approvalSender(connectionsByName{}, "", "")(t.Context(), one, setOf(), run(engine.RunWaiting)); err == nil {
		t.Error("nobody was told, and that is no error")
	}
}

// A request links to where it is decided; what it is filled with cannot lead
// anywhere else.
func TestApprovalLink(t *testing.T) {
	a, _, _ := desk(t)
	team := &mailbox{}
	send := a.approvalSender(connectionsByName{"team": team}, "team", "https://soar.example.com/{run}/approvals/{id}?from=chat")
	one := approval("apr_01", engine.ApprovalPending)
	if err := send(t.Context(), one, setOf(), run(engine.RunWaiting)); err != nil {
		t.Fatal(err)
	}
	one.ID = "../{run}?x=<!channel>|"
	if err := send(t.Context(), one, setOf(), run(engine.RunWaiting)); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"https://soar.example.com/run_01/approvals/apr_01?from=chat",
		"https://soar.example.com/run_01/approvals/..%2F%7Brun%7D%3Fx=%3C%21channel%3E%7C?from=chat",
	}
	if diff := cmp.Diff(want, team.links); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
