package network

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Problem is something wrong with a file that the settings name, or with what
// stands in them in place of one.
type Problem struct {
	Entry   string // of Settings.Hosts; "" for General
	Key     string // as in the configuration: ca_file, ca_data, client_cert, client_key, system_roots
	Index   int    // of the file, where the key has several
	Warning bool   // everything works all the same, for now
	Message string // names the file
	Hint    string // what to do about it; may be ""
}

// maxFile is the size in bytes from which a file is no list of certificates.
const maxFile = 8 << 20

// soon is how long before its end a client certificate is spoken of.
const soon = 14 * 24 * time.Hour

const day = "2006-01-02"

// material is what the files of an entry hold.
type material struct {
	authorities []*x509.Certificate
	client      *tls.Certificate
}

// reader reads the files of an entry and gathers what is wrong.
type reader struct {
	entry    string
	now      time.Time
	problems []Problem
}

func (r *reader) report(key string, index int, hint, format string, args ...any) {
	r.problems = append(r.problems, Problem{Entry: r.entry, Key: key, Index: index, Message: fmt.Sprintf(format, args...), Hint: hint})
}

func (r *reader) warn(key string, index int, hint, format string, args ...any) {
	r.report(key, index, hint, format, args...)
	r.problems[len(r.problems)-1].Warning = true
}

func (r *reader) read(h Host) material {
	var m material
	for i, path := range h.CAFiles {
		if data, ok := r.file("ca_file", i, path); ok {
			m.authorities = append(m.authorities, r.authorities("ca_file", i, path, data)...)
		}
	}
	if h.CAData != "" {
		m.authorities = append(m.authorities, r.authorities("ca_data", 0, "ca_data", []byte(h.CAData))...)
	}
	if h.ClientCert != "" {
		m.client = r.client(h)
	}
	return m
}

// file reads a file that only those may change who administer this machine.
func (r *reader) file(key string, index int, path string) ([]byte, bool) {
	info, err := os.Stat(path) // before opening: opening a pipe would wait for its writer
	if err != nil {
		r.report(key, index, "", "%s cannot be read: %v", path, cause(err))
		return nil, false
	}
	mode := info.Mode()
	switch windows := runtime.GOOS == "windows"; { // where modes say nothing
	case !mode.IsRegular():
		r.report(key, index, "", "%s is not a file", path)
		return nil, false
	case !windows && mode.Perm()&0o002 != 0:
		r.report(key, index, "chmod o-w it", "%s can be changed by every user of this machine (mode %#o), who could then read along", path, mode.Perm())
		return nil, false
	case !windows && key == "client_key" && mode.Perm()&0o004 != 0:
		r.warn(key, index, "chmod o-r it", "%s can be read by every user of this machine (mode %#o)", path, mode.Perm())
	}
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		r.report(key, index, "", "%s cannot be read: %v", path, cause(err))
		return nil, false
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		r.report(key, index, "", "%s cannot be read: %v", path, cause(err))
	case len(data) > maxFile:
		r.report(key, index, "", "%s is larger than %d MiB, and so no list of certificates", path, maxFile>>20)
	default:
		return data, true
	}
	return nil, false
}

// cause is a file error without the path, which is said already.
func cause(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// authorities are the certificates in a bundle.
func (r *reader) authorities(key string, index int, name string, data []byte) []*x509.Certificate {
	list, err := certificates(data)
	if err != nil {
		r.report(key, index, hintFor(data), "%s %v", name, err)
		return nil
	}
	for _, c := range list {
		switch {
		case r.now.After(c.NotAfter):
			r.warn(key, index, "take it out, or replace it by its successor", "%s holds a certificate that expired on %s: %s", name, c.NotAfter.Format(day), nameOf(c))
		case r.now.Before(c.NotBefore):
			r.warn(key, index, "is the clock of this machine right?", "%s holds a certificate that is not valid before %s: %s", name, c.NotBefore.Format(day), nameOf(c))
		}
	}
	return list
}

// certificates reads the certificates of PEM data, of which there must be some.
func certificates(data []byte) ([]*x509.Certificate, error) {
	var list []*x509.Certificate
	var others []string
	for rest := data; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" && block.Type != "TRUSTED CERTIFICATE" {
			others = append(others, block.Type)
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("holds a certificate that is damaged, the %s of it: %s", ordinal(len(list)+1), clean(strings.TrimPrefix(err.Error(), "x509: ")))
		}
		list = append(list, c)
	}
	switch {
	case len(list) > 0:
		return list, nil
	case len(others) > 0:
		return nil, fmt.Errorf("holds no certificate, but a %s", clean(strings.ToLower(others[0])))
	case bytes.Contains(data, []byte("-----BEGIN")):
		return nil, errors.New("holds no whole certificate: it is cut or damaged")
	default:
		return nil, errors.New("holds no certificate")
	}
}

