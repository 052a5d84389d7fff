package sim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
)

// Connect is a simulated 1Password Connect server, as far as items are read
// from it. It rejects what the real one would: another token, another method,
// a path or a filter that it does not know. It may be used by several
// goroutines.
type Connect struct {
	Stored []StoredVault
	// Fail is asked before each request and answers it with a status; 0 does not.
	Fail func(r *http.Request) int

	mu    sync.Mutex
	token string
	asked []string
}

// NewConnect is a server that takes a token.
func NewConnect(token string, stored []StoredVault) *Connect {
	return &Connect{Stored: stored, token: token}
}

// Rotate makes another token the one that is taken.
func (c *Connect) Rotate(token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.token = token
}

// Asked are the requests so far: method and path with query.
func (c *Connect) Asked() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.asked...)
}

// ServeHTTP answers one request.
func (c *Connect) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	c.asked = append(c.asked, r.Method+" "+r.URL.RequestURI())
	token := c.token
	c.mu.Unlock()
	if c.Fail != nil {
		if status := c.Fail(r); status != 0 {
			connectError(w, status, "it was made to fail")
			return
		}
	}
	path := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case len(path) < 2 || path[0] != "v1" || path[1] != "vaults":
		connectError(w, http.StatusNotFound, "no such route")
	case r.Header.Get("Authorization") != "Bearer "+token:
		connectError(w, http.StatusUnauthorized, "Invalid token signature")
	case r.Method != http.MethodGet:
		connectError(w, http.StatusForbidden, "the token may only read")
	case len(path) == 2:
		c.vaults(w, r)
	case len(path) == 3:
		c.oneVault(w, path[2], func(v StoredVault) { connectAnswer(w, vaultObject(v)) })
	case len(path) == 4 && path[3] == "items":
		c.oneVault(w, path[2], func(v StoredVault) { items(w, r, v) })
	case len(path) == 5 && path[3] == "items":
		c.oneVault(w, path[2], func(v StoredVault) { oneItem(w, v, path[4]) })
	default:
		connectError(w, http.StatusNotFound, "no such route")
	}
}

func connectError(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(object{"status": status, "message": message}) //nolint:errchkjson // two scalars
}

func connectAnswer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) //nolint:errchkjson // what was asked for is gone with whoever asked
}

// wanted is the value of a filter `attribute eq "value"`; "" where there is none.
func wanted(r *http.Request, attribute string) (string, error) {
	for name := range r.URL.Query() {
		if name != "filter" {
			return "", fmt.Errorf("the parameter %s is not known", name)
		}
	}
	filter := r.URL.Query().Get("filter")
	if filter == "" {
		return "", nil
	}
	parts := regexp.MustCompile(`^(\w+) eq (".*")$`).FindStringSubmatch(filter)
	var value string
	if len(parts) != 3 || parts[1] != attribute || json.Unmarshal([]byte(parts[2]), &value) != nil {
		return "", fmt.Errorf("the filter is not %s eq \"…\"", attribute)
	}
	return value, nil
}

func vaultObject(v StoredVault) object {
	return object{"id": v.ID, "name": v.Name, "type": "USER_CREATED", "items": len(v.Items)}
}

func (c *Connect) vaults(w http.ResponseWriter, r *http.Request) {
	name, err := wanted(r, "name")
	if err != nil {
		connectError(w, http.StatusBadRequest, err.Error())
		return
	}
	out := []object{}
	for _, v := range c.Stored {
		if name == "" || v.Name == name {
			out = append(out, vaultObject(v))
		}
	}
	connectAnswer(w, out)
}

// connectID reports whether a path has an id where one belongs.
func connectID(w http.ResponseWriter, id, what string) bool {
	if !regexp.MustCompile(`^[\da-z]{26}$`).MatchString(id) {
		connectError(w, http.StatusBadRequest, "invalid "+what+" UUID")
		return false
	}
	return true
}

func (c *Connect) oneVault(w http.ResponseWriter, id string, answer func(StoredVault)) {
	if !connectID(w, id, "Vault") {
		return
	}
	for _, v := range c.Stored {
		if v.ID == id {
			answer(v)
			return
		}
	}
	connectError(w, http.StatusNotFound, "vault "+id+" not found")
}

func items(w http.ResponseWriter, r *http.Request, v StoredVault) {
	title, err := wanted(r, "title")
	if err != nil {
		connectError(w, http.StatusBadRequest, err.Error())
		return
	}
	out := []object{}
	for _, i := range v.Items {
		if title == "" || i.Title == title {
			out = append(out, itemObject(v, i))
		}
	}
	connectAnswer(w, out)
}

func itemObject(v StoredVault, i StoredItem) object {
	return object{"id": i.ID, "title": i.Title, "vault": object{"id": v.ID}, "category": "LOGIN", "version": 1}
}

func oneItem(w http.ResponseWriter, v StoredVault, id string) {
	if !connectID(w, id, "Item") {
		return
	}
	for _, i := range v.Items {
		if i.ID == id {
			connectAnswer(w, fullItem(v, i))
			return
		}
	}
	connectError(w, http.StatusNotFound, "item "+id+" not found")
}

func fullItem(v StoredVault, i StoredItem) object {
	sections, fields, seen := []object{}, []object{}, map[string]bool{}
	for _, f := range i.Fields {
		field := object{"id": f.ID, "type": "CONCEALED", "label": f.Label, "value": f.Value}
		if f.Section != "" {
			id := strings.ToLower(f.Section)
			field["section"] = object{"id": id}
			if !seen[id] {
				sections = append(sections, object{"id": id, "label": f.Section})
			}
			seen[id] = true
		}
		fields = append(fields, field)
	}
	out := itemObject(v, i)
	out["sections"], out["fields"] = sections, fields
	return out
}
