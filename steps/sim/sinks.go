package sim

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strings"
)

// slack takes a message as an incoming webhook does: an answer in plain text,
// and a path that is the only credential.
func (t *Tenant) slack(c call) reply {
	if c.r.URL.Path != t.credentials.SlackPath {
		return plain(http.StatusNotFound, "channel_not_found")
	}
	message, ok := t.takeMessage(c)
	if !ok {
		return plain(http.StatusBadRequest, "invalid_payload")
	}
	blocks, refused := slackBlocks(message.Body)
	switch {
	case refused != "":
		return plain(http.StatusBadRequest, refused)
	case message.Text == "" && blocks == "":
		return plain(http.StatusBadRequest, "no_text")
	}
	message.Text = cmp.Or(blocks, message.Text)
	t.keep(message)
	return plain(http.StatusOK, "ok")
}

// webhook takes any JSON object.
func (t *Tenant) webhook(c call) reply {
	if c.r.URL.Path != t.credentials.WebhookPath {
		return plain(http.StatusNotFound, "404 page not found")
	}
	message, ok := t.takeMessage(c)
	if !ok {
		return plain(http.StatusBadRequest, "a JSON object is wanted")
	}
	t.keep(message)
	return reply{status: http.StatusOK, kind: "application/json", body: []byte(`{"received":true}`)}
}

func (t *Tenant) takeMessage(c call) (Message, bool) {
	var fields map[string]json.RawMessage
	var text string
	kind, _, _ := strings.Cut(c.r.Header.Get("Content-Type"), ";")
	if c.r.Method != http.MethodPost || kind != "application/json" || json.Unmarshal(c.body, &fields) != nil || fields == nil {
		return Message{}, false
	}
	if raw, given := fields["text"]; given && json.Unmarshal(raw, &text) != nil {
		return Message{}, false
	}
	return Message{
		Sink: c.op, Text: text, Body: c.body, IdempotencyKey: c.r.Header.Get("Idempotency-Key"), Lost: c.lost(),
	}, true
}

func (t *Tenant) keep(m Message) {
	t.mu.Lock()
	defer t.mu.Unlock()
	m.Seq, m.At = t.log.next(), t.opts.Clock()
	t.log.messages = append(t.log.messages, m)
}
