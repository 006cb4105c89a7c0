//go:build cgo && unix

/*
 * The functions of hakuban.h. Each fails in the child of a fork, where Go has no threads to run on, and else calls export.go with
 * handles as numbers.
 */
#include "_cgo_export.h"


#include <string.h>
#include <sys/types.h>
#include <unistd.h>

/* The process that loaded the library. */
static pid_t owner;

__attribute__((constructor)) static void remember_owner(void) { owner = getpid(); }

/* The text of hakuban_go_last_error. */
static _Thread_local char last_error[1024];

/* Whether this thread is within a log callback. */
static _Thread_local int in_callback;

void bridgeFail(const char *text, size_t length)
{
	size_t most = sizeof last_error - 1;
	if (length > most)
		for (length = most; length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80;) /* not within a character */
			length--;
	memcpy(last_error, text, length);
	last_error[length] = 0;
}

void bridgeLog(HakubanGoLogCallback callback, uintptr_t user, uint8_t level, const char *message)
{
	in_callback = 1;
	callback((void *)user, level, message);
	in_callback = 0;
}

static int forked(void)
{
	static const char text[] = "the process was forked from one that had loaded the library";
	if (getpid() == owner)
		return 0;
	bridgeFail(text, sizeof text - 1);
	return 1;
}

static HakubanResult result(bridgeResult from) { return (HakubanResult){from.status, (void *)from.handle}; }

static const HakubanResult forked_result = {HAKUBAN_GO_FORKED, NULL};

#define NUMBER(handle) ((uintptr_t)(handle))
#define RESULT(call) return forked() ? forked_result : result(call)
#define STATUS(call) return forked() ? HAKUBAN_GO_FORKED : (call)
#define HANDLE(call) return forked() ? NULL : (void *)(call)
#define TEXT(call) return forked() ? NULL : (const char *)(call)
#define BORROWED(call) return forked() ? (HakubanBorrowedArray){0, NULL} : (call)

/* Functions that all types, or several, have. */
#define DROP(name, type, kind) \
	void name(type *handle) \
	{ \
		if (!forked()) \
			bridgeDrop(kind, NUMBER(handle)); \
	}
#define CLONE(name, type, kind) \
	type *name(type *handle) { HANDLE(bridgeClone(kind, NUMBER(handle))); }
#define NEXT(name, type, kind) \
	HakubanFuture *name(type *handle) { HANDLE(bridgeNext(kind, NUMBER(handle))); }
#define JSON(name, type, kind) \
	const char *name(type *handle) { TEXT(bridgeDescriptorJSON(kind, NUMBER(handle))); }
#define DESCRIPTOR(name, type, kind) \
	HakubanObjectDescriptor *name(type *handle) { HANDLE(bridgeDescriptorOf(kind, NUMBER(handle))); }
#define OBSERVE(name, type, descriptor_type, kind) \
	type *name(HakubanExchange *exchange, descriptor_type *descriptor) \
	{ \
		HANDLE(bridgeContractNew(kind, NUMBER(exchange), NUMBER(descriptor), 0)); \
	}
#define EXPOSE(name, type, descriptor_type, kind) \
	type *name(HakubanExchange *exchange, descriptor_type *descriptor, uint32_t capacity) \
	{ \
		HANDLE(bridgeContractNew(kind, NUMBER(exchange), NUMBER(descriptor), capacity)); \
	}
#define SET_CAPACITY(name, type, kind) \
	uint8_t name(type *handle, uint32_t capacity) { STATUS(bridgeContractSetCapacity(kind, NUMBER(handle), capacity)); }
#define PART(name, part) \
	HakubanBorrowedArray name(HakubanObjectState *state) { BORROWED(bridgeStatePart(NUMBER(state), part)); }

HakubanResult hakuban_logger_initialize(const char *default_log_level)
{
	RESULT(bridgeLoggerInitialize((char *)default_log_level));
}

void hakuban_array_drop(HakubanOwnedArray array)
{
	if (!forked() && array.length > 0)
		bridgeArrayDrop(array.pointer);
}

HakubanResult hakuban_future_await(HakubanFuture *future) { RESULT(bridgeAwait(NUMBER(future))); }
CLONE(hakuban_future_clone, HakubanFuture, KIND_FUTURE)
DROP(hakuban_future_drop, HakubanFuture, KIND_FUTURE)

