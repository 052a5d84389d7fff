package server

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine/secret"
)

// The headers of a signed delivery.
const (
	TimestampHeader = "X-Drawbridge-Timestamp" // Unix seconds, in decimal
	SignatureHeader = "X-Drawbridge-Signature" // v1=<hex>
)

// DefaultTolerance is how far a delivery's time may be from now, both ways.
const DefaultTolerance = 5 * time.Minute

// Reasons why a delivery is refused; they are logged, and never answered.
var (
	errUnsigned  = errors.New("it carries neither a signature nor a token that this webhook knows")
	errTimestamp = errors.New("its timestamp is missing, malformed or too far from now")
	errSignature = errors.New("its signature is wrong")
	errToken     = errors.New("its token is wrong")
)

// Sign is the value of SignatureHeader for a body sent at a time.
func Sign(key secret.Value, at time.Time, body []byte) string {
	return "v1=" + hex.EncodeToString(mac(key, strconv.FormatInt(at.Unix(), 10), body))
}

func mac(key secret.Value, timestamp string, body []byte) []byte {
	h := hmac.New(sha256.New, []byte(key.Reveal()))
	h.Write([]byte(timestamp))
	h.Write([]byte("."))
	h.Write(body)
	return h.Sum(nil)
}

// verify checks a signature and returns it as hex, by which a delivery that
// comes again is known. It does the same work whatever is wrong.
func verify(header http.Header, key secret.Value, body []byte, now time.Time, tolerance time.Duration) (string, error) {
	timestamp := header.Get(TimestampHeader)
	want := mac(key, timestamp, body)
	text, _ := strings.CutPrefix(header.Get(SignatureHeader), "v1=")
	got, _ := hex.DecodeString(text) // what is no hex equals nothing
	if !hmac.Equal(got, want) {
		return "", errSignature
	}
	if !current(timestamp, now, tolerance) {
		return "", errTimestamp
	}
	return hex.EncodeToString(want), nil
}

func current(timestamp string, now time.Time, tolerance time.Duration) bool {
	seconds, err := strconv.ParseUint(timestamp, 10, 40)
	if err != nil {
		return false
	}
	off := now.Sub(time.Unix(int64(seconds), 0))
	return off.Abs() <= tolerance
}

// sameToken compares in constant time, whatever the lengths.
func sameToken(header http.Header, want secret.Value) bool {
	got, bearer := strings.CutPrefix(header.Get("Authorization"), "Bearer ")
	a, b := sha256.Sum256([]byte(got)), sha256.Sum256([]byte(want.Reveal()))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1 && bearer
}
