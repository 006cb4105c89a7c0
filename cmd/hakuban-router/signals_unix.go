//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
)

// terminated returns a context that ends with the first signal that asks the program to end. A second one ends it at once. Those that
// whoever started the program had it ignore, as nohup and the & of scripts do, do not count.
func terminated(ctx context.Context) (context.Context, func()) {
	signal.Ignore(
		syscall.SIGPIPE, // whoever read our log has gone: links live on
		syscall.SIGTTIN, // in the background of a terminal: there are no lines to read, but no reason to stop either
	)
	list := []os.Signal{syscall.SIGINT, syscall.SIGTERM}
	if onTerminal() {
		list = append(list, reloads)
	}
	list = slices.DeleteFunc(list, signal.Ignored)
	return endOn(ctx, list...)
}

// reloads is the signal that asks a router to read its files again, as it does of other servers. On a terminal it says that the terminal
// has gone, and ends the router.
const reloads = syscall.SIGHUP

// onTerminal reports whether the process has a controlling terminal.
func onTerminal() bool {
	terminal, err := os.OpenFile("/dev/tty", os.O_RDONLY|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	terminal.Close()
	return true
}

// requestSignals gives each SIGUSR2 and each SIGHUP that comes, but SIGHUP not on a terminal, until stop is called, which closes the
// channel. Those that come while two wait to be received count as those.
func requestSignals() (signals chan os.Signal, stop func()) {
	signals = make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGUSR2)
	if !onTerminal() && !signal.Ignored(reloads) {
		signal.Notify(signals, reloads)
	}
	return signals, func() {
		signal.Stop(signals)
		close(signals)
	}
}

// names are those by which operators know the signals that end a router.
var names = map[os.Signal]string{syscall.SIGINT: "SIGINT", syscall.SIGTERM: "SIGTERM", reloads: "SIGHUP"}

func endOn(ctx context.Context, list ...os.Signal) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, list...)
	go func() {
		select {
		case s := <-signals:
			signal.Reset(list...)
			cancel(fmt.Errorf("received %s", names[s]))
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		cancel(nil)
		signal.Stop(signals)
	}
}
