package transport_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/time/rate"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is a time that passes only when somebody sleeps.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	slept []time.Duration
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now, c.slept = c.now.Add(d), append(c.slept, d)
	return ctx.Err()
}

// serve starts a service and a client with a clock of its own for it.
func serve(t *testing.T, o transport.Options, handler http.HandlerFunc) (*transport.Client, string, *clock) {
	t.Helper()
	server := httptest.NewServer(handler)
	at := newClock()
	o.Now, o.Sleep = at.Now, at.Sleep
	if o.Jitter == nil {
		o.Jitter = func() float64 { return 0.5 }
	}
	client := transport.New(o)
	t.Cleanup(func() {
		client.Close()
		server.Close()
	})
	return client, server.URL, at
}

// answers is a service that gives one answer after the other, the last for ever.
func answers(list ...http.HandlerFunc) (http.HandlerFunc, *atomic.Int32) {
	var calls atomic.Int32
	return func(w http.ResponseWriter, r *http.Request) {
		n := int(calls.Add(1))
		list[min(n, len(list))-1](w, r)
	}, &calls
}

func status(code int, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for _, h := range headers {
			name, value, _ := strings.Cut(h, ": ")
			w.Header().Set(name, value)
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, `{"message":"as told"}`)
	}
}

func cut(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

func halfBody(w http.ResponseWriter, _ *http.Request) {
	conn, out, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	_, _ = io.WriteString(out, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"half\":")
	_ = out.Flush()
	_ = conn.Close()
}

func TestAttemptsAndClasses(t *testing.T) {
	ok := status(200)
	for name, tt := range map[string]struct {
		effect  transport.Effect
		answers []http.HandlerFunc
		calls   int32
		class   engine.Class // "" for success
		code    string
	}{
		"success":                       {transport.Read, []http.HandlerFunc{ok}, 1, "", ""},
		"read again after 503":          {transport.Read, []http.HandlerFunc{status(503), ok}, 2, "", ""},
		"read again after 500":          {transport.Read, []http.HandlerFunc{status(500), ok}, 2, "", ""},
		"read again after a cut":        {transport.Read, []http.HandlerFunc{cut, ok}, 2, "", ""},
		"read again after half a body":  {transport.Read, []http.HandlerFunc{halfBody, ok}, 2, "", ""},
		"read again after 429":          {transport.Read, []http.HandlerFunc{status(429), ok}, 2, "", ""},
		"three attempts":                {transport.Read, []http.HandlerFunc{status(502)}, 3, engine.ClassTransient, "http_502"},
		"three cuts":                    {transport.Read, []http.HandlerFunc{cut}, 3, engine.ClassTransient, transport.CodeUnreachable},
		"three half bodies":             {transport.Read, []http.HandlerFunc{halfBody}, 3, engine.ClassTransient, transport.CodeBrokenAnswer},
		"three 429":                     {transport.Read, []http.HandlerFunc{status(429)}, 3, engine.ClassTransient, transport.CodeRateLimited},
		"401":                           {transport.Read, []http.HandlerFunc{status(401)}, 1, engine.ClassAuth, transport.CodeUnauthorized},
		"403":                           {transport.Read, []http.HandlerFunc{status(403)}, 1, engine.ClassAuth, "http_403"},
		"404":                           {transport.Read, []http.HandlerFunc{status(404)}, 1, engine.ClassNotFound, "http_404"},
		"408":                           {transport.Read, []http.HandlerFunc{status(408)}, 3, engine.ClassTimeout, "http_408"},
		"400":                           {transport.Read, []http.HandlerFunc{status(400)}, 1, engine.ClassPermanent, "http_400"},
		"304":                           {transport.Read, []http.HandlerFunc{status(304)}, 1, engine.ClassPermanent, "http_304"},
		"once, 503":                     {transport.Once, []http.HandlerFunc{status(503), ok}, 2, "", ""},
		"once, 429":                     {transport.Once, []http.HandlerFunc{status(429), ok}, 2, "", ""},
		"once, cut":                     {transport.Once, []http.HandlerFunc{cut}, 1, engine.ClassUnsettled, transport.CodeUnreachable},
		"once, half a body":             {transport.Once, []http.HandlerFunc{halfBody}, 1, engine.ClassUnsettled, transport.CodeBrokenAnswer},
		"once, 500":                     {transport.Once, []http.HandlerFunc{status(500)}, 1, engine.ClassUnsettled, "http_500"},
		"once, 400":                     {transport.Once, []http.HandlerFunc{status(400)}, 1, engine.ClassPermanent, "http_400"},
		"repeatable, cut":               {transport.Repeatable, []http.HandlerFunc{cut, ok}, 2, "", ""},
		"repeatable, three cuts":        {transport.Repeatable, []http.HandlerFunc{cut}, 3, engine.ClassUnsettled, transport.CodeUnreachable},
		"repeatable, cut and 503":       {transport.Repeatable, []http.HandlerFunc{cut, status(503)}, 3, engine.ClassUnsettled, "http_503"},
		"repeatable, 503 only":          {transport.Repeatable, []http.HandlerFunc{status(503)}, 3, engine.ClassTransient, "http_503"},
		"repeatable, cut and refused":   {transport.Repeatable, []http.HandlerFunc{cut, status(404)}, 2, engine.ClassNotFound, "http_404"},
		"repeatable, cut and no longer": {transport.Repeatable, []http.HandlerFunc{cut, status(401)}, 2, engine.ClassUnsettled, transport.CodeUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			handler, calls := answers(tt.answers...)
			client, url, _ := serve(t, transport.Options{}, handler)
			_, err := client.Do(t.Context(), transport.Request{Method: "POST", URL: url + "/x", Route: "POST /x", Effect: tt.effect})
			if calls.Load() != tt.calls {
				t.Errorf("%d calls, want %d", calls.Load(), tt.calls)
			}
			checkFailure(t, err, tt.class, tt.code)
		})
	}
}

