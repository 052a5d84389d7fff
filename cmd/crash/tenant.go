package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/drawbridge-soar/drawbridge/cmd/simprocess"
	"github.com/drawbridge-soar/drawbridge/steps/sim"
)

// tenant is a simulated tenant in a process of its own, and what the harness asks of it.
type tenant struct{ *simprocess.Tenant }

func startTenant(ctx context.Context, binary string, seed uint64) (tenant, error) {
	t, err := simprocess.Start(ctx, binary, 20_000, seed)
	return tenant{t}, err
}

// config is a configuration that reaches the tenant. Reads of the tenant do
// not lag, so nothing has to settle for long.
func (t tenant) config() []byte {
	return fmt.Appendf(nil, `playbooks: [.]
connections:
  1password: { provider: onepassword, account: %s, base_url: %q, settle: 500ms, client_id: env://OP_CLIENT_ID, client_secret: env://OP_CLIENT_SECRET }
  slack:     { provider: slack, webhook_url: env://SLACK_WEBHOOK }
`, t.Account, t.URL)
}

// changes are all changes so far, in order.
func (t tenant) changes(ctx context.Context) ([]sim.Change, error) {
	var answer struct {
		Changes []sim.Change `json:"changes"`
	}
	err := t.ask(ctx, http.MethodGet, "changes", nil, &answer)
	return answer.Changes, err
}

// messages are all messages so far, in order.
func (t tenant) messages(ctx context.Context) ([]sim.Message, error) {
	var answer struct {
		Messages []sim.Message `json:"messages"`
	}
	err := t.ask(ctx, http.MethodGet, "messages", nil, &answer)
	return answer.Messages, err
}

// untouchable are the addresses of accounts that refuse to be suspended.
func (t tenant) untouchable(ctx context.Context) ([]string, error) {
	var cast sim.Cast
	if err := t.ask(ctx, http.MethodGet, "cast", nil, &cast); err != nil {
		return nil, err
	}
	out := []string{cast.LastOwner.Email}
	for _, p := range cast.External {
		out = append(out, p.Email)
	}
	return out, nil
}

// misbehave takes the place of all faults before.
func (t tenant) misbehave(ctx context.Context, faults []sim.Fault) error {
	if err := t.ask(ctx, http.MethodDelete, "faults", nil, nil); err != nil {
		return err
	}
	return t.ask(ctx, http.MethodPost, "faults", faults, nil)
}

func (t tenant) ask(ctx context.Context, method, what string, body, answer any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("asking the tenant: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, method, t.URL+"/_sim/"+what, bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("asking the tenant: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("asking the tenant: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10)) // for the message only
		return fmt.Errorf("asking the tenant for %s: %s: %s", what, resp.Status, text)
	}
	if answer == nil {
		return nil
	}
	if err := json.NewDecoder(resp.Body).Decode(answer); err != nil {
		return fmt.Errorf("asking the tenant for %s: %w", what, err)
	}
	return nil
}
