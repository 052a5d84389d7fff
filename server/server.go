package server

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/drawbridge-soar/drawbridge/engine/secret"
)

// Limits of the HTTP server: a peer that is slower than this is let go.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = 30 * time.Second
	writeTimeout  = time.Minute
	idleTimeout   = 2 * time.Minute
	maxHeader     = 32 << 10 // bytes
)

// Config is what a Handler needs. Engine is required; without Hooks there are
// no webhooks.
type Config struct {
	Engine  Engine
	Hooks   Hooks
	Starter Starter         // required with Hooks
	Secrets secret.Resolver // required with Hooks
	Version string          // of the program, for the metrics
	Commit  string          // the same
	Log     *slog.Logger    // discarded by default; hears neither secrets nor bodies
	Now     func() time.Time
}

// Handler answers /healthz, /readyz, /metrics and POST /hooks/{name}.
type Handler struct {
	config Config
	mux    *http.ServeMux
	taken  *prometheus.CounterVec // deliveries, by result
	failed *failures
}

// New makes a Handler. It starts nothing.
func New(c Config) (*Handler, error) {
	if c.Engine == nil {
		return nil, errors.New("a server needs an engine to ask")
	}
	if c.Hooks != nil && (c.Starter == nil || c.Secrets == nil) {
		return nil, errors.New("webhooks need a starter and a resolver of secrets")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	h := &Handler{config: c, mux: http.NewServeMux(), failed: newFailures(), taken: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "drawbridge_webhook_deliveries_total", Help: "Webhook deliveries by what became of them.",
	}, []string{"result"})}
	for _, r := range results() {
		h.taken.WithLabelValues(string(r))
	}
	err := h.route()
	return h, err
}

func (h *Handler) route() error {
	registry := prometheus.NewRegistry()
	for _, c := range []prometheus.Collector{h.taken, buildInfo(h.config), newFigures(h.config)} {
		if err := registry.Register(c); err != nil {
			return err
		}
	}
	h.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, map[string]bool{"alive": true}) })
	h.mux.HandleFunc("GET /readyz", h.ready)
	h.mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	if h.config.Hooks != nil {
		h.mux.HandleFunc("POST /hooks/{name}", h.hook)
	}
	return nil
}

// ServeHTTP answers a request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	h.mux.ServeHTTP(w, r)
}

// HTTP is a server for the handler, with time limits for slow peers.
func (h *Handler) HTTP() *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(h.config.Log.Handler(), slog.LevelDebug),
	}
}

// answer writes one JSON object.
func answer(w http.ResponseWriter, status int, doc any) {
	data, err := json.Marshal(doc)
	if err != nil {
		http.Error(w, "the answer cannot be encoded", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(data, '\n')) // whoever asked is gone, and needs no answer
}

// Engine is what the server asks about the engine. Both must return soon.
type Engine interface {
	Health(ctx context.Context) Health
	Figures(ctx context.Context) (Figures, error)
}
