package transport

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall/js"
	"time"
	"unicode/utf8"
)

// closeFault is the code of a close frame that tells of a fault: the standard leaves a page none of its own codes but 1000.
const closeFault = 4002

// webSocket is one of the browser's websockets. Its events are noted as they come, by handlers that wait for nothing, and are taken by
// goroutines: a handler that waits stops all that happens in the page.
type webSocket struct {
	value    js.Value
	handlers map[string]js.Func // by property
	limit    int64

	opened chan struct{}
	closed chan struct{} // by the peer, by us, or since there was no connection
	came   chan struct{} // capacity 1: there are messages, or heard has changed
	err    error         // why it was closed; for after closed

	mu       sync.Mutex
	messages [][]byte
	waiting  int64 // bytes of messages
	heard    bool  // since it was last looked at
	tooLong  error // the peer sends too much
}

// newWebSocket begins to connect.
func newWebSocket(url string, limit int64) (w *webSocket, err error) {
	constructor := js.Global().Get("WebSocket")
	if constructor.Type() != js.TypeFunction {
		return nil, errors.New("this runtime has no WebSocket")
	}
	defer func() {
		if thrown := recover(); thrown != nil { // by a browser that refuses the URL, such as one of ws on a page of https
			failure, ok := thrown.(js.Error)
			if !ok {
				panic(thrown)
			}
			err = failure
		}
	}()
	w = &webSocket{
		value: constructor.New(url), limit: limit,
		opened: make(chan struct{}), closed: make(chan struct{}), came: make(chan struct{}, 1),
	}
	w.value.Set("binaryType", "arraybuffer")
	w.handlers = map[string]js.Func{
		"onopen":    handler(func(js.Value) { close(w.opened) }),
		"onmessage": handler(func(event js.Value) { w.receive(event.Get("data")) }),
		"onclose":   handler(w.onClose),
		"onerror":   handler(func(js.Value) {}), // a close follows; without a handler Node's ws would throw
	}
	for property, function := range w.handlers {
		w.value.Set(property, function)
	}
	return w, nil
}

func handler(f func(event js.Value)) js.Func {
	return js.FuncOf(func(_ js.Value, arguments []js.Value) any {
		f(arguments[0])
		return nil
	})
}

// receive notes a message. Texts are keep-alives, of which nothing matters but that they came.
func (w *webSocket) receive(data js.Value) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard = true
	if data.Type() != js.TypeString {
		size := int64(data.Get("byteLength").Int())
		switch {
		case w.tooLong != nil || size == 0:
		case size > w.limit:
			w.tooLong = fmt.Errorf("a message is larger than %d bytes", w.limit)
		case w.waiting+size > 2*w.limit:
			w.tooLong = fmt.Errorf("messages of more than %d bytes wait to be read", 2*w.limit)
		default:
			message := make([]byte, size)
			js.CopyBytesToGo(message, js.Global().Get("Uint8Array").New(data))
			w.messages = append(w.messages, message)
			w.waiting += size
		}
	}
	signal(w.came)
}

func (w *webSocket) onClose(event js.Value) {
	switch reason, code := event.Get("reason").String(), event.Get("code").Int(); {
	case reason != "":
		w.err = fmt.Errorf("the peer closed the connection: %s (%d)", reason, code)
	case event.Get("wasClean").Bool():
		w.err = fmt.Errorf("the peer closed the connection (%d)", code)
	default:
		w.err = errors.New("the connection was lost")
	}
	close(w.closed)
}

// take returns the messages that came since it was last called, and whether anything did.
func (w *webSocket) take() (messages [][]byte, heard bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	messages, heard, err = w.messages, w.heard, w.tooLong
	w.messages, w.waiting, w.heard = nil, 0, false
	return messages, heard, err
}

// sendBytes gives a message to the browser, which keeps it until the network takes it.
func (w *webSocket) sendBytes(message []byte) {
	array := js.Global().Get("Uint8Array").New(len(message))
	js.CopyBytesToJS(array, message)
	w.value.Call("send", array)
}

func (w *webSocket) sendText(text string) { w.value.Call("send", text) }

// buffered is how many bytes the browser keeps.
func (w *webSocket) buffered() int { return w.value.Get("bufferedAmount").Int() }

// part closes, with a close frame if there is a connection, and waits a while for the peer to agree.
func (w *webSocket) part(code int, reason error) {
	text := strings.ToValidUTF8(reason.Error(), "?")
	for len(text) > 123 || !utf8.ValidString(text) {
		text = text[:min(123, len(text)-1)]
	}
	w.value.Call("close", code, text)
	go func() {
		<-w.closed // which always comes, at last
		for property, function := range w.handlers {
			w.value.Set(property, js.Null())
			function.Release()
		}
	}()
	timer := time.NewTimer(farewell)
	defer timer.Stop()
	select {
	case <-w.closed:
	case <-timer.C: // a peer that does not answer
	}
}

// connect waits until the connection is made.
func (w *webSocket) connect(ctx context.Context) error {
	select {
	case <-w.opened:
		return nil
	case <-w.closed:
		return w.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
