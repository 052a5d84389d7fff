package config

import (
	"context"
	"fmt"
	"maps"
	"sync"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Connections opens a configuration's connections, each when it is first
// asked for. It may be used by several goroutines.
type Connections struct {
	config  *Config
	opening engine.Opening

	mu   sync.Mutex
	open map[string]*engine.Connection
}

// Open makes a set in which nothing is open yet. What opening says beside name
// and settings goes for every connection.
func (c *Config) Open(opening engine.Opening) *Connections {
	return &Connections{config: c, opening: opening, open: map[string]*engine.Connection{}}
}

// Connection is the connection of that name, opened now or before. Opening
// does not reach the service, so the context is not asked. A name that is not
// in the configuration is an invalid failure: the playbook was checked against
// another one.
func (s *Connections) Connection(_ context.Context, name string) (*engine.Connection, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if conn := s.open[name]; conn != nil {
		return conn, nil
	}
	configured, ok := s.config.named(name)
	if !ok {
		return nil, engine.Fail(engine.ClassInvalid, "connection", "the configuration has no connection %q any more", name)
	}
	o := s.opening
	o.Name, o.Settings = name, maps.Clone(configured.Settings)
	if configured.Rate != nil {
		o.Pace = engine.Pace(*configured.Rate)
	}
	conn, err := configured.Provider.Open(o)
	if err != nil {
		return nil, fmt.Errorf("opening the connection %q: %w", name, err)
	}
	s.open[name] = conn
	return conn, nil
}

func (c *Config) named(name string) (Connection, bool) {
	for _, conn := range c.Connections {
		if conn.Name == name {
			return conn, true
		}
	}
	return Connection{}, false
}
