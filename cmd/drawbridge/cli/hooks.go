package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/guard"
	"github.com/drawbridge-soar/drawbridge/engine/local"
	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/server"
)

// longestKey is how much of a delivery's key a run's key holds as it is.
const longestKey = 200

// hooks are the webhooks of a configuration and what they start, by the
// playbooks that are active when a delivery comes. It may be used by several
// goroutines.
type hooks struct {
	configured []config.Webhook
	active     func() []local.Active
	engine     *local.Engine
	now        func() time.Time
	clean      func(string) string // takes secrets out
}

// Lookup finds a webhook and the playbooks it starts now.
func (h *hooks) Lookup(name string) (server.Hook, bool) {
	for _, w := range h.configured {
		if w.Name == name {
			return server.Hook{
				Name: w.Name, Secret: w.Secret, Token: w.Token, MaxBody: w.MaxBody, Tolerance: w.Tolerance, Playbooks: h.startedBy(name),
			}, true
		}
	}
	return server.Hook{}, false
}

func (h *hooks) startedBy(hook string) []server.Triggered {
	var out []server.Triggered
	for _, p := range h.active() {
		if t, ok := hookOf(p.Program, hook); ok {
			out = append(out, h.triggered(p.Program, t))
		}
	}
	return out
}

// hookOf is the trigger of a playbook that names a webhook.
func hookOf(p *program.Program, hook string) (program.Trigger, bool) {
	for _, t := range p.Triggers {
		if t.Webhook == hook {
			return t, true
		}
	}
	return program.Trigger{}, false
}

func (h *hooks) triggered(p *program.Program, t program.Trigger) server.Triggered {
	out := server.Triggered{Playbook: p.Name, Body: t.Body}
	if t.Body.Kind == "" {
		out.Body = engine.TypeAny()
	}
	if t.Dedupe != nil {
		out.Dedupe = func(body any) (string, error) {
			trigger, err := h.triggerOf(t.Webhook, body)
			if err != nil {
				return "", err
			}
			return local.DedupeKey(t, trigger)
		}
	}
	return out
}

// triggerOf is what the run sees as `trigger`.
func (h *hooks) triggerOf(hook string, body any) (json.RawMessage, error) {
	data, err := engine.EncodeJSON(map[string]any{
		"kind": "webhook", "time": h.now().UTC().Truncate(time.Millisecond), "webhook": hook, "body": body,
	})
	if err != nil {
		return nil, fmt.Errorf("%w: the body cannot be kept", server.ErrBody)
	}
	return data, nil
}

// Start records the run of a delivery as queued, together with the delivery.
func (h *hooks) Start(ctx context.Context, d server.Delivery) (run string, duplicate bool, err error) {
	p, t, err := h.playbook(d)
	if err != nil {
		return "", false, err
	}
	request, err := h.request(p, t, d)
	if err != nil {
		return "", false, err
	}
	id, created, err := h.engine.StartOnce(ctx, request)
	switch {
	case errors.Is(err, engine.ErrNotFound) && len(request.Deliveries) > 0:
		return "", true, nil // its run has been forgotten since
	case err != nil:
		return "", false, unstartable(err)
	}
	return id, !created, nil
}

// playbook is the one of a delivery, as it is now: it may have been reloaded
// since the delivery was checked against it.
func (h *hooks) playbook(d server.Delivery) (local.Active, program.Trigger, error) {
	for _, p := range h.active() {
		if t, ok := hookOf(p.Program, d.Hook); ok && p.Program.Name == d.Playbook {
			return p, t, nil
		}
	}
	return local.Active{}, program.Trigger{}, fmt.Errorf("the playbook %s is not started by this webhook any more", d.Playbook)
}

func (h *hooks) request(p local.Active, t program.Trigger, d server.Delivery) (local.StartRequest, error) {
	trigger, err := h.triggerOf(d.Hook, d.Body)
	if err != nil {
		return local.StartRequest{}, err
	}
	inputs, err := h.engine.TriggerInputs(p.Program, t, trigger)
	if err != nil {
		return local.StartRequest{}, unstartable(err)
	}
	request := local.StartRequest{
		Program: p.Program, Bundle: p.Bundle, Source: p.Source, Inputs: inputs, Trigger: trigger, Queue: true,
		Actor: engine.Actor{Name: d.Hook, Via: "webhook"},
	}
	prefix := "hook/" + d.Hook + "/" + p.Program.Name + "/"
	if d.ID != "" {
		request.Key = prefix + "signature/" + d.ID
		request.Deliveries = []engine.Delivery{{Hook: d.Hook, ID: p.Program.Name + "/" + d.ID, At: h.now().UTC().Truncate(time.Microsecond)}}
	}
	if d.Key != "" {
		request.Key = prefix + h.keyOf(d.Key)
	}
	return request, nil
}

// keyOf is a delivery's key as the run's key may show it: neither long nor with
// a secret in it.
func (h *hooks) keyOf(key string) string {
	if len(key) <= longestKey && h.clean(key) == key {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// unstartable says of an error whether sending it again can help.
func unstartable(err error) error {
	var f *engine.Failure
	switch {
	case errors.Is(err, local.ErrInputs):
		return fmt.Errorf("%w: %w", server.ErrBody, err)
	case errors.As(err, &f) && f.Class == engine.ClassRefused, errors.Is(err, guard.ErrSetting), errors.Is(err, local.ErrUnavailable):
		return fmt.Errorf("%w: %w", server.ErrRefused, err)
	default:
		return err
	}
}
