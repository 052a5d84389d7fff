package config

import (
	"io/fs"
	"net"
	"regexp"
	"strconv"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// Serve is how `drawbridge serve` runs.
type Serve struct {
	Listen  string // host:port of webhooks, health and metrics; 127.0.0.1:8700 by default
	Socket  Socket
	Workers int           // how many steps are carried out at the same time, over all runs; 16 by default
	Grace   time.Duration // how long steps under way may take to finish when it is stopped; 30s by default
	Log     string        // text (default) or json
	Watch   bool          // playbook folders are watched and reloaded; true by default
}

// Socket is where the command line finds the server.
type Socket struct {
	Path  string      // absolute; "": beside the database
	Mode  fs.FileMode // 0600 by default: only the account that serves
	Group string      // name of the group that owns it; "": that of the process
}

// The largest numbers of `serve`.
const (
	maxWorkers = 1000
	maxPort    = 65535
)

// DefaultServe is `serve` where the configuration says nothing.
func DefaultServe() Serve {
	return Serve{Listen: "127.0.0.1:8700", Socket: Socket{Mode: 0o600}, Workers: 16, Grace: 30 * time.Second, Log: "text", Watch: true}
}

func (d *decoder) serve(n *yamldoc.Node) Serve {
	out := DefaultServe()
	if n == nil || !d.isMap(n, "serve", []string{"listen", "socket", "workers", "grace", "log", "watch"}) {
		return out
	}
	if listen := n.Get("listen"); listen != nil {
		out.Listen = d.address(listen)
	}
	d.socket(n.Get("socket"), &out.Socket)
	if workers := d.bounded(n.Get("workers"), "workers", maxWorkers); workers != nil {
		out.Workers = *workers
	}
	out.Grace = d.positive(n.Get("grace"), "grace", out.Grace)
	if log, ok := d.value(n.Get("log"), engine.Field{Type: engine.EnumOf("text", "json")}).(string); ok {
		out.Log = log
	}
	if watch, ok := d.value(n.Get("watch"), engine.Field{Type: engine.TypeBool()}).(bool); ok {
		out.Watch = watch
	}
	return out
}

// bounded reads an integer from 1 to a maximum; nil where there is none.
func (d *decoder) bounded(n *yamldoc.Node, name string, maximum int64) *int {
	one := int64(1)
	v, ok := d.value(n, engine.Field{Name: name, Type: engine.TypeInteger(), Minimum: &one, Maximum: &maximum}).(int64)
	if !ok {
		return nil
	}
	whole := int(v)
	return &whole
}

// address reads a host and a port to listen at.
func (d *decoder) address(n *yamldoc.Node) string {
	text := d.text(n)
	_, port, err := net.SplitHostPort(text)
	number, portErr := strconv.Atoi(port)
	if n.Kind() == yamldoc.Scalar && (err != nil || portErr != nil || number < 0 || number > maxPort) {
		d.report(n.Errorf("address", "%q is not an address to listen at", text).
			WithHint("write a host and a port such as 127.0.0.1:8700; \":8700\" listens on all of the machine's addresses"))
	}
	return text
}

func (d *decoder) socket(n *yamldoc.Node, out *Socket) {
	if n == nil || !d.isMap(n, "socket", []string{"path", "mode", "group"}) {
		return
	}
	out.Path, out.Group = d.path(n.Get("path")), d.text(n.Get("group"))
	mode := n.Get("mode")
	if mode == nil {
		return
	}
	if mode.Kind() != yamldoc.Scalar || !regexp.MustCompile(`^0?[0-7]{3}$`).MatchString(mode.Text()) {
		d.report(mode.Errorf("mode", "the mode of the socket must be an octal number such as \"0660\", not %s", mode.Describe()))
		return
	}
	bits, _ := strconv.ParseUint(mode.Text(), 8, 32) // the pattern is octal digits
	out.Mode = fs.FileMode(bits)
	if out.Mode&0o600 != 0o600 {
		d.report(mode.Errorf("mode", "with the mode %s the server itself could not use its socket", mode.Text()).WithHint("write \"0600\" for one account, \"0660\" for a group"))
	}
}
