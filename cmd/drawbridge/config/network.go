package config

import (
	"crypto/tls"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
	"github.com/drawbridge-soar/drawbridge/steps/network"
)

// Network is how services are reached. Its files are absolute paths; they are
// read by Reach.
type Network struct {
	network.Settings

	places map[place]*yamldoc.Node
}

// place is where a setting of the network stands.
type place struct {
	entry, key string
	index      int
}

// longestTimeout is what a part of a connection may take. A request as a whole
// is given up then.
const longestTimeout = 30 * time.Second

// Reach reads the files that `network` names and makes the network of the
// configuration. It is nil where a diagnostic is an error.
func (c *Config) Reach(o network.Options) (*network.Network, []yamldoc.Diagnostic) {
	n, problems := network.New(c.Network.Settings, o)
	found := make([]yamldoc.Diagnostic, 0, len(problems))
	for _, p := range problems {
		d := yamldoc.NewDiagnostic(c.Path, "network", "%s", p.Message)
		if at := c.Network.places[place{p.Entry, p.Key, p.Index}]; at != nil {
			d = at.Errorf("network", "%s", p.Message)
		}
		if p.Hint != "" {
			d = d.WithHint("%s", p.Hint)
		}
		if p.Warning {
			d = d.AsWarning()
		}
		found = append(found, d)
	}
	return n, yamldoc.Sort(found)
}

// Unverified are the hosts whose certificates are not, or not wholly, verified.
func (n Network) Unverified() []string {
	var out []string
	for _, entry := range slices.Sorted(maps.Keys(n.Hosts)) {
		if v := n.Hosts[entry].Verify; v != "" && v != network.VerifyFull {
			out = append(out, entry)
		}
	}
	return out
}

// Secrets are the references that the network needs.
func (n Network) Secrets() []secret.Reference {
	var out []secret.Reference
	for _, h := range append(slices.Collect(maps.Values(n.Hosts)), n.General) {
		if h.Proxy != nil && h.Proxy.Password != "" {
			out = append(out, h.Proxy.Password)
		}
	}
	return out
}

// anyHost are the settings that all hosts can have together; oneHost are those
// that only make sense for one.
func anyHost() []string {
	return []string{"proxy", "proxy_user", "proxy_password", "ca_file", "ca_data", "system_roots", "client_cert", "client_key", "min_tls", "timeouts"}
}

func oneHost() []string { return []string{"server_name", "verify"} }

func (d *decoder) network(n *yamldoc.Node) Network {
	out := Network{places: map[place]*yamldoc.Node{}}
	if n == nil {
		return out
	}
	known := append(anyHost(), "hosts")
	for _, key := range oneHost() {
		if e, ok := n.Entry(key); ok {
			d.report(e.Key.Errorf("misplaced-key", "%s belongs to a single host", key).WithHint("write it under network.hosts and the name of the host"))
			known = append(known, key)
		}
	}
	if !d.isMap(n, "network", known) {
		return out
	}
	out.General = d.host(n, "", out.places)
	out.Hosts = d.hosts(n.Get("hosts"), out.places)
	for entry := range out.Hosts {
		d.lonely(out, entry)
	}
	d.lonely(out, "")
	return out
}

// lonely reports an entry for which nothing would be trusted.
func (d *decoder) lonely(n Network, entry string) {
	if at := n.places[place{entry: entry, key: "system_roots"}]; at != nil && n.Lonely(entry) {
		d.report(at.Errorf("missing", "without the authorities of the system nothing is trusted").WithHint("name others in ca_file or ca_data"))
	}
}

func (d *decoder) hosts(n *yamldoc.Node, places map[place]*yamldoc.Node) map[string]network.Host {
	if n == nil {
		return nil
	}
	if n.Kind() != yamldoc.Map {
		d.report(n.Errorf("type", "hosts must be a map from host names to settings, not %s", n.Describe()))
		return nil
	}
	out := map[string]network.Host{}
	for _, e := range n.Entries() {
		name, err := network.HostName(e.Name())
		if err != nil {
			wrong := e.Key.Errorf("host", "this is not a host").WithHint("%v", err)
			wrong.Snippet = yamldoc.Snippet{} // an address may hold a password
			d.report(wrong)
			continue
		}
		if _, twice := out[name]; twice {
			d.report(e.Key.Errorf("duplicate", "the host %q stands here twice", name))
		}
		if !d.isMap(e.Value, "a host", append(anyHost(), oneHost()...)) {
			continue
		}
		h := d.host(e.Value, name, places)
		h.ServerName, h.Verify = d.text(e.Value.Get("server_name")), d.verify(e.Value.Get("verify"), name)
		out[name] = h
	}
	return out
}