HakubanResult hakuban_exchange_new(void) { RESULT(bridgeExchangeNew()); }
CLONE(hakuban_exchange_clone, HakubanExchange, KIND_EXCHANGE)
DROP(hakuban_exchange_drop, HakubanExchange, KIND_EXCHANGE)

HakubanRuntime *hakuban_tokio_init_multi_thread(size_t worker_threads)
{
	(void)worker_threads;
	HANDLE(bridgeRuntimeNew());
}

HakubanResult hakuban_tokio_websocket_connector_new(HakubanRuntime *runtime, HakubanExchange *exchange, const char *url)
{
	RESULT(bridgeConnectorNew(NUMBER(runtime), NUMBER(exchange), (char *)url));
}
DROP(hakuban_tokio_websocket_connector_drop, HakubanConnector, KIND_CONNECTOR)

HakubanResult hakuban_tag_descriptor_new(const char *json) { RESULT(bridgeTagNew((char *)json)); }
CLONE(hakuban_tag_descriptor_clone, HakubanTagDescriptor, KIND_TAG)
DROP(hakuban_tag_descriptor_drop, HakubanTagDescriptor, KIND_TAG)
JSON(hakuban_tag_descriptor_json, HakubanTagDescriptor, KIND_TAG)

HakubanResult hakuban_object_descriptor_new(const char *json, size_t n, HakubanTagDescriptor *const *tags)
{
	RESULT(bridgeObjectNew((char *)json, n, (uintptr_t *)tags));
}
CLONE(hakuban_object_descriptor_clone, HakubanObjectDescriptor, KIND_OBJECT)
DROP(hakuban_object_descriptor_drop, HakubanObjectDescriptor, KIND_OBJECT)
JSON(hakuban_object_descriptor_json, HakubanObjectDescriptor, KIND_OBJECT)

HakubanBorrowedArray hakuban_object_descriptor_tags(HakubanObjectDescriptor *descriptor)
{
	BORROWED(bridgeObjectTags(NUMBER(descriptor)));
}

OBSERVE(hakuban_object_observe_contract_new, HakubanObjectObserveContract, HakubanObjectDescriptor, KIND_OBJECT_OBSERVE)
OBSERVE(hakuban_tag_observe_contract_new, HakubanTagObserveContract, HakubanTagDescriptor, KIND_TAG_OBSERVE)
EXPOSE(hakuban_object_expose_contract_new, HakubanObjectExposeContract, HakubanObjectDescriptor, KIND_OBJECT_EXPOSE)
EXPOSE(hakuban_tag_expose_contract_new, HakubanTagExposeContract, HakubanTagDescriptor, KIND_TAG_EXPOSE)
NEXT(hakuban_object_observe_contract_next, HakubanObjectObserveContract, KIND_OBJECT_OBSERVE)
NEXT(hakuban_tag_observe_contract_next, HakubanTagObserveContract, KIND_TAG_OBSERVE)
NEXT(hakuban_object_expose_contract_next, HakubanObjectExposeContract, KIND_OBJECT_EXPOSE)
NEXT(hakuban_tag_expose_contract_next, HakubanTagExposeContract, KIND_TAG_EXPOSE)
DROP(hakuban_object_observe_contract_drop, HakubanObjectObserveContract, KIND_OBJECT_OBSERVE)
DROP(hakuban_tag_observe_contract_drop, HakubanTagObserveContract, KIND_TAG_OBSERVE)
DROP(hakuban_object_expose_contract_drop, HakubanObjectExposeContract, KIND_OBJECT_EXPOSE)
DROP(hakuban_tag_expose_contract_drop, HakubanTagExposeContract, KIND_TAG_EXPOSE)

NEXT(hakuban_object_state_stream_next, HakubanObjectStateStream, KIND_STREAM)
DESCRIPTOR(hakuban_object_state_stream_descriptor, HakubanObjectStateStream, KIND_STREAM)
DROP(hakuban_object_state_stream_drop, HakubanObjectStateStream, KIND_STREAM)

