/* Ends: what a drop does to those who wait, in any order. */
#include "harness.h"

typedef struct World {
	HakubanExchange *exchange;
	HakubanObjectDescriptor *object;
	HakubanTagDescriptor *tag;
	HakubanObjectObserveContract *observe;
	HakubanObjectExposeContract *expose;
	HakubanObjectStateStream *stream;
	HakubanObjectStateSink *sink;
} World;

static World new_world(void)
{
	World w;
	w.exchange = new_exchange();
	w.object = new_object("\"o\"", "\"t\"", NULL);
	w.tag = new_tag("\"t\"");
	w.observe = hakuban_object_observe_contract_new(w.exchange, w.object);
	w.expose = hakuban_object_expose_contract_new(w.exchange, w.object, 1);
	w.stream = stream_of(w.observe);
	w.sink = sink_of(w.expose);
	return w;
}

static void drop_part(World *w, int part)
{
	switch (part) {
	case 0: hakuban_exchange_drop(w->exchange); break;
	case 1: hakuban_object_observe_contract_drop(w->observe); break;
	case 2: hakuban_object_expose_contract_drop(w->expose); break;
	case 3: hakuban_object_state_stream_drop(w->stream); break;
	case 4: hakuban_object_state_sink_drop(w->sink); break;
	default: hakuban_object_descriptor_drop(w->object); hakuban_tag_descriptor_drop(w->tag);
	}
}

static void end_world(World w)
{
	int part;
	for (part = 5; part >= 0; part--)
		drop_part(&w, part);
}

static int orders; /* counted */

static void drop_in_order(int *order, int n)
{
	int i;
	if (n == 6) {
		World w = new_world();
		for (i = 0; i < 6; i++)
			drop_part(&w, order[i]);
		orders++;
		return;
	}
	for (i = n; i < 6; i++) {
		int first = order[n];
		order[n] = order[i], order[i] = first;
		drop_in_order(order, n + 1);
		first = order[n], order[n] = order[i], order[i] = first;
	}
}

static void every_order_of_drops(const char *url, const char *role)
{
	int order[] = {0, 1, 2, 3, 4, 5};
	(void)url, (void)role;
	drop_in_order(order, 0);
	say("%d orders", orders);
}

/* Awaits the future in a thread, does what ends it, and says how. */
#define ENDED_BY(what, future, action) \
	do { \
		Waiter waiter; \
		start_waiter(&waiter, future); \
		pause_briefly(); \
		action; \
		say("%s: %s", what, status_name(finish_waiter(&waiter))); \
	} while (0)

static void contract_drop_ends_its_next(const char *url, const char *role)
{
	HakubanExchange *exchange = new_exchange();
	HakubanObjectDescriptor *object = new_object("\"o\"", NULL);
	HakubanTagDescriptor *tag = new_tag("\"t\"");
	HakubanObjectExposeContract *object_expose = hakuban_object_expose_contract_new(exchange, object, 1);
	HakubanTagExposeContract *tag_expose = hakuban_tag_expose_contract_new(exchange, tag, 1);
	HakubanTagObserveContract *tag_observe = hakuban_tag_observe_contract_new(exchange, tag);
	HakubanObjectObserveContract *object_observe;
	(void)url, (void)role;
	ENDED_BY("object expose", hakuban_object_expose_contract_next(object_expose), hakuban_object_expose_contract_drop(object_expose));
	ENDED_BY("tag expose", hakuban_tag_expose_contract_next(tag_expose), hakuban_tag_expose_contract_drop(tag_expose));
	ENDED_BY("tag observe", hakuban_tag_observe_contract_next(tag_observe), hakuban_tag_observe_contract_drop(tag_observe));
	object_observe = hakuban_object_observe_contract_new(exchange, object);
	HakubanObjectStateStream *stream = stream_of(object_observe); /* so that the next one is not there */
	ENDED_BY("object observe", hakuban_object_observe_contract_next(object_observe), hakuban_object_observe_contract_drop(object_observe));
	hakuban_object_state_stream_drop(stream);
	hakuban_object_descriptor_drop(object);
	hakuban_tag_descriptor_drop(tag);
	hakuban_exchange_drop(exchange);
}

static void stream_drop_ends_its_next(const char *url, const char *role)
{
	World w = new_world();
	(void)url, (void)role;
	ENDED_BY("stream", hakuban_object_state_stream_next(w.stream), hakuban_object_state_stream_drop(w.stream));
	w.stream = stream_of(w.observe);
	end_world(w);
}

static void sink_drop_ends_its_next(const char *url, const char *role)
{
	World w = new_world();
	(void)url, (void)role;
	hakuban_object_state_sink_params_drop(pointer_of(hakuban_future_await(hakuban_object_state_sink_next(w.sink)), "params"));
	ENDED_BY("sink", hakuban_object_state_sink_next(w.sink), hakuban_object_state_sink_drop(w.sink));
	w.sink = sink_of(w.expose);
	end_world(w);
}

