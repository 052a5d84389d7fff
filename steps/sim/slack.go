package sim

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// Slack's limits, in characters.
const (
	slackMaxBlocks  = 50
	slackMaxSection = 3000
	slackMaxText    = 40_000
)

// slackPost is chat.postMessage: it refuses with status 200, as Slack does.
func (t *Tenant) slackPost(c call) reply {
	if refused := t.slackRefuses(c); refused != "" {
		return slackError(refused)
	}
	if slices.Contains(t.opts.Forbidden, c.op) {
		return jsonReply(http.StatusOK, object{"ok": false, "error": "missing_scope", "needed": "chat:write", "provided": "channels:read"})
	}
	var said struct {
		Channel string `json:"channel"`
	}
	message, ok := t.takeMessage(c)
	if !ok || json.Unmarshal(c.body, &said) != nil {
		return slackError("invalid_json")
	}
	blocks, refused := slackBlocks(c.body)
	switch {
	case said.Channel != t.credentials.SlackChannel:
		return slackError("channel_not_found")
	case refused != "":
		return slackError(refused)
	case message.Text == "" && blocks == "":
		return slackError("no_text")
	case utf8.RuneCountInString(message.Text) > slackMaxText:
		return slackError("msg_too_long")
	}
	message.Text = cmp.Or(blocks, message.Text)
	t.keep(message)
	return jsonReply(http.StatusOK, object{"ok": true, "channel": said.Channel, "ts": fmt.Sprintf("%d.000100", t.opts.Clock().Unix())})
}

// slackAuth is auth.test.
func (t *Tenant) slackAuth(c call) reply {
	if refused := t.slackRefuses(c); refused != "" {
		return slackError(refused)
	}
	scopes := "channels:read,chat:write"
	if slices.Contains(t.opts.Forbidden, OpSlackPost) {
		scopes = "channels:read"
	}
	answer := jsonReply(http.StatusOK, object{"ok": true, "team": "Example", "user": "drawbridge", "url": "https://example.slack.com/"})
	answer.header = map[string]string{"X-OAuth-Scopes": scopes}
	return answer
}

func slackError(code string) reply {
	return jsonReply(http.StatusOK, object{"ok": false, "error": code})
}

// slackRefuses is the error of a call that no method takes; "" for none.
func (t *Tenant) slackRefuses(c call) string {
	kind, _, _ := strings.Cut(c.r.Header.Get("Content-Type"), ";")
	token := bearer(c.r)
	switch {
	case c.r.Method != http.MethodPost || kind != "application/json" || c.r.URL.RawQuery != "":
		return "invalid_post_type"
	case token == "":
		return "not_authed"
	case token != t.credentials.SlackToken:
		return "invalid_auth"
	}
	return ""
}

// slackBlocks is the text of the blocks of a message, and why Slack would refuse
// them.
func slackBlocks(body []byte) (text, refused string) {
	var m struct {
		Blocks []struct {
			Type string `json:"type"`
			Text struct {
				Type string `json:"type"`
				Text string `json:"text"`
			} `json:"text"`
		} `json:"blocks"`
	}
	if json.Unmarshal(body, &m) != nil || len(m.Blocks) > slackMaxBlocks {
		return "", "invalid_blocks"
	}
	var parts []string
	for _, b := range m.Blocks {
		n := utf8.RuneCountInString(b.Text.Text)
		if b.Type != "section" || b.Text.Type != "mrkdwn" && b.Text.Type != "plain_text" || n == 0 || n > slackMaxSection {
			return "", "invalid_blocks" // of others nobody here knows what they need
		}
		parts = append(parts, b.Text.Text)
	}
	return strings.Join(parts, "\n"), ""
}
