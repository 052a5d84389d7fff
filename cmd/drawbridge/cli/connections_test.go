package cli

import (
	"io"
	"testing"
	"time"
)

func TestConnectionsRememberWhatTheirServicesAskedFor(t *testing.T) {
	o := newOffice(t)
	o.output = "table"
	first, err := o.start(t.Context(), o.conf, io.Discard, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := findingsOf(t.Context(), first.connections, "1password"); err != nil {
		t.Fatal(err)
	}
	first.throttles.Penalized("1password", time.Now().Add(10*time.Minute))
	if err := first.close(); err != nil {
		t.Fatal(err)
	}

	second, err := o.start(t.Context(), o.conf, io.Discard, nil)
	if err != nil {
		t.Fatal(err)
	}
	findings, err := findingsOf(t.Context(), second.connections, "1password")
	if works := err == nil && len(findings) > 0 && findings[0].Works; works {
		t.Errorf("the service was called although it had asked for ten minutes: %v", findings)
	}
	if err := second.close(); err != nil {
		t.Fatal(err)
	}
	if err := o.connectionsList(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.says("The service of 1password asked not to be called before ")
}
