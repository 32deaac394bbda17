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
		memcpy(info + tcpi_fields[id].offset, &value, tcpi_fields[id].bits / 8);
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

/* A closed socket whose timer of @rto_ms, doubled @backoff times, has @left_ms to go. */
static struct sock closed(uint32_t rto_ms, uint32_t backoff, uint32_t left_ms)
{
	struct sock sock = stuck(rto_ms, backoff, left_ms);

	sock.state = SOCK_STATE_FIN_WAIT_1;
	return sock;
}

/* Measured on Linux 6.18: the ninth timeout of 204 ms ends it, 104 s after the FIN; with tcp_orphan_retries 3 the fifth, after 6.3 s. */
static void closing__ends_with_the_timer_that_finds_the_limit_passed(void **state)
{
	struct snapshot *snap = settings();
	struct sock sock = closed(204, 0, 204);

	(void)state;
	assert_int_equal(closing_give_up_ms(snap, &sock), 204 * 511);
	sock = closed(1632, 3, 1000);
	assert_int_equal(closing_give_up_ms(snap, &sock), 204 * (511 - 15) + 1000);
	sock = closed(52224, 8, 6500);
	assert_int_equal(closing_give_up_ms(snap, &sock), 6500);
	set(snap, SYSCTL_TCP_ORPHAN_RETRIES, 3);
	sock = closed(204, 0, 204);
	assert_int_equal(closing_give_up_ms(snap, &sock), 204 * 31);
	free(snap);
}

static void closing__with_a_descriptor__has_the_retries_of_data(void **state)
{
	struct snapshot *snap = settings();
	struct sock sock = closed(200, 0, 200);

	(void)state;
	sock.inode = 7;
	/* ten doublings, then the ceiling until 924.6 s are passed since the first retransmission */
	assert_int_equal(closing_give_up_ms(snap, &sock), 204600 + 7 * 120000);
	free(snap);
}

static void closing__timer_at_its_ceiling__the_running_one_is_the_last(void **state)
{
	struct snapshot *snap = settings();
	struct sock sock = closed(2000, 3, 700);

	(void)state;
	snap->rto_max_ms = 2000;
	assert_int_equal(closing_give_up_ms(snap, &sock), 700);
	set(snap, SYSCTL_TCP_ORPHAN_RETRIES, 8);
	assert_int_equal(closing_give_up_ms(snap, &sock), 10700);
	free(snap);
}

/* Measured on Linux 6.18: a first wait of 212 ms, every probe answered; the program closed it at once, and it was gone after 337 s. */
static void probes__answered__end_at_the_ceiling(void **state)
{
	struct snapshot *snap = settings();
	struct sock sock = closed(212, 10, 9960);

	(void)state;
	sock.timer = SOCK_TIMER_PERSIST;
	assert_int_equal(closing_give_up_ms(snap, &sock), 9960);
	assert_int_equal(sock_probing_ms(&sock, 120000), 212 * 1023 + 120000 - 9960);
	sock = closed(212, 0, 212);
	sock.timer = SOCK_TIMER_PERSIST;
	assert_int_equal(closing_give_up_ms(snap, &sock), 212 * 1023 + 120000);
	sock.inode = 7;
	assert_int_equal(closing_give_up_ms(snap, &sock), -1);
	free(snap);
}

static void probes__backoff_that_stops_below_the_ceiling__never_end(void **state)
{
	struct snapshot *snap = settings();
	struct sock sock = closed(212, 4, 100);

	(void)state;
	sock.timer = SOCK_TIMER_PERSIST;
	set(snap, SYSCTL_TCP_RETRIES2, 5);
	assert_int_equal(closing_give_up_ms(snap, &sock), -1);
	free(snap);
}

static void probes__unanswered__end_after_eight(void **state)
{
	struct snapshot *snap = settings();
	struct sock sock = closed(200, 6, 100);

	(void)state;
	sock.timer = SOCK_TIMER_PERSIST;
	put(TCPI_PROBES, 6);
	assert_int_equal(closing_give_up_ms(snap, &sock), 100 + 200 * 128 + 200 * 256);
	put(TCPI_PROBES, 8);
	assert_int_equal(closing_give_up_ms(snap, &sock), 100);
	free(snap);
}

static void stall__past_the_ceiling__takes_the_time_the_kernel_kept(void **state)
{
	struct sock sock = stuck(120000, 12, 20000);

	(void)state;
	/* doubling sees the last two waits of many */
	assert_int_equal(sock_stall_ms(&sock), 120000 - 29 + 100000);
	put(TCPI_TOTAL_RTO, 12);
	put(TCPI_TOTAL_RTO_TIME, 544600);
	assert_int_equal(sock_stall_ms(&sock), 544600 + 29);
	/* one of them belongs to an earlier stall: the total says nothing about this one */
	put(TCPI_TOTAL_RTO, 13);
	assert_int_equal(sock_stall_ms(&sock), 120000 - 29 + 100000);
	/* a kernel that does not keep it */
	put(TCPI_TOTAL_RTO, 12);
	sock.info.len = 240;
	assert_int_equal(sock_stall_ms(&sock), 120000 - 29 + 100000);
}

static void persist__probes_so_far__tell_how_long(void **state)
{
	struct sock sock = stuck(212, 0, 100);

	(void)state;
	sock.timer = SOCK_TIMER_PERSIST;
	assert_int_equal(sock_probing_ms(&sock, 120000), 112);
	put(TCPI_BACKOFF, 4);
	sock.expires_ms = 1000;
	assert_int_equal(sock_probing_ms(&sock, 120000), 212 * 15 + 212 * 16 - 1000);
	/* a fast path: no probe sooner than 200 ms */
	put(TCPI_RTO, 20000);
	assert_int_equal(sock_probing_ms(&sock, 120000), 200 * 15 + 200 * 16 - 1000);
}

static void probes__of_an_open_socket__end_after_retries2(void **state)
{
	struct snapshot *snap = settings();
	struct sock sock = stuck(200, 5, 3000);

	(void)state;
	sock.timer = SOCK_TIMER_PERSIST;
	sock.inode = 7;
	put(TCPI_PROBES, 13);
	/* this wait, and those of the 14th and 15th probe */
	assert_int_equal(closing_give_up_ms(snap, &sock), 3000 + 12800 + 25600);
	put(TCPI_PROBES, 15);
	assert_int_equal(closing_give_up_ms(snap, &sock), 3000);
	put(TCPI_PROBES, 16);
	assert_int_equal(closing_give_up_ms(snap, &sock), 3000);
	free(snap);
}

/* An idle connection after @probes unanswered keepalive probes, the next one due in @left_ms. */
static struct sock probed(uint8_t *bytes, uint32_t probes, uint32_t silent_ms, uint32_t left_ms)
{
	struct sock sock;

	memset(info, 0, sizeof(info));
	put(TCPI_PROBES, probes);
	put(TCPI_LAST_ACK_RECV, silent_ms);
	put(TCPI_LAST_DATA_RECV, silent_ms + 1);
	memcpy(bytes, info, sizeof(info));
	sock = (struct sock){ .timer = SOCK_TIMER_KEEPALIVE, .expires_ms = left_ms, .info = { bytes, sizeof(info) } };
	return sock;
}

static void heard__data_without_a_new_ack__counts(void **state)
{
	uint8_t bytes[sizeof(info)];
	struct sock sock = probed(bytes, 2, 10000, 1000);

	(void)state;
	assert_int_equal(sock_heard_ms(&sock), 10000);
	put(TCPI_LAST_DATA_RECV, 300);
	memcpy(bytes, info, sizeof(info));
	assert_int_equal(sock_heard_ms(&sock), 300);
}

