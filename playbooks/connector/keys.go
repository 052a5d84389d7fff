package connector

import (
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// shape is how the value of a key is written.
type shape uint8

const (
	literal      shape = iota // by its type
	nested                    // another construct
	named                     // named ones of another construct
	declared                  // the type of one value, as playbooks declare it
	declarations              // named declarations, as a playbook's inputs
	request                   // "METHOD /path"
	path                      // "/path"
	bare                      // an expression
	bares                     // a list of expressions
	mapping                   // named expressions
	template                  // any value, which may hold ${{ … }}
	templates                 // named values, which may hold ${{ … }}
)

// key is one key of a construct. This table is all that the reader, the schema
// and the reference know of it.
type key struct {
	name     string
	doc      string
	shape    shape
	typ      engine.Type
	of       string
	required bool
	minimum  *int64
}

// construct is a map with known keys.
type construct struct {
	name string // as messages say it: "an action"
	keys []key
	one  []string // exactly one of these keys must be given
}

func (c construct) names() []string {
	out := make([]string, len(c.keys))
	for i, k := range c.keys {
		out[i] = k.name
	}
	return out
}

func (c construct) key(name string) (key, bool) {
	i := slices.IndexFunc(c.keys, func(k key) bool { return k.name == name })
	if i < 0 {
		return key{}, false
	}
	return c.keys[i], true
}

func bound(n int64) *int64 { return &n }

func constructs() map[string]construct {
	return map[string]construct{
		"file":    {name: "a connector file", keys: fileKeys()},
		"setting": {name: "a setting", keys: settingKeys()},
		"auth":    {name: "auth", keys: authKeys(), one: []string{"bearer", "basic", "header", "oauth", "hmac", "none"}},
		"bearer":  {name: "bearer", keys: []key{secretKey("The setting that holds the token.")}},
		"basic": {name: "basic", keys: []key{
			{name: "user", typ: engine.TypeString(), required: true, doc: "The setting that holds the user's name. It must be of the type secret."},
			secretKey("The setting that holds the password."),
		}},
		"header": {name: "header", keys: []key{
			{name: "name", typ: engine.TypeString(), required: true, doc: "The header, such as Authorization or X-Api-Key."},
			{name: "prefix", typ: engine.TypeString(), doc: "What stands before the secret in it, with its space: \"SSWS \"."},
			secretKey("The setting that holds the value."),
		}},
		"oauth":        {name: "oauth", keys: oauthKeys()},
		"hmac":         {name: "hmac", keys: hmacKeys()},
		"rate":         {name: "rate", keys: rateKeys()},
		"paging":       {name: "paging", keys: pagingKeys()},
		"errors":       {name: "errors", keys: errorKeys()},
		"call":         {name: "a request", keys: callKeys()},
		"capabilities": {name: "capabilities", keys: capabilityKeys()},
		"directory":    {name: "directory", keys: directoryKeys()},
		"groups":       {name: "groups", keys: groupKeys()},
		"sessions": {name: "sessions", keys: []key{
			{name: "revoke", shape: nested, of: "call", required: true, doc: "Ends every session of `inputs.user`."},
		}},
		"action":  {name: "an action", keys: actionKeys()},
		"output":  {name: "an output", keys: outputKeys()},
		"target":  {name: "target", keys: targetKeys()},
		"inverse": {name: "inverse", keys: inverseKeys()},
	}
}

func secretKey(doc string) key {
	return key{name: "secret", typ: engine.TypeString(), required: true, doc: doc + " It must be of the type secret."}
}

func fileKeys() []key {
	return []key{
		{name: "connector", typ: engine.TypeString(), required: true,
			doc: "The connector's name: the provider of its connections, and what the names of its actions begin with."},
		{name: "summary", typ: engine.TypeString(), required: true, doc: "What it reaches, in one sentence."},
		{name: "description", typ: engine.TypeString(), doc: "Markdown: how to set the service up, and what to beware of."},
		{name: "settings", shape: named, of: "setting", doc: "What a connection says beside `base_url`, which every one has. Secrets are settings of the type secret."},
		{name: "base_path", shape: path, doc: "What the path of every request begins with: /api/v1. May hold ${{ settings.NAME }}."},
		{name: "headers", shape: templates, doc: "Headers of every request."},
		{name: "auth", shape: nested, of: "auth", required: true, doc: "How requests are authenticated: exactly one of bearer, basic, header, oauth, hmac and none."},
		{name: "rate", shape: nested, of: "rate", doc: "How often the service may be called."},
		{name: "paging", shape: nested, of: "paging", doc: "How listings go on. Without it a listing is one page."},
		{name: "settle", typ: engine.TypeDuration(), doc: "How long a read may still show the state before a change; 30s by default."},
		{name: "errors", shape: nested, of: "errors", doc: "What a refusal says."},
		{name: "test", shape: nested, of: "call", doc: "A request that reads, for `connections test`. By default the listing of the users."},
		{name: "capabilities", shape: nested, of: "capabilities", doc: "The capabilities it fulfils, so that the actions there are work on it: user.*, group.*, session.*."},
		{name: "actions", shape: named, of: "action", doc: "Actions of its own. Their names begin with the connector's: okta.get_user."},
	}
}

// settingKinds are the kinds a setting can be declared with.
func settingKinds() []string {
	return []string{"string", "integer", "number", "bool", "duration", "secret"}
}

func settingKeys() []key {
	return []key{
		{name: "type", typ: engine.EnumOf(settingKinds()...), required: true, doc: "The kind of its value. The value of a secret is a reference: env://NAME."},
		{name: "description", typ: engine.TypeString(), required: true, doc: "What it is and where one finds it."},
		{name: "default", typ: engine.TypeAny(), doc: "The value where none is given. Without one the setting is required, unless it is optional."},
		{name: "optional", typ: engine.TypeBool(), doc: "It may be left out; expressions must then say what happens: settings.name ?? …."},
		{name: "enum", typ: engine.ListOf(engine.TypeString()), doc: "The only values a string can have."},
		{name: "minimum", typ: engine.TypeInteger(), doc: "The least value of an integer."},
		{name: "maximum", typ: engine.TypeInteger(), doc: "The greatest value of an integer."},
		{name: "example", typ: engine.TypeString(), doc: "How it may look."},
	}
}

func authKeys() []key {
	return []key{
		{name: "bearer", shape: nested, of: "bearer", doc: "A token in `Authorization: Bearer`."},
		{name: "basic", shape: nested, of: "basic", doc: "A user and a password in `Authorization: Basic`."},
		{name: "header", shape: nested, of: "header", doc: "A secret in a header."},
		{name: "oauth", shape: nested, of: "oauth", doc: "A token that is fetched with a client's credentials (OAuth 2.0, grant client_credentials), and again when it is refused."},
		{name: "hmac", shape: nested, of: "hmac", doc: "A signature over the request in a header."},
		{name: "none", typ: engine.TypeBool(), doc: "true: requests are not authenticated."},
	}
}

func oauthKeys() []key {
	return []key{
		{name: "token_path", shape: path, required: true, doc: "The path tokens are fetched from. `base_path` does not stand before it."},
		{name: "client", typ: engine.TypeString(), required: true, doc: "The setting that holds the client's id. It must be of the type secret."},
		secretKey("The setting that holds the client's secret."),
		{name: "scopes", typ: engine.ListOf(engine.TypeString()), doc: "The scopes to ask for."},
		{name: "credentials_in", typ: engine.EnumOf("header", "body"), doc: "Where the client's credentials are sent; header by default."},
	}
}

func hmacKeys() []key {
	return []key{
		secretKey("The setting that holds the key."),
		{name: "header", typ: engine.TypeString(), required: true, doc: "The header of the signature."},
		{name: "prefix", typ: engine.TypeString(), doc: "What stands before the signature in it: \"sha256=\"."},
		{name: "algorithm", typ: engine.EnumOf("sha256", "sha512"), doc: "The hash; sha256 by default."},
		{name: "encoding", typ: engine.EnumOf("hex", "base64"), doc: "How the signature is written; hex by default."},
		{name: "sign", typ: engine.ListOf(engine.EnumOf(signable()...)), required: true, doc: "What is signed, in this order. The path is signed with the query."},
		{name: "separator", typ: engine.TypeString(), doc: "What stands between what is signed; a line break by default."},
		{name: "timestamp", typ: engine.TypeString(), doc: "The header of the time, in seconds since 1970. X-Timestamp by default."},
	}
}

func signable() []string { return []string{"method", "path", "timestamp", "body"} }

func rateKeys() []key {
	return []key{
		{name: "per_second", typ: engine.TypeNumber(), doc: "How many calls in a second; any number by default."},
		{name: "burst", typ: engine.TypeInteger(), minimum: bound(1), doc: "How many calls at once after a pause; 1 by default."},
		{name: "concurrency", typ: engine.TypeInteger(), minimum: bound(1), doc: "How many calls under way at the same time; any number by default."},
		{name: "remaining", typ: engine.TypeString(), doc: "The header that says how many calls are left. At 0 nobody calls until `reset`."},
		{name: "reset", typ: engine.TypeString(), doc: "The header that says when there are more again, in seconds from now or since 1970. `Retry-After` is understood without it."},
	}
}

func pagingKeys() []key {
	return []key{
		{name: "by", typ: engine.EnumOf(pagingWays()...), required: true,
			doc: "How one comes to the next page: by a `Link` header (rel=\"next\"), a token or an address (url) in the answer, or a parameter that counts pages or rows (offset). An address must be of the connection's own host."},
		{name: "next", shape: bare, doc: "The field with the token or the address: response.meta.next. The page is the last where it is empty or null, or missing where it is declared `optional`."},
		{name: "parameter", typ: engine.TypeString(), doc: "The query parameter that a token is sent in, or that counts."},
		{name: "first", typ: engine.TypeInteger(), minimum: bound(0), doc: "What it is on the first page, of page and offset; 0 by default."},
	}
}

func pagingWays() []string {
	return []string{string(PagingLink), string(PagingToken), string(PagingURL), string(PagingPage), string(PagingOffset)}
}

func errorKeys() []key {
	return []key{
		{name: "message", shape: bare, doc: "The service's own words, over `response`, the body of a refusal. Its fields are dynamic."},
		{name: "code", shape: bare, doc: "The service's own code, likewise: it becomes steps.ID.error.code."},
	}
}

func callKeys() []key {
	return append(requestKeys(),
		key{name: "returns", shape: declared, doc: "What the answer is: a kind, or a declaration such as { type: map, fields: … }. What is missing in an answer is an error. Without it the answer is not read."},
		key{name: "each", shape: bare, doc: "Makes it a listing: the field with the rows of one page, response.users, or response. All pages are read."},
	)
}

func requestKeys() []key {
	return []key{
		{name: "request", shape: request, required: true, doc: "Method and path: GET /users/${{ inputs.id }}. What an expression gives is escaped and stays within its segment. A host cannot be named."},
		{name: "query", shape: templates, doc: "Query parameters. One that is null is left out."},
		{name: "headers", shape: templates, doc: "Headers. One that is null is left out."},
		{name: "json", shape: template, doc: "The body, as JSON."},
		{name: "form", shape: templates, doc: "The body, as a form."},
	}
}

func capabilityKeys() []key {
	return []key{
		{name: "directory", shape: nested, of: "directory", doc: "People's accounts: user.list, user.get, user.suspend, user.reactivate."},
		{name: "groups", shape: nested, of: "groups", doc: "Groups and who is in them: group.*."},
		{name: "sessions", shape: nested, of: "sessions", doc: "Sessions: session.revoke."},
	}
}

func directoryKeys() []key {
	return []key{
		{name: "user", shape: mapping, required: true, doc: "How a `row` becomes a user: id, email, name, state (\"active\" or \"suspended\") and created_at."},
		{name: "list", shape: nested, of: "call", required: true, doc: "All users. `inputs.state` is active, suspended or null; a service that cannot filter may leave it aside."},
		{name: "get", shape: nested, of: "call", required: true, doc: "The user `inputs.id`."},
		{name: "find", shape: nested, of: "call", doc: "A listing of the users with the address `inputs.email`. Without it the whole directory is read to find one."},
		{name: "suspend", shape: nested, of: "call", required: true, doc: "Suspends `inputs.id`. What counts is the state that is read afterwards."},
		{name: "reactivate", shape: nested, of: "call", required: true, doc: "The inverse."},
	}
}

func groupKeys() []key {
	return []key{
		{name: "group", shape: mapping, required: true, doc: "How a `row` becomes a group: id and name."},
		{name: "member", shape: mapping, required: true, doc: "How a `row` becomes a member: id, email (\"\" where unknown) and name."},
		{name: "list", shape: nested, of: "call", required: true, doc: "All groups."},
		{name: "get", shape: nested, of: "call", required: true, doc: "The group `inputs.id`."},
		{name: "members", shape: nested, of: "call", required: true, doc: "The users in `inputs.group`."},
		{name: "of_user", shape: nested, of: "call", doc: "A listing of the groups `inputs.user` is in. Without it the members are read to find one."},
		{name: "add", shape: nested, of: "call", required: true, doc: "Makes `inputs.user` a member of `inputs.group`."},
		{name: "remove", shape: nested, of: "call", required: true, doc: "The inverse."},
	}
}

func effects() []string {
	return []string{string(engine.Observe), string(engine.Change), string(engine.Announce)}
}

func actionKeys() []key {
	return append(append([]key{
		{name: "summary", typ: engine.TypeString(), required: true, doc: "What it does, in one sentence."},
		{name: "description", typ: engine.TypeString(), doc: "Markdown: what to beware of."},
		{name: "effect", typ: engine.EnumOf(effects()...), required: true, doc: "observe reads; change changes one target; announce tells people."},
		{name: "inputs", shape: declarations, doc: "What it is given, declared as the inputs of a playbook."},
	}, callKeys()...),
		key{name: "outputs", shape: named, of: "output", doc: "What it results in. A change also has `changed`."},
		key{name: "repeatable", typ: engine.TypeBool(), doc: "Of a change or an announcement: made twice it is the same as once, so it is made again after a lost reply."},
		key{name: "read", shape: nested, of: "call", doc: "Of a change: a request that reads the target before it, and after a crash. Without it nobody can see whether the change was made."},
		key{name: "target", shape: nested, of: "target", doc: "Of a change: what it changes."},
		key{name: "state", shape: mapping, doc: "Of a change with `read`: the fields it is about, over `response` of the read."},
		key{name: "after", shape: templates, doc: "Of a change with `read`: the same fields as the change leaves them. Where they are so already there is nothing to do."},
		key{name: "access", typ: engine.EnumOf(string(engine.Gives), string(engine.Takes)), doc: "Of a change with an inverse: whether it gives access or takes it."},
		key{name: "inverse", shape: nested, of: "inverse", doc: "Of a change: the action of this file that takes it back."},
	)
}

func outputKeys() []key {
	return []key{
		{name: "type", shape: declared, required: true, doc: "What it is: a kind, or a declaration."},
		{name: "description", typ: engine.TypeString(), doc: "What it means."},
		{name: "value", shape: bare, required: true, doc: "An expression over `response` (of a change: of its `read`; of a listing: `rows`), `inputs` and `settings`."},
	}
}

func targetKeys() []key {
	return []key{
		{name: "id", shape: bare, required: true, doc: "Its id, over `response` of the read and `inputs`."},
		{name: "name", shape: bare, doc: "What people read; the id by default."},
		{name: "aliases", shape: bares, doc: "Other names that protection matches: addresses."},
	}
}

func inverseKeys() []key {
	return []key{
		{name: "action", typ: engine.TypeString(), required: true, doc: "The name of an action of this file."},
		{name: "with", shape: templates, required: true, doc: "Its inputs."},
	}
}
