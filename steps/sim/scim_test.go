package sim_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/steps/sim"
)

const (
	patchType = "Content-Type: application/scim+json"
	acceptAny = "Accept: application/scim+json, application/json"
)

func scimBearer(tenant *sim.Tenant) string {
	return "Authorization: Bearer " + tenant.Credentials().SCIMToken
}

// patchBody is a PATCH with one operation.
func patchBody(operation string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + operation + `]}`
}

const deactivate = `{"op":"replace","path":"active","value":false}`

func TestSCIMIsStrict(t *testing.T) {
	tenant, server := start(t, sim.Options{Forbidden: []sim.Operation{sim.OpSCIMListGroups}})
	cast, token := tenant.Cast(), scimBearer(tenant)
	hers, group := "/Users/"+cast.Hijacked[0].ID, "/Groups/"+tenant.Groups()[3].ID
	filter := func(s string) string { return "/Users?filter=" + url.QueryEscape(s) }
	member := fmt.Sprintf(`{"op":"add","path":"members","value":[{"value":%q}]}`, cast.Slow.ID)
	for name, tt := range map[string]struct {
		method, path, body string
		headers            []string
		want               int
		says               string
	}{
		"list":                          {"GET", "/Users?startIndex=1&count=2", "", nil, 200, `"itemsPerPage":2`},
		"get":                           {"GET", hers, "", nil, 200, `"active":true`},
		"describes itself":              {"GET", "/ServiceProviderConfig", "", nil, 200, `"patch":{"supported":true}`},
		"no token":                      {"GET", hers, "", []string{"Authorization: Bearer other"}, 401, `"status":"401"`},
		"not granted":                   {"GET", "/Groups", "", nil, 403, `"status":"403"`},
		"other media type wanted":       {"GET", hers, "", []string{"Accept: text/html"}, 406, `"status":"406"`},
		"unknown user":                  {"GET", "/Users/ABCDEFGHIJKLMNOPQRSTUVWXYZ", "", nil, 404, "no such user"},
		"by user name":                  {"GET", "/Users/" + cast.Slow.Email, "", nil, 404, "no such user"},
		"unknown endpoint":              {"GET", "/Me", "", nil, 404, "endpoint"},
		"index from 0":                  {"GET", "/Users?startIndex=0", "", nil, 400, "invalidValue"},
		"unknown parameter":             {"GET", "/Users?page=2", "", nil, 400, "invalidSyntax"},
		"twice":                         {"GET", "/Users?count=1&count=2", "", nil, 400, "invalidSyntax"},
		"a cursor where there are none": {"GET", "/Users?cursor=", "", nil, 400, "invalidSyntax"},
		"filter":                        {"GET", filter(`userName EQ "` + strings.ToUpper(cast.Slow.Email) + `"`), "", nil, 200, `"totalResults":1`},
		"filter of two":                 {"GET", filter(`id eq "x" or emails.value eq "` + cast.Slow.Email + `"`), "", nil, 200, `"totalResults":1`},
		"filter with and":               {"GET", filter(`id eq "x" and active eq true`), "", nil, 400, "invalidFilter"},
		"filter by something else":      {"GET", filter(`title eq "x"`), "", nil, 400, "invalidFilter"},
		"filter not quoted":             {"GET", filter(`userName eq sam`), "", nil, 400, "invalidFilter"},
		"patch as JSON":                 {"PATCH", hers, patchBody(deactivate), []string{"Content-Type: application/json"}, 415, `"status":"415"`},
		"patch without schemas":         {"PATCH", hers, `{"Operations":[` + deactivate + `]}`, nil, 400, "invalidSyntax"},
		"patch with more":               {"PATCH", hers, strings.Replace(patchBody(deactivate), "{", `{"id":"x",`, 1), nil, 400, "invalidSyntax"},
		"capital Replace":               {"PATCH", hers, patchBody(strings.Replace(deactivate, "replace", "Replace", 1)), nil, 400, "op is"},
		"active as a string":            {"PATCH", hers, patchBody(strings.Replace(deactivate, "false", `"False"`, 1)), nil, 400, "invalidValue"},
		"no path":                       {"PATCH", hers, patchBody(`{"op":"replace","value":{"active":false}}`), nil, 400, "invalidPath"},
		"put":                           {"PUT", hers, "{}", nil, 405, `"status":"405"`},
		"delete":                        {"DELETE", hers, "", nil, 405, `"status":"405"`},
		"another version":               {"PATCH", hers, patchBody(deactivate), []string{`If-Match: W/"7"`}, 412, `"status":"412"`},
		"last owner":                    {"PATCH", "/Users/" + cast.LastOwner.ID, patchBody(deactivate), nil, 403, "last owner"},
		"externally managed":            {"PATCH", "/Users/" + cast.External[0].ID, patchBody(deactivate), nil, 400, "mutability"},
		"remove who is not in it":       {"PATCH", group, patchBody(fmt.Sprintf(`{"op":"remove","path":"members[value eq \"%s\"]"}`, cast.Slow.ID)), nil, 400, "noTarget"},
		"remove everybody":              {"PATCH", group, patchBody(`{"op":"remove","path":"members"}`), nil, 400, "invalidPath"},
		"add nobody":                    {"PATCH", group, patchBody(strings.Replace(member, cast.Slow.ID, "nobody", 1)), nil, 400, "invalidValue"},
		"add to no group":               {"PATCH", "/Groups/nothing", patchBody(member), nil, 404, "no such group"},
	} {
		t.Run(name, func(t *testing.T) {
			headers := append([]string{token, acceptAny, patchType}, tt.headers...)
			status, body := ask(t, tt.method, server.SCIMURL()+tt.path, tt.body, headers...)
			if status != tt.want || !strings.Contains(body, tt.says) {
				t.Errorf("got %d %.300s, want %d with %q", status, body, tt.want, tt.says)
			}
			if status >= 400 && !strings.Contains(body, "urn:ietf:params:scim:api:messages:2.0:Error") {
				t.Errorf("the error is not in SCIM's shape: %.200s", body)
			}
		})
	}
	if changes := tenant.Changes(); len(changes) != 0 {
		t.Errorf("nothing was to change, but %v did", changes)
	}
}

