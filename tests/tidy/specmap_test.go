package tidy

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"hakuban/model"
)

// transitions finds the names in the table of docs/spec-map.md.
var transitions = regexp.MustCompile("(?m)^\\| `([A-Z][A-Za-z]+)` \\| (?:`Input|`InputDetach`)")

// TestSpecMap_EachTransitionHasOneNameEverywhere holds docs/spec-map.md to the sources: each transition of its table is an
// action of the specification, of its twin and of the core, which says so beside the code and in its trace; and neither the
// twin nor the specification has another.
func TestSpecMap_EachTransitionHasOneNameEverywhere(t *testing.T) {
	root := filepath.Join("..", "..")
	spec, core := readAll(t, root, "spec/hakuban.tla"), readAll(t, root, "impl/*.go")
	var names []string
	for _, match := range transitions.FindAllStringSubmatch(readAll(t, root, "docs/spec-map.md"), -1) {
		names = append(names, match[1])
	}
	if missing := unmapped(names, spec, core); len(missing) > 0 {
		t.Errorf("named in docs/spec-map.md but: %s", strings.Join(missing, "; "))
	}
	for action := model.Open; action < model.Actions; action++ {
		if !strings.Contains(strings.Join(names, " ")+" ", action.String()+" ") {
			t.Errorf("the twin's %v is not in docs/spec-map.md", action)
		}
	}
	if len(names) != int(model.Actions) {
		t.Errorf("docs/spec-map.md has %d transitions, the twin %d", len(names), model.Actions)
	}
}

func TestSpecMap_SeesWhatIsMissing(t *testing.T) {
	spec, core := "Open(k) ==", "// spec: Open\nx.traced(\"Open\""
	if missing := unmapped([]string{"Open"}, spec, core); len(missing) > 0 {
		t.Errorf("refused: %v", missing)
	}
	for _, bad := range [][2]string{{"", core}, {spec, "x.traced(\"Open\""}, {spec, "// spec: Open"}} {
		if len(unmapped([]string{"Open"}, bad[0], bad[1])) != 1 {
			t.Errorf("let through: %q", bad)
		}
	}
}

// unmapped says which names are not where they should be.
func unmapped(names []string, spec, core string) (missing []string) {
	for _, name := range names {
		if !regexp.MustCompile(`(?m)^` + name + `\(`).MatchString(spec) {
			missing = append(missing, "no action "+name+" in spec/hakuban.tla")
		}
		if !regexp.MustCompile(`// spec: (?:\w+, )*` + name + `\b`).MatchString(core) {
			missing = append(missing, "no \"// spec: "+name+"\" in impl")
		}
		// Open and Close are handed to the one place that traces both.
		if !regexp.MustCompile(`(?:traced|settleContract)\("` + name + `"`).MatchString(core) {
			missing = append(missing, "no trace line "+name+" in impl")
		}
	}
	return missing
}

func readAll(t *testing.T, root, pattern string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %v", pattern, err)
	}
	var all strings.Builder
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}
