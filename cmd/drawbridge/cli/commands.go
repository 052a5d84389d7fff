package cli

import "github.com/spf13/cobra"

// commands is every command. A new one is its own file and one line here.
func (a *app) commands() []*cobra.Command {
	return []*cobra.Command{
		a.demoCommand(),
		a.initCommand(),
		a.checkCommand(),
		a.planCommand(),
		a.applyCommand(),
		a.testCommand(),
		a.runCommand(),
		a.undoCommand(),
		a.approvalsCommand(),
		a.grantsCommand(),
		a.holdCommand(),
		a.signalCommand(),
		a.freezeCommand(),
		a.thawCommand(),
		a.runsCommand(),
		a.handoverCommand(),
		a.auditCommand(),
		a.dbCommand(),
		a.schedulesCommand(),
		a.serveCommand(),
		a.actionsCommand(),
		a.connectionsCommand(),
		a.schemaCommand(),
		a.versionCommand(),
		a.simCommand(),
		a.genCommand(),
	}
}
