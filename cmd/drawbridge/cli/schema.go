package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/drawbridge-soar/drawbridge/playbooks"
)

func (a *app) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use: "schema", Short: "Print the JSON Schema of playbooks, for editors", Args: cobra.NoArgs,
		RunE: work(func(context.Context, []string) error {
			schema, err := playbookSchema()
			if err != nil {
				return err
			}
			a.answered = true
			_, err = a.stdout.Write(schema)
			return err
		}),
	}
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
