package server

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// peerUID is SO_PEERCRED: who connected, when they connected.
func peerUID(c *net.UnixConn) (uint32, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrPeer, err)
	}
	var cred *syscall.Ucred
	var asked error
	err = raw.Control(func(fd uintptr) {
		cred, asked = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	})
	if err := errors.Join(err, asked); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrPeer, err)
	}
	return cred.Uid, nil
}

// refused reports whether nobody listens on a socket that is there.
func refused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }
