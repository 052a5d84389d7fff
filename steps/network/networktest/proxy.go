package networktest

import (
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Proxy is an HTTP proxy that makes tunnels (CONNECT) and does nothing else. It
// is strict: without the right credentials, with another method, or to an
// address it does not know, it refuses.
type Proxy struct {
	User, Password string            // "" for no credentials
	Known          map[string]string // the addresses it may connect to, and where they really are
	Status         int               // what it answers everything with; 0 for what is right

	mu    sync.Mutex
	asked []string
}

// Asked is the addresses a tunnel was asked for with the right credentials.
func (p *Proxy) Asked() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.asked)
}

// ServeHTTP makes a tunnel or says why not.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method != http.MethodConnect:
		http.Error(w, "only tunnels", http.StatusMethodNotAllowed)
		return
	case p.Status != 0:
		http.Error(w, "as it was told to", p.Status)
		return
	case !p.knows(r):
		w.Header().Set("Proxy-Authenticate", `Basic realm="proxy"`)
		http.Error(w, "who are you?", http.StatusProxyAuthRequired)
		return
	}
	p.mu.Lock()
	p.asked = append(p.asked, r.Host)
	p.mu.Unlock()
	address, known := p.Known[r.Host]
	if !known {
		http.Error(w, "not there", http.StatusForbidden)
		return
	}
	there, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(r.Context(), "tcp", address)
	if err != nil {
		http.Error(w, "nobody there", http.StatusBadGateway)
		return
	}
	join(w, there)
}

func (p *Proxy) knows(r *http.Request) bool {
	if p.User == "" {
		return r.Header.Get("Proxy-Authorization") == ""
	}
	asBasic := &http.Request{Header: http.Header{"Authorization": r.Header["Proxy-Authorization"]}}
	user, password, ok := asBasic.BasicAuth()
	return ok && user == p.User && password == p.Password
}

// join copies in both directions until both ends have said all.
func join(w http.ResponseWriter, there net.Conn) {
	defer func() { _ = there.Close() }() // what was said has arrived
	hijacker, ok := w.(http.Hijacker)
	if !ok {
		http.Error(w, "a tunnel needs a connection of its own", http.StatusInternalServerError)
		return
	}
	here, buffered, err := hijacker.Hijack()
	if err != nil {
		return
	}
	defer func() { _ = here.Close() }() // the same
	if _, err := io.WriteString(here, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	var both sync.WaitGroup
	both.Go(func() {
		_, _ = io.Copy(there, buffered) // its end is all there is to know
		_ = there.SetReadDeadline(time.Now().Add(time.Second))
	})
	_, _ = io.Copy(here, there) // the same
	_ = here.Close()
	both.Wait()
}
