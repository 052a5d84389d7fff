package email

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/textproto"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/message"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// codeReply begins the codes of failures that the server has said: smtp_550.
const codeReply = "smtp_"

func isReply(f *engine.Failure) bool { return strings.HasPrefix(f.Code, codeReply) }

func (d *dialog) deadline() time.Time { return time.Now().Add(answerTime) }

func (d *dialog) failure(ctx context.Context, doing string, err error) *engine.Failure {
	return d.m.explain(ctx, doing, err, d.hide)
}

func (m *messenger) failure(ctx context.Context, doing string, err error) *engine.Failure {
	return m.explain(ctx, doing, err, &secret.Redactor{})
}

// explain says what went wrong while doing something: whose fault it was, and
// whether trying again may help.
func (m *messenger) explain(ctx context.Context, doing string, err error, hide *secret.Redactor) *engine.Failure {
	var f *engine.Failure
	if errors.As(err, &f) {
		return engine.AsFailure(err)
	}
	where := m.server() + ": " + doing + ": "
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, context.DeadlineExceeded):
		return engine.Fail(engine.ClassTimeout, transport.CodeTimeout, "%sthe time for it is over", where)
	case cause != nil:
		return engine.Fail(engine.ClassCancelled, "cancelled", "%sit was cancelled", where)
	}
	var answer *textproto.Error
	var garbage textproto.ProtocolError
	var netErr net.Error
	switch {
	case errors.As(err, &answer):
		return replied(where, answer, hide)
	case errors.As(err, &garbage):
		return engine.Fail(engine.ClassPermanent, "not_smtp", "%swhat answered is no mail server; are `host`, `port` and `tls` right?", where)
	case untrusted(err) != "":
		return engine.Fail(engine.ClassPermanent, "tls", "%s%s", where, untrusted(err))
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return engine.Fail(engine.ClassTimeout, transport.CodeTimeout, "%sit did not answer in time", where)
	default:
		return engine.Fail(engine.ClassTransient, transport.CodeUnreachable, "%s%s", where, hide.String(message.Clean(err.Error(), 300)))
	}
}

// replied is the failure of an answer: RFC 5321, 4.2.1 has the digits, RFC 4954,
// 6 those of signing in.
func replied(where string, answer *textproto.Error, hide *secret.Redactor) *engine.Failure {
	f := &engine.Failure{
		Class: engine.ClassPermanent, Code: codeReply + strconv.Itoa(answer.Code),
		Message: where + strconv.Itoa(answer.Code) + " " + hide.String(message.Clean(answer.Msg, 300)),
	}
	switch {
	case answer.Code/100 == 4:
		f.Class = engine.ClassTransient
	case answer.Code == 530:
		f.Class = engine.ClassAuth
		f.Message += "; it wants somebody to sign in: set `username` and `password`"
	case answer.Code == 534, answer.Code == 535, answer.Code == 538:
		f.Class = engine.ClassAuth
		f.Message += "; are `username` and `password` right, and may this account send over SMTP? Some services want an app password"
	case answer.Code/100 != 5:
		f.Code, f.Message = "not_smtp", where+"it answered "+strconv.Itoa(answer.Code)+", which means nothing here"
	}
	return f
}

// untrusted says in words why the server's certificate, or its TLS, is not
// accepted; "" for errors of another kind.
func untrusted(err error) string {
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var other *tls.CertificateVerificationError
	switch {
	case errors.As(err, &record):
		return "what answered does not speak TLS; `tls: implicit` is for port 465, `tls: starttls` for 587"
	case errors.As(err, &authority):
		return "its certificate is signed by an authority that this machine does not know; name a private one under `network`, with `ca_file`"
	case errors.As(err, &name):
		return "its certificate is for another host: " + message.Clean(name.Error(), 300)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "its certificate has expired, or is not valid yet: " + message.Clean(invalid.Detail, 300)
	case errors.As(err, &invalid), errors.As(err, &other):
		return "its certificate is not accepted: " + message.Clean(err.Error(), 300)
	case errors.As(err, &alert):
		return "it broke the encryption off: " + message.Clean(alert.Error(), 300)
	default:
		return ""
	}
}
