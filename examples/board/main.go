// Command board shows a harbour's instruments on a page that any number of browsers share. It starts a router, a web server for the
// page, and three producers as processes of their own: two in Go and one in Python. Each instrument is produced by one of them. Stop a
// producer on the page: the process is killed, and the others take over what it produced.
//
//	go run ./examples/board
//
// The page uses the client in TypeScript, which is built first where it is not there yet (by Node and npm). The producer in Python uses
// bindings/python, and is left out, with the reason, where that is not built.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "board:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string) error {
	if len(arguments) == 3 && arguments[0] == "produce" {
		return produce(ctx, arguments[1], arguments[2])
	}
	flags := flag.NewFlagSet("board", flag.ContinueOnError)
	address := flags.String("bind", "127.0.0.1:8000", "`address` of the page")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%q: no argument was expected", flags.Arg(0))
	}
	script, err := client(ctx)
	if err != nil {
		return err
	}
	b, err := start(*address, script)
	if err != nil {
		return err
	}
	defer b.close()
	fmt.Println("The board is at", b.url)
	fmt.Println("Open it in two windows, then stop a producer. Ctrl-C ends all.")
	<-ctx.Done()
	return nil
}
