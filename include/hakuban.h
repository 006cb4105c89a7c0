/*
 * hakuban.h: the C interface of Hakuban.
 *
 * Hakuban shares data objects between processes over a tree of websocket links. An object is named by a JSON value and a set of tags.
 * Who can produce an object opens an expose contract, who wants to see it an observe contract; for each object that somebody observes,
 * one exposer is elected and given a sink, and every observer is given a stream of the object's newest states.
 *
 * The first part of this file is the interface of the reference, hakuban 0.8.5: a program built for that library runs on this one
 * unchanged. The second part, whose names begin with hakuban_go_ and HAKUBAN_GO_, is this library's own.
 *
 * Ownership
 *   A pointer to a Hakuban type is a handle: a number that means something to this library only. Never look behind it. Each function
 *   that returns a handle gives it to the caller, who ends it with the _drop function of its type, once. A _clone function returns a
 *   second handle to the same thing, with an end of its own. Exceptions are said where they are: a borrowed handle or array ends with
 *   the handle it was asked of. Things that depend on each other may be dropped in any order.
 *   What is passed in (texts, arrays, handles) stays the caller's, and is copied before the function returns.
 *
 * Errors
 *   A handle that is null, was dropped already, or is of another type gives HAKUBAN_GO_INVALID_HANDLE where the function returns a
 *   status, null or an empty array where it returns something else, and is ignored where it returns nothing. hakuban_go_last_error
 *   has the reason in words. No function ends the process.
 *
 * Threads
 *   Every function can be called from any thread, at the same time as any other, also on the same handle; but for a handle that
 *   another thread drops meanwhile, whose borrowed arrays and texts end at that moment. Functions return at once, except where this
 *   file says that they block. The library has threads of its own and calls nobody on them, except a log callback.
 *
 * Fork
 *   After fork() the child has none of the library's threads. Each function then fails in the child: with HAKUBAN_GO_FORKED, with null
 *   or without effect. A child that executes another program, or loads the library itself for the first time, is not concerned.
 *
 * Texts are UTF-8 and end with a NUL byte. Times are in microseconds.
 */
#ifndef HAKUBAN_H
#define HAKUBAN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The types behind the handles. */
typedef struct HakubanExchange HakubanExchange;                           /* shares objects within a process, and over links */
typedef struct HakubanRuntime HakubanRuntime;                             /* owns links */
typedef struct HakubanConnector HakubanConnector;                         /* keeps an exchange linked to its upstream */
typedef struct HakubanTagDescriptor HakubanTagDescriptor;                 /* names a tag */
typedef struct HakubanObjectDescriptor HakubanObjectDescriptor;           /* names an object */
typedef struct HakubanObjectObserveContract HakubanObjectObserveContract; /* "I want to see this object" */
typedef struct HakubanTagObserveContract HakubanTagObserveContract;       /* "I want to see every object with this tag" */
typedef struct HakubanObjectExposeContract HakubanObjectExposeContract;   /* "I can produce this object" */
typedef struct HakubanTagExposeContract HakubanTagExposeContract;         /* "I can produce every object with this tag" */
typedef struct HakubanObjectStateStream HakubanObjectStateStream;         /* shows one object to one observer */
typedef struct HakubanObjectStateSink HakubanObjectStateSink;             /* takes one object from its exposer */
typedef struct HakubanObjectStateSinkParams HakubanObjectStateSinkParams; /* says that a sink is open; has no content yet */
typedef struct HakubanObjectState HakubanObjectState;                     /* bytes, with format, version, and how current they are */
typedef struct HakubanFuture HakubanFuture;                               /* a result that may not be there yet */

/* What became of a call. */
enum {
	HAKUBAN_OK = 0,
	HAKUBAN_POINTER = 1,               /* the result's pointer is a new handle */
	HAKUBAN_PENDING = 2,               /* not yet; see hakuban_go_future_await_timeout */
	HAKUBAN_END_OF_STREAM = 3,         /* there will be no more */
	HAKUBAN_INVALID_STRING = 4,        /* a text is not UTF-8 */
	HAKUBAN_INVALID_JSON = 5,          /* a text is not JSON, or cannot name anything */
	HAKUBAN_INVALID_URL = 6,           /* a URL, or one of the parameters in its fragment, is none that can be used */
	HAKUBAN_INVALID_LOG_LEVEL = 7,     /* never returned by the reference */
	HAKUBAN_LOGGER_INITIALIZATION = 8, /* logging was initialised before */
	HAKUBAN_CONNECTION_TERMINATED = 9, /* never returned by the reference */

