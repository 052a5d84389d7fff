//go:build !cgo

package sqlite

import (
	"errors"
	"testing"
)

func TestWithoutSQLite(t *testing.T) {
	if _, err := Open(newPath(t), Options{Mode: Engine}); !errors.Is(err, ErrNoCgo) {
		t.Errorf("got the error %v, want %v", err, ErrNoCgo)
	}
}
