/* States: what is put in comes out. */
#include "harness.h"

static void state_fields(const char *url, const char *role)
{
	int64_t version[] = {0, -5, INT64_MAX, INT64_MIN};
	char name[] = "JSON";
	const char *format[] = {name, "gzip", "\xc3\xa9t\xc3\xa9"};
	uint8_t data[] = {0, 1, 255, 'a', 0};
	HakubanObjectState *state = pointer_of(hakuban_object_state_new(4, version, 3, format, sizeof data, data, 0), "state"), *second;
	(void)url, (void)role;
	name[0] = data[0] = 'X'; /* all was copied */
	version[0] = 9;
	second = hakuban_object_state_clone(state);
	show_state("itself", state);
	show_state("clone", second);
}

static void empty_state(const char *url, const char *role)
{
	int64_t version[1] = {1};
	const char *format[1] = {NULL};
	uint8_t data[1] = {0};
	HakubanObjectState *state = pointer_of(hakuban_object_state_new(0, version, 0, format, 0, data, 0), "state");
	(void)url, (void)role;
	say("an address for each: %d %d %d", hakuban_object_state_data(state).pointer != NULL,
	    hakuban_object_state_format(state).pointer != NULL, hakuban_object_state_version(state).pointer != NULL);
	show_state("empty", state);
}

static void invalid_format(const char *url, const char *role)
{
	const char *format[] = {"JSON", "\xff"};
	int64_t version[1] = {1};
	uint8_t data[1] = {0};
	(void)url, (void)role;
	say("%s", status_name(hakuban_object_state_new(1, version, 2, format, 1, data, 0).status));
}

static void synchronized_ago(const char *url, const char *role)
{
	static const uint64_t agos[] = {0, 1, 1000000, 60000000};
	size_t i;
	(void)url, (void)role;
	for (i = 0; i < sizeof agos / sizeof *agos; i++) {
		HakubanObjectState *state = new_state("a", 1, agos[i]);
		uint64_t ago = hakuban_object_state_synchronized_ago(state);
		say("%llu: %s", (unsigned long long)agos[i],
		    ago == 0 ? "now" : ago >= agos[i] && ago < agos[i] + 20000000 ? "as said" : "something else");
		hakuban_object_state_drop(state);
	}
}

/* The exchange of a process with one object, exposed and observed. */
typedef struct Pair {
	HakubanExchange *exchange;
	HakubanObjectObserveContract *observe;
	HakubanObjectExposeContract *expose;
	HakubanObjectStateStream *stream;
	HakubanObjectStateSink *sink;
} Pair;

static Pair new_pair(void)
{
	HakubanObjectDescriptor *object = new_object("\"pair\"", NULL);
	Pair pair;
	pair.exchange = new_exchange();
	pair.observe = hakuban_object_observe_contract_new(pair.exchange, object);
	pair.expose = hakuban_object_expose_contract_new(pair.exchange, object, 1);
	pair.sink = sink_of(pair.expose);
	pair.stream = stream_of(pair.observe);
	hakuban_object_descriptor_drop(object);
	return pair;
}

static void end_pair(Pair pair)
{
	hakuban_object_state_stream_drop(pair.stream);
	hakuban_object_state_sink_drop(pair.sink);
	hakuban_object_expose_contract_drop(pair.expose);
	hakuban_object_observe_contract_drop(pair.observe);
	hakuban_exchange_drop(pair.exchange);
}

static void newest_only(const char *url, const char *role)
{
	Pair pair = new_pair();
	(void)url, (void)role;
	say("%s", status_name(send_state(pair.sink, "one", 1)));
	say("%s", status_name(send_state(pair.sink, "two", 2)));
	say("%s", status_name(send_state(pair.sink, "three", 3)));
	show_state("seen", state_of(pair.stream));
	end_pair(pair);
}

static void older_version_is_not_taken(const char *url, const char *role)
{
	Pair pair = new_pair();
	(void)url, (void)role;
	say("5: %s", status_name(send_state(pair.sink, "five", 5)));
	show_state("seen", state_of(pair.stream));
	say("4: %s", status_name(send_state(pair.sink, "four", 4)));
	say("5 again: %s", status_name(send_state(pair.sink, "other", 5)));
	say("6: %s", status_name(send_state(pair.sink, "six", 6)));
	show_state("seen", state_of(pair.stream));
	end_pair(pair);
}

static void flag_alone_is_news(const char *url, const char *role)
{
	Pair pair = new_pair();
	HakubanObjectState *last = new_state("same", 1, 5000000);
	(void)url, (void)role;
	say("%s", status_name(send_state(pair.sink, "same", 1)));
	show_state("seen", state_of(pair.stream));
	say("%s", status_name(hakuban_future_await(hakuban_object_state_sink_send(pair.sink, last)).status));
	hakuban_object_state_drop(last);
	show_state("seen", state_of(pair.stream));
	say("%s", status_name(send_state(pair.sink, "same", 1)));
	show_state("seen", state_of(pair.stream));
	end_pair(pair);
}

static void received_state_is_sent_on(const char *url, const char *role)
{
	Pair from = new_pair(), to = new_pair();
	HakubanObjectState *state;
	(void)url, (void)role;
	say("%s", status_name(send_state(from.sink, "passed on", 3)));
	state = state_of(from.stream);
	end_pair(from);
	say("%s", status_name(hakuban_future_await(hakuban_object_state_sink_send(to.sink, state)).status));
	hakuban_object_state_drop(state);
	show_state("seen", state_of(to.stream));
	end_pair(to);
}

static void large_state(const char *url, const char *role)
{
	size_t size = 20 * 1000 * 1000, i;
	uint8_t *data = malloc(size);
	int64_t version = 1;
	Pair pair = new_pair();
	HakubanObjectState *state;
	HakubanBorrowedArray seen;
	(void)url, (void)role;
	for (i = 0; i < size; i++)
		data[i] = (uint8_t)(i * 2654435761u >> 13);
	state = pointer_of(hakuban_object_state_new(1, &version, 0, (const char *[]){NULL}, size, data, 0), "state");
	say("%s", status_name(hakuban_future_await(hakuban_object_state_sink_send(pair.sink, state)).status));
	hakuban_object_state_drop(state);
	state = state_of(pair.stream);
	seen = hakuban_object_state_data(state);
	say("%zu bytes, %s", seen.length, seen.length == size && !memcmp(seen.pointer, data, size) ? "the same" : "others");
	hakuban_object_state_drop(state);
	free(data);
	end_pair(pair);
}

const Scenario state_scenarios[] = {
	{"state_fields", state_fields},
	{"empty_state", empty_state},
	{"invalid_format", invalid_format},
	{"synchronized_ago", synchronized_ago},
	{"newest_only", newest_only},
	{"older_version_is_not_taken", older_version_is_not_taken},
	{"flag_alone_is_news", flag_alone_is_news},
	{"received_state_is_sent_on", received_state_is_sent_on},
	{"large_state", large_state},
	{NULL, NULL},
};