func checkFailure(t *testing.T, err error, class engine.Class, code string) {
	t.Helper()
	if class == "" {
		if err != nil {
			t.Errorf("failed: %v", err)
		}
		return
	}
	var f *engine.Failure
	if !errors.As(err, &f) || f.Class != class || f.Code != code {
		t.Errorf("got %#v, want class %s and code %s", err, class, code)
	}
}

func TestNothingSentIsRepeatedWhateverItDoes(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close() // nobody listens there any more
	at := newClock()
	client := transport.New(transport.Options{Now: at.Now, Sleep: at.Sleep})
	_, err := client.Do(t.Context(), transport.Request{Method: "POST", URL: server.URL, Route: "POST /", Effect: transport.Once})
	checkFailure(t, err, engine.ClassTransient, transport.CodeUnreachable)
	if len(at.slept) != 2 {
		t.Errorf("paused %v, want two pauses", at.slept)
	}
}

func TestPausesGrowAndAreJittered(t *testing.T) {
	for _, tt := range []struct {
		status int
		jitter float64
		want   []time.Duration
	}{
		{503, 0, []time.Duration{125 * time.Millisecond, 250 * time.Millisecond}},
		{503, 0.5, []time.Duration{250 * time.Millisecond, 500 * time.Millisecond}},
		{429, 0.5, []time.Duration{time.Second, 2 * time.Second}},
	} {
		client, url, at := serve(t, transport.Options{Jitter: func() float64 { return tt.jitter }}, status(tt.status))
		if _, err := client.Do(t.Context(), transport.Request{Method: "GET", URL: url, Effect: transport.Read}); err == nil {
			t.Fatal("it worked")
		}
		if fmt.Sprint(at.slept) != fmt.Sprint(tt.want) {
			t.Errorf("%d with jitter %v: paused %v, want %v", tt.status, tt.jitter, at.slept, tt.want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	start := newClock().now
	for name, tt := range map[string]struct {
		header    string
		wait      time.Duration // paused and then succeeded
		notBefore time.Duration // or failed, with this from now
	}{
		"seconds":       {header: "3", wait: 3 * time.Second},
		"a date":        {header: start.Add(7 * time.Second).Format(http.TimeFormat), wait: 7 * time.Second},
		"in the past":   {header: start.Add(-time.Hour).Format(http.TimeFormat), wait: 0},
		"nonsense":      {header: "soon", wait: time.Second},
		"longer":        {header: "60", notBefore: time.Minute},
		"much longer":   {header: "999999", notBefore: time.Hour},
		"out of bounds": {header: "9223372036854775807", notBefore: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			handler, calls := answers(status(429, "Retry-After: "+tt.header), status(200))
			client, url, at := serve(t, transport.Options{}, handler)
			request := transport.Request{Method: "GET", URL: url, Effect: transport.Read}
			_, err := client.Do(t.Context(), request)
			if tt.notBefore == 0 {
				if err != nil || at.Now().Sub(start) != tt.wait {
					t.Errorf("waited %v, want %v (%v)", at.slept, tt.wait, err)
				}
				return
			}
			f := engine.AsFailure(err)
			if !errors.Is(err, &engine.Failure{Class: engine.ClassTransient, Code: transport.CodeRateLimited}) || !f.NotBefore.Equal(start.Add(tt.notBefore)) {
				t.Errorf("got %v not before %v, want %v", err, f.NotBefore, start.Add(tt.notBefore))
			}
			if _, err := client.Do(t.Context(), request); engine.AsFailure(err).Code != transport.CodeRateLimited || calls.Load() != 1 {
				t.Errorf("another caller went on all the same: %v, %d calls", err, calls.Load())
			}
		})
	}
}

func TestAllCallersShareOnePace(t *testing.T) {
	client, url, at := serve(t, transport.Options{Limit: rate.Limit(10), Burst: 5}, status(200))
	start := at.Now()
	for range 25 {
		if _, err := client.Do(t.Context(), transport.Request{Method: "GET", URL: url, Effect: transport.Read}); err != nil {
			t.Fatal(err)
		}
	}
	if took := at.Now().Sub(start).Round(time.Millisecond); took != 2*time.Second {
		t.Errorf("25 calls at 10 a second, 5 at once, took %v", took)
	}
}

func TestAnswersAreBounded(t *testing.T) {
	body := func(n int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("x", n)) }
	}
	for _, tt := range []struct {
		size int
		code string
	}{{100, ""}, {101, transport.CodeTooLarge}, {1 << 20, transport.CodeTooLarge}} {
		client, url, _ := serve(t, transport.Options{}, body(tt.size))
		res, err := client.Do(t.Context(), transport.Request{Method: "GET", URL: url, Effect: transport.Read, MaxBody: 100})
		if tt.code != "" {
			checkFailure(t, err, engine.ClassPermanent, tt.code)
		} else if err != nil || len(res.Body) != tt.size {
			t.Errorf("%d bytes: %d, %v", tt.size, len(res.Body), err)
		}
	}
}

