package onepasswordvault

import (
	"context"
	"errors"
	"strings"

	"github.com/1password/onepassword-sdk-go"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
	"github.com/drawbridge-soar/drawbridge/steps/vault"
)

// Codes of this provider's failures, beside those of package vault.
const (
	CodeToken     = "token"     // the service account's token is none
	CodeForbidden = "forbidden" // the service account may not do that
	CodeSDK       = "sdk"       // the SDK says something that is not known

	codeRateLimited = transport.CodeRateLimited
)

// said is what a part of an error's text means. The SDK's errors are texts,
// but for two types.
type said struct {
	part    string // in lower case
	class   engine.Class
	code    string
	message string
}

// sayings are looked through in order.
func sayings() []said {
	return []said{
		{"rate limit exceeded", engine.ClassTransient, codeRateLimited, "1Password asks not to be called so often: a service account has a number of reads and writes an hour, and an account one a day"},
		{"you are not authenticated", engine.ClassAuth, transport.CodeUnauthorized, "the service account's token was not accepted: it may have expired, or have been revoked"},
		{"authentication error", engine.ClassAuth, transport.CodeUnauthorized, "the service account's token was not accepted: it may have expired, or have been revoked"},
		{"right permissions", engine.ClassAuth, CodeForbidden, "the service account may not do that"},
		{"permission", engine.ClassAuth, CodeForbidden, "the service account may not do that"},
		{"internal server error", engine.ClassTransient, "http_500", "1Password had an internal error"},
		{"is not allowed", engine.ClassPermanent, CodeToken, "the token leads to a host that is none of 1Password's"},
		{"error sending request", engine.ClassTransient, transport.CodeUnreachable, "1Password cannot be reached"},
		{"no such host", engine.ClassTransient, transport.CodeUnreachable, "1Password cannot be reached: its name is not known"},
		{"connection refused", engine.ClassTransient, transport.CodeUnreachable, "1Password cannot be reached"},
		{"connection reset", engine.ClassTransient, transport.CodeUnreachable, "the connection to 1Password broke"},
		{"timeout", engine.ClassTransient, transport.CodeTimeout, "1Password did not answer in time"},
		{"certificate", engine.ClassPermanent, "tls", "the certificate of 1Password, or of a proxy in between, is not trusted"},
		{"item not found", engine.ClassNotFound, vault.CodeItem, "there is no such item"},
		{"vault not found", engine.ClassNotFound, vault.CodeVault, "there is no such vault, or the service account does not see it"},
	}
}

// failure classifies what the SDK says.
func failure(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return engine.AsFailure(err)
	}
	text := err.Error()
	if limited := (*onepassword.RateLimitExceededError)(nil); errors.As(err, &limited) {
		text = "rate limit exceeded"
	}
	for _, s := range sayings() {
		if strings.Contains(strings.ToLower(text), s.part) {
			return engine.Fail(s.class, s.code, "%s", s.message)
		}
	}
	return engine.Fail(engine.ClassPermanent, CodeSDK, "1Password's SDK says: %s", clip(text))
}

// signInFailure classifies why no client could be made. The text is not
// repeated where the token may stand in it.
func signInFailure(err error, token secret.Value) error {
	text := strings.ToLower(err.Error())
	switch {
	case strings.Contains(text, "service account") && !strings.Contains(text, "rate limit"):
		return engine.Fail(engine.ClassAuth, CodeToken, "the token is not that of a service account: it begins with ops_ and is shown once, when the service account is made")
	case strings.Contains(err.Error(), token.Reveal()):
		return engine.Fail(engine.ClassAuth, CodeToken, "the service account's token could not be used")
	}
	return failure(err)
}

// unresolved classifies why a reference leads nowhere.
func unresolved(why onepassword.ResolveReferenceErrorTypes) error {
	switch why {
	case onepassword.ResolveReferenceErrorTypeVariantVaultNotFound:
		return engine.Fail(engine.ClassNotFound, vault.CodeVault, "there is no such vault, or the service account does not see it")
	case onepassword.ResolveReferenceErrorTypeVariantItemNotFound:
		return engine.Fail(engine.ClassNotFound, vault.CodeItem, "there is no such item in the vault")
	case onepassword.ResolveReferenceErrorTypeVariantFieldNotFound, onepassword.ResolveReferenceErrorTypeVariantNoMatchingSections:
		return engine.Fail(engine.ClassNotFound, vault.CodeField, "the item has no such field")
	case onepassword.ResolveReferenceErrorTypeVariantTooManyVaults, onepassword.ResolveReferenceErrorTypeVariantTooManyItems,
		onepassword.ResolveReferenceErrorTypeVariantTooManyMatchingFields:
		return engine.Fail(engine.ClassInvalid, vault.CodeAmbiguous, "several have the name: use the id, or the section")
	case onepassword.ResolveReferenceErrorTypeVariantParsing:
		return engine.Fail(engine.ClassInvalid, "reference", "1Password cannot read the reference: use ids where names have unusual characters")
	default:
		return engine.Fail(engine.ClassPermanent, CodeSDK, "1Password cannot give the field: %s", clip(string(why)))
	}
}

// clip is foreign text short enough for a message.
func clip(s string) string {
	const most = 200
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
