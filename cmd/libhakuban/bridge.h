/* What abi.c and export.go say to each other. Handles are numbers here: Go must never see them as pointers. */
#ifndef BRIDGE_H
#define BRIDGE_H

#include "hakuban.h"

/* The kinds of handles, as in handle.go. */
enum {
	KIND_EXCHANGE = 1,
	KIND_RUNTIME,
	KIND_CONNECTOR,
	KIND_LISTENER,
	KIND_TAG,
	KIND_OBJECT,
	KIND_OBJECT_OBSERVE,
	KIND_TAG_OBSERVE,
	KIND_OBJECT_EXPOSE,
	KIND_TAG_EXPOSE,
	KIND_STREAM,
	KIND_SINK,
	KIND_SINK_PARAMS,
	KIND_STATE,
	KIND_FUTURE
};

/* The parts of a state, as in state.go. */
enum { PART_DATA, PART_FORMAT, PART_VERSION };

typedef struct bridgeResult {
	uint8_t status;
	uintptr_t handle;
} bridgeResult;

/* Of abi.c, for export.go. */
void bridgeFail(const char *text, size_t length);
void bridgeLog(HakubanGoLogCallback callback, uintptr_t user, uint8_t level, const char *message);

#endif