	/* Never returned by the reference, which ends the process, or notices nothing. */
	HAKUBAN_GO_INVALID_HANDLE = 64,   /* null, dropped already, or of another type */
	HAKUBAN_GO_INVALID_ARGUMENT = 65, /* a null text, or a null array that should have elements */
	HAKUBAN_GO_FORKED = 66,           /* the process is the child of one that had loaded the library */
	HAKUBAN_GO_INTERNAL = 67,         /* a fault of this library */
	HAKUBAN_GO_CLOSED = 68,           /* the exchange or the runtime was closed */
	HAKUBAN_GO_STALE = 69,            /* the state's version is not greater than the newest known */
	HAKUBAN_GO_TOO_LARGE = 70,        /* a limit was exceeded */
	HAKUBAN_GO_HAS_UPSTREAM = 71,     /* the exchange has a connector already */
	HAKUBAN_GO_FAILED = 72            /* the system refused, for example to listen on an address */
};

/* A status, and a handle where the status is HAKUBAN_POINTER; otherwise the pointer has no meaning. */
typedef struct HakubanResult {
	uint8_t status;
	void *pointer;
} HakubanResult;

/* An array that lives as long as the handle it was asked of. Read it only. Its pointer is not null, unless the handle is bad. */
typedef struct HakubanBorrowedArray {
	size_t length;
	void *pointer;
} HakubanBorrowedArray;

/* An array that the caller ends with hakuban_array_drop. */
typedef struct HakubanOwnedArray {
	size_t length;
	void *pointer;
} HakubanOwnedArray;

/* ------------------------------------------------------------------------------------------------ the interface of the reference */

/*
 * Has what the library logs written to stderr, from the level on: "off", "error", "warn", "info", "debug" or "trace", or a list such
 * as "warn,hakuban=debug", of which the parts that name something other than hakuban say nothing here. RUST_LOG in the environment
 * wins over it. Works once: HAKUBAN_LOGGER_INITIALIZATION from then on. Without it nothing is written.
 */
HakubanResult hakuban_logger_initialize(const char *default_log_level);

/* Ends an array that the caller owns. An array that this library did not give is ignored. */
void hakuban_array_drop(HakubanOwnedArray array);

/*
 * A future is what _next and _send return. It does nothing before it is first awaited: a state is not sent by _send alone.
 * Of several handles to one future, one await is given the result; the others end with HAKUBAN_END_OF_STREAM.
 */

/* Blocks until the result is there, and ends the handle, whatever the result. */
HakubanResult hakuban_future_await(HakubanFuture *future);
HakubanFuture *hakuban_future_clone(HakubanFuture *future);
/*
 * Ends the handle and the future: whoever awaits it by another handle is given HAKUBAN_END_OF_STREAM. A result nobody was given goes
 * back: a state comes again with the next future of its stream, a sink or stream with the next one of its contract.
 */
void hakuban_future_drop(HakubanFuture *future);

/* An exchange lasts until its handles, contracts and connectors are dropped. Gives a HakubanExchange. */
HakubanResult hakuban_exchange_new(void);
HakubanExchange *hakuban_exchange_clone(HakubanExchange *exchange);
void hakuban_exchange_drop(HakubanExchange *exchange);

/*
 * A runtime owns connectors and listeners. worker_threads has no effect in this library, whose threads are as many as the work needs.
 * End it with hakuban_go_runtime_close.
 */
HakubanRuntime *hakuban_tokio_init_multi_thread(size_t worker_threads);

/*
 * Begins to link the exchange to an upstream at a URL such as "ws://127.0.0.1:3001", and returns at once. The connector tries until it
 * succeeds, and again whenever the link ends. The URL's fragment can have parameters: "ws://host:3001#name=worker,timeout=30s".
 * Gives a HakubanConnector; HAKUBAN_INVALID_URL; HAKUBAN_GO_HAS_UPSTREAM when the exchange has a connector.
 */
