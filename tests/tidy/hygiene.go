package tidy

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strings"
)

// longest is how many lines a source file may have.
const longest = 600

// sources are the endings of what people read and write.
var sources = []string{".go", ".rs", ".sh"}

// Length is the rule that a file is short enough to be read.
func Length(t *Tree) []string {
	var found []string
	for _, name := range t.names(sources...) {
		if lines := bytes.Count(t.Files[name], []byte("\n")); lines > longest {
			found = append(found, fmt.Sprintf("%s has %d lines, the limit is %d: a file has one noun", name, lines, longest))
		}
	}
	return found
}

// openEnd matches a mark of unfinished work; tracked, one that names its issue. (Written so that they do not match themselves.)
var (
	openEnd = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b`)
	tracked = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\(?\s*(issue )?#[0-9]+`)
)

// OpenEnds is the rule that unfinished work has an issue.
func OpenEnds(t *Tree) []string {
	var found []string
	for _, name := range t.names(append([]string{".tla", ".cfg", "Makefile", ".ci/run", ".yml", ".toml"}, sources...)...) {
		number := 0
		for line := range bytes.Lines(t.Files[name]) {
			number++
			if openEnd.Match(line) && !tracked.Match(line) {
				found = append(found, fmt.Sprintf("%s:%d: work left open without the number of its issue", name, number))
			}
		}
	}
	return found
}

// lockFiles are generated, and name the registry they were generated from.
var lockFiles = []string{"Cargo.lock", "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "poetry.lock", "Pipfile.lock", "uv.lock", "Gemfile.lock"}

// LockFiles is the rule that no generated lock file is kept.
func LockFiles(t *Tree) []string {
	var found []string
	for _, name := range t.names(lockFiles...) {
		if slices.Contains(lockFiles, path.Base(name)) {
			found = append(found, name+": a generated lock file, which names a registry host: pin exact versions in the manifest")
		}
	}
	return found
}

// place matches a path of somebody's machine, and the host of a package registry. (It does not match itself.)
var place = regexp.MustCompile(`(^|[^\w./])/(root|home|Users|work|tmp)/\w|\b[A-Z]:\\Users\\` +
	`|\b(crates|pypi|rubygems|pythonhosted)\.(io|org)\b|\bnpmjs\.|\b(proxy|sum)\.golang\.|\bmaven\.(apache\.)?org\b|\bdeb\.debian\.` +
	`|https?://[\w.-]*(registry|mirror|artifactory|nexus|goproxy)`)

// Places is the rule that no file holds what is true on one machine only.
func Places(t *Tree) []string {
	var found []string
	for _, name := range t.names("") {
		number := 0
		for line := range bytes.Lines(t.Files[name]) {
			number++
			if match := place.Find(line); match != nil {
				found = append(found, fmt.Sprintf("%s:%d: %q is a path of one machine or the host of a registry", name, number, match))
			}
		}
	}
	return found
}

// Formatted is the rule that Go files are as gofmt leaves them.
func Formatted(t *Tree) []string {
	var found []string
	for _, name := range t.names(".go") {
		folder, _ := splitPath(name)
		if !isPackage(folder) {
			continue
		}
		switch formatted, err := format.Source(t.Files[name]); {
		case err != nil:
			found = append(found, fmt.Sprintf("%s: %v", name, err))
		case !bytes.Equal(formatted, t.Files[name]):
			found = append(found, name+" is not as gofmt leaves it")
		}
	}
	return found
}

// Documented is the rule that each package, and each exported thing of one that others import, has a comment.
func Documented(t *Tree) []string {
	var found []string
	for _, p := range t.Packages {
		if !slices.ContainsFunc(p.Files, func(f *ast.File) bool { return f.Doc != nil }) {
			found = append(found, p.Path+" has no package comment")
		}
		if p.Name == "main" || within(p.Path, "hakuban/tests") {
			continue
		}
		exported := map[string]bool{}
		for _, file := range p.Files {
			for _, declaration := range file.Decls {
				for _, name := range exportedTypes(declaration) {
					exported[name] = true
				}
			}
		}
		for _, file := range p.Files {
			for _, declaration := range file.Decls {
				for _, name := range undocumented(declaration, exported) {
					found = append(found, fmt.Sprintf("%s: %s has no comment", t.position(declaration), name))
				}
			}
		}
	}
	return found
}

func exportedTypes(declaration ast.Decl) (names []string) {
	general, ok := declaration.(*ast.GenDecl)
	if !ok {
		return nil
	}
	for _, spec := range general.Specs {
		if spec, ok := spec.(*ast.TypeSpec); ok && spec.Name.IsExported() {
			names = append(names, spec.Name.Name)
		}
	}
	return names
}

// undocumented names the exported things of a declaration that no comment describes; a group's comment serves all of it.
func undocumented(declaration ast.Decl, exported map[string]bool) (names []string) {
	switch declaration := declaration.(type) {
	case *ast.FuncDecl:
		if declaration.Doc == nil && declaration.Name.IsExported() && (declaration.Recv == nil || exported[receiver(declaration)]) && !conventional[declaration.Name.Name] {
			return []string{declaration.Name.Name}
		}
	case *ast.GenDecl:
		if declaration.Tok == token.IMPORT || declaration.Doc != nil {
			return nil
		}
		for _, spec := range declaration.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				if spec.Doc == nil && spec.Comment == nil && spec.Name.IsExported() {
					names = append(names, spec.Name.Name)
				}
			case *ast.ValueSpec:
				for _, name := range spec.Names {
					if spec.Doc == nil && spec.Comment == nil && name.IsExported() {
						names = append(names, name.Name)
					}
				}
			}
		}
	}
	return names
}

// conventional are the methods whose meaning is that of the standard library's interface.
var conventional = map[string]bool{"Error": true, "String": true, "Unwrap": true, "Len": true, "Less": true, "Swap": true, "Push": true, "Pop": true, "MarshalJSON": true, "UnmarshalJSON": true}

func receiver(function *ast.FuncDecl) string {
	name := ""
	ast.Inspect(function.Recv.List[0].Type, func(node ast.Node) bool {
		if identifier, ok := node.(*ast.Ident); ok && name == "" {
			name = identifier.Name
		}
		return name == ""
	})
	return strings.TrimSpace(name)
}
