package config

import (
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

func (d *decoder) network(n *yamldoc.Node) Network {
	if n == nil || !d.isMap(n, "network", []string{"proxy", "ca_file", "hosts"}) {
		return Network{}
	}
	d.later(n.FirstKey(), "network", "HTTPS_PROXY and SSL_CERT_FILE in the environment are honoured; take `network` out until then")
	return Network{
		Proxy:  d.proxy(n.Get("proxy"), false),
		CAFile: d.path(n.Get("ca_file")),
		Hosts:  d.hosts(n.Get("hosts")),
	}
}

func (d *decoder) hosts(n *yamldoc.Node) map[string]Host {
	if n == nil {
		return nil
	}
	if n.Kind() != yamldoc.Map {
		d.report(n.Errorf("type", "hosts must be a map from host names to settings, not %s", n.Describe()))
		return nil
	}
	out := map[string]Host{}
	for _, e := range n.Entries() {
		if !d.isMap(e.Value, "a host", []string{"proxy", "ca_file", "client_cert", "client_key"}) {
			continue
		}
		h := Host{
			Proxy: d.proxy(e.Value.Get("proxy"), true), CAFile: d.path(e.Value.Get("ca_file")),
			ClientCert: d.path(e.Value.Get("client_cert")), ClientKey: d.path(e.Value.Get("client_key")),
		}
		if (h.ClientCert == "") != (h.ClientKey == "") {
			d.report(e.Value.FirstKey().Errorf("missing", "client_cert and client_key go together"))
		}
		out[e.Name()] = h
	}
	return out
}

func (d *decoder) proxy(n *yamldoc.Node, noneToo bool) string {
	text := d.text(n)
	if text == "" || noneToo && text == "none" || isWebAddress(text, "http", "https", "socks5") {
		return text
	}
	wrong := n.Errorf("proxy", "the proxy is not an address such as http://proxy.example.com:3128")
	wrong.Snippet = yamldoc.Snippet{} // it may hold a password
	d.report(wrong)
	return ""
}
