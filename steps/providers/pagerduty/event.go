package pagerduty

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/message"
)

// The limits of the Events API, in characters and in bytes.
const (
	maxSummary = 1024
	maxField   = 255 // of dedup_key; and ours of source, component, group and class, which are names
	maxEvent   = 512 << 10
)

// What an event does to the alert of its key.
const (
	trigger     = "trigger"
	acknowledge = "acknowledge"
	resolve     = "resolve"
)

func severities() []string { return []string{"critical", "error", "warning", "info"} }

// defaults hold for messages that do not say it.
type defaults struct{ severity, source string }

// eventOf is the event of a message, without the routing key.
func eventOf(msg message.Message, d defaults) (map[string]any, error) {
	f := fields{rest: message.CleanFields(msg.Fields)}
	action := f.oneOf("event", trigger, trigger, acknowledge, resolve)
	key := f.text("dedup_key", "")
	severity := f.oneOf("severity", cmp.Or(d.severity, defaultSeverity), severities()...)
	payload := map[string]any{"severity": severity, "source": f.text("source", cmp.Or(d.source, defaultSource))}
	for _, name := range []string{"component", "group", "class"} {
		if value := f.text(name, ""); value != "" {
			payload[name] = value
		}
	}
	if f.err != nil {
		return nil, f.err
	}
	event := map[string]any{"event_action": action}
	if key != "" {
		event["dedup_key"] = key
	}
	if action != trigger {
		if key == "" {
			return nil, engine.Fail(engine.ClassInvalid, "dedup_key", "to %s an alert, the field `dedup_key` must be the one it was opened with", action)
		}
		return event, nil
	}
	if key == "" && msg.Key != "" {
		event["dedup_key"] = keyOf(msg.Key)
	}
	summarize(payload, f.rest, message.Render(msg.Text, func(foreign string) string { return foreign }))
	event["payload"] = payload
	event["client"] = "Drawbridge"
	if link := msg.Link; link.URL != "" {
		event["client_url"] = link.URL
		event["links"] = []any{map[string]any{"href": link.URL, "text": message.Clean(link.Title, maxField)}}
	}
	return event, nil
}

// keyOf is a message's key as a dedup key: the same for every attempt.
func keyOf(key string) string {
	if clean := message.Clean(key, 0); clean == key && utf8.RuneCountInString(key) <= maxField {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// summarize puts the text into a payload: its first line, and all of it among
// the details where that is not everything.
func summarize(payload, details map[string]any, text string) {
	first, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	summary := message.Clean(first, maxSummary)
	payload["summary"] = summary
	if summary != strings.TrimSpace(text) {
		details["text"] = text
	}
	if len(details) > 0 {
		payload["custom_details"] = details
	}
}

// fitting is the event, without its details where they make it too large.
func fitting(event map[string]any) (map[string]any, error) {
	encoded, err := engine.EncodeJSON(event)
	if err != nil {
		return nil, fmt.Errorf("encoding an event: %w", err)
	}
	payload, detailed := event["payload"].(map[string]any)
	if len(encoded) <= maxEvent || !detailed {
		return event, nil
	}
	payload["custom_details"] = map[string]any{
		"shortened": fmt.Sprintf("the details are left out, because with them the event has %d bytes and PagerDuty takes %d", len(encoded), maxEvent),
	}
	return event, nil
}

// fields takes those that mean something to PagerDuty out of a message's
// fields. It keeps the first mistake.
type fields struct {
	rest map[string]any
	err  error
}

// text is a field that must be text of at most maxField characters; what is
// otherwise where it is absent.
func (f *fields) text(name, otherwise string) string {
	value, given := f.rest[name]
	delete(f.rest, name)
	if !given || value == nil {
		return otherwise
	}
	text, isText := value.(string)
	switch {
	case !isText:
		f.wrong(name, "must be text, not %v", value)
	case strings.TrimSpace(text) == "":
		f.wrong(name, "must not be empty; leave it out instead")
	case utf8.RuneCountInString(text) > maxField:
		f.wrong(name, "has %d characters and at most %d are possible", utf8.RuneCountInString(text), maxField)
	}
	return text
}

// oneOf is a field that must be one of these words.
func (f *fields) oneOf(name, otherwise string, words ...string) string {
	word := f.text(name, otherwise)
	if !slices.Contains(words, word) {
		f.wrong(name, "must be %s or %s, not %q", strings.Join(words[:len(words)-1], ", "), words[len(words)-1], word)
	}
	return word
}

func (f *fields) wrong(name, format string, args ...any) {
	if f.err == nil {
		f.err = engine.Fail(engine.ClassInvalid, name, "the field `%s` of a message to PagerDuty %s", name, fmt.Sprintf(format, args...))
	}
}
