package tidy

import "strings"

// planted are small modules with one breach each, and, with no finding, what only looks like one.
var planted = []struct {
	name    string
	rule    func(*Tree) []string
	file    string
	source  string
	finding string
}{
	{"GoStatement", Determinism, "impl/a.go", "package impl\nfunc f() { go f() }\n", "impl/a.go:2: a go statement"},
	{"Channel", Determinism, "impl/a.go", "package impl\nvar c chan int\n", "impl/a.go:2: a channel"},
	{"Select", Determinism, "impl/a.go", "package impl\nfunc f() { select {} }\n", "a select statement"},
	{"Sync", Determinism, "impl/a.go", "package impl\nimport _ \"sync\"\n", "impl/a.go:2: an import of sync:"},
	{"Atomic", Determinism, "wire/a.go", "package wire\nimport _ \"sync/atomic\"\n", "an import of sync/atomic"},
	{"Time", Determinism, "wire/diff/a.go", "package diff\nimport _ \"time\"\n", "wire/diff/a.go:2: an import of time"},
	{"Rand", Determinism, "impl/a.go", "package impl\nimport _ \"math/rand/v2\"\n", "an import of math/rand/v2"},
	{"Context", Determinism, "impl/a.go", "package impl\nimport _ \"context\"\n", "an import of context"},
	{"Slog", Determinism, "impl/a.go", "package impl\nimport _ \"log/slog\"\n", "an import of log/slog"},
	{"OS", Determinism, "impl/a.go", "package impl\nimport _ \"os/signal\"\n", "an import of os/signal"},
	{"Net", Determinism, "model/a.go", "package model\nimport _ \"net/http\"\n", "model/a.go:2: an import of net/http"},
	{"MathIsFine", Determinism, "impl/a.go", "package impl\nimport (\n\t_ \"math\"\n\t_ \"math/bits\"\n)\n", ""},
	{"WorkersOfTheTwin", Determinism, "model/explore.go", "package model\nimport _ \"sync\"\nfunc f() { go f() }\n", ""},
	{"MapRange", Determinism, "impl/a.go", "package impl\nfunc f(m map[int]int) { for range m {} }\n", "impl/a.go:2: a range over a map"},
	{"NamedMapRange", Determinism, "impl/a.go", "package impl\ntype n map[int]int\nfunc f(m n) { for k := range m { _ = k } }\n", "impl/a.go:3: a range over a map"},
	{"FieldMapRange", Determinism, "impl/a.go", "package impl\ntype s struct{ m map[int]int }\nfunc f(p *s) { for k := range p.m { _ = k } }\n", "a range over a map"},
	{"GenericMapRange", Determinism, "impl/a.go", "package impl\nfunc f[M ~map[int]int](m M) { for k := range m { _ = k } }\n", "a range over a map"},
	{"MapKeys", Determinism, "impl/a.go", "package impl\nimport \"maps\"\nfunc f(m map[int]int) { for k := range maps.Keys(m) { _ = k } }\n", "maps.Keys"},
	{"MapValues", Determinism, "impl/a.go", "package impl\nimport \"maps\"\nvar f = maps.Values[map[int]int]\n", "maps.Values"},
	{"SliceRangeIsFine", Determinism, "impl/a.go", "package impl\nfunc f(s []map[int]int) { for range s {} }\n", ""},
	{"SorterMayRange", Determinism, "impl/a.go", "package impl\nfunc sortedKeys(m map[int]int) { for range m {} }\n", ""},
	{"MethodIsNoSorter", Determinism, "impl/a.go", "package impl\ntype m map[int]int\nfunc (m m) sortedKeys() { for range m {} }\n", "a range over a map"},
	{"Print", Determinism, "impl/a.go", "package impl\nimport \"fmt\"\nfunc f() { fmt.Println() }\n", "fmt.Println"},
	{"Println", Determinism, "impl/a.go", "package impl\nfunc f() { println() }\n", "println: the core"},
	{"Address", Determinism, "impl/a.go", "package impl\nimport \"fmt\"\nfunc f(p *int) string { return fmt.Sprintf(\"%p\", p) }\n", "addresses differ"},
	{"DoesNotCompile", Determinism, "impl/a.go", "package impl\nvar a = b\n", "undefined: b"},
	{"OthersMay", Determinism, "transport/a.go", "package transport\nimport _ \"time\"\nfunc f(m map[int]int) { for range m { go f(m) } }\n", ""},

	{"CoreImportsRoot", Arrows, "impl/a.go", "package impl\nimport _ \"hakuban\"\n", "hakuban/impl imports hakuban: it may import the standard library and hakuban/wire"},
	{"CoreImportsTransport", Arrows, "impl/a.go", "package impl\nimport _ \"hakuban/transport\"\n", "hakuban/impl imports hakuban/transport"},
	{"WireImportsCore", Arrows, "wire/a.go", "package wire\nimport _ \"hakuban/impl\"\n", "hakuban/wire imports hakuban/impl"},
	{"DiffImportsWire", Arrows, "wire/diff/a.go", "package diff\nimport _ \"hakuban/wire\"\n", "hakuban/wire/diff imports hakuban/wire"},
	{"TwinImportsCore", Arrows, "model/a.go", "package model\nimport _ \"hakuban/impl\"\n", "hakuban/model imports hakuban/impl"},
	{"RootImportsTransport", Arrows, "a.go", "package hakuban\nimport _ \"hakuban/transport\"\n", "hakuban imports hakuban/transport"},
	{"TransportImportsCore", Arrows, "transport/a.go", "package transport\nimport _ \"hakuban/impl\"\n", "hakuban/transport imports hakuban/impl"},
	{"RouterImportsCore", Arrows, "cmd/hakuban-router/a.go", "package main\nimport _ \"hakuban/impl\"\n", "hakuban/cmd/hakuban-router imports hakuban/impl"},
	{"SimulatorImportsRoot", Arrows, "sim/a.go", "package sim\nimport _ \"hakuban\"\n", "hakuban/sim imports hakuban"},
	{"CoreImportsOthers", Arrows, "impl/a.go", "package impl\nimport _ \"example.com/x\"\n", "hakuban/impl imports example.com/x"},
	{"RootImportsOthers", Arrows, "a.go", "package hakuban\nimport _ \"example.com/x\"\n", "hakuban imports example.com/x"},
	{"ArrowsAsDrawn", Arrows, "sim/checker/a.go", "package checker\nimport (\n\t_ \"hakuban/impl\"\n\t_ \"hakuban/model\"\n\t_ \"hakuban/wire/diff\"\n\t_ \"sort\"\n)\n", ""},
	{"TestsMay", Arrows, "tests/a/a.go", "package a\nimport _ \"example.com/x\"\n", ""},

	{"Long", Length, "impl/a.go", "package impl\n" + strings.Repeat("\n", longest), "impl/a.go has 601 lines"},
	{"LongEnough", Length, "impl/a.go", "package impl\n" + strings.Repeat("\n", longest-1), ""},

	{"OpenEnd", OpenEnds, "impl/a.go", "package impl\n\n// TO" + "DO: later\n", "impl/a.go:3: work left open"},
	{"OpenEndInShell", OpenEnds, "tests/a.sh", "# FIX" + "ME\n", "tests/a.sh:1: work left open"},
	{"OpenEndWithIssue", OpenEnds, "impl/a.go", "package impl\n\n// TO" + "DO(#12): later\n", ""},

	{"LockFile", LockFiles, "tests/interop/peer/Cargo.lock", "", "tests/interop/peer/Cargo.lock: a generated lock file"},
	{"GoSumIsFine", LockFiles, "go.sum", "", ""},

	{"PathOfAMachine", Places, "docs/a.md", "fine\nsee /ho" + "me/me/a\n", `docs/a.md:2: " /ho` + `me/m" is a path`},
	{"PathOfATemporaryFile", Places, ".ci/run", "x >/tm" + "p/x\n", ".ci/run:1: "},
	{"PathOfWindows", Places, "a.go", "package a\n\n// C:\\Us" + "ers\\me\n", "a.go:3: "},
	{"HostOfARegistry", Places, "tests/a.toml", "index = \"https://index.crates." + "io/\"\n", "tests/a.toml:1: "},
	{"HostOfAProxy", Places, "Makefile", "GOPROXY=https://proxy.go" + "lang.org\n", "Makefile:1: "},
	{"HostOfAMirror", Places, "pom.xml", "<url>http://maven-mir" + "ror.example:8080/</url>\n", "pom.xml:1: "},
	{"PathOfAURLIsFine", Places, "docs/a.md", "ws://example.com/ho" + "me/x and docs/wo" + "rk/x, https://example.com\n", ""},

	{"Unformatted", Formatted, "impl/a.go", "package impl\nfunc  f() {}\n", "impl/a.go is not as gofmt leaves it"},
	{"UnformattedTest", Formatted, "impl/a_test.go", "package impl\nfunc  f() {}\n", "impl/a_test.go is not as gofmt leaves it"},
	{"FormattedIsFine", Formatted, "impl/a.go", "package impl\n\nfunc f() {}\n", ""},

	{"NoPackageComment", Documented, "impl/a.go", "package impl\n", "hakuban/impl has no package comment"},
	{"NoCommentOnFunction", Documented, "impl/a.go", "// Package impl.\npackage impl\n\nfunc F() {}\n", "impl/a.go:4: F has no comment"},
	{"NoCommentOnMethod", Documented, "impl/a.go", "// Package impl.\npackage impl\n\n// T.\ntype T[A any] int\n\nfunc (t *T[A]) F() {}\n", "F has no comment"},
	{"NoCommentOnType", Documented, "impl/a.go", "// Package impl.\npackage impl\n\ntype T int\n", "T has no comment"},
	{"NoCommentOnConstant", Documented, "impl/a.go", "// Package impl.\npackage impl\n\nconst (\n\t// A.\n\tA = 1\n\tB = 2\n)\n", "B has no comment"},
	{"GroupComment", Documented, "impl/a.go", "// Package impl.\npackage impl\n\n// Letters.\nconst (\n\tA = 1\n\tB = 2\n)\n", ""},
	{"HiddenNeedsNone", Documented, "impl/a.go", "// Package impl.\npackage impl\n\ntype t int\n\nfunc (t) F() {}\n\nfunc f() {}\n", ""},
}
