package network_test

import (
	"io"
	"log"
)

// quiet is a log for servers whose clients break handshakes off on purpose.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