static void keepalive__interval__is_measured_or_bounded(void **state)
{
	struct snapshot *snap = settings();
	uint8_t bytes[2][sizeof(info)];
	struct sock a = probed(bytes[0], 2, 7260000 + 75000, 15000), b;

	(void)state;
	/* host-wide settings: 7200 s, then each 75 s */
	assert_int_equal(keepalive_interval_ms(snap, &a, &a), 75000);
	assert_int_equal(keepalive_give_up_ms(snap, &a, &a), 7 * 75000 + 15000);
	/* 10 s of silence hold two probes: no interval above 5.5 s fits */
	a = probed(bytes[0], 2, 10000, 1000);
	assert_int_equal(keepalive_interval_ms(snap, &a, &a), 5500);
	/* the third was sent between two looks: 2 s idle, 3 s between probes */
	a = probed(bytes[0], 2, 6100, 1900);
	b = probed(bytes[1], 3, 9000, 2000);
	assert_int_equal(keepalive_interval_ms(snap, &a, &b), 3000);
	assert_int_equal(keepalive_give_up_ms(snap, &a, &b), 6 * 3000 + 2000);
	/* a timer that had 200 s left */
	a = probed(bytes[0], 2, 7200000, 200000);
	b = probed(bytes[1], 2, 7300000, 100000);
	assert_int_equal(keepalive_interval_ms(snap, &b, &b), 100000);
	assert_int_equal(keepalive_interval_ms(snap, &a, &b), 200000);
	free(snap);
}

static void keepalive__count__is_the_host_s_or_unknown(void **state)
{
	struct snapshot *snap = settings();
	uint8_t bytes[sizeof(info)];
	struct sock sock = probed(bytes, 9, 7875000, 40000);

	(void)state;
	assert_int_equal(keepalive_count(snap), 9);
	assert_int_equal(keepalive_give_up_ms(snap, &sock, &sock), 40000);
	set(snap, SYSCTL_TCP_KEEPALIVE_PROBES, 8);
	assert_true(keepalive_give_up_ms(snap, &sock, &sock) < 0);
	set(snap, SYSCTL_TCP_KEEPALIVE_PROBES, 10);
	set(snap, SYSCTL_TCP_KEEPALIVE_INTVL_S, 50);
	assert_int_equal(keepalive_give_up_ms(snap, &sock, &sock), 50000 + 40000);
	free(snap);
}

static void huge_settings__end(void **state)
{
	struct snapshot *snap = settings();
	struct sock sock = closed(204, 0, 204);

	(void)state;
	set(snap, SYSCTL_TCP_SYN_RETRIES, INT64_MAX);
	assert_true(syn_give_up_ms(snap) > 0);
	set(snap, SYSCTL_TCP_ORPHAN_RETRIES, INT64_MAX);
	set(snap, SYSCTL_TCP_RETRIES2, INT64_MAX);
	assert_true(closing_give_up_ms(snap, &sock) > 0);
	sock.timer = SOCK_TIMER_PERSIST;
	put(TCPI_PROBES, 2);
	assert_true(closing_give_up_ms(snap, &sock) > 0);
	free(snap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syn__default_settings__old_and_new_kernels),
		cmocka_unit_test(data__default_settings__is_the_documented_time),
		cmocka_unit_test(orphan__zero_stands_for_eight),
		cmocka_unit_test(closing__ends_with_the_timer_that_finds_the_limit_passed),
		cmocka_unit_test(closing__with_a_descriptor__has_the_retries_of_data),
		cmocka_unit_test(closing__timer_at_its_ceiling__the_running_one_is_the_last),
		cmocka_unit_test(probes__answered__end_at_the_ceiling),
		cmocka_unit_test(probes__backoff_that_stops_below_the_ceiling__never_end),
		cmocka_unit_test(probes__unanswered__end_after_eight),
		cmocka_unit_test(stall__past_the_ceiling__takes_the_time_the_kernel_kept),
		cmocka_unit_test(persist__probes_so_far__tell_how_long),
		cmocka_unit_test(probes__of_an_open_socket__end_after_retries2),
		cmocka_unit_test(heard__data_without_a_new_ack__counts),
		cmocka_unit_test(keepalive__interval__is_measured_or_bounded),
		cmocka_unit_test(keepalive__count__is_the_host_s_or_unknown),
		cmocka_unit_test(huge_settings__end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
