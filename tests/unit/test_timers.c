/* SPDX-License-Identifier: MIT */
/* When the kernel gives up: the sums that ip-sysctl and measurements give for default settings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "triage/timers.h"

static uint8_t info[280];

static void put(enum tcpi_id id, uint32_t value)
{
	if (tcpi_fields[id].bits == 8)
		info[tcpi_fields[id].offset] = (uint8_t)value;
	else
		memcpy(info + tcpi_fields[id].offset, &value, sizeof(value));
}

/* A sender whose timer of @rto_ms, after @backoff doublings, has @left_ms to go. */
static struct sock stuck(uint32_t rto_ms, uint32_t backoff, uint32_t left_ms)
{
	memset(info, 0, sizeof(info));
	put(TCPI_RTO, rto_ms * 1000);
	put(TCPI_BACKOFF, backoff);
	return (struct sock){ .state = SOCK_STATE_ESTAB,
			      .timer = SOCK_TIMER_ON,
			      .expires_ms = left_ms,
			      .info = { info, sizeof(info) } };
}

static struct snapshot *settings(void)
{
	struct snapshot *snap = calloc(1, sizeof(*snap));

	assert_non_null(snap);
	snap->rto_max_ms = 120000;
	return snap;
}

static void set(struct snapshot *snap, enum sysctl_id id, int64_t value)
{
	snap->sysctls.has[id] = true;
	snap->sysctls.value[id] = value;
}

static void syn__default_settings__old_and_new_kernels(void **state)
{
	struct snapshot *snap = settings();

	(void)state;
	assert_int_equal(syn_give_up_ms(snap), 127000);
	set(snap, SYSCTL_TCP_SYN_LINEAR_TIMEOUTS, 4);
	assert_int_equal(syn_give_up_ms(snap), 131000);
	set(snap, SYSCTL_TCP_SYN_RETRIES, 2);
	assert_int_equal(syn_give_up_ms(snap), 11000);
	assert_int_equal(synack_give_up_ms(snap), 63000);
	free(snap);
}

static void data__default_settings__is_the_documented_time(void **state)
{
	struct snapshot *snap = settings();
	struct sock sock = stuck(200, 0, 200);

	(void)state;
	assert_int_equal(data_retries(snap), 15);
	assert_int_equal(data_give_up_ms(snap, &sock, data_retries(snap)), 924600);
	/* 200 + 400 + 800 ms and half of 1600 have gone, 200 of them before the first retransmission */
	sock = stuck(1600, 3, 800);
	assert_int_equal(sock_stall_ms(&sock), 2200);
	assert_int_equal(data_give_up_ms(snap, &sock, data_retries(snap)), 924600 - 2000);
	/* past the model: the running timer is the last */
	sock = stuck(120000, 10, 5000);
	assert_int_equal(data_give_up_ms(snap, &sock, 3), 5000);
	free(snap);
}

static void orphan__zero_stands_for_eight(void **state)
{
	struct snapshot *snap = settings();

	(void)state;
	assert_int_equal(orphan_retries(snap), 8);
	set(snap, SYSCTL_TCP_ORPHAN_RETRIES, 0);
	assert_int_equal(orphan_retries(snap), 8);
	set(snap, SYSCTL_TCP_ORPHAN_RETRIES, 3);
	assert_int_equal(orphan_retries(snap), 3);
	free(snap);
}

static void huge_settings__end(void **state)
{
	struct snapshot *snap = settings();

	(void)state;
	set(snap, SYSCTL_TCP_SYN_RETRIES, INT64_MAX);
	assert_true(syn_give_up_ms(snap) > 0);
	free(snap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syn__default_settings__old_and_new_kernels),
		cmocka_unit_test(data__default_settings__is_the_documented_time),
		cmocka_unit_test(orphan__zero_stands_for_eight),
		cmocka_unit_test(huge_settings__end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
