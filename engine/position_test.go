package engine_test

import (
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
)

func TestPositionKeyTellsReadersApart(t *testing.T) {
	t.Parallel()
	seen := map[string][]string{}
	for _, parts := range [][]string{
		{"f", "c", "log", "v", "r"}, {"g", "c", "log", "v", "r"}, {"f", "d", "log", "v", "r"}, {"f", "c", "gol", "v", "r"},
		{"f", "c", "log", "w", "r"}, {"f", "c", "log", "v", "s"}, {"fc", "", "log", "v", "r"}, {"f", "c", "log", "v", "r\n1 x"},
		{"f\n1 c", "c", "log", "v", "r"}, {"f", "c\n3 log", "", "v", "r"},
	} {
		key := engine.PositionKey(parts[0], parts[1], parts[2], parts[3], parts[4])
		if before, again := seen[key]; again {
			t.Errorf("%q and %q have the same position", before, parts)
		}
		seen[key] = parts
	}
	if again := engine.PositionKey("f", "c", "log", "v", "r"); seen[again] == nil {
		t.Error("the same reader has another position the second time")
	}
}
