package main

import (
	"os"
	"os/exec"
	"syscall"
)

// become makes a command run as another user, in a namespace in which that
// user is who runs the tests.
func become(cmd *exec.Cmd, uid int) bool {
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: uid, HostID: os.Getuid(), Size: 1}},
	}
	return true
}
