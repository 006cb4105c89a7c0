package tidy

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"
)

// deterministic are the packages whose behaviour must be a function of their inputs, each with the files that need not be.
var deterministic = map[string][]string{
	"hakuban/impl":      nil,
	"hakuban/model":     {"model/explore.go"}, // drives the twin with many workers, and sums up what they find
	"hakuban/wire":      nil,
	"hakuban/wire/diff": nil,
}

// impure are the packages of the standard library whose functions answer differently each time, reach outside the process, or are for
// more than one thread.
var impure = []string{"context", "crypto/rand", "hash/maphash", "log", "math/rand", "net", "os", "reflect", "runtime", "sync", "syscall", "time", "unique", "unsafe"}

// sorter is the one function that may range over a map whose order shows: it sorts.
const sorter = "sortedKeys"

// Determinism is the rule for the packages in deterministic.
func Determinism(t *Tree) []string {
	var found []string
	for _, p := range t.Packages {
		except, ok := deterministic[p.Path]
		if !ok {
			continue
		}
		info, err := t.check(p)
		if err != nil {
			found = append(found, fmt.Sprintf("%s: %v", p.Path, err))
			continue
		}
		for _, file := range p.Files {
			if !slices.Contains(except, t.fset.Position(file.Pos()).Filename) {
				found = append(found, t.indeterminate(file, info)...)
			}
		}
	}
	return found
}

func (t *Tree) indeterminate(file *ast.File, info *types.Info) (found []string) {
	for _, declaration := range file.Decls {
		if function, ok := declaration.(*ast.FuncDecl); ok && function.Recv == nil && function.Name.Name == sorter {
			continue
		}
		ast.Inspect(declaration, func(node ast.Node) bool {
			if what := breach(node, info); what != "" {
				found = append(found, t.position(node)+": "+what)
			}
			return true
		})
	}
	return found
}

// breach says what is wrong with a piece of syntax, or nothing.
func breach(node ast.Node, info *types.Info) string {
	switch node := node.(type) {
	case *ast.ImportSpec:
		path := strings.Trim(node.Path.Value, `"`)
		if slices.ContainsFunc(impure, func(forbidden string) bool { return within(path, forbidden) }) {
			return "an import of " + path + ": what the core does must depend on its inputs only"
		}
	case *ast.GoStmt:
		return "a go statement: the core has one thread, its caller's"
	case *ast.SelectStmt:
		return "a select statement: it chooses at random"
	case *ast.ChanType:
		return "a channel: the core has one thread, its caller's"
	case *ast.RangeStmt:
		if isMap(info.TypeOf(node.X)) {
			return "a range over a map: its order differs from run to run, range over " + sorter
		}
	case *ast.SelectorExpr:
		function, ok := info.Uses[node.Sel].(*types.Func)
		if !ok || function.Pkg() == nil {
			return ""
		}
		name := function.Pkg().Path() + "." + function.Name()
		if unordered[name] {
			return name + ": its order differs from run to run, use " + sorter
		}
		if strings.HasPrefix(name, "fmt.Print") || strings.HasPrefix(name, "fmt.Scan") {
			return name + ": the core has no input or output"
		}
	case *ast.Ident:
		if builtin, ok := info.Uses[node].(*types.Builtin); ok && (builtin.Name() == "print" || builtin.Name() == "println") {
			return builtin.Name() + ": the core has no input or output"
		}
	case *ast.BasicLit:
		if node.Kind == token.STRING && strings.Contains(node.Value, "%p") {
			return "the format %p: addresses differ from run to run"
		}
	}
	return ""
}

// unordered are the functions that walk a map in its own order.
var unordered = map[string]bool{"maps.All": true, "maps.Keys": true, "maps.Values": true}

func isMap(t types.Type) bool {
	if t == nil {
		return false
	}
	if parameter, ok := types.Unalias(t).(*types.TypeParam); ok {
		return constraintHasMap(parameter)
	}
	_, ok := t.Underlying().(*types.Map)
	return ok
}

// constraintHasMap says whether a type parameter may stand for a map.
func constraintHasMap(parameter *types.TypeParam) bool {
	constraint, ok := parameter.Constraint().Underlying().(*types.Interface)
	if !ok {
		return false
	}
	for embedded := range constraint.EmbeddedTypes() {
		union, ok := embedded.(*types.Union)
		if !ok {
			union = types.NewUnion([]*types.Term{types.NewTerm(false, embedded)})
		}
		for term := range union.Terms() {
			if _, ok := term.Type().Underlying().(*types.Map); ok {
				return true
			}
		}
	}
	return false
}

// within says whether a package is another or below it.
func within(path, parent string) bool { return path == parent || strings.HasPrefix(path, parent+"/") }

// checkedPackages names the packages of the rule that a tree has, for the test that it is not looking at nothing.
func checkedPackages(t *Tree) []string {
	var paths []string
	for _, path := range slices.Sorted(maps.Keys(deterministic)) {
		if slices.ContainsFunc(t.Packages, func(p *Package) bool { return p.Path == path }) {
			paths = append(paths, path)
		}
	}
	return paths
}
