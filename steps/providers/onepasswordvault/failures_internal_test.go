package onepasswordvault

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/1password/onepassword-sdk-go"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
	"github.com/drawbridge-soar/drawbridge/steps/vault"
)

func TestWhatTheSDKSays(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err   error
		class engine.Class
		code  string
	}{
		{&onepassword.RateLimitExceededError{}, engine.ClassTransient, transport.CodeRateLimited},
		{errors.New("rate limit exceeded"), engine.ClassTransient, transport.CodeRateLimited},
		{errors.New("authentication error: you are not authenticated"), engine.ClassAuth, transport.CodeUnauthorized},
		{errors.New("you don't have the right permissions to access this resource"), engine.ClassAuth, CodeForbidden},
		{errors.New("internal server error"), engine.ClassTransient, "http_500"},
		{errors.New("HTTP request to 'https://127.0.0.1:1/api/v3/auth/start?' is not allowed"), engine.ClassPermanent, CodeToken},
		{errors.New("dial tcp: lookup my.1password.com: no such host"), engine.ClassTransient, transport.CodeUnreachable},
		{fmt.Errorf("calling: %w", context.DeadlineExceeded), engine.ClassTimeout, "deadline"},
		{errors.New("something\nnew"), engine.ClassPermanent, CodeSDK},
	} {
		f := engine.AsFailure(failure(tt.err))
		if f.Class != tt.class || f.Code != tt.code || strings.Contains(f.Message, "\n") {
			t.Errorf("%q: got %s %s: %s", tt.err, f.Class, f.Code, f.Message)
		}
	}
}

func TestATokenIsNotRepeated(t *testing.T) {
	t.Parallel()
	token := secret.New("ops_the-token")
	for _, text := range []string{
		"error initializing client: invalid service account token ops_the-token, please create another token",
		"error initializing client: something about ops_the-token",
	} {
		f := engine.AsFailure(signInFailure(errors.New(text), token))
		if f.Class != engine.ClassAuth || f.Code != CodeToken || strings.Contains(f.Message, "ops_the-token") {
			t.Errorf("%q: got %v", text, f)
		}
	}
}

func TestWhyAReferenceLeadsNowhere(t *testing.T) {
	t.Parallel()
	for why, code := range map[onepassword.ResolveReferenceErrorTypes]string{
		onepassword.ResolveReferenceErrorTypeVariantVaultNotFound:         vault.CodeVault,
		onepassword.ResolveReferenceErrorTypeVariantItemNotFound:          vault.CodeItem,
		onepassword.ResolveReferenceErrorTypeVariantFieldNotFound:         vault.CodeField,
		onepassword.ResolveReferenceErrorTypeVariantNoMatchingSections:    vault.CodeField,
		onepassword.ResolveReferenceErrorTypeVariantTooManyVaults:         vault.CodeAmbiguous,
		onepassword.ResolveReferenceErrorTypeVariantTooManyItems:          vault.CodeAmbiguous,
		onepassword.ResolveReferenceErrorTypeVariantTooManyMatchingFields: vault.CodeAmbiguous,
		onepassword.ResolveReferenceErrorTypeVariantParsing:               "reference",
		"somethingNew": CodeSDK,
	} {
		if f := engine.AsFailure(unresolved(why)); f.Code != code {
			t.Errorf("%s: got %s %s", why, f.Class, f.Code)
		}
	}
}

func TestSharesThatMayBeMade(t *testing.T) {
	t.Parallel()
	for text, class := range map[string]engine.Class{
		"internal server error":                engine.ClassUnsettled,
		"error sending request":                engine.ClassUnsettled,
		"something new":                        engine.ClassUnsettled,
		"rate limit exceeded":                  engine.ClassTransient,
		"you are not authenticated":            engine.ClassAuth,
		"you don't have the right permissions": engine.ClassAuth,
	} {
		if f := engine.AsFailure(mayBeShared(failure(errors.New(text)))); f.Class != class {
			t.Errorf("%q: got %v", text, f)
		}
	}
}

func TestPoliciesAndDurations(t *testing.T) {
	t.Parallel()
	views := uint32(3)
	got, err := policyOf(onepassword.ItemShareAccountPolicy{
		MaxExpiry: onepassword.ItemShareDurationFourteenDays, MaxViews: &views,
		AllowedTypes:          []onepassword.AllowedType{onepassword.AllowedTypeAuthenticated},
		AllowedRecipientTypes: []onepassword.AllowedRecipientType{onepassword.AllowedRecipientTypeEmail},
	})
	if want := (vault.Policy{Longest: 14 * 24 * time.Hour, MaxViews: 3, Named: true, Emails: true}); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := policyOf(onepassword.ItemShareAccountPolicy{MaxExpiry: "SixWeeks"}); err == nil {
		t.Error("a duration that is not known was taken for one")
	}
	if len(durationNames()) != len(vault.Durations()) {
		t.Error("not every duration has a name")
	}
	if name, err := durationName(7 * 24 * time.Hour); err != nil || name != onepassword.ItemShareDurationSevenDays {
		t.Errorf("7d is %s, %v", name, err)
	}
	if _, err := durationName(2 * time.Hour); err == nil {
		t.Error("a share lasts 2h")
	}
}
