package typescript

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hakuban"
	"hakuban/transport"
)

// The client's README begins with a program. It runs as it stands there, but for the router's address, and prints what README says.
func TestReadme_TheProgramWorks(t *testing.T) {
	client := filepath.Join("..", "..", "clients", "typescript")
	readme, err := os.ReadFile(filepath.Join(client, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "```js\n")
	program, rest, _ := strings.Cut(rest, "```\n")
	if _, after, found := strings.Cut(rest, "It prints `kitchen 21.5 now`"); !found || after == "" {
		t.Fatal("README does not say what its program prints")
	}
	router := hakuban.NewExchange(nil)
	defer router.Close()
	listener, err := transport.Listen(router, "ws://127.0.0.1:0", &transport.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	const address = "ws://127.0.0.1:3001"
	if strings.Count(program, address) != 1 {
		t.Fatalf("the program does not connect to %s:\n%s", address, program)
	}
	program = strings.Replace(program, address, strings.TrimSuffix(listener.URL(), "/"), 1)
	imports, body, _ := strings.Cut(program, "\n\n")
	// As README says: Node 20 has no WebSocket.
	program = imports + "\nimport { WebSocket } from \"ws\";\nglobalThis.WebSocket ??= WebSocket;\n(async () => {\n" + body + "})();\n"
	source := filepath.Join(t.TempDir(), "program.ts")
	if err := os.WriteFile(source, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	path := bundleOrSkip(t, source)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, "node", path)
	command.Stderr = os.Stderr
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil && err != io.EOF || line != "kitchen 21.5 now\n" {
		t.Errorf("the program printed %q, %v", line, err)
	}
	cancel()
	_ = command.Wait() // killed: it would run for ever
}
