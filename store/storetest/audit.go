package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

func entry(object string) engine.AuditEntry {
	return engine.AuditEntry{
		At: noon(), Actor: engine.Actor{Name: "alice", Via: "cli"}, Verb: engine.AuditRunStarted, Object: object,
		Detail: json.RawMessage(`{"playbook":"contain"}`),
	}
}

func trail(t *testing.T, s engine.Store) []engine.AuditRecord {
	t.Helper()
	return must[[]engine.AuditRecord](t)(s.Audit(t.Context(), engine.AuditQuery{}))
}

func auditComesBack(t *testing.T, s engine.Store) {
	if _, err := s.AuditHead(t.Context()); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("the end of an empty trail: got the error %v", err)
	}
	bare := entry("b")
	bare.Detail, bare.At = nil, noon().Add(time.Nanosecond).In(time.FixedZone("CEST", 2*60*60))
	commit(t, s, engine.Batch{Audit: []engine.AuditEntry{entry("a"), bare}})
	commit(t, s, engine.Batch{Audit: []engine.AuditEntry{entry("c")}})
	a := entry("a").Chained(engine.AuditRecord{})
	b := bare.Chained(a)
	c := entry("c").Chained(b)
	same(t, "the trail", trail(t, s), []engine.AuditRecord{a, b, c})
	same(t, "its end", must[engine.AuditRecord](t)(s.AuditHead(t.Context())), c)
	if a.Seq != 1 || c.Seq != 3 || c.Prev != b.Hash || b.Detail != nil || !b.At.Equal(noon()) {
		t.Errorf("got the records %+v", []engine.AuditRecord{a, b, c})
	}
}

func auditSelected(t *testing.T, s engine.Store) {
	for i := range 5 {
		e := entry(strconv.Itoa(i))
		e.At = noon().Add(time.Duration(i) * time.Hour)
		commit(t, s, engine.Batch{Audit: []engine.AuditEntry{e}})
	}
	for name, c := range map[string]struct {
		query engine.AuditQuery
		want  []uint64
	}{
		"all":             {engine.AuditQuery{}, []uint64{1, 2, 3, 4, 5}},
		"a page":          {engine.AuditQuery{After: 1, Limit: 2}, []uint64{2, 3}},
		"since":           {engine.AuditQuery{Since: noon().Add(3 * time.Hour)}, []uint64{4, 5}},
		"behind the last": {engine.AuditQuery{After: 5}, nil},
	} {
		var got []uint64
		for _, r := range must[[]engine.AuditRecord](t)(s.Audit(t.Context(), c.query)) {
			got = append(got, r.Seq)
		}
		same(t, name, got, c.want)
	}
}

// auditWithItsBatch: an entry is there exactly where what it is about is.
func auditWithItsBatch(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1")
	refused(t, s, engine.Batch{Events: journal("run_2", 1, 1), Audit: []engine.AuditEntry{entry("lost")}}, engine.ErrNotFound)
	refused(t, s, engine.Batch{Audit: []engine.AuditEntry{{At: noon()}}}, engine.ErrRecord)
	refused(t, s, engine.Batch{Audit: []engine.AuditEntry{{Verb: "x"}}}, engine.ErrRecord)
	refused(t, s, engine.Batch{Audit: []engine.AuditEntry{{Verb: "x", At: noon(), Detail: json.RawMessage("{")}}}, engine.ErrRecord)
	commit(t, s, engine.Batch{Events: journal("run_1", 1, 1), Audit: []engine.AuditEntry{entry("kept")}})
	if got := trail(t, s); len(got) != 1 || got[0].Object != "kept" || got[0].Seq != 1 {
		t.Errorf("got the trail %+v", got)
	}
}

func auditConcurrently(t *testing.T, s engine.Store) {
	const writers, each = 8, 20
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range each {
				if err := s.Commit(t.Context(), engine.Batch{Audit: []engine.AuditEntry{entry(fmt.Sprint(w, i)), entry("second")}}); err != nil {
					t.Errorf("committing: %v", err)
				}
			}
		})
	}
	all.Wait()
	report, err := engine.VerifyAudit(t.Context(), s, "")
	if err != nil || !report.Sound() || report.Records != writers*each*2 {
		t.Errorf("got %+v, %v", report, err)
	}
}

func auditVerified(t *testing.T, s engine.Store) {
	for i := range 3 {
		commit(t, s, engine.Batch{Audit: []engine.AuditEntry{entry(strconv.Itoa(i))}})
	}
	second := trail(t, s)[1].Hash
	report := must[engine.AuditReport](t)(engine.VerifyAudit(t.Context(), s, second))
	if !report.Sound() || !report.Contains || report.Records != 3 || report.Head != trail(t, s)[2].Hash {
		t.Errorf("got %+v", report)
	}
	if report = must[engine.AuditReport](t)(engine.VerifyAudit(t.Context(), s, "0123")); report.Contains {
		t.Error("a hash is found that no record has")
	}
}
