/* Many threads at once. */
#include "harness.h"

enum { THREADS = 32 };

typedef struct Task {
	pthread_t thread;
	HakubanExchange *exchange;
	int number, seen;
} Task;

static void run_all(Task *tasks, HakubanExchange *exchange, void *(*body)(void *))
{
	int i;
	for (i = 0; i < THREADS; i++) {
		tasks[i].exchange = exchange;
		tasks[i].number = i;
		tasks[i].seen = 0;
		if (pthread_create(&tasks[i].thread, NULL, body, &tasks[i]))
			FAIL("no thread");
	}
}

static int join_all(Task *tasks)
{
	int i, seen = 0;
	for (i = 0; i < THREADS; i++) {
		pthread_join(tasks[i].thread, NULL);
		seen += tasks[i].seen;
	}
	return seen;
}

/* Observes an object of its own, and counts itself when it has seen its state. */
static void *observe_own(void *argument)
{
	Task *task = argument;
	char json[16];
	snprintf(json, sizeof json, "%d", task->number);
	HakubanObjectDescriptor *object = new_object(json, "\"t\"", NULL);
	HakubanObjectObserveContract *observe = hakuban_object_observe_contract_new(task->exchange, object);
	HakubanObjectStateStream *stream = stream_of(observe);
	HakubanObjectState *state = state_of(stream);
	HakubanBorrowedArray data = hakuban_object_state_data(state);
	task->seen = data.length == strlen(json) && !memcmp(data.pointer, json, data.length);
	hakuban_object_state_drop(state);
	hakuban_object_state_stream_drop(stream);
	hakuban_object_observe_contract_drop(observe);
	hakuban_object_descriptor_drop(object);
	return NULL;
}

static void threads_observe_objects_of_their_own(const char *url, const char *role)
{
	Task tasks[THREADS];
	HakubanExchange *exchange = new_exchange();
	HakubanTagDescriptor *tag = new_tag("\"t\"");
	HakubanTagExposeContract *expose = hakuban_tag_expose_contract_new(exchange, tag, THREADS);
	HakubanObjectStateSink *sinks[THREADS]; /* one that is dropped while its object is observed comes again */
	int i;
	(void)url, (void)role;
	run_all(tasks, exchange, observe_own);
	for (i = 0; i < THREADS; i++) {
		HakubanObjectDescriptor *object;
		sinks[i] = tag_sink_of(expose);
		object = hakuban_object_state_sink_descriptor(sinks[i]);
		pause_briefly();
		send_state(sinks[i], hakuban_object_descriptor_json(object), 1);
		hakuban_object_descriptor_drop(object);
	}
	say("%d threads saw their object", join_all(tasks));
	for (i = 0; i < THREADS; i++)
		hakuban_object_state_sink_drop(sinks[i]);
	hakuban_tag_expose_contract_drop(expose);
	hakuban_tag_descriptor_drop(tag);
	hakuban_exchange_drop(exchange);
}

static void threads_wait_for_one_drop(const char *url, const char *role)
{
	HakubanExchange *exchange = new_exchange();
	HakubanTagDescriptor *tag = new_tag("\"t\"");
	HakubanTagObserveContract *contracts[THREADS];
	Waiter waiters[THREADS];
	int i, ended = 0;
	(void)url, (void)role;
	for (i = 0; i < THREADS; i++) {
		contracts[i] = hakuban_tag_observe_contract_new(exchange, tag);
		start_waiter(&waiters[i], hakuban_tag_observe_contract_next(contracts[i]));
	}
	pause_briefly();
	for (i = 0; i < THREADS; i++)
		hakuban_tag_observe_contract_drop(contracts[i]);
	for (i = 0; i < THREADS; i++)
		ended += finish_waiter(&waiters[i]) == HAKUBAN_END_OF_STREAM;
	say("%d of %d ended", ended, THREADS);
	hakuban_tag_descriptor_drop(tag);
	hakuban_exchange_drop(exchange);
}

static void *make_and_drop(void *argument)
{
	Task *task = argument;
	int i;
	for (i = 0; i < 200; i++) {
		char json[32];
		snprintf(json, sizeof json, "[%d,%d]", task->number, i);
		HakubanObjectDescriptor *object = new_object(json, "\"t\"", NULL), *second = hakuban_object_descriptor_clone(object);
		HakubanExchange *exchange = hakuban_exchange_clone(task->exchange);
		HakubanObjectObserveContract *observe = hakuban_object_observe_contract_new(exchange, object);
		HakubanObjectExposeContract *expose = hakuban_object_expose_contract_new(exchange, second, 1);
		HakubanObjectStateSink *sink = sink_of(expose);
		HakubanObjectStateStream *stream = stream_of(observe);
		send_state(sink, json, i);
		HakubanObjectState *state = state_of(stream);
		HakubanBorrowedArray data = hakuban_object_state_data(state);
		task->seen += data.length == strlen(json) && !memcmp(data.pointer, json, data.length);
		hakuban_object_state_drop(state);
		hakuban_object_state_sink_drop(sink);
		hakuban_object_observe_contract_drop(observe);
		hakuban_object_state_stream_drop(stream);
		hakuban_object_expose_contract_drop(expose);
		hakuban_object_descriptor_drop(object);
		hakuban_object_descriptor_drop(second);
		hakuban_exchange_drop(exchange);
	}
	return NULL;
}

static void threads_make_and_drop(const char *url, const char *role)
{
	Task tasks[THREADS];
	HakubanExchange *exchange = new_exchange();
	(void)url, (void)role;
	run_all(tasks, exchange, make_and_drop);
	say("%d states were seen", join_all(tasks));
	hakuban_exchange_drop(exchange);
}

const Scenario thread_scenarios[] = {
	{"threads_observe_objects_of_their_own", threads_observe_objects_of_their_own},
	{"threads_wait_for_one_drop", threads_wait_for_one_drop},
	{"threads_make_and_drop", threads_make_and_drop},
	{NULL, NULL},
};
