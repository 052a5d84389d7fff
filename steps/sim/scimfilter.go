package sim

import (
	"encoding/json"
	"slices"
	"strings"
)

// scimFilter is the part of SCIM's filters (RFC 7644, 3.4.2.2) the service
// understands: comparisons with eq, joined by `or`.
type scimFilter []scimComparison

// scimComparison compares an attribute, in lower case, with a string or a bool.
type scimComparison struct {
	attribute string
	value     any
}

// parseSCIMFilter reads a filter; names and operators may be in any case.
func parseSCIMFilter(text string) (scimFilter, bool) {
	var filter scimFilter
	for {
		attribute, rest, ok := strings.Cut(strings.TrimLeft(text, " "), " ")
		if !ok || !slices.Contains([]string{"username", "emails.value", "id", "active", "displayname"}, strings.ToLower(attribute)) {
			return nil, false
		}
		operator, rest, ok := strings.Cut(strings.TrimLeft(rest, " "), " ")
		if !ok || !strings.EqualFold(operator, "eq") {
			return nil, false
		}
		value, rest, ok := cutSCIMValue(rest)
		if !ok {
			return nil, false
		}
		filter = append(filter, scimComparison{strings.ToLower(attribute), value})
		if rest == "" {
			return filter, true
		}
		joint, more, ok := strings.Cut(strings.TrimLeft(rest, " "), " ")
		if !ok || !strings.EqualFold(joint, "or") {
			return nil, false
		}
		text = more
	}
}

// cutSCIMValue takes a JSON string or bool off the front.
func cutSCIMValue(text string) (value any, rest string, ok bool) {
	dec := json.NewDecoder(strings.NewReader(text))
	if dec.Decode(&value) != nil {
		return nil, "", false
	}
	switch value.(type) {
	case string, bool:
		return value, text[dec.InputOffset():], true
	}
	return nil, "", false
}

func (f scimFilter) matches(resource object) bool {
	for _, c := range f {
		if c.matches(resource) {
			return true
		}
	}
	return false
}

func (c scimComparison) matches(resource object) bool {
	word, _ := c.value.(string)
	switch c.attribute {
	case "id":
		return resource["id"] == c.value
	case "active":
		return resource["active"] == c.value
	case "username":
		name, ok := resource["userName"].(string)
		return ok && strings.EqualFold(name, word)
	case "displayname":
		name, ok := resource["displayName"].(string)
		return ok && strings.EqualFold(name, word)
	}
	emails, _ := resource["emails"].([]object)
	for _, e := range emails {
		if address, ok := e["value"].(string); ok && strings.EqualFold(address, word) {
			return true
		}
	}
	return false
}