static void contract_drop_ends_its_stream_and_sink(const char *url, const char *role)
{
	World w = new_world();
	Waiter of_sink;
	(void)url, (void)role;
	hakuban_object_state_sink_params_drop(pointer_of(hakuban_future_await(hakuban_object_state_sink_next(w.sink)), "params"));
	start_waiter(&of_sink, hakuban_object_state_sink_next(w.sink));
	ENDED_BY("stream", hakuban_object_state_stream_next(w.stream), hakuban_object_observe_contract_drop(w.observe));
	say("sink: %s", status_name(finish_waiter(&of_sink)));
	say("stream, asked again: %s", status_name(hakuban_future_await(hakuban_object_state_stream_next(w.stream)).status));
	say("sink, asked again: %s", status_name(hakuban_future_await(hakuban_object_state_sink_next(w.sink)).status));
	drop_part(&w, 3);
	drop_part(&w, 4);
	drop_part(&w, 2);
	drop_part(&w, 5);
	drop_part(&w, 0);
}

static void future_drop_ends_its_clones(const char *url, const char *role)
{
	World w = new_world();
	HakubanFuture *future = hakuban_object_state_stream_next(w.stream), *second = hakuban_future_clone(future),
	              *third = hakuban_future_clone(future);
	(void)url, (void)role;
	ENDED_BY("awaiting a clone", second, hakuban_future_drop(future));
	say("awaited later: %s", status_name(hakuban_future_await(third).status));
	say("send: %s", status_name(send_state(w.sink, "still there", 1)));
	show_state("the next future", state_of(w.stream));
	end_world(w);
}

static void clone_is_awaited_in_its_place(const char *url, const char *role)
{
	World w = new_world();
	HakubanFuture *future = hakuban_object_state_stream_next(w.stream), *second = hakuban_future_clone(future);
	(void)url, (void)role;
	say("send: %s", status_name(send_state(w.sink, "hello", 1)));
	show_state("by the clone", pointer_of(hakuban_future_await(second), "state"));
	hakuban_future_drop(future);
	say("the first was dropped");
	end_world(w);
}

static void sending_waits_for_await(const char *url, const char *role)
{
	World w = new_world();
	HakubanObjectState *never = new_state("never awaited", 5, 0), *late = new_state("awaited late", 4, 0);
	HakubanFuture *dropped = hakuban_object_state_sink_send(w.sink, never), *kept = hakuban_object_state_sink_send(w.sink, late);
	(void)url, (void)role;
	hakuban_object_state_drop(never);
	hakuban_object_state_drop(late);
	hakuban_future_drop(dropped);
	say("send: %s", status_name(send_state(w.sink, "at once", 3)));
	show_state("seen", state_of(w.stream));
	say("awaited: %s", status_name(hakuban_future_await(kept).status));
	show_state("seen", state_of(w.stream));
	end_world(w);
}

static void sink_drop_ends_its_send(const char *url, const char *role)
{
	World w = new_world();
	HakubanObjectState *state = new_state("too late", 1, 0);
	HakubanFuture *future = hakuban_object_state_sink_send(w.sink, state);
	(void)url, (void)role;
	hakuban_object_state_drop(state);
	hakuban_object_state_sink_drop(w.sink);
	say("await: %s", status_name(hakuban_future_await(future).status));
	w.sink = sink_of(w.expose);
	end_world(w);
}

static void send_on_a_revoked_sink(const char *url, const char *role)
{
	World w = new_world();
	(void)url, (void)role;
	hakuban_object_state_stream_drop(w.stream);
	hakuban_object_observe_contract_drop(w.observe);
	say("next: %s", status_name(hakuban_future_await(hakuban_object_state_sink_next(w.sink)).status));
	say("send: %s", status_name(send_state(w.sink, "nobody looks", 1)));
	drop_part(&w, 4);
	drop_part(&w, 2);
	drop_part(&w, 5);
	drop_part(&w, 0);
}

const Scenario end_scenarios[] = {
	{"every_order_of_drops", every_order_of_drops},
	{"contract_drop_ends_its_next", contract_drop_ends_its_next},
	{"stream_drop_ends_its_next", stream_drop_ends_its_next},
	{"sink_drop_ends_its_next", sink_drop_ends_its_next},
	{"contract_drop_ends_its_stream_and_sink", contract_drop_ends_its_stream_and_sink},
	{"future_drop_ends_its_clones", future_drop_ends_its_clones},
	{"clone_is_awaited_in_its_place", clone_is_awaited_in_its_place},
	{"sending_waits_for_await", sending_waits_for_await},
	{"sink_drop_ends_its_send", sink_drop_ends_its_send},
	{"send_on_a_revoked_sink", send_on_a_revoked_sink},
	{NULL, NULL},
};
