package cabi

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hakuban/tests/interop"
)

var update = flag.Bool("update", false, "write testdata/scenarios.txt from what the reference prints")

// deadline is how long a program may take.
const deadline = 60 * time.Second

// referenceDeadline is how long one may take on the reference before it is taken to hang.
const referenceDeadline = 15 * time.Second

func TestMain(m *testing.M) {
	status := m.Run()
	if err := errors.Join(RemoveBuilt(), interop.RemoveBuilt()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

func referenceLibrary(t *testing.T) string { return interop.RustReference(t).Library }

// scenarios is the program of scenario/, which runs on any library.
var scenarios = sync.OnceValues(func() (string, error) {
	folder, err := plain()
	if err != nil {
		return "", err
	}
	return compile("scenario", filepath.Join(folder, "libhakuban.so"))
})

// names lists the scenarios of one process, and those of two.
func names(t *testing.T, library string) (alone, linked []string) {
	t.Helper()
	program, err := scenarios()
	skipOrFail(t, err)
	list, err := run([]string{"LD_LIBRARY_PATH=" + library}, program)
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.FieldsSeq(list) {
		if strings.HasPrefix(name, "link_") {
			linked = append(linked, name)
		} else {
			alone = append(alone, name)
		}
	}
	if len(alone)+len(linked) < 25 {
		t.Errorf("%d scenarios, at least 25 were expected", len(alone)+len(linked))
	}
	return alone, linked
}

// Alone on the reference's library, each scenario prints what testdata/scenarios.txt says.
func TestReference_Alone(t *testing.T) {
	alone, _ := names(t, Folder(t))
	library := filepath.Dir(referenceLibrary(t))
	expected := readSections(t, "testdata/scenarios.txt")
	for _, name := range alone {
		seen := runReference(t, library, name)
		if *update {
			expected[name] = seen
		} else if seen != expected[name] {
			t.Errorf("%s: the reference prints\n%s\nexpected\n%s", name, seen, expected[name])
		}
	}
	if *update {
		writeSections(t, "testdata/scenarios.txt", expected)
	}
}

// runReference runs a scenario, once more when it hangs: the reference's await can miss a wake-up that comes just before it waits.
func runReference(t *testing.T, library, name string) string {
	t.Helper()
	for range 3 {
		program := startProgram(t, referenceDeadline, library, name)
		if seen, err := program.finish(); !errors.Is(err, context.DeadlineExceeded) {
			if err != nil {
				t.Fatalf("%s on the reference: %v\n%s", name, err, seen)
			}
			return seen
		}
	}
	t.Fatalf("%s hung three times on the reference", name)
	return ""
}

// On our library each prints the same, but for listed deviations.
func TestOurs_Alone(t *testing.T) {
	library := Folder(t)
	alone, _ := names(t, library)
	checkAlone(t, library, alone)
}

func checkAlone(t *testing.T, library string, alone []string) {
	t.Helper()
	expected, deviations := readSections(t, "testdata/scenarios.txt"), readSections(t, "testdata/deviations.txt")
	for _, name := range alone {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seen, err := startProgram(t, deadline, library, name).finish()
			if err != nil {
				t.Fatalf("%v\n%s", err, seen)
			}
			wanted, ok := deviations[name]
			switch {
			case ok && wanted == expected[name]:
				t.Errorf("listed in testdata/deviations.txt, and none")
			case !ok:
				wanted = expected[name]
			}
			if seen != wanted {
				t.Errorf("printed\n%s\nexpected\n%s", seen, wanted)
			}
		})
	}
}

// Two processes, each on either library, through either router, print what two on the reference's library print.
func TestLinked(t *testing.T) {
	folder := Folder(t)
	_, linked := names(t, folder)
	libraries := map[interop.Kind]string{interop.Go: folder}
	libraries[interop.Rust] = filepath.Dir(referenceLibrary(t))
	expected := readSections(t, "testdata/linked.txt")
	if *update {
		for _, name := range linked {
			expected[name] = runLinked(t, name, interop.Rust, libraries[interop.Rust], libraries[interop.Rust])
		}
		writeSections(t, "testdata/linked.txt", expected)
	}
	for _, name := range linked {
		for _, router := range []interop.Kind{interop.Rust, interop.Go} {
			for _, exposer := range []interop.Kind{interop.Rust, interop.Go} {
				for _, observer := range []interop.Kind{interop.Rust, interop.Go} {
					t.Run(fmt.Sprintf("%s/%s-%s-%s", name, exposer, router, observer), func(t *testing.T) {
						t.Parallel()
						if seen := runLinked(t, name, router, libraries[exposer], libraries[observer]); seen != expected[name] {
							t.Errorf("printed\n%s\nexpected\n%s", seen, expected[name])
						}
					})
				}
			}
		}
	}
}

