package slack

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"unicode"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/message"
	"github.com/drawbridge-soar/drawbridge/steps/message/hook"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// perSecond is what Slack takes of one app in one channel, with short bursts.
const (
	perSecond = 1
	atOnce    = 3
)

// bot posts to one channel with the token of an app.
type bot struct {
	post, who *hook.Hook // chat.postMessage and auth.test
	secrets   secret.Resolver
	token     secret.Reference
	channel   string
}

func openBot(o engine.Opening, token secret.Reference, options transport.Options) (*engine.Connection, error) {
	channel, _ := o.Settings["channel"].(string)
	if channel == "" || strings.ContainsFunc(channel, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }) {
		return nil, engine.Fail(engine.ClassInvalid, "channel",
			"connection %q: with a `token`, `channel` says where to post: an id such as C0123456789, which stands at the end of *View channel details*", o.Name)
	}
	configured, _ := o.Settings["base_url"].(string)
	base, err := transport.BaseURL(cmp.Or(configured, defaultBase))
	if err != nil {
		return nil, fmt.Errorf("opening connection %s: %w", o.Name, err)
	}
	b := &bot{secrets: o.Secrets, token: token, channel: channel}
	if b.who, err = hook.New(o, "Slack's auth.test", hook.Address{Plain: base + "/api/auth.test"}, options); err != nil {
		return nil, err
	}
	options.Limit, options.Burst = perSecond, atOnce // unless the configuration says otherwise
	if b.post, err = hook.New(o, "Slack's chat.postMessage", hook.Address{Plain: base + "/api/chat.postMessage"}, options); err != nil {
		return nil, err
	}
	return connection(o, base+" "+channel+" "+hook.Address{Secret: token}.Fingerprint(), b), nil
}

// Send posts the message.
func (b *bot) Send(ctx context.Context, msg message.Message) error {
	header, err := b.header(ctx)
	if err != nil {
		return err
	}
	body := payload(msg)
	body["channel"], body["parse"] = b.channel, "none"
	return b.post.Send(ctx, hook.Post{
		Header: header, Payload: body, Explain: explainAnswer, Secrets: []secret.Reference{b.token},
		Accept: func(r transport.Response) error { _, err := judge(r); return err },
	})
}

func (b *bot) header(ctx context.Context) (http.Header, error) {
	token, err := b.secrets.Resolve(ctx, b.token)
	if err != nil {
		return nil, fmt.Errorf("resolving the token of Slack's bot: %w", err)
	}
	return http.Header{
		"Authorization": {"Bearer " + token.Reveal()},
		"Content-Type":  {"application/json; charset=utf-8"}, // Slack warns without the charset
	}, nil
}

// answer is what every method of Slack's API answers, with status 200 also
// where it refuses.
type answer struct {
	OK     bool   `json:"ok"`
	Error  string `json:"error"`
	Needed string `json:"needed"` // the scope that a missing_scope is about
	Team   string `json:"team"`   // of auth.test
	User   string `json:"user"`   // likewise
}

// judge reads an answer; what is not an "ok" is a failure that says what to do.
func judge(r transport.Response) (answer, error) {
	var a answer
	if err := r.JSON(&a); err != nil {
		return a, engine.Fail(engine.ClassPermanent, "not_accepted", "the answer is not one of Slack's API; is `base_url` right, or a proxy in between?")
	}
	if a.OK {
		return a, nil
	}
	if !isWord(a.Error) {
		return a, engine.Fail(engine.ClassPermanent, "not_accepted", "Slack refused it and did not say why")
	}
	class, advice := meaning(a)
	text := "Slack refused it: " + a.Error
	if advice != "" {
		text += ": " + advice
	}
	return a, engine.Fail(class, a.Error, "%s", text)
}

// explainAnswer reads a refusal that has a status of its own.
func explainAnswer(r transport.Response) transport.Explanation {
	var a answer
	if json.Unmarshal(r.Body, &a) != nil || !isWord(a.Error) || r.Status == http.StatusTooManyRequests || r.Status >= http.StatusInternalServerError {
		return transport.Explanation{} // the status says it
	}
	class, advice := meaning(a)
	return transport.Explanation{Class: class, Code: a.Error, Message: strings.TrimSuffix(a.Error+": "+advice, ": ")}
}

