package tidy

import (
	"fmt"
	"slices"
	"strings"
)

// layer is a part of the module and what it may import. The first layer that a package is within is its own.
type layer struct {
	path   string
	module []string // of this module, each with what is below it
	others []string // modules of others
	any    bool     // whatever it likes
}

// layers is the design's picture of arrows: cmd → transport → hakuban → impl → wire → wire/diff; cmd/simulate → sim → impl, model,
// wire; model → nothing. An arrow reaches what its end may reach, except that only the root package and the simulator see the core.
var layers = []layer{
	{path: "hakuban/tests", any: true},
	{path: "hakuban/cmd/simulate", module: []string{"hakuban/sim", "hakuban/impl", "hakuban/model", "hakuban/wire"}},
	{path: "hakuban/cmd/hakuban-wasm", module: []string{"hakuban/impl", "hakuban/wire"}},
	{path: "hakuban/cmd", module: []string{"hakuban", "hakuban/access", "hakuban/transport"}, others: []string{"github.com/KimMachineGun/automemlimit"}},
	{path: "hakuban/examples", module: []string{"hakuban", "hakuban/transport"}, others: []string{"golang.org/x/sync"}},
	{path: "hakuban/sim", module: []string{"hakuban/sim", "hakuban/impl", "hakuban/model", "hakuban/wire"}, others: []string{"golang.org/x/sync"}},
	{path: "hakuban/model"},
	{path: "hakuban/spec", module: []string{"hakuban/model"}},
	{path: "hakuban/access", module: []string{"hakuban"}, others: []string{"github.com/golang-jwt/jwt/v5"}},
	{path: "hakuban/transport", module: []string{"hakuban", "hakuban/transport"}, others: []string{"github.com/gorilla/websocket", "golang.org/x/sync", "golang.org/x/sys"}},
	{path: "hakuban/impl", module: []string{"hakuban/wire"}},
	{path: "hakuban/wire/diff"},
	{path: "hakuban/wire", module: []string{"hakuban/wire/diff"}},
	{path: "hakuban/internal/backdoor", module: []string{"hakuban/impl"}},
	{path: "hakuban", module: []string{"hakuban/impl", "hakuban/wire", "hakuban/internal/backdoor"}},
}

// Arrows is the rule that a package imports only what its layer may.
func Arrows(t *Tree) []string {
	var found []string
	for _, p := range t.Packages {
		i := slices.IndexFunc(layers, func(l layer) bool { return within(p.Path, l.path) })
		l := layers[i]
		for _, path := range p.Imports {
			if !l.any && !l.allows(path) {
				found = append(found, fmt.Sprintf("%s imports %s: %s", p.Path, path, l))
			}
		}
	}
	return found
}

func (l layer) allows(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	switch {
	case first == module:
		return slices.ContainsFunc(l.module, func(allowed string) bool {
			return path == allowed || allowed != module && within(path, allowed)
		})
	case strings.Contains(first, "."):
		return slices.ContainsFunc(l.others, func(allowed string) bool { return within(path, allowed) })
	}
	return true
}

func (l layer) String() string {
	allowed := slices.Concat(l.module, l.others)
	if len(allowed) == 0 {
		return "it may import the standard library only"
	}
	return "it may import the standard library and " + strings.Join(allowed, ", ")
}
