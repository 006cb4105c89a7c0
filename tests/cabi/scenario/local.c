/* Contracts within one process. */
#include "harness.h"

static void object_meets_object(const char *url, const char *role)
{
	HakubanExchange *exchange = new_exchange();
	HakubanObjectDescriptor *object = new_object("\"o\"", "\"t\"", NULL);
	HakubanObjectExposeContract *expose = hakuban_object_expose_contract_new(exchange, object, 3);
	HakubanObjectObserveContract *observe = hakuban_object_observe_contract_new(exchange, object);
	HakubanObjectStateSink *sink = sink_of(expose);
	HakubanObjectStateStream *stream = stream_of(observe);
	HakubanObjectStateSinkParams *params = pointer_of(hakuban_future_await(hakuban_object_state_sink_next(sink)), "params");
	(void)url, (void)role;
	hakuban_object_state_sink_params_drop(hakuban_object_state_sink_params_clone(params));
	hakuban_object_state_sink_params_drop(params);
	hakuban_object_descriptor_drop(object);
	show_object("sink", hakuban_object_state_sink_descriptor(sink));
	show_object("stream", hakuban_object_state_stream_descriptor(stream));
	say("send: %s", status_name(send_state(sink, "hello", 1)));
	show_state("seen", state_of(stream));
	hakuban_object_state_stream_drop(stream);
	hakuban_object_observe_contract_drop(observe);
	say("nobody looks: %s", status_name(hakuban_future_await(hakuban_object_state_sink_next(sink)).status));
	hakuban_object_state_sink_drop(sink);
	hakuban_object_expose_contract_drop(expose);
	hakuban_exchange_drop(exchange);
}

static void tag_exposes(const char *url, const char *role)
{
	HakubanExchange *exchange = new_exchange();
	HakubanTagDescriptor *tag = new_tag("\"t\"");
	HakubanTagExposeContract *expose = hakuban_tag_expose_contract_new(exchange, tag, 100);
	int i;
	(void)url, (void)role;
	hakuban_tag_descriptor_drop(tag);
	for (i = 0; i < 3; i++) {
		char json[16];
		snprintf(json, sizeof json, "%d", i);
		HakubanObjectDescriptor *object = new_object(json, "\"t\"", NULL);
		HakubanObjectObserveContract *observe = hakuban_object_observe_contract_new(exchange, object);
		HakubanObjectStateSink *sink = tag_sink_of(expose);
		HakubanObjectStateStream *stream = stream_of(observe);
		hakuban_object_descriptor_drop(object);
		show_object("sink", hakuban_object_state_sink_descriptor(sink));
		say("send: %s", status_name(send_state(sink, json, 1)));
		show_state("seen", state_of(stream));
		hakuban_object_state_stream_drop(stream);
		hakuban_object_observe_contract_drop(observe);
		hakuban_object_state_sink_drop(sink); /* after its observer: or the contract is given another */
	}
	hakuban_tag_expose_contract_drop(expose);
	hakuban_exchange_drop(exchange);
}

static void tag_observes(const char *url, const char *role)
{
	HakubanExchange *exchange = new_exchange();
	HakubanTagDescriptor *tag = new_tag("\"t\"");
	HakubanTagObserveContract *observe = hakuban_tag_observe_contract_new(exchange, tag);
	HakubanObjectDescriptor *object = new_object("\"o\"", "\"t\"", "\"u\"", NULL);
	HakubanObjectExposeContract *expose = hakuban_object_expose_contract_new(exchange, object, 1);
	HakubanObjectStateSink *sink = sink_of(expose);
	HakubanObjectStateStream *stream = tag_stream_of(observe);
	(void)url, (void)role;
	hakuban_tag_descriptor_drop(tag);
	hakuban_object_descriptor_drop(object);
	show_object("stream", hakuban_object_state_stream_descriptor(stream));
	say("send: %s", status_name(send_state(sink, "hello", 1)));
	show_state("seen", state_of(stream));
	hakuban_object_state_sink_drop(sink);
	hakuban_object_expose_contract_drop(expose);
	say("the object is gone: %s", status_name(hakuban_future_await(hakuban_object_state_stream_next(stream)).status));
	hakuban_object_state_stream_drop(stream);
	hakuban_tag_observe_contract_drop(observe);
	hakuban_exchange_drop(exchange);
}

static void another_exposer_takes_over(const char *url, const char *role)
{
	HakubanExchange *exchange = new_exchange();
	HakubanTagDescriptor *tag = new_tag("\"t\"");
	HakubanObjectDescriptor *object = new_object("\"o\"", "\"t\"", NULL);
	HakubanObjectObserveContract *observe = hakuban_object_observe_contract_new(exchange, object);
	HakubanTagExposeContract *by_tag = hakuban_tag_expose_contract_new(exchange, tag, 1);
	HakubanObjectStateSink *first = tag_sink_of(by_tag), *second;
	HakubanObjectExposeContract *by_object = hakuban_object_expose_contract_new(exchange, object, 1);
	HakubanObjectStateStream *stream = stream_of(observe);
	(void)url, (void)role;
	say("send: %s", status_name(send_state(first, "by tag", 1)));
	show_state("seen", state_of(stream));
	hakuban_tag_expose_contract_drop(by_tag);
	second = sink_of(by_object);
	say("the tag's sink: %s", status_name(hakuban_future_await(hakuban_object_state_sink_next(first)).status));
	hakuban_object_state_sink_drop(first);
	say("send: %s", status_name(send_state(second, "by object", 2)));
	HakubanObjectState *state = state_of(stream);
	if (*(int64_t *)hakuban_object_state_version(state).pointer == 1) { /* still the old one, which is "last at" now */
		hakuban_object_state_drop(state);
		state = state_of(stream);
	}
	show_state("seen", state);
	hakuban_object_state_sink_drop(second);
	hakuban_object_expose_contract_drop(by_object);
	hakuban_object_state_stream_drop(stream);
	hakuban_object_observe_contract_drop(observe);
	hakuban_object_descriptor_drop(object);
	hakuban_tag_descriptor_drop(tag);
	hakuban_exchange_drop(exchange);
}

