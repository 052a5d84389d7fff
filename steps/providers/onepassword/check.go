package onepassword

import (
	"context"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// Test fetches a token and lists one user. Suspending cannot be tried without
// doing it, and is not.
func (d *directory) Test(ctx context.Context) ([]engine.Finding, error) {
	if _, err := d.tokens.credential(ctx, ""); err != nil {
		return []engine.Finding{{Subject: "sign in", Detail: adviseSignIn(err)}}, ctx.Err()
	}
	findings := []engine.Finding{{Works: true, Subject: "sign in", Detail: "got an access token"}}
	page, err := d.page(ctx, "", "", 1)
	if err != nil {
		return append(findings, engine.Finding{Subject: "list users", Detail: adviseList(err)}), ctx.Err()
	}
	if len(page.Items) == 0 {
		return append(findings, engine.Finding{Subject: "list users", Detail: "the account has no users; is `account` right?"}), nil
	}
	return append(findings, engine.Finding{
		Works: true, Subject: "list users",
		Detail: "listed one; whether the application was granted *Suspend users* and *Reactivate users* shows only when it does so",
	}), nil
}

func adviseSignIn(err error) string {
	f := engine.AsFailure(err)
	if f.Class == engine.ClassAuth {
		return f.Message + ". Create an application in 1Password under Integrations → OAuth Applications and give its client_id and client_secret"
	}
	return f.Message
}

func adviseList(err error) string {
	f := engine.AsFailure(err)
	switch {
	case f.Code == transport.CodeUnauthorized:
		return f.Message + ". The token was not accepted: is `api` the version the application was made for?"
	case f.Class == engine.ClassAuth:
		return f.Message + ". Grant the application *List users* in 1Password under Integrations → OAuth Applications." +
			" An account that uses automated provisioning cannot be reached through the Users API: use the provider scim for it"
	case f.Class == engine.ClassNotFound:
		return f.Message + ". Is `account` right, and does the account live in this region?"
	default:
		return f.Message
	}
}
