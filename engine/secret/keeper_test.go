package secret_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine/secret"
)

func keeper(t *testing.T, env map[string]string) (*secret.Keeper, *secret.Redactor, *bytes.Buffer) {
	t.Helper()
	var r secret.Redactor
	var log bytes.Buffer
	k, err := secret.NewKeeper(secret.KeeperConfig{
		Redactor: &r,
		Lookup:   func(name string) (string, bool) { v, ok := env[name]; return v, ok },
		Log:      slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return k, &r, &log
}

func write(t *testing.T, content string, mode os.FileMode) secret.Reference {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a secret")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return secret.Reference("file://" + strings.ReplaceAll(path, " ", "%20"))
}

func TestKeeperResolves(t *testing.T) {
	k, r, log := keeper(t, map[string]string{"TOKEN": "from-the-environment"})
	for ref, want := range map[secret.Reference]string{
		"env://TOKEN": "from-the-environment",
		write(t, "one newline is not mine\n", 0o600):        "one newline is not mine",
		write(t, "windows newline\r\n", 0o600):              "windows newline",
		write(t, "a second newline is\n\n", 0o600):          "a second newline is\n",
		write(t, "mounted into a container", 0o444):         "mounted into a container",
		write(t, strings.Repeat("long", 16<<10), 0o600):     strings.Repeat("long", 16<<10),
		write(t, "readable by the group of a pod", 0o640):   "readable by the group of a pod",
		write(t, " inner and outer space are kept ", 0o400): " inner and outer space are kept ",
	} {
		v, err := k.Resolve(t.Context(), ref)
		if err != nil || v.Reveal() != want {
			t.Errorf("%s: %q, %v", ref, v.Reveal(), err)
			continue
		}
		if got := r.String("x" + strings.TrimSpace(want) + "x"); got != "x<secret>x" {
			t.Errorf("%s was not learned: %.60s", ref, got)
		}
	}
	if runtime.GOOS != "windows" && strings.Count(log.String(), "level=WARN") != 1 {
		t.Errorf("one warning was expected, about the file others can read:\n%s", log)
	}
}

func TestKeeperErrorsNameTheReference(t *testing.T) {
	k, _, _ := keeper(t, map[string]string{"EMPTY": "", "BLANK": " \n", "SHORT": "abc"})
	big := write(t, strings.Repeat("x", 64<<10+1), 0o600)
	for _, c := range []struct {
		ref  secret.Reference
		want string
	}{
		{"env://MISSING", "env://MISSING: the environment variable MISSING is not set"},
		{"env://EMPTY", "env://EMPTY: it is empty"},
		{"env://BLANK", "env://BLANK: it is empty"},
		{"env://SHORT", "env://SHORT: it is shorter than 4 bytes"},
		{"env://", "write env://"},
		{"env://A/B", "write env://"},
		{"file:///no/such/file", "file:///no/such/file: "},
		{"file://relative/path", "an absolute path"},
		{"file:///%zz", "an absolute path"},
		{secret.Reference("file://" + t.TempDir()), "not a regular file"},
		{big, "larger than 64 KiB"},
		{write(t, "", 0o600), "it is empty"},
		{"op://vault/item/field", "op://vault/item/field: write under `secrets: onepassword:`"},
		{"vault://x", `unknown kind "vault://"`},
	} {
		v, err := k.Resolve(t.Context(), c.ref)
		if !errors.Is(err, secret.ErrReference) || !strings.Contains(err.Error(), c.want) || v.Reveal() != "" {
			t.Errorf("%s: got %q, %v", c.ref, v.Reveal(), err)
		}
	}
}

func TestKeeperRefusesWhatAnybodyCanChange(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no such modes on Windows")
	}
	k, _, _ := keeper(t, nil)
	if _, err := k.Resolve(t.Context(), write(t, "anybody's secret", 0o602)); err == nil || !strings.Contains(err.Error(), "can change it") {
		t.Errorf("got %v", err)
	}
}

func TestKeeperNeverRepeatsAPlainSecret(t *testing.T) {
	k, _, _ := keeper(t, nil)
	_, err := k.Resolve(t.Context(), "hunter2-hunter2")
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}

func TestKeeperRemembersUntilToldToForget(t *testing.T) {
	env := map[string]string{"TOKEN": "the-old-token"}
	k, r, _ := keeper(t, env)
	resolve := func() string {
		v, err := k.Resolve(t.Context(), "env://TOKEN")
		if err != nil {
			t.Fatal(err)
		}
		return v.Reveal()
	}
	resolve()
	env["TOKEN"] = "the-new-token"
	if got := resolve(); got != "the-old-token" {
		t.Errorf("before Forget it is %q", got)
	}
	k.Forget("env://TOKEN")
	if got := resolve(); got != "the-new-token" {
		t.Errorf("after Forget it is %q", got)
	}
	if got := r.String("the-old-token the-new-token"); got != "<secret> <secret>" {
		t.Errorf("got %q", got)
	}
}

func TestKeeperLearnsWhatWasReceived(t *testing.T) {
	k, r, _ := keeper(t, nil)
	k.Learn(secret.New("an-access-token"))
	if got := r.String("Bearer an-access-token"); got != "Bearer <secret>" {
		t.Errorf("got %q", got)
	}
}

func TestKeeperHeedsTheContext(t *testing.T) {
	k, _, _ := keeper(t, map[string]string{"TOKEN": "some-token"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := k.Resolve(ctx, "env://TOKEN"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestKeeperNeedsARedactor(t *testing.T) {
	if _, err := secret.NewKeeper(secret.KeeperConfig{}); err == nil {
		t.Error("a keeper without a redactor was made")
	}
}
