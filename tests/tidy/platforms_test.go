package tidy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// platforms are those that the module builds for, apart from the one where the tests run.
var platforms = []struct{ os, arch string }{
	{"linux", "386"}, {"linux", "arm64"}, {"windows", "amd64"}, {"windows", "arm64"}, {"darwin", "amd64"}, {"darwin", "arm64"},
	{"freebsd", "amd64"}, {"freebsd", "arm64"},
}

// All packages and tests compile on each platform. The compiler is left out, which would take minutes over the standard library: types
// are checked from sources, without the bodies of functions where they are others' functions.
func TestPlatforms_Compile(t *testing.T) {
	for _, p := range platforms {
		t.Run(p.os+"-"+p.arch, func(t *testing.T) {
			t.Parallel()
			packages, err := listFor(p.os, p.arch, "-test", "./...")
			if err != nil {
				t.Fatal(err)
			}
			checked := 0
			c := newChecker(p.arch)
			for _, listed := range packages {
				if strings.HasSuffix(listed.ImportPath, ".test") {
					continue // a program that the go command generates
				}
				for _, err := range c.check(listed) {
					t.Error(err)
				}
				if listed.own() {
					checked++
				}
			}
			if checked < 30 {
				t.Errorf("%d packages of the module were checked, all were expected", checked)
			}
		})
	}
}

// notInWasm are packages that make a program in wasm large, and are of no use there.
var notInWasm = []string{"net", "net/http", "crypto/tls", "crypto/rand"}

// In wasm there are the library, transport without listeners, and the programs made for it.
func TestPlatforms_Wasm(t *testing.T) {
	packages, err := listFor("js", "wasm", ".", "./transport", "./cmd/hakuban-wasm", "./tests/interop/gopeer")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	c := newChecker("wasm")
	for _, listed := range packages {
		for _, err := range c.check(listed) {
			t.Error(err)
		}
		if slices.Contains(notInWasm, listed.ImportPath) {
			t.Errorf("%s is in wasm", listed.ImportPath)
		}
		if listed.own() {
			checked++
		}
	}
	if checked < 7 {
		t.Errorf("%d packages of the module were checked, more were expected", checked)
	}
}

// A platform for which the sources do not compile is found out.
func TestPlatforms_FindsWhatDoesNotCompile(t *testing.T) {
	folder := t.TempDir()
	for name, source := range map[string]string{
		"overflow.go":  "package p\n\nvar n int = 1 << 40\n",
		"undefined.go": "//go:build !linux\n\npackage p\n\nvar _ = missing\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
		listed := &listedPackage{ImportPath: "hakuban/p", Dir: folder, GoFiles: []string{name}}
		if errs := newChecker("386").check(listed); len(errs) != 1 {
			t.Errorf("%s: %v, one error was expected", name, errs)
		}
	}
}

// listedPackage is a package as the go command lists it.
type listedPackage struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	ImportMap  map[string]string // of those that are found elsewhere than their path says
	Error      *struct{ Err string }
}

func (p *listedPackage) own() bool { return within(p.ImportPath, module) }

// listFor lists packages with all that they import, what is imported first. What are arguments of go list.
func listFor(system, architecture string, what ...string) (packages []*listedPackage, err error) {
	arguments := append([]string{"list", "-e", "-deps", "-json=ImportPath,Dir,GoFiles,ImportMap,Error"}, what...)
	command := exec.Command("go", arguments...)
	command.Dir = "../.."
	command.Env = append(os.Environ(), "GOOS="+system, "GOARCH="+architecture, "CGO_ENABLED=0")
	output, err := command.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, exit.Stderr)
		}
		return nil, err
	}
	for decoder := json.NewDecoder(bytes.NewReader(output)); decoder.More(); {
		var p listedPackage
		if err := decoder.Decode(&p); err != nil {
			return nil, err
		}
		packages = append(packages, &p)
	}
	return packages, nil
}

// platformChecker checks the types of packages for an architecture, each after those that it imports.
type platformChecker struct {
	fset  *token.FileSet
	sizes types.Sizes
	known map[string]*types.Package
}

func newChecker(architecture string) *platformChecker {
	return &platformChecker{token.NewFileSet(), types.SizesFor("gc", architecture), map[string]*types.Package{"unsafe": types.Unsafe}}
}

// check returns what is wrong with a package of the module.
func (c *platformChecker) check(p *listedPackage) (errs []error) {
	if p.ImportPath == "unsafe" {
		return nil
	}
	if p.Error != nil {
		return []error{errors.New(p.Error.Err)}
	}
	var files []*ast.File
	for _, name := range p.GoFiles {
		file, err := parser.ParseFile(c.fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return []error{err}
		}
		files = append(files, file)
	}
	config := types.Config{
		Sizes:            c.sizes,
		IgnoreFuncBodies: !p.own(),
		Importer:         importerFunc(func(path string) *types.Package { return c.imported(p, path) }),
		Error: func(err error) {
			if p.own() {
				errs = append(errs, err)
			}
		},
	}
	path, _, _ := strings.Cut(p.ImportPath, " ") // of a test: "p [p.test]"
	c.known[p.ImportPath], _ = config.Check(path, c.fset, files, nil)
	return errs
}

func (c *platformChecker) imported(by *listedPackage, path string) *types.Package {
	if elsewhere := by.ImportMap[path]; elsewhere != "" {
		path = elsewhere
	}
	return c.known[path]
}

type importerFunc func(path string) *types.Package

// Import implements types.Importer.
func (i importerFunc) Import(path string) (*types.Package, error) {
	if p := i(path); p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("%s was not listed before", path)
}
