//go:build unix

package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"
)

// logger is what everything of the library logs to: nowhere, until the host says where.
var logger = slog.New(&logHandler{})

const (
	levelTrace = slog.LevelDebug - 4
	levelOff   = slog.LevelError + 4
)

// levels are those of hakuban.h, in its order.
var levels = [...]slog.Level{levelOff, slog.LevelError, slog.LevelWarn, slog.LevelInfo, slog.LevelDebug, levelTrace}

// logOutput is one of the places that messages go to.
type logOutput struct {
	level   slog.Level
	handler slog.Handler
}

var (
	logToStderr   atomic.Pointer[logOutput] // nil: not initialised
	logToCallback atomic.Pointer[logOutput] // nil: there is none
)

// logHandler gives messages to the outputs there are at the time.
type logHandler struct {
	with []func(slog.Handler) slog.Handler // attributes and groups to be added, in order
}

func (h *logHandler) Enabled(_ context.Context, level slog.Level) bool {
	for _, output := range []*logOutput{logToStderr.Load(), logToCallback.Load()} {
		if output != nil && level >= output.level {
			return true
		}
	}
	return false
}

func (h *logHandler) Handle(ctx context.Context, record slog.Record) (err error) {
	for _, output := range []*logOutput{logToStderr.Load(), logToCallback.Load()} {
		if output == nil || record.Level < output.level {
			continue
		}
		handler := output.handler
		for _, with := range h.with {
			handler = with(handler)
		}
		err = handler.Handle(ctx, record)
	}
	return err
}

func (h *logHandler) WithAttrs(attributes []slog.Attr) slog.Handler {
	return h.also(func(handler slog.Handler) slog.Handler { return handler.WithAttrs(attributes) })
}

func (h *logHandler) WithGroup(name string) slog.Handler {
	return h.also(func(handler slog.Handler) slog.Handler { return handler.WithGroup(name) })
}

func (h *logHandler) also(with func(slog.Handler) slog.Handler) slog.Handler {
	return &logHandler{append(h.with[:len(h.with):len(h.with)], with)}
}

func textHandler(w io.Writer, replace func([]string, slog.Attr) slog.Attr) slog.Handler {
	return slog.NewTextHandler(w, &slog.HandlerOptions{Level: levelTrace, ReplaceAttr: replace})
}

// initializeLogger has messages written to stderr. It works once.
func initializeLogger(defaultLevels string) result {
	if !utf8.ValidString(defaultLevels) {
		return resultOf(failed(statusInvalidString, "%q is not UTF-8", defaultLevels))
	}
	if fromEnvironment, ok := os.LookupEnv("RUST_LOG"); ok {
		defaultLevels = fromEnvironment
	}
	output := &logOutput{ourLevel(defaultLevels), textHandler(os.Stderr, nil)}
	if !logToStderr.CompareAndSwap(nil, output) {
		return resultOf(failed(statusLogger, "logging was initialised before"))
	}
	return result{}
}

// ourLevel reads a list such as "warn,hakuban=debug,other=trace" for what it says of us: the last that does.
func ourLevel(list string) slog.Level {
	names := map[string]slog.Level{
		"off": levelOff, "error": slog.LevelError, "warn": slog.LevelWarn, "info": slog.LevelInfo, "debug": slog.LevelDebug, "trace": levelTrace,
	}
	list, _, _ = strings.Cut(list, "/") // what follows selects messages by their text
	general, ours, named := levelOff, levelOff, false
	for part := range strings.SplitSeq(list, ",") {
		target, name, both := strings.Cut(strings.TrimSpace(part), "=")
		level, known := names[strings.ToLower(name)]
		if both && name == "" {
			level, known = levelTrace, true
		}
		if !both {
			if level, known = names[strings.ToLower(target)]; known {
				general = level
				continue
			}
			level, known = levelTrace, true // a target alone: all it says
		}
		if known && (target == "hakuban" || target == "hakuban-go") {
			ours, named = level, true
		}
	}
	if named {
		return ours
	}
	return general
}

// maxLogQueue is how many messages wait for a slow callback.
const maxLogQueue = 1024

// logCallback is a function of the host's that is given messages, by a goroutine of its own, so that nobody waits for it.
type logCallback struct {
	call    func(level uint8, message string)
	queue   chan logMessage
	dropped atomic.Uint64 // since the last message that came through
	stop    chan struct{}
	stopped chan struct{}
}

type logMessage struct {
	level uint8
	text  string
}

// callbackMutex orders those who change the callback.
var (
	callbackMutex sync.Mutex
	callback      *logCallback // nil: none; guarded by callbackMutex
)

// setLogCallback replaces the callback, and returns when the one before has returned. A nil call takes it back.
func setLogCallback(level uint8, call func(uint8, string)) error {
	if int(level) >= len(levels) {
		return failed(statusInvalidArgument, "a log level of %d: at most %d was expected", level, len(levels)-1)
	}
	callbackMutex.Lock()
	defer callbackMutex.Unlock()
	if callback != nil {
		logToCallback.Store(nil)
		close(callback.stop)
		<-callback.stopped
		callback = nil
	}
	if call == nil || level == 0 {
		return nil
	}
	callback = &logCallback{
		call: call, queue: make(chan logMessage, maxLogQueue), stop: make(chan struct{}), stopped: make(chan struct{}),
	}
	go callback.run()
	logToCallback.Store(&logOutput{levels[level], &callbackHandler{to: callback}})
	return nil
}

func (c *logCallback) run() {
	defer close(c.stopped)
	for {
		select {
		case <-c.stop:
			return
		case message := <-c.queue:
			select { // both may be there
			case <-c.stop:
				return
			default:
			}
			if n := c.dropped.Swap(0); n > 0 {
				message.text = fmt.Sprintf("(%d messages before this one were left out) %s", n, message.text)
			}
			c.call(message.level, message.text)
		}
	}
}

// callbackHandler formats messages for a callback as text, without time and level.
type callbackHandler struct {
	to   *logCallback
	with []func(slog.Handler) slog.Handler
}

func (h *callbackHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h *callbackHandler) Handle(ctx context.Context, record slog.Record) error {
	var text strings.Builder
	handler := textHandler(&text, func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey) {
			return slog.Attr{}
		}
		return a
	})
	for _, with := range h.with {
		handler = with(handler)
	}
	if err := handler.Handle(ctx, record); err != nil {
		return err
	}
	message := logMessage{levelNumber(record.Level), strings.TrimPrefix(strings.TrimSuffix(text.String(), "\n"), "msg=")}
	select {
	case h.to.queue <- message:
	default:
		h.to.dropped.Add(1)
	}
	return nil
}

func (h *callbackHandler) WithAttrs(attributes []slog.Attr) slog.Handler {
	return &callbackHandler{h.to, append(h.with[:len(h.with):len(h.with)], func(handler slog.Handler) slog.Handler {
		return handler.WithAttrs(attributes)
	})}
}

func (h *callbackHandler) WithGroup(name string) slog.Handler {
	return &callbackHandler{h.to, append(h.with[:len(h.with):len(h.with)], func(handler slog.Handler) slog.Handler {
		return handler.WithGroup(name)
	})}
}

// levelNumber returns a level's number in hakuban.h.
func levelNumber(level slog.Level) uint8 {
	for number := 1; number < len(levels); number++ {
		if level >= levels[number] {
			return uint8(number)
		}
	}
	return uint8(len(levels) - 1)
}
