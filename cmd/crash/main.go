// Command crash kills runs and looks at what became of them. It builds the
// binary, starts it against a simulated tenant in a process of its own, kills
// it with kill -9 at random moments, resumes until the run is over, and asks
// the tenant what really happened: nobody changed twice, nobody missing, the
// message sent at least once.
//
//	go run ./cmd/crash -kills 200 -seed 7
//
// With -serve it is `drawbridge serve` that is killed, one process after the
// other on one database, while webhooks are delivered until they are
// acknowledged, schedules fire, people approve and send signals through the
// command line, and grants end. What the tenant and the database say at the end
// is judged: every delivery has one run, every run its end, every account its
// changes, every grant its reversal in time, every fire time one run.
//
//	go run ./cmd/crash -serve -kills 1000 -seed 7
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"time"
)

func main() {
	o := options{out: os.Stdout}
	flag.IntVar(&o.kills, "kills", 200, "how often to kill")
	flag.Uint64Var(&o.seed, "seed", 0, "decides when to kill and what to run; 0 for a random one")
	flag.StringVar(&o.binary, "binary", "", "the drawbridge to kill (default: built for it)")
	flag.BoolVar(&o.verbose, "v", false, "print a line per run")
	flag.BoolVar(&o.serve, "serve", false, "kill drawbridge serve, with webhooks, schedules, grants, approvals and signals")
	flag.BoolVar(&o.faults, "faults", false, "with -serve: the service loses answers and refuses calls as well")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := crash(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "crash:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop was called
	}
}

// options are the flags.
type options struct {
	kills   int
	seed    uint64
	binary  string
	verbose bool
	serve   bool
	faults  bool
	out     io.Writer
}

// crash does what the command does; the error says what was wrong, and with
// which seed.
func crash(ctx context.Context, o options) error {
	if o.seed == 0 {
		o.seed = rand.Uint64() //nolint:gosec // chance, not secrecy
	}
	dir, err := os.MkdirTemp("", "drawbridge-crash-")
	if err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	if o.serve {
		if err := serveCrash(ctx, o, dir); err != nil {
			return fmt.Errorf("seed %d: %w (everything is kept in %s)", o.seed, err, dir)
		}
		return os.RemoveAll(dir)
	}
	h := &harness{options: o, dir: dir, random: chance(o.seed, 0)}
	began := time.Now()
	err = h.run(ctx)
	fmt.Fprintf(o.out, "seed %d: %s, %s\n", o.seed, h.sum, time.Since(began).Round(time.Second))
	if err != nil {
		return fmt.Errorf("seed %d: %w (everything is kept in %s)", o.seed, err, dir)
	}
	return os.RemoveAll(dir)
}

// sums is what was seen over all runs.
type sums struct {
	kills, runs, resumes, accounts, messages int
}

// String is the summary line.
func (s sums) String() string {
	return fmt.Sprintf("%d kills in %d runs, %d resumes; %d accounts changed exactly once, 0 twice, 0 missing; %d messages",
		s.kills, s.runs, s.resumes, s.accounts, s.messages)
}

// chance is a sequence of random numbers that a seed decides.
func chance(seed, stream uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, stream)) //nolint:gosec // chance, not secrecy
}
