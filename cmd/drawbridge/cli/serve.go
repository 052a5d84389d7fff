package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/engine/local"
	"github.com/drawbridge-soar/drawbridge/server"
	"github.com/drawbridge-soar/drawbridge/steps/message"
)

// serveOptions are the flags of serve.
type serveOptions struct {
	listen string
	log    string // text or json
}

// loop is the engine's own work, of nobody's asking: schedules, timers, queued
// runs and grants. It returns when ctx has ended and nothing is under way.
type loop interface {
	Serve(ctx context.Context) error
}

// engineLoop is the loop of the house's engine.
type engineLoop struct{ house *house }

// Serve has the engine work by itself until ctx ends.
func (l engineLoop) Serve(ctx context.Context) error {
	return l.house.rt.engine.Serve(ctx, l.house.serving())
}

func (a *app) serveCommand() *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Start playbooks by schedule and webhook, end what is for a time, and work for every command line",
		Long: `Keeps the database: starts playbooks that have triggers, goes on with runs whose
time or signal has come, and ends grants. Other commands then work through it,
over a socket beside the database, as the user whom the system says they are;
its own configuration alone decides what they may do. Webhooks, /healthz, /readyz
and /metrics are served over HTTP, to this machine unless --listen says otherwise.

Changed playbooks are checked before they are used; of a broken one the last
good version stays active. The first Ctrl-C or SIGTERM begins nothing new and
lets what is under way end; what does not is resumed later. A second one ends
the process at once, and nothing is lost either.`,
		Example: "  drawbridge serve --config /etc/drawbridge/drawbridge.yaml --log json",
		Args:    cobra.NoArgs,
		RunE:    work(func(ctx context.Context, _ []string) error { return a.serve(ctx, o) }),
	}
	cmd.Flags().StringVar(&o.listen, "listen", "", "the address of the HTTP server (default "+config.DefaultServe().Listen+", or what the configuration says)")
	cmd.Flags().StringVar(&o.log, "log", "", "how to log to standard error: text or json (default text, or what the configuration says)")
	return cmd
}

func (a *app) serve(ctx context.Context, o serveOptions) error {
	if o.log != "" && o.log != logText && o.log != logJSON { // before anything is read
		return usage("--log must be text or json, not %q", o.log)
	}
	conf, err := a.config()
	if err != nil {
		return err
	}
	a.serveLog(orElse(o.log, conf.Serve.Log))
	for _, host := range conf.Network.Unverified() {
		a.log.Warn("the certificate of a host is not verified, or for any name: whoever stands between can read and change everything", "host", host)
	}
	h := newHouse(a, conf)
	a.health = &health{}
	if h.rt, err = a.start(ctx, conf, a.stderr, h.publish); err != nil {
		return err
	}
	return errors.Join(h.serve(ctx, o), h.rt.close())
}

// newHouse is a house whose engine is still to be started.
func newHouse(a *app, conf *config.Config) *house {
	h := &house{app: a, conf: conf, hub: newHub(), stopping: make(chan struct{})}
	var tell func(context.Context, message.Message) error
	if conf.Notify != "" {
		tell = func(ctx context.Context, m message.Message) error { return send(ctx, h.rt.connections, conf.Notify, m) }
	}
	h.notices = newNotifier(tell, a.log, a.now, a.redactor.String)
	h.playbooks = &folders{conf: conf, check: a.checker(conf), report: h.reportBroken}
	return h
}

// publish passes a step forward of a run on.
func (h *house) publish(p local.Progress) {
	h.hub.publish(p)
	h.notices.hearProgress(p)
}

// The forms of the log.
const (
	logText = "text"
	logJSON = "json"
)

// serveLog logs what happens, in the form that is asked for.
func (a *app) serveLog(form string) {
	o := &slog.HandlerOptions{Level: slog.LevelInfo}
	if a.verbose {
		o.Level = slog.LevelDebug
	}
	if form == logJSON {
		a.log = slog.New(a.redactor.Handler(slog.NewJSONHandler(a.stderr, o)))
		return
	}
	a.log = slog.New(a.redactor.Handler(slog.NewTextHandler(a.stderr, o)))
}

// level is from where on the commands of others log.
func (h *house) level() slog.Level { return slog.LevelWarn }

// doors are where others come in.
type doors struct {
	http   net.Listener
	socket net.Listener
}

func (h *house) open(ctx context.Context, o serveOptions) (doors, error) {
	var d doors
	var err error
	s := h.conf.Serve
	address := orElse(o.listen, s.Listen)
	if d.http, err = (&net.ListenConfig{}).Listen(ctx, "tcp", address); err != nil {
		return d, fmt.Errorf("listening on %s: %w", address, err)
	}
	path := socketOf(h.conf, h.rt.path)
	if d.socket, err = server.Listen(path, s.Socket.Mode, s.Socket.Group); err != nil { //nolint:contextcheck // it is opened at once
		return d, errors.Join(err, d.http.Close())
	}
	h.app.log.Info("serving", "http", d.http.Addr().String(), "socket", path, "database", h.rt.path, "version", thisVersion().Version)
	return d, nil
}

