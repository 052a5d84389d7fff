package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/playbooks"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// compiled is a playbook ready to run.
type compiled struct {
	program *program.Program
	bundle  engine.Bundle
	source  string // the file, as an absolute path; "" where it is none
}

// compile loads and checks the playbook that an argument names. Its problems
// are said here.
func (a *app) compile(conf *config.Config, argument string) (compiled, error) {
	from, err := a.sources(conf, argument)
	if err != nil {
		return compiled{}, err
	}
	playbook, err := a.compileBundle(conf, from.bundle, from.problems)
	playbook.source = from.path
	return playbook, err
}

// sources is a playbook that was read and not checked yet.
type sources struct {
	bundle   playbooks.Bundle
	problems []yamldoc.Diagnostic
	path     string // absolute, where it was read
}

// sources reads the playbook that an argument names: here, or what a client has
// sent with its command.
func (a *app) sources(conf *config.Config, argument string) (sources, error) {
	if a.house != nil {
		return a.sourcesThere(conf, argument)
	}
	path, err := findPlaybook(conf, argument)
	if err != nil {
		return sources{}, err
	}
	return readSources(path)
}

func readSources(path string) (sources, error) {
	bundle, problems := playbooks.Load(playbooks.OSFiles, path)
	whole, err := filepath.Abs(path)
	return sources{bundle: bundle, problems: problems, path: whole}, err
}

func (a *app) compileBundle(conf *config.Config, bundle playbooks.Bundle, problems []yamldoc.Diagnostic) (compiled, error) {
	catalog := conf.Catalog()
	env, err := a.environment(conf, &catalog)
	if err != nil {
		return compiled{}, err
	}
	env.Asking = asking(conf)
	var prog *program.Program
	if !yamldoc.HasErrors(problems) {
		var more []yamldoc.Diagnostic
		prog, more = playbooks.Compile(bundle, env)
		problems = append(problems, more...)
	}
	if prog != nil {
		problems = append(problems, violations(conf, env.Actions, bundle, prog)...)
	}
	if prog == nil || yamldoc.HasErrors(problems) {
		return compiled{}, a.reject(yamldoc.Sort(problems))
	}
	fmt.Fprint(a.stderr, yamldoc.Render(problems)) // warnings
	data, err := bundle.Encode()
	if err != nil {
		return compiled{}, fmt.Errorf("packing the playbook: %w", err)
	}
	return compiled{program: prog, bundle: engine.Bundle{Hash: prog.Hash, Name: prog.Name, Data: data}}, nil
}

// findPlaybook turns an argument into a file: a path, or the name of a
// playbook in one of the configuration's folders.
func findPlaybook(conf *config.Config, argument string) (string, error) {
	info, err := os.Stat(argument)
	switch {
	case err == nil && !info.IsDir():
		return argument, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("looking for the playbook: %w", err)
	case looksLikePath(argument):
		return "", usage("there is no playbook %s", argument)
	}
	for _, folder := range conf.Playbooks {
		for _, ext := range []string{".yaml", ".yml"} {
			path := filepath.Join(folder, argument+ext)
			if _, err := os.Stat(path); err == nil {
				return path, nil
			}
		}
	}
	return "", unknownPlaybook(conf, argument)
}

func looksLikePath(argument string) bool {
	ext := filepath.Ext(argument)
	return ext == ".yaml" || ext == ".yml" || strings.ContainsRune(argument, filepath.Separator)
}

func unknownPlaybook(conf *config.Config, name string) error {
	if len(conf.Playbooks) == 0 {
		return usage("there is no playbook %q: give a path, or name folders under `playbooks:` in %s", name, config.FileName)
	}
	var known []string
	for _, folder := range conf.Playbooks {
		files, _ := playbooks.Files(folder) // a folder that cannot be read has nothing to propose
		for _, file := range files {
			known = append(known, strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)))
		}
	}
	slices.Sort(known)
	if near := didYouMean(name, known); near != "" || len(known) == 0 {
		return usage("there is no playbook %q in %s%s", name, strings.Join(conf.Playbooks, ", "), near)
	}
	return usage("there is no playbook %q in %s; there are %s", name, strings.Join(conf.Playbooks, ", "), strings.Join(slices.Compact(known), ", "))
}
