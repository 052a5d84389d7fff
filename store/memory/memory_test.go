package memory_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/store/memory"
	"github.com/drawbridge-soar/drawbridge/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConformance(t *testing.T) {
	storetest.Run(t, func(*testing.T) engine.Store { return memory.New() })
}
