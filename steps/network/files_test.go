package network_test

import (
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/steps/network"
	"github.com/drawbridge-soar/drawbridge/steps/network/networktest"
)

// TestFiles reads files with one mistake each.
func TestFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil { // whatever the mask says
			t.Fatal(err)
		}
		return path
	}
	read := func(path string) string {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	ca := authority(t)
	old, err := networktest.NewAuthority("Old Authority", time.Unix(0, 0), time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	pair := func(name string, w networktest.Wish) network.Host {
		w.Client = w.Hosts == nil
		cert, key, err := networktest.Files(dir, name, issue(t, ca, w))
		if err != nil {
			t.Fatal(err)
		}
		return network.Host{ClientCert: cert, ClientKey: key}
	}
	good, other := pair("good", networktest.Wish{Name: "runner"}), pair("other", networktest.Wish{Name: "other"})
	with := func(cert, key string) network.Host { return network.Host{ClientCert: cert, ClientKey: key} }
	for name, tt := range map[string]struct {
		host    network.Host
		key     string // "" where nothing is wrong
		warning bool
		words   []string
	}{
		"a bundle":       {host: network.Host{CAFiles: []string{write("ca.pem", "Test\n"+string(ca.PEM())+string(ca.PEM()), 0o644)}}},
		"not there":      {network.Host{CAFiles: []string{filepath.Join(dir, "none.pem")}}, "ca_file", false, []string{"none.pem cannot be read: no such file"}},
		"a folder":       {network.Host{CAFiles: []string{dir}}, "ca_file", false, []string{"is not a file"}},
		"empty":          {network.Host{CAFiles: []string{write("empty.pem", "", 0o600)}}, "ca_file", false, []string{"empty.pem holds no certificate", "PEM is wanted"}},
		"a key":          {network.Host{CAFiles: []string{good.ClientKey}}, "ca_file", false, []string{"holds no certificate, but a private key"}},
		"DER":            {network.Host{CAFiles: []string{write("ca.der", string(ca.Certificate.Raw), 0o600)}}, "ca_file", false, []string{"holds no certificate", "openssl x509 -inform der"}},
		"cut":            {network.Host{CAFiles: []string{write("cut.pem", string(ca.PEM()[:100]), 0o600)}}, "ca_file", false, []string{"cut or damaged"}},
		"damaged":        {network.Host{CAFiles: []string{write("damaged.pem", string(ca.PEM())+string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")})), 0o600)}}, "ca_file", false, []string{"damaged, the second"}},
		"anybody's":      {network.Host{CAFiles: []string{write("open.pem", string(ca.PEM()), 0o666)}}, "ca_file", false, []string{"can be changed by every user", "chmod o-w"}},
		"expired":        {network.Host{CAFiles: []string{write("old.pem", string(ca.PEM())+string(old.PEM()), 0o600)}}, "ca_file", true, []string{"expired on 2024-01-02: Old Authority"}},
		"data":           {network.Host{CAData: "hello"}, "ca_data", false, []string{"ca_data holds no certificate"}},
		"a pair":         {host: good},
		"the wrong key":  {with(good.ClientCert, other.ClientKey), "client_key", false, []string{"other.key is not the key of the certificate in", "good.pem (runner)"}},
		"no key":         {with(good.ClientCert, good.ClientCert), "client_key", false, []string{"holds no private key"}},
		"no certificate": {with(good.ClientKey, good.ClientKey), "client_cert", false, []string{"holds no certificate, but a private key"}},
		"an encrypted key": {
			with(good.ClientCert, write("encrypted.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n", 0o600)),
			"client_key", false, []string{"encrypted", "openssl pkey"},
		},
		"anybody reads it": {with(good.ClientCert, write("read.key", read(good.ClientKey), 0o644)), "client_key", true, []string{"can be read by every user"}},
		"expired pair":     {pair("expired", networktest.Wish{Name: "runner", From: time.Unix(0, 0), Until: time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC)}), "client_cert", false, []string{"expired.pem expired on 2024-01-02 (runner)"}},
		"later":            {pair("later", networktest.Wish{From: time.Date(2200, 1, 2, 0, 0, 0, 0, time.UTC), Until: time.Date(2201, 1, 2, 0, 0, 0, 0, time.UTC)}), "client_cert", false, []string{"not valid before 2200-01-02"}},
		"ends soon":        {pair("soon", networktest.Wish{Until: time.Now().Add(48 * time.Hour)}), "client_cert", true, []string{"expires soon"}},
		"for servers":      {pair("server", networktest.Wish{Hosts: []string{"a.example.com"}}), "client_cert", true, []string{"not meant for clients"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, s := range []network.Settings{{General: tt.host}, {Hosts: map[string]network.Host{"a.example.com": tt.host}}} {
				n, problems := network.New(s, network.Options{})
				if tt.key == "" {
					if n == nil || len(problems) > 0 {
						t.Errorf("problems: %v", problems)
					}
					continue
				}
				if len(problems) != 1 || problems[0].Key != tt.key || problems[0].Warning != tt.warning || (n != nil) != tt.warning {
					t.Fatalf("problems: %+v", problems)
				}
				if _, inHosts := s.Hosts[problems[0].Entry]; inHosts != (s.Hosts != nil) {
					t.Errorf("it is said of %q", problems[0].Entry)
				}
				for _, w := range tt.words {
					if said := problems[0].Message + " " + problems[0].Hint; !strings.Contains(said, w) {
						t.Errorf("%q does not say %q", said, w)
					}
				}
				if said := fmt.Sprint(problems); strings.Contains(said, "MIG") {
					t.Errorf("it shows what is in the file: %s", said)
				}
			}
		})
	}
}
