package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// mostStarts bounds how often one run is started and resumed.
const mostStarts = 40

// round carries one run through a number of kills to its end and checks it.
func (h *harness) round(ctx context.Context, s scenario, kills int) error {
	marker := fmt.Sprintf("marker-%d", h.sum.runs)
	dir, err := h.project(marker)
	if err != nil {
		return err
	}
	if err := h.tenant.misbehave(ctx, s.faults); err != nil {
		return err
	}
	before, err := h.tenant.changes(ctx)
	if err != nil {
		return err
	}
	killed, err := h.carryThrough(ctx, s, dir, marker, kills)
	if err != nil {
		return fmt.Errorf("%s: %w", marker, err)
	}
	if err := h.verify(ctx, s, dir, marker, len(before)); err != nil {
		return fmt.Errorf("%s after %d kills: %w", marker, killed, err)
	}
	h.sum.runs++
	h.sum.accounts += s.accounts
	if h.verbose {
		fmt.Fprintf(h.out, "%s %s: %d kills\n", marker, s.playbook, killed)
	}
	return os.RemoveAll(dir)
}

// carryThrough starts, kills and resumes until the run is over.
func (h *harness) carryThrough(ctx context.Context, s scenario, dir, marker string, kills int) (killed int, err error) {
	for range mostStarts {
		status, err := h.status(ctx, dir)
		if err != nil {
			return killed, err
		}
		args := []string{"runs", "resume"}
		switch {
		case status == "":
			args = []string{"run", s.playbook, "-i", "marker=" + marker, "-i", "exclude=" + h.exclude}
		case isFinal(status):
			return killed, nil
		default:
			h.sum.resumes++
		}
		after := time.Duration(0)
		if killed < kills && h.sum.kills < h.kills {
			after = h.moment(s, killed)
		}
		began := time.Now()
		dead, err := h.start(ctx, dir, after, args)
		if err != nil {
			return killed, err
		}
		if kills == 0 {
			h.took[s.playbook] = time.Since(began)
		}
		if dead {
			killed++
			h.sum.kills++
		}
	}
	return killed, fmt.Errorf("the run is not over after %d starts", mostStarts)
}

// moment is when to kill next: anywhere in a whole run, and sooner after each
// kill, because less and less is left to be done.
func (h *harness) moment(s scenario, killed int) time.Duration {
	return 1 + time.Duration(h.random.Int64N(1+int64(h.took[s.playbook])/int64(1+killed)))
}

// start runs the binary and, where after is not 0, kills it then. It reports
// whether the kill found it alive.
func (h *harness) start(ctx context.Context, dir string, after time.Duration, args []string) (bool, error) {
	cmd := h.command(ctx, dir, args...)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		return false, fmt.Errorf("starting the binary: %w", err)
	}
	if after > 0 {
		timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() }) // it may be over already
		defer timer.Stop()
	}
	err := cmd.Wait()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return false, nil
	case errors.As(err, &exit) && signalled(exit):
		return true, nil
	default:
		return false, fmt.Errorf("%v: %w\n%s", args, err, output.Bytes())
	}
}

func signalled(exit *exec.ExitError) bool {
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled()
}

func (h *harness) command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, h.binary, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), h.tenant.Environ()...)
	return cmd
}

// status is how the folder's only run stands; "" before it was recorded.
func (h *harness) status(ctx context.Context, dir string) (string, error) {
	if _, err := os.Stat(filepath.Join(dir, "drawbridge.db")); errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	out, err := h.command(ctx, dir, "runs", "list", "-o", "json").Output()
	if err != nil {
		return "", fmt.Errorf("listing the runs: %w\n%s", err, out)
	}
	var list struct {
		Runs []struct {
			Status string `json:"status"`
		} `json:"runs"`
	}
	if err := json.Unmarshal(out, &list); err != nil {
		return "", fmt.Errorf("listing the runs: %w", err)
	}
	switch len(list.Runs) {
	case 0:
		return "", nil
	case 1:
		return list.Runs[0].Status, nil
	default:
		return "", fmt.Errorf("there are %d runs, and one was started", len(list.Runs))
	}
}

func isFinal(status string) bool {
	switch status {
	case "interrupted", "running", "queued", "unsettled", "waiting":
		return false
	default:
		return true
	}
}
