//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package sqlite

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// tryExclusive takes the lock unless somebody has it.
func tryExclusive(f *os.File) (bool, error) {
	return flock(f, unix.LOCK_EX|unix.LOCK_NB)
}

// heldByOther looks through another descriptor than the holder's, with a shared
// lock that is given back at once and that others who look do not notice.
func heldByOther(f *os.File) (bool, error) {
	free, err := flock(f, unix.LOCK_SH|unix.LOCK_NB)
	if err != nil || !free {
		return !free, err
	}
	_, err = flock(f, unix.LOCK_UN)
	return false, err
}

// flock reports false where the lock would have to be waited for.
func flock(f *os.File, how int) (bool, error) {
	for {
		err := unix.Flock(int(f.Fd()), how)
		switch {
		case err == nil:
			return true, nil
		case errors.Is(err, unix.EWOULDBLOCK):
			return false, nil
		case !errors.Is(err, unix.EINTR):
			return false, fmt.Errorf("locking %s: %w", f.Name(), err)
		}
	}
}
