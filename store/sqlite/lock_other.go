//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package sqlite

import (
	"errors"
	"os"
)

var errNoLocks = errors.New("file locks are not available on this system")

func tryExclusive(*os.File) (bool, error) { return false, errNoLocks }

func heldByOther(*os.File) (bool, error) { return false, errNoLocks }
