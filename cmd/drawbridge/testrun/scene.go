package testrun

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/drawbridge-soar/drawbridge/playbooks/playbooktest"
	"github.com/drawbridge-soar/drawbridge/steps/sim"
)

// ordinaryAge is how long ago an account was made that does not say it.
const ordinaryAge = 400 * 24 * time.Hour

// sceneOf is the tenant of a test. Whom its recorded answers mention is there.
func sceneOf(c *playbooktest.Case) *sim.Scene {
	s := &sim.Scene{Ordinary: c.Tenant.Generated}
	for _, p := range c.Tenant.People {
		s.People = append(s.People, sim.ScenePerson{
			Person:  sim.Person{ID: p.ID, Email: p.Email, Name: p.Name},
			Created: created(c, p.Created), Suspended: p.Suspended, Refuses: sim.Refusal(p.Refuses),
		})
	}
	for _, told := range c.Tenant.SignIns {
		s.SignIns = append(s.SignIns, attempts(told, c.Time)...)
	}
	for _, told := range c.Tenant.Usages {
		s.Usages = append(s.Usages, sim.SceneUsage{Who: told.Who, At: c.Time.Add(-told.Ago)})
	}
	for _, told := range c.Tenant.Audits {
		s.Audits = append(s.Audits, sim.SceneAudit{
			Who: told.Who, Whom: told.Whom, At: c.Time.Add(-told.Ago), Action: told.Action, Object: told.Object,
		})
	}
	for _, seen := range c.Observations {
		mention(s, c, seen.Outputs)
	}
	if s.Ordinary+len(s.People) == 0 {
		s.Ordinary = 1 // a directory is never without anybody
	}
	return s
}

func created(c *playbooktest.Case, at time.Time) time.Time {
	if at.IsZero() {
		return c.Time.Add(-ordinaryAge)
	}
	return at
}

// attempts are a row of failures, half a minute apart, and a success a minute
// after them. The last of it was when the test says.
func attempts(told playbooktest.SignIns, now time.Time) []sim.SceneSignIn {
	at := now.Add(-told.Ago)
	one := sim.SceneSignIn{Who: told.Who, At: at, Success: true, IP: told.From, Country: told.Country}
	var out []sim.SceneSignIn
	if told.Success {
		out = append(out, one)
		at = at.Add(-time.Minute)
	}
	one.Success = false
	for range told.Failures {
		one.At = at
		out = append(out, one)
		at = at.Add(-30 * time.Second)
	}
	return out
}

// mention puts every account that a recorded answer holds into the tenant.
func mention(s *sim.Scene, c *playbooktest.Case, v any) {
	switch v := v.(type) {
	case []any:
		for _, elem := range v {
			mention(s, c, elem)
		}
	case map[string]any:
		id, isAccount := v["id"].(string)
		email, hasEmail := v["email"].(string)
		if isAccount && hasEmail && id != "" {
			addMentioned(s, c, v, sim.Person{ID: id, Email: email})
			return
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			mention(s, c, v[name])
		}
	}
}

func addMentioned(s *sim.Scene, c *playbooktest.Case, v map[string]any, p sim.Person) {
	if slices.ContainsFunc(s.People, func(known sim.ScenePerson) bool { return known.ID == p.ID }) {
		return
	}
	p.Name, _ = v["name"].(string)
	at, _ := v["created_at"].(time.Time)
	s.People = append(s.People, sim.ScenePerson{Person: p, Created: created(c, at), Suspended: v["state"] == "suspended"})
}

func faultsOf(c *playbooktest.Case) []sim.Fault {
	var out []sim.Fault
	for _, f := range c.Faults {
		fault := sim.Fault{
			Operation: sim.Operation(f.Operation), Kind: sim.FaultKind(f.Kind),
			After: f.After, Every: f.Every, Times: f.Times, Delay: f.Delay,
		}
		if f.RetryAfter > 0 {
			fault.RetryAfter = strconv.Itoa(int((f.RetryAfter + time.Second - 1) / time.Second))
		}
		out = append(out, fault)
	}
	return out
}
