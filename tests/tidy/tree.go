package tidy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// module is the path of this module; packages of the Go standard library have no dot in their first element.
const module = "hakuban"

// Tree is a module's sources, as the rules look at them.
type Tree struct {
	Files    map[string][]byte // of the whole module, by slashed path below its root; what git ignores is not there
	Packages []*Package        // in the order of their paths

	fset   *token.FileSet
	export func(path string) (io.ReadCloser, error) // compiled packages, for type checking
}

// Package is one package without its tests.
type Package struct {
	Path    string // import path
	Name    string
	Imports []string
	Files   []*ast.File
}

// loadModule reads this module from its root.
func loadModule(root string) (*Tree, error) {
	names, err := list(root)
	if err != nil {
		return nil, err
	}
	files := make(map[string][]byte, len(names))
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if errors.Is(err, fs.ErrNotExist) {
			continue // git knows it, the tree has lost it
		}
		if err != nil {
			return nil, err
		}
		files[name] = data
	}
	return newTree(files, root)
}

// list names the files that git has or would take, and, in a tree without git, all but the hidden.
func list(root string) ([]string, error) {
	if _, err := os.Stat(filepath.Join(root, ".git")); err == nil {
		output, err := run(root, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
		if err != nil {
			return nil, err
		}
		names := strings.Split(strings.TrimSuffix(string(output), "\x00"), "\x00")
		slices.Sort(names)
		return slices.Compact(names), nil
	}
	var names []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != root && (strings.HasPrefix(entry.Name(), ".") && entry.Name() != ".ci" || entry.Name() == "target" || entry.Name() == "node_modules"):
			return fs.SkipDir
		case entry.Type().IsRegular():
			name, err := filepath.Rel(root, path)
			names = append(names, filepath.ToSlash(name))
			return err
		}
		return nil
	})
	return names, err
}

// newTree parses files, those in memory of a sample too; root is where the go command runs to compile what they import.
func newTree(files map[string][]byte, root string) (*Tree, error) {
	t := &Tree{Files: files, fset: token.NewFileSet(), export: exports(root)}
	packages := map[string]*Package{}
	for _, name := range t.names(".go") {
		folder, base := splitPath(name)
		if strings.HasSuffix(base, "_test.go") || !isPackage(folder) {
			continue
		}
		file, err := parser.ParseFile(t.fset, name, files[name], parser.ParseComments)
		if err != nil {
			return nil, err
		}
		path := module
		if folder != "" {
			path += "/" + folder
		}
		p := packages[path]
		if p == nil {
			p = &Package{Path: path, Name: file.Name.Name}
			packages[path] = p
			t.Packages = append(t.Packages, p)
		}
		p.Files = append(p.Files, file)
		for _, spec := range file.Imports {
			p.Imports = append(p.Imports, strings.Trim(spec.Path.Value, `"`))
		}
		slices.Sort(p.Imports)
		p.Imports = slices.Compact(p.Imports)
	}
	slices.SortFunc(t.Packages, func(a, b *Package) int { return strings.Compare(a.Path, b.Path) })
	return t, nil
}

// isPackage says whether the go command would look into a folder.
func isPackage(folder string) bool {
	for element := range strings.SplitSeq(folder, "/") {
		if element == "testdata" || strings.HasPrefix(element, ".") || strings.HasPrefix(element, "_") {
			return false
		}
	}
	return true
}

// names returns the files with one of the endings, sorted.
func (t *Tree) names(endings ...string) []string {
	var names []string
	for name := range t.Files {
		if slices.ContainsFunc(endings, func(ending string) bool { return strings.HasSuffix(name, ending) }) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// position is where a finding is.
func (t *Tree) position(node ast.Node) string {
	p := t.fset.Position(node.Pos())
	return fmt.Sprintf("%s:%d", p.Filename, p.Line)
}

// check gives the types of a package's expressions.
func (t *Tree) check(p *Package) (*types.Info, error) {
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: importer.ForCompiler(t.fset, "gc", t.export)}
	_, err := config.Check(p.Path, t.fset, p.Files, info)
	return info, err
}

// exports finds compiled packages as the go command has them, and has it compile those it has not.
func exports(root string) func(string) (io.ReadCloser, error) {
	known := map[string]string{}
	return func(path string) (io.ReadCloser, error) {
		if known[path] == "" {
			output, err := run(root, "go", "list", "-deps", "-export", "-json=ImportPath,Export", path)
			if err != nil {
				return nil, err
			}
			for decoder := json.NewDecoder(bytes.NewReader(output)); decoder.More(); {
				var listed struct{ ImportPath, Export string }
				if err := decoder.Decode(&listed); err != nil {
					return nil, err
				}
				known[listed.ImportPath] = listed.Export
			}
		}
		if known[path] == "" {
			return nil, fmt.Errorf("%s: the go command compiled nothing", path)
		}
		return os.Open(known[path])
	}
}

func run(folder, program string, arguments ...string) ([]byte, error) {
	command := exec.Command(program, arguments...)
	command.Dir = folder
	var stderr bytes.Buffer
	command.Stderr = &stderr
	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w\n%s", program, strings.Join(arguments, " "), err, stderr.Bytes())
	}
	return output, nil
}

func splitPath(name string) (folder, base string) {
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		return name[:i], name[i+1:]
	}
	return "", name
}
