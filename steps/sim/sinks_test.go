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
	ask(t, "POST", server.TeamsURL(), `{}`, jsonType)
	_, log := ask(t, "GET", server.URL+"/_sim/requests", "")
	c := tenant.Credentials()
	workflow, _, _ := strings.Cut(c.TeamsPath, "?")
	for _, secret := range []string{c.SlackPath, c.WebhookPath, c.ClientSecret, c.EventsToken, workflow} {
		if strings.Contains(log, secret) {
			t.Errorf("the request log holds %q", secret)
		}
	}
}

func TestSlackBotAnswersAsSlackDoes(t *testing.T) {
	tenant, server := start(t, sim.Options{})
	c := tenant.Credentials()
	token := "Authorization: Bearer " + c.SlackToken
	post, auth := server.URL+"/api/chat.postMessage", server.URL+"/api/auth.test"
	message := func(rest string) string { return `{"channel":"` + c.SlackChannel + `"` + rest + `}` }
	section := func(n int) string {
		return `{"type":"section","text":{"type":"mrkdwn","text":"` + strings.Repeat("x", n) + `"}}`
	}
	for name, tt := range map[string]struct {
		url, body, says string
		headers         []string
	}{
		"a message":         {post, message(`,"text":"hello"`), `"ok":true`, []string{jsonType, token}},
		"blocks":            {post, message(`,"text":"short","blocks":[` + section(3) + `,` + section(3000) + `]`), `"ok":true`, []string{jsonType, token}},
		"no token":          {post, message(`,"text":"hello"`), "not_authed", []string{jsonType}},
		"another token":     {post, message(`,"text":"hello"`), "invalid_auth", []string{jsonType, "Authorization: Bearer xoxb-guess"}},
		"a form":            {post, "text=hello", "invalid_post_type", []string{form, token}},
		"no JSON":           {post, "hello", "invalid_json", []string{jsonType, token}},
		"another channel":   {post, `{"channel":"C1","text":"hello"}`, "channel_not_found", []string{jsonType, token}},
		"no text":           {post, message(``), "no_text", []string{jsonType, token}},
		"too long":          {post, message(`,"text":"` + strings.Repeat("x", 40_001) + `"`), "msg_too_long", []string{jsonType, token}},
		"too many blocks":   {post, message(`,"text":"x","blocks":[` + strings.Repeat(section(1)+",", 50) + section(1) + `]`), "invalid_blocks", []string{jsonType, token}},
		"a block too long":  {post, message(`,"text":"x","blocks":[` + section(3001) + `]`), "invalid_blocks", []string{jsonType, token}},
		"an empty block":    {post, message(`,"text":"x","blocks":[` + section(0) + `]`), "invalid_blocks", []string{jsonType, token}},
		"an unknown block":  {post, message(`,"text":"x","blocks":[{"type":"video"}]`), "invalid_blocks", []string{jsonType, token}},
		"who":               {auth, `{}`, `"user":"drawbridge"`, []string{jsonType, token}},
		"who without token": {auth, `{}`, "not_authed", []string{jsonType}},
	} {
		t.Run(name, func(t *testing.T) {
			if status, body := ask(t, "POST", tt.url, tt.body, tt.headers...); status != 200 || !strings.Contains(body, tt.says) {
				t.Errorf("got %d %q, want %q", status, body, tt.says)
			}
		})
	}
	if kept := tenant.Messages(); len(kept) != 2 || kept[0].Sink != sim.OpSlackPost {
		t.Errorf("kept %d messages", len(kept))
	}
	limited, other := start(t, sim.Options{Forbidden: []sim.Operation{sim.OpSlackPost}})
	if _, body := ask(t, "POST", other.URL+"/api/chat.postMessage", message(`,"text":"hello"`), jsonType, "Authorization: Bearer "+limited.Credentials().SlackToken); !strings.Contains(body, `"needed":"chat:write"`) {
		t.Errorf("got %q", body)
	}
}

