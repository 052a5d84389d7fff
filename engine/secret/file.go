package secret

import (
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
)

// maxFile is the size in bytes from which a file cannot be a secret.
const maxFile = 64 << 10

func (k *Keeper) readFile(ref Reference, escaped string) (string, error) {
	path, err := url.PathUnescape(escaped)
	if err != nil || !filepath.IsAbs(path) {
		return "", fmt.Errorf("%w %s: write file:// and an absolute path", ErrReference, ref)
	}
	info, err := os.Stat(path) // before opening: opening a pipe would wait for its writer
	if err != nil {
		return "", fmt.Errorf("%w %s: %w", ErrReference, ref, err)
	}
	if err := k.checkFile(ref, info); err != nil {
		return "", err
	}
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		return "", fmt.Errorf("%w %s: %w", ErrReference, ref, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return "", fmt.Errorf("%w %s: reading: %w", ErrReference, ref, err)
	}
	if len(data) > maxFile {
		return "", fmt.Errorf("%w %s: it is larger than %d KiB", ErrReference, ref, maxFile>>10)
	}
	return string(data), nil
}

// checkFile refuses what cannot be a secret file, or what anybody could have
// written. That others can read it is normal for secrets mounted into
// containers, so it is only said.
func (k *Keeper) checkFile(ref Reference, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%w %s: it is not a regular file", ErrReference, ref)
	}
	if runtime.GOOS == "windows" { // its modes say nothing about who may read
		return nil
	}
	mode := info.Mode().Perm()
	if mode&0o002 != 0 {
		return fmt.Errorf("%w %s: every user of this machine can change it (mode %#o); chmod o-w it", ErrReference, ref, mode)
	}
	if mode&0o004 != 0 {
		k.log.Warn("every user of this machine can read a secret file", "reference", string(ref), "mode", fmt.Sprintf("%#o", mode))
	}
	return nil
}
