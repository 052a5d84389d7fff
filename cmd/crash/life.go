package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// span is a time during which a server answered.
type span struct{ from, to time.Time }

// servers is one server after the other, on one database and one address.
type servers struct {
	command func(ctx context.Context, args ...string) *exec.Cmd
	listen  string
	log     *os.File

	mu    sync.Mutex
	ready bool
	spans []span
}

// life is one process.
type life struct {
	cmd  *exec.Cmd
	over chan struct{} // closed when it has ended
	said *tail
	err  error // of Wait, once over is closed
}

func (s *servers) start(ctx context.Context) (*life, error) {
	l := &life{cmd: s.command(ctx, "serve", "--listen", s.listen), over: make(chan struct{}), said: &tail{}}
	l.cmd.Stdout, l.cmd.Stderr = io.Discard, io.MultiWriter(s.log, l.said)
	if err := l.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the server: %w", err)
	}
	go func() {
		l.err = l.cmd.Wait()
		close(l.over)
	}()
	go s.watch(l)
	return l, nil
}

// watch notes from when until when a process answers.
func (s *servers) watch(l *life) {
	for !s.answers() {
		select {
		case <-l.over:
			return
		case <-time.After(5 * time.Millisecond):
		}
	}
	s.mu.Lock()
	s.ready, s.spans = true, append(s.spans, span{from: time.Now()})
	s.mu.Unlock()
	<-l.over
	s.mu.Lock()
	s.ready, s.spans[len(s.spans)-1].to = false, time.Now()
	s.mu.Unlock()
}

func (s *servers) answers() bool {
	client := http.Client{Timeout: time.Second}
	resp, err := client.Get("http://" + s.listen + "/healthz") //nolint:noctx // the client has a time-out
	if err != nil {
		return false
	}
	return resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
}

func (s *servers) up() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ready
}

// lived is when servers answered so far.
func (s *servers) lived() []span {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]span(nil), s.spans...)
}

// kill ends a process after a time with kill -9. It is false where the process
// had ended by itself, which it may do only because a command of the operator
// holds the database at that moment.
func (l *life) kill(after time.Duration) (bool, error) {
	select {
	case <-l.over:
		return false, l.excuse()
	case <-time.After(after):
	}
	if err := l.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return false, fmt.Errorf("killing the server: %w", err)
	}
	<-l.over
	var exit *exec.ExitError
	if errors.As(l.err, &exit) && signalled(exit) {
		return true, nil
	}
	return false, l.excuse()
}

func (l *life) excuse() error {
	if strings.Contains(l.said.String(), "in use") {
		return nil
	}
	return fmt.Errorf("a server ended by itself: %w\n%s", l.err, l.said)
}

// stop ends a process as an operator does, and waits until it has.
func (l *life) stop(ctx context.Context) error {
	if err := l.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stopping the server: %w", err)
	}
	select {
	case <-l.over:
	case <-ctx.Done():
		return fmt.Errorf("stopping the server: %w", ctx.Err())
	}
	if l.err != nil {
		return fmt.Errorf("stopping the server: %w\n%s", l.err, l.said)
	}
	return nil
}

// tail keeps the last of what a process says.
type tail struct {
	mu   sync.Mutex
	data []byte
}

const tailSize = 4 << 10

// Write keeps the last of what is written.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.data = append(t.data, p...)
	if over := len(t.data) - tailSize; over > 0 {
		t.data = append([]byte(nil), t.data[over:]...)
	}
	return len(p), nil
}

// String is what was kept.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.data)
}
