package hostile

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"testing"
)

// tables are where the hostile inputs of the whole project stand: the rows of a function's or a variable's largest literal, or,
// with one, the function itself.
var tables = []struct {
	layer, file, name string
	one               bool
}{
	{"codec", "wire/decode_test.go", "hostileEvents", false},
	{"codec", "wire/descriptor_test.go", "TestDescriptor_RefusedTexts", false},
	{"codec", "wire/diff/malformed_test.go", "TestPatch_RefusesEveryMalformedDiff", false},
	{"core", "impl/receive_test.go", "TestReceive_WhatEndsALink", false},
	{"core", "impl/receive_test.go", "TestReceive_WhatIsTolerated", false},
	{"transport", "transport/hostile_test.go", "TestHostile_FramesEndTheirLinkOnly", false},
	{"transport", "transport/hostile_test.go", "TestHostile_FramesThatAreFine", false},
	{"transport", "transport/hostile_test.go", "TestHostile_Requests", false},
	{"transport", "transport/hostile_test.go", "TestHostile_HalfOpenConnectionsEnd", false},
	{"transport", "transport/hostile_test.go", "TestHostile_Upstreams", false},
	{"live", "tests/hostile/raw_test.go", "TestFrames_EndTheirLinkOnly", false},
	{"live", "tests/hostile/raw_test.go", "TestFrames_CutShort", false},
	{"live", "tests/hostile/raw_test.go", "TestFrames_ThatAreHarmless", false},
	{"live", "tests/hostile/raw_test.go", "TestRequests", false},
	{"live", "tests/hostile/message_test.go", "TestMessages_EndTheirLinkOnly", false},
	{"live", "tests/hostile/message_test.go", "TestMessages_ThatAreHarmless", false},
	{"live", "tests/hostile/state_test.go", "TestStates_EndTheirLinkOnly", false},
	{"live", "tests/hostile/state_test.go", "TestStates_ThatAreHarmless", false},
	{"live", "tests/hostile/slow_test.go", "TestSlow_Frames", false},
	{"live", "tests/hostile/slow_test.go", "TestSlow_Handshakes", true},
	{"live", "tests/hostile/slow_test.go", "TestSlow_Farewells", true},
	{"live", "tests/hostile/flood_test.go", "TestFlood_", true},
}

// least is how many inputs each layer has at least; doc.go says the same.
var least = map[string]int{"codec": 150, "core": 80, "transport": 60, "live": 200}

// TestCount counts the inputs, so that the number in doc.go is not a wish.
func TestCount(t *testing.T) {
	_, here, _, _ := runtime.Caller(0)
	root := filepath.Join(filepath.Dir(here), "..", "..")
	counts, total := map[string]int{}, 0
	for _, table := range tables {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, table.file), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		rows := 0
		for _, declaration := range file.Decls {
			if named(declaration, table.name, table.one) {
				if table.one {
					rows++
				} else {
					rows = max(rows, longestLiteral(declaration))
				}
			}
		}
		if rows == 0 {
			t.Errorf("%s has no %s", table.file, table.name)
		}
		counts[table.layer] += rows
		total += rows
	}
	t.Logf("%d hostile inputs: %v", total, counts)
	for layer, want := range least {
		if counts[layer] < want {
			t.Errorf("%s: %d hostile inputs, at least %d were expected", layer, counts[layer], want)
		}
	}
	doc, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "tests/hostile/doc.go"), nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	for layer, n := range least {
		if !regexp.MustCompile(`\b` + layer + `, at least ` + strconv.Itoa(n) + `:`).MatchString(doc.Doc.Text()) {
			t.Errorf("doc.go does not say %q", layer+", at least "+strconv.Itoa(n)+":")
		}
	}
}

// named tells whether a declaration is of that name, or, as a prefix, begins with it.
func named(declaration ast.Decl, name string, prefix bool) bool {
	switch declaration := declaration.(type) {
	case *ast.FuncDecl:
		got := declaration.Name.Name
		return got == name || prefix && len(got) > len(name) && got[:len(name)] == name
	case *ast.GenDecl:
		for _, spec := range declaration.Specs {
			if value, ok := spec.(*ast.ValueSpec); ok && value.Names[0].Name == name {
				return true
			}
		}
	}
	return false
}

// longestLiteral is how many elements the longest composite literal within a node has.
func longestLiteral(node ast.Node) (rows int) {
	ast.Inspect(node, func(n ast.Node) bool {
		if literal, ok := n.(*ast.CompositeLit); ok {
			rows = max(rows, len(literal.Elts))
		}
		return true
	})
	return rows
}
