package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/local"
	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/playbooks"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
	"github.com/drawbridge-soar/drawbridge/steps/network"
	"github.com/drawbridge-soar/drawbridge/steps/providers"
	"github.com/drawbridge-soar/drawbridge/store/sqlite"
)

// databaseName is the database's name where none is given.
const databaseName = "drawbridge.db"

// knownActions are the actions of this binary and of a configuration's
// connector files.
func knownActions(conf *config.Config) (*engine.Actions, error) {
	actions, err := engine.NewActions(conf.Actions()...)
	if err != nil {
		return nil, fmt.Errorf("listing the actions: %w", err)
	}
	return actions, nil
}

// config reads the configuration, if there is one. Its problems are said here.
func (a *app) config() (*config.Config, error) {
	if a.house != nil {
		return a.house.conf, nil
	}
	path, err := config.Find(a.configPath)
	if err != nil {
		return nil, fmt.Errorf("looking for the configuration: %w", err)
	}
	if path == "" {
		return &config.Config{Serve: config.DefaultServe()}, nil
	}
	conf, problems := config.Load(path, providers.All())
	if conf == nil {
		return nil, a.reject(problems)
	}
	fmt.Fprint(a.stderr, yamldoc.Render(problems)) // warnings
	return conf, nil
}

// learnSecrets makes the redactor know what the configuration's references
// lead to before anything is stored or shown: somebody may have typed a secret
// where it does not belong. One that cannot be had now is an error only where
// it is needed, and one that a service keeps is asked for only then.
func (a *app) learnSecrets(ctx context.Context, conf *config.Config, keeper *secret.Keeper) {
	conf.References(func(ref secret.Reference, of, name, setting string) {
		if _, err := secret.ParsePlace(ref); err == nil {
			return
		}
		if _, err := keeper.Resolve(ctx, ref); err != nil {
			a.log.Debug("a secret is not there", of, name, "setting", setting, "error", err)
		}
	})
}

// reject says what is wrong with playbooks or the configuration and ends the
// command.
func (a *app) reject(problems []yamldoc.Diagnostic) error {
	if a.json() {
		if err := a.print(diagnosticsOf(problems)); err != nil {
			return err
		}
		return quit(exitUsage)
	}
	fmt.Fprint(a.stderr, yamldoc.Render(problems))
	return quit(exitUsage)
}

// secrets reads the secrets of a configuration when they are needed.
func (a *app) secrets(ctx context.Context, conf *config.Config) (*secret.Keeper, error) {
	of := secret.KeeperConfig{Redactor: a.redactor, Lookup: a.lookup, Log: a.log, Now: a.now}
	first, err := secret.NewKeeper(of) // of what opens the place where the others are kept
	if err != nil {
		return nil, fmt.Errorf("preparing secrets: %w", err)
	}
	if of.OnePassword, err = a.source(conf, first); err != nil {
		return nil, err
	}
	keeper, err := secret.NewKeeper(of)
	if err != nil {
		return nil, fmt.Errorf("preparing secrets: %w", err)
	}
	a.learnSecrets(ctx, conf, keeper)
	return keeper, nil
}

// source is where op:// references lead, reached the way the configuration says
// as far as that needs no such reference itself.
func (a *app) source(conf *config.Config, first *secret.Keeper) (secret.Source, error) {
	o := a.opening(first)
	if to := conf.Secrets.OnePassword; to != nil && to.Host != "" {
		services, problems := conf.Reach(network.Options{Secrets: first, Now: a.now})
		if services == nil {
			return nil, a.reject(problems)
		}
		o.Transport, o.Dialer = services, services
	}
	source, err := conf.Source(o)
	if err != nil {
		return nil, fmt.Errorf("preparing secrets: %w", err)
	}
	return source, nil
}

// connections opens a configuration's connections when they are needed. What
// services ask for is remembered in throttles; nil where there is no database.
func (a *app) connections(ctx context.Context, conf *config.Config, messages io.Writer, throttles engine.Throttles) (*config.Connections, error) {
	r, err := a.reach(ctx, conf)
	if err != nil {
		return nil, err
	}
	return a.connect(conf, r, messages, throttles), nil
}

