package transport_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// busy is a network whose answers take a while, and which counts.
type busy struct {
	takes  time.Duration
	answer func(n int) *http.Response // of the nth request, from 1

	mu    sync.Mutex
	under int
	most  int
	times []time.Time
}

func (b *busy) RoundTrip(r *http.Request) (*http.Response, error) {
	b.mu.Lock()
	b.under++
	b.most = max(b.most, b.under)
	b.times = append(b.times, time.Now())
	n := len(b.times)
	b.mu.Unlock()
	time.Sleep(b.takes) //nolint:forbidigo // virtual: an answer that takes a while
	b.mu.Lock()
	b.under--
	b.mu.Unlock()
	res := b.answer(n)
	res.Request = r
	return res, nil
}

func plain(status int, retryAfter string) *http.Response {
	res := &http.Response{StatusCode: status, Body: http.NoBody, Header: http.Header{}}
	if retryAfter != "" {
		res.Header.Set("Retry-After", retryAfter)
	}
	return res
}

func ask(ctx context.Context, c *transport.Client) error {
	_, err := c.Do(ctx, transport.Request{Method: http.MethodGet, URL: "https://nowhere.invalid/", Route: "GET /", Effect: transport.Read})
	return err
}

// askAll sends requests from many callers at once; each must succeed.
func askAll(t *testing.T, c *transport.Client, callers, each int) {
	t.Helper()
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for range each {
				if err := ask(t.Context(), c); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

// checkRate fails where more requests were sent in any span of time than pace allows.
func checkRate(t *testing.T, times []time.Time, pace engine.Pace) {
	t.Helper()
	for i, from := range times {
		for j, to := range times[i:] {
			if most := float64(pace.Burst) + pace.PerSecond*to.Sub(from).Seconds(); float64(j+1) > most+1e-6 {
				t.Fatalf("%d requests in %s, and at most %.2f were allowed", j+1, to.Sub(from), most)
			}
		}
	}
}

func TestAConnectionKeepsItsPace(t *testing.T) {
	for name, pace := range map[string]engine.Pace{
		"few a second":       {PerSecond: 4, Burst: 4},
		"one at a time":      {Concurrency: 1},
		"seldom":             {PerSecond: 0.5, Burst: 1},
		"often, but few":     {PerSecond: 50, Burst: 10, Concurrency: 3},
		"without a burst":    {PerSecond: 20},
		"a burst and no end": {PerSecond: 5, Burst: 60, Concurrency: 40},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := &busy{takes: 300 * time.Millisecond, answer: func(int) *http.Response { return plain(http.StatusOK, "") }}
				c := transport.New(transport.Options{Limit: 500, Burst: 100}.For(engine.Opening{Name: "op", Now: time.Now, Transport: network, Pace: pace}))
				askAll(t, c, 40, 5)
				if pace.Concurrency > 0 && network.most > pace.Concurrency {
					t.Errorf("%d were under way at once, of %d", network.most, pace.Concurrency)
				}
				if pace.PerSecond > 0 {
					pace.Burst = max(pace.Burst, 1)
					checkRate(t, network.times, pace)
				}
				if len(network.times) != 200 {
					t.Errorf("%d requests", len(network.times))
				}
			})
		})
	}
}

func TestAfterAPauseTheyDoNotGoAllAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pace := engine.Pace{PerSecond: 2, Burst: 2}
		network := &busy{answer: func(n int) *http.Response {
			if n == 5 {
				return plain(http.StatusTooManyRequests, "10")
			}
			return plain(http.StatusOK, "")
		}}
		c := transport.New(transport.Options{}.For(engine.Opening{Name: "op", Now: time.Now, Transport: network, Pace: pace}))
		askAll(t, c, 20, 1)
		checkRate(t, network.times, pace)
		refused := network.times[4]
		for _, at := range network.times[5:] {
			if at.Before(refused.Add(10 * time.Second)) {
				t.Errorf("a request was sent %s after the service had asked for ten seconds", at.Sub(refused))
			}
		}
	})
}

func TestWaitingForATurnTakesNoTimeFromAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failed := map[int]bool{1: true, 2: true, 3: true}
		network := &busy{answer: func(n int) *http.Response {
			if failed[n] {
				return plain(http.StatusServiceUnavailable, "")
			}
			return plain(http.StatusOK, "")
		}}
		c := transport.New(transport.Options{}.For(engine.Opening{
			Name: "op", Now: time.Now, Transport: network, Pace: engine.Pace{PerSecond: 0.05, Burst: 1}, // one in 20 s, more than all attempts may take
		}))
		askAll(t, c, 3, 1)
	})
}

func TestAStoppedCallLeavesTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := &busy{takes: time.Minute, answer: func(int) *http.Response { return plain(http.StatusOK, "") }}
		c := transport.New(transport.Options{Timeout: time.Hour}.For(engine.Opening{
			Name: "op", Now: time.Now, Transport: network, Pace: engine.Pace{Concurrency: 1},
		}))
		first := make(chan error, 1)
		go func() { first <- ask(t.Context(), c) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		checkFailure(t, ask(ctx, c), engine.ClassTimeout, transport.CodeTimeout)
		if err := <-first; err != nil {
			t.Error(err)
		}
		if err := ask(t.Context(), c); err != nil || len(network.times) != 2 {
			t.Errorf("%v after %d requests", err, len(network.times))
		}
	})
}
