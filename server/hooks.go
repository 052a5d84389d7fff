package server

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
)

// DefaultMaxBody is the size of a delivery's body, in bytes, where a webhook
// says nothing.
const DefaultMaxBody = 1 << 20

// Hook is a webhook as it is configured. One of Secret and Token is required;
// with both, either proves a delivery.
type Hook struct {
	Name      string
	Secret    secret.Reference // of the HMAC-SHA256; "" for none
	Token     secret.Reference // of the bearer token; "" for none
	MaxBody   int64            // bytes; DefaultMaxBody when 0
	Tolerance time.Duration    // how far a signature's time may be from now; DefaultTolerance when 0
	Playbooks []Triggered      // what it starts, in this order
}

// Triggered is a playbook that a webhook starts.
type Triggered struct {
	Playbook string
	Body     engine.Type // declared shape; KindAny where none is declared
	// Dedupe is the key by which a delivery that comes again is known, made of
	// the body; nil for none. An error means that this body has none.
	Dedupe func(body any) (string, error)
}

// Hooks knows the webhooks there are.
type Hooks interface {
	Lookup(name string) (Hook, bool)
}

// Delivery is a proven delivery that fits its declared shape.
type Delivery struct {
	Hook     string
	Playbook string
	Body     any    // by the declared type
	Key      string // of dedupe; "" for none
	// ID is the signature, in hex: no two deliveries have the same, unless one
	// was sent twice. "" for one with a token.
	ID string
}

// Starter makes runs of deliveries.
type Starter interface {
	// Start returns when the run is durable. One with a key or an id that was
	// taken before starts nothing: the answer is the run of that time, and
	// duplicate; the run is "" where it is gone since. ErrBody means that the body
	// makes no inputs of the playbook, ErrRefused that its run may not be; any
	// other error that it can be sent again, and a BusyError when.
	Start(ctx context.Context, d Delivery) (run string, duplicate bool, err error)
}

// ErrBody is wrapped by a Starter's error about what the sender sent. What the
// error says beyond it is logged, and not answered.
var ErrBody = errors.New("the body does not make the inputs of the playbook")

// ErrRefused is wrapped by a Starter's error about a run that may not be: sending
// it again changes nothing. What the error says beyond it is logged, and not answered.
var ErrRefused = errors.New("the limits or the policy refuse the run of the playbook")

// BusyError is a Starter's error about a run that cannot be taken now.
type BusyError struct {
	After time.Duration // after which to send it again; not said below a second
	Err   error         // for the log
}

// Error is the error itself.
func (e *BusyError) Error() string { return e.Err.Error() }

// Unwrap is the error itself.
func (e *BusyError) Unwrap() error { return e.Err }

// result is what became of a delivery.
type result string

const (
	resultStarted   result = "started"
	resultDuplicate result = "duplicate"
	resultUnknown   result = "unknown"  // no such webhook
	resultUnproven  result = "unproven" // a wrong signature, token or time
	resultLimited   result = "limited"  // too many unproven ones from there
	resultTooLarge  result = "too_large"
	resultMalformed result = "malformed" // no JSON
	resultMisfit    result = "misfit"    // not of the declared shape
	resultRefused   result = "refused"   // by limits or the policy
	resultFailed    result = "failed"    // could not be started; it may be sent again
)

func results() []result {
	return []result{
		resultStarted, resultDuplicate, resultUnknown, resultUnproven, resultLimited, resultTooLarge, resultMalformed, resultMisfit, resultRefused, resultFailed,
	}
}

// refusal is an answer other than 202.
type refusal struct {
	status int
	result result
	doc    refusalDocument
	retry  time.Duration // after which to send it again; 0 for not saying
	cause  error         // for the log
}

// Error is what the sender is told.
func (r *refusal) Error() string { return r.doc.Error }

type refusalDocument struct {
	Error  string  `json:"error"`
	Fields []wrong `json:"fields,omitempty"`
}

func refuse(status int, what result, message string, cause error) *refusal {
	return &refusal{status: status, result: what, doc: refusalDocument{Error: message}, cause: cause}
}

