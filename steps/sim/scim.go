package sim

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// SCIM says how the tenant's SCIM 2.0 service (RFC 7643, 7644) differs from
// one that can do everything. The zero SCIM has filters, versions and pages by
// index, and answers a PATCH with the resource. What 1Password's bridge is said
// to do is SCIM{NoFilter: true, NoBody: true, NoVersions: true}.
type SCIM struct {
	NoFilter   bool // every filter is refused with invalidFilter
	NoBody     bool // a PATCH is answered with 204
	NoVersions bool // resources have no version and If-Match is not looked at
	NoConfig   bool // there is no ServiceProviderConfig
	NoMembers  bool // groups do not list their members; users list their groups
	NoCreated  bool // resources do not say when they were created
	Cursor     bool // pages by cursor (RFC 9865), and not by index
	PlainJSON  bool // answers say application/json
	PageLimit  int  // resources in a page at most, whatever is asked for; 200 for 0
	MaxMembers int  // of a group; 0 for any number
}

// The schemas of SCIM's messages and resources.
const (
	scimUser   = "urn:ietf:params:scim:schemas:core:2.0:User"
	scimGroup  = "urn:ietf:params:scim:schemas:core:2.0:Group"
	scimConfig = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
	scimList   = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	scimPatch  = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	scimError  = "urn:ietf:params:scim:api:messages:2.0:Error"

	scimType = "application/scim+json"
	scimBase = "/scim"
)

// scimRefusal is an error in SCIM's shape, whose status is a string.
func scimRefusal(status int, kind, detail string) reply {
	body := object{"schemas": []string{scimError}, "status": strconv.Itoa(status), "detail": detail}
	if kind != "" {
		body["scimType"] = kind
	}
	return asSCIM(jsonReply(status, body))
}

func asSCIM(a reply) reply {
	a.kind = scimType
	return a
}

// scimReply answers with a resource or a list of them.
func (t *Tenant) scimReply(status int, v any) reply {
	a := jsonReply(status, v)
	if !t.opts.SCIM.PlainJSON {
		a = asSCIM(a)
	}
	return a
}

func (t *Tenant) routeSCIM(c call) (Operation, func(call) reply) {
	switch rest := c.path[1:]; {
	case len(rest) == 1 && rest[0] == "ServiceProviderConfig" && !t.opts.SCIM.NoConfig:
		return OpSCIMConfig, t.scimConfiguration
	case len(rest) == 1 && rest[0] == "Users":
		return OpSCIMListUsers, t.scimListUsers
	case len(rest) == 1 && rest[0] == "Groups":
		return OpSCIMListGroups, t.scimListGroups
	case len(rest) == 2 && rest[0] == "Users":
		return byMethod(c, OpSCIMGetUser, t.scimGetUser, OpSCIMPatchUser, t.scimPatchUser)
	case len(rest) == 2 && rest[0] == "Groups":
		return byMethod(c, OpSCIMGetGroup, t.scimGetGroup, OpSCIMPatchGroup, t.scimPatchGroup)
	}
	return "", func(call) reply { return scimRefusal(http.StatusNotFound, "", "there is no such endpoint") }
}

func byMethod(c call, get Operation, read func(call) reply, patch Operation, change func(call) reply) (Operation, func(call) reply) {
	if c.r.Method == http.MethodPatch {
		return patch, change
	}
	return get, read
}

// scimAdmit checks what every call must have right: method, token, grant, and
// the content type of a body.
func (t *Tenant) scimAdmit(c call, method string) (refusal reply, ok bool) {
	t.mu.Lock()
	issued, known := t.tokens[bearer(c.r)] // a client's token is as good as the one that is given out
	known = known && t.opts.Clock().Before(issued.expires) || bearer(c.r) == t.scimToken
	t.mu.Unlock()
	kind, _, _ := strings.Cut(c.r.Header.Get("Content-Type"), ";")
	accept := c.r.Header.Get("Accept")
	switch {
	case !known:
		refusal = scimRefusal(http.StatusUnauthorized, "", "the bearer token is not valid")
		refusal.header = map[string]string{"WWW-Authenticate": "Bearer"}
		return refusal, false
	case slices.Contains(t.opts.Forbidden, c.op):
		return scimRefusal(http.StatusForbidden, "", "the token may not do that"), false
	case c.r.Method != method:
		return scimRefusal(http.StatusMethodNotAllowed, "", "the method is not allowed"), false
	case accept != "" && !strings.Contains(accept, scimType):
		return scimRefusal(http.StatusNotAcceptable, "", "only "+scimType+" is answered"), false
	case method == http.MethodPatch && kind != scimType:
		return scimRefusal(http.StatusUnsupportedMediaType, "", "the body must be "+scimType), false
	case method == http.MethodGet && len(c.body) > 0:
		return scimRefusal(http.StatusBadRequest, "invalidSyntax", "a GET has no body"), false
	}
	return reply{}, true
}

