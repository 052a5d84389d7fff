package sim

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// The limits of the Events API, in bytes and characters.
const (
	pagerDutyMaxSize    = 512 << 10
	pagerDutyMaxSummary = 1024
	pagerDutyMaxKey     = 255
)

type pagerDutyEvent struct {
	RoutingKey string `json:"routing_key"`
	Action     string `json:"event_action"`
	DedupKey   string `json:"dedup_key"`
	Payload    *struct {
		Summary   string `json:"summary"`
		Source    string `json:"source"`
		Severity  string `json:"severity"`
		Component string `json:"component"`
		Group     string `json:"group"`
		Class     string `json:"class"`
		Details   object `json:"custom_details"`
	} `json:"payload"`
	Links     []pagerDutyLink `json:"links"`
	Client    string          `json:"client"`
	ClientURL string          `json:"client_url"`
}

type pagerDutyLink struct {
	Href string `json:"href"`
	Text string `json:"text"`
}

// pagerDuty takes an alert event as the Events API v2 does.
func (t *Tenant) pagerDuty(c call) reply {
	kind, _, _ := strings.Cut(c.r.Header.Get("Content-Type"), ";")
	var event pagerDutyEvent
	switch {
	case c.r.Method != http.MethodPost:
		return plain(http.StatusMethodNotAllowed, "method not allowed")
	case len(c.body) > pagerDutyMaxSize:
		return pagerDutyRefusal(http.StatusRequestEntityTooLarge, "Event object is larger than 512 KB")
	case kind != "application/json" || json.Unmarshal(c.body, &event) != nil:
		return pagerDutyRefusal(http.StatusBadRequest, "Event object is not valid JSON")
	}
	if wrong := event.mistakes(t.credentials.PagerDutyKey); len(wrong) > 0 {
		return pagerDutyRefusal(http.StatusBadRequest, wrong...)
	}
	key := cmp.Or(event.DedupKey, t.word("dedup key "+t.opts.Clock().String()))
	t.keep(Message{Sink: c.op, Text: event.text(), Body: c.body, IdempotencyKey: event.DedupKey, Lost: c.lost()})
	return jsonReply(http.StatusAccepted, object{"status": "success", "message": "Event processed", "dedup_key": key})
}

func pagerDutyRefusal(status int, mistakes ...string) reply {
	return jsonReply(status, object{"status": "invalid event", "message": "Event object is invalid", "errors": mistakes})
}

func (e pagerDutyEvent) mistakes(key string) []string {
	var out []string
	wrong := func(is bool, what string) {
		if is {
			out = append(out, what)
		}
	}
	wrong(e.RoutingKey != key, "Invalid routing key")
	wrong(!slices.Contains([]string{"trigger", "acknowledge", "resolve"}, e.Action), "'event_action' is invalid")
	wrong(utf8.RuneCountInString(e.DedupKey) > pagerDutyMaxKey, "'dedup_key' is too long")
	if e.Action != "trigger" {
		wrong(e.DedupKey == "", "'dedup_key' is missing or blank")
		return out
	}
	if e.Payload == nil {
		return append(out, "'payload' is missing or blank")
	}
	wrong(e.Payload.Summary == "", "'payload.summary' is missing or blank")
	wrong(utf8.RuneCountInString(e.Payload.Summary) > pagerDutyMaxSummary, "'payload.summary' is too long")
	wrong(e.Payload.Source == "", "'payload.source' is missing or blank")
	wrong(!slices.Contains([]string{"critical", "error", "warning", "info"}, e.Payload.Severity), "'payload.severity' is invalid")
	wrong(slices.ContainsFunc(e.Links, func(link pagerDutyLink) bool { return link.Href == "" }), "'links.href' is missing or blank")
	return out
}

// text is what people read of an alert: all of it where the summary is only a
// part; of an event about one that is there, what happens to it.
func (e pagerDutyEvent) text() string {
	if e.Action != "trigger" {
		return e.Action + " " + e.DedupKey
	}
	lines := []string{e.Payload.Summary}
	if whole, ok := e.Payload.Details["text"].(string); ok {
		lines[0] = whole
	}
	for _, link := range e.Links {
		lines = append(lines, link.Text+": "+link.Href)
	}
	return strings.Join(lines, "\n")
}
