package sqlite

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

func audited(object string) engine.Batch {
	return engine.Batch{Audit: []engine.AuditEntry{{
		At: time.Unix(1, 0), Actor: engine.Actor{Name: "alice", Via: "cli"}, Verb: engine.AuditRunStarted, Object: object, Detail: []byte(`{"n":1}`),
	}}}
}

// withTrail makes a database with an audit trail of ten records.
func withTrail(t *testing.T) (path, head string) {
	t.Helper()
	path = newPath(t)
	s := open(t, path, Options{Mode: Engine})
	for i := range 10 {
		commit(t, s, audited(fmt.Sprint("run_", i)))
	}
	last, err := s.AuditHead(t.Context())
	check(t, err)
	check(t, s.Close())
	return path, last.Hash
}

// TestTamperingIsFound: whatever is done to a row of the trail, it shows, and
// where it shows is said.
func TestTamperingIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		want   []uint64 // the records that are named
	}{
		"untouched":         {"", nil},
		"who":               {"UPDATE audit SET actor = 'mallory' WHERE seq = 4", []uint64{4}},
		"by which way":      {"UPDATE audit SET via = 'api' WHERE seq = 4", []uint64{4}},
		"when":              {"UPDATE audit SET at = at + 1 WHERE seq = 4", []uint64{4}},
		"what":              {"UPDATE audit SET verb = 'x' WHERE seq = 1", []uint64{1}},
		"to what":           {"UPDATE audit SET object = 'run_x' WHERE seq = 10", []uint64{10}},
		"a detail":          {"UPDATE audit SET detail = x'7b7d' WHERE seq = 4", []uint64{4}},
		"no detail":         {"UPDATE audit SET detail = NULL WHERE seq = 4", []uint64{4}},
		"text between both": {"UPDATE audit SET actor = 'alicec', via = 'li' WHERE seq = 4", []uint64{4}},
		"the hash":          {"UPDATE audit SET hash = zeroblob(32) WHERE seq = 4", []uint64{4, 5}},
		"removed":           {"DELETE FROM audit WHERE seq = 4", []uint64{4}},
		"the first removed": {"DELETE FROM audit WHERE seq = 1", []uint64{1}},
		"several removed":   {"DELETE FROM audit WHERE seq BETWEEN 4 AND 6", []uint64{4}},
		"removed and closed up": {
			"DELETE FROM audit WHERE seq = 4; UPDATE audit SET seq = seq - 1 WHERE seq > 4", []uint64{4, 5, 6, 7, 8, 9},
		},
		"two exchanged": {
			"UPDATE audit SET seq = -1 WHERE seq = 4; UPDATE audit SET seq = 4 WHERE seq = 5; UPDATE audit SET seq = 5 WHERE seq = -1", []uint64{4, 5, 6},
		},
		"put in at the end": {
			"INSERT INTO audit SELECT 11, at, actor, via, verb, object, detail, hash FROM audit WHERE seq = 10", []uint64{11},
		},
	} {
		t.Run(name, func(t *testing.T) {
			path, head := withTrail(t)
			if c.script != "" {
				meddle(t, path, c.script)
			}
			report, err := engine.VerifyAudit(t.Context(), open(t, path, Options{Mode: ReadOnly}), head)
			check(t, err)
			var got []uint64
			for _, f := range report.Faults {
				got = append(got, f.Seq)
			}
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("got the faults %v, want those of %v", report.Faults, c.want)
			}
		})
	}
}

// TestCuttingTheTrailOff is found by a hash that was kept elsewhere, and so is
// writing the whole trail anew.
func TestCuttingTheTrailOff(t *testing.T) {
	path, head := withTrail(t)
	meddle(t, path, "DELETE FROM audit WHERE seq > 8")
	s := open(t, path, Options{Mode: Engine})
	report, err := engine.VerifyAudit(t.Context(), s, head)
	if err != nil || !report.Sound() || report.Contains {
		t.Errorf("got %+v, %v", report, err)
	}
	commit(t, s, audited("run_8"))
	commit(t, s, audited("run_x"))
	if report, err = engine.VerifyAudit(t.Context(), s, head); err != nil || !report.Sound() || report.Contains {
		t.Errorf("with others in their place: got %+v, %v", report, err)
	}
}

// TestAuditBesideAnEngine: a freeze takes its entry along, in one chain with
// those of the engine, and nothing else is audited beside it.
func TestAuditBesideAnEngine(t *testing.T) {
	path := newPath(t)
	s := open(t, path, Options{Mode: Engine})
	other := open(t, path, Options{Mode: Beside})
	for i := range 5 {
		commit(t, s, audited(fmt.Sprint("run_", i)))
		b := frozen(fmt.Sprint("freeze_", i))
		b.Audit = []engine.AuditEntry{engine.AuditFreeze(b.Freezes[0])}
		commit(t, other, b)
	}
	if err := other.Commit(t.Context(), audited("run_x")); !errors.Is(err, ErrBeside) {
		t.Errorf("got the error %v", err)
	}
	report, err := engine.VerifyAudit(t.Context(), s, "")
	if err != nil || !report.Sound() || report.Records != 10 {
		t.Errorf("got %+v, %v", report, err)
	}
}