func TestRedirects(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("the redirect was followed to another host, with %q", r.Header.Get("Authorization"))
	}))
	t.Cleanup(other.Close)
	for name, tt := range map[string]struct {
		method, to string
		code       string
	}{
		"same host":       {"GET", "/there", ""},
		"post, same host": {"POST", "/there", transport.CodeRedirect},
		"other host":      {"GET", other.URL + "/there?token=s3cret", transport.CodeRedirect},
		"other scheme":    {"GET", "ftp://127.0.0.1/there", transport.CodeRedirect},
		"for ever":        {"GET", "/start", transport.CodeRedirect},
	} {
		t.Run(name, func(t *testing.T) {
			client, url, _ := serve(t, transport.Options{}, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/start" {
					http.Redirect(w, r, tt.to, http.StatusTemporaryRedirect)
				}
			})
			_, err := client.Do(t.Context(), transport.Request{
				Method: tt.method, URL: url + "/start", Effect: transport.Read, Header: http.Header{"Authorization": {"Bearer abcdefgh"}},
			})
			if tt.code != "" {
				checkFailure(t, err, engine.ClassPermanent, tt.code)
			} else if err != nil {
				t.Error(err)
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error repeats where it was sent: %v", err)
			}
		})
	}
}

func TestTimeouts(t *testing.T) {
	stuck := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for name, tt := range map[string]struct {
		effect transport.Effect
		class  engine.Class
	}{
		"a read":            {transport.Read, engine.ClassTimeout},
		"a change":          {transport.Once, engine.ClassUnsettled},
		"repeatable change": {transport.Repeatable, engine.ClassUnsettled},
	} {
		t.Run(name, func(t *testing.T) {
			client, url, _ := serve(t, transport.Options{Timeout: 20 * time.Millisecond}, stuck)
			_, err := client.Do(t.Context(), transport.Request{Method: "GET", URL: url, Effect: tt.effect})
			checkFailure(t, err, tt.class, transport.CodeTimeout)
		})
	}
	t.Run("the caller's deadline", func(t *testing.T) {
		client, url, _ := serve(t, transport.Options{}, stuck)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		_, err := client.Do(ctx, transport.Request{Method: "GET", URL: url, Effect: transport.Read})
		checkFailure(t, err, engine.ClassTimeout, transport.CodeTimeout)
	})
	t.Run("cancelled on the way", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		client, url, _ := serve(t, transport.Options{}, func(_ http.ResponseWriter, r *http.Request) {
			cancel()
			<-r.Context().Done()
		})
		_, err := client.Do(ctx, transport.Request{Method: "POST", URL: url, Effect: transport.Once})
		checkFailure(t, err, engine.ClassUnsettled, "cancelled")
	})
	t.Run("cancelled before", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		client, url, _ := serve(t, transport.Options{}, status(200))
		_, err := client.Do(ctx, transport.Request{Method: "POST", URL: url, Effect: transport.Once})
		checkFailure(t, err, engine.ClassCancelled, "cancelled")
	})
}

