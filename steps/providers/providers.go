// Package providers lists the services this binary can reach.
package providers

import (
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/providers/email"
	"github.com/drawbridge-soar/drawbridge/steps/providers/httpapi"
	"github.com/drawbridge-soar/drawbridge/steps/providers/onepassword"
	"github.com/drawbridge-soar/drawbridge/steps/providers/onepasswordconnect"
	"github.com/drawbridge-soar/drawbridge/steps/providers/onepasswordevents"
	"github.com/drawbridge-soar/drawbridge/steps/providers/onepasswordvault"
	"github.com/drawbridge-soar/drawbridge/steps/providers/pagerduty"
	"github.com/drawbridge-soar/drawbridge/steps/providers/scim"
	"github.com/drawbridge-soar/drawbridge/steps/providers/slack"
	"github.com/drawbridge-soar/drawbridge/steps/providers/teams"
	"github.com/drawbridge-soar/drawbridge/steps/providers/terminal"
	"github.com/drawbridge-soar/drawbridge/steps/providers/webhook"
)

// All is every provider, sorted by name. A new provider is one line here.
func All() []engine.Provider {
	return []engine.Provider{
		email.Provider(),
		httpapi.Provider(),
		onepassword.Provider(),
		onepasswordconnect.Provider(),
		onepasswordevents.Provider(),
		onepasswordvault.Provider(),
		pagerduty.Provider(),
		scim.Provider(),
		slack.Provider(),
		teams.Provider(),
		terminal.Provider(),
		webhook.Provider(),
	}
}
