/* What this library has beyond the reference: misuse, forks, and the functions of its own. Each check ends the program when it fails. */
#include "hakuban.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECK(condition) \
	((condition) ? (void)0 : (printf("%s:%d: not so: %s (last error: %s)\n", __FILE__, __LINE__, #condition, hakuban_go_last_error()), exit(1)))
#define SECOND ((uint64_t)1000000)
/* How long anything that must happen may take. */
#define LONG (30 * SECOND)

static void *pointer_of(HakubanResult result)
{
	CHECK(result.status == HAKUBAN_POINTER && result.pointer);
	return result.pointer;
}

static HakubanExchange *new_exchange(void) { return pointer_of(hakuban_exchange_new()); }
static HakubanObjectDescriptor *new_object(const char *json) { return pointer_of(hakuban_object_descriptor_new(json, 0, NULL)); }

static HakubanObjectState *new_state(const char *data, int64_t version)
{
	return pointer_of(hakuban_object_state_new(1, &version, 0, NULL, strlen(data), (const uint8_t *)data, 0));
}

static void *awaited(HakubanFuture *future) { return pointer_of(hakuban_go_future_await_timeout(future, LONG)); }

static int data_is(HakubanObjectState *state, const char *wanted)
{
	HakubanBorrowedArray data = hakuban_object_state_data(state);
	int is = data.length == strlen(wanted) && !memcmp(data.pointer, wanted, data.length);
	hakuban_object_state_drop(state);
	return is;
}

/* Calls everything that takes a handle with one that is bad for it. */
static void misuse(void *bad)
{
	HakubanGoLinkState link;
	CHECK(hakuban_future_await(bad).status == HAKUBAN_GO_INVALID_HANDLE);
	CHECK(!hakuban_future_clone(bad));
	hakuban_future_drop(bad);
	CHECK(!hakuban_exchange_clone(bad));
	hakuban_exchange_drop(bad);
	CHECK(hakuban_tokio_websocket_connector_new(bad, bad, "ws://127.0.0.1:1").status == HAKUBAN_GO_INVALID_HANDLE);
	hakuban_tokio_websocket_connector_drop(bad);
	CHECK(!hakuban_tag_descriptor_clone(bad));
	hakuban_tag_descriptor_drop(bad);
	CHECK(!hakuban_tag_descriptor_json(bad));
	HakubanTagDescriptor *tag = bad;
	CHECK(hakuban_object_descriptor_new("1", 1, &tag).status == HAKUBAN_GO_INVALID_HANDLE);
	CHECK(!hakuban_object_descriptor_clone(bad));
	hakuban_object_descriptor_drop(bad);
	CHECK(!hakuban_object_descriptor_json(bad));
	CHECK(!hakuban_object_descriptor_tags(bad).length);
	CHECK(!hakuban_object_observe_contract_new(bad, bad));
	CHECK(!hakuban_tag_observe_contract_new(bad, bad));
	CHECK(!hakuban_object_expose_contract_new(bad, bad, 1));
	CHECK(!hakuban_tag_expose_contract_new(bad, bad, 1));
	CHECK(hakuban_future_await(hakuban_object_observe_contract_next(bad)).status == HAKUBAN_GO_INVALID_HANDLE);
	CHECK(hakuban_future_await(hakuban_tag_observe_contract_next(bad)).status == HAKUBAN_GO_INVALID_HANDLE);
	CHECK(hakuban_future_await(hakuban_object_expose_contract_next(bad)).status == HAKUBAN_GO_INVALID_HANDLE);
	CHECK(hakuban_future_await(hakuban_tag_expose_contract_next(bad)).status == HAKUBAN_GO_INVALID_HANDLE);
	hakuban_object_observe_contract_drop(bad);
	hakuban_tag_observe_contract_drop(bad);
	hakuban_object_expose_contract_drop(bad);
	hakuban_tag_expose_contract_drop(bad);
	CHECK(!hakuban_object_state_stream_next(bad));
	CHECK(!hakuban_object_state_stream_descriptor(bad));
	hakuban_object_state_stream_drop(bad);
	CHECK(!hakuban_object_state_sink_next(bad));
	CHECK(!hakuban_object_state_sink_send(bad, bad));
	CHECK(!hakuban_object_state_sink_descriptor(bad));
	hakuban_object_state_sink_drop(bad);
	CHECK(!hakuban_object_state_sink_params_clone(bad));
	hakuban_object_state_sink_params_drop(bad);
	CHECK(!hakuban_object_state_clone(bad));
	hakuban_object_state_drop(bad);
	CHECK(!hakuban_object_state_data(bad).length);
	CHECK(!hakuban_object_state_format(bad).length);
	CHECK(!hakuban_object_state_version(bad).length);
	CHECK(hakuban_object_state_synchronized_ago(bad) == UINT64_MAX);
	CHECK(hakuban_go_future_await_timeout(bad, 0).status == HAKUBAN_GO_INVALID_HANDLE);
	CHECK(hakuban_go_future_descriptor(bad) == -1);
	CHECK(hakuban_go_object_state_sink_send(bad, bad) == HAKUBAN_GO_INVALID_HANDLE);
	CHECK(hakuban_go_object_expose_contract_set_capacity(bad, 1) == HAKUBAN_GO_INVALID_HANDLE);
	CHECK(hakuban_go_tag_expose_contract_set_capacity(bad, 1) == HAKUBAN_GO_INVALID_HANDLE);
	CHECK(hakuban_go_exchange_close(bad) == HAKUBAN_GO_INVALID_HANDLE);
	CHECK(hakuban_go_runtime_close(bad) == HAKUBAN_GO_INVALID_HANDLE);
	CHECK(hakuban_go_websocket_connector_state(bad, &link) == HAKUBAN_GO_INVALID_HANDLE);
	CHECK(!hakuban_go_websocket_connector_changed(bad, 0));
	CHECK(!hakuban_go_websocket_connector_upstream_name(bad).length);
	CHECK(hakuban_go_websocket_listener_new(bad, bad, "ws://127.0.0.1:0").status == HAKUBAN_GO_INVALID_HANDLE);
	CHECK(!hakuban_go_websocket_listener_url(bad));
	hakuban_go_websocket_listener_drop(bad);
	CHECK(*hakuban_go_last_error());
}

static void bad_handles(void)
{
	HakubanExchange *exchange = new_exchange();
	HakubanObjectDescriptor *object = new_object("1");
	HakubanObjectObserveContract *observe = hakuban_object_observe_contract_new(exchange, object);
	HakubanObjectState *state = new_state("a", 1);
	HakubanFuture *future;
	unsigned i;
	int local;
	misuse(NULL);
	CHECK(strstr(hakuban_go_last_error(), "null"));
	misuse((void *)(uintptr_t)1);
	misuse((void *)(uintptr_t)8);
	misuse((void *)UINTPTR_MAX);
	misuse(&local);
	for (i = 0; i < 64; i++)
		misuse((void *)((uintptr_t)object ^ (uintptr_t)1 << i)); /* every handle that differs from a good one in a bit */
	hakuban_object_state_drop(state);
	misuse(state);
	CHECK(strstr(hakuban_go_last_error(), "dropped already"));
	for (i = 0; i < 10; i++) { /* the table's place is used again, the handle is not */
		HakubanObjectState *other = new_state("b", 1);
		misuse(state);
		CHECK(data_is(other, "b"));
	}
	future = hakuban_object_observe_contract_next(observe);
	CHECK(hakuban_exchange_clone((HakubanExchange *)object) == NULL);
	CHECK(!strcmp(hakuban_go_last_error(), "an object descriptor, where an exchange was expected"));
	hakuban_exchange_drop((HakubanExchange *)observe);
	hakuban_object_state_drop((HakubanObjectState *)future);
	hakuban_object_state_stream_drop(awaited(future)); /* all are alive */
	misuse(future);
	hakuban_object_observe_contract_drop(observe);
	hakuban_object_descriptor_drop(object);
	hakuban_exchange_drop(exchange);
	hakuban_array_drop((HakubanOwnedArray){1, &local});
}

static void bad_arguments(void)
{
	HakubanRuntime *runtime = hakuban_tokio_init_multi_thread(1);
	HakubanExchange *exchange = new_exchange();
	HakubanConnector *connector = pointer_of(hakuban_tokio_websocket_connector_new(runtime, exchange, "ws://127.0.0.1:1"));
	const char *name = NULL;
	CHECK(hakuban_tag_descriptor_new(NULL).status == HAKUBAN_GO_INVALID_ARGUMENT);
	CHECK(hakuban_object_descriptor_new(NULL, 0, NULL).status == HAKUBAN_GO_INVALID_ARGUMENT);
	CHECK(hakuban_object_descriptor_new("1", 1, NULL).status == HAKUBAN_GO_INVALID_ARGUMENT);
	CHECK(hakuban_object_state_new(1, NULL, 0, NULL, 0, NULL, 0).status == HAKUBAN_GO_INVALID_ARGUMENT);
	CHECK(hakuban_object_state_new(0, NULL, 1, NULL, 0, NULL, 0).status == HAKUBAN_GO_INVALID_ARGUMENT);
	CHECK(hakuban_object_state_new(0, NULL, 1, &name, 0, NULL, 0).status == HAKUBAN_GO_INVALID_ARGUMENT);
	CHECK(hakuban_object_state_new(0, NULL, 0, NULL, 1, NULL, 0).status == HAKUBAN_GO_INVALID_ARGUMENT);
	CHECK(hakuban_object_state_new(SIZE_MAX, (int64_t *)&name, 0, NULL, 0, NULL, 0).status == HAKUBAN_GO_INVALID_ARGUMENT);
	CHECK(hakuban_tokio_websocket_connector_new(runtime, exchange, NULL).status == HAKUBAN_GO_INVALID_ARGUMENT);
	CHECK(hakuban_logger_initialize(NULL).status == HAKUBAN_GO_INVALID_ARGUMENT);
	CHECK(hakuban_tokio_websocket_connector_new(runtime, exchange, "ws://127.0.0.1:1").status == HAKUBAN_GO_HAS_UPSTREAM);
	CHECK(hakuban_go_websocket_connector_state(connector, NULL) == HAKUBAN_GO_INVALID_ARGUMENT);
	hakuban_tokio_websocket_connector_drop(connector);
	hakuban_exchange_drop(exchange);
	CHECK(hakuban_go_runtime_close(runtime) == HAKUBAN_OK);
	CHECK(hakuban_logger_initialize("off").status == HAKUBAN_OK);
	CHECK(hakuban_logger_initialize("off").status == HAKUBAN_LOGGER_INITIALIZATION);
}

static void *error_of_another_thread(void *unused)
{
	CHECK(!*hakuban_go_last_error());
	hakuban_tag_descriptor_new("{");
	CHECK(strstr(hakuban_go_last_error(), "not a descriptor"));
	return unused;
}

static void last_error(void)
{
	pthread_t thread;
	char long_text[5000] = "\"";
	unsigned i;
	CHECK(!*hakuban_go_last_error());
	hakuban_exchange_drop(NULL);
	CHECK(!strcmp(hakuban_go_last_error(), "null, where an exchange was expected"));
	CHECK(!pthread_create(&thread, NULL, error_of_another_thread, NULL));
	pthread_join(thread, NULL);
	CHECK(!strcmp(hakuban_go_last_error(), "null, where an exchange was expected"));
	for (i = 1; i + 3 < sizeof long_text; i += 2)
		memcpy(long_text + i, "\xc3\xa9", 2);
	long_text[i] = '\xff'; /* not UTF-8, at its end */
	CHECK(hakuban_tag_descriptor_new(long_text).status == HAKUBAN_INVALID_STRING);
	CHECK(strlen(hakuban_go_last_error()) > 900);
}

static void forks(void)
{
	HakubanExchange *exchange = new_exchange();
	HakubanObjectDescriptor *object = new_object("1");
	HakubanObjectObserveContract *observe = hakuban_object_observe_contract_new(exchange, object);
	int status;
	pid_t child = fork();
	if (child == 0) {
		alarm(20); /* a call that hangs */
		CHECK(hakuban_exchange_new().status == HAKUBAN_GO_FORKED);
		CHECK(!hakuban_object_observe_contract_next(observe));
		CHECK(hakuban_future_await(NULL).status == HAKUBAN_GO_FORKED);
		CHECK(!hakuban_object_descriptor_json(object));
		CHECK(hakuban_object_state_synchronized_ago(NULL) == UINT64_MAX);
		CHECK(hakuban_go_log_to(1, NULL, NULL) == HAKUBAN_GO_FORKED);
		CHECK(strstr(hakuban_go_last_error(), "forked"));
		hakuban_exchange_drop(exchange);
		exit(0); /* with all that runs then */
	}
	CHECK(child > 0 && waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	hakuban_object_state_stream_drop(awaited(hakuban_object_observe_contract_next(observe)));
	hakuban_object_observe_contract_drop(observe);
	hakuban_object_descriptor_drop(object);
	hakuban_exchange_drop(exchange);
}

typedef struct World {
	HakubanExchange *exchange;
	HakubanObjectObserveContract *observe;
	HakubanObjectExposeContract *expose;
	HakubanObjectStateStream *stream;
	HakubanObjectStateSink *sink;
} World;

static World new_world(void)
{
	World w;
	HakubanObjectDescriptor *object = new_object("\"world\"");
	w.exchange = new_exchange();
	w.observe = hakuban_object_observe_contract_new(w.exchange, object);
	w.expose = hakuban_object_expose_contract_new(w.exchange, object, 1);
	w.stream = awaited(hakuban_object_observe_contract_next(w.observe));
	w.sink = awaited(hakuban_object_expose_contract_next(w.expose));
	hakuban_object_descriptor_drop(object);
	return w;
}

static void end_world(World w)
{
	hakuban_object_state_stream_drop(w.stream);
	hakuban_object_state_sink_drop(w.sink);
	hakuban_object_observe_contract_drop(w.observe);
	hakuban_object_expose_contract_drop(w.expose);
	hakuban_exchange_drop(w.exchange);
}

static uint8_t send_now(World w, const char *data, int64_t version)
{
	HakubanObjectState *state = new_state(data, version);
	uint8_t status = hakuban_go_object_state_sink_send(w.sink, state);
	hakuban_object_state_drop(state);
	return status;
}

static void timeouts(void)
{
	World w = new_world();
	HakubanFuture *future = hakuban_object_state_stream_next(w.stream), *clone = hakuban_future_clone(future);
	CHECK(hakuban_go_future_await_timeout(future, 0).status == HAKUBAN_PENDING);
	CHECK(hakuban_go_future_await_timeout(future, 1000).status == HAKUBAN_PENDING);
	CHECK(send_now(w, "a", 1) == HAKUBAN_OK);
	CHECK(data_is(awaited(future), "a"));
	CHECK(hakuban_go_future_await_timeout(future, 0).status == HAKUBAN_GO_INVALID_HANDLE);
	CHECK(hakuban_future_await(clone).status == HAKUBAN_END_OF_STREAM); /* the result was given */

	/* What a dropped future had, the next one has. */
	future = hakuban_object_state_stream_next(w.stream);
	CHECK(hakuban_go_future_await_timeout(future, 0).status == HAKUBAN_PENDING);
	CHECK(send_now(w, "b", 2) == HAKUBAN_OK);
	hakuban_future_drop(future);
	CHECK(data_is(awaited(hakuban_object_state_stream_next(w.stream)), "b"));

	/* Of several futures of a stream, a state is given to one; a newer one replaces what was given back. */
	future = hakuban_object_state_stream_next(w.stream);
	CHECK(send_now(w, "c", 3) == HAKUBAN_OK);
	CHECK(hakuban_go_future_descriptor(future) >= 0); /* it has begun, and has the state */
	CHECK(send_now(w, "d", 4) == HAKUBAN_OK);
	hakuban_future_drop(future);
	CHECK(data_is(awaited(hakuban_object_state_stream_next(w.stream)), "d"));
	CHECK(hakuban_go_future_await_timeout(hakuban_object_state_stream_next(w.stream), 0).status == HAKUBAN_PENDING);

	/* The same of contracts: the sink that a dropped future had comes again. */
	hakuban_object_state_sink_drop(w.sink);
	future = hakuban_object_expose_contract_next(w.expose);
	CHECK(hakuban_go_future_descriptor(future) >= 0);
	hakuban_future_drop(future);
	w.sink = awaited(hakuban_object_expose_contract_next(w.expose));
	CHECK(send_now(w, "e", 5) == HAKUBAN_OK);
	end_world(w);
}

static int readable(int descriptor, int milliseconds)
{
	struct pollfd poller = {descriptor, POLLIN, 0};
	return poll(&poller, 1, milliseconds) == 1 && poller.revents & POLLIN;
}

static void descriptors(void)
{
	World w = new_world();
	HakubanFuture *future = hakuban_object_state_stream_next(w.stream), *clone = hakuban_future_clone(future), *many[100];
	int descriptor = hakuban_go_future_descriptor(future), i;
	CHECK(descriptor >= 0 && hakuban_go_future_descriptor(clone) == descriptor);
	CHECK(!readable(descriptor, 0));
	CHECK(send_now(w, "a", 1) == HAKUBAN_OK);
	CHECK(readable(descriptor, 30000));
	CHECK(data_is(pointer_of(hakuban_go_future_await_timeout(future, 0)), "a"));
	CHECK(readable(descriptor, 0)); /* it is the clone's, too */
	hakuban_future_drop(clone);
	CHECK(!readable(descriptor, 0)); /* closed */

	for (i = 0; i < 100; i++) {
		many[i] = hakuban_object_state_stream_next(w.stream);
		CHECK((descriptor = hakuban_go_future_descriptor(many[i])) >= 0 && !readable(descriptor, 0));
	}
	hakuban_object_state_stream_drop(w.stream);
	for (i = 0; i < 100; i++) {
		CHECK(readable(hakuban_go_future_descriptor(many[i]), 30000));
		CHECK(hakuban_future_await(many[i]).status == HAKUBAN_END_OF_STREAM);
	}
	w.stream = awaited(hakuban_object_observe_contract_next(w.observe));
	end_world(w);
}

static void sending_now(void)
{
	World w = new_world();
	HakubanObjectState *state = new_state("late", 4);
	CHECK(send_now(w, "a", 5) == HAKUBAN_OK);
	CHECK(send_now(w, "b", 4) == HAKUBAN_GO_STALE);
	CHECK(*hakuban_go_last_error());
	CHECK(hakuban_future_await(hakuban_object_state_sink_send(w.sink, state)).status == HAKUBAN_OK);
	CHECK(data_is(awaited(hakuban_object_state_stream_next(w.stream)), "a"));
	hakuban_object_state_drop(state);
	state = pointer_of(hakuban_object_state_new(0, NULL, 0, NULL, 1, (const uint8_t *)"c", 0)); /* a version from the clock */
	CHECK(hakuban_go_object_state_sink_send(w.sink, state) == HAKUBAN_OK);
	hakuban_object_state_drop(state);
	state = awaited(hakuban_object_state_stream_next(w.stream));
	CHECK(hakuban_object_state_version(state).length > 0);
	CHECK(data_is(state, "c"));
	state = pointer_of(hakuban_object_state_new(0, NULL, 0, NULL, 0, NULL, UINT64_MAX)); /* as old as can be */
	CHECK(hakuban_object_state_synchronized_ago(state) > 0);
	hakuban_object_state_drop(state);
	hakuban_object_observe_contract_drop(w.observe);
	CHECK(send_now(w, "d", 6) == HAKUBAN_END_OF_STREAM);
	end_world(w);
}

/* Waits until a connector has a name from upstream. The library has no event for it: it is looked at again and again. */
static HakubanOwnedArray upstream_name(HakubanConnector *connector)
{
	struct timespec pause = {0, 5000000};
	time_t begin = time(NULL);
	HakubanOwnedArray name;
	while (!(name = hakuban_go_websocket_connector_upstream_name(connector)).length) {
		hakuban_array_drop(name);
		CHECK(time(NULL) - begin < 30);
		nanosleep(&pause, NULL);
	}
	return name;
}

/* The number of a connector's link; 0: there is none. */
static uint64_t link_of(HakubanConnector *connector)
{
	HakubanGoLinkState state;
	CHECK(hakuban_go_websocket_connector_state(connector, &state) == HAKUBAN_OK);
	CHECK(state.connected == (state.link != 0));
	return state.link;
}

/* Waits until a connector's link is another than the one of this number, and returns the new one. */
static uint64_t link_after(HakubanConnector *connector, uint64_t link)
{
	CHECK(hakuban_go_future_await_timeout(hakuban_go_websocket_connector_changed(connector, link), LONG).status == HAKUBAN_OK);
	return link_of(connector);
}

/* A connector tells of each change of its link, to whoever waits, and that there will be no more. */
static void link_changes(void)
{
	HakubanRuntime *above = hakuban_tokio_init_multi_thread(0), *below = hakuban_tokio_init_multi_thread(0);
	HakubanExchange *top = new_exchange(), *bottom = new_exchange();
	HakubanGoListener *listener = pointer_of(hakuban_go_websocket_listener_new(above, top, "ws://127.0.0.1:0"));
	char *url = strdup(hakuban_go_websocket_listener_url(listener));
	HakubanConnector *connector = pointer_of(hakuban_tokio_websocket_connector_new(below, bottom, url));
	HakubanFuture *others[20], *dropped, *last;
	uint64_t first = link_after(connector, 0), second, i;
	CHECK(first != 0);
	CHECK(hakuban_future_await(hakuban_go_websocket_connector_changed(connector, 0)).status == HAKUBAN_OK); /* it has changed */
	for (i = 0; i < 20; i++) {
		others[i] = hakuban_go_websocket_connector_changed(connector, first);
		CHECK(hakuban_go_future_descriptor(others[i]) >= 0);
	}
	dropped = hakuban_go_websocket_connector_changed(connector, first);
	CHECK(hakuban_go_future_await_timeout(dropped, 0).status == HAKUBAN_PENDING);
	hakuban_future_drop(dropped);

	hakuban_go_websocket_listener_drop(listener);
	for (i = 0; i < 20; i++)
		CHECK(hakuban_future_await(others[i]).status == HAKUBAN_OK);
	CHECK(link_of(connector) == 0);
	listener = pointer_of(hakuban_go_websocket_listener_new(above, top, url)); /* the same port again */
	CHECK((second = link_after(connector, 0)) != 0 && second != first);

	last = hakuban_go_websocket_connector_changed(connector, second);
	CHECK(hakuban_go_future_await_timeout(last, 0).status == HAKUBAN_PENDING);
	CHECK(hakuban_go_runtime_close(below) == HAKUBAN_OK);
	CHECK(hakuban_future_await(last).status == HAKUBAN_OK);
	CHECK(hakuban_future_await(hakuban_go_websocket_connector_changed(connector, 0)).status == HAKUBAN_END_OF_STREAM);
	hakuban_tokio_websocket_connector_drop(connector);
	hakuban_go_websocket_listener_drop(listener);
	CHECK(hakuban_go_runtime_close(above) == HAKUBAN_OK);
	hakuban_exchange_drop(top);
	hakuban_exchange_drop(bottom);
	free(url);
}

static void listeners(void)
{
	HakubanRuntime *runtime = hakuban_tokio_init_multi_thread(0), *other = hakuban_tokio_init_multi_thread(0);
	HakubanExchange *top = new_exchange(), *bottom = new_exchange();
	HakubanGoListener *listener = pointer_of(hakuban_go_websocket_listener_new(runtime, top, "ws://127.0.0.1:0#name=top-of-all"));
	HakubanConnector *connector = pointer_of(hakuban_tokio_websocket_connector_new(other, bottom, hakuban_go_websocket_listener_url(listener)));
	HakubanObjectDescriptor *object = new_object("1");
	HakubanObjectExposeContract *expose = hakuban_object_expose_contract_new(bottom, object, 1);
	HakubanObjectObserveContract *observe = hakuban_object_observe_contract_new(top, object);
	World w = {top, observe, expose, awaited(hakuban_object_observe_contract_next(observe)),
	           awaited(hakuban_object_expose_contract_next(expose))};
	HakubanOwnedArray name;
	uint64_t link = link_after(connector, 0);
	CHECK(send_now(w, "from below", 1) == HAKUBAN_OK);
	CHECK(data_is(awaited(hakuban_object_state_stream_next(w.stream)), "from below"));
	name = upstream_name(connector);
	CHECK(name.length == strlen("top-of-all") && !memcmp(name.pointer, "top-of-all", name.length));
	hakuban_array_drop(name);
	hakuban_array_drop(name);
	CHECK(hakuban_go_object_expose_contract_set_capacity(expose, 7) == HAKUBAN_OK);
	CHECK(hakuban_go_websocket_listener_new(runtime, top, hakuban_go_websocket_listener_url(listener)).status == HAKUBAN_GO_FAILED);
	CHECK(hakuban_go_websocket_listener_new(runtime, top, "ws://127.0.0.1").status == HAKUBAN_INVALID_URL);

	CHECK(hakuban_go_runtime_close(runtime) == HAKUBAN_OK);
	CHECK(link != 0 && link_after(connector, link) == 0);
	CHECK(hakuban_go_runtime_close(runtime) == HAKUBAN_GO_INVALID_HANDLE);
	CHECK(hakuban_go_websocket_listener_url(listener) != NULL);
	hakuban_go_websocket_listener_drop(listener);
	CHECK(hakuban_go_runtime_close(other) == HAKUBAN_OK);
	hakuban_tokio_websocket_connector_drop(connector);
	hakuban_exchange_drop(bottom);
	hakuban_object_descriptor_drop(object);
	end_world(w);
}

static void closed_exchange(void)
{
	World w = new_world();
	HakubanObjectDescriptor *object = new_object("1");
	HakubanExchange *clone = hakuban_exchange_clone(w.exchange);
	HakubanRuntime *runtime = hakuban_tokio_init_multi_thread(0);
	HakubanFuture *future = hakuban_object_state_stream_next(w.stream);
	CHECK(hakuban_go_future_await_timeout(future, 0).status == HAKUBAN_PENDING);
	CHECK(hakuban_go_exchange_close(clone) == HAKUBAN_OK);
	CHECK(hakuban_future_await(future).status == HAKUBAN_END_OF_STREAM);
	CHECK(send_now(w, "a", 1) == HAKUBAN_END_OF_STREAM);
	CHECK(hakuban_future_await(hakuban_object_expose_contract_next(w.expose)).status == HAKUBAN_END_OF_STREAM);
	CHECK(!hakuban_object_observe_contract_new(w.exchange, object));
	CHECK(hakuban_go_object_expose_contract_set_capacity(w.expose, 2) == HAKUBAN_GO_CLOSED);
	CHECK(hakuban_tokio_websocket_connector_new(runtime, clone, "ws://127.0.0.1:1").status == HAKUBAN_GO_CLOSED);
	CHECK(hakuban_go_runtime_close(runtime) == HAKUBAN_OK);
	hakuban_object_descriptor_drop(object);
	hakuban_exchange_drop(clone);
	end_world(w);
}

typedef struct Log {
	pthread_mutex_t mutex;
	pthread_cond_t grown;
	int count, refused;
	char last[200];
} Log;

static void take_message(void *user, uint8_t level, const char *message)
{
	Log *log = user;
	uint8_t status = hakuban_go_log_to(HAKUBAN_GO_LOG_OFF, NULL, NULL);
	hakuban_exchange_drop(new_exchange()); /* anything else can be called */
	pthread_mutex_lock(&log->mutex);
	log->count++;
	log->refused += status == HAKUBAN_GO_INVALID_ARGUMENT;
	snprintf(log->last, sizeof log->last, "%u %s", level, message);
	pthread_cond_signal(&log->grown);
	pthread_mutex_unlock(&log->mutex);
}

static void logs(void)
{
	static Log log = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, ""};
	HakubanRuntime *runtime = hakuban_tokio_init_multi_thread(0);
	HakubanExchange *exchange = new_exchange();
	int count;
	CHECK(hakuban_go_log_to(9, take_message, &log) == HAKUBAN_GO_INVALID_ARGUMENT);
	CHECK(hakuban_go_log_to(HAKUBAN_GO_LOG_INFO, take_message, &log) == HAKUBAN_OK);
	hakuban_go_websocket_listener_drop(pointer_of(hakuban_go_websocket_listener_new(runtime, exchange, "ws://127.0.0.1:0")));
	pthread_mutex_lock(&log.mutex);
	while (!log.count)
		pthread_cond_wait(&log.grown, &log.mutex);
	CHECK(log.refused == log.count);
	CHECK(strstr(log.last, "listening") && strstr(log.last, "ws://127.0.0.1:"));
	pthread_mutex_unlock(&log.mutex);
	CHECK(hakuban_go_log_to(HAKUBAN_GO_LOG_ERROR, NULL, NULL) == HAKUBAN_OK);
	count = log.count; /* nobody writes it any more */
	hakuban_go_websocket_listener_drop(pointer_of(hakuban_go_websocket_listener_new(runtime, exchange, "ws://127.0.0.1:0")));
	CHECK(log.count == count);
	hakuban_exchange_drop(exchange);
	CHECK(hakuban_go_runtime_close(runtime) == HAKUBAN_OK);
}

static HakubanFuture *shared;

static void *drop_shared(void *unused)
{
	hakuban_future_drop(shared);
	return unused;
}

static void *await_shared(void *seen)
{
	*(uint8_t *)seen = hakuban_future_await(shared).status;
	return NULL;
}

/* Threads that use and drop one handle at the same moment: one wins, nobody is harmed. */
static void races(void)
{
	World w = new_world();
	int round;
	for (round = 0; round < 300; round++) {
		pthread_t threads[4];
		uint8_t seen[2] = {0, 0};
		shared = hakuban_object_state_stream_next(w.stream);
		CHECK(!pthread_create(&threads[0], NULL, await_shared, &seen[0]));
		CHECK(!pthread_create(&threads[1], NULL, drop_shared, NULL));
		CHECK(!pthread_create(&threads[2], NULL, await_shared, &seen[1]));
		CHECK(!pthread_create(&threads[3], NULL, drop_shared, NULL));
		/* When an await takes the handle first, the drops are ignored, and a state ends it. */
		CHECK(send_now(w, "a", round + 1) == HAKUBAN_OK);
		for (int i = 0; i < 4; i++)
			pthread_join(threads[i], NULL);
		for (int i = 0; i < 2; i++)
			CHECK(seen[i] == HAKUBAN_POINTER || seen[i] == HAKUBAN_END_OF_STREAM || seen[i] == HAKUBAN_GO_INVALID_HANDLE);
	}
	end_world(w);
}

static const struct {
	const char *name;
	void (*run)(void);
} checks[] = {
	{"last_error", last_error},   {"bad_handles", bad_handles}, {"bad_arguments", bad_arguments}, {"forks", forks},
	{"timeouts", timeouts},       {"descriptors", descriptors}, {"sending_now", sending_now},     {"listeners", listeners},
	{"link_changes", link_changes},   {"closed_exchange", closed_exchange}, {"logs", logs},       {"races", races},
};

int main(void)
{
	size_t i;
	CHECK(hakuban_go_abi_version() == HAKUBAN_GO_ABI_VERSION);
	for (i = 0; i < sizeof checks / sizeof *checks; i++) {
		checks[i].run();
		printf("%s\n", checks[i].name);
		fflush(stdout);
	}
	return 0;
}
