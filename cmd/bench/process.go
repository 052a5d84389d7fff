package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"
)

// measured is what a process took.
type measured struct {
	time   time.Duration // wall clock, from start to end
	memory int64         // peak resident set, in bytes
}

// process runs a command in a folder to its end.
func process(ctx context.Context, dir string, env []string, name string, args ...string) (measured, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	began := time.Now()
	err := cmd.Run()
	took := time.Since(began)
	if err != nil {
		return measured{}, fmt.Errorf("running %v: %w\n%s", args, err, output.Bytes())
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return measured{}, errors.New("this system does not tell a process's peak memory")
	}
	return measured{time: took, memory: usage.Maxrss * rssUnit}, nil
}

// rssUnit is the unit of Rusage.Maxrss on Linux.
const rssUnit = 1 << 10

// itself runs this binary as one of the processes to be measured.
func itself(ctx context.Context, dir string, env []string, args ...string) (measured, error) {
	self, err := os.Executable()
	if err != nil {
		return measured{}, fmt.Errorf("finding this binary: %w", err)
	}
	return process(ctx, dir, env, self, args...)
}

func fastest(all []measured) measured {
	return slices.MinFunc(all, func(a, b measured) int { return int(a.time - b.time) })
}

func median(all []measured) time.Duration {
	times := make([]time.Duration, len(all))
	for i, m := range all {
		times[i] = m.time
	}
	slices.Sort(times)
	return times[len(times)/2]
}

func peak(all []measured) int64 {
	most := int64(0)
	for _, m := range all {
		most = max(most, m.memory)
	}
	return most
}

func mebibytes(n int64) string { return fmt.Sprintf("%.0f MiB", float64(n)/(1<<20)) }

func seconds(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}