func (t *Tenant) scimConfiguration(c call) reply {
	if refusal, ok := t.scimAdmit(c, http.MethodGet); !ok {
		return refusal
	}
	o, no := t.opts.SCIM, object{"supported": false}
	method := "index"
	if o.Cursor {
		method = "cursor"
	}
	return t.scimReply(http.StatusOK, object{
		"schemas": []string{scimConfig}, "patch": object{"supported": true}, "bulk": no, "sort": no, "changePassword": no,
		"filter": object{"supported": !o.NoFilter, "maxResults": t.scimPageLimit()},
		"etag":   object{"supported": !o.NoVersions},
		"pagination": object{
			"cursor": o.Cursor, "index": !o.Cursor, "defaultPaginationMethod": method, "maxPageSize": t.scimPageLimit(),
		},
		"authenticationSchemes": []object{{"type": "oauthbearertoken", "name": "Bearer", "description": "a bearer token"}},
	})
}

func (t *Tenant) scimPageLimit() int {
	if limit := t.opts.SCIM.PageLimit; limit > 0 {
		return limit
	}
	return 200
}

// scimIndexOf is the account a path names.
func (t *Tenant) scimIndexOf(c call) (int, bool) {
	id, err := url.PathUnescape(c.path[2])
	if err != nil {
		return 0, false
	}
	return t.people.indexOf(id)
}

func (t *Tenant) scimGetUser(c call) reply {
	if refusal, ok := t.scimAdmit(c, http.MethodGet); !ok {
		return refusal
	}
	i, ok := t.scimIndexOf(c)
	if !ok {
		return scimRefusal(http.StatusNotFound, "", "there is no such user")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.scimResource(t.scimUser(i))
}

// scimResource answers with one resource and its version.
func (t *Tenant) scimResource(resource object) reply {
	a := t.scimReply(http.StatusOK, resource)
	meta, _ := resource["meta"].(object)
	if version, ok := meta["version"].(string); ok {
		a.header = map[string]string{"ETag": version}
	}
	return a
}

// scimUser is an account as SCIM shows it. It needs the lock. The user name is
// unique whatever the case of its letters (RFC 7643, 4.1.1), and so is not
// the address of people who share theirs.
func (t *Tenant) scimUser(i int) object {
	name, email := t.people.nameAndEmail(i)
	id := t.people.id(i)
	user := object{
		"schemas": []string{scimUser}, "id": id, "userName": t.scimUserName(i), "displayName": name, "active": !t.isSuspended(i),
		"emails": []object{{"value": strings.ToLower("old-" + email), "type": "other"}, {"value": email, "type": "work", "primary": true}},
		"meta":   t.scimMeta("User", "/Users/", id, i),
	}
	var groups []object
	for g, group := range t.groups {
		if t.isMember(g, i) {
			groups = append(groups, object{"value": group.id, "display": group.name, "type": "direct"})
		}
	}
	if groups != nil {
		user["groups"] = groups
	}
	return user
}

func (t *Tenant) scimUserName(i int) string {
	_, email := t.people.nameAndEmail(i)
	if part, ok := t.people.part(i); ok && part.role == twin {
		return strings.ToLower(t.people.id(i))
	}
	return email
}

// scimMeta needs the lock.
func (t *Tenant) scimMeta(kind, path, id string, person int) object {
	meta := object{"resourceType": kind, "location": "https://directory.example.com" + scimBase + path + id}
	if !t.opts.SCIM.NoCreated {
		created := t.opts.Now.Add(-2000 * day)
		if person >= 0 {
			created = t.people.created(person)
		}
		meta["created"] = created
	}
	if !t.opts.SCIM.NoVersions {
		meta["version"] = `W/"` + strconv.Itoa(t.versions[id]+1) + `"`
	}
	return meta
}

// scimChanged gives a resource a new version. It needs the lock.
func (t *Tenant) scimChanged(id string) { t.versions[id]++ }

// scimStale reports a change of another version than there is. It needs the lock.
func (t *Tenant) scimStale(c call, id string) bool {
	match := c.r.Header.Get("If-Match")
	return match != "" && !t.opts.SCIM.NoVersions && match != `W/"`+strconv.Itoa(t.versions[id]+1)+`"`
}

// SetSCIMToken makes another bearer token the one the SCIM service takes.
func (t *Tenant) SetSCIMToken(value string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.scimToken = value
}

// strictly decodes JSON that must have no other members and nothing after it.
func strictly(body []byte, v any) bool {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	return dec.Decode(v) == nil && !dec.More()
}
