/* Descriptors, and texts that are none. */
#include "harness.h"

static void tag_json(const char *url, const char *role)
{
	static const char *const texts[] = {"\"a\"", "null", "true", " [ 1 , 2.5 , -3 , 1.0 ] ", "{\"b\":1,\"a\":{\"d\":[],\"c\":{}}}",
	                                    "\"\\u0061\\n\\u00e9\\ud83d\\ude00\"", "18446744073709551615", "-9223372036854775808", "1e3"};
	size_t i;
	(void)url, (void)role;
	for (i = 0; i < sizeof texts / sizeof *texts; i++) {
		HakubanTagDescriptor *tag = new_tag(texts[i]), *second = hakuban_tag_descriptor_clone(tag);
		const char *json = hakuban_tag_descriptor_json(tag);
		if (json != hakuban_tag_descriptor_json(tag))
			FAIL("asked again, another text");
		say("%s", json);
		hakuban_tag_descriptor_drop(tag);
		say("clone: %s", hakuban_tag_descriptor_json(second));
		hakuban_tag_descriptor_drop(second);
	}
}

static void object_json_and_tags(const char *url, const char *role)
{
	HakubanObjectDescriptor *object = new_object(" {\"z\":1, \"y\":[null]} ", "\"a\"", "{\"k\":2}", " \"a\" ", NULL);
	(void)url, (void)role;
	show_object("clone", hakuban_object_descriptor_clone(object));
	show_object("itself", object);
	show_object("no tags", pointer_of(hakuban_object_descriptor_new("7", 0, NULL), "object"));
}

static void borrowed_tag(const char *url, const char *role)
{
	HakubanExchange *exchange = new_exchange();
	HakubanObjectDescriptor *object = new_object("1", "\"kind\"", NULL);
	HakubanTagDescriptor *borrowed = *(HakubanTagDescriptor **)hakuban_object_descriptor_tags(object).pointer;
	HakubanTagDescriptor *second = hakuban_tag_descriptor_clone(borrowed);
	HakubanTagExposeContract *expose = hakuban_tag_expose_contract_new(exchange, borrowed, 1);
	HakubanObjectDescriptor *other = pointer_of(hakuban_object_descriptor_new("2", 1, &borrowed), "object");
	HakubanObjectObserveContract *observe = hakuban_object_observe_contract_new(exchange, object);
	(void)url, (void)role;
	hakuban_object_descriptor_drop(object);
	say("clone of the borrowed tag: %s", hakuban_tag_descriptor_json(second));
	show_object("made with it", other);
	HakubanObjectStateSink *sink = tag_sink_of(expose);
	show_object("sink of", hakuban_object_state_sink_descriptor(sink));
	hakuban_object_state_sink_drop(sink);
	hakuban_object_observe_contract_drop(observe);
	hakuban_tag_expose_contract_drop(expose);
	hakuban_tag_descriptor_drop(second);
	hakuban_exchange_drop(exchange);
}

static void invalid_texts(const char *url, const char *role)
{
	static const char *const texts[] = {"", " ", "{", "nul", "[1,]", "1 2", "'a'", "\"\\ud800\"", "1e999", "{\"a\":}", "\"a", "\"\t\"",
	                                    "\"\xff\"", "\xc3\x28", "\"\xed\xa0\x80\"", "01", "+1", ".5", "NaN"};
	HakubanTagDescriptor *tag = new_tag("1");
	size_t i;
	(void)url, (void)role;
	for (i = 0; i < sizeof texts / sizeof *texts; i++)
		say("%zu: tag %s, object %s", i, status_name(hakuban_tag_descriptor_new(texts[i]).status),
		    status_name(hakuban_object_descriptor_new(texts[i], 1, &tag).status));
	hakuban_tag_descriptor_drop(tag);
}

static void same_object_however_spelled(const char *url, const char *role)
{
	HakubanExchange *exchange = new_exchange();
	HakubanObjectDescriptor *one = new_object("{\"b\":[1,\"\\u0041\"],\"a\":2}", "1", "2", NULL),
	                        *two = new_object(" {\"a\":2,\"b\":[1,\"A\"]} ", "2", "1", NULL);
	HakubanObjectObserveContract *observe = hakuban_object_observe_contract_new(exchange, one);
	HakubanObjectExposeContract *expose = hakuban_object_expose_contract_new(exchange, two, 1);
	HakubanObjectStateSink *sink = sink_of(expose);
	HakubanObjectStateStream *stream = stream_of(observe);
	(void)url, (void)role;
	say("send: %s", status_name(send_state(sink, "seen", 1)));
	show_state("stream", state_of(stream));
	show_object("sink", hakuban_object_state_sink_descriptor(sink));
	show_object("stream", hakuban_object_state_stream_descriptor(stream));
	hakuban_object_descriptor_drop(one);
	hakuban_object_descriptor_drop(two);
	hakuban_object_state_sink_drop(sink);
	hakuban_object_state_stream_drop(stream);
	hakuban_object_expose_contract_drop(expose);
	hakuban_object_observe_contract_drop(observe);
	hakuban_exchange_drop(exchange);
}

static void invalid_urls(const char *url, const char *role)
{
	static const char *const urls[] = {"", "127.0.0.1:1", "http://127.0.0.1:1", "ws:", "ws://127.0.0.1:1#timeout=never",
	                                   "ws://127.0.0.1:1#what=1", "ws://127.0.0.1:99999", "\xff", "ws://127.0.0.1:1#load-limit=x"};
	HakubanRuntime *runtime = hakuban_tokio_init_multi_thread(0);
	HakubanExchange *exchange = new_exchange();
	size_t i;
	(void)url, (void)role;
	for (i = 0; i < sizeof urls / sizeof *urls; i++)
		say("%zu: %s", i, status_name(hakuban_tokio_websocket_connector_new(runtime, exchange, urls[i]).status));
	hakuban_exchange_drop(exchange);
}

static void logger(const char *url, const char *role)
{
	(void)url, (void)role;
	say("not UTF-8: %s", status_name(hakuban_logger_initialize("\xff").status));
	say("error: %s", status_name(hakuban_logger_initialize("error").status));
}

const Scenario names_scenarios[] = {
	{"tag_json", tag_json},
	{"object_json_and_tags", object_json_and_tags},
	{"borrowed_tag", borrowed_tag},
	{"invalid_texts", invalid_texts},
	{"same_object_however_spelled", same_object_however_spelled},
	{"invalid_urls", invalid_urls},
	{"logger", logger},
	{NULL, NULL},
};
