package sim

import (
	"strings"
	"time"
)

// object is one JSON object.
type object = map[string]any

// uuidOf is the id of a record, the same whenever it is delivered.
func (t *Tenant) uuidOf(kind string, at time.Time, who string) string {
	return idOf(t.opts.Seed, hashOf(uint64(at.UnixNano()), kind+who))
}

func (t *Tenant) signInRecord(s signIn) object {
	who := object{"email": s.email, "name": ""}
	if s.user != nobody {
		person := t.people.person(s.user)
		who = object{"uuid": person.ID, "name": person.Name, "email": person.Email}
	}
	record := object{
		"uuid": t.uuidOf("signin "+s.category, s.at, s.email+who["email"].(string)), "session_uuid": t.uuidOf("session", s.at, s.email),
		"timestamp": s.at.Format(time.RFC3339Nano), "country": s.from.place.country,
		"category": s.category, "type": s.kind, "details": nil, "account_uuid": t.people.account,
		"target_user": who, "client": client(s.from), "location": location(s.from.place),
	}
	if s.kind == "country_blocked" {
		record["details"] = object{"value": s.from.place.country}
	}
	return record
}

func (t *Tenant) usageRecord(u usage) object {
	person := t.people.person(u.user)
	return object{
		"uuid": t.uuidOf("usage "+u.action, u.at, person.ID), "timestamp": u.at.Format(time.RFC3339Nano),
		"used_version": 1, "vault_uuid": strings.ToLower(idOf(t.opts.Seed, 71)), "item_uuid": strings.ToLower(idOf(t.opts.Seed, uint64(u.user)+9000)),
		"account_uuid": t.people.account, "action": u.action,
		"user":   object{"uuid": person.ID, "name": person.Name, "email": person.Email},
		"client": client(u.from), "location": location(u.from.place),
	}
}

func (t *Tenant) auditRecord(a audit) object {
	actor := object{"uuid": t.people.account, "name": "Drawbridge", "email": ""} // an integration acts for the account
	if a.actor != nobody {
		person := t.people.person(a.actor)
		actor = object{"uuid": person.ID, "name": person.Name, "email": person.Email}
	}
	subject, aux := strings.ToLower(idOf(t.opts.Seed, hashOf(t.opts.Seed, a.object))), ""
	if a.whom != nobody {
		subject, aux = t.people.person(a.whom).ID, ""
	}
	if a.object == "gm" || a.object == "uva" {
		aux = actor["uuid"].(string)
	}
	record := object{
		"uuid": t.uuidOf("audit "+a.action+a.object, a.at, actor["uuid"].(string)+subject), "timestamp": a.at.Format(time.RFC3339Nano),
		"actor_uuid": actor["uuid"], "actor_details": actor, "action": a.action, "object_type": a.object, "object_uuid": subject,
		"aux_id": 0, "aux_uuid": aux, "aux_info": "", "account_uuid": t.people.account, "actor_account_uuid": t.people.account,
		"session": object{"uuid": t.uuidOf("session", a.at, subject), "login_time": a.at.Add(-time.Hour), "device_uuid": strings.ToLower(idOf(t.opts.Seed, 77)), "ip": a.from.ip},
	}
	if a.from.place.country != "" {
		record["location"] = location(a.from.place)
	}
	return record
}

// client omits what the service sometimes does not know.
func client(from origin) object {
	return object{
		"app_name": "1Password Browser Extension", "app_version": "81105036", "platform_name": "Chrome",
		"platform_version": "141", "os_name": "Linux", "os_version": "6", "ip_address": from.ip,
	}
}

func location(p place) object {
	return object{"country": p.country, "region": p.region, "city": p.city, "latitude": p.lat, "longitude": p.lon}
}
