package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/screen"
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/server"
)

// app is what all commands share.
type app struct {
	stdin    io.Reader
	stdout   *secret.Writer
	stderr   *secret.Writer
	redactor *secret.Redactor
	terminal terminal // what standard output is
	palette  screen.Palette
	log      *slog.Logger
	now      func() time.Time
	lookup   func(string) (string, bool) // environment variables that hold secrets

	configPath string // the flags
	dbPath     string
	output     string
	verbose    bool

	house  *house        // what a serving process lends to a command that came through its socket; nil elsewhere
	who    *engine.Actor // who sent the command; nil for whoever runs this process
	sent   sent          // what came with the command
	needs  server.End    // what must come with it, where it did not
	begun  func(string)  // hears which run is carried out; nil for nobody
	health *health       // hears whether the database can be written; nil for nobody
	args   []string      // as typed

	running  string // the command's name, without arguments
	answered bool   // a JSON object was printed
}

// terminal says what can be done with standard output.
type terminal struct {
	size        func() (columns, rows int)
	drawable    bool // lines can be redrawn in place
	interactive bool // somebody can answer on standard input
}

// Main runs the command line and returns its exit code.
func Main(args []string) int {
	redactor := &secret.Redactor{}
	a := &app{
		stdin: os.Stdin, stdout: redactor.Writer(os.Stdout), stderr: redactor.Writer(os.Stderr),
		redactor: redactor, terminal: detect(), now: time.Now, lookup: os.LookupEnv,
	}
	a.palette = screen.NewPalette(a.terminal.drawable && os.Getenv("NO_COLOR") == "")
	a.log = a.newLog(slog.LevelWarn)
	code := a.execute(context.Background(), args)
	for _, w := range []*secret.Writer{a.stdout, a.stderr} {
		if err := w.Close(); err != nil && code == 0 {
			code = exitFailed // the answer did not arrive
		}
	}
	return code
}

func detect() terminal {
	drawable := term.IsTerminal(int(os.Stdout.Fd())) && os.Getenv("TERM") != "dumb" && os.Getenv("TERM") != ""
	return terminal{
		size: sizeOf(os.Stdout), drawable: drawable,
		interactive: drawable && term.IsTerminal(int(os.Stdin.Fd())),
	}
}

// sizeOf asks a terminal for its size each time.
func sizeOf(f *os.File) func() (columns, rows int) {
	return func() (int, int) {
		columns, rows, err := term.GetSize(int(f.Fd()))
		if err != nil {
			return 80, 24
		}
		return columns, rows
	}
}

func (a *app) newLog(level slog.Level) *slog.Logger {
	return slog.New(a.redactor.Handler(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{Level: level})))
}

func (a *app) execute(ctx context.Context, args []string) int {
	a.args = args
	root := a.root() //nolint:contextcheck // commands get theirs when they run
	root.SetArgs(args)
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	return a.complain(err)
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "drawbridge",
		Short: "Security playbooks that are checked before they run and survive any crash",
		Long: `Drawbridge runs security playbooks: YAML files that find accounts, decide, act
and tell people. A playbook is checked before it runs, changes nothing beyond
its limits, and a run that was interrupted is resumed without doing anything
twice.

Exit codes: 0 succeeded; 1 failed, denied or cancelled; 2 wrong usage, or a
playbook with errors; 3 waiting for a person, or unsettled; 4 blocked by the
guard or drifted; 5 partial; 130 interrupted.`,
		SilenceErrors: true, SilenceUsage: true, DisableAutoGenTag: true,
		PersistentPreRunE: func(cmd *cobra.Command, args []string) error {
			if err := a.applyFlags(cmd); err != nil {
				return err
			}
			return a.elsewhere(cmd, args)
		},
	}
	flags := root.PersistentFlags()
	flags.StringVar(&a.configPath, "config", "", "the configuration (default ./drawbridge.yaml where there is one)")
	flags.StringVar(&a.dbPath, "db", "", "the database (default drawbridge.db beside the configuration)")
	flags.StringVarP(&a.output, "output", "o", "table", "table, or json for one JSON object on standard output")
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "log what happens to standard error")
	root.AddCommand(a.commands()...)
	refuseUnknown(root.Commands())
	root.CompletionOptions.DisableDescriptions = false
	return root
}

// refuseUnknown makes commands that have others below them refuse what is none
// of these: in a cron job, a mistyped one must not look as if it had worked.
func refuseUnknown(commands []*cobra.Command) {
	for _, c := range commands {
		if !c.HasSubCommands() {
			continue
		}
		c.RunE = func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			var known []string
			for _, below := range cmd.Commands() {
				known = append(known, below.Name())
			}
			return usage("unknown command %q for %q%s", args[0], cmd.CommandPath(), didYouMean(args[0], known))
		}
	}
}

func (a *app) applyFlags(cmd *cobra.Command) error {
	a.running = strings.TrimPrefix(cmd.CommandPath(), "drawbridge ")
	if err := a.checkOutput(cmd); err != nil {
		return err
	}
	if a.verbose {
		a.log = a.newLog(slog.LevelDebug)
	}
	return nil
}

// markdownMark is the annotation of commands that also write Markdown.
const markdownMark = "markdown"

func (a *app) checkOutput(cmd *cobra.Command) error {
	_, markdown := cmd.Annotations[markdownMark]
	switch {
	case a.output == "table", a.output == "json", a.output == "markdown" && markdown:
		return nil
	case markdown:
		return usage("--output must be table, json or markdown, not %q", a.output)
	default:
		return usage("--output must be table or json, not %q", a.output)
	}
}

// markdown reports whether Markdown is asked for.
func (a *app) markdown() bool { return a.output == "markdown" }

// json reports whether one JSON object is asked for.
func (a *app) json() bool { return a.output == "json" }

// complain says what went wrong and returns the exit code. Errors that are not
// from a command's own work are cobra's, about the usage.
func (a *app) complain(err error) int {
	var exit *exitError
	var worked *workError
	code := exitUsage
	switch {
	case errors.As(err, &exit):
		code = exit.code
		if exit.err == nil {
			return code
		}
	case errors.As(err, &worked):
		code = exitCode(worked.err)
	}
	message := screen.CleanLines(err.Error())
	if a.json() && !a.answered {
		if printErr := a.print(errorDocument{Error: errorBody{Code: code, Message: message}}); printErr == nil {
			return code
		}
	}
	fmt.Fprintf(a.stderr, "%s %s\n", a.palette.Bad("error:"), message)
	if code == exitUsage && strings.HasPrefix(message, "unknown ") {
		fmt.Fprintln(a.stderr, "drawbridge --help lists what there is")
	}
	return code
}

// workError marks an error of a command's own work, as opposed to its usage.
type workError struct{ err error }

// Error is the error itself.
func (e *workError) Error() string { return e.err.Error() }

// Unwrap is the error itself.
func (e *workError) Unwrap() error { return e.err }

// work makes a command's function whose errors are not taken for wrong usage.
func work(f func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		err := f(cmd.Context(), args)
		var exit *exitError
		if err == nil || errors.As(err, &exit) {
			return err
		}
		return &workError{err: err}
	}
}
