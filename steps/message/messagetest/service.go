package messagetest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/message"
)

// canary is the secret part of the address. It must never be in an error.
const canary = "T0CANARY/B0CANARY/xyzzy-secret"

// Service describes a messenger that posts to a web service.
type Service struct {
	// Open opens a messenger that posts to the address, which is a secret. Its
	// pauses between attempts must take no time.
	Open func(t *testing.T, address string) message.Messenger
	// Accept answers as the service does when all is well.
	Accept http.HandlerFunc
	// Text is what people read of an accepted request.
	Text func(t *testing.T, body []byte) string
	// Markup is what the destination acts upon and must not come from foreign text.
	Markup []string
	// Secrets are what else the messenger sends and no error may show: a token, a key.
	Secrets []string
}

// Unopened is a messenger that could not be opened: sending fails with the
// reason. It is what a Service's Open returns where a plain address is refused
// as soon as the connection is opened.
func Unopened(reason error) message.Messenger { return unopened{reason} }

type unopened struct{ reason error }

// Send fails.
func (u unopened) Send(context.Context, message.Message) error { return u.reason }

// Run checks the messenger against the promises of message.Messenger.
func Run(t *testing.T, s Service) {
	t.Run("hostile names", func(t *testing.T) { Hostile(t, s.deliver, s.Markup...) })
	t.Run("what the author wrote stays", s.testAuthor)
	t.Run("classes", s.testClasses)
	t.Run("a message is better heard twice than never", s.testLostReply)
	t.Run("asked to wait", s.testRetryAfter)
	t.Run("errors keep the secrets", s.testSecrets)
	t.Run("cancelled", s.testCancelled)
}

// deliver sends a text and gives what people would read.
func (s Service) deliver(t *testing.T, text engine.Text) string {
	t.Helper()
	in := &inbox{answer: s.Accept}
	if err := s.open(t, in).Send(t.Context(), message.Message{Text: text}); err != nil {
		t.Fatalf("sending: %v", err)
	}
	bodies := in.received()
	if len(bodies) != 1 {
		t.Fatalf("%d requests for one message", len(bodies))
	}
	return s.Text(t, bodies[0])
}

func (s Service) open(t *testing.T, h http.Handler) message.Messenger {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return s.Open(t, server.URL+"/"+canary)
}

func (s Service) testAuthor(t *testing.T) {
	const wrote = "*Suspended* <https://example.com|why> & more\n- one"
	if got := s.deliver(t, engine.Text{{S: wrote}}); got != wrote {
		t.Errorf("got %q, want %q", got, wrote)
	}
}

// testClasses decides what may be tried again: only what may pass by itself.
func (s Service) testClasses(t *testing.T) {
	tests := []struct {
		status    int
		retryable bool
	}{
		{http.StatusBadRequest, false},
		{http.StatusUnauthorized, false},
		{http.StatusForbidden, false},
		{http.StatusNotFound, false},
		{http.StatusGone, false},
		{http.StatusRequestEntityTooLarge, false},
		{http.StatusRequestTimeout, true},
		{http.StatusTooManyRequests, true},
		{http.StatusInternalServerError, true},
		{http.StatusBadGateway, true},
		{http.StatusServiceUnavailable, true},
	}
	for _, tt := range tests {
		t.Run(http.StatusText(tt.status), func(t *testing.T) {
			in := &inbox{answer: status(tt.status, "no")}
			err := s.open(t, in).Send(t.Context(), hello())
			f := engine.AsFailure(err)
			if f == nil || f.Retryable() != tt.retryable {
				t.Fatalf("got %v, want a failure with retryable %v", err, tt.retryable)
			}
			if again := len(in.received()) > 1; again != tt.retryable {
				t.Errorf("%d requests were made", len(in.received()))
			}
		})
	}
}

func (s Service) testLostReply(t *testing.T) {
	in := &inbox{}
	in.answer = func(w http.ResponseWriter, r *http.Request) {
		if len(in.received()) == 1 {
			hangUp(w, r)
			return
		}
		s.Accept(w, r)
	}
	if err := s.open(t, in).Send(t.Context(), hello()); err != nil {
		t.Fatalf("sending: %v", err)
	}
	if n := len(in.received()); n != 2 {
		t.Errorf("%d requests were made", n)
	}
	in = &inbox{answer: hangUp}
	err := s.open(t, in).Send(t.Context(), hello())
	if !errors.Is(err, &engine.Failure{Class: engine.ClassTransient}) {
		t.Errorf("got %v, want a failure that may be tried again", err)
	}
}