// host reads what one host and all hosts have in common.
func (d *decoder) host(n *yamldoc.Node, entry string, places map[place]*yamldoc.Node) network.Host {
	for _, key := range []string{"ca_data", "client_cert", "client_key", "system_roots"} {
		places[place{entry: entry, key: key}] = n.Get(key)
	}
	h := network.Host{
		Proxy: d.proxy(n), CAFiles: d.files(n.Get("ca_file"), entry, places), CAData: d.text(n.Get("ca_data")),
		ClientCert: d.file(n.Get("client_cert"), "client_cert"), ClientKey: d.file(n.Get("client_key"), "client_key"),
		MinTLS: d.minTLS(n.Get("min_tls")), Timeouts: d.timeouts(n.Get("timeouts")),
	}
	if system, ok := d.value(n.Get("system_roots"), engine.Field{Type: engine.TypeBool()}).(bool); ok {
		h.SystemRoots = &system
	}
	if (n.Get("client_cert") == nil) != (n.Get("client_key") == nil) {
		d.report(n.FirstKey().Errorf("missing", "client_cert and client_key go together"))
	}
	return h
}

// files reads one file or a list of them.
func (d *decoder) files(n *yamldoc.Node, entry string, places map[place]*yamldoc.Node) []string {
	if n == nil {
		return nil
	}
	nodes := []*yamldoc.Node{n}
	if n.Kind() == yamldoc.List {
		nodes = n.Items()
	}
	var out []string
	for i, node := range nodes {
		places[place{entry, "ca_file", i}] = node
		out = append(out, d.file(node, "ca_file"))
	}
	if len(out) == 0 {
		d.report(n.Errorf("missing", "ca_file names no file"))
	}
	return out
}

// file reads the path of a file, and never repeats what was written in place of one.
func (d *decoder) file(n *yamldoc.Node, name string) string {
	if n == nil {
		return ""
	}
	text := n.Text()
	if n.Kind() == yamldoc.Scalar && (strings.TrimSpace(text) == "" || strings.ContainsAny(text, "\n\r\x00") || strings.Contains(text, "-----BEGIN")) {
		d.report(withoutLines([]yamldoc.Diagnostic{n.Errorf("path", "%s must be the path of a file", name)})...)
		return ""
	}
	return d.path(n)
}

// proxy reads what stands between, with its credentials.
func (d *decoder) proxy(n *yamldoc.Node) *network.Proxy {
	at, user := n.Get("proxy"), n.Get("proxy_user")
	address := d.text(at)
	out := &network.Proxy{None: address == "none", URL: address, User: d.text(user), Password: d.credential(n, "proxy_password")}
	if out.None {
		out.URL = ""
	} else if at != nil && at.Kind() == yamldoc.Scalar {
		if err := network.CheckProxy(address); err != nil {
			d.report(withoutLines([]yamldoc.Diagnostic{ // it may hold a password
				at.Errorf("proxy", "%v", err).WithHint("credentials stand beside it: proxy_user, and proxy_password: env://NAME"),
			})...)
		}
	}
	for _, key := range []string{"proxy_user", "proxy_password"} {
		if e, given := n.Entry(key); given && (at == nil || out.None) {
			d.report(withoutLines([]yamldoc.Diagnostic{e.Key.Errorf("misplaced-key", "%s belongs to a proxy, and there is none beside it", key)})...)
		}
	}
	if (user == nil) != (n.Get("proxy_password") == nil) {
		d.report(withoutLines([]yamldoc.Diagnostic{n.FirstKey().Errorf("missing", "proxy_user and proxy_password go together")})...)
	}
	if at == nil {
		return nil
	}
	return out
}

// minTLS reads a version of TLS, which looks like a number.
func (d *decoder) minTLS(n *yamldoc.Node) uint16 {
	if n == nil {
		return 0
	}
	switch n.Text() {
	case "1.2":
		return tls.VersionTLS12
	case "1.3":
		return tls.VersionTLS13
	case "1.0", "1.1":
		d.report(n.Errorf("range", "TLS %s is broken and not spoken (RFC 8996)", n.Text()).WithHint("write \"1.2\" (the default) or \"1.3\""))
	default:
		d.report(n.Errorf("type", "min_tls must be \"1.2\" or \"1.3\", not %s", n.Describe()))
	}
	return 0
}

func (d *decoder) verify(n *yamldoc.Node, host string) network.Verify {
	degrees := engine.EnumOf(string(network.VerifyFull), string(network.VerifyCertificate), string(network.VerifyNone))
	degree, _ := d.value(n, engine.Field{Type: degrees}).(string)
	switch v := network.Verify(degree); v {
	case network.VerifyNone:
		d.report(n.Errorf("unverified", "the certificate of %s is not verified: whoever stands between can read and change everything, credentials too", host).
			WithHint("name its authority in ca_file, and its name in server_name, in place of verify").AsWarning())
		return v
	case network.VerifyCertificate:
		d.report(n.Errorf("unverified", "the certificate of %s may be for any name: whoever has one from a trusted authority can stand between", host).
			WithHint("write the name it has in server_name, in place of verify").AsWarning())
		return v
	default:
		return v
	}
}

func (d *decoder) timeouts(n *yamldoc.Node) network.Timeouts {
	if n == nil || !d.isMap(n, "timeouts", []string{"connect", "tls", "response"}) {
		return network.Timeouts{}
	}
	read := func(name string) time.Duration {
		v := d.positive(n.Get(name), name, 0)
		if v > longestTimeout {
			d.report(n.Get(name).Errorf("range", "%s must be at most 30s: then a request as a whole is given up", name))
		}
		return v
	}
	return network.Timeouts{Connect: read("connect"), TLS: read("tls"), Response: read("response")}
}
