/*
 * Two processes and a router. "expose" produces until nobody observes any more; "observe" looks, and leaves. Each begins when it likes.
 */
#include "harness.h"

/* Ends a sink that nobody observes any more. */
static void until_revoked(HakubanObjectStateSink *sink)
{
	HakubanResult result;
	while ((result = hakuban_future_await(hakuban_object_state_sink_next(sink))).status == HAKUBAN_POINTER)
		hakuban_object_state_sink_params_drop(result.pointer);
	say("the sink: %s", status_name(result.status));
	hakuban_object_state_sink_drop(sink);
}

/* Waits for the state of a version. */
static HakubanObjectState *state_of_version(HakubanObjectStateStream *stream, int64_t version)
{
	for (;;) {
		HakubanObjectState *state = state_of(stream);
		HakubanBorrowedArray seen = hakuban_object_state_version(state);
		if (seen.length && *(int64_t *)seen.pointer >= version)
			return state;
		hakuban_object_state_drop(state);
	}
}

static void link_object(const char *url, const char *role)
{
	Linked linked = link_to(url);
	HakubanObjectDescriptor *object = new_object("{\"room\":1}", "\"rooms\"", NULL);
	if (!strcmp(role, "expose")) {
		HakubanObjectExposeContract *expose = hakuban_object_expose_contract_new(linked.exchange, object, 1);
		HakubanObjectStateSink *sink = sink_of(expose);
		say("send: %s", status_name(send_state(sink, "over the wire", 1)));
		until_revoked(sink);
		hakuban_object_expose_contract_drop(expose);
	} else {
		HakubanObjectObserveContract *observe = hakuban_object_observe_contract_new(linked.exchange, object);
		HakubanObjectStateStream *stream = stream_of(observe);
		show_object("stream", hakuban_object_state_stream_descriptor(stream));
		show_state("seen", state_of_version(stream, 1));
		hakuban_object_state_stream_drop(stream);
		hakuban_object_observe_contract_drop(observe);
		pause_briefly(); /* so that the router is told */
	}
	hakuban_object_descriptor_drop(object);
	unlink_from(linked);
}

static void link_tag_exposes(const char *url, const char *role)
{
	enum { COUNT = 5 };
	Linked linked = link_to(url);
	int i;
	if (!strcmp(role, "expose")) {
		HakubanTagDescriptor *tag = new_tag("\"many\"");
		HakubanTagExposeContract *expose = hakuban_tag_expose_contract_new(linked.exchange, tag, COUNT);
		HakubanObjectStateSink *sinks[COUNT];
		for (i = 0; i < COUNT; i++) {
			HakubanObjectDescriptor *object;
			sinks[i] = tag_sink_of(expose);
			object = hakuban_object_state_sink_descriptor(sinks[i]);
			send_state(sinks[i], hakuban_object_descriptor_json(object), 1);
			hakuban_object_descriptor_drop(object);
		}
		for (i = 0; i < COUNT; i++)
			until_revoked(sinks[i]);
		hakuban_tag_expose_contract_drop(expose);
		hakuban_tag_descriptor_drop(tag);
	} else {
		HakubanObjectObserveContract *observe[COUNT];
		for (i = 0; i < COUNT; i++) {
			char json[16];
			snprintf(json, sizeof json, "%d", i);
			HakubanObjectDescriptor *object = new_object(json, "\"many\"", NULL);
			observe[i] = hakuban_object_observe_contract_new(linked.exchange, object);
			hakuban_object_descriptor_drop(object);
		}
		for (i = 0; i < COUNT; i++) {
			HakubanObjectStateStream *stream = stream_of(observe[i]);
			show_state("seen", state_of_version(stream, 1));
			hakuban_object_state_stream_drop(stream);
		}
		for (i = 0; i < COUNT; i++)
			hakuban_object_observe_contract_drop(observe[i]);
		pause_briefly();
	}
	unlink_from(linked);
}

static void link_tag_observes(const char *url, const char *role)
{
	Linked linked = link_to(url);
	if (!strcmp(role, "expose")) {
		HakubanObjectDescriptor *object = new_object("\"found by its tag\"", "[\"a\",{\"b\":1.5}]", NULL);
		HakubanObjectExposeContract *expose = hakuban_object_expose_contract_new(linked.exchange, object, 1);
		HakubanObjectStateSink *sink = sink_of(expose);
		say("send: %s", status_name(send_state(sink, "hello", 1)));
		until_revoked(sink);
		hakuban_object_expose_contract_drop(expose);
		hakuban_object_descriptor_drop(object);
	} else {
		HakubanTagDescriptor *tag = new_tag("[\"a\", {\"b\": 1.5}]");
		HakubanTagObserveContract *observe = hakuban_tag_observe_contract_new(linked.exchange, tag);
		HakubanObjectStateStream *stream = tag_stream_of(observe);
		show_object("stream", hakuban_object_state_stream_descriptor(stream));
		show_state("seen", state_of_version(stream, 1));
		hakuban_object_state_stream_drop(stream);
		hakuban_tag_observe_contract_drop(observe);
		hakuban_tag_descriptor_drop(tag);
		pause_briefly();
	}
	unlink_from(linked);
}

enum { LARGE = 4 * 1000 * 1000, EDITS = 10 };