func (s Service) testRetryAfter(t *testing.T) {
	in := &inbox{answer: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "600")
		w.WriteHeader(http.StatusTooManyRequests)
	}}
	err := s.open(t, in).Send(t.Context(), hello())
	f := engine.AsFailure(err)
	if f == nil || !f.Retryable() || time.Until(f.NotBefore) < 9*time.Minute {
		t.Errorf("got %v, want a failure that says when to try again", err)
	}
	if n := len(in.received()); n != 1 {
		t.Errorf("%d requests were made although the service asked for ten minutes of peace", n)
	}
}

// testSecrets lets the service fail in every way it can, telling all it knows.
func (s Service) testSecrets(t *testing.T) {
	elsewhere := httptest.NewServer(s.Accept)
	t.Cleanup(elsewhere.Close)
	closed := httptest.NewServer(s.Accept)
	closed.Close()
	untrusted := httptest.NewUnstartedServer(s.Accept)
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0)
	untrusted.StartTLS()
	t.Cleanup(untrusted.Close)
	tests := map[string]message.Messenger{
		"redirected":  s.open(t, http.RedirectHandler(elsewhere.URL+"/"+canary, http.StatusTemporaryRedirect)),
		"cut":         s.open(t, http.HandlerFunc(hangUp)),
		"unreachable": s.Open(t, closed.URL+"/"+canary),
		"untrusted":   s.Open(t, untrusted.URL+"/"+canary),
		"in clear":    s.Open(t, "http://chat.example.com/"+canary),
		"no address":  s.Open(t, canary),
		"broken":      s.Open(t, "https://chat.example.com/"+canary+"/%zz\x7f"),
	}
	for _, code := range []int{400, 401, 403, 404, 410, 413, 429, 500, 502, 503} {
		tests["echoed with "+strconv.Itoa(code)] = s.open(t, echo(code))
	}
	for name, messenger := range tests {
		t.Run(name, func(t *testing.T) {
			err := messenger.Send(t.Context(), hello())
			if err == nil {
				t.Fatal("sending did not fail")
			}
			for _, part := range append(strings.Split(canary, "/"), s.Secrets...) {
				if strings.Contains(err.Error(), part) {
					t.Errorf("the error names a secret: %v", err)
				}
			}
		})
	}
}

func (s Service) testCancelled(t *testing.T) {
	t.Run("by a person", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s.interrupt(t, ctx, cancel, engine.ClassCancelled)
	})
	t.Run("by its timeout", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		s.interrupt(t, ctx, func() {}, engine.ClassTimeout)
	})
}

// interrupt sends to a service that does not answer before the context ends.
func (s Service) interrupt(t *testing.T, ctx context.Context, stop func(), want engine.Class) {
	t.Helper()
	in := &inbox{answer: func(_ http.ResponseWriter, r *http.Request) {
		stop()
		<-r.Context().Done()
	}}
	err := s.open(t, in).Send(ctx, hello())
	if f := engine.AsFailure(err); f == nil || f.Class != want {
		t.Errorf("got %v, want a failure of class %s", err, want)
	}
	if n := len(in.received()); n != 1 {
		t.Errorf("%d requests were made", n)
	}
}

func hello() message.Message {
	return message.Message{Text: engine.Text{{S: "Hello"}}, Key: "run_1/say"}
}

func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

// hangUp closes the connection without an answer.
func hangUp(w http.ResponseWriter, _ *http.Request) {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = conn.Close()
	}
}

// echo answers with all it was sent, in words and as JSON, as error pages do.
func echo(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sent := "http://" + r.Host + r.RequestURI + " did not work: " + r.Header.Get("Authorization") + " " + string(body)
		answer, _ := json.Marshal(map[string]any{"error": sent, "message": sent, "status": sent, "errors": []string{sent}})
		w.WriteHeader(code)
		_, _ = w.Write(answer)
	}
}

// inbox keeps the bodies it gets.
type inbox struct {
	answer http.HandlerFunc
	mu     sync.Mutex
	bodies [][]byte
}

// ServeHTTP keeps the body and answers.
func (in *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	in.mu.Lock()
	in.bodies = append(in.bodies, body)
	in.mu.Unlock()
	in.answer(w, r)
}

func (in *inbox) received() [][]byte {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.bodies
}
