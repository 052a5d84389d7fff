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
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/engine"
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

func (a *app) serveCommand() *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Carry out runs for everybody: health, metrics, and the command line through a local socket",
		Long: `Opens the database and keeps it. Other commands then work through it, over a
socket beside the database, as the user whom the system says they are; what
decides about them is this process's configuration alone. /healthz, /readyz and
/metrics are served over HTTP, to this machine unless --listen says otherwise.

Changed playbooks are checked before they are used; of a broken one the last
good version stays active. The first Ctrl-C or SIGTERM begins nothing new and
lets what is under way end; what does not is resumed later. A second one ends
the process at once, and nothing is lost either.`,
		Example: "  drawbridge serve --config /etc/drawbridge/drawbridge.yaml --log json",
		Args:    cobra.NoArgs,
		RunE:    work(func(ctx context.Context, _ []string) error { return a.serve(ctx, o) }),
	}
	cmd.Flags().StringVar(&o.listen, "listen", "", "the address of the HTTP server (default "+config.DefaultServe().Listen+", or what the configuration says)")
	cmd.Flags().StringVar(&o.log, "log", "text", "how to log to standard error: text or json")
	return cmd
}

func (a *app) serve(ctx context.Context, o serveOptions) error {
	if err := a.serveLog(o.log); err != nil {
		return err
	}
	conf, err := a.config()
	if err != nil {
		return err
	}
	if err := a.refuseUnavailable(conf); err != nil {
		return err
	}
	h := &house{app: a, conf: conf, hub: newHub(), stopping: make(chan struct{})}
	a.health = &health{}
	if h.rt, err = a.start(ctx, conf, a.stderr, h.hub.publish); err != nil {
		return err
	}
	return errors.Join(h.serve(ctx, o), h.rt.close())
}

// serveLog logs what happens, in the form that is asked for.
func (a *app) serveLog(form string) error {
	o := &slog.HandlerOptions{Level: slog.LevelInfo}
	if a.verbose {
		o.Level = slog.LevelDebug
	}
	switch form {
	case "text":
		a.log = slog.New(a.redactor.Handler(slog.NewTextHandler(a.stderr, o)))
	case "json":
		a.log = slog.New(a.redactor.Handler(slog.NewJSONHandler(a.stderr, o)))
	default:
		return usage("--log must be text or json, not %q", form)
	}
	return nil
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
	handler, err := server.New(server.Config{
		Engine: h, Version: thisVersion().Version, Commit: thisVersion().Revision, Log: h.app.log, Now: h.app.now,
	})
	if err != nil {
		return fmt.Errorf("preparing the server: %w", err)
	}
	d, err := h.open(ctx, o)
	if err != nil {
		return err
	}
	ctx, told := h.untilTold(ctx)
	defer told()
	return h.live(ctx, d, handler.HTTP(), h.loop())
}

// live works until ctx ends, or one of its parts does.
func (h *house) live(ctx context.Context, d doors, web *http.Server, own loop) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	outside, shut := context.WithCancel(context.WithoutCancel(ctx)) // of the socket's commands
	defer shut()
	playbooks := h.folders()
	if err := playbooks.look(); err != nil {
		cancel(err)
	}
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
	part("watching the playbooks", func() error { h.watchFolders(ctx, playbooks); return nil })
	part("carrying out runs", func() error { return own.Serve(ctx) })
	<-ctx.Done()
	h.app.log.Info("stopping: nothing new begins, and what is under way may end", "grace", h.grace().String())
	h.leave(context.WithoutCancel(ctx), web, shut)
	parts.Wait()
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

func (h *house) folders() *folders {
	return &folders{conf: h.conf, check: h.app.checker(h.conf), report: h.reportBroken}
}

func (h *house) watchFolders(ctx context.Context, f *folders) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	f.watch(ctx, tick.C, func(err error) { h.app.log.Error("looking at the playbooks", "error", err) })
}

// reportBroken tells of a playbook that does not pass the checks.
func (h *house) reportBroken(text string) {
	h.app.log.Error(text)
	if h.rt.notify == "" {
		return
	}
	if h.enter() != nil {
		return // it is stopping, and says so again when it serves again
	}
	go func() {
		defer h.runs.Done()
		ctx, cancel := context.WithTimeout(context.Background(), notifyTimeout)
		defer cancel()
		m := message.Message{Text: engine.Text{{S: "Drawbridge: "}, {S: text, Foreign: true}}, Key: "broken/" + text}
		if err := send(ctx, h.rt.connections, h.rt.notify, m); err != nil {
			h.app.log.Warn("nobody was told of a broken playbook", "connection", h.rt.notify, "error", err)
		}
	}()
}

// loop is the engine's own work.
func (h *house) loop() loop { return sweepingLoop{h} }

// sweepingLoop ends grants at their time, and nothing else.
type sweepingLoop struct{ house *house }

// Serve sweeps every half minute until ctx ends.
func (s sweepingLoop) Serve(ctx context.Context) error {
	tick := time.NewTicker(30 * time.Second)
	defer tick.Stop()
	for {
		if _, err := s.house.rt.engine.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.house.app.log.Error("sweeping the grants", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