// reach is what connections need of this machine: the secrets of the
// configuration, and the way to its services.
type reach struct {
	secrets *secret.Keeper
	network *network.Network
}

// reach reads the files that the configuration names for the network. What is
// wrong with them is said here.
func (a *app) reach(ctx context.Context, conf *config.Config) (reach, error) {
	keeper, err := a.secrets(ctx, conf)
	if err != nil {
		return reach{}, err
	}
	services, problems := conf.Reach(network.Options{Secrets: keeper, Now: a.now})
	if services == nil {
		return reach{}, a.reject(problems)
	}
	for _, p := range problems { // warnings
		if a.health == nil {
			fmt.Fprint(a.stderr, p.String())
			continue
		}
		a.log.Warn("the network of the configuration", "problem", p.Headline(), "hint", p.Hint)
	}
	return reach{secrets: keeper, network: services}, nil
}

func (a *app) connect(conf *config.Config, r reach, messages io.Writer, throttles engine.Throttles) *config.Connections {
	o := a.opening(r.secrets)
	o.Terminal, o.Throttles, o.Transport, o.Dialer = messages, throttles, r.network, r.network
	return conf.Open(o)
}

// opening is what every connection of this process is opened with.
func (a *app) opening(keeper *secret.Keeper) engine.Opening {
	return engine.Opening{Secrets: keeper, Version: thisVersion().Version, Log: a.log, Now: a.now}
}

// environment is what playbooks are checked against.
func (a *app) environment(conf *config.Config, catalog *engine.Catalog) (playbooks.Environment, error) {
	actions, err := knownActions(conf)
	if err != nil {
		return playbooks.Environment{}, err
	}
	return playbooks.Environment{Actions: actions, Catalog: catalog}, nil
}

// asking is whom a configuration lets approvals ask. What a run is pinned to is
// not held against it again: people come and go while a run waits for them.
func asking(conf *config.Config) *playbooks.Asking {
	return &playbooks.Asking{Notify: conf.Notify, People: conf.People}
}

