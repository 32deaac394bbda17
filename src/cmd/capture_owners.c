/* SPDX-License-Identifier: MIT */
/* Joins live flows with the sockets and processes that own them. Questions go to the privileged process and never wait; what is not
 * known when a line is printed is known at the end. */
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "capture.h"

/* How long the end waits when no answer to an earlier question comes, and for all answers to the last ones: on a busy machine the privileged process may have to wait for its turn; and
 * how many sockets it asks about again. */
#define FIRST_ANSWERS_MS 50
#define LAST_ANSWERS_MS 1000
#define LAST_QUESTIONS 4096

static bool address_of(const struct ifaddrs *entry, struct addr *out)
{
	const struct sockaddr *sa = entry->ifa_addr;

	*out = (struct addr){ 0 };
	if (!sa)
		return false;
	if (sa->sa_family == AF_INET) {
		memcpy(out->bytes, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, 4);
		out->family = ADDR_V4;
		return true;
	}
	if (sa->sa_family != AF_INET6)
		return false;
	memcpy(out->bytes, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, 16);
	out->family = ADDR_V6;
	return true;
}

void capture_owners_open(struct capture_owners *owners, struct helper *helper)
{
	struct ifaddrs *list = NULL;
	size_t cap = 0;

	*owners = (struct capture_owners){ .helper = helper, .owner = xcalloc(CAPTURE_OWNERS, sizeof(*owners->owner)) };
	if (getifaddrs(&list))
		return;
	for (const struct ifaddrs *entry = list; entry; entry = entry->ifa_next) {
		struct addr addr;

		if (!address_of(entry, &addr))
			continue;
		if (owners->local_count == cap) {
			cap = cap ? cap * 2 : 16;
			owners->local = xrealloc_array(owners->local, cap, sizeof(addr));
		}
		owners->local[owners->local_count++] = addr;
	}
	freeifaddrs(list);
}

static bool is_local(const struct capture_owners *owners, const struct addr *addr)
{
	for (size_t i = 0; i < owners->local_count; i++) {
		if (addr_equal(&owners->local[i], addr))
			return true;
	}
	return addr_is_loopback(addr);
}

static struct owner_question question_of(const struct flow *flow, size_t index)
{
	return (struct owner_question){ .tag = index,
					.protocol = flow->protocol,
					.local = flow->end[flow->local_side],
					.peer = flow->end[!flow->local_side] };
}

void capture_owners_new(struct flow *flow, void *context)
{
	struct capture_owners *owners = context;
	struct owner_question question;
	bool first = is_local(owners, &flow->end[0].addr), second = is_local(owners, &flow->end[1].addr);

	if (!first && !second)
		return;
	flow->local_side = first ? 0 : 1;
	flow->flags |= FLOW_LOCAL_KNOWN;
	if ((flow->protocol != PROTOCOL_TCP && flow->protocol != PROTOCOL_UDP) || owners->count == CAPTURE_OWNERS)
		return;
	question = question_of(flow, owners->count);
	if (helper_ask_owner(owners->helper, &question))
		return;
	flow->owner = (uint32_t)++owners->count;
}

/* The first look and the last fill different halves. */
static void keep_answer(struct flow_owner *kept, const struct owner_answer *answer)
{
	if (!kept->has_first && !kept->cookie) {
		if (answer->found)
			*kept = answer->owner;
		return;
	}
	kept->gone = !answer->found;
	kept->has_last = answer->owner.has_last;
	kept->last = answer->owner.last;
}

/* Return: as helper_answer(). */
static int take_one(struct capture_owners *owners, int wait_ms)
{
	struct owner_answer answer;
	int got = helper_answer(owners->helper, &answer, wait_ms);

	if (got == 1 && answer.tag < owners->count)
		keep_answer(&owners->owner[answer.tag], &answer);
	return got;
}

void capture_owners_take(struct capture_owners *owners)
{
	while (take_one(owners, 0) == 1)
		;
}

static void await_answers(struct capture_owners *owners, int64_t until_us)
{
	int64_t left_us;
	int got = 0;

	while (got >= 0 && helper_owes(owners->helper) && (left_us = until_us - clock_mono_us()) > 0)
		got = take_one(owners, (int)(left_us / 1000 + 1));
}

void capture_owners_end(struct capture_owners *owners, const struct flows *flows)
{
	int64_t until = clock_mono_us() + LAST_ANSWERS_MS * 1000;
	unsigned asked = 0;
	const struct flow *flow;

	while (take_one(owners, FIRST_ANSWERS_MS) == 1)
		;
	for (size_t i = 0; (flow = flows_at(flows, i)) && asked < LAST_QUESTIONS; i++) {
		struct owner_question question;

		/* also one that was not found, or for which there was no time then: it may stand now */
		if (!flow->owner)
			continue;
		question = question_of(flow, flow->owner - 1);
		question.again = true;
		question.cookie = owners->owner[question.tag].cookie;
		asked += !helper_ask_owner(owners->helper, &question);
		capture_owners_take(owners);
	}
	if (asked)
		await_answers(owners, until);
}

const struct flow_owner *capture_owners_of(const struct capture_owners *owners, const struct flow *flow)
{
	const struct flow_owner *owner;

	if (!flow || !flow->owner || flow->owner > owners->count)
		return NULL;
	owner = &owners->owner[flow->owner - 1];
	return owner->pid || owner->cookie ? owner : NULL;
}

void capture_owners_close(struct capture_owners *owners)
{
	free(owners->owner);
	free(owners->local);
	*owners = (struct capture_owners){ 0 };
}
