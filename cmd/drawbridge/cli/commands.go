package cli

import "github.com/spf13/cobra"

// commands is every command. A new one is its own file and one line here.
func (a *app) commands() []*cobra.Command {
	return []*cobra.Command{
		a.demoCommand(),
		a.initCommand(),
		a.checkCommand(),
		a.runCommand(),
		a.runsCommand(),
		a.actionsCommand(),
		a.connectionsCommand(),
		a.schemaCommand(),
		a.versionCommand(),
		a.simCommand(),
		a.genCommand(),
	}
}
