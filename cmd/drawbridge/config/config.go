package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/guard"
	definition "github.com/drawbridge-soar/drawbridge/playbooks/connector"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// FileName is the configuration's name where none is given.
const FileName = "drawbridge.yaml"

// DefaultMaxPlanAge is how old a plan may be when it is applied, where the
// configuration says nothing.
const DefaultMaxPlanAge = 24 * time.Hour

// Config is a checked configuration. The zero Config has no connections and
// the default limits: what runs without a file.
type Config struct {
	Path      string   // of the file; "" without one
	Playbooks []string // folders, in the order they are searched
	// ConnectorFolders are those with the connector files.
	ConnectorFolders []string
	Connections      []Connection
	Connectors       []*definition.Definition // of the connector files, in the order they were read
	Defaults         map[engine.Capability]string
	Guard            guard.Configuration // the ceiling that playbooks may only lower, and the policy
	People           []engine.Person     // who may decide; no two answer to the same name
	Notify           string              // connection that hears of approvals wanted and of runs that did not succeed; "" for none
	// ApprovalLink is the address that a request for approval links to, with {id}
	// and {run} for what is asked for; "" for no link.
	ApprovalLink string
	MaxPlanAge   time.Duration // how old a plan may be when it is applied; 0, as in the zero Config, is DefaultMaxPlanAge
	Retention    Retention
	Network      Network
	Secrets      Secrets
	// Hash is the hex SHA-256 of the file; "" without one.
	Hash     string
	Serve    Serve     // as DefaultServe where the file says nothing; the zero Serve in the zero Config
	Webhooks []Webhook // in the order of the file
}

// Connection is one configured way to reach a service.
type Connection struct {
	Name     string
	Provider engine.Provider
	Settings map[string]any // by declared type, defaults filled in; secrets as secret.Reference
	Rate     *Rate          // nil: as often as the service allows
}

// Find is the path of the configuration: the one given, else FileName in the
// working directory where there is one, else "".
func Find(given string) (string, error) {
	if given != "" {
		return given, nil
	}
	_, err := os.Stat(FileName)
	switch {
	case err == nil:
		return FileName, nil
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	default:
		return "", err
	}
}

// Load reads and checks a configuration. It is nil where a diagnostic is an error.
func Load(path string, providers []engine.Provider) (*Config, []yamldoc.Diagnostic) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, []yamldoc.Diagnostic{yamldoc.NewDiagnostic(path, "unreadable", "the configuration cannot be read: %v", cause(err))}
	}
	return Parse(path, data, providers)
}

// Parse is Load of a file that was read already; relative paths in it are
// taken from its folder.
func Parse(path string, data []byte, providers []engine.Provider) (*Config, []yamldoc.Diagnostic) {
	root, problems := yamldoc.Parse(path, data)
	d := &decoder{dir: filepath.Dir(path), providers: providers, problems: withoutLines(problems)}
	sum := sha256.Sum256(data)
	c := &Config{Path: path, Hash: hex.EncodeToString(sum[:]), Serve: DefaultServe()}
	if root != nil {
		d.config(root, c)
	}
	d.hideSecrets(strings.Split(string(data), "\n"))
	found := yamldoc.Sort(d.problems)
	if yamldoc.HasErrors(found) {
		return nil, found
	}
	return c, found
}

// cause is a file error without the path, which the diagnostic names already.
func cause(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// Catalog is what the checker and the engine know of the connections.
func (c *Config) Catalog() engine.Catalog {
	out := engine.Catalog{Defaults: c.Defaults}
	for _, conn := range c.Connections {
		out.Connections = append(out.Connections, engine.ConnectionInfo{
			Name: conn.Name, Provider: conn.Provider.Name, Capabilities: conn.Provider.Capabilities,
		})
	}
	return out
}
