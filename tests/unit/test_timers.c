/* SPDX-License-Identifier: MIT */
/* When the kernel gives up: the sums that ip-sysctl and measurements give for default settings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tcptriage/model/timers.h"

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

static struct sysctls *settings(void)
{
	struct sysctls *sysctls = calloc(1, sizeof(*sysctls));

	assert_non_null(sysctls);
	return sysctls;
}

static void set(struct sysctls *sysctls, enum sysctl_id id, int64_t value)
{
	sysctls->has[id] = true;
	sysctls->value[id] = value;
}

static void syn__default_settings__old_and_new_kernels(void **state)
{
	struct sysctls *sysctls = settings();

	(void)state;
	assert_int_equal(syn_give_up_ms(sysctls), 127000);
	set(sysctls, SYSCTL_TCP_SYN_LINEAR_TIMEOUTS, 4);
	assert_int_equal(syn_give_up_ms(sysctls), 131000);
	set(sysctls, SYSCTL_TCP_SYN_RETRIES, 2);
	assert_int_equal(syn_give_up_ms(sysctls), 11000);
	assert_int_equal(synack_give_up_ms(sysctls), 63000);
	free(sysctls);
}

static void data__default_settings__is_the_documented_time(void **state)
{
	struct sysctls *sysctls = settings();
	struct sock sock = stuck(200, 0, 200);

	(void)state;
	assert_int_equal(data_retries(sysctls), 15);
	assert_int_equal(data_give_up_ms(sysctls, &sock, data_retries(sysctls)), 924600);
	/* 200 + 400 + 800 ms and half of 1600 have gone, 200 of them before the first retransmission */
	sock = stuck(1600, 3, 800);
	assert_int_equal(sock_stall_ms(&sock), 2200);
	assert_int_equal(data_give_up_ms(sysctls, &sock, data_retries(sysctls)), 924600 - 2000);
	/* past the model: the running timer is the last */
	sock = stuck(120000, 10, 5000);
	assert_int_equal(data_give_up_ms(sysctls, &sock, 3), 5000);
	free(sysctls);
}

static void orphan__zero_stands_for_eight(void **state)
{
	struct sysctls *sysctls = settings();

	(void)state;
	assert_int_equal(orphan_retries(sysctls), 8);
	set(sysctls, SYSCTL_TCP_ORPHAN_RETRIES, 0);
	assert_int_equal(orphan_retries(sysctls), 8);
	set(sysctls, SYSCTL_TCP_ORPHAN_RETRIES, 3);
	assert_int_equal(orphan_retries(sysctls), 3);
	free(sysctls);
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
	struct sysctls *sysctls = settings();
	struct sock sock = closed(204, 0, 204);

	(void)state;
	assert_int_equal(closing_give_up_ms(sysctls, &sock), 204 * 511);
	sock = closed(1632, 3, 1000);
	assert_int_equal(closing_give_up_ms(sysctls, &sock), 204 * (511 - 15) + 1000);
	sock = closed(52224, 8, 6500);
	assert_int_equal(closing_give_up_ms(sysctls, &sock), 6500);
	set(sysctls, SYSCTL_TCP_ORPHAN_RETRIES, 3);
	sock = closed(204, 0, 204);
	assert_int_equal(closing_give_up_ms(sysctls, &sock), 204 * 31);
	free(sysctls);
}

static void closing__with_a_descriptor__has_the_retries_of_data(void **state)
{
	struct sysctls *sysctls = settings();
	struct sock sock = closed(200, 0, 200);

	(void)state;
	sock.inode = 7;
	/* ten doublings, then the ceiling until 924.6 s are passed since the first retransmission */
	assert_int_equal(closing_give_up_ms(sysctls, &sock), 204600 + 7 * 120000);
	free(sysctls);
}

static void closing__timer_at_its_ceiling__the_running_one_is_the_last(void **state)
{
	struct sysctls *sysctls = settings();
	struct sock sock = closed(2000, 3, 700);

	(void)state;
	set(sysctls, SYSCTL_TCP_RTO_MAX_MS, 2000);
	assert_int_equal(closing_give_up_ms(sysctls, &sock), 700);
	set(sysctls, SYSCTL_TCP_ORPHAN_RETRIES, 8);
	assert_int_equal(closing_give_up_ms(sysctls, &sock), 10700);
	free(sysctls);
}