// hintFor says how data that is no PEM becomes it.
func hintFor(data []byte) string {
	if len(data) > 1 && data[0] == 0x30 && data[1]&0x80 != 0 { // a DER sequence
		return "it looks like DER; PEM is wanted: openssl x509 -inform der -in FILE -out FILE.pem"
	}
	return "PEM is wanted: text with -----BEGIN CERTIFICATE-----"
}

func ordinal(n int) string {
	if n <= 3 {
		return []string{"first", "second", "third"}[n-1]
	}
	return fmt.Sprintf("%dth", n)
}

// client is the certificate that this machine shows, with its key.
func (r *reader) client(h Host) *tls.Certificate {
	cert, certRead := r.file("client_cert", 0, h.ClientCert)
	key, keyRead := r.file("client_key", 0, h.ClientKey)
	if !certRead || !keyRead {
		return nil
	}
	list, err := certificates(cert)
	if err != nil {
		r.report("client_cert", 0, hintFor(cert), "%s %v", h.ClientCert, err)
		return nil
	}
	if why, hint := wrongKey(key); why != "" {
		r.report("client_key", 0, hint, "%s %s", h.ClientKey, why)
		return nil
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil { // both are what they should be, one by one
		r.report("client_key", 0, "compare: openssl x509 -noout -pubkey -in CERT, openssl pkey -pubout -in KEY",
			"%s is not the key of the certificate in %s (%s)", h.ClientKey, h.ClientCert, nameOf(list[0]))
		return nil
	}
	r.judge(h.ClientCert, list[0])
	return &pair
}

// wrongKey says what is wrong with the PEM data of a private key.
func wrongKey(data []byte) (why, hint string) {
	for rest := data; ; {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		switch {
		case block == nil:
			return "holds no private key", "PEM is wanted: text with -----BEGIN PRIVATE KEY-----"
		case block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED"):
			return "holds a key that is encrypted, which nothing here can decrypt", "openssl pkey -in FILE -out FILE.pem, and keep it where only Drawbridge can read it"
		case block.Type == "PRIVATE KEY" || strings.HasSuffix(block.Type, " PRIVATE KEY"):
			return "", ""
		}
	}
}

// judge says whether a client certificate can be shown now.
func (r *reader) judge(path string, c *x509.Certificate) {
	switch {
	case r.now.After(c.NotAfter):
		r.report("client_cert", 0, "services would refuse it; get a new one", "the certificate in %s expired on %s (%s)", path, c.NotAfter.Format(day), nameOf(c))
	case r.now.Before(c.NotBefore):
		r.report("client_cert", 0, "is the clock of this machine right?", "the certificate in %s is not valid before %s (%s)", path, c.NotBefore.Format(day), nameOf(c))
	case r.now.Add(soon).After(c.NotAfter):
		r.warn("client_cert", 0, "get a new one", "the certificate in %s expires soon, on %s (%s)", path, c.NotAfter.Format(day), nameOf(c))
	}
	if len(c.ExtKeyUsage) > 0 && !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageClientAuth) && !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny) {
		r.warn("client_cert", 0, "ask for one with the extended key usage clientAuth", "the certificate in %s is not meant for clients: services may refuse it (%s)", path, nameOf(c))
	}
}

// pool is what is trusted: nil for the system's authorities alone.
func pool(h Host, authorities []*x509.Certificate) (*x509.CertPool, error) {
	if h.systemRoots() && len(authorities) == 0 {
		return nil, nil //nolint:nilnil // as in tls.Config: no pool is the system's
	}
	out := x509.NewCertPool()
	if h.systemRoots() {
		system, err := x509.SystemCertPool()
		if err != nil {
			return nil, fmt.Errorf("reading the authorities of the system: %w", err)
		}
		out = system
	}
	for _, c := range authorities {
		out.AddCert(c)
	}
	return out, nil
}
