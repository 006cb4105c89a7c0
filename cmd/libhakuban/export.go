//go:build cgo && unix

package main

/*
#cgo CFLAGS: -std=gnu11 -Wall -Wextra -I${SRCDIR}/../../include
#include <stdlib.h>
#include "bridge.h"
*/
import "C"

import (
	"math"
	"time"
	"unsafe"
)

// The functions that abi.c calls. They translate, and say to the host what went wrong: in the status, and to hakuban_go_last_error.

// The numbers of bridge.h and those of Go are the same, or this does not compile.
var (
	_ = [1]int{}[kindFuture-C.KIND_FUTURE]
	_ = [1]int{}[kindExchange-C.KIND_EXCHANGE]
	_ = [1]int{}[kindListener-C.KIND_LISTENER]
	_ = [1]int{}[kindTagExpose-C.KIND_TAG_EXPOSE]
	_ = [1]int{}[kindSinkParams-C.KIND_SINK_PARAMS]
	_ = [1]int{}[partVersion-C.PART_VERSION]
)

// tell makes an error the last one of the thread.
func tell(err error) {
	if err == nil {
		return
	}
	text := err.Error()
	C.bridgeFail((*C.char)(unsafe.Pointer(unsafe.StringData(text))), C.size_t(len(text)))
}

func toResult(f func() result) C.bridgeResult {
	r := guarded(f)
	tell(r.err)
	return C.bridgeResult{status: C.uint8_t(r.status), handle: C.uintptr_t(r.handle)}
}

func toStatus(f func() error) C.uint8_t {
	return toResult(func() result { return resultOf(f()) }).status
}

// toHandle returns 0 where there is an error.
func toHandle(f func() (handle, error)) C.uintptr_t {
	return toResult(func() result {
		h, err := f()
		if err != nil {
			h = 0
		}
		return result{handle: h, err: err}
	}).handle
}

func toArray(f func() (array, error)) (lent C.HakubanBorrowedArray) {
	toStatus(func() error {
		a, err := f()
		lent.length, lent.pointer = C.size_t(a.length), a.pointer
		return err
	})
	return lent
}

func toText(f func() (*byte, error)) (lent unsafe.Pointer) {
	toStatus(func() error {
		text, err := f()
		lent = unsafe.Pointer(text)
		return err
	})
	return lent
}

// goText copies a text of the host's.
func goText(c *C.char) (string, error) {
	if c == nil {
		return "", failed(statusInvalidArgument, "null, where a text was expected")
	}
	return C.GoString(c), nil
}

// elements returns the host's array, not copied.
func elements[T any](first *T, n C.size_t) ([]T, error) {
	switch {
	case n == 0:
		return nil, nil
	case first == nil:
		return nil, failed(statusInvalidArgument, "null, where an array of %d elements was expected", n)
	case n > math.MaxInt/C.size_t(unsafe.Sizeof(*first)):
		return nil, failed(statusInvalidArgument, "an array of %d elements", n)
	}
	return unsafe.Slice(first, int(n)), nil
}

// withText calls f with a text of the host's.
func withText(c *C.char, f func(string) result) C.bridgeResult {
	return toResult(func() result {
		copied, err := goText(c)
		if err != nil {
			return resultOf(err)
		}
		return f(copied)
	})
}

//export bridgeLoggerInitialize
func bridgeLoggerInitialize(level *C.char) C.bridgeResult { return withText(level, initializeLogger) }

//export bridgeArrayDrop
func bridgeArrayDrop(pointer unsafe.Pointer) {
	toStatus(func() error { dropArray(pointer); return nil })
}

//export bridgeDrop
func bridgeDrop(k C.int, h C.uintptr_t) {
	toStatus(func() error { return drop(handle(h), kind(k)) })
}

//export bridgeClone
func bridgeClone(k C.int, h C.uintptr_t) C.uintptr_t {
	return toHandle(func() (handle, error) { return clone(handle(h), kind(k)) })
}

//export bridgeNext
func bridgeNext(k C.int, h C.uintptr_t) C.uintptr_t {
	return toHandle(func() (handle, error) { return next(handle(h), kind(k)) })
}

//export bridgeAwait
func bridgeAwait(future C.uintptr_t) C.bridgeResult {
	return toResult(func() result { return await(handle(future), nil) })
}

//export bridgeAwaitTimeout
func bridgeAwaitTimeout(future C.uintptr_t, microseconds C.uint64_t) C.bridgeResult {
	timeout := time.Duration(min(uint64(microseconds), math.MaxInt64/1000)) * time.Microsecond
	return toResult(func() result { return await(handle(future), &timeout) })
}

//export bridgeFutureDescriptor
func bridgeFutureDescriptor(future C.uintptr_t) C.int {
	descriptor := -1
	toStatus(func() (err error) {
		descriptor, err = futureDescriptor(handle(future))
		return err
	})
	return C.int(descriptor)
}

//export bridgeExchangeNew
func bridgeExchangeNew() C.bridgeResult { return toResult(newExchange) }

//export bridgeExchangeClose
func bridgeExchangeClose(exchange C.uintptr_t) C.uint8_t {
	return toStatus(func() error { return closeExchange(handle(exchange)) })
}

//export bridgeRuntimeNew
func bridgeRuntimeNew() C.uintptr_t { return toHandle(newRuntime) }

//export bridgeRuntimeClose
func bridgeRuntimeClose(runtime C.uintptr_t) C.uint8_t {
	return toStatus(func() error { return closeRuntime(handle(runtime)) })
}

//export bridgeConnectorNew
func bridgeConnectorNew(runtime, exchange C.uintptr_t, url *C.char) C.bridgeResult {
	return withText(url, func(url string) result { return newConnector(handle(runtime), handle(exchange), url) })
}

