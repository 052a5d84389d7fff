package sim_test

import (
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/steps/sim"
)

func TestSlackSinkAnswersAsSlackDoes(t *testing.T) {
	tenant, server := start(t, sim.Options{})
	for name, tt := range map[string]struct {
		url, kind, body string
		want            int
		says            string
	}{
		"a message":      {server.SlackURL(), jsonType, `{"text":"hello"}`, 200, "ok"},
		"with blocks":    {server.SlackURL(), "Content-Type: application/json; charset=utf-8", `{"text":"hello","blocks":[]}`, 200, "ok"},
		"no JSON":        {server.SlackURL(), jsonType, `text=hello`, 400, "invalid_payload"},
		"a list":         {server.SlackURL(), jsonType, `["hello"]`, 400, "invalid_payload"},
		"null":           {server.SlackURL(), jsonType, `null`, 400, "invalid_payload"},
		"text a number":  {server.SlackURL(), jsonType, `{"text":1}`, 400, "invalid_payload"},
		"no text":        {server.SlackURL(), jsonType, `{"blocks":[]}`, 400, "no_text"},
		"form":           {server.SlackURL(), form, `payload={}`, 400, "invalid_payload"},
		"another's path": {server.URL + "/services/T1/B1/guess", jsonType, `{"text":"hello"}`, 404, "channel_not_found"},
	} {
		t.Run(name, func(t *testing.T) {
			status, body := ask(t, "POST", tt.url, tt.body, tt.kind)
			if status != tt.want || body != tt.says {
				t.Errorf("got %d %q, want %d %q", status, body, tt.want, tt.says)
			}
		})
	}
	if messages := tenant.Messages(); len(messages) != 2 || messages[0].Text != "hello" || messages[0].Sink != sim.OpSlack {
		t.Errorf("kept %+v", messages)
	}
}

func TestWebhookSinkKeepsTheWholeBody(t *testing.T) {
	tenant, server := start(t, sim.Options{})
	status, _ := ask(t, "POST", server.WebhookURL(), `{"text":"a","severity":"high"}`, jsonType, "Idempotency-Key: k1")
	refused, _ := ask(t, "POST", server.WebhookURL(), `[]`, jsonType)
	unknown, _ := ask(t, "POST", server.URL+"/hooks/guess", `{}`, jsonType)
	if status != 200 || refused != 400 || unknown != 404 {
		t.Errorf("answered %d, %d, %d", status, refused, unknown)
	}
	kept := tenant.Messages()
	if len(kept) != 1 || string(kept[0].Body) != `{"text":"a","severity":"high"}` || kept[0].IdempotencyKey != "k1" {
		t.Errorf("kept %+v", kept)
	}
}

func TestLogsHoldNoSecrets(t *testing.T) {
	tenant, server := start(t, sim.Options{})
	ask(t, "POST", server.SlackURL(), `{"text":"a"}`, jsonType)
	ask(t, "POST", server.WebhookURL(), `{"text":"a"}`, jsonType)
	_, log := ask(t, "GET", server.URL+"/_sim/requests", "")
	c := tenant.Credentials()
	for _, secret := range []string{c.SlackPath, c.WebhookPath, c.ClientSecret, c.EventsToken} {
		if strings.Contains(log, secret) {
			t.Errorf("the request log holds %q", secret)
		}
	}
}