NEXT(hakuban_object_state_sink_next, HakubanObjectStateSink, KIND_SINK)
DESCRIPTOR(hakuban_object_state_sink_descriptor, HakubanObjectStateSink, KIND_SINK)
DROP(hakuban_object_state_sink_drop, HakubanObjectStateSink, KIND_SINK)
CLONE(hakuban_object_state_sink_params_clone, HakubanObjectStateSinkParams, KIND_SINK_PARAMS)
DROP(hakuban_object_state_sink_params_drop, HakubanObjectStateSinkParams, KIND_SINK_PARAMS)

HakubanFuture *hakuban_object_state_sink_send(HakubanObjectStateSink *sink, HakubanObjectState *state)
{
	HANDLE(bridgeSinkSend(NUMBER(sink), NUMBER(state)));
}

HakubanResult hakuban_object_state_new(size_t version_n, const int64_t *version, size_t format_n, const char *const *format,
                                       size_t data_n, const uint8_t *data, uint64_t synchronized_us_ago)
{
	RESULT(bridgeStateNew(version_n, (int64_t *)version, format_n, (char **)format, data_n, (uint8_t *)data, synchronized_us_ago));
}
CLONE(hakuban_object_state_clone, HakubanObjectState, KIND_STATE)
DROP(hakuban_object_state_drop, HakubanObjectState, KIND_STATE)
PART(hakuban_object_state_data, PART_DATA)
PART(hakuban_object_state_format, PART_FORMAT)
PART(hakuban_object_state_version, PART_VERSION)

uint64_t hakuban_object_state_synchronized_ago(HakubanObjectState *state)
{
	return forked() ? UINT64_MAX : bridgeStateAgo(NUMBER(state));
}

uint32_t hakuban_go_abi_version(void) { return HAKUBAN_GO_ABI_VERSION; }

const char *hakuban_go_last_error(void) { return last_error; }

HakubanResult hakuban_go_future_await_timeout(HakubanFuture *future, uint64_t timeout_us)
{
	RESULT(bridgeAwaitTimeout(NUMBER(future), timeout_us));
}

int hakuban_go_future_descriptor(HakubanFuture *future) { return forked() ? -1 : bridgeFutureDescriptor(NUMBER(future)); }

uint8_t hakuban_go_object_state_sink_send(HakubanObjectStateSink *sink, HakubanObjectState *state)
{
	STATUS(bridgeSinkSendNow(NUMBER(sink), NUMBER(state)));
}

SET_CAPACITY(hakuban_go_object_expose_contract_set_capacity, HakubanObjectExposeContract, KIND_OBJECT_EXPOSE)
SET_CAPACITY(hakuban_go_tag_expose_contract_set_capacity, HakubanTagExposeContract, KIND_TAG_EXPOSE)

uint8_t hakuban_go_exchange_close(HakubanExchange *exchange) { STATUS(bridgeExchangeClose(NUMBER(exchange))); }

uint8_t hakuban_go_runtime_close(HakubanRuntime *runtime) { STATUS(bridgeRuntimeClose(NUMBER(runtime))); }

uint8_t hakuban_go_websocket_connector_state(HakubanConnector *connector, HakubanGoLinkState *state)
{
	STATUS(bridgeConnectorState(NUMBER(connector), state));
}

HakubanFuture *hakuban_go_websocket_connector_changed(HakubanConnector *connector, uint64_t link)
{
	HANDLE(bridgeConnectorChanged(NUMBER(connector), link));
}

HakubanOwnedArray hakuban_go_websocket_connector_upstream_name(HakubanConnector *connector)
{
	return forked() ? (HakubanOwnedArray){0, NULL} : bridgeConnectorUpstreamName(NUMBER(connector));
}

HakubanResult hakuban_go_websocket_listener_new(HakubanRuntime *runtime, HakubanExchange *exchange, const char *url)
{
	RESULT(bridgeListenerNew(NUMBER(runtime), NUMBER(exchange), (char *)url));
}

const char *hakuban_go_websocket_listener_url(HakubanGoListener *listener) { TEXT(bridgeListenerURL(NUMBER(listener))); }
DROP(hakuban_go_websocket_listener_drop, HakubanGoListener, KIND_LISTENER)

uint8_t hakuban_go_log_to(uint8_t level, HakubanGoLogCallback callback, void *user)
{
	static const char text[] = "called from within a log callback";
	if (in_callback) {
		bridgeFail(text, sizeof text - 1);
		return HAKUBAN_GO_INVALID_ARGUMENT;
	}
	STATUS(bridgeLogTo(level, callback, NUMBER(user)));
}
