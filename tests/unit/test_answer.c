/* SPDX-License-Identifier: MIT */
/* probe/answer: what a message says, and which probe it can be about when it does not tell. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "probe/answer.h"

#define NOW 1000

static struct pending pending;

/* Probes of these ids are under way. */
static void under_way(const struct probe_request *requests, size_t count)
{
	pending.count = 0;
	for (size_t i = 0; i < count; i++) {
		struct probe_request request = requests[i];

		if (!request.deadline_us)
			request.deadline_us = NOW + 1;
		pending_add(&pending, &request, 0);
	}
}
#define UNDER_WAY(...)                                                                             \
	do {                                                                                       \
		const struct probe_request requests[] = { __VA_ARGS__ };                           \
		under_way(requests, ARRAY_SIZE(requests));                                         \
	} while (0)

static uint32_t guess(enum probe_reply reply)
{
	const struct pending_probe *probe = answer_guess(&pending, reply, NOW);

	return probe ? probe->request.id : 0;
}

static uint32_t alike(void)
{
	const struct pending_probe *probe = answer_alike(&pending, NOW);

	return probe ? probe->request.id : 0;
}

static void reply__of_every_class__is_what_rfcs_say(void **state)
{
	(void)state;
	assert_int_equal(answer_reply(ICMP_TOO_BIG, false), REPLY_TOO_BIG);
	assert_int_equal(answer_reply(ICMP_TIME_EXCEEDED, false), REPLY_EXPIRED);
	assert_int_equal(answer_reply(ICMP_UNREACHABLE, true), REPLY_UNREACHABLE);
	assert_int_equal(answer_reply(ICMP_PROTOCOL_UNREACHABLE, true), REPLY_UNREACHABLE);
	assert_int_equal(answer_reply(ICMP_PROHIBITED, false), REPLY_PROHIBITED);
	assert_int_equal(answer_reply(ICMP_PORT_UNREACHABLE, true), REPLY_ARRIVED);
	assert_int_equal(answer_reply(ICMP_PORT_UNREACHABLE, false), REPLY_REJECTED);
	assert_int_equal(answer_reply(ICMP_REDIRECT, false), REPLY_NONE);
	assert_int_equal(answer_reply(ICMP_SOURCE_QUENCH, false), REPLY_NONE);
	assert_int_equal(answer_reply(ICMP_REASSEMBLY_EXCEEDED, true), REPLY_NONE);
}

static void guess__one_under_way__is_it(void **state)
{
	(void)state;
	UNDER_WAY({ .id = 7, .size = 1500 });
	assert_int_equal(guess(REPLY_ARRIVED), 7);
	assert_int_equal(guess(REPLY_TOO_BIG), 7);
	assert_int_equal(guess(REPLY_PROHIBITED), 7);
	assert_int_equal(guess(REPLY_EXPIRED), 0); /* it has no hop limit that a router could see end */
	UNDER_WAY({ .id = 7, .size = 1500, .hop_limit = 3 });
	assert_int_equal(guess(REPLY_EXPIRED), 7);
	under_way(NULL, 0);
	assert_int_equal(guess(REPLY_ARRIVED), 0);
}

/* A size must never be called good because a smaller one arrived. */
static void guess__several_sizes__claims_the_least(void **state)
{
	(void)state;
	UNDER_WAY({ .id = 1, .size = 1400 }, { .id = 2, .size = 64 }, { .id = 3, .size = 1500 }, { .id = 4, .size = 64 });
	assert_int_equal(guess(REPLY_ARRIVED), 2);
	assert_int_equal(guess(REPLY_UNREACHABLE), 2);
	assert_int_equal(guess(REPLY_TOO_BIG), 3);
}

static void guess__hop_limits_differ__an_expired_one_is_nobodys(void **state)
{
	(void)state;
	UNDER_WAY({ .id = 1, .size = 64, .hop_limit = 1 }, { .id = 2, .size = 64, .hop_limit = 2 });
	assert_int_equal(guess(REPLY_EXPIRED), 0);
	assert_int_equal(guess(REPLY_ARRIVED), 2); /* whoever arrived, one with more hops does as well */
	UNDER_WAY({ .id = 1, .size = 1500, .hop_limit = 2 }, { .id = 2, .size = 64, .hop_limit = 2 }, { .id = 3, .size = 64 });
	assert_int_equal(guess(REPLY_EXPIRED), 2);
	assert_int_equal(guess(REPLY_ARRIVED), 3);
}

/* The smallest has not the most hops, the largest neither: whatever is said of one may be false. */
static void guess__size_and_hops_disagree__is_nobodys(void **state)
{
	(void)state;
	UNDER_WAY({ .id = 1, .size = 64, .hop_limit = 2 }, { .id = 2, .size = 1500 });
	assert_int_equal(guess(REPLY_ARRIVED), 0);
	assert_int_equal(guess(REPLY_TOO_BIG), 2);
	UNDER_WAY({ .id = 1, .size = 64 }, { .id = 2, .size = 1500, .hop_limit = 2 });
	assert_int_equal(guess(REPLY_ARRIVED), 1);
	assert_int_equal(guess(REPLY_TOO_BIG), 0);
}

static void guess__past_its_deadline__does_not_count(void **state)
{
	(void)state;
	UNDER_WAY({ .id = 1, .size = 64, .deadline_us = NOW }, { .id = 2, .size = 1500 });
	assert_int_equal(guess(REPLY_ARRIVED), 2);
	assert_int_equal(alike(), 2);
}

static void alike__different_sizes_or_hops__is_nobodys(void **state)
{
	(void)state;
	UNDER_WAY({ .id = 1, .size = 64 }, { .id = 2, .size = 64 });
	assert_int_equal(alike(), 1);
	UNDER_WAY({ .id = 1, .size = 64 }, { .id = 2, .size = 65 });
	assert_int_equal(alike(), 0);
	UNDER_WAY({ .id = 1, .size = 64 }, { .id = 2, .size = 64, .hop_limit = 9 });
	assert_int_equal(alike(), 0);
	under_way(NULL, 0);
	assert_int_equal(alike(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reply__of_every_class__is_what_rfcs_say),
		cmocka_unit_test(guess__one_under_way__is_it),
		cmocka_unit_test(guess__several_sizes__claims_the_least),
		cmocka_unit_test(guess__hop_limits_differ__an_expired_one_is_nobodys),
		cmocka_unit_test(guess__size_and_hops_disagree__is_nobodys),
		cmocka_unit_test(guess__past_its_deadline__does_not_count),
		cmocka_unit_test(alike__different_sizes_or_hops__is_nobodys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
