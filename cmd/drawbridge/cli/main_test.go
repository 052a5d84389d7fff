package cli

import (
	"flag"
	"fmt"
	"os"
	"testing"
)

// TestMain lets many tests go on beside each other, also where there are few
// processors: those that are slow wait for a service or for time.
func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", "16"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}
