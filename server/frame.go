package server

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// The protocol of the socket: the client sends one request frame and, where
// somebody presses Ctrl-C, hangs up. The server answers with frames of output
// and then one of the end. A frame is a byte that says what it is, its length
// as four bytes, most significant first, and that many bytes.

// protocol is the version of what a Request and an End hold.
const protocol = 1

// Limits of a frame, in bytes.
const (
	maxRequest = 32 << 20
	maxFrame   = 1 << 20
)

type frameKind byte

const (
	frameRequest frameKind = 'r'
	frameStdout  frameKind = '1'
	frameStderr  frameKind = '2'
	frameBegun   frameKind = 'b' // the id of the run that the command carries out
	frameEnd     frameKind = 'x'
)

var errFrame = errors.New("what came through the socket is not of its protocol")

// Request is a command to be carried out in the serving process. It says
// nothing about who asks: that is the kernel's to say.
type Request struct {
	Protocol int      `json:"protocol"`
	Args     []string `json:"args"` // as typed, without the program's name
	// Sources is the playbook that the command names, read by the client: the
	// server opens no file that a client names. nil where it names none.
	Sources []byte `json:"sources"`
	// Source is where the client read it: for people, and for who applies a plan
	// of it later.
	Source string `json:"source"`
	// Hash is that of the playbook a plan was made of, as the client reads it now.
	Hash    string `json:"hash"`
	Columns int    `json:"columns"` // of the terminal; 0 where output is none
	Rows    int    `json:"rows"`
	Color   bool   `json:"color"`
}

// End is how a command ended.
type End struct {
	Code int `json:"code"` // the exit code
	// Need is the playbook to send along, where it was not: an argument of the
	// command. NeedHash is one whose hash is needed. Nothing was done then.
	Need     string `json:"need,omitempty"`
	NeedHash string `json:"need_hash,omitempty"`
}

func writeFrame(w io.Writer, kind frameKind, data []byte) error {
	buf := make([]byte, 5, 5+len(data))
	buf[0] = byte(kind)
	binary.BigEndian.PutUint32(buf[1:], uint32(len(data)))
	if _, err := w.Write(append(buf, data...)); err != nil {
		return fmt.Errorf("writing to the socket: %w", err)
	}
	return nil
}

func writeJSON(w io.Writer, kind frameKind, doc any) error {
	data, err := json.Marshal(doc)
	if err != nil {
		return fmt.Errorf("encoding for the socket: %w", err)
	}
	return writeFrame(w, kind, data)
}

func readFrame(r io.Reader, limit uint32) (frameKind, []byte, error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, fmt.Errorf("reading from the socket: %w", err)
	}
	length := binary.BigEndian.Uint32(head[1:])
	if length > limit {
		return 0, nil, fmt.Errorf("%w: %d bytes are more than %d", errFrame, length, limit)
	}
	var data bytes.Buffer // which grows with what comes, not with what is promised
	if _, err := io.CopyN(&data, r, int64(length)); err != nil {
		return 0, nil, fmt.Errorf("reading from the socket: %w", err)
	}
	return frameKind(head[0]), data.Bytes(), nil
}

// frames writes the answer of a command. Its outputs may be used by several
// goroutines, also after the other end is gone.
type frames struct {
	mu   sync.Mutex
	to   io.Writer
	err  error  // of the first write that failed; nothing is written after it
	lost func() // hears of that; nil for nobody
}

// given makes lost be called where the other end does not take what it is told.
func (f *frames) given(lost func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lost = lost
}

// write sends one frame. After one that was not taken, in which the other end
// may have got stuck, there is none. The caller has the lock.
func (f *frames) write(kind frameKind, data []byte) error {
	if f.err != nil {
		return f.err
	}
	if f.err = writeFrame(f.to, kind, data); f.err != nil && f.lost != nil {
		f.lost()
	}
	return f.err
}

// stream is one of the outputs.
type stream struct {
	frames *frames
	kind   frameKind
}

// Write sends p, in frames that are not too long.
func (s stream) Write(p []byte) (int, error) {
	s.frames.mu.Lock()
	defer s.frames.mu.Unlock()
	for sent := 0; sent < len(p); {
		part := p[sent:min(len(p), sent+maxFrame)]
		if err := s.frames.write(s.kind, part); err != nil {
			return sent, err
		}
		sent += len(part)
	}
	return len(p), nil
}

func (f *frames) begun(run string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_ = f.write(frameBegun, []byte(run)) // the client may have left, and the run goes on
}

func (f *frames) end(e End) error {
	data, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encoding for the socket: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.write(frameEnd, data)
}