func TestUserAgent(t *testing.T) {
	var agent atomic.Value
	client, url, _ := serve(t, transport.Options{Version: "1.2.3"}, func(_ http.ResponseWriter, r *http.Request) { agent.Store(r.UserAgent()) })
	if _, err := client.Do(t.Context(), transport.Request{Method: "GET", URL: url, Effect: transport.Read}); err != nil {
		t.Fatal(err)
	}
	if agent.Load() != "Drawbridge/1.2.3" {
		t.Errorf("User-Agent is %q", agent.Load())
	}
}

func TestConnectionsAreUsedAgain(t *testing.T) {
	var addresses sync.Map
	handler, calls := answers(status(503), status(404), status(200))
	client, url, _ := serve(t, transport.Options{}, func(w http.ResponseWriter, r *http.Request) {
		addresses.Store(r.RemoteAddr, true)
		handler(w, r)
	})
	for range 3 {
		_, _ = client.Do(t.Context(), transport.Request{Method: "GET", URL: url, Effect: transport.Read})
	}
	count := 0
	addresses.Range(func(any, any) bool { count++; return true })
	if count != 1 || calls.Load() < 4 {
		t.Errorf("%d connections for %d calls", count, calls.Load())
	}
}

// carried is a network that answers by itself.
type carried struct{ asked int }

func (c *carried) RoundTrip(r *http.Request) (*http.Response, error) {
	c.asked++
	status := http.StatusServiceUnavailable
	if c.asked > 1 {
		status = http.StatusOK
	}
	return &http.Response{StatusCode: status, Body: http.NoBody, Header: http.Header{}, Request: r}, nil
}

func TestAnOpeningTakesThePlaceOfNetworkAndTime(t *testing.T) {
	network, at := &carried{}, newClock()
	client := transport.New(transport.Options{}.For(engine.Opening{Version: "v", Now: at.Now, Transport: network, Sleep: at.Sleep}))
	err := client.Retry(t.Context(), func(ctx context.Context) error {
		_, err := client.Do(ctx, transport.Request{Method: http.MethodGet, URL: "https://nowhere.invalid/", Route: "GET /", Effect: transport.Read})
		return err
	})
	if err != nil || network.asked != 2 || len(at.slept) != 1 {
		t.Errorf("%v; asked %d times, slept %v", err, network.asked, at.slept)
	}
}
