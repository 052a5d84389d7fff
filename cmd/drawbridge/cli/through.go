package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/playbooks"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
	"github.com/drawbridge-soar/drawbridge/server"
	"github.com/drawbridge-soar/drawbridge/steps/providers"
)

// worksThroughServer reports whether a command works on the database, so that a
// server that has it must carry it out. Others are about files of whoever types
// them, and none of these is ever carried out for somebody else.
func worksThroughServer(command string) bool {
	first, _, _ := strings.Cut(command, " ")
	return command == "db stats" || command == "db prune" || slices.Contains([]string{
		"run", "plan", "apply", "undo", "runs", "approvals", "freeze", "thaw", "connections",
		"grants", "hold", "schedules", "signal", "handover", "audit",
	}, first)
}

// elsewhere has the command carried out by the server that has the database, if
// there is one, and ends it then.
func (a *app) elsewhere(cmd *cobra.Command, args []string) error {
	if a.house != nil {
		if !worksThroughServer(a.running) {
			return usage("%s is not carried out for others", a.running)
		}
		return nil
	}
	if !worksThroughServer(a.running) || cmd.HasSubCommands() { // of which there is only help
		return nil
	}
	path := a.socketPath()
	conn, err := server.Dial(cmd.Context(), path)
	if errors.Is(err, server.ErrNoServer) {
		return nil
	}
	if err != nil {
		return &workError{err: err}
	}
	_ = conn.Close() // it answers
	c := client{app: a, path: path}
	return c.carryOut(cmd, args)
}

// socketPath is where a server would listen: what the configuration says, else
// beside the database. A configuration with mistakes is as none: the server has
// its own.
func (a *app) socketPath() string {
	conf := &config.Config{}
	if path, err := config.Find(a.configPath); err == nil && path != "" {
		if conf, _ = config.Load(path, providers.All()); conf == nil {
			conf = &config.Config{Path: path}
		}
	}
	return socketOf(conf, a.database(conf))
}

func socketOf(conf *config.Config, database string) string {
	if conf.Serve.Socket.Path != "" {
		return conf.Serve.Socket.Path
	}
	if target, err := filepath.EvalSymlinks(database); err == nil {
		database = target
	}
	return database + ".sock"
}

// client has commands carried out by a server.
type client struct {
	app  *app
	path string // of the socket
	run  string // that is carried out; "" before it is known
}

func (c *client) carryOut(cmd *cobra.Command, args []string) error {
	request := server.Request{Args: c.app.args, Color: c.app.terminal.drawable && os.Getenv("NO_COLOR") == ""}
	if c.app.terminal.drawable {
		request.Columns, request.Rows = c.app.terminal.size()
	}
	yes := cmd.Flags().Lookup("yes")
	if c.app.running == "approvals approve" && c.app.terminal.interactive && !c.app.json() && yes != nil && !yes.Changed {
		hash, err := c.confirm(cmd.Context(), request, args[0])
		if err != nil {
			return err
		}
		if !cmd.Flags().Changed("hash") {
			request.Args = append(slices.Clone(request.Args), "--hash", hash)
		}
	}
	end, err := c.ask(cmd.Context(), request)
	if err != nil {
		return err
	}
	c.app.answered = true
	return quit(end.Code) // also 0: cobra must not carry it out here as well
}

// ask has a command carried out, and sends along what it turns out to need.
func (c *client) ask(ctx context.Context, request server.Request) (server.End, error) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	end, err := c.once(ctx, request)
	switch {
	case err != nil:
		return end, err
	case end.Need != "":
		if err := c.pack(&request, end.Need); err != nil {
			return end, err
		}
	case end.NeedHash != "":
		if err := c.look(&request, end.NeedHash); err != nil {
			return end, err
		}
	default:
		return end, nil
	}
	end, err = c.once(ctx, request)
	if err == nil && (end.Need != "" || end.NeedHash != "") {
		return end, &workError{err: errors.New("the server asks for a playbook a second time")}
	}
	return end, err
}

