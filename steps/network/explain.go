package network

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"unicode"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Codes of the failures of this package.
const (
	codeTLS   = "tls"   // a certificate or a version of TLS; trying again does not help
	codeProxy = "proxy" // the proxy was not reached, or refused
)

// trouble is an error whose words are all there is to say.
type trouble struct{ failure *engine.Failure }

// Error is what is wrong.
func (t trouble) Error() string { return t.failure.Message }

// Unwrap is the failure.
func (t trouble) Unwrap() error { return t.failure }

// Explain says in words what an error of a connection to a host means and what
// to write in the configuration; nil where it is not about certificates, TLS or
// a proxy. It shows no secret, and what others wrote it shows cleaned and short.
// The host, "host" or "host:port", is as the caller names it.
func Explain(err error, host string) *engine.Failure {
	var known trouble
	if errors.As(err, &known) {
		return known.failure
	}
	host = clean(host)
	words, hint := explainTLS(err, host, host)
	if words == "" {
		return nil
	}
	if hint != "" {
		words += "; " + hint
	}
	return engine.Fail(engine.ClassPermanent, codeTLS, "%s", words)
}

// explainTLS says what is wrong with TLS; who is whom one wanted to speak with,
// entry the host under which the configuration speaks of it. Without words it is
// something else.
func explainTLS(err error, who, entry string) (words, hint string) {
	var record tls.RecordHeaderError
	var untrusted x509.UnknownAuthorityError
	var named x509.HostnameError
	var invalid x509.CertificateInvalidError
	var verification *tls.CertificateVerificationError
	_ = errors.As(err, &verification)
	switch {
	case errors.As(err, &untrusted):
		return untrustedWords(verification, untrusted, who), under(entry, "ca_file: the file with the certificate of that authority")
	case errors.As(err, &named):
		return nameWords(named, who, entry)
	case errors.As(err, &invalid):
		return invalidWords(verification, invalid, who)
	case verification != nil:
		return "the certificate of " + who + " cannot be verified: " + reason(verification.Err), ""
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return who + " does not speak TLS there", "is the port right?"
	}
	return alertWords(err, who, entry)
}

// under is a hint at the place in the configuration.
func under(entry, what string) string {
	return fmt.Sprintf("write under network.hosts.%q %s", entry, what)
}

func untrustedWords(v *tls.CertificateVerificationError, u x509.UnknownAuthorityError, who string) string {
	shown := u.Cert
	if v != nil && len(v.UnverifiedCertificates) > 0 {
		shown = v.UnverifiedCertificates[len(v.UnverifiedCertificates)-1]
	}
	switch {
	case shown == nil:
		return "the certificate of " + who + " comes from an authority that is not trusted here"
	case shown.Issuer.String() == shown.Subject.String() && v != nil && len(v.UnverifiedCertificates) == 1:
		return "the certificate of " + who + " is signed by itself, and not trusted here"
	default:
		return fmt.Sprintf("the certificate of %s comes from an authority that is not trusted here (%q)", who, short(shown.Issuer.CommonName, shown.Issuer.String()))
	}
}

func nameWords(e x509.HostnameError, who, entry string) (words, hint string) {
	var names []string
	for _, name := range e.Certificate.DNSNames {
		names = append(names, clean(name))
	}
	for _, ip := range e.Certificate.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return "the certificate of " + who + " names no host: a common name is none any more",
			"it must be issued anew, with the host as a subject alternative name"
	}
	const most = 3
	listed := strings.Join(names[:min(len(names), most)], ", ")
	if len(names) > most {
		listed += fmt.Sprintf(" and %d more", len(names)-most)
	}
	return fmt.Sprintf("the certificate of %s is not for %s, but for %s", who, clean(e.Host), listed),
		"where that is the service you mean, " + under(entry, "server_name: "+strings.Replace(names[0], "*.", "www.", 1))
}

func invalidWords(v *tls.CertificateVerificationError, e x509.CertificateInvalidError, who string) (words, hint string) {
	which := "the certificate of " + who
	if v != nil && len(v.UnverifiedCertificates) > 0 && e.Cert != nil && !e.Cert.Equal(v.UnverifiedCertificates[0]) {
		which = fmt.Sprintf("an authority of the certificate of %s, %q,", who, nameOf(e.Cert))
	}
	switch {
	case e.Reason == x509.Expired && e.Cert != nil && strings.Contains(e.Detail, "is before"):
		return which + " is not valid before " + e.Cert.NotBefore.Format(day), "is the clock of this machine right?"
	case e.Reason == x509.Expired && e.Cert != nil:
		return which + " expired on " + e.Cert.NotAfter.Format(day), "it must be renewed there; is the clock of this machine right?"
	case e.Reason == x509.IncompatibleUsage:
		return which + " is not meant for servers", "it must be issued anew, with the extended key usage serverAuth"
	default:
		return which + " cannot be used: " + reason(e), ""
	}
}