/* Measured on Linux 6.18: a first wait of 212 ms, every probe answered; the program closed it at once, and it was gone after 337 s. */
static void probes__answered__end_at_the_ceiling(void **state)
{
	struct sysctls *sysctls = settings();
	struct sock sock = closed(212, 10, 9960);

	(void)state;
	sock.timer = SOCK_TIMER_PERSIST;
	assert_int_equal(closing_give_up_ms(sysctls, &sock), 9960);
	assert_int_equal(sock_probing_ms(&sock, 120000), 212 * 1023 + 120000 - 9960);
	sock = closed(212, 0, 212);
	sock.timer = SOCK_TIMER_PERSIST;
	assert_int_equal(closing_give_up_ms(sysctls, &sock), 212 * 1023 + 120000);
	sock.inode = 7;
	assert_int_equal(closing_give_up_ms(sysctls, &sock), -1);
	free(sysctls);
}

static void probes__backoff_that_stops_below_the_ceiling__never_end(void **state)
{
	struct sysctls *sysctls = settings();
	struct sock sock = closed(212, 4, 100);

	(void)state;
	sock.timer = SOCK_TIMER_PERSIST;
	set(sysctls, SYSCTL_TCP_RETRIES2, 5);
	assert_int_equal(closing_give_up_ms(sysctls, &sock), -1);
	free(sysctls);
}

static void probes__unanswered__end_after_eight(void **state)
{
	struct sysctls *sysctls = settings();
	struct sock sock = closed(200, 6, 100);

	(void)state;
	sock.timer = SOCK_TIMER_PERSIST;
	put(TCPI_PROBES, 6);
	assert_int_equal(closing_give_up_ms(sysctls, &sock), 100 + 200 * 128 + 200 * 256);
	put(TCPI_PROBES, 8);
	assert_int_equal(closing_give_up_ms(sysctls, &sock), 100);
	free(sysctls);
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
	struct sysctls *sysctls = settings();
	struct sock sock = stuck(200, 5, 3000);

	(void)state;
	sock.timer = SOCK_TIMER_PERSIST;
	sock.inode = 7;
	put(TCPI_PROBES, 13);
	/* this wait, and those of the 14th and 15th probe */
	assert_int_equal(closing_give_up_ms(sysctls, &sock), 3000 + 12800 + 25600);
	put(TCPI_PROBES, 15);
	assert_int_equal(closing_give_up_ms(sysctls, &sock), 3000);
	put(TCPI_PROBES, 16);
	assert_int_equal(closing_give_up_ms(sysctls, &sock), 3000);
	free(sysctls);
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
	struct sysctls *sysctls = settings();
	uint8_t bytes[2][sizeof(info)];
	struct sock a = probed(bytes[0], 2, 7260000 + 75000, 15000), b;

	(void)state;
	/* host-wide settings: 7200 s, then each 75 s */
	assert_int_equal(keepalive_interval_ms(sysctls, &a, &a), 75000);
	assert_int_equal(keepalive_give_up_ms(sysctls, &a, &a), 7 * 75000 + 15000);
	/* 10 s of silence hold two probes: no interval above 5.5 s fits */
	a = probed(bytes[0], 2, 10000, 1000);
	assert_int_equal(keepalive_interval_ms(sysctls, &a, &a), 5500);
	/* the third was sent between two looks: 2 s idle, 3 s between probes */
	a = probed(bytes[0], 2, 6100, 1900);
	b = probed(bytes[1], 3, 9000, 2000);
	assert_int_equal(keepalive_interval_ms(sysctls, &a, &b), 3000);
	assert_int_equal(keepalive_give_up_ms(sysctls, &a, &b), 6 * 3000 + 2000);
	/* a timer that had 200 s left */
	a = probed(bytes[0], 2, 7200000, 200000);
	b = probed(bytes[1], 2, 7300000, 100000);
	assert_int_equal(keepalive_interval_ms(sysctls, &b, &b), 100000);
	assert_int_equal(keepalive_interval_ms(sysctls, &a, &b), 200000);
	free(sysctls);
}