// started is the answer 202. Of a webhook that starts several playbooks, Run is
// the first one's.
type started struct {
	Run       string   `json:"run"`
	Duplicate bool     `json:"duplicate,omitempty"` // everything was started before
	Runs      []string `json:"runs,omitempty"`      // of a webhook that starts several
}

func (h *Handler) hook(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	done, err := h.deliver(w, r, name)
	var refused *refusal
	if errors.As(err, &refused) {
		h.taken.WithLabelValues(string(refused.result)).Inc()
		h.config.Log.Warn("a webhook delivery was refused", "hook", shortened(name), "from", r.RemoteAddr, "result", string(refused.result), "error", refused.cause)
		if refused.retry > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(refused.retry.Seconds())+1))
		}
		answer(w, refused.status, refused.doc)
		return
	}
	what := resultStarted
	if done.Duplicate {
		what = resultDuplicate
	}
	h.taken.WithLabelValues(string(what)).Inc()
	h.config.Log.Info("a webhook delivery was taken", "hook", name, "run", done.Run, "duplicate", done.Duplicate)
	answer(w, http.StatusAccepted, done)
}

// deliver takes a delivery: who sent it is proven before anything else is said
// about it. Its errors are refusals.
func (h *Handler) deliver(w http.ResponseWriter, r *http.Request, name string) (started, error) {
	if wait := h.failed.wait(r.RemoteAddr, h.config.Now()); wait > 0 {
		limited := refuse(http.StatusTooManyRequests, resultLimited, "too many deliveries from there could not be proven", nil)
		limited.retry = wait
		return started{}, limited
	}
	hook, known := h.config.Hooks.Lookup(name)
	body, err := readBody(w, r, hook.MaxBody)
	if err != nil {
		return started{}, err
	}
	id, err := h.prove(r, hook, known, body)
	if err != nil {
		return started{}, err
	}
	deliveries, err := read(r, hook, body, id)
	if err != nil {
		return started{}, err
	}
	return h.start(r.Context(), deliveries)
}

func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if limit <= 0 {
		limit = DefaultMaxBody
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, refuse(http.StatusRequestEntityTooLarge, resultTooLarge, "the body is larger than "+strconv.FormatInt(limit, 10)+" bytes", nil)
	case err != nil:
		return nil, refuse(http.StatusBadRequest, resultMalformed, "the body did not arrive", err)
	default:
		return body, nil
	}
}

// prove checks who sent a delivery and returns its id. A webhook that is not
// there costs and answers what a wrong signature does, so that nobody learns
// from outside which there are.
func (h *Handler) prove(r *http.Request, hook Hook, known bool, body []byte) (string, error) {
	id, err := h.proven(r, hook, body)
	if err == nil && known {
		return id, nil
	}
	var refused *refusal
	if errors.As(err, &refused) {
		return "", refused
	}
	h.failed.add(r.RemoteAddr, h.config.Now())
	what := resultUnproven
	if !known {
		what, err = resultUnknown, errors.New("there is no such webhook")
	}
	return "", refuse(http.StatusNotFound, what, "there is no such webhook, or the delivery does not prove that it may use it: look at the signature, the time and the token; the log of drawbridge serve says which it was", err)
}

func (h *Handler) proven(r *http.Request, hook Hook, body []byte) (string, error) {
	if r.Header.Get("Authorization") != "" && (hook.Token != "" || hook.Name == "") {
		token, err := h.resolve(r.Context(), hook.Token)
		if err != nil || !sameToken(r.Header, token) {
			return "", orError(err, errToken)
		}
		return "", nil
	}
	key, err := h.resolve(r.Context(), hook.Secret)
	if err != nil {
		return "", err
	}
	tolerance := hook.Tolerance
	if tolerance <= 0 {
		tolerance = DefaultTolerance
	}
	id, err := verify(r.Header, key, body, h.config.Now(), tolerance)
	if hook.Secret == "" {
		return "", errUnsigned // the work was done all the same, so that it cannot be told by the time
	}
	return id, err
}

