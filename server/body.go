package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Limits of a body, beyond its size.
const (
	maxDepth = 64 // lists and maps within each other
	maxWrong = 20 // fields that one answer names
)

var errJSON = errors.New("the body must be one JSON document in UTF-8, without a key given twice, and nested at most " + strconv.Itoa(maxDepth) + " deep")

// decode reads a body as JSON, strictly.
func decode(body []byte) (any, error) {
	if !utf8.Valid(body) {
		return nil, errJSON
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	v, err := decodeValue(dec, 0)
	if err != nil {
		return nil, errJSON
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errJSON
	}
	return v, nil
}

func decodeValue(dec *json.Decoder, depth int) (any, error) {
	token, err := dec.Token()
	_, opens := token.(json.Delim)
	switch {
	case err != nil, opens && depth >= maxDepth:
		return nil, errJSON
	case token == json.Delim('{'):
		return decodeMap(dec, depth+1)
	case token == json.Delim('['):
		return decodeList(dec, depth+1)
	default:
		return token, nil
	}
}

func decodeMap(dec *json.Decoder, depth int) (any, error) {
	out := map[string]any{}
	for dec.More() {
		token, err := dec.Token()
		name, ok := token.(string)
		if _, twice := out[name]; err != nil || !ok || twice {
			return nil, errJSON
		}
		if out[name], err = decodeValue(dec, depth); err != nil {
			return nil, err
		}
	}
	_, err := dec.Token() // the end
	return out, err
}

func decodeList(dec *json.Decoder, depth int) (any, error) {
	out := []any{}
	for dec.More() {
		v, err := decodeValue(dec, depth)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	_, err := dec.Token() // the end
	return out, err
}

// wrong is a field that does not have its declared shape. It never holds a
// value of the body.
type wrong struct {
	Path string `json:"path"` // body.alert.id, body.users[3]
	Want string `json:"want"` // the declared type
	Got  string `json:"got"`  // the kind of what came
}

// mismatches are the fields of a body that are not as declared, at most maxWrong.
func mismatches(raw any, t engine.Type) []wrong {
	c := &checker{}
	c.check(raw, t, "body")
	return c.found
}

type checker struct{ found []wrong }

func (c *checker) full() bool { return len(c.found) >= maxWrong }

func (c *checker) add(path string, t engine.Type, raw any) {
	if !c.full() {
		c.found = append(c.found, wrong{Path: path, Want: t.String(), Got: kindOf(raw)})
	}
}

func (c *checker) check(raw any, t engine.Type, path string) {
	list, isList := raw.([]any)
	object, isMap := raw.(map[string]any)
	switch {
	case c.full(), raw == nil && t.Optional:
	case t.Kind == engine.KindList && isList && t.Elem != nil:
		for i, v := range list {
			c.check(v, *t.Elem, path+"["+strconv.Itoa(i)+"]")
		}
	case t.Kind == engine.KindMap && isMap:
		c.checkMap(object, t, path)
	default:
		if _, err := engine.Conform(raw, t); err != nil {
			c.add(path, t, raw)
		}
	}
}

func (c *checker) checkMap(object map[string]any, t engine.Type, path string) {
	for _, f := range t.Fields {
		v, there := object[f.Name]
		switch {
		case there:
			c.check(v, f.Type, path+"."+f.Name)
		case !f.Type.Optional && f.Type.Kind != engine.KindAny:
			c.add(path+"."+f.Name, f.Type, missing{})
		}
	}
	if t.Elem == nil {
		return
	}
	for name, v := range object {
		if _, declared := t.Field(name); !declared {
			c.check(v, *t.Elem, path+"[…]") // the sender's own key is a value, and not shown
		}
	}
}

// missing stands for a field that is not there.
type missing struct{}

// kindOf names the kind of what came.
func kindOf(raw any) string {
	switch raw.(type) {
	case missing:
		return "nothing"
	case nil:
		return "null"
	case bool:
		return "a bool"
	case string:
		return "a string"
	case json.Number:
		return "a number"
	case []any:
		return "a list"
	case map[string]any:
		return "a map"
	default:
		return "something else"
	}
}
