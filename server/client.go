package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
)

// ErrCut means that the server ended before it said how the command ended.
var ErrCut = errors.New("the server ended before the command did")

// Answer is where what a server answers goes.
type Answer struct {
	Stdout, Stderr io.Writer
	Begun          func(run string) // hears of the run that the command carries out; may be nil
}

// Ask has a command carried out by the server at the other end, and writes what
// it prints. Where ctx ends first, it hangs up and returns the context's error:
// what the command has begun goes on. It closes the connection.
func Ask(ctx context.Context, conn net.Conn, request Request, to Answer) (End, error) {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	defer func() { _ = conn.Close() }() // there is nothing more to say
	request.Protocol = protocol
	unheard := writeJSON(conn, frameRequest, request) // a server that refuses says why without listening to the end
	for {
		kind, data, err := readFrame(conn, maxFrame)
		if err != nil {
			return End{}, cut(ctx, errors.Join(unheard, err))
		}
		switch kind {
		case frameStdout:
			_, err = to.Stdout.Write(data)
		case frameStderr:
			_, err = to.Stderr.Write(data)
		case frameBegun:
			if to.Begun != nil {
				to.Begun(string(data))
			}
		case frameEnd:
			var end End
			err := json.Unmarshal(data, &end)
			return end, err
		default:
			err = errFrame
		}
		if err != nil {
			return End{}, fmt.Errorf("showing what the server prints: %w", err)
		}
	}
}

func cut(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("%w: %w", ErrCut, err)
}
