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
	maxClients     = 128              // at the same time; more wait
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
}

// Serve takes commands until ctx ends, and then waits until those under way
// have ended, whose contexts end with it. It closes the listener.
func (s Commands) Serve(ctx context.Context, l net.Listener) error {
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	var clients sync.WaitGroup
	defer clients.Wait()
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
			s.serve(ctx, conn)
		})
	}
}

func acceptError(ctx context.Context, l net.Listener, err error) error {
	if ctx.Err() != nil {
		return nil //nolint:nilerr // it was told to stop, and that is no error
	}
	return errors.Join(fmt.Errorf("taking commands from the socket: %w", err), l.Close())
}

func (s Commands) serve(ctx context.Context, conn net.Conn) {
	peer, request, err := hear(conn)
	if err != nil {
		if !errors.Is(err, io.EOF) { // somebody only looked whether anybody answers
			s.Log.Warn("a command through the socket was not understood", "error", err)
		}
		_ = writeJSON(conn, frameEnd, End{Code: 1}) // nobody may be there any more
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go watchHangUp(conn, cancel)
	out := &frames{to: patient{conn}}
	s.Log.Info("a command through the socket", "user", peer.Name, "command", firstOf(request.Args))
	end := s.Run(ctx, Command{Request: request, Peer: peer, Stdout: stream{out, frameStdout}, Stderr: stream{out, frameStderr}, Begun: out.begun})
	if err := out.end(end); err != nil {
		s.Log.Debug("a client left before its command ended", "user", peer.Name, "error", err)
	}
}

// hear reads who asks and for what.
func hear(conn net.Conn) (Peer, Request, error) {
	var request Request
	peer, err := PeerOf(conn)
	if err != nil {
		return peer, request, err
	}
	if err := conn.SetReadDeadline(time.Now().Add(requestTimeout)); err != nil {
		return peer, request, fmt.Errorf("limiting the time for a request: %w", err)
	}
	kind, data, err := readFrame(conn, maxRequest)
	if err != nil {
		return peer, request, err
	}
	if err := json.Unmarshal(data, &request); err != nil || kind != frameRequest {
		return peer, request, errFrame
	}
	if request.Protocol != protocol {
		return peer, request, fmt.Errorf("%w: the client speaks version %d of it, and this server %d", errFrame, request.Protocol, protocol)
	}
	if err := conn.SetReadDeadline(time.Time{}); err != nil {
		return peer, request, fmt.Errorf("limiting the time for a request: %w", err)
	}
	return peer, request, nil
}

// watchHangUp cancels when the client is gone: it sends nothing more.
func watchHangUp(conn net.Conn, cancel func()) {
	var one [1]byte
	_, _ = conn.Read(one[:]) // whatever comes, the conversation is over
	cancel()
}

// patient gives a client some time to take each piece of output.
type patient struct{ conn net.Conn }

// Write writes p, or gives the client up.
func (p patient) Write(data []byte) (int, error) {
	if err := p.conn.SetWriteDeadline(time.Now().Add(outputTimeout)); err != nil {
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
