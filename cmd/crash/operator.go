package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/server"
)

// outside is everybody who wants something of the servers: a sender that
// delivers until it is answered, and an operator at the command line.
type outside struct {
	servers *servers
	key     secret.Value

	mu         sync.Mutex
	accounts   accounts
	orders     []order
	signalled  map[string]bool // by order
	made       int
	repeated   int // deliveries that were sent again after they were acknowledged
	approved   int
	problems   []string
	unfinished int // runs, when the operator looked last
}

// exitWaiting is the exit code for a run that waits for somebody.
const exitWaiting = 3

// most is how many runs may be unfinished before senders wait.
const most = 20

// send makes orders and delivers each until it is acknowledged, and some again
// later, until ctx ends.
func (o *outside) send(ctx, end context.Context, random *rand.Rand) {
	for ctx.Err() == nil {
		if next, ok := o.next(random); ok {
			o.carryOut(end, next, random)
		}
		pause(ctx, time.Duration(random.Int64N(int64(2*time.Second))))
	}
}

func (o *outside) next(random *rand.Rand) (order, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.unfinished > most {
		return order{}, false
	}
	next, ok := o.accounts.take(o.made, random)
	if ok {
		o.made++
	}
	return next, ok
}

// carryOut delivers an order, and some of them twice or more.
func (o *outside) carryOut(ctx context.Context, next order, random *rand.Rand) {
	for times := 0; ctx.Err() == nil; {
		run, err := o.deliver(ctx, next)
		if err != nil { // it was killed, or is not up yet: nobody knows whether it was taken
			if pause(ctx, 20*time.Millisecond); ctx.Err() != nil && next.Run == "" {
				o.complain("%s was never acknowledged: %v", next.ID, err)
			}
			continue
		}
		if !o.note(&next, run) || times >= 3 || random.IntN(2) == 0 {
			return
		}
		times++
		pause(ctx, time.Duration(random.Int64N(int64(time.Second))))
	}
}

// note notes an acknowledgement, and whether it is the run of the one before.
func (o *outside) note(of *order, run string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case of.Run == "":
		of.Run = run
		o.orders = append(o.orders, *of)
		return true
	case of.Run != run:
		o.problems = append(o.problems, fmt.Sprintf("%s was acknowledged as %s, and later as %s", of.ID, of.Run, run))
		return false
	}
	o.repeated++
	return true
}

// deliver sends an order, signed anew, and returns the run of a 202.
func (o *outside) deliver(ctx context.Context, d order) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	body, err := d.body()
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+o.servers.listen+"/hooks/"+d.Hook, bytes.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("delivering: %w", err)
	}
	now := time.Now()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(server.TimestampHeader, strconv.FormatInt(now.Unix(), 10))
	req.Header.Set(server.SignatureHeader, server.Sign(o.key, now, body))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", fmt.Errorf("delivering: %w", err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
	if err != nil {
		return "", fmt.Errorf("delivering: %w", err)
	}
	if resp.StatusCode != http.StatusAccepted {
		if resp.StatusCode != http.StatusServiceUnavailable {
			o.complain("%s was answered with %s: %s", d.ID, resp.Status, text)
		}
		return "", fmt.Errorf("delivering: %s: %s", resp.Status, text)
	}
	var answer struct {
		Run string `json:"run"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return "", fmt.Errorf("delivering: %w", err)
	}
	return answer.Run, nil
}

func (o *outside) complain(format string, args ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if text := fmt.Sprintf(format, args...); !slices.Contains(o.problems, text) {
		o.problems = append(o.problems, text)
	}
}

// operate approves what is asked for and sends the signals that are waited for,
// until ctx ends.
func (o *outside) operate(ctx context.Context) {
	for ctx.Err() == nil {
		if o.servers.up() {
			o.look(ctx)
			o.approve(ctx)
			o.signal(ctx)
		}
		pause(ctx, 100*time.Millisecond)
	}
}

func (o *outside) look(ctx context.Context) {
	var list struct {
		Runs []json.RawMessage `json:"runs"`
	}
	if o.ask(ctx, &list, "runs", "list", "--status", "queued,running,waiting,unsettled,interrupted", "-o", "json") {
		o.mu.Lock()
		o.unfinished = len(list.Runs)
		o.mu.Unlock()
	}
}

func (o *outside) approve(ctx context.Context) {
	var list struct {
		Approvals []struct {
			ID     string `json:"id"`
			Status string `json:"status"`
		} `json:"approvals"`
	}
	if !o.ask(ctx, &list, "approvals", "list", "-o", "json") {
		return
	}
	for _, a := range list.Approvals {
		if a.Status == "pending" && o.servers.up() {
			if _, err := o.command(ctx, "approvals", "approve", a.ID); err == nil {
				o.approved++
			}
		}
	}
}

// signal sends each patient order its signal, until the command says that it is
// recorded. Some are sent in a way that carries the run on, and some are not.
func (o *outside) signal(ctx context.Context) {
	for _, d := range o.patient() {
		if !o.servers.up() {
			return
		}
		args := []string{"signal", d.Run, "go", "--id", "go-" + d.ID}
		if len(d.ID)%2 == 0 {
			args = append(args, "--no-continue")
		}
		_, err := o.command(ctx, args...)
		if err == nil || strings.Contains(err.Error(), "the run is over") {
			o.mu.Lock()
			o.signalled[d.ID] = true
			o.mu.Unlock()
		}
	}
}

func (o *outside) patient() []order {
	o.mu.Lock()
	defer o.mu.Unlock()
	var out []order
	for _, d := range o.orders {
		if d.Hook == "patient" && !o.signalled[d.ID] {
			out = append(out, d)
		}
	}
	return out
}

// ask runs a command that prints JSON; false where there was no answer.
func (o *outside) ask(ctx context.Context, answer any, args ...string) bool {
	text, err := o.command(ctx, args...)
	return err == nil && json.Unmarshal([]byte(text), answer) == nil
}

// command runs a command and returns what it prints; it may be cut off, and the
// server it works through may be killed. A run that waits is no failure.
func (o *outside) command(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var text, said bytes.Buffer
	cmd := o.servers.command(ctx, args...)
	cmd.Stdout, cmd.Stderr = &text, &said
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == exitWaiting {
		err = nil
	}
	if err != nil {
		return text.String(), fmt.Errorf("%v: %w: %s", args, err, said.Bytes())
	}
	return text.String(), nil
}
