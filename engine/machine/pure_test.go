package machine_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// What the machine may import. Whatever reaches a clock, a file, a network or
// another goroutine is not in it.
func pureImports() []string {
	const module = "github.com/drawbridge-soar/drawbridge/"
	return []string{
		"bytes", "cmp", "container/heap", "crypto/sha256", "encoding/hex", "encoding/json", "errors", "fmt", "iter",
		"slices", "strconv", "strings", "time", "unicode", "unicode/utf8",
		module + "engine", module + "engine/expression", module + "engine/program",
	}
}

// Of package time, what only computes.
func pureTime() []string {
	return []string{"Time", "Duration", "Hour", "Round", "UTC", "Before", "After", "Equal", "Add", "Year", "IsZero"}
}

// TestPure keeps the machine a function of its events: no clock, no goroutine,
// no channel, no I/O, and no order that differs from run to run.
func TestPure(t *testing.T) {
	fset, files := parseMachine(t)
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}
	conf := types.Config{Importer: importer.ForCompiler(fset, "gc", exports(t))}
	if _, err := conf.Check("machine", fset, files, info); err != nil {
		t.Fatalf("checking the types of the package: %v", err)
	}
	for _, file := range files {
		for _, spec := range file.Imports {
			if path, _ := strconv.Unquote(spec.Path.Value); !slices.Contains(pureImports(), path) {
				t.Errorf("%s: the machine must not import %s", fset.Position(spec.Pos()), path)
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if why := impure(n, info); why != "" {
				t.Errorf("%s: %s", fset.Position(n.Pos()), why)
			}
			return true
		})
	}
}

// impure says why a piece of code has no place in the machine.
func impure(n ast.Node, info *types.Info) string {
	switch n := n.(type) {
	case *ast.GoStmt, *ast.SelectStmt, *ast.SendStmt, *ast.ChanType:
		return "a goroutine or channel: the order of things would not follow from the events"
	case *ast.RangeStmt:
		if _, isMap := info.TypeOf(n.X).Underlying().(*types.Map); isMap {
			return "it ranges over a map: the order would differ from run to run"
		}
	case *ast.Ident:
		obj := info.Uses[n]
		if obj != nil && obj.Pkg() != nil && obj.Pkg().Path() == "time" && !slices.Contains(pureTime(), obj.Name()) {
			return "time." + obj.Name() + ": the only clock is the event's time"
		}
	}
	return ""
}

func parseMachine(t *testing.T) (*token.FileSet, []*ast.File) {
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		files = append(files, must[*ast.File](t)(parser.ParseFile(fset, name, nil, 0)))
	}
	if len(files) < 10 {
		t.Fatalf("only %d files of the machine were found", len(files))
	}
	return fset, files
}

// exports finds the compiled packages the machine imports.
func exports(t *testing.T) importer.Lookup {
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-export", "-json=ImportPath,Export", ".")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("listing packages: %v\n%s", err, &stderr)
	}
	found := map[string]string{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var pkg struct {
			ImportPath string `json:"ImportPath"`
			Export     string `json:"Export"`
		}
		if err := dec.Decode(&pkg); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("listing packages: %v", err)
		}
		found[pkg.ImportPath] = pkg.Export
	}
	return func(path string) (io.ReadCloser, error) { return os.Open(found[path]) }
}
