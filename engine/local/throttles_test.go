package local_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/local"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
	"github.com/drawbridge-soar/drawbridge/store/memory"
)

// strict is a service that refuses its first request, for some time.
type strict struct {
	retryAfter string
	times      []time.Time
}

func (s *strict) RoundTrip(r *http.Request) (*http.Response, error) {
	s.times = append(s.times, time.Now())
	res := &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Header: http.Header{}, Request: r}
	if len(s.times) == 1 {
		res.StatusCode = http.StatusTooManyRequests
		res.Header.Set("Retry-After", s.retryAfter)
	}
	return res, nil
}

// process is a connection as a new process opens it.
func process(t *testing.T, store engine.Store, network http.RoundTripper) (ask func() error, end func()) {
	t.Helper()
	throttles, err := local.NewThrottles(t.Context(), store, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := transport.New(transport.Options{}.For(engine.Opening{Name: "op", Now: time.Now, Transport: network, Throttles: throttles}))
	return func() error {
		_, err := client.Do(t.Context(), transport.Request{Method: http.MethodGet, URL: "https://op.invalid/", Route: "GET /", Effect: transport.Read})
		return err
	}, throttles.Close
}

func TestARestartKeepsToWhatTheServiceAskedFor(t *testing.T) {
	for name, test := range map[string]struct {
		retryAfter string
		asked      time.Duration
	}{
		"ten minutes": {"600", 10 * time.Minute},
		"a year":      {"31536000", time.Hour}, // nobody waits for longer
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, network, began := memory.New(), &strict{retryAfter: test.retryAfter}, time.Now()
				ask, end := process(t, store, network)
				if err := ask(); err == nil {
					t.Fatal("the service did not refuse")
				}
				end()
				ask, end = process(t, store, network)
				defer end()
				var f *engine.Failure
				if err := ask(); !errors.As(err, &f) || !f.NotBefore.Equal(began.Add(test.asked)) || len(network.times) != 1 {
					t.Fatalf("%v after %d requests", err, len(network.times))
				}
				time.Sleep(test.asked - 5*time.Second) //nolint:forbidigo // virtual: not long before it may be called
				if err := ask(); err != nil {
					t.Fatal(err)
				}
				if got := network.times[1].Sub(began); got < test.asked || got > test.asked+time.Second {
					t.Errorf("the second process called after %s", got)
				}
			})
		})
	}
}

// keeping is a store that notes the throttles it is to keep.
type keeping struct {
	engine.Store

	mu     sync.Mutex
	rows   []engine.Throttle
	broken bool
}

func (k *keeping) Commit(ctx context.Context, b engine.Batch) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.broken {
		return errors.New("the disk is full")
	}
	k.rows = append(k.rows, b.Throttles...)
	return k.Store.Commit(ctx, b)
}

func TestThrottlesAreRecordedSparingly(t *testing.T) {
	store, noon := &keeping{Store: memory.New()}, time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	throttles, err := local.NewThrottles(t.Context(), store, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		throttles.Penalized("op", noon.Add(time.Duration(i)*time.Millisecond))
	}
	throttles.Penalized("op", noon.Add(-time.Hour))
	throttles.Close()
	if len(store.rows) != 1 || !store.rows[0].Until.Equal(noon) || !throttles.Until("op").Equal(noon) {
		t.Errorf("recorded %v", store.rows)
	}
	throttles.Penalized("op", noon.Add(time.Minute))
	throttles.Penalized("op", noon.Add(time.Hour))
	throttles.Close()
	if last := store.rows[len(store.rows)-1]; !last.Until.Equal(noon.Add(time.Hour)) {
		t.Errorf("the last that was recorded is %v", last)
	}
}

func TestThrottlesThatCouldNotBeRecordedAreTriedAgain(t *testing.T) {
	store, noon := &keeping{Store: memory.New(), broken: true}, time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	throttles, err := local.NewThrottles(t.Context(), store, nil)
	if err != nil {
		t.Fatal(err)
	}
	throttles.Penalized("op", noon)
	throttles.Close()
	store.broken = false
	throttles.Penalized("op", noon)
	throttles.Close()
	if len(store.rows) != 1 {
		t.Errorf("recorded %v", store.rows)
	}
}