static void keepalive__count__is_the_host_s_or_unknown(void **state)
{
	struct sysctls *sysctls = settings();
	uint8_t bytes[sizeof(info)];
	struct sock sock = probed(bytes, 9, 7875000, 40000);

	(void)state;
	assert_int_equal(keepalive_count(sysctls), 9);
	assert_int_equal(keepalive_give_up_ms(sysctls, &sock, &sock), 40000);
	set(sysctls, SYSCTL_TCP_KEEPALIVE_PROBES, 8);
	assert_true(keepalive_give_up_ms(sysctls, &sock, &sock) < 0);
	set(sysctls, SYSCTL_TCP_KEEPALIVE_PROBES, 10);
	set(sysctls, SYSCTL_TCP_KEEPALIVE_INTVL_S, 50);
	assert_int_equal(keepalive_give_up_ms(sysctls, &sock, &sock), 50000 + 40000);
	free(sysctls);
}

static void huge_settings__end(void **state)
{
	struct sysctls *sysctls = settings();
	struct sock sock = closed(204, 0, 204);

	(void)state;
	set(sysctls, SYSCTL_TCP_SYN_RETRIES, INT64_MAX);
	assert_true(syn_give_up_ms(sysctls) > 0);
	set(sysctls, SYSCTL_TCP_ORPHAN_RETRIES, INT64_MAX);
	set(sysctls, SYSCTL_TCP_RETRIES2, INT64_MAX);
	assert_true(closing_give_up_ms(sysctls, &sock) > 0);
	sock.timer = SOCK_TIMER_PERSIST;
	put(TCPI_PROBES, 2);
	assert_true(closing_give_up_ms(sysctls, &sock) > 0);
	free(sysctls);
}

static void timeout__of_each_state__is_named_and_ends(void **state)
{
	static const struct {
		enum sock_state state;
		enum sock_timer timer;
		uint32_t backoff, probes, expires_ms;
		enum timeout_kind kind;
		int64_t gives_up_ms;
	} rows[] = {
		/* a third SYN under way: 1 + 2 + 4 s, of which one is left: 6 of 127 s have gone */
		{ SOCK_STATE_SYN_SENT, SOCK_TIMER_ON, 2, 0, 1000, TIMEOUT_CONNECT, 121000 },
		{ SOCK_STATE_SYN_RECV, SOCK_TIMER_ON, 0, 0, 3500, TIMEOUT_CONNECT, 60000 },
		{ SOCK_STATE_ESTAB, SOCK_TIMER_NONE, 0, 0, 0, TIMEOUT_NONE, -1 },
		{ SOCK_STATE_ESTAB, SOCK_TIMER_ON, 0, 0, 100, TIMEOUT_NONE, -1 },
		{ SOCK_STATE_ESTAB, SOCK_TIMER_KEEPALIVE, 0, 0, 100, TIMEOUT_IDLE, -1 },
		{ SOCK_STATE_ESTAB, SOCK_TIMER_PERSIST, 3, 0, 100, TIMEOUT_REQUEST, -1 },
		{ SOCK_STATE_TIME_WAIT, SOCK_TIMER_TIMEWAIT, 0, 0, 41000, TIMEOUT_CLOSE, 41000 },
		{ SOCK_STATE_FIN_WAIT_2, SOCK_TIMER_TIMEWAIT, 0, 0, 900, TIMEOUT_CLOSE, 900 },
		{ SOCK_STATE_FIN_WAIT_2, SOCK_TIMER_KEEPALIVE, 0, 0, 900, TIMEOUT_NONE, -1 },
		{ SOCK_STATE_LISTEN, SOCK_TIMER_NONE, 0, 0, 0, TIMEOUT_NONE, -1 },
	};
	struct sysctls *sysctls = settings();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sock sock = stuck(rows[i].state == SOCK_STATE_SYN_SENT ? 4000 : 1600, rows[i].backoff,
					 rows[i].expires_ms);
		struct sock_timeout timeout;

		put(TCPI_RETRANSMITS, rows[i].backoff);
		put(TCPI_PROBES, rows[i].probes);
		sock.inode = 7;
		sock.state = (uint8_t)rows[i].state;
		sock.timer = (uint8_t)rows[i].timer;
		timeout = sock_timeout(&sock, sysctls);
		if (timeout.kind != rows[i].kind || timeout.gives_up_ms != rows[i].gives_up_ms)
			fail_msg("row %zu: %s in %lld ms", i, timeout_kind_name(timeout.kind),
				 (long long)timeout.gives_up_ms);
	}
	free(sysctls);
}