// meaning is what an error of chat.postMessage or auth.test is, and what to do
// about it; errors it does not know are permanent.
func meaning(a answer) (class engine.Class, advice string) {
	switch a.Error {
	case "not_in_channel":
		return engine.ClassPermanent, "invite the app in the channel (/invite @its-name), or grant it the scope chat:write.public for public channels"
	case "channel_not_found":
		return engine.ClassPermanent, "`channel` must be an id of this workspace, such as C0123456789; a private channel is found only once the app was invited (/invite @its-name)"
	case "is_archived":
		return engine.ClassPermanent, "the channel is archived; name another one"
	case "missing_scope":
		return engine.ClassAuth, "add the scope " + scopes(a.Needed) + " under OAuth & Permissions → Bot Token Scopes, and reinstall the app"
	case "invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "not_allowed_token_type":
		return engine.ClassAuth, "the token must be the Bot User OAuth Token (xoxb-…) of an app that is installed: see OAuth & Permissions of the app"
	case "no_permission", "ekm_access_denied", "org_login_required", "team_access_not_granted", "enterprise_is_restricted", "access_denied":
		return engine.ClassAuth, "an administrator of the workspace must allow the app to post"
	case "restricted_action", "restricted_action_read_only_channel", "restricted_action_non_threadable_channel", "restricted_action_thread_locked":
		return engine.ClassPermanent, "the channel's settings keep the app from posting; an administrator of the workspace can change that"
	case "ratelimited", "rate_limited", "message_limit_exceeded":
		return engine.ClassTransient, "too many messages; `rate` of the connection can make them fewer"
	case "internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org":
		return engine.ClassTransient, ""
	default:
		return engine.ClassPermanent, ""
	}
}

// scopes is what an answer names as the missing scope; that of posting where it
// names something else.
func scopes(needed string) string {
	const characters = "abcdefghijklmnopqrstuvwxyz.:_,"
	if needed == "" || len(needed) > 100 || strings.Trim(needed, characters) != "" {
		return "chat:write"
	}
	return needed
}

// Test asks Slack whose token it is and looks at the scopes it has.
func (b *bot) Test(ctx context.Context) ([]engine.Finding, error) {
	header, err := b.header(ctx)
	if err != nil {
		return nil, err
	}
	var whose answer
	var granted []string
	err = b.who.Send(ctx, hook.Post{Header: header, Payload: map[string]any{}, Explain: explainAnswer, Accept: func(r transport.Response) (err error) {
		granted = r.Header.Values("X-Oauth-Scopes")
		whose, err = judge(r)
		return err
	}})
	if err != nil {
		return []engine.Finding{{Subject: "sign in", Detail: engine.AsFailure(err).Message}}, ctx.Err()
	}
	return []engine.Finding{
		{Works: true, Subject: "sign in", Detail: fmt.Sprintf("the token is that of %s in %s", message.Clean(whose.User, 80), message.Clean(whose.Team, 80))},
		mayPost(granted),
	}, nil
}

// mayPost judges the scopes; without them only posting shows.
func mayPost(granted []string) engine.Finding {
	const unseen = "; nothing was posted, so whether the app is in the channel is not known"
	const post = "chat:write"
	for scope := range strings.SplitSeq(strings.Join(granted, ","), ",") {
		if strings.TrimSpace(scope) == post {
			return engine.Finding{Works: true, Subject: "post messages", Detail: "the token has the scope " + post + unseen}
		}
	}
	if len(granted) == 0 {
		return engine.Finding{Works: true, Subject: "post messages", Detail: "Slack did not say which scopes the token has; it needs " + post + unseen}
	}
	return engine.Finding{Subject: "post messages", Detail: "the token has no scope " + post + ": add it under OAuth & Permissions → Bot Token Scopes, and reinstall the app"}
}