static void dropped_ones_come_again(const char *url, const char *role)
{
	HakubanExchange *exchange = new_exchange();
	HakubanObjectDescriptor *object = new_object("\"o\"", NULL);
	HakubanObjectExposeContract *expose = hakuban_object_expose_contract_new(exchange, object, 1);
	HakubanObjectObserveContract *observe = hakuban_object_observe_contract_new(exchange, object);
	int64_t i;
	(void)url, (void)role;
	for (i = 1; i <= 3; i++) {
		HakubanObjectStateSink *sink = sink_of(expose);
		HakubanObjectStateStream *stream = stream_of(observe);
		say("send: %s", status_name(send_state(sink, "again", i)));
		show_state("seen", state_of(stream));
		hakuban_object_state_stream_drop(stream);
		hakuban_object_state_sink_drop(sink);
	}
	hakuban_object_observe_contract_drop(observe);
	hakuban_object_expose_contract_drop(expose);
	hakuban_object_descriptor_drop(object);
	hakuban_exchange_drop(exchange);
}

static void exchange_by_its_clone(const char *url, const char *role)
{
	HakubanExchange *exchange = new_exchange(), *clone = hakuban_exchange_clone(exchange);
	HakubanObjectDescriptor *object = new_object("\"o\"", NULL);
	HakubanObjectObserveContract *observe = hakuban_object_observe_contract_new(exchange, object);
	HakubanObjectExposeContract *expose;
	HakubanObjectStateSink *sink;
	HakubanObjectStateStream *stream;
	(void)url, (void)role;
	hakuban_exchange_drop(exchange);
	expose = hakuban_object_expose_contract_new(clone, object, 1);
	hakuban_exchange_drop(clone); /* the contracts keep it */
	hakuban_object_descriptor_drop(object);
	sink = sink_of(expose);
	stream = stream_of(observe);
	say("send: %s", status_name(send_state(sink, "alive", 1)));
	show_state("seen", state_of(stream));
	hakuban_object_state_sink_drop(sink);
	hakuban_object_state_stream_drop(stream);
	hakuban_object_expose_contract_drop(expose);
	hakuban_object_observe_contract_drop(observe);
}

static void many_handles(const char *url, const char *role)
{
	enum { COUNT = 20000 };
	static HakubanObjectDescriptor *objects[COUNT];
	static HakubanObjectObserveContract *contracts[COUNT];
	HakubanExchange *exchange = new_exchange();
	int i;
	(void)url, (void)role;
	for (i = 0; i < COUNT; i++) {
		char json[16];
		snprintf(json, sizeof json, "%d", i);
		objects[i] = new_object(json, "\"t\"", NULL);
		contracts[i] = hakuban_object_observe_contract_new(exchange, objects[i]);
		hakuban_object_state_drop(new_state(json, i, 0));
	}
	for (i = 0; i < COUNT; i++) {
		if (atoi(hakuban_object_descriptor_json(objects[i])) != i)
			FAIL("object %d is %s", i, hakuban_object_descriptor_json(objects[i]));
		hakuban_object_observe_contract_drop(contracts[i]);
		hakuban_object_descriptor_drop(objects[i]);
	}
	hakuban_exchange_drop(exchange);
	say("%d objects", COUNT);
}

static void array_drop(const char *url, const char *role)
{
	HakubanOwnedArray empty = {0, &empty};
	(void)url, (void)role;
	hakuban_array_drop(empty);
	say("an empty array was dropped");
}

static void connector_without_a_router(const char *url, const char *role)
{
	int i;
	(void)url, (void)role;
	for (i = 0; i < 3; i++) /* nobody listens on port 1 */
		unlink_from(link_to("ws://127.0.0.1:1#name=lonely,timeout=30s,keep-alive=5s,nodelay=true,load-limit=3"));
	say("connectors were made and dropped");
}

const Scenario local_scenarios[] = {
	{"object_meets_object", object_meets_object},
	{"tag_exposes", tag_exposes},
	{"tag_observes", tag_observes},
	{"another_exposer_takes_over", another_exposer_takes_over},
	{"dropped_ones_come_again", dropped_ones_come_again},
	{"exchange_by_its_clone", exchange_by_its_clone},
	{"many_handles", many_handles},
	{"array_drop", array_drop},
	{"connector_without_a_router", connector_without_a_router},
	{NULL, NULL},
};
