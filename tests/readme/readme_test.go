package readme

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"hakuban"
	"hakuban/transport"
)

// patience bounds what a test waits for; only a failing one waits that long.
const patience = time.Minute

const root = "../.."

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// blocks returns README's code blocks of one language.
func blocks(t *testing.T, language string) []string {
	t.Helper()
	var found []string
	for _, match := range regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$").FindAllStringSubmatch(readme(t), -1) {
		if match[1] == language {
			found = append(found, match[2])
		}
	}
	return found
}

// run runs a command in the module's root.
func run(t *testing.T, program string, arguments ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	command := exec.CommandContext(ctx, program, arguments...)
	command.Dir = root
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(arguments, " "), err, output)
	}
	return string(output)
}

// The first two blocks are the two commands; CI takes them from README itself.
func TestReadme_TwoCommandsAreWhatCIRuns(t *testing.T) {
	expected := []string{"go run ./examples/quickstart\n", "go test ./...\n"}
	if got := blocks(t, "sh"); !slices.Equal(got[:2], expected) {
		t.Errorf("README's first blocks are %q, expected %q", got[:2], expected)
	}
	if got := run(t, "bash", ".ci/run", "readme-commands"); got != strings.Join(expected, "") {
		t.Errorf("CI takes %q from README, expected %q", got, expected)
	}
}

// The main job shows each state as it arrives, and three processes that end well.
func TestReadme_MainJobShowsEachState(t *testing.T) {
	command := strings.Fields(blocks(t, "sh")[0])
	got := run(t, command[0], command[1:]...)
	var seen []string
	for _, match := range regexp.MustCompile(`observer +sees reading (\d): `).FindAllStringSubmatch(got, -1) {
		seen = append(seen, match[1])
	}
	if ended := strings.Count(got, "ended: exit status 0"); !slices.Equal(seen, []string{"1", "2", "3", "4", "5"}) || ended != 3 {
		t.Errorf("readings %v were seen and %d processes ended well, expected 1 to 5 and 3:\n%s", seen, ended, got)
	}
}

// Whoever has the Go that README asks for can build the module: any release of it.
func TestReadme_NamesTheGoOfTheModule(t *testing.T) {
	module, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	needed := regexp.MustCompile(`(?m)^go (.*)\.0$`).FindStringSubmatch(string(module))
	if needed == nil || !strings.Contains(readme(t), "With Go "+needed[1]+" and nothing else") {
		t.Errorf("README asks for another Go than go.mod, which has %q", needed)
	}
}

func TestReadme_SimulatorRuns(t *testing.T) {
	for _, block := range blocks(t, "sh")[2:] {
		for line := range strings.Lines(block) {
			if command := strings.Fields(line); slices.Contains(command, "./cmd/simulate") {
				if got := run(t, command[0], command[1:]...); !strings.Contains(got, "all properties hold") {
					t.Errorf("%s printed\n%s", line, got)
				}
			}
		}
	}
}

// The Go block is a whole program but for its frame; linked to a router it shows what it exposes.
func TestReadme_GoBlockRuns(t *testing.T) {
	found := blocks(t, "go")
	if len(found) != 1 {
		t.Fatalf("README has %d Go blocks, expected one", len(found))
	}
	router := hakuban.NewExchange(nil)
	defer router.Close()
	listener, err := transport.Listen(router, "ws://127.0.0.1:0", &transport.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	body := strings.Replace(found[0], "ws://127.0.0.1:3001", listener.URL(), 1)
	if body == found[0] {
		t.Fatal("the Go block links to no router at ws://127.0.0.1:3001")
	}
	source := "package main\n\nimport (\n\"context\"\n\"fmt\"\n\"log\"\n\n\"hakuban\"\n\"hakuban/transport\"\n)\n\nfunc main() {\nctx := context.Background()\n" + body + "}\n"
	folder := t.TempDir()
	file, program := filepath.Join(folder, "main.go"), filepath.Join(folder, "program")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "go", "build", "-o", program, file)

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	command := exec.CommandContext(ctx, program)
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil || line != "21.5 now <nil>\n" {
		t.Errorf("it printed %q (%v), expected a state", line, err)
	}
	cancel()
	_, _ = io.Copy(io.Discard, output) // until it is gone
	_ = command.Wait()                 // killed
}

func TestReadme_RouterHasTheFlags(t *testing.T) {
	help := run(t, "go", "run", "./cmd/hakuban-router", "--help")
	flags := regexp.MustCompile(`--[a-z][a-z-]+`)
	for _, flag := range slices.Concat(flags.FindAllString(section(t, "The router"), -1), []string{"--bind"}) {
		if flag != "--help" && !regexp.MustCompile(`(?m)^ .*`+flag+`( |$)`).MatchString(help) {
			t.Errorf("README names %s, which hakuban-router --help does not", flag)
		}
	}
	for _, flag := range regexp.MustCompile(`(?m)^  (?:  |-.,) +(--[a-z-]+)`).FindAllStringSubmatch(help, -1) {
		if flag[1] != "--version" && !strings.Contains(readme(t), flag[1]) {
			t.Errorf("hakuban-router has %s, which README does not name", flag[1])
		}
	}
	if got := run(t, "go", "list", "./cmd/hakuban-router"); got != "hakuban/cmd/hakuban-router\n" {
		t.Errorf("go install ./cmd/hakuban-router would install %q", got)
	}
}

func section(t *testing.T, title string) string {
	t.Helper()
	_, after, ok := strings.Cut(readme(t), "\n## "+title+"\n")
	if !ok {
		t.Fatalf("README has no section %q", title)
	}
	text, _, _ := strings.Cut(after, "\n## ")
	return text
}

func TestReadme_LinksLeadSomewhere(t *testing.T) {
	prose := regexp.MustCompile("(?ms)^```.*?^```$").ReplaceAllString(readme(t), "")
	links := regexp.MustCompile(`\]\(([^)#]+)\)`).FindAllStringSubmatch(prose, -1)
	if len(links) < 8 {
		t.Errorf("README has %d links, expected more", len(links))
	}
	for _, link := range links {
		if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(link[1]))); err != nil {
			t.Errorf("README links to %s: %v", link[1], err)
		}
	}
}

func TestReadme_MakeHasTheTargets(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	for _, match := range regexp.MustCompile("`make ([a-z]+)`").FindAllStringSubmatch(readme(t), -1) {
		if !strings.Contains(string(makefile), fmt.Sprintf("\n%s: ##", match[1])) {
			t.Errorf("README names make %s, which the Makefile has not", match[1])
		}
	}
}
