package onepassword

import (
	"context"
	"errors"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

const (
	// applications is where rights are granted.
	applications = "in 1Password under Integrations → OAuth Applications"
	// nobody is an id that no user can have: the service's consist of A to Z and
	// 2 to 7. Asking for it changes nothing, whatever may be done.
	nobody = "00000000000000000000000000"
	// goToSCIM is for accounts that the Users API does not serve.
	goToSCIM = "use a connection with `provider: scim` for it; the same playbooks run on it"
)

// Test fetches a token, lists one user, reads that one, and asks to suspend and
// to reactivate an id that nobody can have: whether the answer is about the user
// or about the right tells whether the application was granted it. It changes
// nothing.
func (d *directory) Test(ctx context.Context) ([]engine.Finding, error) {
	if _, err := d.tokens.credential(ctx, ""); err != nil {
		return []engine.Finding{{Subject: "credentials", Detail: adviseSignIn(err)}}, ctx.Err()
	}
	findings := []engine.Finding{{Works: true, Subject: "credentials", Detail: "client_id and client_secret got an access token"}}
	page, err := d.page(ctx, "", "", 1)
	if f := engine.AsFailure(err); f != nil && f.Code == CodeProvisioned {
		return append(findings, engine.Finding{Subject: "account", Detail: f.Message}), ctx.Err()
	}
	findings = append(findings, listed(len(page.Items), err))
	if err != nil && !lacksRight(err) {
		return findings, ctx.Err() // the other calls would fail for the same reason
	}
	someone := nobody
	if len(page.Items) > 0 {
		someone = page.Items[0].ID
	}
	_, got := d.User(ctx, someone)
	_, suspended := d.Suspend(ctx, nobody)
	_, reactivated := d.Reactivate(ctx, nobody)
	findings = append(findings,
		granted("get a user", "Get user", got), granted("suspend users", "Suspend users", suspended),
		granted("reactivate users", "Reactivate users", reactivated))
	if lacksRight(err) && lacksRight(got) && lacksRight(suspended) && lacksRight(reactivated) {
		findings = append(findings, engine.Finding{Subject: "account", Detail: "every call is refused. Where the application has its rights and this stays so, " +
			"the account is under automated provisioning, where the Users API does not work: " + goToSCIM})
	}
	return findings, ctx.Err()
}

// lacksRight reports whether a call was refused although its token was accepted.
func lacksRight(err error) bool {
	f := engine.AsFailure(err)
	return f != nil && f.Code == "http_403"
}

func adviseSignIn(err error) string {
	f := engine.AsFailure(err)
	if f.Class == engine.ClassAuth {
		return f.Message + ". Create an application " + applications + " and give its client_id and client_secret"
	}
	return f.Message
}

// listed is the finding of listing one user.
func listed(users int, err error) engine.Finding {
	f := engine.AsFailure(err)
	finding := engine.Finding{Subject: "list users"}
	switch {
	case f == nil && users == 0:
		finding.Detail = "the account has no users; is `account` right?"
	case f == nil:
		finding.Works, finding.Detail = true, "listed one"
	case f.Code == transport.CodeUnauthorized:
		finding.Detail = f.Message + ". The token was not accepted: is `api` the version the application was made for?"
	case lacksRight(err):
		finding.Detail = f.Message + ". Grant the application *List users* " + applications
	case f.Class == engine.ClassNotFound:
		finding.Detail = f.Message + ". Is `account` right, and does the account live in this region?"
	default:
		finding.Detail = f.Message
	}
	return finding
}

// granted is the finding of a call that could only fail for the user it was
// about, unless it may not be made at all.
func granted(subject, right string, err error) engine.Finding {
	f := engine.AsFailure(err)
	var aboutUser bool
	if f != nil {
		aboutUser = f.Class == engine.ClassNotFound || f.Code == "http_400" || errors.Is(err, &engine.Failure{Class: engine.ClassInvalid})
	}
	switch {
	case f == nil:
		return engine.Finding{Works: true, Subject: subject, Detail: "works"}
	case aboutUser:
		return engine.Finding{Works: true, Subject: subject, Detail: "may be done: asked about an id nobody has, the service said so"}
	case lacksRight(err):
		return engine.Finding{Subject: subject, Detail: f.Message + ". Grant the application *" + right + "* " + applications}
	default:
		return engine.Finding{Subject: subject, Detail: f.Message}
	}
}