// alertWords explains what one side said when it broke the handshake off. The
// type of alerts is not exported; their texts are those of crypto/tls.
func alertWords(err error, who, entry string) (words, hint string) {
	text := err.Error()
	var op *net.OpError
	remote := errors.As(err, &op) && op.Op == "remote error"
	said := func(alerts ...string) bool {
		return remote && slices.ContainsFunc(alerts, func(a string) bool { return op.Err.Error() == "tls: "+a })
	}
	switch {
	case said("protocol version not supported"), strings.Contains(text, "tls: server selected unsupported protocol version"):
		return who + " speaks no version of TLS that is allowed here", "1.2 is the oldest, or what min_tls says"
	case said("certificate required"):
		return who + " wants a client certificate", under(entry, "client_cert and client_key")
	case said("bad certificate", "unknown certificate authority", "unknown certificate", "unsupported certificate", "expired certificate", "revoked certificate", "access denied"):
		return fmt.Sprintf("%s does not accept the client certificate (%s)", who, strings.TrimPrefix(op.Err.Error(), "tls: ")),
			under(entry, "the client_cert and client_key that it knows")
	case said("unrecognized name"):
		return who + " does not know that name", under(entry, "server_name: the name it has")
	case said("handshake failure", "insufficient security level"):
		return who + " and this machine have no cipher in common, or it wants a client certificate", under(entry, "client_cert and client_key where it does")
	}
	return "", ""
}

// statusError is what a proxy answered in place of a tunnel.
type statusError int

// Error is the status.
func (s statusError) Error() string {
	return fmt.Sprintf("%d %s", int(s), http.StatusText(int(s)))
}

// proxyTrouble explains why a proxy made no connection. It never shows the
// proxy's credentials.
func proxyTrouble(ctx context.Context, via *url.URL, address string, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return context.Canceled
	}
	who := "the proxy " + clean(via.Host)
	if words, hint := explainTLS(err, who, clean(via.Host)); words != "" {
		if hint != "" {
			words += "; " + hint
		}
		return trouble{engine.Fail(engine.ClassPermanent, codeTLS, "%s", words)}
	}
	var status statusError
	if errors.As(err, &status) {
		return trouble{statusFailure(status, who, clean(address))}
	}
	if text := err.Error(); strings.Contains(text, "authentication failed") || strings.Contains(text, "no acceptable authentication methods") { // of the SOCKS library
		return trouble{statusFailure(http.StatusProxyAuthRequired, who, clean(address))}
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return trouble{engine.Fail(engine.ClassTimeout, codeProxy, "%s did not connect to %s in time", who, clean(address))}
	}
	return trouble{engine.Fail(engine.ClassTransient, codeProxy, "%s made no connection to %s: %s", who, clean(address), reason(err))}
}

func statusFailure(status statusError, who, address string) *engine.Failure {
	switch status {
	case http.StatusProxyAuthRequired:
		return engine.Fail(engine.ClassAuth, codeProxy, "%s wants a user name and a password, or other ones; they are proxy_user and proxy_password beside proxy", who)
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, http.StatusTooManyRequests:
		return engine.Fail(engine.ClassTransient, codeProxy, "%s could not connect to %s: %s", who, address, status.Error())
	default:
		return engine.Fail(engine.ClassPermanent, codeProxy, "%s refused to connect to %s: %s; it must allow CONNECT to that host and port", who, address, status.Error())
	}
}

// reason is the text of an error that others may have written parts of.
func reason(err error) string {
	return clean(strings.TrimPrefix(strings.TrimPrefix(err.Error(), "tls: "), "x509: "))
}

// nameOf is what people know a certificate by.
func nameOf(c *x509.Certificate) string { return short(c.Subject.CommonName, c.Subject.String()) }

func short(name, otherwise string) string {
	if strings.TrimSpace(name) == "" {
		name = otherwise
	}
	return clean(name)
}

// clean makes foreign text fit for a message: one line, no characters that act
// on a terminal or change the order of reading, not too long.
func clean(text string) string {
	const most = 120
	var b strings.Builder
	runes := 0
	for _, r := range text {
		if unicode.IsSpace(r) {
			r = ' '
		}
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar {
			continue
		}
		if runes++; runes > most {
			return b.String() + "…"
		}
		b.WriteRune(r)
	}
	return b.String()
}
