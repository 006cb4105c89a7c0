//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPerturbed_CallsBeforeEachStatement(t *testing.T) {
	const text = `// Package p is.
package p

func f(c chan int) (n int) {
	if n = 1; n > 0 { n++ }
loop:
	for {
		switch n {
		case 1:
			break loop
		}
		select {
		case n = <-c:
			go func() { c <- 1 }()
		default:
		}
	}
	return n // here
}

func g()
`
	const expected = `// Package p is.
package p; import perturb "hakuban/tests/perturb/delay"

func f(c chan int) (n int) {
	perturb.At(5); if n = 1; n > 0 { perturb.At(6); n++ }
perturb.At(7); loop:
	for {
		perturb.At(8); switch n {
		case 1:
			perturb.At(9); break loop
		}
		perturb.At(10); select {
		case n = <-c:
			perturb.At(11); go func() { perturb.At(12); c <- 1 }()
		default:
		}
	}
	perturb.At(13); return n // here
}

func g()
`
	result, n, err := perturbed("p.go", []byte(text), 5)
	if err != nil || n != 9 || string(result) != expected {
		t.Errorf("%d statements, %v:\n%s", n, err, result)
	}
	if _, n, err := perturbed("p.go", []byte("package p\n\nconst c = 1\n"), 0); n != 0 || err != nil {
		t.Errorf("%d statements where there are none, %v", n, err)
	}
	if _, _, err := perturbed("p.go", []byte("package"), 0); err == nil {
		t.Error("no error for what is not Go")
	}
}

// TestCommand_FindsWhatHoldsOnlyWhileEverythingIsQuick plants a test that closes what another goroutine may still use.
func TestCommand_FindsWhatHoldsOnlyWhileEverythingIsQuick(t *testing.T) {
	root, err := moduleRoot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const planted = `package planted

import (
	"testing"
	"time"
)

func TestPlanted(t *testing.T) {
	started, closed, ended := make(chan bool), make(chan bool), make(chan bool)
	go func() {
		defer close(ended)
		close(started)
		select {
		case <-closed:
			panic("used after it was closed")
		default:
		}
	}()
	<-started
	time.Sleep(10 * time.Millisecond) // plenty, while everything is quick
	close(closed)
	<-ended
}

func TestSound(t *testing.T) {
	done := make(chan bool)
	go func() { close(done) }()
	<-done
}
`
	directory := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":          fmt.Sprintf("module planted\n\ngo 1.26\n\nrequire hakuban v0.0.0\n\nreplace hakuban => %s\n", root),
		"planted_test.go": planted,
	} {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(directory)
	t.Setenv("GOFLAGS", "-mod=mod")
	for pattern, found := range map[string]bool{"Planted": true, "Sound": false} {
		var stdout, stderr bytes.Buffer
		failed, err := command(t.Context(), []string{"-race=false", "-choices", "300", "-parallel", "20", "-run", pattern, "."}, &stdout, &stderr)
		if err != nil || failed > 0 != found || strings.Contains(stdout.String(), "used after it was closed") != found {
			t.Errorf("%s: %d choices failed, %v\n%s%s", pattern, failed, err, &stdout, &stderr)
		}
	}
}

func TestCommand_RefusesNonsense(t *testing.T) {
	for _, arguments := range [][]string{{}, {"-choices", "0", "."}, {"-parallel", "0", "."}, {"./nowhere"}, {"./..."}} {
		var stdout, stderr bytes.Buffer
		if _, err := command(t.Context(), arguments, &stdout, &stderr); err == nil {
			t.Errorf("%q: no error", arguments)
		}
	}
}
