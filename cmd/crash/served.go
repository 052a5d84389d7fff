package main

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/sim"
	"github.com/drawbridge-soar/drawbridge/store/sqlite"
)

//go:embed served
var served embed.FS

// hookSecret signs the deliveries; the server has it from its environment.
const hookSecret = "the key of deliveries that nobody else makes" //nolint:gosec // it opens nothing but what the harness starts

// campaign kills one server after the other, all on one database.
type campaign struct {
	options

	dir     string
	random  *rand.Rand
	tenant  tenant
	servers *servers
	outside *outside
	behind  time.Duration // how much the tenant's clock is behind ours
	kills   int           // so far
	refused int           // servers that found the database in use
}

// serveCrash is crash for `drawbridge serve`.
func serveCrash(ctx context.Context, o options, dir string) error {
	c := &campaign{options: o, dir: dir, random: chance(o.seed, 1)}
	began := time.Now()
	violations, e, err := c.run(ctx)
	for _, v := range violations {
		fmt.Fprintln(o.out, "violation:", v)
	}
	fmt.Fprintf(o.out, "seed %d: %s, %d violations, %s\n", o.seed, c.summary(e), len(violations), time.Since(began).Round(time.Second))
	if err == nil && len(violations) > 0 {
		err = fmt.Errorf("%d violations", len(violations))
	}
	return err
}

func (c *campaign) run(ctx context.Context) (violations []string, e evidence, err error) {
	if err := c.prepare(ctx); err != nil {
		return nil, e, err
	}
	defer func() { err = errors.Join(err, c.tenant.Stop(), c.servers.log.Close()) }()
	sending, enough := context.WithCancel(ctx)
	defer enough()
	end, over := context.WithCancel(ctx)
	defer over()
	var senders, operator sync.WaitGroup
	for i := range 3 {
		random := chance(c.seed, uint64(2+i))
		senders.Go(func() { c.outside.send(sending, end, random) })
	}
	operator.Go(func() { c.outside.operate(end) })
	if err := c.killAll(ctx); err != nil {
		return nil, e, err
	}
	last, err := c.servers.start(ctx)
	if err != nil {
		return nil, e, err
	}
	enough()
	giveUp := time.AfterFunc(patience, over)
	senders.Wait()
	giveUp.Stop()
	unsettled := c.settle(ctx)
	over()
	operator.Wait()
	until := time.Now()
	if err := c.end(ctx, last); err != nil {
		violations = append(violations, err.Error())
	}
	e, err = c.gather(ctx, until)
	if err != nil {
		return violations, e, err
	}
	violations = append(violations, unsettled...)
	violations = append(violations, c.outside.problems...)
	return append(violations, judge(e)...), e, nil
}

func (c *campaign) summary(e evidence) string {
	fires := 0
	for _, r := range e.runs {
		if e.ticks[r.Playbook] > 0 {
			fires++
		}
	}
	o := c.outside
	if o == nil {
		return "it did not begin"
	}
	return fmt.Sprintf("%d kills, %d runs, %d deliveries (%d of them again), %d fire times, %d grants, %d changes, %d approvals, %d signals",
		c.kills, len(e.runs), len(e.orders)+o.repeated, o.repeated, fires, len(e.grants), len(e.changes), o.approved, len(o.signalled))
}

// killAll starts and kills until there were enough kills.
func (c *campaign) killAll(ctx context.Context) error {
	for c.kills < c.options.kills {
		l, err := c.servers.start(ctx)
		if err != nil {
			return err
		}
		killed, err := l.kill(c.moment())
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("killing: %w", ctx.Err())
		case err != nil:
			return err
		case killed:
			c.kills++
			if c.verbose && c.kills%50 == 0 {
				fmt.Fprintf(c.out, "%d kills\n", c.kills)
			}
		default:
			c.refused++
		}
	}
	return nil
}

// The moments of kills, after a start.
const (
	soonest = 20 * time.Millisecond
	latest  = 2 * time.Second
)

// moment is when to kill a process: as often while it starts and takes up what
// is there as later, and now and then long after, so that something gets done.
func (c *campaign) moment() time.Duration {
	if c.random.IntN(3) == 0 {
		return time.Second + time.Duration(c.random.Int64N(int64(latest-time.Second)))
	}
	spread := math.Log(float64(latest) / float64(soonest))
	return time.Duration(float64(soonest) * math.Exp(c.random.Float64()*spread))
}

