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

// onSnapshotSignal does nothing where there is no SIGUSR2: a line on stdin does the same.
func onSnapshotSignal(func()) (stop func()) { return func() {} }
