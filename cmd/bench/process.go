package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
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
	if err := cmd.Start(); err != nil {
		return measured{}, fmt.Errorf("running %v: %w", args, err)
	}
	over := make(chan struct{})
	memory := watchMemory(cmd.Process.Pid, over)
	err := cmd.Wait()
	took := time.Since(began)
	close(over)
	if err != nil {
		return measured{}, fmt.Errorf("running %v: %w\n%s", args, err, output.Bytes())
	}
	m := measured{time: took, memory: <-memory}
	if m.memory == 0 {
		return m, errors.New("this system does not tell a process's peak memory in /proc")
	}
	return m, nil
}

// watchMemory reads a process's peak resident set until it is over. What the
// system reports of a process that has ended includes the memory of the one
// that started it, which would flatter every comparison.
func watchMemory(pid int, over <-chan struct{}) <-chan int64 {
	peak := make(chan int64, 1)
	go func() {
		look := time.NewTicker(2 * time.Millisecond)
		defer look.Stop()
		most := int64(0)
		for {
			most = max(most, peakOf(pid))
			select {
			case <-over:
				peak <- most
				return
			case <-look.C:
			}
		}
	}()
	return peak
}

// peakOf is the peak resident set of a process so far, in bytes; 0 where the
// system does not tell.
func peakOf(pid int) int64 {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		var kibibytes int64
		if n, err := fmt.Sscanf(line, "VmHWM: %d kB", &kibibytes); n == 1 && err == nil {
			return kibibytes << 10
		}
	}
	return 0
}

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
