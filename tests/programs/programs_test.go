package programs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"hakuban"
	"hakuban/tests/cabi"
	"hakuban/tests/typescript"
	"hakuban/transport"
)

// patience bounds what a test waits for; only a failing one waits that long.
const patience = 3 * time.Minute

const (
	root    = "../.."
	address = "ws://127.0.0.1:3001" // of the router in all programs
)

func TestMain(m *testing.M) {
	status := m.Run()
	if err := cabi.RemoveBuilt(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

// program returns the only program of a language, which links to the test's router instead.
func program(t *testing.T, language string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "programs.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(string(text), -1)
	if len(found) != 1 {
		t.Fatalf("docs/programs.md has %d programs in %s, one was expected", len(found), language)
	}
	code := found[0][1]
	if strings.Count(code, address) != 1 {
		t.Fatalf("the program in %s does not link to %s", language, address)
	}
	if lines := strings.Count(code, "\n"); lines > 21 {
		t.Errorf("the program in %s has %d lines", language, lines)
	}
	return strings.Replace(code, address, startRouter(t), 1)
}

// startRouter starts a router that scripts of all sites may link to.
func startRouter(t *testing.T) string {
	t.Helper()
	router := hakuban.NewExchange(nil)
	t.Cleanup(router.Close)
	listener, err := transport.Listen(router, "ws://127.0.0.1:0", &transport.Options{Logger: slog.New(slog.DiscardHandler), AllowedOrigins: []string{"*"}})
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(listener.URL(), "/")
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// prints runs a command in the module's root, and checks what it prints.
func prints(t *testing.T, want string, environment []string, name string, arguments ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	command := exec.CommandContext(ctx, name, arguments...)
	command.Dir = root
	command.Env = append(os.Environ(), environment...)
	var problems strings.Builder
	command.Stderr = &problems
	if got, err := command.Output(); err != nil || string(got) != want {
		t.Errorf("%s printed %q, %v; %q was expected\n%s", name, got, err, want, problems.String())
	}
}

func needs(t *testing.T, program string, arguments ...string) {
	t.Helper()
	if output, err := exec.CommandContext(t.Context(), program, arguments...).CombinedOutput(); err != nil {
		cabi.Skip(t, fmt.Sprintf("%s: %v: %s", program, err, output))
	}
}

func TestGo(t *testing.T) {
	prints(t, "21.5 <nil>\n", nil, "go", "run", write(t, "main.go", program(t, "go")))
}

func TestC(t *testing.T) {
	library := cabi.Folder(t)
	source := write(t, "program.c", program(t, "c"))
	built := filepath.Join(filepath.Dir(source), "program")
	prints(t, "", nil, "gcc", "-Wall", "-Wextra", "-Werror", source, "-I"+library, "-L"+library, "-lhakuban", "-o", built)
	prints(t, "21.5\n", []string{"LD_LIBRARY_PATH=" + library}, built)
}

func TestRuby(t *testing.T) {
	library := cabi.Folder(t)
	needs(t, "ruby", "-rffi", "-e", "")
	prints(t, "21.5\n", []string{"HAKUBAN_LIBRARY=" + filepath.Join(library, "libhakuban.so")}, "ruby", "-w", "-Ibindings/ruby/lib", "-e", program(t, "ruby"))
}

func TestPython(t *testing.T) {
	library := cabi.Folder(t)
	needs(t, "python3", "--version")
	prints(t, "21.5\n", []string{"HAKUBAN_LIBRARY=" + filepath.Join(library, "libhakuban.so"), "PYTHONPATH=bindings/python"}, "python3", "-c", program(t, "python"))
}

func TestTypeScript(t *testing.T) {
	imports, body, _ := strings.Cut(program(t, "ts"), "\n\n") // the bundle is no module: its body may not await
	source := write(t, "program.ts", imports+"\n(async () => {\n"+body+"})();\n")
	bundle, err := typescript.Bundle(t.TempDir(), root, source)
	if errors.Is(err, typescript.ErrMissing) {
		cabi.Skip(t, err.Error())
	}
	if err != nil {
		t.Fatal(err)
	}
	prints(t, "21.5\n", nil, "node", "--no-warnings", "--experimental-websocket", bundle)
}

// tells has a page tell the test's server what it shows.
const tells = `<script type="module">
new MutationObserver(() => fetch("/shown", { method: "POST", body: document.body.textContent })).observe(document, { childList: true, subtree: true });
</script>
`

func TestWasm(t *testing.T) {
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		cabi.Skip(t, err.Error())
	}
	built := filepath.Join(root, "clients", "typescript", "dist")
	if _, err := os.Stat(filepath.Join(built, "hakuban.wasm")); err != nil {
		cabi.Skip(t, "make wasm builds what the page loads: "+err.Error())
	}
	page := tells + program(t, "html")
	shown := make(chan string, 100)
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServer(http.Dir(built)))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, page) // the page's absence is noticed
	})
	mux.HandleFunc("POST /shown", func(_ http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body) // what is cut is not what is waited for
		select {
		case shown <- string(text):
		default: // nobody waits any more
		}
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	folder, err := os.MkdirTemp("", "hakuban-programs-")
	if err != nil {
		t.Fatal(err)
	}
	browser := exec.CommandContext(t.Context(), chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--user-data-dir="+folder, "--remote-debugging-port=0", server.URL)
	if err := browser.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = browser.Process.Kill() // it would run for ever
		_ = browser.Wait()
		_ = os.RemoveAll(folder) // its processes may still write
	}()
	for late, last := time.After(patience), ""; last != "21.5"; {
		select {
		case last = <-shown:
		case <-late:
			t.Fatalf("the page shows %q after %v, 21.5 was expected", last, patience)
		}
	}
}
