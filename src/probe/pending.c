/* SPDX-License-Identifier: MIT */
/* Probes under way: a short list, in the order in which they were sent. */
#include <string.h>

#include "kinds.h"

static void forget(struct pending *pending, size_t index)
{
	memmove(&pending->at[index], &pending->at[index + 1], (pending->count - index - 1) * sizeof(pending->at[0]));
	pending->count--;
}

void pending_add(struct pending *pending, const struct probe_request *request, int64_t now_us)
{
	if (pending->count == PENDING_MAX)
		forget(pending, 0);
	pending->at[pending->count++] = (struct pending_probe){ .request = *request, .sent_us = now_us };
}

struct pending_probe *pending_find(struct pending *pending, uint32_t id)
{
	for (unsigned i = 0; i < pending->count; i++) {
		if (pending->at[i].request.id == id)
			return &pending->at[i];
	}
	return NULL;
}

void pending_end(struct pending *pending, struct pending_probe *probe, int64_t now_us, struct probe_outcome *outcome)
{
	outcome->id = probe->request.id;
	outcome->lane = probe->request.lane;
	outcome->size = probe->request.size;
	outcome->hop_limit = probe->request.hop_limit;
	outcome->rtt_us = now_us - probe->sent_us;
	forget(pending, (size_t)(probe - pending->at));
}

void pending_expire(struct pending *pending, int64_t now_us)
{
	for (unsigned i = pending->count; i-- > 0;) {
		if (pending->at[i].request.deadline_us <= now_us)
			forget(pending, i);
	}
}
