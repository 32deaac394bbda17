/* SPDX-License-Identifier: MIT */
/* collect/netlink: the loop over messages, on buffers that no kernel would send. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../support/diag_message.h"
#include "tcptriage/collect/netlink.h"
#include "tcptriage/collect/sock_diag.h"

static struct diag_stream stream;
static struct netlink_dump_result result;
static bool done;
static unsigned fed;

static int count(const struct nlmsghdr *message, void *context)
{
	(void)message;
	fed++;
	return context && fed == *(unsigned *)context ? -ECANCELED : 0;
}

static int reset(void **state)
{
	(void)state;
	memset(&stream, 0, sizeof(stream));
	memset(&result, 0, sizeof(result));
	done = false;
	fed = 0;
	return 0;
}

static int walk(uint32_t seq)
{
	return netlink_walk(stream.bytes, stream.len, seq, count, NULL, &result, &done);
}

static void walk__interrupted_in_the_middle__keeps_the_rest(void **state)
{
	(void)state;
	stream_put(&stream, 20, NLM_F_MULTI, "aaaa", 4);
	stream_put(&stream, 20, NLM_F_MULTI | NLM_F_DUMP_INTR, "bbbb", 4);
	stream_put(&stream, 20, NLM_F_MULTI, "cccc", 4);
	assert_int_equal(walk(7), 0);
	assert_int_equal(fed, 3);
	assert_int_equal(result.messages, 3);
	assert_int_equal(result.interrupted, 1);
	assert_false(done);
}

static void walk__done__ends_and_carries_an_errno(void **state)
{
	int32_t code = 0;

	(void)state;
	stream_put(&stream, 20, NLM_F_MULTI, "aaaa", 4);
	stream_put(&stream, NLMSG_DONE, NLM_F_MULTI, &code, sizeof(code));
	stream_put(&stream, 20, NLM_F_MULTI, "bbbb", 4);
	assert_int_equal(walk(7), 0);
	assert_true(done);
	assert_int_equal(fed, 1);
	reset(NULL);
	code = -EPERM;
	stream_put(&stream, NLMSG_DONE, NLM_F_MULTI, &code, sizeof(code));
	assert_int_equal(walk(7), -EPERM);
	assert_true(done);
}

static void walk__error_message__is_its_errno_and_garbage_is_bad(void **state)
{
	static const struct {
		int32_t code;
		size_t len;
		int expected;
	} rows[] = { { -ENOENT, 4, -ENOENT }, { 0, 4, 0 }, { 5, 4, -EBADMSG }, { -100000, 4, -EBADMSG },
		     { 0, 2, -EBADMSG } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		reset(NULL);
		stream_put(&stream, NLMSG_ERROR, 0, &rows[i].code, rows[i].len);
		assert_int_equal(walk(7), rows[i].expected);
		assert_true(done);
	}
}

static void walk__lengths_that_lie__are_counted_once(void **state)
{
	static const uint32_t lies[] = { 0, 1, 15, 1000, UINT32_MAX, UINT32_MAX - 3 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		reset(NULL);
		stream_put(&stream, 20, 0, "aaaa", 4);
		stream_put(&stream, 20, 0, "bbbb", 4)->nlmsg_len = lies[i];
		assert_int_equal(walk(7), 0);
		assert_int_equal(fed, 1);
		assert_int_equal(result.malformed, 1);
		assert_false(done);
	}
}

static void walk__header_cut_short__is_malformed(void **state)
{
	(void)state;
	stream_put(&stream, 20, 0, "aaaa", 4);
	for (size_t extra = 1; extra < sizeof(struct nlmsghdr); extra++) {
		reset(NULL);
		stream_put(&stream, 20, 0, "aaaa", 4);
		stream.len += extra;
		assert_int_equal(walk(7), 0);
		assert_int_equal(fed, 1);
		assert_int_equal(result.malformed, 1);
	}
}

static void walk__another_sequence__is_not_ours(void **state)
{
	(void)state;
	stream_put(&stream, 20, 0, "aaaa", 4)->nlmsg_seq = 6;
	stream_put(&stream, NLMSG_DONE, 0, "\0\0\0\0", 4)->nlmsg_seq = 6;
	stream_put(&stream, 20, 0, "bbbb", 4);
	assert_int_equal(walk(7), 0);
	assert_int_equal(fed, 1);
	assert_false(done);
	reset(NULL);
	stream_put(&stream, 20, 0, "aaaa", 4)->nlmsg_seq = 6;
	assert_int_equal(walk(0), 0);
	assert_int_equal(fed, 1);
}

static void walk__noop_and_overrun__are_no_data(void **state)
{
	(void)state;
	stream_put(&stream, NLMSG_NOOP, 0, NULL, 0);
	stream_put(&stream, NLMSG_OVERRUN, 0, NULL, 0);
	stream_put(&stream, 20, 0, "aaaa", 4);
	assert_int_equal(walk(7), 0);
	assert_int_equal(fed, 1);
	assert_int_equal(result.messages, 1);
	assert_int_equal(result.overruns, 1);
}

static void walk__callback_stops__its_code_comes_back(void **state)
{
	unsigned limit = 2;

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		stream_put(&stream, 20, 0, "aaaa", 4);
	assert_int_equal(netlink_walk(stream.bytes, stream.len, 7, count, &limit, &result, &done),
			 -ECANCELED);
	assert_int_equal(fed, 2);
	assert_false(done);
}

static void walk__garbage__never_reads_past_the_end(void **state)
{
	unsigned seed = 1;

	(void)state;
	for (unsigned round = 0; round < 2000; round++) {
		size_t len = (size_t)(rand_r(&seed) % 300);
		uint8_t *exact = malloc(len ? len : 1);

		for (size_t i = 0; i < len; i++)
			exact[i] = (uint8_t)(rand_r(&seed) % 8 ? 0 : rand_r(&seed));
		reset(NULL);
		netlink_walk(exact, len, 0, count, NULL, &result, &done);
		assert_true(fed <= len / sizeof(struct nlmsghdr));
		free(exact);
	}
}

static int keep(const struct sock *sock, void *context)
{
	*(struct sock *)context = *sock;
	fed++;
	return 0;
}

/* Feeds one socket of @netid in kernel state @number to a tally that wants @states. Return: was it delivered. */
static bool takes(enum netid netid, uint8_t number, uint32_t states, unsigned families)
{
	struct diag_result outcome = { .complete = true };
	struct sock sock;
	struct sock_diag_tally tally = { .netid = netid, .states = states, .families = families,
					 .fn = keep, .context = &sock, .result = &outcome };
	struct diag_message m;

	diag_begin(&m, AF_INET)->idiag_state = number;
	reset(NULL);
	stream_put(&stream, SOCK_DIAG_BY_FAMILY, 0, m.bytes, m.len);
	assert_int_equal(sock_diag_take((void *)stream.bytes, &tally), 0);
	assert_int_equal(outcome.decode[DECODE_OK], 1);
	assert_int_equal(outcome.sockets, fed);
	return fed;
}

