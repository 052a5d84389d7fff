package rest

import (
	"encoding/json"
	"errors"
	"net/http"
	"unicode/utf8"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// AnswerKind is what an answer must be.
type AnswerKind int

// The kinds of answers.
const (
	AnswerJSON    AnswerKind = iota // JSON; an empty body only with a status that has none, such as 204
	AnswerText                      // text in UTF-8
	AnswerAny                       // JSON where it says so, else text, else nothing
	AnswerIgnored                   // nothing of it is looked at
)

// Answer is what a service has answered.
type Answer struct {
	Status int
	Header http.Header
	Body   any // the engine's values; a string where it is text, nil where there is none
}

// read is the answer of a response.
func read(kind AnswerKind, res transport.Response) (Answer, error) {
	a := Answer{Status: res.Status, Header: res.Header}
	if kind == AnswerIgnored || res.Status == http.StatusNoContent || res.Status == http.StatusResetContent {
		return a, nil
	}
	var err error
	switch {
	case kind == AnswerText:
		a.Body, err = text(res)
	case kind == AnswerJSON:
		a.Body, err = document(res)
	case len(res.Body) == 0:
	case res.IsJSON() && json.Valid(res.Body):
		a.Body, err = document(res)
	case utf8.Valid(res.Body):
		a.Body = string(res.Body)
	}
	return a, err
}

func text(res transport.Response) (string, error) {
	if !utf8.Valid(res.Body) {
		return "", engine.Fail(engine.ClassPermanent, transport.CodeBrokenAnswer, "the answer is not text in UTF-8")
	}
	return string(res.Body), nil
}

// document reads JSON into the engine's values.
func document(res transport.Response) (any, error) {
	var raw json.RawMessage
	if len(res.Body) == 0 {
		return nil, errors.New("it is empty where JSON was expected")
	}
	if err := res.JSON(&raw); err != nil {
		return nil, err //nolint:wrapcheck // says it all
	}
	v, err := engine.DecodeJSON(raw, engine.TypeAny())
	if err != nil {
		return nil, errors.New("a value could not be read")
	}
	return v, nil
}
