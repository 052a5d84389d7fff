package schedule

import (
	"strings"
	"testing"
)

func TestCheckCron(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, want, code string }{
		{in: "*/30 * * * *", want: "*/30 * * * *"},
		{in: "  0   8\t* * *  ", want: "0 8 * * *"},
		{in: "0 8 * * 7", want: "0 8 * * 0"},
		{in: "0 8 * * 5-7", want: "0 8 * * 5,6,0"},
		{in: "0 8 * * 1-7/2", want: "0 8 * * 1,3,5,0"},
		{in: "0 8 * * */2", want: "0 8 * * */2"},
		{in: "0 8 29 2 *", want: "0 8 29 2 *"},
		{in: "0 8 1 JAN,mar mon-FRI", want: "0 8 1 JAN,mar mon-FRI"},
		{in: "5/15 * * * *", want: "5/15 * * * *"},
		{in: "0 8 31 2 1", want: "0 8 31 2 1"}, // the day of the week fires it

		{in: "", code: "cron"},
		{in: "* * * *", code: "cron"},
		{in: "0 * * * * *", code: "cron"},
		{in: "60 * * * *", code: "cron"},
		{in: "* 24 * * *", code: "cron"},
		{in: "* * 0 * *", code: "cron"},
		{in: "* * * 13 *", code: "cron"},
		{in: "* * * * 8", code: "cron"},
		{in: "*/90 * * * *", code: "cron"},
		{in: "*/60 * * * *", code: "cron"},
		{in: "*/0 * * * *", code: "cron"},
		{in: "*/-1 * * * *", code: "cron"},
		{in: "*/ * * * *", code: "cron"},
		{in: "30-10 * * * *", code: "cron"},
		{in: "1,,2 * * * *", code: "cron"},
		{in: "? * * * *", code: "cron"},
		{in: "0 8 L * *", code: "cron"},
		{in: "0 8 15W * *", code: "cron"},
		{in: "0 8 * * 5#2", code: "cron"},
		{in: "0 8 * monday *", code: "cron"},
		{in: "@daily", code: "cron"},
		{in: "@every 1h", code: "cron"},
		{in: "TZ=0", code: "cron"},
		{in: "CRON_TZ=UTC", code: "cron"},
		{in: "TZ=UTC 0 8 * * *", code: "cron"},
		{in: "0 8 30 2 *", code: "never"},
		{in: "0 8 31 4,6,9,11 *", code: "never"},
	}
	for _, tt := range tests {
		got, problem := CheckCron(tt.in)
		switch {
		case problem == nil && (tt.code != "" || got != tt.want):
			t.Errorf("%q: got %q, want %q %s", tt.in, got, tt.want, tt.code)
		case problem != nil && problem.Code != tt.code:
			t.Errorf("%q: %+v, want %q %s", tt.in, problem, tt.want, tt.code)
		case problem != nil && problem.Code == "cron" && !strings.Contains(problem.Message, "cron"):
			t.Errorf("%q: the message does not say cron: %s", tt.in, problem.Message)
		case problem != nil && (problem.Offset < 0 || problem.Offset+problem.Length > max(len(tt.in), 1)):
			t.Errorf("%q: the place %d+%d is outside", tt.in, problem.Offset, problem.Length)
		}
	}
}
