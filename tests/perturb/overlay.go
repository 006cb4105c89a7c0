//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// quiet are the directories, from the module's root, whose files stay as they are: what is there has no goroutines, or is this.
var quiet = []string{"impl", "internal", "model", "sim", "spec", "tests/bench", "tests/bisimulation", "tests/perturb", "tests/tidy", "wire"}

// writeOverlay writes the module's files, with a call before each statement, to a directory, and returns an overlay for the go command.
func writeOverlay(root, directory string) (string, error) {
	replaced := map[string]string{}
	statements := 0
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if entry.IsDir() && name != "." && (strings.HasPrefix(entry.Name(), ".") || slices.Contains(quiet, filepath.ToSlash(name))) {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		text, n, err := perturbed(path, text, statements)
		if err != nil || n == 0 {
			return err
		}
		statements += n
		replaced[path] = filepath.Join(directory, strings.ReplaceAll(name, string(filepath.Separator), "-"))
		return os.WriteFile(replaced[path], text, 0o600)
	})
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(directory, "overlay.json")
	return overlay, os.WriteFile(overlay, text, 0o600)
}

// perturbed is a file's text with a call before each of its statements, which are numbered from first on, and how many there are. Lines
// keep their numbers.
func perturbed(path string, text []byte, first int) ([]byte, int, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, text, parser.SkipObjectResolution)
	if err != nil {
		return nil, 0, err
	}
	var at []int // offsets of statements
	ast.Inspect(file, func(node ast.Node) bool {
		var list []ast.Stmt
		switch node := node.(type) {
		case *ast.BlockStmt:
			list = node.List
		case *ast.CaseClause:
			list = node.Body
		case *ast.CommClause:
			list = node.Body
		}
		for _, s := range list {
			switch s.(type) {
			case *ast.CaseClause, *ast.CommClause: // of a switch's or select's block
			default:
				at = append(at, files.Position(s.Pos()).Offset)
			}
		}
		return true
	})
	if len(at) == 0 {
		return nil, 0, nil
	}
	slices.Sort(at)
	name := files.Position(file.Name.End()).Offset
	result := slices.Clone(text[:name])
	result = append(result, `; import perturb "hakuban/tests/perturb/delay"`...)
	last := name
	for i, offset := range at {
		result = append(result, text[last:offset]...)
		result = fmt.Appendf(result, "perturb.At(%d); ", first+i)
		last = offset
	}
	return append(result, text[last:]...), len(at), nil
}