// database is the path of the database: --db, else beside the configuration,
// else in the working directory.
func (a *app) database(conf *config.Config) string {
	if a.house != nil {
		return a.house.rt.path
	}
	if a.dbPath != "" || conf.Path == "" {
		return orElse(a.dbPath, databaseName)
	}
	return filepath.Join(filepath.Dir(conf.Path), databaseName)
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// history opens the database for reading, without its lock. Without a database
// the error is engine.ErrNotFound.
func (a *app) history(conf *config.Config) (engine.Store, error) {
	if a.house != nil {
		return lent{a.house.rt.store}, nil
	}
	return sqlite.Open(a.database(conf), sqlite.Options{Mode: sqlite.ReadOnly})
}

// opened is an engine over an open database.
type opened struct {
	engine      *local.Engine
	store       engine.Store
	file        *sqlite.Store // the same, for what only the file can tell
	path        string        // of the database
	connections *config.Connections
	secrets     *secret.Keeper
	throttles   *local.Throttles
	swept       sweptGrants   // at the start of the command
	unswept     error         // why not all that is due was looked at then; nil where it was
	notify      string        // connection that hears of runs that did not succeed
	planAge     time.Duration // how old a plan may be when it is applied
}

// start opens the database with its lock, puts an engine over it, and ends the
// grants that are due.
func (a *app) start(ctx context.Context, conf *config.Config, messages io.Writer, watch func(local.Progress)) (*opened, error) {
	if a.house != nil {
		return a.house.lend()
	}
	r, err := a.reach(ctx, conf)
	if err != nil {
		return nil, err
	}
	path := a.database(conf)
	file, err := sqlite.Open(path, sqlite.Options{Mode: sqlite.Engine, Command: "drawbridge " + a.running}) //nolint:contextcheck // opening a database takes no context
	if err != nil {
		return nil, err
	}
	store := a.watched(file)
	rt, err := a.over(ctx, conf, r, store, messages, watch)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	rt.path, rt.file = path, file
	a.sweep(ctx, rt)
	return rt, nil
}

// over puts an engine over an open database, and connections that remember in
// it what their services ask for.
func (a *app) over(ctx context.Context, conf *config.Config, r reach, store engine.Store, messages io.Writer, watch func(local.Progress)) (*opened, error) {
	actions, err := knownActions(conf)
	if err != nil {
		return nil, err
	}
	throttles, err := local.NewThrottles(ctx, store, a.log)
	if err != nil {
		return nil, fmt.Errorf("preparing the connections: %w", err)
	}
	set := a.connect(conf, r, messages, throttles)
	if err := a.auditConfig(ctx, store, conf); err != nil {
		return nil, err
	}
	catalog := conf.Catalog()
	limits := a.serveLimits(conf)
	eng, err := local.New(local.Config{
		Store: store, Actions: actions, Catalog: catalog, Connections: set, Guard: conf.Guard,
		Programs: a.compiler(conf, &catalog), Compose: a.composer(conf, &catalog), Redact: a.redactor, Log: a.log, Watch: watch,
		People: conf.People, PlanAge: planAge(conf), Standing: a.standing(conf, set), Tell: a.approvalSender(set, conf.Notify, conf.ApprovalLink),
		Grace: limits.Grace, Workers: limits.Workers, Patience: limits.Patience,
	})
	if err != nil {
		return nil, fmt.Errorf("preparing the engine: %w", err)
	}
	return &opened{engine: eng, store: store, connections: set, secrets: r.secrets, throttles: throttles, notify: conf.Notify, planAge: planAge(conf)}, nil
}

// patience is how long a serving process keeps a run that waits for a time.
const patience = time.Minute

// serveLimits are the Grace, Workers and Patience of an engine: of a process
// that does not serve, the defaults, and it waits as long as its run does.
func (a *app) serveLimits(conf *config.Config) local.Config {
	if a.health == nil {
		return local.Config{}
	}
	return local.Config{Grace: conf.Serve.Grace, Workers: conf.Serve.Workers, Patience: patience}
}

// watched is a store whose writes are watched, where somebody asks for that.
func (a *app) watched(store engine.Store) engine.Store {
	if a.health == nil {
		return store
	}
	return a.health.over(store)
}

func planAge(conf *config.Config) time.Duration {
	if conf.MaxPlanAge == 0 {
		return config.DefaultMaxPlanAge
	}
	return conf.MaxPlanAge
}

// compiler compiles the sources that a run is pinned to.
func (a *app) compiler(conf *config.Config, catalog *engine.Catalog) func(context.Context, engine.Bundle) (*program.Program, error) {
	return func(_ context.Context, b engine.Bundle) (*program.Program, error) {
		env, err := a.environment(conf, catalog)
		if err != nil {
			return nil, err
		}
		bundle, err := playbooks.DecodeBundle(b.Data)
		if err != nil {
			return nil, fmt.Errorf("reading the sources of %s: %w", b.Name, err)
		}
		prog, problems := playbooks.Compile(bundle, env)
		if prog == nil {
			return nil, fmt.Errorf("the playbook the run began with does not pass the checks any more:\n%s", yamldoc.Render(problems))
		}
		return prog, nil
	}
}

// actor is whoever asks for the command: here, or at the other end of the
// socket.
func (a *app) actor() engine.Actor {
	if a.who != nil {
		return *a.who
	}
	return actor()
}

// actor is whoever typed the command, as the operating system knows it. The
// environment is not asked: anybody can set it.
func actor() engine.Actor {
	uid := strconv.Itoa(os.Getuid())
	u, err := user.LookupId(uid) // user.Current may ask $USER
	if runtime.GOOS == "windows" {
		u, err = user.Current()
	}
	name := "uid:" + uid
	if err == nil && u.Username != "" {
		name = u.Username
	}
	return engine.Actor{Name: name, Via: "cli"}
}
