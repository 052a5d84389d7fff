package cli

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/local"
	"github.com/drawbridge-soar/drawbridge/playbooks"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// lookEvery is how often the folders of playbooks are looked at.
const lookEvery = 2 * time.Second

// Active is a playbook as a serving process uses it for new runs.
type Active = local.Active

// folders keeps the playbooks of the configuration's folders as they were when
// they last passed the checks. It may be used by several goroutines.
type folders struct {
	conf   *config.Config
	check  func(paths []string) ([]playbooks.Checked, error)
	report func(text string) // hears of each playbook that is broken, once per mistake

	mu     sync.Mutex
	active map[string]Active // by file
	seen   map[string]stamped
	said   map[string]string // what was reported, by file
}

// stamped is by what a file is known to have changed.
type stamped struct {
	size int64
	at   time.Time
}

// list is every playbook that can be run, in the order of the files' names.
func (f *folders) list() []Active {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []Active
	for _, path := range slices.Sorted(maps.Keys(f.active)) {
		out = append(out, f.active[path])
	}
	return out
}

// watch looks for changes until ctx ends, at each tick.
func (f *folders) watch(ctx context.Context, tick <-chan time.Time, log func(error)) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick:
			if err := f.look(); err != nil {
				log(err)
			}
		}
	}
}

// look reads the folders again where something in them has changed.
func (f *folders) look() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	now, folders, unread := stamps(f.conf.Playbooks)
	if f.seen != nil && maps.Equal(now, f.seen) {
		return nil
	}
	f.seen = now
	checked, err := f.check(folders)
	if err != nil {
		return fmt.Errorf("checking the playbooks: %w", err)
	}
	f.take(checked, unread)
	return nil
}

// stamps are those of all playbooks, the folders that have some, and what is
// wrong with those that cannot be read.
func stamps(all []string) (now map[string]stamped, folders []string, unread map[string]string) {
	now, unread = map[string]stamped{}, map[string]string{}
	for _, folder := range all {
		files, problem := playbooks.Files(folder)
		if problem != nil {
			now[folder] = stamped{size: -1} // there is nothing to check until this changes
			if problem.Code == "read" {
				unread[folder] = problem.Message
			}
			continue
		}
		folders = append(folders, folder)
		for _, file := range files {
			now[file] = stampOfFile(file)
		}
	}
	return now, folders, unread
}

func stampOfFile(path string) stamped {
	info, err := os.Stat(path)
	if err != nil {
		return stamped{size: -1}
	}
	return stamped{size: info.Size(), at: info.ModTime()}
}

// take makes what passed the checks active, and leaves what did not as it was.
func (f *folders) take(checked []playbooks.Checked, unread map[string]string) {
	next, said := map[string]Active{}, map[string]string{}
	for folder, problem := range unread {
		if !f.keep(folder, next) {
			continue // it never had any
		}
		said[folder] = fmt.Sprintf("the folder of playbooks %s cannot be read, and what was active of it stays active: %s", folder, problem)
		if said[folder] != f.said[folder] {
			f.report(said[folder])
		}
	}
	for _, c := range checked {
		if c.OK() && c.Program != nil {
			data, err := c.Bundle.Encode()
			if err == nil {
				next[c.Path] = Active{Program: c.Program, Bundle: engine.Bundle{Hash: c.Program.Hash, Name: c.Program.Name, Data: data}, Source: absolute(c.Path)}
				continue
			}
		}
		last, had := f.active[c.Path]
		if had {
			next[c.Path] = last
		}
		said[c.Path] = broken(c, had)
		if said[c.Path] != f.said[c.Path] {
			f.report(said[c.Path])
		}
	}
	f.active, f.said = next, said
}

// keep leaves active what is of a folder that cannot be read now: a disk that is
// away for a moment is no wish to stop. It reports whether there is anything.
func (f *folders) keep(folder string, next map[string]Active) bool {
	before := len(next)
	for path, active := range f.active {
		if rest, err := filepath.Rel(folder, path); err == nil && filepath.IsLocal(rest) {
			next[path] = active
		}
	}
	return len(next) > before
}

func broken(c playbooks.Checked, had bool) string {
	what := "it cannot be used until it is mended"
	if had {
		what = "its last good version stays active"
	}
	return fmt.Sprintf("the playbook %s does not pass the checks: %s\n%s", c.Path, what, yamldoc.Render(c.Diagnostics))
}

// checker checks folders as `check` does.
func (a *app) checker(conf *config.Config) func([]string) ([]playbooks.Checked, error) {
	return func(paths []string) ([]playbooks.Checked, error) {
		catalog := conf.Catalog()
		env, err := a.environment(conf, &catalog)
		if err != nil {
			return nil, err
		}
		env.Asking, env.Serving = asking(conf), unattended(conf)
		checked := playbooks.Check(env, paths...)
		for i := range checked {
			if c := &checked[i]; c.Program != nil {
				c.Diagnostics = append(c.Diagnostics, violations(conf, env.Actions, c.Bundle, c.Program)...)
			}
		}
		return checked, nil
	}
}
