//go:build !linux

package server

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// peerUID is not known here: commands through the socket are refused.
func peerUID(*net.UnixConn) (uint32, error) {
	return 0, fmt.Errorf("%w on this system", ErrPeer)
}

// refused reports whether nobody listens on a socket that is there.
func refused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }
