package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/screen"
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/guard"
	"github.com/drawbridge-soar/drawbridge/engine/local"
	"github.com/drawbridge-soar/drawbridge/playbooks"
	"github.com/drawbridge-soar/drawbridge/server"
)

var (
	errStopping = errors.New("the server is stopping, and begins nothing new")
	errLeft     = errors.New("whoever followed the run has left")
)

// house is a serving process: what it lends to commands that come through its
// socket, and the runs it carries out for them.
type house struct {
	app  *app // whose redactor, clock and log everybody shares
	conf *config.Config
	rt   *opened
	hub  *hub

	notices   *notifier
	playbooks *folders

	mu       sync.Mutex
	stopping chan struct{} // closed when nothing new begins
	runs     sync.WaitGroup
}

// lend is the engine for a command.
func (h *house) lend() (*opened, error) {
	if h.stopped() {
		return nil, errStopping
	}
	rt := *h.rt
	rt.store = lent{h.rt.store}
	return &rt, nil
}

func (h *house) stopped() bool {
	select {
	case <-h.stopping:
		return true
	default:
		return false
	}
}

// stop lets nothing new begin, and waits until the runs under way have stopped.
func (h *house) stop() {
	h.mu.Lock()
	if !h.stopped() {
		close(h.stopping)
	}
	h.mu.Unlock()
	h.runs.Wait()
}

// enter counts a run that is carried out, unless the process is stopping.
func (h *house) enter() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped() {
		return errStopping
	}
	h.runs.Add(1)
	return nil
}

// drive carries a run out, whether or not the client that asked for it stays:
// then it is errLeft, and the run goes on.
func (h *house) drive(ctx context.Context, id string, way driver) (engine.RunRecord, error) {
	if err := h.enter(); err != nil {
		return engine.RunRecord{}, err
	}
	type result struct {
		record engine.RunRecord
		err    error
	}
	done := make(chan result, 1)
	go func() {
		defer h.runs.Done()
		record, err := h.driveToTheEnd(context.WithoutCancel(ctx), id, way)
		done <- result{record, err}
	}()
	select {
	case r := <-done:
		return r.record, r.err
	case <-ctx.Done():
		return engine.RunRecord{}, errLeft
	}
}

func (h *house) driveToTheEnd(ctx context.Context, id string, way driver) (engine.RunRecord, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-h.stopping:
			cancel()
		case <-ctx.Done():
		}
	}()
	changed, leave := h.hub.await(id)
	defer leave()
	record, err := way(ctx, h.rt, id)
	if errors.Is(err, local.ErrDriven) || errors.Is(err, local.ErrBusy) { // the engine's loop has it, or will
		return h.follow(ctx, id, changed)
	}
	if err == nil && record.Status == engine.RunWaiting {
		return h.follow(ctx, id, changed) // it may wait for a time only
	}
	if err == nil {
		h.notices.hearRun(record)
	} else {
		h.app.log.Error("carrying out a run", "run", id, "error", err)
	}
	return record, err
}

// follow waits for a run that the engine's loop carries out, until it is over or
// needs somebody.
func (h *house) follow(ctx context.Context, id string, changed <-chan struct{}) (engine.RunRecord, error) {
	for {
		select {
		case <-h.rt.engine.Left(id): // only then its record says what it waits for
		case <-ctx.Done():
		}
		record, err := h.rt.store.Run(context.WithoutCancel(ctx), id)
		if err != nil || ctx.Err() != nil {
			return record, err
		}
		if needs, err := h.needsSomebody(ctx, record); err != nil || needs {
			return record, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return record, nil
		}
	}
}

// needsSomebody reports whether nothing more happens with a run that nobody
// carries out now, unless a person or a signal comes.
func (h *house) needsSomebody(ctx context.Context, r engine.RunRecord) (bool, error) {
	switch r.Status {
	case engine.RunQueued, engine.RunRunning:
		return false, nil
	case engine.RunWaiting:
	default:
		return true, nil
	}
	asked, err := h.rt.store.Approvals(ctx, engine.ApprovalQuery{Run: r.ID, Statuses: []engine.ApprovalStatus{engine.ApprovalPending}})
	if err != nil {
		return false, fmt.Errorf("asking whom run %s waits for: %w", r.ID, err)
	}
	if slices.ContainsFunc(asked, func(a engine.Approval) bool { return a.Kind != engine.ApprovalGrant }) {
		return true, nil
	}
	awaits, err := h.rt.engine.Awaits(ctx, r.ID)
	if err != nil {
		return false, fmt.Errorf("asking what run %s waits for: %w", r.ID, err)
	}
	return len(awaits) > 0, nil
}

// owns reports whether a file is a playbook in one of the server's own folders.
// What else stands there is nobody's to name.
func (h *house) owns(path string) bool {
	if !playbooks.IsPlaybook(filepath.Base(path)) {
		return false
	}
	for _, folder := range h.conf.Playbooks {
		if whole, err := filepath.Abs(folder); err == nil {
			rest, err := filepath.Rel(whole, path)
			if err == nil && filepath.IsLocal(rest) {
				return true
			}
		}
	}
	return false
}

// refuseImpostor refuses playbooks that were sent under the name of one in the
// server's folders without being that one: limits and the policy go by names,
// that of the file where it is called, and that in it where it is run.
func (h *house) refuseImpostor(b playbooks.Bundle) error {
	known := h.texts()
	for name, source := range b.Sources {
		title := playbooks.Title(source)
		for _, called := range []string{name, title} {
			own := known[guard.Fold(called)]
			same := func(text []byte) bool { return bytes.Equal(text, source.Data) }
			if len(own) > 0 && !slices.ContainsFunc(own, same) {
				return usage("%s differs from the playbook %q that the server has in its folders, for which limits and policies may be set: change that one, or give yours another name",
					screen.Clean(source.Path, 200), called)
			}
		}
	}
	return nil
}

