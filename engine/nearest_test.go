package engine_test

import (
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	known := []string{"uses", "with", "wait", "while", "foreach", "on_error", "user.list", "user.get", "id", "if"}
	for name, want := range map[string]string{
		"use":                       "uses",
		"ues":                       "uses",
		"usse":                      "uses",
		"withe":                     "with",
		"on-error":                  "on_error",
		"On Error":                  "on_error",
		"forEach":                   "foreach",
		"for_each":                  "foreach",
		"users.list":                "user.list",
		"user.lst":                  "user.list",
		"ID":                        "id",
		"x":                         "",
		"ix":                        "",
		"uses":                      "", // it is known
		"completely":                "",
		"":                          "",
		strings.Repeat("uses", 100): "",
	} {
		if got := engine.Nearest(name, known); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
