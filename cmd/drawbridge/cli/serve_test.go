package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/server"
)

// fakeLoop is an engine's own work that a test ends.
type fakeLoop struct {
	begun chan struct{}
	fail  chan error
}

func (l fakeLoop) Serve(ctx context.Context) error {
	close(l.begun)
	select {
	case <-ctx.Done():
		return nil
	case err := <-l.fail:
		return err
	}
}

// serving is a house that lets others in until the test ends it.
type serving struct {
	*house

	doors doors
	loop  fakeLoop
	done  chan error
	stop  func()
}

func serve(t *testing.T) *serving {
	t.Helper()
	dir, err := os.MkdirTemp("", "serve") //nolint:usetesting // short enough for the path of a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	r := &secret.Redactor{}
	a := &app{
		stdout: r.Writer(io.Discard), stderr: r.Writer(io.Discard), redactor: r, log: slog.New(slog.DiscardHandler), now: time.Now,
		lookup: os.LookupEnv, dbPath: filepath.Join(dir, "d.db"), health: &health{}, output: "table", running: "serve",
	}
	h := newHouse(a, &config.Config{})
	ctx, cancel := context.WithCancel(context.Background())
	if h.rt, err = a.start(ctx, h.conf, io.Discard, h.publish); err != nil {
		t.Fatal(err)
	}
	s := &serving{house: h, loop: fakeLoop{make(chan struct{}), make(chan error, 1)}, done: make(chan error, 1), stop: cancel}
	if s.doors, err = h.open(ctx, serveOptions{listen: "127.0.0.1:0"}); err != nil {
		t.Fatal(err)
	}
	handler, err := h.handler()
	if err != nil {
		t.Fatal(err)
	}
	go func() { s.done <- h.live(ctx, s.doors, handler.HTTP(), s.loop) }()
	t.Cleanup(func() {
		cancel()
		_ = h.rt.close()
	})
	return s
}

// command has a command carried out through the socket.
func (s *serving) command(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	conn, err := server.Dial(t.Context(), s.rt.path+".sock")
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	end, err := server.Ask(t.Context(), conn, server.Request{Args: args}, server.Answer{Stdout: &stdout, Stderr: &stderr})
	if err != nil {
		t.Fatal(err)
	}
	return end.Code, stdout.String(), stderr.String()
}

func TestServeWorksUntilItIsTold(t *testing.T) {
	s := serve(t)
	<-s.loop.begun
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		res, err := http.Get("http://" + s.doors.http.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
	if code, out, _ := s.command(t, "runs", "list", "-o", "json"); code != 0 || !strings.Contains(out, `"runs": []`) {
		t.Errorf("runs list: %d, %s", code, out)
	}
	s.stop()
	if err := <-s.done; err != nil {
		t.Errorf("told to stop, it says %v", err)
	}
	if _, err := server.Dial(t.Context(), s.rt.path+".sock"); !errors.Is(err, server.ErrNoServer) {
		t.Errorf("the socket still answers: %v", err)
	}
	if _, err := s.lend(); !errors.Is(err, errStopping) {
		t.Errorf("it still begins something: %v", err)
	}
}

func TestServeEndsWithItsEngine(t *testing.T) {
	s := serve(t)
	broken := errors.New("the disk failed")
	s.loop.fail <- broken
	if err := <-s.done; !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

// What touches the server's files, or its process, is carried out for nobody.
func TestWhatIsNotCarriedOutForOthers(t *testing.T) {
	s := serve(t)
	secretFile := filepath.Join(t.TempDir(), "mine.yaml")
	if err := os.WriteFile(secretFile, []byte("password: hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"check", secretFile}, {"test", secretFile}, {"init", t.TempDir()}, {"serve"}, {"demo"}, {"sim"}, {"gen"},
		{"run", secretFile}, {"plan", secretFile}, {"schedules", "next", secretFile},
		{"db", "backup", secretFile + ".db"}, {"db", "prune", "--keep", "1"}, {"db", "prune", "--compact"}, {"runs", "list", "--config", secretFile}, {"runs", "list", "--db", secretFile},
	} {
		code, out, errs := s.command(t, args...)
		if strings.Contains(out+errs, "hunter2") || strings.Contains(out+errs, "password") {
			t.Errorf("%v showed the file: %s%s", args, out, errs)
		}
		if args[0] != "runs" && code == 0 {
			t.Errorf("%v was carried out: %s%s", args, out, errs)
		}
	}
}
