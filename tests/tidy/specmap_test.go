package tidy

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"hakuban/model"
)

var (
	// transitions finds the names in the table of docs/spec-map.md, with the twin's functions, and whether an input of the core does it.
	transitions = regexp.MustCompile("(?m)^\\| `([A-Z][A-Za-z]+)` \\| `([a-z][A-Za-z]+)` \\| (`Input|none)")
	// specRules finds the names of the rules there.
	specRules = regexp.MustCompile("`([A-Z][A-Za-z]+)\\([a-z,]+\\)`")
	// specComments finds the names that the core's sources give to functions.
	specComments = regexp.MustCompile(`// spec: (.+)`)
)

// TestSpecMap_EachTransitionHasOneNameEverywhere holds docs/spec-map.md to the sources: each transition of its table is an
// action of the specification, of its twin and (but for those that no input does) of the core, which says so beside the code and in its trace; and neither the
// twin nor the specification has another. Its rules, and whatever else the core's comments name, are the specification's.
func TestSpecMap_EachTransitionHasOneNameEverywhere(t *testing.T) {
	root := filepath.Join("..", "..")
	spec, core, twin := readAll(t, root, "spec/hakuban.tla"), readAll(t, root, "impl/*.go"), readAll(t, root, "model/*.go")
	table := transitions.FindAllStringSubmatch(readAll(t, root, "docs/spec-map.md"), -1)
	var names []string
	for _, row := range table {
		names = append(names, row[1])
	}
	if missing := unmapped(table, spec, core, twin); len(missing) > 0 {
		t.Errorf("named in docs/spec-map.md but: %s", strings.Join(missing, "; "))
	}
	if strange := undefined(specComments, core, spec); len(strange) > 0 {
		t.Errorf("impl says \"// spec:\" of what is not in spec/hakuban.tla: %v", strange)
	}
	if strange := undefined(specRules, readAll(t, root, "docs/spec-map.md"), spec); len(strange) > 0 {
		t.Errorf("docs/spec-map.md has rules that are not in spec/hakuban.tla: %v", strange)
	}
	var twins []string
	for action := model.Open; action < model.Actions; action++ {
		twins = append(twins, action.String())
	}
	if !slices.Equal(twins, names) {
		t.Errorf("the twin's actions are %v, those of docs/spec-map.md %v", twins, names)
	}
	actions := actionsOf(spec)
	slices.Sort(actions)
	slices.Sort(names)
	if !slices.Equal(actions, names) {
		t.Errorf("the specification's actions are %v, those of docs/spec-map.md %v", actions, names)
	}
}

func TestSpecMap_SeesWhatIsMissing(t *testing.T) {
	table := [][]string{{"", "Open", "open", "`Input"}}
	spec, core, twin := "Open(k) ==", "// spec: Open", "func (m *Model) open("
	if missing := unmapped(table, spec, core, twin); len(missing) > 0 {
		t.Errorf("refused: %v", missing)
	}
	for _, bad := range [][3]string{
		{"", core, twin}, {spec, "// Open", twin}, {spec, core, "func (m *Model) opens("},
	} {
		if len(unmapped(table, bad[0], bad[1], bad[2])) != 1 {
			t.Errorf("let through: %q", bad)
		}
	}
	for spec, want := range map[string][]string{"Open(k) ==\nRule == 1": nil, "Opened(k) ==\nRule == Open(1)": {"Open"}} {
		if got := undefined(specComments, "// spec: Rule, Open\n", spec); !slices.Equal(got, want) {
			t.Errorf("comments that name what is not in %q: %v, expected %v", spec, got, want)
		}
		if got := undefined(specRules, "- `Rule(n)`: so. `Open(p,c)`: so.", spec); !slices.Equal(got, want) {
			t.Errorf("rules that are not in %q: %v, expected %v", spec, got, want)
		}
	}
	if got := actionsOf("Init ==\n  F(x)\n\nNext ==\n  \\/ \\E k : Open(k, c) \\/ Close(k)\n  \\/ Open(k, 0)\n\nSpec == G(x)"); !slices.Equal(got, []string{"Open", "Close"}) {
		t.Errorf("actions %v", got)
	}
}

// unmapped says which names are not where they should be.
func unmapped(table [][]string, spec, core, twin string) (missing []string) {
	for _, row := range table {
		name, function := row[1], row[2]
		if !regexp.MustCompile(`(?m)^` + name + `\(`).MatchString(spec) {
			missing = append(missing, "no action "+name+" in spec/hakuban.tla")
		}
		if !strings.Contains(twin, "func (m *Model) "+function+"(") {
			missing = append(missing, "no function "+function+" in model")
		}
		if row[3] != "none" && !regexp.MustCompile(`// spec: (?:\w+, )*`+name+`\b`).MatchString(core) {
			missing = append(missing, "no \"// spec: "+name+"\" in impl")
		}
	}
	return missing
}

// undefined are the names in a text, as the pattern finds them, that the specification does not define.
func undefined(names *regexp.Regexp, text, spec string) (strange []string) {
	for _, match := range names.FindAllStringSubmatch(text, -1) {
		for name := range strings.SplitSeq(match[1], ", ") {
			if !regexp.MustCompile(`(?m)^` + name + `(?:\(| ==)`).MatchString(spec) {
				strange = append(strange, name)
			}
		}
	}
	return strange
}

// actionsOf are the actions of a specification's Next, each once.
func actionsOf(spec string) (actions []string) {
	_, next, _ := strings.Cut(spec, "\nNext ==\n")
	next, _, _ = strings.Cut(next, "\n\n")
	for _, match := range regexp.MustCompile(`\b([A-Z]\w*)\(`).FindAllStringSubmatch(next, -1) {
		if !slices.Contains(actions, match[1]) {
			actions = append(actions, match[1])
		}
	}
	return actions
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