/* The bytes of a version of a large state. */
static void fill(uint8_t *data, int64_t version)
{
	size_t i;
	for (i = 0; i < LARGE; i++)
		data[i] = (uint8_t)(i * 2654435761u >> 11);
	for (i = 0; i < 1000; i++)
		data[(i * 3989 + (size_t)version * 977) % LARGE] = (uint8_t)version;
}

static void link_large_states(const char *url, const char *role)
{
	Linked linked = link_to(url);
	HakubanObjectDescriptor *object = new_object("\"large\"", NULL);
	uint8_t *data = malloc(LARGE);
	int64_t version;
	if (!strcmp(role, "expose")) {
		HakubanObjectExposeContract *expose = hakuban_object_expose_contract_new(linked.exchange, object, 1);
		HakubanObjectStateSink *sink = sink_of(expose);
		for (version = 1; version <= EDITS; version++) {
			HakubanObjectState *state;
			fill(data, version);
			state = pointer_of(hakuban_object_state_new(1, &version, 0, NULL, LARGE, data, 0), "state");
			hakuban_future_await(hakuban_object_state_sink_send(sink, state));
			hakuban_object_state_drop(state);
		}
		until_revoked(sink);
		hakuban_object_expose_contract_drop(expose);
	} else {
		HakubanObjectObserveContract *observe = hakuban_object_observe_contract_new(linked.exchange, object);
		HakubanObjectStateStream *stream = stream_of(observe);
		HakubanObjectState *state = state_of_version(stream, EDITS);
		HakubanBorrowedArray seen = hakuban_object_state_data(state);
		fill(data, EDITS);
		say("%zu bytes, %s", seen.length, seen.length == LARGE && !memcmp(seen.pointer, data, LARGE) ? "the same" : "others");
		hakuban_object_state_drop(state);
		hakuban_object_state_stream_drop(stream);
		hakuban_object_observe_contract_drop(observe);
		pause_briefly();
	}
	free(data);
	hakuban_object_descriptor_drop(object);
	unlink_from(linked);
}

static void link_flag(const char *url, const char *role)
{
	Linked linked = link_to(url);
	HakubanObjectDescriptor *object = new_object("\"flag\"", NULL);
	if (!strcmp(role, "expose")) {
		HakubanObjectExposeContract *expose = hakuban_object_expose_contract_new(linked.exchange, object, 1);
		HakubanObjectStateSink *sink = sink_of(expose);
		HakubanObjectState *state = new_state("old news", 1, 90000000);
		say("send: %s", status_name(hakuban_future_await(hakuban_object_state_sink_send(sink, state)).status));
		hakuban_object_state_drop(state);
		until_revoked(sink);
		hakuban_object_expose_contract_drop(expose);
	} else {
		HakubanObjectObserveContract *observe = hakuban_object_observe_contract_new(linked.exchange, object);
		HakubanObjectStateStream *stream = stream_of(observe);
		HakubanObjectState *state = state_of_version(stream, 1);
		uint64_t ago = hakuban_object_state_synchronized_ago(state);
		say("%s", ago >= 90000000 && ago < 150000000 ? "about 90 s ago" : "another time");
		show_state("seen", state);
		hakuban_object_state_stream_drop(stream);
		hakuban_object_observe_contract_drop(observe);
		pause_briefly();
	}
	hakuban_object_descriptor_drop(object);
	unlink_from(linked);
}

/* The router is killed and started again between "before" and "after"; a line on stdin says so. */
static void link_reconnect(const char *url, const char *role)
{
	Linked linked = link_to(url);
	HakubanObjectDescriptor *object = new_object("\"persistent\"", NULL);
	if (!strcmp(role, "expose")) {
		HakubanObjectExposeContract *expose = hakuban_object_expose_contract_new(linked.exchange, object, 1);
		HakubanObjectStateSink *sink = sink_of(expose);
		HakubanResult result;
		send_state(sink, "before", 1);
		wait_for_line();
		/* The link's end may have taken the sink; then there is another once the link is back. */
		send_state(sink, "after", 2);
		while ((result = hakuban_future_await(hakuban_object_state_sink_next(sink))).status == HAKUBAN_POINTER)
			hakuban_object_state_sink_params_drop(result.pointer);
		hakuban_object_state_sink_drop(sink);
		sink = sink_of(expose);
		send_state(sink, "after", 3);
		until_revoked(sink);
		hakuban_object_expose_contract_drop(expose);
	} else {
		HakubanObjectObserveContract *observe = hakuban_object_observe_contract_new(linked.exchange, object);
		HakubanObjectStateStream *stream = stream_of(observe);
		show_state("seen", state_of_version(stream, 1));
		show_state("seen", state_of_version(stream, 3));
		hakuban_object_state_stream_drop(stream);
		hakuban_object_observe_contract_drop(observe);
		pause_briefly();
	}
	hakuban_object_descriptor_drop(object);
	unlink_from(linked);
}

const Scenario link_scenarios[] = {
	{"link_object", link_object},
	{"link_tag_exposes", link_tag_exposes},
	{"link_tag_observes", link_tag_observes},
	{"link_large_states", link_large_states},
	{"link_flag", link_flag},
	{"link_reconnect", link_reconnect},
	{NULL, NULL},
};
