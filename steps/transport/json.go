package transport

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// JSON reads a JSON answer into v. An answer that says it is something else is
// a permanent failure, a cut one a broken answer. Unknown members are ignored.
func (r Response) JSON(v any) error {
	if !r.IsJSON() {
		return engine.Fail(engine.ClassPermanent, CodeNotJSON,
			"the answer is %s where JSON was expected; is the address right, or a proxy in between?", clean(r.Header.Get("Content-Type")))
	}
	if err := json.Unmarshal(r.Body, v); err != nil {
		return fmt.Errorf("decoding JSON: %w", shape(err))
	}
	return nil
}

// IsJSON reports whether the answer says that it is JSON, or does not say what it is.
func (r Response) IsJSON() bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err != nil || strings.HasSuffix(kind, "/json") || strings.HasSuffix(kind, "+json")
}

// shape keeps a decoding error's kind and drops the values it quotes.
func shape(err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return fmt.Errorf("%q has the wrong type", wrong.Field)
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("it is cut or malformed after %d bytes", syntax.Offset)
	}
	return errors.New("a value could not be read")
}
