package sqlite

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// lockPatience is how long an engine waits for the lock: commands that look
// who holds it touch it for microseconds, and an engine may just be ending.
const (
	lockPatience = 200 * time.Millisecond
	lockPause    = 5 * time.Millisecond
)

// Holder is the engine that holds a database.
type Holder struct {
	PID     int       `json:"pid"`
	Host    string    `json:"host"`
	Command string    `json:"command"`
	Started time.Time `json:"started"`
}

// String says who it is: "drawbridge serve (pid 42 on web1, since 2026-…)".
func (h Holder) String() string {
	if h.PID == 0 {
		return "another engine"
	}
	return fmt.Sprintf("%s (pid %d on %s, since %s)", h.Command, h.PID, h.Host, h.Started.UTC().Format(time.RFC3339))
}

// Locked reports whether an engine holds the database, and which. It takes no
// lock and works for databases that do not exist.
func Locked(path string) (Holder, bool, error) {
	name, err := canonical(path)
	if err != nil {
		return Holder{}, false, fmt.Errorf("looking for the engine of %s: %w", path, err)
	}
	f, err := os.Open(lockName(name))
	if errors.Is(err, fs.ErrNotExist) {
		return Holder{}, false, nil
	}
	if err != nil {
		return Holder{}, false, fmt.Errorf("looking for the engine of %s: %w", path, err)
	}
	defer f.Close()
	held, err := heldByOther(f)
	if err != nil || !held {
		return Holder{}, false, err
	}
	return readHolder(f), true, nil
}

func lockName(path string) string { return path + ".lock" }

// fileLock is the lock of an engine. The system releases it with the process.
type fileLock struct{ f *os.File }

// acquire takes the lock for the holder; engine.ErrLocked says who has it.
func acquire(path string, h Holder) (*fileLock, error) {
	f, err := os.OpenFile(lockName(path), os.O_CREATE|os.O_RDWR, private)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnwritable, err)
	}
	got, err := patiently(func() (bool, error) { return tryExclusive(f) })
	if err == nil && !got {
		err = fmt.Errorf("%w: by %s", engine.ErrLocked, readHolder(f))
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	l := &fileLock{f: f}
	if err := l.write(h); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %w", ErrUnwritable, err), l.release())
	}
	return l, nil
}

// patiently tries until it succeeds, fails, or the patience is over.
func patiently(try func() (bool, error)) (bool, error) {
	over := time.NewTimer(lockPatience)
	defer over.Stop()
	again := time.NewTicker(lockPause)
	defer again.Stop()
	for {
		if got, err := try(); got || err != nil {
			return got, err
		}
		select {
		case <-again.C:
		case <-over.C:
			return false, nil
		}
	}
}

func (l *fileLock) write(h Holder) error {
	data, err := json.Marshal(h)
	if err != nil {
		return err
	}
	if err := l.f.Truncate(0); err != nil {
		return err
	}
	_, err = l.f.WriteAt(append(data, '\n'), 0)
	return err
}

// release gives the lock back. The file stays: removing it would let two
// engines lock two files of the same name.
func (l *fileLock) release() error {
	err := l.f.Truncate(0)
	return errors.Join(err, l.f.Close())
}

// readHolder is who the file names; nobody where it is not readable yet.
func readHolder(f *os.File) Holder {
	var h Holder
	data, err := io.ReadAll(io.NewSectionReader(f, 0, 64<<10))
	if err != nil || json.Unmarshal(data, &h) != nil {
		return Holder{}
	}
	return h
}