static void take__states_and_families__filter_what_a_recording_holds(void **state)
{
	const uint32_t bound = STATE_BIT(SOCK_STATE_BOUND_INACTIVE);

	(void)state;
	assert_true(takes(NETID_TCP, SOCK_STATE_ESTAB, STATES_ALL, 3));
	assert_false(takes(NETID_TCP, SOCK_STATE_ESTAB, STATES_ALL, 2));
	assert_false(takes(NETID_TCP, SOCK_STATE_ESTAB, STATE_BIT(SOCK_STATE_LISTEN), 3));
	assert_true(takes(NETID_TCP, SOCK_STATE_NEW_SYN_RECV, STATE_BIT(SOCK_STATE_SYN_RECV), 3));
	/* bound but not connected: only for who asked by that name, and for UDP it is nothing special */
	assert_false(takes(NETID_TCP, SOCK_STATE_UNCONN, STATES_ALL, 3));
	assert_true(takes(NETID_TCP, SOCK_STATE_UNCONN, bound, 3));
	assert_true(takes(NETID_UDP, SOCK_STATE_UNCONN, STATES_ALL, 3));
	assert_false(takes(NETID_UDP, SOCK_STATE_UNCONN, bound, 3));
}

static void take__messages_that_do_not_decode__are_counted(void **state)
{
	struct diag_result outcome = { .complete = true };
	struct sock_diag_tally tally = { .netid = NETID_TCP, .states = UINT32_MAX, .families = 3,
					 .fn = keep, .result = &outcome };
	struct diag_message m;

	(void)state;
	diag_begin(&m, AF_INET);
	stream_put(&stream, SOCK_DIAG_BY_FAMILY, 0, m.bytes, 40);
	sock_diag_take((void *)stream.bytes, &tally);
	reset(NULL);
	stream_put(&stream, 99, 0, m.bytes, m.len);
	sock_diag_take((void *)stream.bytes, &tally);
	assert_int_equal(outcome.decode[DECODE_TRUNCATED], 1);
	assert_int_equal(outcome.decode[DECODE_UNSUPPORTED], 1);
	assert_int_equal(outcome.sockets, 0);
}

static void build__filter_program__must_fit(void **state)
{
	_Alignas(struct nlmsghdr) char buf[1024];
	static const uint8_t code[2048];
	struct diag_request request = { .netid = NETID_UDP, .states = 0x1234, .ext = 0xff,
					.bytecode = code, .bytecode_len = 64 };
	struct nlmsghdr *header = sock_diag_build(buf, sizeof(buf), &request, ADDR_V6);
	const struct inet_diag_req_v2 *question;

	(void)state;
	assert_non_null(header);
	question = NLMSG_DATA(header);
	assert_int_equal(question->sdiag_family, AF_INET6);
	assert_int_equal(question->sdiag_protocol, 17);
	assert_int_equal(question->idiag_states, 0x1234);
	assert_int_equal(question->idiag_ext, 0xff);
	assert_int_equal(header->nlmsg_len, NLMSG_LENGTH(sizeof(*question)) + 4 + 64);
	request.bytecode_len = sizeof(code);
	assert_null(sock_diag_build(buf, sizeof(buf), &request, ADDR_V6));
	request.bytecode_len = 65532;
	assert_null(sock_diag_build(buf, sizeof(buf), &request, ADDR_V4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(walk__interrupted_in_the_middle__keeps_the_rest, reset),
		cmocka_unit_test_setup(walk__done__ends_and_carries_an_errno, reset),
		cmocka_unit_test_setup(walk__error_message__is_its_errno_and_garbage_is_bad, reset),
		cmocka_unit_test_setup(walk__lengths_that_lie__are_counted_once, reset),
		cmocka_unit_test_setup(walk__header_cut_short__is_malformed, reset),
		cmocka_unit_test_setup(walk__another_sequence__is_not_ours, reset),
		cmocka_unit_test_setup(walk__noop_and_overrun__are_no_data, reset),
		cmocka_unit_test_setup(walk__callback_stops__its_code_comes_back, reset),
		cmocka_unit_test_setup(walk__garbage__never_reads_past_the_end, reset),
		cmocka_unit_test_setup(take__states_and_families__filter_what_a_recording_holds, reset),
		cmocka_unit_test_setup(take__messages_that_do_not_decode__are_counted, reset),
		cmocka_unit_test_setup(build__filter_program__must_fit, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