// texts are those of the playbooks in the server's folders, by the names of
// their files and by those that stand in them, folded as the policy folds them.
func (h *house) texts() map[string][][]byte {
	out := map[string][][]byte{}
	for _, folder := range h.conf.Playbooks {
		files, _ := playbooks.Files(folder) // one that cannot be read has none
		for _, file := range files {
			data, err := playbooks.OSFiles(file)
			if err != nil {
				continue
			}
			name := guard.Fold(stem(file))
			title := guard.Fold(playbooks.Title(playbooks.Source{Name: stem(file), Path: file, Data: data}))
			out[name] = append(out[name], data)
			if title != name {
				out[title] = append(out[title], data)
			}
		}
	}
	return out
}

// stem is a file's name without its extension.
func stem(path string) string {
	return strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
}

func absolute(path string) string {
	if whole, err := filepath.Abs(path); err == nil {
		return whole
	}
	return path
}

// command carries out a command that came through the socket.
func (h *house) command(ctx context.Context, c server.Command) server.End {
	if h.stopped() {
		fmt.Fprintln(c.Stderr, "error:", errStopping)
		return server.End{Code: exitFailed}
	}
	a := h.appFor(c)
	end := a.needsAfter(a.execute(ctx, c.Args))
	_, _ = a.stdout.Close(), a.stderr.Close() // the client may have left
	return end
}

// needsAfter is how a command ended, and what must come with it where it did not.
func (a *app) needsAfter(code int) server.End {
	end := a.needs
	end.Code = code
	return end
}

// appFor is a command line whose outputs, user and playbook came through the
// socket, and everything else is the server's own.
func (h *house) appFor(c server.Command) *app {
	a := &app{
		stdin: strings.NewReader(""), stdout: h.app.redactor.Writer(c.Stdout), stderr: h.app.redactor.Writer(c.Stderr),
		redactor: h.app.redactor, now: h.app.now, lookup: h.app.lookup, palette: screen.NewPalette(c.Color),
		terminal: terminal{drawable: c.Columns > 0, size: func() (int, int) { return c.Columns, c.Rows }},
		house:    h, who: &engine.Actor{Name: c.Peer.Name, Via: "socket"}, begun: c.Begun,
		sent: sent{sources: c.Sources, path: c.Source, hash: c.Hash},
	}
	a.log = a.newLog(h.level())
	return a
}

// performThere carries an errand out in the serving process.
func (a *app) performThere(ctx context.Context, e errand) error {
	rt, err := a.house.lend()
	if err != nil {
		return err
	}
	id, err := e.begin(ctx, rt)
	if err != nil {
		return asUsage(err)
	}
	a.begun(id)
	f := a.newFollower()
	defer f.close()
	leave := a.house.hub.watch(id, f.watch)
	record, err := a.house.drive(ctx, id, e.way)
	leave()
	f.close()
	switch {
	case errors.Is(err, errLeft):
		return quit(exitInterrupted)
	case err != nil:
		return fmt.Errorf("%w\nnothing is lost: continue with %s", err, a.command("runs resume "+id))
	}
	err = a.conclude(context.WithoutCancel(ctx), rt, record)
	if e.after != nil {
		e.after(ctx, rt, record)
	}
	return err
}

// sent is what a client sends with a command, because the server opens no file
// that a client names.
type sent struct {
	sources []byte // a bundle of playbooks
	path    string // where the client read it
	hash    string // of the playbook that a plan was made of
}

// sourcesThere are those of the playbook that a client names: of one that the
// server has in its folders, by its name, or what the client sent.
func (a *app) sourcesThere(conf *config.Config, argument string) (sources, error) {
	switch {
	case a.house.owns(argument): // of a plan that was made of it
		return readSources(argument)
	case a.sent.sources != nil:
		return a.sentSources()
	case looksLikePath(argument):
		a.needs = server.End{Need: argument}
		return sources{}, quit(exitUsage)
	}
	for _, folder := range conf.Playbooks {
		for _, ext := range []string{".yaml", ".yml"} {
			path := absolute(filepath.Join(folder, argument+ext))
			if info, err := os.Stat(path); err == nil && !info.IsDir() && a.house.owns(path) {
				return readSources(path)
			}
		}
	}
	a.needs = server.End{Need: argument}
	return sources{}, quit(exitUsage)
}

func (a *app) sentSources() (sources, error) {
	bundle, err := playbooks.DecodeBundle(a.sent.sources)
	if err != nil {
		return sources{}, fmt.Errorf("reading the playbook that was sent: %w", err)
	}
	folder := filepath.Dir(a.sent.path)
	for name, source := range bundle.Sources {
		source.Path = filepath.Join(folder, name+".yaml")
		if name == bundle.Root {
			source.Path = a.sent.path
		}
		bundle.Sources[name] = source
	}
	if err := a.house.refuseImpostor(bundle); err != nil {
		return sources{}, err
	}
	return sources{bundle: bundle, path: a.sent.path}, nil
}

// seenByClient is the playbook of a plan as its client says it is now: it can
// only do harm to that client's own plan to say otherwise.
func (a *app) seenByClient(record engine.PlanRecord) (compiled, error) {
	if a.sent.hash == "" {
		a.needs = server.End{NeedHash: record.Source}
		return compiled{}, quit(exitUsage)
	}
	return compiled{bundle: engine.Bundle{Hash: a.sent.hash}}, nil
}
