package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/drawbridge-soar/drawbridge/steps/reference"
)

func (a *app) genCommand() *cobra.Command {
	var check bool
	cmd := &cobra.Command{
		Use: "gen", Short: "Write the generated files of the repository", Hidden: true, Args: cobra.NoArgs,
		RunE: work(func(context.Context, []string) error {
			if check {
				return checkReference(reference.Folder)
			}
			return reference.Write(reference.Folder)
		}),
	}
	cmd.Flags().BoolVar(&check, "check", false, "write nothing; fail where a file is not current")
	return cmd
}

func checkReference(folder string) error {
	for _, page := range reference.Pages() {
		path := filepath.Join(folder, page.Name)
		have, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("reading a generated file: %w", err)
		}
		if !bytes.Equal(have, page.Content) {
			return fmt.Errorf("%s is not current: run `go run ./cmd/drawbridge gen`", path)
		}
	}
	return nil
}
