package rest

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// Signature says what an HMAC is made of.
type Signature struct {
	Hash      string   // sha256 (the default) or sha512
	Encoding  string   // hex (the default) or base64
	Parts     []string // of method, path (with the query), timestamp, body; all four in this order by default
	Separator string   // between parts; a newline by default
	Timestamp string   // the header with the time in Unix seconds; "X-Timestamp" by default
}

func parts() []string { return []string{"method", "path", "timestamp", "body"} }

// withDefaults fills in what is not said.
func (g Signature) withDefaults() Signature {
	if len(g.Parts) == 0 {
		g.Parts = parts()
	}
	if g.Separator == "" {
		g.Separator = "\n"
	}
	if g.Timestamp == "" {
		g.Timestamp = "X-Timestamp"
	}
	return g
}

func (g Signature) hash() (func() hash.Hash, bool) {
	switch g.Hash {
	case "", "sha256":
		return sha256.New, true
	case "sha512":
		return sha512.New, true
	default:
		return nil, false
	}
}

func (s *Service) signature() (authorizer, error) {
	a := s.config.Auth
	g := a.Signature.withDefaults()
	newHash, known := g.hash()
	name := a.Header
	if name == "" {
		name = "X-Signature"
	}
	unknown := slices.ContainsFunc(g.Parts, func(p string) bool { return !slices.Contains(parts(), p) })
	switch {
	case !known:
		return authorizer{}, engine.Fail(engine.ClassInvalid, "auth", "there is no hash %q; write sha256 or sha512", g.Hash)
	case g.Encoding != "" && g.Encoding != "hex" && g.Encoding != "base64":
		return authorizer{}, engine.Fail(engine.ClassInvalid, "auth", "there is no encoding %q; write hex or base64", g.Encoding)
	case unknown:
		return authorizer{}, engine.Fail(engine.ClassInvalid, "auth", "a signature is made of %s", strings.Join(parts(), ", "))
	case !slices.Contains(g.Parts, "body"):
		return authorizer{}, engine.Fail(engine.ClassInvalid, "auth", "a signature must be made of the body, too")
	case !isToken(name) || isReserved(name) || !isToken(g.Timestamp) || isReserved(g.Timestamp):
		return authorizer{}, engine.Fail(engine.ClassInvalid, "auth", "%q and %q cannot be the headers of a signature", name, g.Timestamp)
	}
	var last atomic.Value // the key of the last signature
	return authorizer{header: http.CanonicalHeaderKey(name), sign: func(ctx context.Context, header http.Header, r signed) (bool, error) {
		refused := ""
		if header.Get(name) != "" {
			refused, _ = last.Load().(string)
		}
		key, err := transport.Renewed(ctx, s.config.Secrets, "a credential", a.Secret, refused)
		if err != nil {
			return false, err //nolint:wrapcheck // says it all
		}
		last.Store(key.Reveal())
		at := strconv.FormatInt(s.config.Now().Unix(), 10)
		mac := hmac.New(newHash, []byte(key.Reveal()))
		_, _ = mac.Write(g.content(r, at)) // a hash takes everything
		sum := hex.EncodeToString(mac.Sum(nil))
		if g.Encoding == "base64" {
			sum = base64.StdEncoding.EncodeToString(mac.Sum(nil))
		}
		header.Set(g.Timestamp, at)
		header.Set(name, a.Prefix+sum)
		return key.Reveal() != refused, nil
	}}, nil
}

// content is what is signed.
func (g Signature) content(r signed, at string) []byte {
	all := make([]string, len(g.Parts))
	for i, part := range g.Parts {
		switch part {
		case "method":
			all[i] = r.method
		case "path":
			all[i] = r.url.RequestURI()
		case "timestamp":
			all[i] = at
		case "body":
			all[i] = string(r.body)
		}
	}
	return []byte(strings.Join(all, g.Separator))
}
