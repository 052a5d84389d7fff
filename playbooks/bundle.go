package playbooks

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// Source is the text of one playbook.
type Source struct {
	Name string // what `call:` uses: the file's name without its extension
	Path string // for diagnostics only; not part of a bundle's identity
	Data []byte
}

// Bundle is a playbook with all those it calls: everything a run is pinned to.
type Bundle struct {
	Root    string            // name of the playbook that is run
	Sources map[string]Source // by name
}

// ErrBundle is wrapped by the errors of Encode and DecodeBundle.
var ErrBundle = errors.New("not a bundle of playbooks")

// bundleVersion is the version of the encoding.
const bundleVersion = 1

// Encode writes the bundle canonically: the same playbooks give the same
// bytes, wherever they were read from. A source that is not UTF-8 is an error.
func (b Bundle) Encode() ([]byte, error) {
	sources := make(map[string]any, len(b.Sources))
	for name, s := range b.Sources {
		if !utf8.Valid(s.Data) {
			return nil, fmt.Errorf("%w: %s is not UTF-8", ErrBundle, name)
		}
		sources[name] = string(s.Data)
	}
	data, err := engine.EncodeJSON(map[string]any{"version": bundleVersion, "root": b.Root, "playbooks": sources})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBundle, err)
	}
	return data, nil
}

// DecodeBundle reads what Encode wrote.
func DecodeBundle(data []byte) (Bundle, error) {
	var in struct {
		Version   int               `json:"version"`
		Root      string            `json:"root"`
		Playbooks map[string]string `json:"playbooks"`
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		return Bundle{}, fmt.Errorf("%w: %w", ErrBundle, err)
	}
	if in.Version != bundleVersion {
		return Bundle{}, fmt.Errorf("%w: it has the version %d, this Drawbridge reads %d", ErrBundle, in.Version, bundleVersion)
	}
	b := Bundle{Root: in.Root, Sources: make(map[string]Source, len(in.Playbooks))}
	for name, text := range in.Playbooks {
		b.Sources[name] = Source{Name: name, Path: name + ".yaml", Data: []byte(text)}
	}
	if _, ok := b.Sources[b.Root]; !ok {
		return Bundle{}, fmt.Errorf("%w: the playbook %q is not in it", ErrBundle, b.Root)
	}
	return b, nil
}

// Hash is the hex SHA-256 of the canonical encoding; "" where there is none.
func (b Bundle) Hash() string {
	data, err := b.Encode()
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// part is the bundle of one of the playbooks with those it calls itself.
func (b Bundle) part(root string, calls map[string][]string) Bundle {
	part := Bundle{Root: root, Sources: map[string]Source{}}
	todo := []string{root}
	for len(todo) > 0 {
		name := todo[0]
		todo = todo[1:]
		source, exists := b.Sources[name]
		if _, done := part.Sources[name]; done || !exists {
			continue
		}
		part.Sources[name] = source
		todo = append(todo, calls[name]...)
	}
	return part
}

// Title is the name that a playbook gives itself, which its runs have; that of
// its file where it gives none.
func Title(s Source) string {
	doc, _ := parseDocument(s)
	if doc == nil {
		return s.Name
	}
	return doc.title
}

// names are the playbooks of the bundle, sorted.
func (b Bundle) names() []string { return slices.Sorted(maps.Keys(b.Sources)) }

// calls are the names of the playbooks a document calls.
func (d *document) calls() []string {
	var names []string
	d.each(d.steps, func(s *step) {
		if it := s.given["call"]; it.node != nil && !it.wrong && safeName(s.text("call")) {
			names = append(names, s.text("call"))
		}
	})
	slices.Sort(names)
	return slices.Compact(names)
}

// each visits steps and those inside them, in the order of the file.
func (d *document) each(steps []*step, visit func(*step)) {
	for _, s := range steps {
		visit(s)
		for _, sl := range s.slots {
			d.each(sl.steps, visit)
		}
	}
}

// clipProblems leaves out what nobody would read, and says so where it begins.
func clipProblems(list []yamldoc.Diagnostic) []yamldoc.Diagnostic {
	list = yamldoc.Sort(list)
	if len(list) <= maxProblems {
		return list
	}
	more := list[maxProblems].WithHint("mend those above first").WithSuggestion("")
	more.Code, more.Message = "too-many", fmt.Sprintf("%d more problems from here on", len(list)-maxProblems)
	if yamldoc.HasErrors(list[maxProblems:]) {
		more.Severity = yamldoc.Error
	}
	return append(list[:maxProblems:maxProblems], more)
}
