package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"hakuban"
	"hakuban/transport"
)

// drainTime bounds how long an ending router waits for its links to close.
const drainTime = 5 * time.Second

// router is an exchange with its links.
type router struct {
	logger    *slog.Logger
	exchange  *hakuban.Exchange
	listeners []*transport.Listener // at least one
	connector *transport.Connector  // nil: none
	options   *options
	trust     truster
	recording *recordingFile // nil: none
}

// run runs a router until ctx ends. An error means that it did not start, and says what of the options is at fault.
func run(ctx context.Context, o *options, stdin io.Reader, stderr io.Writer) error {
	signals, stop := requestSignals() // before anybody can know that the router is there
	defer stop()
	log := newLogWriter(stderr)
	defer log.close()
	r, err := start(o, newLogger(o, log))
	if err != nil {
		return err
	}
	log.release()
	monitored := make(chan struct{})
	go func() {
		defer close(monitored)
		if o.monitor {
			monitor(ctx, r, o.monitorTag)
		}
	}()
	go giveBack(ctx)
	printer := &snapshotPrinter{router: r, to: log}
	go func() {
		for s := range signals {
			if s == reloads {
				r.reload()
			} else {
				printer.print()
			}
		}
	}()
	go printer.printOnLines(stdin)
	<-ctx.Done()
	r.logger.Info("ending", "reason", context.Cause(ctx).Error())
	<-monitored
	r.drain()
	return nil
}

// start starts a router, or nothing.
func start(o *options, logger *slog.Logger) (_ *router, err error) {
	if o.threads > 0 {
		runtime.GOMAXPROCS(o.threads)
	}
	limitMemory(logger)
	trusted, err := loadTrust(o)
	if err != nil {
		return nil, err
	}
	r := &router{logger: logger, options: o}
	r.trust.current.Store(trusted)
	defer func() {
		if err == nil {
			return
		}
		r.drain()
		if r.recording != nil {
			_ = os.Truncate(o.record, 0) // so that it does not block the next start; what is no regular file refuses, and keeps nothing
		}
	}()
	exchangeOptions := hakuban.Options{Upstream: o.connect != "", Rebalance: true, RebalanceThreshold: o.threshold, Logger: logger}
	exchangeOptions.Limits = hakuban.Limits{LinkObjects: o.linkObjects, LinkBytes: o.linkMemory << 20}
	if o.record != "" {
		if r.recording, err = createRecording(o.called("record"), o.record); err != nil {
			return nil, err
		}
		exchangeOptions.Record = r.recording
	}
	r.exchange = hakuban.NewExchange(&exchangeOptions)
	for _, bind := range o.binds {
		listener, err := transport.Listen(r.exchange, bind, r.listenOptions(bind))
		if err != nil {
			return nil, explainListen(o.called("bind"), bind, err)
		}
		r.listeners = append(r.listeners, listener)
	}
	if o.connect != "" {
		connect := r.trust.connectOptions()
		connect.Logger = logger
		if r.connector, err = transport.Connect(r.exchange, o.connect, connect); err != nil {
			return nil, fmt.Errorf("%s: %w", o.called("connect"), err)
		}
	}
	r.warnOfOpenness()
	return r, nil
}

func explainListen(flag, bind string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s %q: the port is in use: end who has it, or bind another (0 lets the system choose)", flag, bind)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%s %q: no interface of this machine has that address (0.0.0.0 stands for all)", flag, bind)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s %q: the system does not permit that port: bind one from 1024 up", flag, bind)
	}
	return fmt.Errorf("%s: %w", flag, err)
}

func (r *router) listenOptions(bind string) *transport.Options {
	o := r.options
	listen := &transport.Options{Logger: r.logger, AllowedOrigins: o.allowOrigins, MaxConnections: o.maxConnections, Admit: r.trust.admit, Overload: overload}
	if isSecure(bind) {
		listen.TLS = r.trust.listenTLS()
	}
	return listen
}

// drain closes all links, each with a word to its peer, and then the exchange. It takes a bounded time.
func (r *router) drain() {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		var closing sync.WaitGroup
		for _, listener := range r.listeners {
			closing.Go(listener.Close)
		}
		if r.connector != nil {
			closing.Go(r.connector.Close)
		}
		closing.Wait()
	}()
	timer := time.NewTimer(drainTime)
	defer timer.Stop()
	select {
	case <-closed:
	case <-timer.C:
		r.logger.Warn("links that did not close were left", "after", drainTime)
	}
	if r.exchange != nil {
		r.exchange.Close()
	}
	if r.recording != nil {
		if err := r.recording.Close(); err != nil {
			r.logger.Error("the recording may be incomplete", "error", err)
		}
	}
}
