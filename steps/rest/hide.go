package rest

import (
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine/secret"
)

// hide removes a header's value from foreign text, with and without its prefix
// and in every encoding.
func hide(text, value, prefix string) string {
	var redactor secret.Redactor
	redactor.Learn(secret.New(value))
	if bare := strings.TrimPrefix(value, prefix); len(bare) >= secret.MinLength {
		redactor.Learn(secret.New(bare))
	}
	return redactor.String(text)
}
