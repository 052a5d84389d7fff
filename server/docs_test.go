package server_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
)

// TestTheExampleOfTheDocumentationIsTaken sends a delivery as docs/serve.md
// says, with openssl and curl.
func TestTheExampleOfTheDocumentationIsTaken(t *testing.T) {
	for _, tool := range []string{"sh", "openssl", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("there is no %s here", tool)
		}
	}
	page, err := os.ReadFile("../docs/serve.md")
	if err != nil {
		t.Fatal(err)
	}
	example := regexp.MustCompile("(?s)```sh\n(body=.*?)```").FindStringSubmatch(string(page))
	if example == nil {
		t.Fatal("there is no example")
	}
	w := newWorld(t)
	w.now.Store(time.Now().Unix())
	for _, c := range []struct {
		secret string
		want   string
	}{{key, "run_1"}, {"another-secret", ""}} {
		cmd := exec.CommandContext(t.Context(), "sh", "-eu", "-c", example[1])
		cmd.Env = append(os.Environ(), "HOOK_SECRET="+c.secret, "DRAWBRIDGE="+w.url, "no_proxy=127.0.0.1")
		out, err := cmd.Output()
		var doc map[string]any
		if err != nil || json.Unmarshal(out, &doc) != nil {
			t.Fatalf("it printed %q: %v", out, err)
		}
		if got, _ := doc["run"].(string); got != c.want {
			t.Errorf("with %s it answered %s", c.secret, out)
		}
	}
}

// FuzzDelivery sends bodies of any kind: nothing of them is shown, and none
// that is not of the declared shape starts anything.
func FuzzDelivery(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte(`{"alert":{"id":1}}`))
	f.Add([]byte("\xff"))
	f.Fuzz(func(t *testing.T, body []byte) {
		w := newWorld(t)
		status, doc := w.send(signed(string(body), noon))
		v, err := engine.DecodeJSON(body, alert())
		if status == 202 && (err != nil || v == nil) {
			t.Errorf("%q was taken: %v", body, doc)
		}
		if status >= 500 {
			t.Errorf("%q: %d %v", body, status, doc)
		}
		if strings.Contains(w.log.String(), secret.New(key).Reveal()) {
			t.Error("the secret was logged")
		}
	})
}
