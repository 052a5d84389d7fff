package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"time"
)

// dialTimeout is how long a server may take to take a connection.
const dialTimeout = 2 * time.Second

// maxSocketPath is how long the path of a socket may be, in bytes.
const maxSocketPath = 100

// Errors of the socket.
var (
	// ErrInUse means that another process answers on the socket.
	ErrInUse = errors.New("another process answers on the socket")
	// ErrNoServer means that nobody answers.
	ErrNoServer = errors.New("no server answers")
	// ErrPeer means that the system does not say who is at the other end.
	ErrPeer = errors.New("who is at the other end of the socket cannot be known")
)

// Listen opens the socket at a path, for those whom its mode and group let in.
// Group is a name or a number; "" keeps that of the process. What a dead
// process left there is replaced; where one answers it is ErrInUse, and a file
// that is no socket stays. Closing the listener removes the socket.
func Listen(path string, mode fs.FileMode, group string) (net.Listener, error) {
	if len(path) > maxSocketPath {
		return nil, fmt.Errorf("the path of the socket is longer than %d bytes, which the system does not take: %s", maxSocketPath, path)
	}
	if err := removeStale(path); err != nil {
		return nil, err
	}
	// It is made where nobody else can reach it, and moved when it has its mode.
	private, err := os.MkdirTemp(filepath.Dir(path), ".s")
	if err != nil {
		return nil, fmt.Errorf("making the socket: %w", err)
	}
	defer func() { _ = os.RemoveAll(private) }() // it is empty by then
	made := filepath.Join(private, "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: made, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("making the socket: %w", err)
	}
	l.SetUnlinkOnClose(false)
	if err := publish(made, path, mode, group); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return &listener{UnixListener: l, path: path}, nil
}

func publish(made, path string, mode fs.FileMode, group string) error {
	if group != "" {
		gid, err := groupID(group)
		if err != nil {
			return err
		}
		if err := os.Chown(made, -1, gid); err != nil {
			return fmt.Errorf("giving the socket to the group %s: %w", group, err)
		}
	}
	if err := os.Chmod(made, mode.Perm()); err != nil {
		return fmt.Errorf("giving the socket its mode: %w", err)
	}
	if err := os.Rename(made, path); err != nil {
		return fmt.Errorf("making the socket: %w", err)
	}
	return nil
}

func groupID(group string) (int, error) {
	id := group
	if g, err := user.LookupGroup(group); err == nil {
		id = g.Gid
	}
	gid, err := strconv.Atoi(id)
	if err != nil {
		return 0, fmt.Errorf("there is no group %q for the socket", group)
	}
	return gid, nil
}

// listener removes its socket when it is closed.
type listener struct {
	*net.UnixListener

	path string
}

// Close stops listening and removes the socket.
func (l *listener) Close() error {
	_ = os.Remove(l.path) // a socket nobody answers on is replaced anyway
	return l.UnixListener.Close()
}

func removeStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("looking at the socket: %w", err)
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%s is there and is no socket: choose another path, or move it away", path)
	}
	conn, err := Dial(context.Background(), path)
	if err == nil {
		_ = conn.Close()
		return fmt.Errorf("%w: %s", ErrInUse, path)
	}
	if !errors.Is(err, ErrNoServer) {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing the socket of a process that is gone: %w", err)
	}
	return nil
}

// Dial reaches the server at a socket. Where there is none, or the process that
// made it is gone, it is ErrNoServer.
func Dial(ctx context.Context, path string) (net.Conn, error) {
	d := net.Dialer{Timeout: dialTimeout}
	conn, err := d.DialContext(ctx, "unix", path)
	switch {
	case err == nil:
		return conn, nil
	case errors.Is(err, fs.ErrNotExist), refused(err):
		return nil, fmt.Errorf("%w at %s", ErrNoServer, path)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("you may not use the socket %s of the server that has the database: %w", path, err)
	default:
		return nil, fmt.Errorf("reaching the server at %s: %w", path, err)
	}
}

// Peer is who is at the other end of a socket, as the kernel knows it.
type Peer struct {
	UID  uint32
	Name string // of the user; "uid:NUMBER" for one without
}

// PeerOf asks the kernel who is at the other end of a connection. What the
// other end says about itself is not asked.
func PeerOf(conn net.Conn) (Peer, error) {
	c, ok := conn.(*net.UnixConn)
	if !ok {
		return Peer{}, fmt.Errorf("%w: it is no local socket", ErrPeer)
	}
	uid, err := peerUID(c)
	if err != nil {
		return Peer{}, err
	}
	id := strconv.FormatUint(uint64(uid), 10)
	p := Peer{UID: uid, Name: "uid:" + id}
	if u, err := user.LookupId(id); err == nil && u.Username != "" {
		p.Name = u.Username
	}
	return p, nil
}
