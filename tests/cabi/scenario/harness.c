#include "harness.h"

void say(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	fflush(stdout);
}

const char *status_name(uint8_t status)
{
	static const char *const names[] = {"ok", "pointer", "pending", "end of stream", "invalid string", "invalid JSON", "invalid URL",
	                                    "invalid log level", "logger initialization", "connection terminated"};
	return status < sizeof names / sizeof *names ? names[status] : "beyond the reference";
}

void *pointer_of(HakubanResult result, const char *what)
{
	if (result.status != HAKUBAN_POINTER || !result.pointer)
		FAIL("%s: %s, a pointer was expected", what, status_name(result.status));
	return result.pointer;
}

HakubanExchange *new_exchange(void) { return pointer_of(hakuban_exchange_new(), "exchange"); }
HakubanTagDescriptor *new_tag(const char *json) { return pointer_of(hakuban_tag_descriptor_new(json), json); }

HakubanObjectDescriptor *new_object(const char *json, const char *tag, ...)
{
	HakubanTagDescriptor *tags[4];
	HakubanObjectDescriptor *object;
	size_t n = 0, i;
	va_list more;
	va_start(more, tag);
	for (; tag; tag = va_arg(more, const char *))
		tags[n++] = new_tag(tag);
	va_end(more);
	object = pointer_of(hakuban_object_descriptor_new(json, n, tags), json);
	for (i = 0; i < n; i++)
		hakuban_tag_descriptor_drop(tags[i]);
	return object;
}

HakubanObjectState *new_state(const char *data, int64_t version, uint64_t microseconds_ago)
{
	const char *format = "text";
	return pointer_of(hakuban_object_state_new(1, &version, 1, &format, strlen(data), (uint8_t *)data, microseconds_ago), "state");
}

HakubanObjectStateStream *stream_of(HakubanObjectObserveContract *contract)
{
	return pointer_of(hakuban_future_await(hakuban_object_observe_contract_next(contract)), "stream");
}

HakubanObjectStateSink *sink_of(HakubanObjectExposeContract *contract)
{
	return pointer_of(hakuban_future_await(hakuban_object_expose_contract_next(contract)), "sink");
}

HakubanObjectStateStream *tag_stream_of(HakubanTagObserveContract *contract)
{
	return pointer_of(hakuban_future_await(hakuban_tag_observe_contract_next(contract)), "stream");
}

HakubanObjectStateSink *tag_sink_of(HakubanTagExposeContract *contract)
{
	return pointer_of(hakuban_future_await(hakuban_tag_expose_contract_next(contract)), "sink");
}

HakubanObjectState *state_of(HakubanObjectStateStream *stream)
{
	return pointer_of(hakuban_future_await(hakuban_object_state_stream_next(stream)), "state");
}

uint8_t send_state(HakubanObjectStateSink *sink, const char *data, int64_t version)
{
	HakubanObjectState *state = new_state(data, version, 0);
	HakubanFuture *future = hakuban_object_state_sink_send(sink, state);
	hakuban_object_state_drop(state); /* it was copied */
	return hakuban_future_await(future).status;
}

void show_state(const char *what, HakubanObjectState *state)
{
	HakubanBorrowedArray data = hakuban_object_state_data(state), format = hakuban_object_state_format(state),
	                     version = hakuban_object_state_version(state);
	size_t i;
	printf("%s: \"", what);
	for (i = 0; i < data.length; i++) {
		unsigned char c = ((unsigned char *)data.pointer)[i];
		if (c < ' ' || c >= 127)
			printf("\\x%02x", c);
		else
			putchar(c);
	}
	printf("\", format");
	for (i = 0; i < format.length; i++)
		printf(" %s", ((const char **)format.pointer)[i]);
	printf(", version");
	for (i = 0; i < version.length; i++)
		printf(" %lld", (long long)((int64_t *)version.pointer)[i]);
	say(", %s", hakuban_object_state_synchronized_ago(state) ? "last at" : "now");
	hakuban_object_state_drop(state);
}

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

void show_object(const char *what, HakubanObjectDescriptor *object)
{
	HakubanBorrowedArray tags = hakuban_object_descriptor_tags(object);
	const char *texts[16];
	size_t i;
	if (tags.length > 16)
		FAIL("%zu tags", tags.length);
	for (i = 0; i < tags.length; i++)
		texts[i] = hakuban_tag_descriptor_json(((HakubanTagDescriptor **)tags.pointer)[i]);
	qsort(texts, tags.length, sizeof *texts, by_text);
	printf("%s: [", what);
	for (i = 0; i < tags.length; i++)
		printf("%s%s", i ? "," : "", texts[i]);
	say("] %s", hakuban_object_descriptor_json(object));
	hakuban_object_descriptor_drop(object);
}

static void *wait_in_thread(void *argument)
{
	Waiter *waiter = argument;
	waiter->result = hakuban_future_await(waiter->future);
	return NULL;
}

void start_waiter(Waiter *waiter, HakubanFuture *future)
{
	waiter->future = future;
	if (pthread_create(&waiter->thread, NULL, wait_in_thread, waiter))
		FAIL("no thread");
}

uint8_t finish_waiter(Waiter *waiter)
{
	pthread_join(waiter->thread, NULL);
	return waiter->result.status;
}

void pause_briefly(void)
{
	struct timespec time = {0, 20 * 1000 * 1000};
	nanosleep(&time, NULL);
}

void wait_for_line(void)
{
	char line[80];
	if (!fgets(line, sizeof line, stdin))
		FAIL("stdin ended");
}

Linked link_to(const char *url)
{
	Linked linked;
	linked.runtime = hakuban_tokio_init_multi_thread(2);
	linked.exchange = new_exchange();
	linked.connector = pointer_of(hakuban_tokio_websocket_connector_new(linked.runtime, linked.exchange, url), url);
	return linked;
}

void unlink_from(Linked linked)
{
	hakuban_tokio_websocket_connector_drop(linked.connector);
	hakuban_exchange_drop(linked.exchange);
}

int main(int count, char **arguments)
{
	const Scenario *const all[] = {names_scenarios, state_scenarios, local_scenarios, end_scenarios, thread_scenarios, link_scenarios};
	size_t i;
	for (i = 0; i < sizeof all / sizeof *all; i++) {
		const Scenario *s;
		for (s = all[i]; s->name; s++) {
			if (count == 1)
				say("%s", s->name);
			else if (!strcmp(s->name, arguments[1])) {
				s->run(count > 2 ? arguments[2] : NULL, count > 3 ? arguments[3] : NULL);
				return 0;
			}
		}
	}
	return count == 1 ? 0 : 2;
}