// serve lets others in until it is told to stop.
func (h *house) serve(ctx context.Context, o serveOptions) error {
	handler, err := h.handler()
	if err != nil {
		return fmt.Errorf("preparing the server: %w", err)
	}
	d, err := h.open(ctx, o)
	if err != nil {
		return err
	}
	ctx, told := h.untilTold(ctx)
	defer told()
	return h.live(ctx, d, handler.HTTP(), engineLoop{h})
}

// handler answers webhooks, and how the process is doing.
func (h *house) handler() (*server.Handler, error) {
	taken := &hooks{configured: h.conf.Webhooks, active: h.active, engine: h.rt.engine, now: h.app.now, clean: h.app.redactor.String}
	return server.New(server.Config{
		Engine: h, Hooks: taken, Starter: taken, Secrets: h.rt.secrets,
		Version: thisVersion().Version, Commit: thisVersion().Revision, Log: h.app.log, Now: h.app.now,
	})
}

// live works until ctx ends, or one of its parts does.
func (h *house) live(ctx context.Context, d doors, web *http.Server, own loop) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	outside, shut := context.WithCancel(context.WithoutCancel(ctx)) // of the socket's commands
	defer shut()
	if err := h.playbooks.look(); err != nil {
		cancel(err)
	}
	told := h.tellPeople(ctx)
	var parts sync.WaitGroup
	part := func(what string, f func() error) {
		parts.Go(func() {
			if err := f(); err != nil && !errors.Is(err, http.ErrServerClosed) {
				cancel(fmt.Errorf("%s: %w", what, err))
			}
		})
	}
	part("serving HTTP", func() error { return web.Serve(d.http) })
	part("serving the socket", func() error { return server.Commands{Run: h.command, Log: h.app.log}.Serve(outside, d.socket) })
	part("watching the playbooks", func() error { h.watchFolders(ctx); return nil })
	part("forgetting what may go", func() error { h.forget(ctx); return nil })
	part("carrying out runs", func() error { return own.Serve(ctx) })
	<-ctx.Done()
	h.app.log.Info("stopping: nothing new begins, and what is under way may end", "grace", h.grace().String())
	h.leave(context.WithoutCancel(ctx), web, shut)
	parts.Wait()
	told()
	h.app.log.Info("stopped; what has not ended is resumed when it serves again")
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// leave ends what others have begun: runs are interrupted where they can go on
// later, then those who follow them are told, and then the doors are shut.
func (h *house) leave(ctx context.Context, web *http.Server, shut func()) {
	ctx, cancel := context.WithTimeout(ctx, h.grace())
	defer cancel()
	h.stop()
	shut()
	if err := web.Shutdown(ctx); err != nil {
		_ = web.Close() // whoever asks so slowly is let go
	}
}

func (h *house) grace() time.Duration {
	return h.conf.Serve.Grace
}

// untilTold is a context that the first signal ends; the second one ends the
// process.
func (h *house) untilTold(ctx context.Context) (told context.Context, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		for first := true; ; first = false {
			select {
			case <-done:
				return
			case <-signals:
			}
			if !first {
				h.app.say("left at once; nothing is lost: what was under way is resumed when it serves again")
				_, _ = h.app.stdout.Close(), h.app.stderr.Close()
				os.Exit(exitInterrupted)
			}
			cancel()
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel()
	}
}

// tellPeople has the notifier work. The function it returns ends that, after a
// last try to tell what is left.
func (h *house) tellPeople(ctx context.Context) (end func()) {
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	var telling sync.WaitGroup
	telling.Go(func() { h.notices.run(ctx) })
	return func() {
		stop()
		telling.Wait()
		h.notices.close(context.WithoutCancel(ctx))
	}
}

func (h *house) watchFolders(ctx context.Context) {
	if !h.conf.Serve.Watch {
		return
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	h.playbooks.watch(ctx, tick.C, func(err error) { h.reportBroken("the folders of playbooks cannot be read again: " + err.Error()) })
}

// reportBroken tells of a playbook that does not pass the checks.
func (h *house) reportBroken(text string) { h.notices.hearBroken(text) }

// active are the playbooks that start by themselves, as they are now. Of several
// of one name it is the first: limits and policies go by names.
func (h *house) active() []local.Active {
	var out []local.Active
	for _, p := range h.playbooks.list() {
		same := func(q local.Active) bool { return q.Program.Name == p.Program.Name }
		if !slices.ContainsFunc(out, same) {
			out = append(out, p)
		}
	}
	return out
}

// serving is what the engine's own loop needs.
func (h *house) serving() local.Serving {
	return local.Serving{Playbooks: h.active, Tell: h.notices.hear}
}
