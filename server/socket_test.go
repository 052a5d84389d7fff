package server_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/server"
)

// place is a path that is short enough for a socket.
func place(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sock") //nolint:usetesting // t.TempDir is too long for it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "d.sock")
}

// serving carries out commands at a socket until the test ends.
func serving(t *testing.T, run func(context.Context, server.Command) server.End) string {
	t.Helper()
	path := place(t)
	l, err := server.Listen(path, 0o600, "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Commands{Run: run}.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the socket stays: %v", err)
		}
	})
	return path
}

func dial(t *testing.T, path string) net.Conn {
	t.Helper()
	conn, err := server.Dial(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestACommandThroughTheSocket(t *testing.T) {
	large := strings.Repeat("line\n", 1<<19)
	path := serving(t, func(_ context.Context, c server.Command) server.End {
		fmt.Fprint(c.Stdout, large)
		c.Begun("run_1")
		fmt.Fprintf(c.Stderr, "%s asks for %v with %s", c.Peer.Name, c.Args, c.Sources)
		return server.End{Code: 4}
	})
	var out, errs bytes.Buffer
	var begun string
	end, err := server.Ask(t.Context(), dial(t, path), server.Request{Args: []string{"run", "x"}, Sources: []byte("sources")}, server.Answer{Stdout: &out, Stderr: &errs, Begun: func(run string) { begun = run }})
	if err != nil || end.Code != 4 || out.String() != large || begun != "run_1" {
		t.Errorf("got %+v, %v and %d bytes", end, err, out.Len())
	}
	me, err := user.Current()
	if err != nil {
		t.Skip(err)
	}
	if want := me.Username + " asks for [run x] with sources"; errs.String() != want {
		t.Errorf("got %q, want %q", errs.String(), want)
	}
}

func TestHangingUpEndsTheCommandsContext(t *testing.T) {
	began, ended := make(chan struct{}), make(chan struct{})
	path := serving(t, func(ctx context.Context, _ server.Command) server.End {
		close(began)
		<-ctx.Done()
		close(ended)
		return server.End{}
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-began; cancel() }()
	if _, err := server.Ask(ctx, dial(t, path), server.Request{}, server.Answer{Stdout: io.Discard, Stderr: io.Discard}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	<-ended
}

func TestAServerThatStopsEndsItsCommands(t *testing.T) {
	path := place(t)
	l, err := server.Listen(path, 0o600, "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	commands := server.Commands{Run: func(ctx context.Context, _ server.Command) server.End {
		cancel()
		<-ctx.Done()
		return server.End{Code: 130}
	}}
	done := make(chan error, 1)
	go func() { done <- commands.Serve(ctx, l) }()
	end, err := server.Ask(context.Background(), dial(t, path), server.Request{}, server.Answer{Stdout: io.Discard, Stderr: io.Discard})
	if err != nil || end.Code != 130 {
		t.Errorf("got %+v, %v", end, err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestAClientThatSaysNothingDoesNotKeepTheServerFromStopping(t *testing.T) {
	path := place(t)
	l, err := server.Listen(path, 0o600, "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- server.Commands{}.Serve(ctx, l) }()
	conn := dial(t, path)
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write([]byte("r\x00\x00\x01")); err != nil { // the beginning of a request
		t.Fatal(err)
	}
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(5 * time.Second): // half of what a client has to say what it wants
		t.Error("the server waits for it")
	}
}

func TestAClientThatReadsNothingIsGivenUpOnce(t *testing.T) {
	path, ended := place(t), make(chan struct{})
	l, err := server.Listen(path, 0o600, "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	commands := server.Commands{Patience: 200 * time.Millisecond, Run: func(ctx context.Context, c server.Command) server.End {
		defer close(ended)
		piece := bytes.Repeat([]byte("x"), 1<<20)
		for {
			if _, err := c.Stdout.Write(piece); err != nil {
				break
			}
		}
		<-ctx.Done() // as where it had hung up
		began := time.Now()
		for range 100 {
			_, _ = c.Stderr.Write(piece)
		}
		if late := time.Since(began); late > 5*time.Second {
			t.Errorf("it was waited for again and again: %v", late)
		}
		return server.End{}
	}}
	done := make(chan error, 1)
	go func() { done <- commands.Serve(ctx, l) }()
	conn := dial(t, path)
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write([]byte("r\x00\x00\x00\x0e{\"protocol\":1}")); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Error("its command goes on")
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestOneUserDoesNotKeepTheOthersOut(t *testing.T) {
	path := serving(t, func(context.Context, server.Command) server.End { return server.End{} })
	var idle []net.Conn
	for range 64 {
		idle = append(idle, dial(t, path))
	}
	one := server.Request{Sources: make([]byte, 1<<20)} // more than anybody takes who does not listen
	ask := func(until int) (said string) {
		for code := -1; code != until; { // they come and leave one after the other
			var errs bytes.Buffer
			end, err := server.Ask(t.Context(), dial(t, path), one, server.Answer{Stdout: io.Discard, Stderr: &errs})
			if err != nil {
				t.Fatal(err)
			}
			code, said = end.Code, errs.String()
		}
		return said
	}
	if said := ask(1); !strings.Contains(said, "you have 64 commands under way") {
		t.Errorf("got %q", said)
	}
	for _, conn := range idle {
		_ = conn.Close()
	}
	ask(0)
}

func TestWhatIsNoProtocolIsAnswered(t *testing.T) {
	path := serving(t, func(context.Context, server.Command) server.End {
		t.Error("it was taken for a command")
		return server.End{}
	})
	for _, sent := range []string{"GET / HTTP/1.1\r\n\r\n", "r\xff\xff\xff\xff", "1\x00\x00\x00\x02{}", "r\x00\x00\x00\x02{}", "r\x00\x00\x00\x01{"} {
		conn := dial(t, path)
		if _, err := conn.Write([]byte(sent)); err != nil {
			t.Fatal(err)
		}
		var got [1]byte
		if _, err := conn.Read(got[:]); err != nil || got[0] != 'x' {
			t.Errorf("%q: got %q, %v", sent, got, err)
		}
		_ = conn.Close()
	}
}

func TestListen(t *testing.T) {
	path := place(t)
	if _, err := server.Dial(t.Context(), path); !errors.Is(err, server.ErrNoServer) {
		t.Errorf("without a socket: %v", err)
	}
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false)
	_ = left.Close()
	if _, err := server.Dial(t.Context(), path); !errors.Is(err, server.ErrNoServer) {
		t.Errorf("of a process that is gone: %v", err)
	}
	l, err := server.Listen(path, 0o660, "")
	if err != nil {
		t.Fatalf("where a dead one left it: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}
	if _, err := server.Listen(path, 0o600, ""); !errors.Is(err, server.ErrInUse) {
		t.Errorf("a second one: %v", err)
	}
	_ = l.Close()
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("closed, and it stays: %v", err)
	}
}

func TestWhereListenRefuses(t *testing.T) {
	path := place(t)
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Listen(path, 0o600, ""); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("over a file: %v", err)
	}
	if data, _ := os.ReadFile(path); string(data) != "precious" {
		t.Error("the file is gone")
	}
	if _, err := server.Listen(place(t), 0o660, "no-such-group"); err == nil || !strings.Contains(err.Error(), "no-such-group") {
		t.Errorf("with an unknown group: %v", err)
	}
	if _, err := server.Listen("/tmp/"+strings.Repeat("x", 120), 0o600, ""); err == nil || !strings.Contains(err.Error(), "longer") {
		t.Errorf("with a long path: %v", err)
	}
}