func TestSCIMChanges(t *testing.T) {
	for name, tt := range map[string]struct {
		variant sim.SCIM
		status  int
	}{
		"with the resource": {sim.SCIM{}, 200},
		"with nothing":      {sim.SCIM{NoBody: true}, 204},
	} {
		t.Run(name, func(t *testing.T) {
			tenant, server := start(t, sim.Options{Users: 120, SCIM: tt.variant})
			who, token := tenant.Cast().Slow, scimBearer(tenant)
			group := tenant.Groups()[3]
			for _, step := range []struct{ path, operation string }{
				{"/Users/" + who.ID, deactivate},
				{"/Groups/" + group.ID, fmt.Sprintf(`{"op":"add","path":"members","value":[{"value":%q}]}`, who.ID)},
				{"/Groups/" + group.ID, fmt.Sprintf(`{"op":"add","path":"members","value":[{"value":%q}]}`, who.ID)},
				{"/Groups/" + group.ID, fmt.Sprintf(`{"op":"remove","path":"members[value eq \"%s\"]"}`, who.ID)},
			} {
				status, body := ask(t, "PATCH", server.SCIMURL()+step.path, patchBody(step.operation), token, patchType)
				if status != tt.status || (status == 204) != (body == "") {
					t.Errorf("%s: %d %.200s", step.operation, status, body)
				}
			}
			var got []string
			for _, c := range tenant.Changes() {
				got = append(got, fmt.Sprintf("%s %s→%s %v", c.Group, c.Before, c.After, c.Changed))
			}
			want := []string{
				" ACTIVE→SUSPENDED true", group.ID + " NO_MEMBER→MEMBER true", group.ID + " MEMBER→MEMBER false", group.ID + " MEMBER→NO_MEMBER true",
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("changed %v, want %v", got, want)
			}
			if suspended, err := tenant.Suspended(who.ID); err != nil || !suspended {
				t.Errorf("the other services show another state: %v %v", suspended, err)
			}
		})
	}
}

// TestSCIMPagesHoldTogether walks through everybody in either way.
func TestSCIMPagesHoldTogether(t *testing.T) {
	for name, variant := range map[string]sim.SCIM{"by index": {PageLimit: 30}, "by cursor": {Cursor: true, PageLimit: 30}} {
		t.Run(name, func(t *testing.T) {
			tenant, server := start(t, sim.Options{Users: 200, SCIM: variant})
			seen, next := map[string]bool{}, "startIndex=1"
			if variant.Cursor {
				next = "cursor="
			}
			for pages := 0; next != ""; pages++ {
				status, body := ask(t, "GET", server.SCIMURL()+"/Users?count=100&"+next, "", scimBearer(tenant))
				var page struct {
					Total     int    `json:"totalResults"`
					Next      string `json:"nextCursor"`
					Resources []struct {
						ID       string `json:"id"`
						UserName string `json:"userName"`
					} `json:"Resources"`
				}
				if err := json.Unmarshal([]byte(body), &page); err != nil || status != 200 || page.Total != 200 || len(page.Resources) > 30 || pages > 10 {
					t.Fatalf("page %d: %d %.200s (%v)", pages, status, body, err)
				}
				for _, u := range page.Resources {
					name := strings.ToLower(u.UserName)
					if seen[u.ID] || seen[name] {
						t.Errorf("%s (%s) came twice", u.ID, name)
					}
					seen[u.ID], seen[name] = true, true
				}
				switch {
				case variant.Cursor && page.Next != "":
					next = "cursor=" + page.Next
				case !variant.Cursor && len(seen) < 400:
					next = fmt.Sprintf("startIndex=%d", len(seen)/2+1)
				default:
					next = ""
				}
			}
			if len(seen) != 400 {
				t.Errorf("%d ids and names of 200 people", len(seen))
			}
		})
	}
}

func TestSCIMFaultsAreOfARequestAndNotOfItsTurn(t *testing.T) {
	tenant, server := start(t, sim.Options{Users: 120})
	tenant.Inject(sim.Fault{Operation: sim.OpSCIMListUsers, Kind: sim.FaultMiscount, Match: "startIndex=11", Times: -1})
	for _, step := range []struct {
		query, says string
	}{{"startIndex=11", `"totalResults":121`}, {"startIndex=1", `"totalResults":120`}, {"startIndex=11", `"totalResults":121`}} {
		if _, body := ask(t, "GET", server.SCIMURL()+"/Users?count=10&"+step.query, "", scimBearer(tenant)); !strings.Contains(body, step.says) {
			t.Errorf("%s does not say %s", step.query, step.says)
		}
	}
}
