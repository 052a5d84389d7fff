package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/guard"
	"github.com/drawbridge-soar/drawbridge/engine/local"
	"github.com/drawbridge-soar/drawbridge/server"
)

func TestWhatASenderIsToldOfAnError(t *testing.T) {
	for name, test := range map[string]struct{ err, want error }{
		"inputs":      {fmt.Errorf("starting: %w", local.ErrInputs), server.ErrBody},
		"the policy":  {fmt.Errorf("starting: %w", engine.Fail(engine.ClassRefused, engine.CodePolicy, "not allowed")), server.ErrRefused},
		"limits":      {fmt.Errorf("starting: %w", guard.ErrSetting), server.ErrRefused},
		"unavailable": {local.ErrUnavailable, server.ErrRefused},
		"the disk":    {errors.New("no space left"), nil},
	} {
		got := unstartable(test.err)
		if !errors.Is(got, test.err) || test.want != nil && !errors.Is(got, test.want) {
			t.Errorf("%s: %v", name, got)
		}
		if test.want == nil && (errors.Is(got, server.ErrBody) || errors.Is(got, server.ErrRefused)) {
			t.Errorf("%s cannot be sent again: %v", name, got)
		}
	}
}

func TestAKeyIsNeitherLongNorHoldsASecret(t *testing.T) {
	h := &hooks{clean: func(s string) string { return strings.ReplaceAll(s, "hunter2", "***") }}
	for key, asItIs := range map[string]bool{"A-4711": true, "A-hunter2": false, strings.Repeat("x", longestKey+1): false} {
		got := h.keyOf(key)
		if (got == key) != asItIs || len(got) > longestKey || strings.Contains(got, "hunter2") {
			t.Errorf("%s becomes %s", key, got)
		}
	}
	if h.keyOf("A-hunter2") == h.keyOf("B-hunter2") {
		t.Error("two keys became one")
	}
}

// pruned is a store that remembers when it was asked to forget.
type pruned struct {
	engine.Store

	from time.Time
	at   []time.Duration
	got  engine.Retention
}

func (p *pruned) Prune(_ context.Context, r engine.Retention) (engine.Pruned, error) {
	p.at, p.got = append(p.at, time.Since(p.from)), r
	return engine.Pruned{}, errors.New("the disk failed") // which keeps it from nothing
}

func TestServeForgetsAMinuteAfterItsStartAndEveryHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pruned{from: time.Now()}
		conf := &config.Config{Retention: config.Retention{Keep: 7}}
		h := &house{app: &app{log: slog.New(slog.DiscardHandler), now: time.Now}, conf: conf, rt: &opened{store: p}}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); h.forget(ctx) }()
		pass(2*time.Hour + 30*time.Minute)
		stop()
		<-done
		if fmt.Sprint(p.at) != "[1m0s 1h1m0s 2h1m0s]" {
			t.Errorf("it forgot at %v", p.at)
		}
		if p.got.Keep != 7 || p.got.Actor.Via != "serve" || p.got.Now.IsZero() {
			t.Errorf("by %+v", p.got)
		}
	})
}

func TestWhatOthersWroteIsForeignInANote(t *testing.T) {
	run := engine.RunRecord{ID: "run_1", Playbook: "<!channel>", Actor: engine.Actor{Name: "<!here>"}, Error: engine.Fail(engine.ClassRefused, "x", "<@U1>")}
	for _, part := range runNote(run) {
		if strings.Contains(part.S, "<") != part.Foreign {
			t.Errorf("%q is foreign: %v", part.S, part.Foreign)
		}
	}
}
