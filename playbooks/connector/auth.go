package connector

import (
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

func (r *reader) auth(g given) Auth {
	a, ok := r.nested(g, "auth", "auth")
	if !ok {
		return Auth{}
	}
	if v, given := a["none"]; given && v.value == false {
		r.add(v.node.Errorf("one-of", "`none` can only be true").WithHint("name how requests are authenticated: %s", list(r.constructs["auth"].one)))
	}
	for _, kind := range []AuthKind{AuthBearer, AuthBasic, AuthHeader, AuthOAuth, AuthHMAC} {
		if how, ok := r.nested(a, string(kind), string(kind)); ok {
			return r.authOf(kind, how)
		}
	}
	return Auth{}
}

func (r *reader) authOf(kind AuthKind, g given) Auth {
	out := Auth{Kind: kind, Secret: r.secretNamed(g, "secret")}
	switch kind {
	case AuthBasic:
		out.User = r.secretNamed(g, "user")
	case AuthHeader:
		out.Header, out.Prefix = g.text("name"), g.text("prefix")
		r.authHeader(g["name"])
		r.oneLine(g["prefix"])
	case AuthOAuth:
		r.oauth(g, &out)
	case AuthHMAC:
		r.hmac(g, &out)
	case AuthNone, AuthBearer:
	}
	return out
}

func (r *reader) oauth(g given, out *Auth) {
	out.User = r.secretNamed(g, "client")
	out.Scopes, out.InBody = g.texts("scopes"), g.text("credentials_in") == "body"
	if v, ok := g["token_path"]; ok && v.node.Kind() == yamldoc.Scalar {
		out.TokenPath = r.path(v.node, 0, r.scope())
	} else if ok && v.node.Kind() != yamldoc.Null {
		r.add(v.node.Errorf("type", "`token_path` must be a path, not %s", v.node.Describe()))
	}
}

func (r *reader) hmac(g given, out *Auth) {
	out.Header, out.Prefix = g.text("header"), g.text("prefix")
	out.Algorithm, out.Encoding = g.textOr("algorithm", "sha256"), g.textOr("encoding", "hex")
	out.Sign, out.Timestamp, out.Separator = g.texts("sign"), g.text("timestamp"), "\n"
	if g.has("separator") {
		out.Separator = g.text("separator")
		if v := g["separator"]; v.value == "" {
			r.add(v.node.Errorf("range", "`separator` must not be empty: what is signed would not be told apart"))
		}
	}
	r.authHeader(g["header"])
	r.authHeader(g["timestamp"])
	r.oneLine(g["prefix"])
	v := g["sign"]
	if _, ok := v.value.([]any); ok && !slices.Contains(out.Sign, "body") {
		r.add(v.node.Errorf("range", "the body must be signed: else anybody on the way could change it").WithHint("`sign` names %s, in the order of the service", list(signable())))
	}
	if g.has("timestamp") && !slices.Contains(out.Sign, "timestamp") && v.key != nil {
		r.add(v.key.Errorf("missing-key", "a time that is sent is signed, too").WithHint("add timestamp to `sign`"))
	}
}

// authHeader checks the name of a header that a credential stands in.
func (r *reader) authHeader(v value) {
	if text, ok := v.value.(string); ok && text != "" && r.header(v.node) &&
		slices.Contains([]string{"Host", "Content-Length", "Transfer-Encoding", "Connection"}, text) {
		r.add(v.node.Errorf("header", "a credential cannot stand in the header %s", text))
	}
}

func (r *reader) oneLine(v value) {
	if text, ok := v.value.(string); ok && slices.ContainsFunc([]rune(text), func(c rune) bool { return c < ' ' || c > '~' }) {
		r.add(v.node.Errorf("header", "what stands in a header is one line of plain letters"))
	}
}

// capabilityFields are the fields of the records that the capabilities hand on.
func userFields() []engine.Field {
	return []engine.Field{
		{Name: "id", Type: engine.TypeString(), Doc: "The service's own, unchanging id."},
		{Name: "email", Type: engine.TypeString(), Doc: "The address, by which people are protected."},
		{Name: "name", Type: engine.TypeString(), Doc: "What people read."},
		{Name: "state", Type: engine.EnumOf("active", "suspended"), Doc: "Whether the account can be used."},
		{Name: "created_at", Type: engine.TypeTime(), Doc: "When the account was created."},
	}
}

func groupFields() []engine.Field {
	return []engine.Field{
		{Name: "id", Type: engine.TypeString(), Doc: "The service's own, unchanging id."},
		{Name: "name", Type: engine.TypeString(), Doc: "What people read."},
	}
}

func memberFields() []engine.Field {
	return []engine.Field{
		{Name: "id", Type: engine.TypeString(), Doc: "The id of the user."},
		{Name: "email", Type: engine.TypeString(), Doc: "The address; \"\" where the service does not say it."},
		{Name: "name", Type: engine.TypeString(), Doc: "What people read."},
	}
}