func (c *campaign) prepare(ctx context.Context) error {
	binary, err := build(ctx, c.binary, c.dir)
	if err != nil {
		return err
	}
	if c.tenant, err = startTenant(ctx, binary, c.seed%1000+1); err != nil {
		return err
	}
	if err := c.project(); err != nil {
		return errors.Join(err, c.tenant.Stop())
	}
	log, err := os.Create(filepath.Join(c.dir, "serve.log"))
	if err != nil {
		return errors.Join(fmt.Errorf("making the log: %w", err), c.tenant.Stop())
	}
	listen, err := freeAddress(ctx)
	if err != nil {
		return errors.Join(err, c.tenant.Stop())
	}
	c.servers = &servers{listen: listen, log: log, command: func(ctx context.Context, args ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, binary, args...)
		cmd.Dir = c.dir
		cmd.Env = append(append(os.Environ(), c.tenant.Environ()...), "HOOK_SECRET="+hookSecret)
		return cmd
	}}
	c.outside = &outside{servers: c.servers, key: secret.New(hookSecret), signalled: map[string]bool{}}
	if err := c.people(ctx); err != nil {
		return errors.Join(err, c.tenant.Stop())
	}
	return c.misbehave(ctx)
}

// freeAddress is one that nobody listens at now.
func freeAddress(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("finding a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// project writes the playbooks and the configuration.
func (c *campaign) project() error {
	sub, err := fs.Sub(served, "served")
	if err != nil {
		return fmt.Errorf("finding the playbooks: %w", err)
	}
	if err := os.CopyFS(filepath.Join(c.dir, "playbooks"), sub); err != nil {
		return fmt.Errorf("writing the playbooks: %w", err)
	}
	me, err := user.Current()
	if err != nil {
		return fmt.Errorf("finding out who runs this: %w", err)
	}
	var text strings.Builder
	text.WriteString(strings.Replace(string(c.tenant.config()), "[.]", "[playbooks]", 1))
	fmt.Fprintf(&text,
		"notify: slack\npeople: { harness: { os_user: %q, groups: [oncall] } }\nserve: { grace: 20s }\nwebhooks:\n", me.Username)
	for _, hook := range []string{"contain", "lend", "lock", "ask", "patient"} {
		text.WriteString("  " + hook + ": { secret: env://HOOK_SECRET }\n")
	}
	if err := os.WriteFile(filepath.Join(c.dir, "drawbridge.yaml"), []byte(text.String()), 0o600); err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	return nil
}

// census lists the accounts of the tenant.
const census = `inputs:
  exclude: { type: list, items: string }
steps:
  - id: people
    uses: user.list
    with: { where: "not (email in inputs.exclude)" }
outputs:
  active: ${{ steps.people.users | filter(.state == "active") | map(.id) | take(6000) }}
  suspended: ${{ steps.people.users | filter(.state == "suspended") | map(.id) }}
`

// people finds the accounts that orders may be about, with a database of its own.
func (c *campaign) people(ctx context.Context) error {
	exclude, err := c.tenant.untouchable(ctx)
	if err != nil {
		return err
	}
	path := filepath.Join(c.dir, "census.yaml")
	if err := os.WriteFile(path, []byte(census), 0o600); err != nil {
		return fmt.Errorf("writing the census: %w", err)
	}
	out, err := c.outside.command(ctx, "run", path, "--db", filepath.Join(c.dir, "census.db"), "-o", "json", "-i", "exclude="+strings.Join(exclude, ","))
	if err != nil {
		return fmt.Errorf("listing the accounts: %w", err)
	}
	var run struct {
		Outputs struct {
			Active    []string `json:"active"`
			Suspended []string `json:"suspended"`
		} `json:"outputs"`
	}
	if err := json.Unmarshal([]byte(out), &run); err != nil {
		return fmt.Errorf("listing the accounts: %w", err)
	}
	c.outside.accounts = accounts{active: run.Outputs.Active, suspended: run.Outputs.Suspended}
	return nil
}

// misbehave makes the tenant slow, so that kills hit every step, and with
// faults also lose answers and refuse calls now and then.
func (c *campaign) misbehave(ctx context.Context) error {
	slow := func(op sim.Operation, d time.Duration) sim.Fault {
		return sim.Fault{Operation: op, Kind: sim.FaultSlow, Times: -1, Delay: d}
	}
	var all []sim.Fault
	if c.faults {
		all = []sim.Fault{
			{Operation: sim.OpSuspend, Kind: sim.FaultUnavailable, Every: 7, Times: -1},
			{Operation: sim.OpSuspend, Kind: sim.FaultLostReply, Every: 5, Times: -1},
			{Operation: sim.OpReactivate, Kind: sim.FaultLostReply, Every: 4, Times: -1},
			{Operation: sim.OpReactivate, Kind: sim.FaultServerError, Every: 6, Times: -1},
			{Operation: sim.OpGetUser, Kind: sim.FaultCutBody, Every: 11, Times: -1},
			{Operation: sim.OpSlack, Kind: sim.FaultServerError, Every: 5, Times: -1},
		}
	}
	all = append(all, slow(sim.OpSuspend, 40*time.Millisecond), slow(sim.OpReactivate, 40*time.Millisecond),
		slow(sim.OpGetUser, 5*time.Millisecond), slow(sim.OpSlack, 20*time.Millisecond))
	if err := c.tenant.misbehave(ctx, all); err != nil {
		return err
	}
	asked := time.Now()
	var state sim.State
	if err := c.tenant.ask(ctx, "GET", "state", nil, &state); err != nil {
		return err
	}
	c.behind = asked.Sub(state.Now)
	return nil
}

// patience is how long a server that nobody kills may take to finish what is there.
const patience = 2 * time.Minute

// settle waits until every order's run has ended and no grant lives, and says
// what still does when patience ends.
func (c *campaign) settle(ctx context.Context) []string {
	deadline := time.Now().Add(patience)
	for {
		left, err := c.left(ctx)
		switch {
		case err == nil && len(left) == 0 || ctx.Err() != nil:
			return nil
		case time.Now().After(deadline):
			if err != nil {
				return []string{err.Error()}
			}
			return left
		}
		pause(ctx, 200*time.Millisecond)
	}
}

// left is what has not ended.
func (c *campaign) left(ctx context.Context) (left []string, err error) {
	store, err := sqlite.Open(filepath.Join(c.dir, "drawbridge.db"), sqlite.Options{Mode: sqlite.ReadOnly}) //nolint:contextcheck // it takes no context
	if err != nil {
		return nil, fmt.Errorf("reading the database: %w", err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	runs, err := allRuns(ctx, store)
	if err != nil {
		return nil, err
	}
	for _, r := range runs {
		if !r.Status.Final() && orderOf(r) != "" {
			left = append(left, fmt.Sprintf("%s of %s %s is stuck: it is %s, and would wake at %v", r.ID, r.Playbook, orderOf(r), r.Status, r.WakeAt))
		}
	}
	grants, err := allGrants(ctx, store)
	for _, g := range grants {
		if !g.State.Final() {
			left = append(left, fmt.Sprintf("%s of %s is stuck: it is %s and due at %s", g.ID, g.Run, g.State, clock(g.EndsAt)))
		}
	}
	return left, err
}

// end stops the last server and has the command line look at the database.
func (c *campaign) end(ctx context.Context, last *life) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := last.stop(ctx); err != nil {
		return err
	}
	for _, look := range [][]string{{"audit", "verify"}, {"db", "check"}} {
		if _, err := c.outside.command(ctx, look...); err != nil {
			return err
		}
	}
	return nil
}

// gather reads the database and asks the tenant.
func (c *campaign) gather(ctx context.Context, until time.Time) (e evidence, err error) {
	e = evidence{
		orders: c.outside.orders, up: c.servers.lived(), until: until,
		ticks: map[string]time.Duration{"tick": 2 * time.Second, "tock": 7 * time.Second},
	}
	store, err := sqlite.Open(filepath.Join(c.dir, "drawbridge.db"), sqlite.Options{Mode: sqlite.ReadOnly}) //nolint:contextcheck // it takes no context
	if err != nil {
		return e, fmt.Errorf("reading the database: %w", err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if e.runs, err = allRuns(ctx, store); err != nil {
		return e, err
	}
	if e.grants, err = allGrants(ctx, store); err != nil {
		return e, err
	}
	if e.changes, err = c.tenant.changes(ctx); err != nil {
		return e, err
	}
	for i := range e.changes {
		e.changes[i].At = e.changes[i].At.Add(c.behind)
	}
	e.messages, err = c.tenant.messages(ctx)
	return e, err
}

const page = 500

func allRuns(ctx context.Context, store engine.Store) ([]engine.RunRecord, error) {
	var all []engine.RunRecord
	q := engine.RunQuery{Limit: page}
	for {
		some, err := store.Runs(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("reading the runs: %w", err)
		}
		all = append(all, some...)
		if len(some) < page {
			return all, nil
		}
		q.After = some[page-1].ID
	}
}

func allGrants(ctx context.Context, store engine.Store) ([]engine.Grant, error) {
	var all []engine.Grant
	q := engine.GrantQuery{Limit: page}
	for {
		some, err := store.Grants(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("reading the grants: %w", err)
		}
		all = append(all, some...)
		if len(some) < page {
			return all, nil
		}
		q.After = some[page-1].ID
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
