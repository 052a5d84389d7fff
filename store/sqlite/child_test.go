package sqlite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// child is what the test binary does when a test starts it as another process.
func child(role string, args []string) int {
	err := fmt.Errorf("no such role %q", role)
	switch role {
	case "commit":
		err = childCommits(args[0])
	case "freeze":
		err = childFreezes(args[0])
	case "unprivileged":
		err = childOpens(args[0])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

const (
	childRuns = 4
	nobody    = 65534
)

// childCommits drives runs until it is killed, and prints "RUN SEQ" for every
// commit that returned.
func childCommits(path string) error {
	s, err := Open(path, Options{Mode: Engine, Command: "child"})
	if err != nil {
		return err
	}
	var (
		wg   sync.WaitGroup
		errs [childRuns]error
	)
	for i := range childRuns {
		wg.Go(func() { errs[i] = drive(s, fmt.Sprintf("run_%d", i)) })
	}
	wg.Wait()
	return errors.Join(errs[:]...)
}

func drive(s *Store, run string) error {
	ctx := context.Background()
	last, err := lastOf(ctx, s, run)
	if errors.Is(err, engine.ErrNotFound) {
		err = s.Commit(ctx, first(run))
	}
	for seq := last + 1; err == nil; seq++ {
		b := numbered(run, seq)
		if seq%16 == 0 {
			b.Snapshots = []engine.Snapshot{{Run: run, Seq: seq, Data: make([]byte, 5000)}}
		}
		if err = s.Commit(ctx, b); err == nil {
			_, err = fmt.Printf("%s %d\n", run, seq)
		}
	}
	return err
}

// lastOf is the last event of a run, in its journal or in its snapshot.
func lastOf(ctx context.Context, s *Store, run string) (uint64, error) {
	snap, err := s.Snapshot(ctx, run)
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		return 0, err
	}
	events, err := s.Events(ctx, run, snap.Seq)
	if err != nil || len(events) == 0 {
		return snap.Seq, err
	}
	return events[len(events)-1].Seq, nil
}

// childOpens gives its privileges up and says what opening a database gives.
func childOpens(path string) error {
	if os.Getuid() == 0 {
		if err := errors.Join(syscall.Setgid(nobody), syscall.Setuid(nobody)); err != nil {
			return err
		}
	}
	_, err := Open(path, Options{Mode: Engine})
	for _, known := range []error{ErrUnwritable, ErrPermissions} {
		if errors.Is(err, known) {
			fmt.Printf("engine: %v\n", known)
		}
	}
	s, err := Open(path, Options{Mode: ReadOnly})
	if err != nil {
		return err
	}
	r, err := s.Run(context.Background(), "run_1")
	fmt.Printf("reads %s\n", r.ID)
	return errors.Join(err, s.Close())
}

// start starts the test binary in a role. What it prints comes line by line.
func start(t *testing.T, role string, args ...string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", args...)
	if _, err := os.Stat(cmd.Path); errors.Is(err, fs.ErrNotExist) {
		cmd = exec.Command(os.Args[0], args...)
	}
	cmd.Env, cmd.Stderr = append(os.Environ(), childEnv+"="+role), os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = io.Copy(io.Discard, out) })
	return cmd, bufio.NewScanner(out)
}
