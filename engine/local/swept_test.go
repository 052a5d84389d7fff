package local_test

import (
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/local"
)

// TestNotices shows what people are told of a sweep.
func TestNotices(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	soon := engine.Grant{ID: "gnt_1", Action: "user.reactivate", Target: engine.Target{ID: "U1", Name: "Mara"}, AtEnd: "lift", EndsAt: at.Add(15 * time.Minute)}
	late := engine.Grant{
		ID: "gnt_2", Action: "user.suspend", Target: engine.Target{ID: "U2"}, EndsAt: at.Add(-10 * time.Minute), Tries: 7,
		Error: engine.Fail(engine.ClassTransient, "unavailable", "the service is away"),
	}
	swept := local.Swept{Warned: []engine.Grant{soon}, Overdue: []engine.Grant{late}, Ended: []engine.Grant{{ID: "gnt_3"}}, Failed: []engine.Grant{late, {ID: "gnt_4"}}}
	want := []struct {
		kind  local.NoticeKind
		grant string
		words []string
	}{
		{local.NoticeExpiry, "gnt_1", []string{"user.reactivate of Mara (U1) ends at 2026-03-01T12:15:00Z, in 15m: then it is taken back"}},
		{local.NoticeOverdue, "gnt_2", []string{"user.suspend of U2 (U2) should have ended at 2026-03-01T11:50:00Z", "in 7 tries: the service is away"}},
	}
	got := swept.Notices(at)
	if len(got) != len(want) {
		t.Fatalf("there are %d notices: %+v", len(got), got)
	}
	for i, n := range got {
		if n.Kind != want[i].kind || !n.At.Equal(at) || n.Grant.ID != want[i].grant {
			t.Errorf("notice %d is %+v", i, n)
		}
		for _, words := range want[i].words {
			if !strings.Contains(n.Text, words) {
				t.Errorf("%q does not say %q", n.Text, words)
			}
		}
	}
}