// resolve is a secret, late. That of a webhook that is not there is one that
// nobody knows.
func (h *Handler) resolve(ctx context.Context, ref secret.Reference) (secret.Value, error) {
	if ref == "" {
		return secret.New("there is no such webhook"), nil
	}
	v, err := h.config.Secrets.Resolve(ctx, ref)
	if err != nil {
		unready := refuse(http.StatusServiceUnavailable, resultFailed, "the webhook cannot check deliveries now: its secret is not there", err)
		unready.retry = time.Minute
		return v, unready
	}
	return v, nil
}

func orError(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// read makes a delivery for each playbook of the hook, or of none.
func read(r *http.Request, hook Hook, body []byte, id string) ([]Delivery, error) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" && !strings.HasSuffix(media, "+json") {
		return nil, refuse(http.StatusUnsupportedMediaType, resultMalformed, "the body must be JSON: send Content-Type: application/json", nil)
	}
	raw, err := decode(body)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, resultMalformed, err.Error(), nil)
	}
	var out []Delivery
	for _, p := range hook.Playbooks {
		d, err := p.read(raw)
		if err != nil {
			return nil, err
		}
		d.Hook, d.ID = hook.Name, id
		out = append(out, d)
	}
	if len(out) == 0 {
		return nil, refuse(http.StatusServiceUnavailable, resultFailed, "no playbook is started by this webhook now", nil)
	}
	return out, nil
}

func (p Triggered) read(raw any) (Delivery, error) {
	if fields := mismatches(raw, p.Body); len(fields) > 0 {
		misfit := refuse(http.StatusUnprocessableEntity, resultMisfit, "the body does not have the shape that "+p.Playbook+" declares: "+said(fields), nil)
		misfit.doc.Fields = fields
		return Delivery{}, misfit
	}
	body, err := engine.Conform(raw, p.Body)
	if err != nil { // not its text, which may hold a value
		return Delivery{}, refuse(http.StatusUnprocessableEntity, resultMisfit, "the body does not have the shape that "+p.Playbook+" declares", nil)
	}
	d := Delivery{Playbook: p.Playbook, Body: body}
	if p.Dedupe == nil {
		return d, nil
	}
	if d.Key, err = p.Dedupe(body); err != nil {
		return d, refuse(http.StatusUnprocessableEntity, resultMisfit, "the body gives no key for the `dedupe` of "+p.Playbook, nil)
	}
	return d, nil
}

func said(fields []wrong) string {
	parts := make([]string, 0, len(fields))
	for _, f := range fields {
		parts = append(parts, f.Path+" must be "+f.Want+", not "+f.Got)
	}
	return strings.Join(parts, "; ")
}

// start starts what a delivery starts. Where it fails halfway, the sender sends
// it again, and what was started is known by its key or id.
func (h *Handler) start(ctx context.Context, deliveries []Delivery) (started, error) {
	ctx = context.WithoutCancel(ctx) // a sender that hangs up has delivered all the same
	done := started{Duplicate: true}
	for _, d := range deliveries {
		run, duplicate, err := h.config.Starter.Start(ctx, d)
		if err != nil {
			return done, unstarted(d, err)
		}
		done.Runs, done.Duplicate = append(done.Runs, run), done.Duplicate && duplicate
	}
	done.Run = done.Runs[0]
	if len(done.Runs) == 1 {
		done.Runs = nil
	}
	return done, nil
}

// unstarted is the answer about a delivery that started nothing.
func unstarted(d Delivery, err error) *refusal {
	var busy *BusyError
	switch {
	case errors.Is(err, ErrBody):
		return refuse(http.StatusUnprocessableEntity, resultMisfit, ErrBody.Error()+" "+d.Playbook, err)
	case errors.Is(err, ErrRefused):
		return refuse(http.StatusUnprocessableEntity, resultRefused, ErrRefused.Error()+" "+d.Playbook, err)
	}
	failed := refuse(http.StatusServiceUnavailable, resultFailed, "the run could not be started; send it again", err)
	failed.retry = 5 * time.Second
	if errors.As(err, &busy) && busy.After >= time.Second {
		failed.retry = busy.After
	}
	return failed
}

// shortened is a name that somebody sent, for the log.
func shortened(name string) string {
	if len(name) > 64 {
		return name[:64] + "…"
	}
	return name
}
