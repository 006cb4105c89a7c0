// Command hakuban-router joins hakuban exchanges: it listens for downstream links on websockets, can have an upstream of its own,
// elects exposers, balances their load, and carries states to their observers. It takes the place of the reference's router.
//
//	hakuban-router --bind ws://127.0.0.1:3001
//
// Run it with --help for its flags.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
)

// The statuses the program ends with.
const (
	exitDrained = 0
	exitUsage   = 2 // what it was told cannot be done; one line on stderr says why and what is right
)

func main() {
	os.Exit(program(context.Background(), os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr))
}

// program is the whole program, until ctx ends or a signal comes.
func program(ctx context.Context, arguments []string, environment func(string) string, stdin io.Reader, stdout, stderr io.Writer) int {
	o, err := parse(arguments, environment)
	switch {
	case err != nil:
	case o.help:
		fmt.Fprint(stdout, helpText())
		return exitDrained
	case o.version:
		fmt.Fprintln(stdout, versionText())
		return exitDrained
	default:
		ctx, stop := terminated(ctx)
		defer stop()
		err = run(ctx, o, stdin, stderr)
	}
	if err != nil {
		fmt.Fprintln(stderr, "hakuban-router: "+strings.ReplaceAll(err.Error(), "\n", "; "))
		return exitUsage
	}
	return exitDrained
}
