package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/playbooks"
	"github.com/drawbridge-soar/drawbridge/playbooks/connector"
	"github.com/drawbridge-soar/drawbridge/playbooks/playbooktest"
)

func (a *app) schemaCommand() *cobra.Command {
	var tests, connectors bool
	cmd := &cobra.Command{
		Use: "schema", Short: "Print the JSON Schema of playbooks, for editors", Args: cobra.NoArgs,
		RunE: work(func(context.Context, []string) error {
			write := func() ([]byte, error) {
				conf, err := a.config()
				if err != nil {
					return nil, err
				}
				return playbookSchema(conf)
			}
			switch {
			case tests && connectors:
				return usage("--tests and --connectors are two schemas: ask for one of them")
			case tests:
				write = testsSchema
			case connectors:
				write = connectorSchema
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
	cmd.Flags().BoolVar(&connectors, "connectors", false, "that of connector files instead")
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

// connectorSchema is the JSON Schema of connector files.
func connectorSchema() ([]byte, error) {
	schema, err := connector.Schema()
	if err != nil {
		return nil, fmt.Errorf("making the schema: %w", err)
	}
	return schema, nil
}

// playbookSchema is the JSON Schema of the language with all actions.
func playbookSchema(conf *config.Config) ([]byte, error) {
	actions, err := knownActions(conf)
	if err != nil {
		return nil, err
	}
	schema, err := playbooks.Schema(actions)
	if err != nil {
		return nil, fmt.Errorf("making the schema: %w", err)
	}
	return schema, nil
}
