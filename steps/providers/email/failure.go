package email

import (
	"context"
	"crypto/tls"
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
	"github.com/drawbridge-soar/drawbridge/steps/network"
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
	var record tls.RecordHeaderError
	var f *engine.Failure
	known := network.Explain(err, m.server())
	switch {
	case errors.As(err, &answer):
		return replied(where, answer, hide)
	case errors.As(err, &garbage):
		return engine.Fail(engine.ClassPermanent, "not_smtp", "%swhat answered is no mail server; are `host`, `port` and `tls` right?", where)
	case errors.As(err, &record):
		return engine.Fail(engine.ClassPermanent, "tls", "%swhat answered does not speak TLS; `tls: implicit` is for port 465, `tls: starttls` for 587", where)
	case known != nil:
		return engine.Fail(known.Class, known.Code, "%s%s", where, known.Message)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return engine.Fail(engine.ClassTimeout, transport.CodeTimeout, "%sit did not answer in time", where)
	case errors.As(err, &f):
		return engine.AsFailure(err)
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
