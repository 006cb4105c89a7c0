//go:build !unix

package main

import (
	"context"
	"os"
	"os/signal"
)

// terminated returns a context that ends with the first signal that asks the program to end.
func terminated(ctx context.Context) (context.Context, func()) {
	return signal.NotifyContext(ctx, os.Interrupt)
}

// reloads is a signal that never comes: there is no SIGHUP.
var reloads os.Signal

// requestSignals gives nothing until stop is called, which closes the channel: there is no SIGUSR2. A line on stdin does the same.
func requestSignals() (signals chan os.Signal, stop func()) {
	signals = make(chan os.Signal)
	return signals, func() { close(signals) }
}