func (c *client) once(ctx context.Context, request server.Request) (server.End, error) {
	conn, err := server.Dial(ctx, c.path)
	if err != nil {
		return server.End{}, &workError{err: err}
	}
	end, err := server.Ask(ctx, conn, request, server.Answer{
		Stdout: c.app.stdout, Stderr: c.app.stderr, Begun: func(run string) { c.run = run },
	})
	if err == nil {
		return end, nil
	}
	if request.Columns > 0 {
		fmt.Fprint(c.app.stdout, "\x1b[?25h") // the live view was cut off: the cursor comes back
	}
	if ctx.Err() != nil {
		c.sayWhatGoesOn()
		return end, quit(exitInterrupted)
	}
	return end, &workError{err: fmt.Errorf("%w; what it has begun is resumed when it serves again", err)}
}

func (c *client) sayWhatGoesOn() {
	if c.run == "" {
		c.app.say("left; look at what the server does with %s", c.app.command("runs list"))
		return
	}
	c.app.say("left; the run goes on in the server: watch it with %s, or end it with %s",
		c.app.command("runs show "+c.run), c.app.command("runs cancel "+c.run))
}

// pack reads the playbook that the command names. A server is given nothing but
// what whoever typed the command has named.
func (c *client) pack(request *server.Request, argument string) error {
	if !slices.Contains(request.Args, argument) {
		return &workError{err: errors.New("the server asks for a file that the command does not name")}
	}
	info, err := os.Stat(argument)
	if err != nil || info.IsDir() {
		return usage("there is no playbook %q here, nor in the folders of the server", argument)
	}
	bundle, problems := playbooks.Load(playbooks.OSFiles, argument)
	if yamldoc.HasErrors(problems) {
		return c.app.reject(problems)
	}
	data, err := bundle.Encode()
	if err != nil {
		return usage("sending %s to the server: %w", argument, err)
	}
	request.Sources, request.Source = data, absolute(argument)
	return nil
}

// look reads the playbook of a plan again. The server learns its hash only.
func (c *client) look(request *server.Request, path string) error {
	if _, err := os.Stat(path); err != nil {
		return usage("the plan is refused: its playbook %s cannot be read here, so nobody can tell whether it still says the same", path)
	}
	bundle, problems := playbooks.Load(playbooks.OSFiles, path)
	if yamldoc.HasErrors(problems) {
		return c.app.reject(problems)
	}
	request.Hash = bundle.Hash()
	return nil
}

// confirm shows what would be approved and asks about it here, where somebody
// can answer. The hash it returns is that of what was shown.
func (c *client) confirm(ctx context.Context, request server.Request, approval string) (string, error) {
	hash, err := c.hashOf(ctx, approval)
	if err != nil {
		return "", err
	}
	request.Args = []string{"approvals", "show", approval}
	end, err := c.once(ctx, request)
	if err != nil {
		return "", err
	}
	if end.Code != 0 {
		return "", quit(end.Code)
	}
	if !c.app.confirm("Approve this?") {
		return "", &exitError{code: exitFailed, err: errors.New("nothing was decided")}
	}
	return hash, nil
}

func (c *client) hashOf(ctx context.Context, approval string) (string, error) {
	conn, err := server.Dial(ctx, c.path)
	if err != nil {
		return "", &workError{err: err}
	}
	var out bytes.Buffer
	request := server.Request{Args: []string{"approvals", "show", approval, "-o", "json"}}
	end, err := server.Ask(ctx, conn, request, server.Answer{Stdout: &out, Stderr: c.app.stderr})
	if err != nil {
		return "", &workError{err: err}
	}
	var doc struct {
		Hash  string    `json:"hash"`
		Error errorBody `json:"error"`
	}
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
		return "", &workError{err: fmt.Errorf("reading what the server shows: %w", err)}
	}
	if end.Code != 0 {
		return "", &exitError{code: end.Code, err: errors.New(doc.Error.Message)}
	}
	return doc.Hash, nil
}