func TestTeamsSinkIsStrict(t *testing.T) {
	tenant, server := start(t, sim.Options{})
	card := func(version, body string) string {
		return `{"type":"message","attachments":[{"contentType":"application/vnd.microsoft.card.adaptive","contentUrl":null,"content":{"type":"AdaptiveCard","version":"` + version + `",` + body + `}}]}`
	}
	const text = `"body":[{"type":"TextBlock","text":"a \\[b\\] c:\\d"}]`
	unsigned, _, _ := strings.Cut(server.TeamsURL(), "&sig=")
	for name, tt := range map[string]struct {
		url, kind, body string
		status          int
		says            string
	}{
		"a card":             {server.TeamsURL(), jsonType, card("1.4", text), 202, ""},
		"with a button":      {server.TeamsURL(), jsonType, card("1.4", text+`,"actions":[{"type":"Action.OpenUrl","title":"Look","url":"https://a.example"}]`), 202, ""},
		"no signature":       {unsigned, jsonType, card("1.4", text), 401, "DirectApiAuthorizationRequired"},
		"another workflow":   {server.URL + "/workflows/guess/triggers/manual/paths/invoke", jsonType, card("1.4", text), 404, "WorkflowNotFound"},
		"no JSON":            {server.TeamsURL(), jsonType, "hello", 400, "InvalidRequestContent"},
		"a form":             {server.TeamsURL(), form, card("1.4", text), 400, "InvalidRequestContent"},
		"bare text":          {server.TeamsURL(), jsonType, `{"text":"hello"}`, 400, "TriggerInputSchemaMismatch"},
		"an unknown version": {server.TeamsURL(), jsonType, card("9", text), 400, "TriggerInputSchemaMismatch"},
		"no body":            {server.TeamsURL(), jsonType, card("1.4", `"body":[]`), 400, "TriggerInputSchemaMismatch"},
		"another element":    {server.TeamsURL(), jsonType, card("1.4", `"body":[{"type":"Input.Text"}]`), 400, "TriggerInputSchemaMismatch"},
		"a button in clear":  {server.TeamsURL(), jsonType, card("1.4", text+`,"actions":[{"type":"Action.OpenUrl","title":"Look","url":"http://a.example"}]`), 400, "TriggerInputSchemaMismatch"},
		"too large":          {server.TeamsURL(), jsonType, card("1.4", `"body":[{"type":"TextBlock","text":"`+strings.Repeat("x", 28<<10)+`"}]`), 413, "RequestEntityTooLarge"},
	} {
		t.Run(name, func(t *testing.T) {
			if status, body := ask(t, "POST", tt.url, tt.body, tt.kind); status != tt.status || !strings.Contains(body, tt.says) {
				t.Errorf("got %d %q, want %d %q", status, body, tt.status, tt.says)
			}
		})
	}
	kept := tenant.Messages()
	if len(kept) != 2 || kept[0].Sink != sim.OpTeams || !strings.HasPrefix(kept[0].Text, `a [b] c:\d`) {
		t.Errorf("kept %+v", kept)
	}
}

func TestPagerDutySinkIsStrict(t *testing.T) {
	tenant, server := start(t, sim.Options{})
	event := func(rest string) string {
		return `{"routing_key":"` + tenant.Credentials().PagerDutyKey + `",` + rest + `}`
	}
	payload := func(summary, severity string) string {
		return `"event_action":"trigger","payload":{"summary":"` + summary + `","source":"x","severity":"` + severity + `"}`
	}
	for name, tt := range map[string]struct {
		kind, body string
		status     int
		says       string
	}{
		"a trigger":        {jsonType, event(payload("hello", "info")), 202, `"dedup_key":`},
		"a resolve":        {jsonType, event(`"event_action":"resolve","dedup_key":"k"`), 202, `"dedup_key":"k"`},
		"another key":      {jsonType, `{"routing_key":"guess",` + payload("hello", "info") + `}`, 400, "Invalid routing key"},
		"another action":   {jsonType, event(`"event_action":"close"`), 400, "event_action"},
		"nothing to close": {jsonType, event(`"event_action":"resolve"`), 400, "dedup_key"},
		"a long key":       {jsonType, event(`"event_action":"resolve","dedup_key":"` + strings.Repeat("k", 256) + `"`), 400, "dedup_key"},
		"no payload":       {jsonType, event(`"event_action":"trigger"`), 400, "payload"},
		"no summary":       {jsonType, event(payload("", "info")), 400, "payload.summary"},
		"a long summary":   {jsonType, event(payload(strings.Repeat("x", 1025), "info")), 400, "payload.summary"},
		"another severity": {jsonType, event(payload("hello", "high")), 400, "payload.severity"},
		"a link nowhere":   {jsonType, event(payload("hello", "info") + `,"links":[{"text":"x"}]`), 400, "links.href"},
		"no JSON":          {jsonType, "hello", 400, "JSON"},
		"a form":           {form, event(payload("hello", "info")), 400, "JSON"},
		"too large":        {jsonType, event(payload("hello", "info") + `,"client":"` + strings.Repeat("x", 512<<10) + `"`), 413, "512 KB"},
	} {
		t.Run(name, func(t *testing.T) {
			if status, body := ask(t, "POST", server.URL+"/v2/enqueue", tt.body, tt.kind); status != tt.status || !strings.Contains(body, tt.says) {
				t.Errorf("got %d %q, want %d %q", status, body, tt.status, tt.says)
			}
		})
	}
	if kept := tenant.Messages(); len(kept) != 2 || kept[0].Sink != sim.OpPagerDuty {
		t.Errorf("kept %+v", kept)
	}
	if status, _ := ask(t, "POST", server.URL+"/v2/change/enqueue", "{}", jsonType); status != 404 {
		t.Errorf("change events got %d", status)
	}
}
