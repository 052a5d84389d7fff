package identity

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// at is a time on the day of these tests: "10:30:00".
func at(clock string) time.Time {
	t, _ := time.Parse(time.DateTime, "2026-11-22 "+clock)
	return t
}

func try(clock string, result SignInResult, ip, country string) attempt {
	return attempt{at: at(clock), result: result, ip: ip, country: country}
}

func TestSummarize(t *testing.T) {
	row := make(map[string]any)
	summarize(row, []attempt{
		try("10:05:00", SignInSuccess, "192.0.2.1", "DE"),
		try("10:00:00", SignInFailed, "192.0.2.9", "FR"),
		try("10:01:00", SignInFailed, "192.0.2.1", "DE"),
		try("10:02:00", SignInMFAFailed, "192.0.2.1", ""),
		try("10:03:00", SignInBlocked, "", "KP"),
	})
	want := map[string]any{
		"failed": int64(2), "succeeded": int64(1), "blocked": int64(1), "mfa_failed": int64(1),
		"countries": []any{"DE", "FR", "KP"}, "success_countries": []any{"DE"}, "ips": []any{"192.0.2.1", "192.0.2.9"},
		"first_seen": at("10:00:00"), "last_seen": at("10:05:00"),
		"success_after_failures": int64(2), "success_after_failures_ip": "192.0.2.1", "km_per_hour": nil,
	}
	if diff := cmp.Diff(want, row); diff != "" {
		t.Error(diff)
	}
	for _, f := range summaryFields() {
		if _, ok := row[f.Name]; !ok {
			t.Errorf("%s is declared and missing", f.Name)
		}
	}
}

func TestSuccessAfterFailures(t *testing.T) {
	const mine, theirs = "192.0.2.1", "192.0.2.9"
	tests := []struct {
		name     string
		attempts []attempt
		want     int64
		ip       string
	}{
		{"no attempt failed", []attempt{try("10:00:00", SignInSuccess, mine, "")}, 0, ""},
		{"nobody got in", []attempt{try("10:00:00", SignInFailed, mine, ""), try("10:01:00", SignInMFAFailed, mine, "")}, 0, ""},
		{"guessed, then in", []attempt{
			try("10:00:00", SignInFailed, mine, ""), try("10:01:00", SignInMFAFailed, mine, ""), try("10:02:00", SignInSuccess, mine, ""),
		}, 2, mine},
		{"somebody else guessed", []attempt{
			try("10:00:00", SignInFailed, theirs, ""), try("10:01:00", SignInFailed, theirs, ""), try("10:02:00", SignInSuccess, mine, ""),
		}, 0, ""},
		{"exactly an hour before", []attempt{try("10:00:00", SignInFailed, mine, ""), try("11:00:00", SignInSuccess, mine, "")}, 1, mine},
		{"more than an hour before", []attempt{try("10:00:00", SignInFailed, mine, ""), try("11:00:01", SignInSuccess, mine, "")}, 0, ""},
		{"failed afterwards", []attempt{try("10:00:00", SignInSuccess, mine, ""), try("10:01:00", SignInFailed, mine, "")}, 0, ""},
		{"at the same instant", []attempt{try("10:00:00", SignInSuccess, mine, ""), try("10:00:00", SignInFailed, mine, "")}, 1, mine},
		{"blocked ones are no guesses", []attempt{try("10:00:00", SignInBlocked, mine, ""), try("10:01:00", SignInSuccess, mine, "")}, 0, ""},
		{"unknown addresses are not the same", []attempt{try("10:00:00", SignInFailed, "", ""), try("10:01:00", SignInSuccess, "", "")}, 0, ""},
		{"the most of several", []attempt{
			try("10:00:00", SignInFailed, mine, ""), try("10:01:00", SignInSuccess, mine, ""),
			try("10:30:00", SignInFailed, theirs, ""), try("10:31:00", SignInFailed, theirs, ""), try("10:32:00", SignInSuccess, theirs, ""),
			try("14:00:00", SignInSuccess, theirs, ""),
		}, 2, theirs},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			row := make(map[string]any)
			summarize(row, tt.attempts)
			if row["success_after_failures"] != tt.want || row["success_after_failures_ip"] != orNull(tt.ip) {
				t.Errorf("got %v from %v, want %d from %q", row["success_after_failures"], row["success_after_failures_ip"], tt.want, tt.ip)
			}
		})
	}
}

func TestKmPerHour(t *testing.T) {
	berlin, potsdam, sydney := &place{52.52, 13.405}, &place{52.391, 13.065}, &place{-33.868, 151.209}
	in := func(clock string, result SignInResult, p *place) attempt {
		return attempt{at: at(clock), result: result, place: p}
	}
	tests := []struct {
		name     string
		attempts []attempt
		want     any
	}{
		{"one success", []attempt{in("10:00:00", SignInSuccess, berlin)}, nil},
		{"no places", []attempt{in("10:00:00", SignInSuccess, nil), in("11:00:00", SignInSuccess, nil)}, nil},
		{"nowhere else", []attempt{in("10:00:00", SignInSuccess, berlin), in("11:00:00", SignInSuccess, berlin)}, 0.0},
		{"next door in a second", []attempt{in("10:00:00", SignInSuccess, berlin), in("10:00:01", SignInSuccess, potsdam)}, 0.0},
		{"to Sydney in ten hours", []attempt{in("00:00:00", SignInSuccess, berlin), in("10:00:00", SignInSuccess, sydney)}, 1609.0},
		{"a failure elsewhere is no journey", []attempt{
			in("10:00:00", SignInSuccess, berlin), in("10:30:00", SignInFailed, sydney), in("11:00:00", SignInSuccess, berlin),
		}, 0.0},
		{"successes without a place are passed over", []attempt{
			in("00:00:00", SignInSuccess, berlin), in("05:00:00", SignInSuccess, nil), in("10:00:00", SignInSuccess, sydney),
		}, 1609.0},
		{"the fastest of several", []attempt{
			in("00:00:00", SignInSuccess, berlin), in("10:00:00", SignInSuccess, sydney), in("20:00:00", SignInSuccess, sydney),
		}, 1609.0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			row := make(map[string]any)
			summarize(row, tt.attempts)
			if row["km_per_hour"] != tt.want {
				t.Errorf("got %v, want %v", row["km_per_hour"], tt.want)
			}
		})
	}
}

func TestTwoPlacesAtOnceHaveAFiniteSpeed(t *testing.T) {
	row := make(map[string]any)
	summarize(row, []attempt{
		{at: at("10:00:00"), result: SignInSuccess, place: &place{52.52, 13.405}},
		{at: at("10:00:00"), result: SignInSuccess, place: &place{-52.52, 13.405 - 180}},
	})
	speed, _ := row["km_per_hour"].(float64)
	if math.IsNaN(speed) || math.IsInf(speed, 0) || speed < 1_000_000 {
		t.Errorf("got %v", row["km_per_hour"])
	}
}

func TestEvidenceIsShort(t *testing.T) {
	ips := make([]any, 5000)
	for i := range ips {
		ips[i] = "192.0.2.1"
	}
	facts := evidence(map[string]any{"ips": ips, "failed": int64(5000)})
	if got := len(facts["ips"].([]any)); got != maxAddresses {
		t.Errorf("%d addresses", got)
	}
}