// runLinked runs a scenario's two processes. In link_reconnect the router crashes, and comes back, once the observer has seen a state.
func runLinked(t *testing.T, name string, kind interop.Kind, exposing, observing string) string {
	t.Helper()
	router := interop.StartRouter(t, kind, interop.RouterOptions{})
	exposer, observer := startProgram(t, deadline, exposing, name, router.URL, "expose"), startProgram(t, deadline, observing, name, router.URL, "observe")
	if name == "link_reconnect" {
		observer.waitForLine(t)
		router.Kill()
		router.Start()
		exposer.writeLine(t)
	}
	exposed, err := exposer.finish()
	if err != nil {
		t.Errorf("exposer: %v\n%s", err, exposed)
	}
	observed, err := observer.finish()
	if err != nil {
		t.Errorf("observer: %v\n%s", err, observed)
	}
	return "expose:\n" + exposed + "observe:\n" + observed
}

// What is ours alone.
func TestOwn(t *testing.T) {
	library := Folder(t)
	program, err := compile("own", filepath.Join(library, "libhakuban.so"))
	if err != nil {
		t.Fatal(err)
	}
	checkOwn(t, program, library)
}

func checkOwn(t *testing.T, program, library string) {
	t.Helper()
	for range 3 {
		if seen, err := startProcess(t, deadline, program, library).finish(); err != nil {
			t.Fatalf("%v\n%s", err, seen)
		}
	}
}

// The same programs, where the address sanitizer watches the program, the library and its leaks, and Go the pointers between them.
func TestSanitized(t *testing.T) {
	alone, _ := names(t, Folder(t))
	library, err := sanitized()
	skipOrFail(t, err)
	for _, source := range []string{"scenario", "own"} {
		program, err := compile(source, filepath.Join(library, "libhakuban.so"), "-fsanitize=address")
		if err != nil {
			t.Fatal(err)
		}
		if source == "own" {
			checkOwn(t, program, library)
			continue
		}
		for _, name := range alone {
			if seen, err := startProcess(t, deadline, program, library, name).finish(); err != nil {
				t.Errorf("%s: %v\n%s", name, err, seen)
			}
		}
	}
}

// program is a running C program.
type program struct {
	ctx     context.Context
	command *exec.Cmd
	stdin   io.Writer
	lines   chan string // closed at the end of stdout
	seen    strings.Builder
	stderr  bytes.Buffer
}

func startProgram(t *testing.T, limit time.Duration, library string, arguments ...string) *program {
	t.Helper()
	path, err := scenarios()
	if err != nil {
		t.Fatal(err)
	}
	return startProcess(t, limit, path, library, arguments...)
}

func startProcess(t *testing.T, limit time.Duration, path, library string, arguments ...string) *program {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	p := &program{ctx: ctx, command: exec.CommandContext(ctx, path, arguments...), lines: make(chan string, 1000)}
	p.command.Env = append(os.Environ(), "LD_LIBRARY_PATH="+library)
	p.command.Stderr = &p.stderr
	stdin, err := p.command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.stdin = stdin
	stdout, err := p.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.lines)
		for scanner := bufio.NewScanner(stdout); scanner.Scan(); {
			p.lines <- scanner.Text() + "\n"
		}
	}()
	return p
}

func (p *program) waitForLine(t *testing.T) {
	t.Helper()
	line, ok := <-p.lines
	p.seen.WriteString(line)
	if !ok {
		t.Errorf("the program ended before it printed a line")
	}
}

func (p *program) writeLine(t *testing.T) {
	t.Helper()
	if _, err := io.WriteString(p.stdin, "\n"); err != nil {
		t.Error(err)
	}
}

// finish waits for the end and returns what was printed.
func (p *program) finish() (string, error) {
	for line := range p.lines {
		p.seen.WriteString(line)
	}
	err := p.command.Wait()
	if p.ctx.Err() != nil {
		err = fmt.Errorf("hung: %w", p.ctx.Err())
	}
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, p.stderr.String())
	}
	return p.seen.String(), err
}

// readSections reads a file of texts, each below a line "== name".
func readSections(t *testing.T, file string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil && !*update {
		t.Fatal(err)
	}
	sections, name := map[string]string{}, ""
	for line := range strings.Lines(string(text)) {
		if heading, ok := strings.CutPrefix(line, "== "); ok {
			name = strings.TrimSpace(heading)
			continue
		}
		if name != "" {
			sections[name] += line
		}
	}
	return sections
}

func writeSections(t *testing.T, file string, sections map[string]string) {
	t.Helper()
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(sections)) {
		fmt.Fprintf(&text, "== %s\n%s", name, sections[name])
	}
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}
