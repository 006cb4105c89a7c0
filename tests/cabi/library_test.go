package cabi

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The symbols of both forms of the library are those that the header declares and exports.map lists, and no others.
func TestLibrary_ExportsTheHeaderAndNothingElse(t *testing.T) {
	folder := Folder(t)
	header := declared(t, filepath.Join(folder, "hakuban.h"))
	script, err := os.ReadFile("../../cmd/libhakuban/exports.map")
	if err != nil {
		t.Fatal(err)
	}
	golden := sortedMatches(`(?m)^\t(hakuban_\w+);$`, string(script))
	if !slices.Equal(golden, header) {
		t.Errorf("exports.map lists %v\nthe header declares %v", golden, header)
	}
	for file, option := range map[string]string{"libhakuban.so": "--dynamic", "libhakuban.a": "--extern-only"} {
		symbols, err := run(nil, "nm", option, "--defined-only", "--format=posix", filepath.Join(folder, file))
		if err != nil {
			t.Fatal(err)
		}
		if seen := sortedMatches(`(?m)^(\w\S*) [A-Z] `, symbols); !slices.Equal(seen, golden) {
			t.Errorf("%s has %d symbols %.2000q\nexpected %v", file, len(seen), seen, golden)
		}
	}
}

func declared(t *testing.T, header string) []string {
	t.Helper()
	text, err := os.ReadFile(header)
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile(`(?s)/\*.*?\*/`).ReplaceAllString(string(text), "")
	return sortedMatches(`\b(hakuban_\w+)\(`, code)
}

func sortedMatches(pattern, text string) (found []string) {
	for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		found = append(found, match[1])
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// Everything the reference exports for C, ours does.
func TestLibrary_HasWhatTheReferenceHas(t *testing.T) {
	ours := declared(t, filepath.Join(Folder(t), "hakuban.h"))
	symbols, err := run(nil, "nm", "--dynamic", "--defined-only", "--format=posix", referenceLibrary(t))
	if err != nil {
		t.Fatal(err)
	}
	theirs := sortedMatches(`(?m)^(hakuban_\w+) T `, symbols)
	if len(theirs) != 48 {
		t.Errorf("the reference has %d functions, 48 were expected: %v", len(theirs), theirs)
	}
	for _, name := range theirs {
		if !slices.Contains(ours, name) {
			t.Errorf("%s is missing", name)
		}
	}
	for _, name := range ours {
		if !slices.Contains(theirs, name) && !strings.HasPrefix(name, "hakuban_go_") {
			t.Errorf("%s is not the reference's, and not named as ours", name)
		}
	}
}

// The header is C11 and C++17, without a warning.
func TestHeader_IsCAndCPlusPlus(t *testing.T) {
	for _, c := range []struct{ compiler, language, standard string }{
		{"gcc", "c", "c11"}, {"g++", "c++", "c++17"},
	} {
		if _, err := exec.LookPath(c.compiler); err != nil {
			Skip(t, err.Error())
		}
		if _, err := run(nil, c.compiler, "-std="+c.standard, "-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only", "-x", c.language,
			"../../include/hakuban.h"); err != nil {
			t.Error(err)
		}
	}
}

// The archive can be linked into a program, and works there.
func TestLibrary_LinksStatically(t *testing.T) {
	program, err := compile("own", filepath.Join(Folder(t), "libhakuban.a"))
	if err != nil {
		t.Fatal(err)
	}
	if needed, err := run(nil, "readelf", "-d", program); err != nil || strings.Contains(needed, "libhakuban") {
		t.Errorf("%v: the program still loads the library:\n%s", err, needed)
	}
	if output, err := run(nil, program); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}