static void timeout__of_udp_and_of_a_socket_without_info__is_none(void **state)
{
	struct sysctls *sysctls = settings();
	struct sock sock = stuck(1600, 3, 800);

	(void)state;
	assert_int_equal(sock_timeout(&sock, sysctls).kind, TIMEOUT_REQUEST);
	assert_int_equal(sock_timeout(&sock, sysctls).gives_up_ms,
			 (int64_t)data_give_up_ms(sysctls, &sock, 15));
	sock.info.len = 0;
	assert_int_equal(sock_timeout(&sock, sysctls).kind, TIMEOUT_NONE);
	sock.state = SOCK_STATE_LAST_ACK;
	assert_int_equal(sock_timeout(&sock, sysctls).gives_up_ms, -1);
	sock.netid = NETID_UDP;
	assert_int_equal(sock_timeout(&sock, sysctls).kind, TIMEOUT_NONE);
	free(sysctls);
}

static void keepalive__settings_that_no_kernel_takes__are_bounded(void **state)
{
	struct sysctls *sysctls = settings();
	struct sock sock = stuck(1600, 0, 800);

	(void)state;
	set(sysctls, SYSCTL_TCP_KEEPALIVE_PROBES, INT64_MAX);
	set(sysctls, SYSCTL_TCP_KEEPALIVE_INTVL_S, INT64_MAX);
	put(TCPI_PROBES, 1);
	put(TCPI_LAST_ACK_RECV, UINT32_MAX);
	put(TCPI_LAST_DATA_RECV, UINT32_MAX);
	sock.timer = SOCK_TIMER_KEEPALIVE;
	assert_int_equal(keepalive_count(sysctls), 127);
	assert_in_range(sock_timeout(&sock, sysctls).gives_up_ms, 1, INT64_C(1) << 40);
	free(sysctls);
}

/* What a recording claims need not be what a kernel takes: the ceiling is 1 to 120 s there, the linear phase 255 timeouts at most. */
static void settings__that_no_kernel_takes__end_and_stay_finite(void **state)
{
	static const int64_t odd[] = { INT64_MIN, -1, 0, 1, INT64_MAX };
	struct sysctls *sysctls = settings();
	struct sock sock = stuck(0, 0, 0);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		for (unsigned id = 0; id < SYSCTL_COUNT; id++)
			set(sysctls, (enum sysctl_id)id, odd[i]);
		for (unsigned s = 0; s < SOCK_STATE_COUNT; s++) {
			for (unsigned timer = SOCK_TIMER_NONE; timer <= SOCK_TIMER_PERSIST; timer++) {
				sock.state = (enum sock_state)s;
				sock.timer = (enum sock_timer)timer;
				assert_true(sock_timeout(&sock, sysctls).gives_up_ms < INT64_C(1) << 50);
			}
		}
		assert_true(syn_give_up_ms(sysctls) >= 0 && syn_give_up_ms(sysctls) < 1e12);
		assert_true(closing_give_up_ms(sysctls, &sock) < 1e12);
	}
	free(sysctls);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timeout__of_each_state__is_named_and_ends),
		cmocka_unit_test(timeout__of_udp_and_of_a_socket_without_info__is_none),
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
		cmocka_unit_test(keepalive__settings_that_no_kernel_takes__are_bounded),
		cmocka_unit_test(settings__that_no_kernel_takes__end_and_stay_finite),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
