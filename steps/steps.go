// Package steps lists the actions this binary knows.
package steps

import (
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
	"github.com/drawbridge-soar/drawbridge/steps/message"
	"github.com/drawbridge-soar/drawbridge/steps/vault"
	"github.com/drawbridge-soar/drawbridge/steps/web"
)

// All is every action, sorted by name. A new action is one line here.
func All() []engine.Action {
	return []engine.Action{
		identity.EventAcknowledge{},
		identity.EventList{},
		identity.GroupAddMember{},
		identity.GroupGet{},
		identity.GroupList{},
		identity.GroupRemoveMember{},
		web.Request{},
		web.Send{},
		message.Send{},
		vault.SecretRead{},
		vault.SecretShare{},
		identity.SessionRevoke{},
		identity.SignInList{},
		identity.UserFindDormant{},
		identity.UserFindSuspicious{},
		identity.UserGet{},
		identity.UserList{},
		identity.UserReactivate{},
		identity.UserSuspend{},
	}
}
