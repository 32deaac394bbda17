/* SPDX-License-Identifier: MIT */
/* What an ICMP message says of a probe, and of which probe when it does not say that. */
#include "answer.h"

#include <errno.h>

static const uint8_t replies[ICMP_CLASS_COUNT] = {
	[ICMP_TOO_BIG] = REPLY_TOO_BIG,
	[ICMP_UNREACHABLE] = REPLY_UNREACHABLE,
	[ICMP_PROTOCOL_UNREACHABLE] = REPLY_UNREACHABLE,
	[ICMP_PORT_UNREACHABLE] = REPLY_REJECTED,
	[ICMP_PROHIBITED] = REPLY_PROHIBITED,
	[ICMP_TIME_EXCEEDED] = REPLY_EXPIRED,
};

enum probe_reply answer_reply(enum icmp_class class, bool from_target)
{
	return class == ICMP_PORT_UNREACHABLE && from_target ? REPLY_ARRIVED : (enum probe_reply)replies[class];
}

void answer_local(struct probe_outcome *outcome, const struct queued_error *error, const struct addr *own, const struct addr *target)
{
	bool filtered = outcome->reply == REPLY_PROHIBITED || outcome->reply == REPLY_REJECTED;

	if (!error->has_offender || !addr_equal(&error->offender, own) || addr_equal(own, target) || (!filtered && outcome->reply != REPLY_UNREACHABLE))
		return;
	*outcome = (struct probe_outcome){ .reply = REPLY_LOCAL, .error = filtered ? EPERM : error->error, .rtt_us = -1, .from.family = target->family };
}

/* How far a packet gets by its hop limit: 0 is the system's default, farther than any that is asked for. */
static unsigned reach(const struct probe_request *request)
{
	return request->hop_limit ? request->hop_limit : UINT8_MAX + 1;
}

/* What is said of @other is true of @probe as well. */
static bool implies(enum probe_reply reply, const struct probe_request *other, const struct probe_request *probe)
{
	bool hops = reply == REPLY_EXPIRED ? reach(probe) == reach(other) : reach(probe) >= reach(other);

	return hops && (reply == REPLY_TOO_BIG ? probe->size >= other->size : probe->size <= other->size);
}

/* Nobody waits for the others, or their hop limit cannot have been reached. */
static bool can_be(enum probe_reply reply, const struct pending_probe *probe, int64_t now_us)
{
	return probe->request.deadline_us > now_us && (reply != REPLY_EXPIRED || probe->request.hop_limit);
}

static bool implied_by_all(const struct pending *pending, enum probe_reply reply, const struct pending_probe *probe, int64_t now_us)
{
	for (unsigned i = 0; i < pending->count; i++) {
		if (can_be(reply, &pending->at[i], now_us) && !implies(reply, &pending->at[i].request, &probe->request))
			return false;
	}
	return true;
}

struct pending_probe *answer_guess(struct pending *pending, enum probe_reply reply, int64_t now_us)
{
	for (unsigned i = 0; i < pending->count; i++) {
		if (can_be(reply, &pending->at[i], now_us) && implied_by_all(pending, reply, &pending->at[i], now_us))
			return &pending->at[i];
	}
	return NULL;
}

struct pending_probe *answer_alike(struct pending *pending, int64_t now_us)
{
	struct pending_probe *found = NULL;

	for (unsigned i = 0; i < pending->count; i++) {
		struct pending_probe *probe = &pending->at[i];

		if (!can_be(REPLY_ARRIVED, probe, now_us))
			continue;
		if (found && (found->request.size != probe->request.size || found->request.hop_limit != probe->request.hop_limit))
			return NULL;
		if (!found)
			found = probe;
	}
	return found;
}
