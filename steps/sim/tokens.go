package sim

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

func oauthError(status int, code string) reply {
	return jsonReply(status, object{"error": code})
}

// client checks the client's own credentials, which must stand in the
// Authorization header and nowhere else.
func (t *Tenant) client(c call, allowed ...string) (url.Values, reply, bool) {
	id, secret, ok := c.r.BasicAuth()
	if !ok || id != t.credentials.ClientID || secret != t.credentials.ClientSecret {
		return nil, oauthError(http.StatusUnauthorized, "invalid_client"), false
	}
	kind, _, _ := strings.Cut(c.r.Header.Get("Content-Type"), ";")
	form, err := url.ParseQuery(string(c.body))
	if c.r.Method != http.MethodPost || kind != "application/x-www-form-urlencoded" || err != nil || c.r.URL.RawQuery != "" {
		return nil, oauthError(http.StatusBadRequest, "invalid_request"), false
	}
	for name, given := range form {
		if len(given) != 1 || !strings.Contains(" "+strings.Join(allowed, " ")+" ", " "+name+" ") {
			return nil, oauthError(http.StatusBadRequest, "invalid_request"), false
		}
	}
	return form, reply{}, true
}

func (t *Tenant) issueToken(c call) reply {
	form, refusal, ok := t.client(c, "grant_type", "scope")
	switch {
	case !ok:
		return refusal
	case form.Get("grant_type") != "client_credentials":
		return oauthError(http.StatusBadRequest, "unsupported_grant_type")
	case form.Has("scope") && form.Get("scope") != "openid":
		return oauthError(http.StatusBadRequest, "invalid_scope")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.issued++
	value := wordOf(t.opts.Seed, "access "+strconv.Itoa(t.issued))
	t.tokens[value] = token{version: c.path[0], expires: t.opts.Clock().Add(t.opts.TokenLife)}
	return jsonReply(http.StatusOK, object{
		"access_token": value, "token_type": "Bearer", "expires_in": int(t.opts.TokenLife.Seconds()), "scope": "openid",
	})
}

func (t *Tenant) revokeToken(c call) reply {
	form, refusal, ok := t.client(c, "token")
	if !ok {
		return refusal
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.tokens, form.Get("token"))
	return reply{status: http.StatusOK, kind: "application/json"}
}

// sealToken makes an opaque token that says where a page begins and is good
// for one question only.
func (t *Tenant) sealToken(about string, at int) string {
	position := strconv.Itoa(at)
	seal := wordOf(t.opts.Seed, about+"@"+position)[:10]
	return base64.RawURLEncoding.EncodeToString([]byte(seal + position))
}

// openToken undoes sealToken; "" is the beginning.
func (t *Tenant) openToken(about, sealed string) (at int, ok bool) {
	if sealed == "" {
		return 0, true
	}
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil || len(raw) < 11 {
		return 0, false
	}
	at, err = strconv.Atoi(string(raw[10:]))
	return at, err == nil && t.sealToken(about, at) == sealed
}
