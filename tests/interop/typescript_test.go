package interop

import (
	"errors"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"hakuban/internal/race"
)

// notForALeaf are the scenarios that the client in TypeScript cannot tell, by the start of their names, and why.
var notForALeaf = map[string]string{
	"Direct_":  "it has no links below",
	"Library_": "they are told by the test's own process",
	"Monitor_": "they are about the router, and read by the reference's types",
}

// whole has every scenario of a leaf told with every mix, where otherwise those of a group take turns.
var whole = flag.Bool("whole", false, "tell each scenario of a leaf with each mix of peers: make interop-whole")

// mix is a tree, and the kinds of its peers.
type mix struct {
	tree  Tree
	peers []Kind
}

// typeScriptMixes are the trees and peers of the scenarios that the client in TypeScript tells: alone, and with a peer of each kind, below
// a router of either kind. Of each group a scenario is told with one.
var typeScriptMixes = [][]mix{
	{
		{Tree{Single, []Kind{Go}}, []Kind{TypeScript}},
		{Tree{Single, []Kind{Go}}, []Kind{Go, TypeScript}},
	},
	{
		{Tree{Single, []Kind{Rust}}, []Kind{TypeScript, Rust}},
		{Tree{Single, []Kind{Rust}}, []Kind{Rust, TypeScript}},
		{Tree{Chain, []Kind{Rust, Go, Rust}}, []Kind{TypeScript, Go}},
	},
}

func TestTypeScript(t *testing.T) {
	TypeScriptPeer(t)
	tellOfLeaves(t, typeScriptMixes)
}

// tellOfLeaves tells the scenarios that concern a leaf, each with one mix of each group.
func tellOfLeaves(t *testing.T, groups [][]mix) {
	t.Helper()
	_, missing := buildReference()
	turn := 0
	for _, group := range scenarios {
		for _, s := range group {
			if s.referenceOnly != "" || isNotForALeaf(s.name) {
				continue
			}
			turn++
			for _, mix := range mixesOf(s, groups, turn) {
				if (strings.Contains(mix.tree.Name(), string(Rust))) && errors.Is(missing, errMissing) && os.Getenv(requireVariable) != "1" {
					continue // the scenarios below our router need no reference
				}
				if race.Enabled && (mix.tree.Shape != Single || !slices.Contains(mix.peers, Go)) {
					continue // the detector has nothing to find in the others' processes
				}
				name := s.name + "/" + mix.tree.Name() + "/peers="
				for i, kind := range mix.peers {
					name += strings.Repeat("-", min(i, 1)) + string(kind)
				}
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					s.run(StartWorld(t, mix.tree, s.router, mix.peers))
				})
			}
		}
	}
}

// mixesOf returns the mixes that a scenario is told with: of each group the one whose turn it is.
func mixesOf(s scenario, groups [][]mix, turn int) (chosen []mix) {
	for _, group := range groups {
		group = slices.DeleteFunc(slices.Clone(group), func(m mix) bool { return m.tree.Shape == Chain && len(s.trees) == len(OneRouter) })
		if *whole || race.Enabled { // under the detector few are left
			chosen = append(chosen, group...)
		} else {
			chosen = append(chosen, group[turn%len(group)])
		}
	}
	return chosen
}

func isNotForALeaf(name string) bool {
	for start := range notForALeaf {
		if strings.HasPrefix(name, start) {
			return true
		}
	}
	return false
}