HakubanResult hakuban_tokio_websocket_connector_new(HakubanRuntime *runtime, HakubanExchange *exchange, const char *url);
/* Ends the link. Blocks until it is gone: about a second when the peer does not answer. */
void hakuban_tokio_websocket_connector_drop(HakubanConnector *connector);

/* Names a tag by a JSON text. Gives a HakubanTagDescriptor; HAKUBAN_INVALID_STRING; HAKUBAN_INVALID_JSON. */
HakubanResult hakuban_tag_descriptor_new(const char *json);
HakubanTagDescriptor *hakuban_tag_descriptor_clone(HakubanTagDescriptor *descriptor);
void hakuban_tag_descriptor_drop(HakubanTagDescriptor *descriptor);
/* The tag's JSON text in its one spelling: no white space, keys sorted. It lives as long as the handle. */
const char *hakuban_tag_descriptor_json(HakubanTagDescriptor *descriptor);

/*
 * Names an object by a JSON text and n tags, which are copied; tags may be null when n is 0. Gives a HakubanObjectDescriptor;
 * HAKUBAN_INVALID_STRING; HAKUBAN_INVALID_JSON.
 */
HakubanResult hakuban_object_descriptor_new(const char *json, size_t n, HakubanTagDescriptor *const *tags);
HakubanObjectDescriptor *hakuban_object_descriptor_clone(HakubanObjectDescriptor *descriptor);
void hakuban_object_descriptor_drop(HakubanObjectDescriptor *descriptor);
/* As hakuban_tag_descriptor_json. */
const char *hakuban_object_descriptor_json(HakubanObjectDescriptor *descriptor);
/* The object's tags: an array of HakubanTagDescriptor *, which are borrowed as the array is. Each tag once, in no order. */
HakubanBorrowedArray hakuban_object_descriptor_tags(HakubanObjectDescriptor *descriptor);

/*
 * Contracts last until they are dropped. A capacity is how many objects the exposer can produce at a time, in the eyes of the
 * elections. Null when the contract cannot be opened; hakuban_go_last_error says why.
 */
HakubanObjectObserveContract *hakuban_object_observe_contract_new(HakubanExchange *exchange, HakubanObjectDescriptor *descriptor);
HakubanTagObserveContract *hakuban_tag_observe_contract_new(HakubanExchange *exchange, HakubanTagDescriptor *descriptor);
HakubanObjectExposeContract *hakuban_object_expose_contract_new(HakubanExchange *exchange, HakubanObjectDescriptor *descriptor,
                                                                uint32_t capacity);
HakubanTagExposeContract *hakuban_tag_expose_contract_new(HakubanExchange *exchange, HakubanTagDescriptor *descriptor,
                                                          uint32_t capacity);
/*
 * The next stream of an observe contract (a HakubanObjectStateStream), or the next sink of an expose contract (a
 * HakubanObjectStateSink). For each object there is one at a time: the next comes after the last was dropped.
 * HAKUBAN_END_OF_STREAM once the contract was dropped.
 */
HakubanFuture *hakuban_object_observe_contract_next(HakubanObjectObserveContract *contract);
HakubanFuture *hakuban_tag_observe_contract_next(HakubanTagObserveContract *contract);
HakubanFuture *hakuban_object_expose_contract_next(HakubanObjectExposeContract *contract);
HakubanFuture *hakuban_tag_expose_contract_next(HakubanTagExposeContract *contract);
/* Closes the contract: its sinks and streams end, and so do its pending futures. */
void hakuban_object_observe_contract_drop(HakubanObjectObserveContract *contract);
void hakuban_tag_observe_contract_drop(HakubanTagObserveContract *contract);
void hakuban_object_expose_contract_drop(HakubanObjectExposeContract *contract);
void hakuban_tag_expose_contract_drop(HakubanTagExposeContract *contract);

/*
 * The newest state (a HakubanObjectState), once it, or how current it is, differs from what the stream gave last. States that were
 * replaced before anybody asked are skipped. HAKUBAN_END_OF_STREAM once the object is gone, or the stream or its contract was dropped.
 */
HakubanFuture *hakuban_object_state_stream_next(HakubanObjectStateStream *stream);
/* Names the stream's object: a new handle. */
HakubanObjectDescriptor *hakuban_object_state_stream_descriptor(HakubanObjectStateStream *stream);
void hakuban_object_state_stream_drop(HakubanObjectStateStream *stream);