//export bridgeConnectorState
func bridgeConnectorState(connector C.uintptr_t, state *C.HakubanGoLinkState) C.uint8_t {
	return toStatus(func() error {
		if state == nil {
			return failed(statusInvalidArgument, "null, where a state was to be written to")
		}
		seen, err := connectorState(handle(connector))
		*state = C.HakubanGoLinkState{link: C.uint64_t(seen.link)}
		if seen.connected {
			state.connected = 1
		}
		return err
	})
}

//export bridgeConnectorChanged
func bridgeConnectorChanged(connector C.uintptr_t, link C.uint64_t) C.uintptr_t {
	return toHandle(func() (handle, error) { return connectorChanged(handle(connector), uint64(link)) })
}

//export bridgeConnectorUpstreamName
func bridgeConnectorUpstreamName(connector C.uintptr_t) (name C.HakubanOwnedArray) {
	toStatus(func() error {
		seen, err := connectorState(handle(connector))
		given := give([]byte(seen.upstreamName))
		name.length, name.pointer = C.size_t(given.length), given.pointer
		return err
	})
	return name
}

//export bridgeListenerNew
func bridgeListenerNew(runtime, exchange C.uintptr_t, url *C.char) C.bridgeResult {
	return withText(url, func(url string) result { return newListener(handle(runtime), handle(exchange), url) })
}

//export bridgeListenerURL
func bridgeListenerURL(listener C.uintptr_t) unsafe.Pointer {
	return toText(func() (*byte, error) { return listenerURL(handle(listener)) })
}

//export bridgeTagNew
func bridgeTagNew(json *C.char) C.bridgeResult { return withText(json, newTag) }

//export bridgeObjectNew
func bridgeObjectNew(json *C.char, n C.size_t, tags *C.uintptr_t) C.bridgeResult {
	return withText(json, func(json string) result {
		list, err := elements((*handle)(unsafe.Pointer(tags)), n)
		if err != nil {
			return resultOf(err)
		}
		return newObject(json, list)
	})
}

//export bridgeDescriptorJSON
func bridgeDescriptorJSON(k C.int, h C.uintptr_t) unsafe.Pointer {
	return toText(func() (*byte, error) { return descriptorJSON(handle(h), kind(k)) })
}

//export bridgeObjectTags
func bridgeObjectTags(object C.uintptr_t) C.HakubanBorrowedArray {
	return toArray(func() (array, error) { return objectTags(handle(object)) })
}

//export bridgeDescriptorOf
func bridgeDescriptorOf(k C.int, h C.uintptr_t) C.uintptr_t {
	return toHandle(func() (handle, error) { return descriptorOf(handle(h), kind(k)) })
}

//export bridgeContractNew
func bridgeContractNew(k C.int, exchange, descriptor C.uintptr_t, capacity C.uint32_t) C.uintptr_t {
	return toHandle(func() (handle, error) {
		return newContract(kind(k), handle(exchange), handle(descriptor), uint32(capacity))
	})
}

//export bridgeContractSetCapacity
func bridgeContractSetCapacity(k C.int, contract C.uintptr_t, capacity C.uint32_t) C.uint8_t {
	return toStatus(func() error { return setCapacity(handle(contract), kind(k), uint32(capacity)) })
}

//export bridgeSinkSend
func bridgeSinkSend(sink, state C.uintptr_t) C.uintptr_t {
	return toHandle(func() (handle, error) { return send(handle(sink), handle(state)) })
}

//export bridgeSinkSendNow
func bridgeSinkSendNow(sink, state C.uintptr_t) C.uint8_t {
	return toResult(func() result { return sendNow(handle(sink), handle(state)) }).status
}

//export bridgeStateNew
func bridgeStateNew(versionN C.size_t, version *C.int64_t, formatN C.size_t, format **C.char,
	dataN C.size_t, data *C.uint8_t, microsecondsAgo C.uint64_t) C.bridgeResult {
	return toResult(func() result {
		numbers, err := elements((*int64)(unsafe.Pointer(version)), versionN)
		if err != nil {
			return resultOf(err)
		}
		names, err := elements(format, formatN)
		if err != nil {
			return resultOf(err)
		}
		bytes, err := elements((*byte)(unsafe.Pointer(data)), dataN)
		if err != nil {
			return resultOf(err)
		}
		formats := make([]string, len(names))
		for i, name := range names {
			if formats[i], err = goText(name); err != nil {
				return resultOf(err)
			}
		}
		return newState(numbers, formats, bytes, uint64(microsecondsAgo))
	})
}

//export bridgeStatePart
func bridgeStatePart(state C.uintptr_t, part C.int) C.HakubanBorrowedArray {
	return toArray(func() (array, error) { return statePart(handle(state), int(part)) })
}

//export bridgeStateAgo
func bridgeStateAgo(state C.uintptr_t) C.uint64_t {
	microseconds := uint64(math.MaxUint64)
	toStatus(func() (err error) {
		microseconds, err = stateAgo(handle(state))
		return err
	})
	return C.uint64_t(microseconds)
}

//export bridgeLogTo
func bridgeLogTo(level C.uint8_t, callback C.HakubanGoLogCallback, user C.uintptr_t) C.uint8_t {
	return toStatus(func() error {
		if callback == nil {
			return setLogCallback(uint8(level), nil)
		}
		return setLogCallback(uint8(level), func(level uint8, message string) {
			c := C.CString(message)
			defer C.free(unsafe.Pointer(c))
			C.bridgeLog(callback, user, C.uint8_t(level), c)
		})
	})
}
