package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/drawbridge-soar/drawbridge/playbooks"
	"github.com/drawbridge-soar/drawbridge/playbooks/playbooktest"
)

func (a *app) schemaCommand() *cobra.Command {
	var tests bool
	cmd := &cobra.Command{
		Use: "schema", Short: "Print the JSON Schema of playbooks, for editors", Args: cobra.NoArgs,
		RunE: work(func(context.Context, []string) error {
			write := playbookSchema
			if tests {
				write = testsSchema
			}
			schema, err := write()
			if err != nil {
				return err
			}
			a.answered = true
			_, err = a.stdout.Write(schema)
			return err
		}),
	}
	cmd.Flags().BoolVar(&tests, "tests", false, "that of *.test.yaml files instead")
	return cmd
}

// testsSchema is the JSON Schema of test files.
func testsSchema() ([]byte, error) {
	schema, err := playbooktest.Schema()
	if err != nil {
		return nil, fmt.Errorf("making the schema: %w", err)
	}
	return schema, nil
}

// playbookSchema is the JSON Schema of the language with this binary's actions.
func playbookSchema() ([]byte, error) {
	actions, err := knownActions()
	if err != nil {
		return nil, err
	}
	schema, err := playbooks.Schema(actions)
	if err != nil {
		return nil, fmt.Errorf("making the schema: %w", err)
	}
	return schema, nil
}
