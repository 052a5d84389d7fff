package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/rest"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// Send is the action http.send.
type Send struct{}

// Spec declares http.send.
func (Send) Spec() engine.ActionSpec {
	return engine.ActionSpec{
		Name:    "http.send",
		Summary: "Have a web service change something.",
		Doc: `Sends a request that changes something at a service no other action knows. A plan shows its method, address and body, and sends nothing; each different request counts as one target of the guard, and ` + "`protect`" + ` matches its address.

What the service makes of it nothing can read. So it is made **once**: where its reply is lost, or the process dies before the reply is recorded, the step ends ` + "`unsettled`" + ` and a person decides whether to repeat it (` + "`runs resume --failed`" + `). A service that can tell a repetition saves you from that: name the header by which it does so in ` + "`idempotency_header`" + `, or say ` + "`repeatable: true`" + ` where twice is the same as once, and it is sent again.

It cannot be taken back: write what takes it back as a step of its own.`,
		Effect:     engine.Change,
		Needs:      []engine.Capability{CapabilityHTTP},
		Inputs:     slices.Concat(sendInputs(), where(), content(), outcome()),
		ExactlyOne: [][]string{{"path", "url"}},
		Outputs:    outputs(),
		Shape:      &engine.Shape{Input: "shape", Output: "body"},
		Examples: []engine.Example{{
			Title: "Open a ticket, once",
			YAML: `- id: ticket
  uses: http.send
  with:
    method: POST
    path: /v1/tickets
    json: { title: "Dormant accounts", run: "${{ run.id }}" }
    idempotency_header: Idempotency-Key
    expect: [201]
    shape: { type: map, fields: { id: string } }
- uses: message.send
  with: { text: "Opened ${{ steps.ticket.body.id }}." }
`,
		}},
	}
}

func sendInputs() []engine.Field {
	return []engine.Field{
		{
			Name: "method", Type: engine.EnumOf(http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete), Required: true,
			Doc: "How it is sent.", Example: "POST",
		},
		{
			Name: "idempotency_header", Type: engine.TypeString(),
			Doc:     "The header in which the service takes a key that is the same for every attempt, and by which it does nothing twice.",
			Example: "Idempotency-Key",
		},
		{Name: "repeatable", Type: engine.TypeBool(), Default: false, Doc: "Sending it twice is the same as sending it once."},
	}
}

// Read makes the request; it reads nothing.
func (Send) Read(_ context.Context, call engine.Call) (engine.Subject, error) {
	service, conn, err := engine.Offered[HTTP](call, CapabilityHTTP)
	if err != nil {
		return engine.Subject{}, err
	}
	r, err := sending(call)
	if err != nil {
		return engine.Subject{}, err
	}
	at, err := service.Address(r)
	if err != nil {
		return engine.Subject{}, fmt.Errorf("asking %q: %w", conn.Name, err)
	}
	plain := *at
	plain.RawQuery = ""
	return engine.Subject{
		Connection: conn,
		Target:     engine.Target{ID: r.Method + " " + plain.String() + "#" + digest(call.Inputs, r, at), Name: r.Method + " " + at.Host + at.EscapedPath()},
		State:      map[string]any{"request": nil},
		Aliases:    []string{plain.String(), at.Host + at.EscapedPath(), at.EscapedPath()},
		Record:     map[string]any{"request": shown(call.Inputs, r, at)},
		Blind:      true,
		Repeatable: r.Effect == transport.Repeatable,
	}, nil
}

// Preview shows the request. What the service will answer nobody knows.
func (Send) Preview(_ engine.Call, before engine.Subject) (engine.Preview, error) {
	return engine.Preview{After: map[string]any{"request": before.Record["request"]}}, nil
}

// Perform sends the request.
func (Send) Perform(ctx context.Context, call engine.Call, _ engine.Subject) (map[string]any, error) {
	service, conn, err := engine.Offered[HTTP](call, CapabilityHTTP)
	if err != nil {
		return nil, err
	}
	r, err := sending(call)
	if err != nil {
		return nil, err
	}
	answer, err := service.Do(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("asking %q: %w", conn.Name, err)
	}
	return answered(answer), nil
}

// sending makes the request of the inputs.
func sending(call engine.Call) (rest.Request, error) {
	r, err := request(call.Inputs)
	if err != nil {
		return r, err
	}
	r.Answer = rest.AnswerAny
	twice, _ := call.Inputs["repeatable"].(bool)
	name, _ := call.Inputs["idempotency_header"].(string)
	if twice || name != "" {
		r.Effect = transport.Repeatable
	}
	if name == "" {
		return r, nil
	}
	if r.Header.Get(name) != "" {
		return r, engine.Fail(engine.ClassInvalid, "idempotency_header", "the header %s is given in `headers`, too", name)
	}
	r.Header.Set(name, call.Key)
	return r, nil
}

// digest tells requests to one address apart, also those whose bodies somebody
// has chosen. The idempotency key is no part of it.
func digest(inputs map[string]any, r rest.Request, at *url.URL) string {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%s\n%s\n", r.Method, at) // a hash takes everything
	given, _ := inputs["headers"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(given)) {
		_, _ = fmt.Fprintf(h, "%q: %q\n", http.CanonicalHeaderKey(name), fmt.Sprint(given[name]))
	}
	if r.Body != nil {
		_, _ = fmt.Fprintf(h, "%s\n%s", r.Body.Type, r.Body.Data)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// maxShown is how many bytes of a body a plan shows.
const maxShown = 4 << 10

// shown is the request as people see it before it is sent.
func shown(inputs map[string]any, r rest.Request, at *url.URL) map[string]any {
	out := map[string]any{"method": r.Method, "url": at.String()}
	if headers, given := inputs["headers"].(map[string]any); given && len(headers) > 0 {
		out["headers"] = maps.Clone(headers)
	}
	switch {
	case r.Body == nil:
	case len(r.Body.Data) > maxShown:
		out["body"] = strings.ToValidUTF8(string(r.Body.Data[:maxShown]), "") + fmt.Sprintf("… (%d bytes)", len(r.Body.Data))
	case inputs["json"] != nil:
		out["body"] = inputs["json"]
	default:
		out["body"] = strings.ToValidUTF8(string(r.Body.Data), "\uFFFD")
	}
	return out
}
