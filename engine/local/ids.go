package local

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// ids makes identifiers that sort by the time they were made.
type ids struct {
	mu      sync.Mutex
	entropy io.Reader
}

func (i *ids) make(prefix string, now time.Time) (string, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.entropy == nil {
		i.entropy = ulid.Monotonic(rand.Reader, 0)
	}
	id, err := ulid.New(ulid.Timestamp(now), i.entropy)
	if err != nil {
		return "", fmt.Errorf("making an id: %w", err)
	}
	return prefix + "_" + strings.ToLower(id.String()), nil
}

// callKey is the idempotency key of a step: the same for every attempt and
// after every crash, and short enough for any service's header.
func callKey(run, path string) string { return hash([]byte(run + "/" + path)) }

func hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func referenceOf(data []byte) engine.Reference { return engine.Reference(hash(data)) }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
