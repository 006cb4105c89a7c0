/* What the scenarios have in common. They call nothing but the interface of the reference, and print what they see. */
#ifndef HARNESS_H
#define HARNESS_H

#include "hakuban.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A scenario. url is null for those without a router; role is "expose" or "observe" for those of two processes. */
typedef struct Scenario {
	const char *name;
	void (*run)(const char *url, const char *role);
} Scenario;

/* Ends the program with a reason, when what the scenario needs is not given. */
#define FAIL(...) (printf("FAILED %s:%d: ", __FILE__, __LINE__), printf(__VA_ARGS__), printf("\n"), exit(1))

/* Prints a line at once: somebody may wait for it. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

const char *status_name(uint8_t status);

/* The handle of a result, which must have one. */
void *pointer_of(HakubanResult result, const char *what);

HakubanExchange *new_exchange(void);
HakubanTagDescriptor *new_tag(const char *json);
/* An object with up to four tags, which end with a null. */
HakubanObjectDescriptor *new_object(const char *json, const char *tag, ...);
HakubanObjectState *new_state(const char *data, int64_t version, uint64_t microseconds_ago);

/* The next of each, awaited; it must be there. */
HakubanObjectStateStream *stream_of(HakubanObjectObserveContract *contract);
HakubanObjectStateSink *sink_of(HakubanObjectExposeContract *contract);
HakubanObjectStateStream *tag_stream_of(HakubanTagObserveContract *contract);
HakubanObjectStateSink *tag_sink_of(HakubanTagExposeContract *contract);
HakubanObjectState *state_of(HakubanObjectStateStream *stream);

/* Sends a state of this data and version, and returns the status. */
uint8_t send_state(HakubanObjectStateSink *sink, const char *data, int64_t version);

/* Prints "what: data, formats, version, now or last", and drops the state. */
void show_state(const char *what, HakubanObjectState *state);
/* Prints the tags and the JSON of an object, and drops it. */
void show_object(const char *what, HakubanObjectDescriptor *object);

/* A thread that awaits a future. */
typedef struct Waiter {
	pthread_t thread;
	HakubanFuture *future;
	HakubanResult result;
} Waiter;

void start_waiter(Waiter *waiter, HakubanFuture *future);
/* Waits for its end and returns the status. */
uint8_t finish_waiter(Waiter *waiter);
/* Lets other threads come to where they wait. Nothing depends on it, but that what is interesting is likely, and that the reference,
   which can miss a wake-up that comes just before it begins to wait, does not. */
void pause_briefly(void);

/* Waits for a line on stdin. */
void wait_for_line(void);

typedef struct Linked {
	HakubanRuntime *runtime;
	HakubanExchange *exchange;
	HakubanConnector *connector;
} Linked;

Linked link_to(const char *url);
void unlink_from(Linked linked);

extern const Scenario names_scenarios[], state_scenarios[], local_scenarios[], end_scenarios[], thread_scenarios[], link_scenarios[];

#endif
