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
	list := slices.DeleteFunc([]os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP}, signal.Ignored)
	return endOn(ctx, list...)
}

// snapshotSignals gives a SIGUSR2 for each that comes until stop is called, which closes the channel. Those that come while one waits
// to be received count as that one.
func snapshotSignals() (signals chan os.Signal, stop func()) {
	signals = make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR2)
	return signals, func() {
		signal.Stop(signals)
		close(signals)
	}
}

func endOn(ctx context.Context, list ...os.Signal) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, list...)
	go func() {
		select {
		case s := <-signals:
			signal.Reset(list...)
			cancel(fmt.Errorf("the signal %v", s))
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		cancel(nil)
		signal.Stop(signals)
	}
}
