// Command soak lets a database live through years in minutes: it records runs
// as an engine does, forgets what retention lets go now and then, and looks
// whether the files stay within their limit, how long lists take, and how long
// whoever commits is held up by forgetting. Time is virtual: each run begins
// half an hour after the one before. It exits with 1 where a bound is missed.
//
//	go run ./cmd/soak
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/store/sqlite"
)

// Bounds, beside the one on size.
const (
	listBound = 20 * time.Millisecond // the median of list pages; the slowest is printed and not bounded
	heldBound = 50 * time.Millisecond // the median of the slowest commit of each pruning; so here too
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := command(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func command(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("soak", flag.ContinueOnError)
	s := sizes{}
	flags.IntVar(&s.runs, "runs", 200_000, "how many runs")
	flags.Int64Var(&s.budget, "budget", 50_000_000, "how large the files may be, in bytes")
	flags.IntVar(&s.every, "every", 250, "after how many runs something is forgotten")
	flags.IntVar(&s.value, "value", 6000, "the size in bytes of what a run reads")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("reading the flags: %w", err)
	}
	if s.runs < 1 || s.every < 1 {
		return errors.New("-runs and -every must be at least 1")
	}
	f, err := soak(ctx, s)
	if err != nil {
		return err
	}
	fmt.Fprint(out, f)
	return f.judge(s, true)
}

// sizes is how much is done.
type sizes struct {
	runs   int
	budget int64
	every  int
	value  int
}

// figures are what was measured.
type figures struct {
	runs, pruned, left int
	largest, last      int64 // bytes of the files together
	audit              int64 // records
	lists, held, prune []time.Duration
	problems           int
	took               time.Duration
}

// String is the summary.
func (f figures) String() string {
	return fmt.Sprintf(`%d runs, %d of them forgotten, %d left, %d audit records; %d problems; %v
files: %.1f MB at the largest, %.1f MB at the end
a page of 100 runs: median %v, slowest %v
the slowest commit while something is forgotten: median %v, slowest %v
forgetting: median %v, slowest %v
`, f.runs, f.pruned, f.left, f.audit, f.problems, f.took.Round(time.Second), float64(f.largest)/1e6, float64(f.last)/1e6,
		median(f.lists), slices.Max(f.lists), median(f.held), slices.Max(f.held), median(f.prune), slices.Max(f.prune))
}

// judge is an error where a bound is missed; timings count only where the
// machine is not busy with other things.
func (f figures) judge(s sizes, timings bool) error {
	switch {
	case f.largest > s.budget:
		return fmt.Errorf("the files were %d bytes large, and may be %d", f.largest, s.budget)
	case f.problems > 0:
		return fmt.Errorf("the database has %d problems", f.problems)
	case timings && median(f.lists) > listBound:
		return fmt.Errorf("a page of the list takes %v, and may take %v", median(f.lists), listBound)
	case timings && median(f.held) > heldBound:
		return fmt.Errorf("whoever commits is held up for %v, and may be for %v", median(f.held), heldBound)
	}
	return nil
}

func median(all []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2].Round(10 * time.Microsecond)
}

func soak(ctx context.Context, s sizes) (f figures, err error) {
	dir, err := os.MkdirTemp("", "drawbridge-soak-")
	if err != nil {
		return f, fmt.Errorf("making a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "drawbridge.db")
	store, err := sqlite.Open(path, sqlite.Options{Mode: sqlite.Engine, Command: "soak"}) //nolint:contextcheck // it takes no context
	if err != nil {
		return f, fmt.Errorf("opening the database: %w", err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	l := &life{store: store, path: path, sizes: s}
	began := time.Now()
	if err := l.live(ctx); err != nil {
		return l.figures, err
	}
	l.took = time.Since(began)
	return l.figures, l.end(ctx)
}

// life is a database in use.
type life struct {
	figures

	store *sqlite.Store
	path  string
	sizes sizes
}

func (l *life) live(ctx context.Context) error {
	for l.runs < l.sizes.runs {
		if err := l.record(ctx, l.runs); err != nil {
			return err
		}
		l.runs++
		if l.runs%l.sizes.every != 0 && l.runs != l.sizes.runs {
			continue
		}
		if err := l.forget(ctx); err != nil {
			return err
		}
	}
	return nil
}

// forget prunes while somebody commits, and lists runs.
func (l *life) forget(ctx context.Context) error {
	l.weigh()
	done := make(chan error, 1)
	began := time.Now()
	go func() {
		p, err := l.store.Prune(ctx, engine.Retention{
			Now: when(l.runs), Actor: actor(), Runs: 90 * 24 * time.Hour, Bytes: l.sizes.budget, KeepChanges: 24 * time.Hour,
		})
		l.pruned += p.Runs
		done <- err
	}()
	slowest, err := l.commitUntil(ctx, done)
	if err != nil {
		return err
	}
	l.prune, l.held = append(l.prune, time.Since(began)), append(l.held, slowest)
	l.weigh()
	began = time.Now()
	if _, err := l.store.Runs(ctx, engine.RunQuery{}); err != nil {
		return fmt.Errorf("listing runs: %w", err)
	}
	l.lists = append(l.lists, time.Since(began))
	return nil
}

// commitUntil commits again and again until the pruning is done, and says how
// long the slowest took.
func (l *life) commitUntil(ctx context.Context, done <-chan error) (slowest time.Duration, err error) {
	beat := heartbeat()
	for {
		select {
		case err := <-done:
			if err != nil {
				return slowest, fmt.Errorf("forgetting: %w", err)
			}
			return slowest, nil
		default:
		}
		began := time.Now()
		if err := l.store.Commit(ctx, beat); err != nil {
			return slowest, fmt.Errorf("committing meanwhile: %w", err)
		}
		slowest = max(slowest, time.Since(began))
	}
}

// weigh notes how large the files are.
func (l *life) weigh() {
	l.last = 0
	for _, name := range []string{l.path, l.path + "-wal", l.path + "-shm"} {
		if info, err := os.Stat(name); err == nil { // the WAL comes and goes
			l.last += info.Size()
		}
	}
	l.largest = max(l.largest, l.last)
}

func (l *life) end(ctx context.Context) error {
	v, err := l.store.Check(ctx)
	if err != nil {
		return err
	}
	l.problems, l.audit = len(v.Problems), int64(v.Records)
	u, err := l.store.Usage(ctx)
	if err != nil {
		return err
	}
	for _, k := range u.Kinds {
		if k.Name == "runs" {
			l.left = int(k.Rows)
		}
	}
	return nil
}
