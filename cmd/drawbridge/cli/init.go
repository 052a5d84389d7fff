package cli

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/drawbridge-soar/drawbridge/examples"
)

//go:embed templates
var templates embed.FS

// schemaLine and testsSchemaLine make editors find the schemas, from a file in
// playbooks/.
const (
	schemaLine      = "# yaml-language-server: $schema=../.drawbridge/playbook.schema.json\n"
	testsSchemaLine = "# yaml-language-server: $schema=../.drawbridge/tests.schema.json\n"
)

// starter is the example a new project begins with, and starterTest its test.
const (
	starter     = "contain-suspicious-users.yaml"
	starterTest = "contain-suspicious-users.test.yaml"
)

func (a *app) initCommand() *cobra.Command {
	return &cobra.Command{
		Use: "init [DIR]", Short: "Begin a project: a configuration, one playbook, its test, and schemas for editors",
		Args: cobra.MaximumNArgs(1),
		RunE: work(func(_ context.Context, args []string) error {
			dir := "."
			if len(args) > 0 {
				dir = args[0]
			}
			return a.initProject(dir)
		}),
	}
}

// newFile is a file of a new project.
type newFile struct {
	path string
	data []byte
}

func (a *app) initProject(dir string) error {
	files, err := projectFiles(dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		if _, err := os.Lstat(f.path); err == nil {
			return usage("%s is there already; nothing was written", f.path)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("looking at %s: %w", f.path, err)
		}
	}
	written := []string{}
	for _, f := range files {
		if err := writeNew(f); err != nil {
			return err
		}
		written = append(written, f.path)
	}
	return a.showProject(dir, written)
}

func projectFiles(dir string) ([]newFile, error) {
	schema, err := playbookSchema(&config.Config{})
	if err != nil {
		return nil, err
	}
	tests, err := testsSchema()
	if err != nil {
		return nil, err
	}
	out := []newFile{
		{filepath.Join(dir, ".drawbridge", "playbook.schema.json"), schema},
		{filepath.Join(dir, ".drawbridge", "tests.schema.json"), tests},
	}
	for _, first := range [][2]string{{starter, schemaLine}, {starterTest, testsSchemaLine}} {
		data, err := fs.ReadFile(examples.Files(), first[0])
		if err != nil {
			return nil, fmt.Errorf("reading the first playbook: %w", err)
		}
		out = append(out, newFile{filepath.Join(dir, "playbooks", first[0]), append([]byte(first[1]), data...)})
	}
	for _, t := range [][2]string{{"drawbridge.yaml", "drawbridge.yaml"}, {"README.md", "README.md"}, {"gitignore", ".gitignore"}} {
		data, err := templates.ReadFile("templates/" + t[0])
		if err != nil {
			return nil, fmt.Errorf("reading a template: %w", err)
		}
		out = append(out, newFile{filepath.Join(dir, t[1]), data})
	}
	return out, nil
}

// writeNew creates a file, and fails where somebody else just did.
func writeNew(f newFile) error {
	if err := os.MkdirAll(filepath.Dir(f.path), 0o750); err != nil {
		return fmt.Errorf("creating a folder: %w", err)
	}
	file, err := os.OpenFile(f.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // meant to be read and committed
	if err != nil {
		return fmt.Errorf("creating a file: %w", err)
	}
	_, err = file.Write(f.data)
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", f.path, err)
	}
	return nil
}

func (a *app) showProject(dir string, written []string) error {
	slices.Sort(written)
	if a.json() {
		return a.print(map[string]any{"files": written})
	}
	for _, path := range written {
		fmt.Fprintf(a.stdout, "%s %s\n", a.palette.Good("wrote"), path)
	}
	where := ""
	if dir != "." {
		where = "cd " + quoted(dir) + ", "
	}
	fmt.Fprintf(a.stdout, "\nNext: %sfill in your account in drawbridge.yaml, set the variables it names, and try\n", where)
	fmt.Fprintf(a.stdout, "  drawbridge check playbooks\n  drawbridge test playbooks\n  drawbridge connections test\n  drawbridge run %s\n", "contain-suspicious-users")
	return nil
}