/*
 * Gives HakubanObjectStateSinkParams at once, the first time: the sink is open. From then on it is pending until the sink ends, with
 * HAKUBAN_END_OF_STREAM, because another exposer was elected, nobody observes the object, or the sink or its contract was dropped.
 */
HakubanFuture *hakuban_object_state_sink_next(HakubanObjectStateSink *sink);
/*
 * Makes the state the newest one of the object when the future is first awaited. The state is copied before. HAKUBAN_OK, also when
 * the state was not taken because its version is not greater than that of the newest; hakuban_go_last_error then says so.
 * HAKUBAN_END_OF_STREAM when the sink has ended.
 */
HakubanFuture *hakuban_object_state_sink_send(HakubanObjectStateSink *sink, HakubanObjectState *state);
/* Names the sink's object: a new handle. */
HakubanObjectDescriptor *hakuban_object_state_sink_descriptor(HakubanObjectStateSink *sink);
void hakuban_object_state_sink_drop(HakubanObjectStateSink *sink);
HakubanObjectStateSinkParams *hakuban_object_state_sink_params_clone(HakubanObjectStateSinkParams *params);
void hakuban_object_state_sink_params_drop(HakubanObjectStateSinkParams *params);

/*
 * A state of data_n bytes, which are encoded in the formats named, innermost first. Versions are compared number by number. With
 * version_n 0 the state is given a version from the clock when it is sent. synchronized_us_ago says how long ago the data was known to
 * be current: 0 means that it is now. Everything is copied. Null arrays are good where their length is 0.
 * Gives a HakubanObjectState; HAKUBAN_INVALID_STRING when the name of a format is not UTF-8.
 */
HakubanResult hakuban_object_state_new(size_t version_n, const int64_t *version, size_t format_n, const char *const *format,
                                       size_t data_n, const uint8_t *data, uint64_t synchronized_us_ago);
HakubanObjectState *hakuban_object_state_clone(HakubanObjectState *state);
void hakuban_object_state_drop(HakubanObjectState *state);
/* The bytes: an array of uint8_t. */
HakubanBorrowedArray hakuban_object_state_data(HakubanObjectState *state);
/* The names of the formats: an array of const char *. */
HakubanBorrowedArray hakuban_object_state_format(HakubanObjectState *state);
/* The version: an array of int64_t. */
HakubanBorrowedArray hakuban_object_state_version(HakubanObjectState *state);
/* How long ago the state was known to be current, in microseconds: 0 when it is now. UINT64_MAX when the handle is bad. */
uint64_t hakuban_object_state_synchronized_ago(HakubanObjectState *state);

/* ------------------------------------------------------------------------------------------------------- this library's own part */

/* The version of this second part. It grows by one with each addition; nothing is ever taken away or changed. */
#define HAKUBAN_GO_ABI_VERSION 2

/* The version of this second part in the library that is loaded. A program needs at least the one it was compiled with. */
uint32_t hakuban_go_abi_version(void);

/*
 * Why the last call of this thread that failed did so: a text that lives until the next failure in this thread, empty when there was
 * none. A call that succeeds does not change it.
 */
const char *hakuban_go_last_error(void);

/* Forever, as a timeout. */
#define HAKUBAN_GO_FOREVER UINT64_MAX

/*
 * Blocks for at most timeout_us microseconds, with 0 not at all. HAKUBAN_PENDING when the result is not there yet: the handle is good
 * as before, and the future goes on. With any other result the handle ends, as in hakuban_future_await.
 */
HakubanResult hakuban_go_future_await_timeout(HakubanFuture *future, uint64_t timeout_us);

/*
 * A file descriptor that is readable, for poll, select, epoll or kqueue, once the result is there. It belongs to the future: neither
 * read nor close it. It is closed when the last handle of the future ends. The future begins to work by this call.
 * -1 when there is none; hakuban_go_last_error says why.
 */
int hakuban_go_future_descriptor(HakubanFuture *future);

/*
 * Sends a state at once, without a future. HAKUBAN_OK, HAKUBAN_END_OF_STREAM, HAKUBAN_GO_STALE, HAKUBAN_GO_TOO_LARGE, or
 * HAKUBAN_GO_INVALID_HANDLE.
 */
