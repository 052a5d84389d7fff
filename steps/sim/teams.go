package sim

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// teamsMaxSize is how large a card may be, with what it is wrapped in.
const teamsMaxSize = 28 << 10

// teamsCard is what a message may have: the simulator knows no other element.
type teamsCard struct {
	Type        string `json:"type"`
	Attachments []struct {
		ContentType string `json:"contentType"`
		Content     struct {
			Type    string `json:"type"`
			Version string `json:"version"`
			Body    []struct {
				Type string  `json:"type"`
				Text *string `json:"text"`
			} `json:"body"`
			Actions []struct {
				Type  string `json:"type"`
				Title string `json:"title"`
				URL   string `json:"url"`
			} `json:"actions"`
		} `json:"content"`
	} `json:"attachments"`
}

// teams takes a message as a workflow does. It says at once what is wrong with a
// card, which a real one says only in its run history.
func (t *Tenant) teams(c call) reply {
	workflow, _, _ := strings.Cut(t.credentials.TeamsPath, "?")
	kind, _, _ := strings.Cut(c.r.Header.Get("Content-Type"), ";")
	var card teamsCard
	switch {
	case c.r.URL.Path != workflow:
		return teamsError(http.StatusNotFound, "WorkflowNotFound")
	case c.r.URL.RequestURI() != t.credentials.TeamsPath:
		return teamsError(http.StatusUnauthorized, "DirectApiAuthorizationRequired")
	case c.r.Method != http.MethodPost || kind != "application/json" || json.Unmarshal(c.body, &card) != nil:
		return teamsError(http.StatusBadRequest, "InvalidRequestContent")
	case len(c.body) > teamsMaxSize:
		return teamsError(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge")
	case !card.sound():
		return teamsError(http.StatusBadRequest, "TriggerInputSchemaMismatch")
	}
	t.keep(Message{Sink: c.op, Text: card.text(), Body: c.body, IdempotencyKey: c.r.Header.Get("Idempotency-Key"), Lost: c.lost()})
	return reply{status: http.StatusAccepted}
}

func teamsError(status int, code string) reply {
	return jsonReply(status, object{"error": object{"code": code, "message": "The request is invalid."}})
}

func (m teamsCard) sound() bool {
	if m.Type != "message" || len(m.Attachments) != 1 || m.Attachments[0].ContentType != "application/vnd.microsoft.card.adaptive" {
		return false
	}
	card := m.Attachments[0].Content
	versions := []string{"1.0", "1.1", "1.2", "1.3", "1.4", "1.5"}
	if card.Type != "AdaptiveCard" || !slices.Contains(versions, card.Version) || len(card.Body) == 0 {
		return false
	}
	for _, element := range card.Body {
		if element.Type != "TextBlock" || element.Text == nil {
			return false
		}
	}
	for _, action := range card.Actions {
		if action.Type != "Action.OpenUrl" || action.Title == "" || !strings.HasPrefix(action.URL, "https://") {
			return false
		}
	}
	return true
}

// text is what people read: the lines without the signs that escape them, and
// where the buttons lead.
func (m teamsCard) text() string {
	var lines []string
	for _, element := range m.Attachments[0].Content.Body {
		lines = append(lines, unescaped(*element.Text))
	}
	for _, action := range m.Attachments[0].Content.Actions {
		lines = append(lines, "["+action.Title+"]("+action.URL+")")
	}
	return strings.Join(lines, "\n")
}

// unescaped is Markdown without the backslashes before punctuation.
func unescaped(s string) string {
	const punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && strings.IndexByte(punctuation, s[i+1]) >= 0 {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
