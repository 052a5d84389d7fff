package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"
)

// Limits of the socket.
const (
	requestTimeout = 10 * time.Second // for a client to say what it wants
	outputTimeout  = 30 * time.Second // for a client to take what it is told
	maxClients     = 256              // at the same time; more wait
	maxOfOne       = 64               // of one user at the same time; more are refused
)

// Command is a command that came through the socket.
type Command struct {
	Request

	Peer           Peer // who asks, as the kernel knows it
	Stdout, Stderr io.Writer
	Begun          func(run string) // tells the client which run it follows
}

// Commands carries out commands that come through a socket.
type Commands struct {
	// Run carries a command out and says how it ended. Its context ends when the
	// client hangs up, which must not end a run that the command has begun.
	Run func(ctx context.Context, c Command) End
	Log *slog.Logger // discarded when nil
	// Patience is how long a client may take to take a piece of output before it
	// is given up; 30 seconds when 0.
	Patience time.Duration
}

// Serve takes commands until ctx ends, and then waits until those under way
// have ended, whose contexts end with it. It closes the listener.
func (s Commands) Serve(ctx context.Context, l net.Listener) error {
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	if s.Patience == 0 {
		s.Patience = outputTimeout
	}
	var clients sync.WaitGroup
	defer clients.Wait()
	present := &crowd{of: map[uint32]int{}}
	slots := make(chan struct{}, maxClients)
	for {
		conn, err := l.Accept()
		if err != nil {
			return acceptError(ctx, l, err)
		}
		slots <- struct{}{}
		clients.Go(func() {
			defer func() { <-slots }()
			defer func() { _ = conn.Close() }() // the client may have left
			s.greet(ctx, conn, present)
		})
	}
}

func acceptError(ctx context.Context, l net.Listener, err error) error {
	if ctx.Err() != nil {
		return nil //nolint:nilerr // it was told to stop, and that is no error
	}
	return errors.Join(fmt.Errorf("taking commands from the socket: %w", err), l.Close())
}

// crowd counts the clients of each user, so that none keeps the others out. It
// may be used by several goroutines.
type crowd struct {
	mu sync.Mutex
	of map[uint32]int
}

func (c *crowd) enter(uid uint32) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of[uid] >= maxOfOne {
		return false
	}
	c.of[uid]++
	return true
}

func (c *crowd) leave(uid uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of[uid]--; c.of[uid] == 0 {
		delete(c.of, uid)
	}
}

// greet finds out who asks, and serves them unless they ask too much.
func (s Commands) greet(ctx context.Context, conn net.Conn, present *crowd) {
	out := &frames{to: patient{conn, s.Patience}}
	peer, err := PeerOf(conn)
	switch {
	case err != nil:
		s.Log.Error("a command through the socket was refused", "error", err)
		_ = out.end(End{Code: 1}) // nobody may be there any more
	case !present.enter(peer.UID):
		s.Log.Warn("a command through the socket was refused: its user has too many under way", "user", peer.Name, "most", maxOfOne)
		fmt.Fprintf(stream{out, frameStderr}, "error: you have %d commands under way at the server, and may have no more: wait until one has ended\n", maxOfOne)
		_ = out.end(End{Code: 1}) // as above
	default:
		defer present.leave(peer.UID)
		s.serve(ctx, conn, peer, out)
	}
}

func (s Commands) serve(ctx context.Context, conn net.Conn, peer Peer, out *frames) {
	request, err := hear(ctx, conn)
	if err != nil {
		if !errors.Is(err, io.EOF) && ctx.Err() == nil { // somebody only looked whether anybody answers
			s.Log.Warn("a command through the socket was not understood", "user", peer.Name, "error", err)
		}
		_ = out.end(End{Code: 1}) // nobody may be there any more
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go watchHangUp(conn, cancel)
	out.given(cancel)
	s.Log.Info("a command through the socket", "user", peer.Name, "command", firstOf(request.Args))
	end := s.Run(ctx, Command{Request: request, Peer: peer, Stdout: stream{out, frameStdout}, Stderr: stream{out, frameStderr}, Begun: out.begun})
	if err := out.end(end); err != nil {
		s.Log.Debug("a client left before its command ended", "user", peer.Name, "error", err)
	}
}

// hear reads what a client asks for, unless ctx ends first.
func hear(ctx context.Context, conn net.Conn) (Request, error) {
	var request Request
	if err := conn.SetReadDeadline(time.Now().Add(requestTimeout)); err != nil {
		return request, fmt.Errorf("limiting the time for a request: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Now()) })
	kind, data, err := readFrame(conn, maxRequest)
	stop()
	if err != nil {
		return request, err
	}
	if err := json.Unmarshal(data, &request); err != nil || kind != frameRequest {
		return request, errFrame
	}
	if request.Protocol != protocol {
		return request, fmt.Errorf("%w: the client speaks version %d of it, and this server %d", errFrame, request.Protocol, protocol)
	}
	if err := conn.SetReadDeadline(time.Time{}); err != nil {
		return request, fmt.Errorf("limiting the time for a request: %w", err)
	}
	return request, nil
}

// watchHangUp cancels when the client is gone: it sends nothing more.
func watchHangUp(conn net.Conn, cancel func()) {
	var one [1]byte
	_, _ = conn.Read(one[:]) // whatever comes, the conversation is over
	cancel()
}

// patient gives a client some time to take each piece of output.
type patient struct {
	conn net.Conn
	time time.Duration
}

// Write writes p, or gives the client up.
func (p patient) Write(data []byte) (int, error) {
	if err := p.conn.SetWriteDeadline(time.Now().Add(p.time)); err != nil {
		return 0, err
	}
	return p.conn.Write(data)
}

// firstOf is the command without its arguments, which may be anything.
func firstOf(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return shortened(args[0])
}