uint8_t hakuban_go_object_state_sink_send(HakubanObjectStateSink *sink, HakubanObjectState *state);

/* Changes the capacity of a contract, for the elections to come. HAKUBAN_OK, HAKUBAN_GO_CLOSED or HAKUBAN_GO_INVALID_HANDLE. */
uint8_t hakuban_go_object_expose_contract_set_capacity(HakubanObjectExposeContract *contract, uint32_t capacity);
uint8_t hakuban_go_tag_expose_contract_set_capacity(HakubanTagExposeContract *contract, uint32_t capacity);

/*
 * Ends an exchange for all its handles: its contracts, sinks, streams and links. What is asked of them later is
 * HAKUBAN_END_OF_STREAM or HAKUBAN_GO_CLOSED. The handles are still to be dropped.
 */
uint8_t hakuban_go_exchange_close(HakubanExchange *exchange);

/*
 * Ends a runtime: its connectors and listeners close. Blocks until their links are gone: about a second when a peer does not answer.
 * The handles of connectors and listeners are still to be dropped; that of the runtime is not.
 */
uint8_t hakuban_go_runtime_close(HakubanRuntime *runtime);

/* What there is to see of a connector. */
typedef struct HakubanGoLinkState {
	uint8_t connected; /* 1 while there is a link; the rest is 0 otherwise */
	uint64_t link;     /* differs for each link the exchange ever had */
} HakubanGoLinkState;

uint8_t hakuban_go_websocket_connector_state(HakubanConnector *connector, HakubanGoLinkState *state);
/*
 * Tells of a change, since version 2. HAKUBAN_OK once the connector's link is not the one that has this number, 0 standing for none:
 * pass what hakuban_go_websocket_connector_state said last. HAKUBAN_END_OF_STREAM when there will be no other, since the connector was
 * dropped, or its runtime or exchange closed.
 */
HakubanFuture *hakuban_go_websocket_connector_changed(HakubanConnector *connector, uint64_t link);
/* The name the upstream has given itself: UTF-8 without a NUL byte at its end, empty while there is no link or no name. */
HakubanOwnedArray hakuban_go_websocket_connector_upstream_name(HakubanConnector *connector);

/* Takes links from downstream exchanges. */
typedef struct HakubanGoListener HakubanGoListener;

/*
 * Listens on a URL such as "ws://127.0.0.1:3001"; port 0 stands for any free one. Gives a HakubanGoListener; HAKUBAN_INVALID_URL;
 * HAKUBAN_GO_FAILED when the system refuses the address.
 */
HakubanResult hakuban_go_websocket_listener_new(HakubanRuntime *runtime, HakubanExchange *exchange, const char *url);
/* The URL with the real port. It lives as long as the handle. */
const char *hakuban_go_websocket_listener_url(HakubanGoListener *listener);
/* Ends the listener and its links. Blocks until they are gone: about a second when a peer does not answer. */
void hakuban_go_websocket_listener_drop(HakubanGoListener *listener);

/* Levels of what is logged. */
enum {
	HAKUBAN_GO_LOG_OFF = 0,
	HAKUBAN_GO_LOG_ERROR = 1,
	HAKUBAN_GO_LOG_WARN = 2,
	HAKUBAN_GO_LOG_INFO = 3,
	HAKUBAN_GO_LOG_DEBUG = 4,
	HAKUBAN_GO_LOG_TRACE = 5
};

/* The message lives until the callback returns. */
typedef void (*HakubanGoLogCallback)(void *user, uint8_t level, const char *message);

/*
 * Has what the library logs, from the level on, given to a callback, beside what hakuban_logger_initialize does. One call at a time,
 * on a thread of the library. Up to 1,024 messages wait for a slow callback; further ones are left out, and the next message says how
 * many. A null callback or HAKUBAN_GO_LOG_OFF takes the callback back. Blocks until the one before has returned: from then on it is
 * not called, and what user points at may go. HAKUBAN_GO_INVALID_ARGUMENT when called from within a callback; every other function
 * can be called there.
 */
uint8_t hakuban_go_log_to(uint8_t level, HakubanGoLogCallback callback, void *user);

#ifdef __cplusplus
}
#endif

#endif
