/* SPDX-License-Identifier: MIT */
/* probe/tcp_reverse and track/reverse_search together, against a service behind a real router. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "chain.h"
#include "tcptriage/base/clock.h"
#include "tcptriage/track/reverse_search.h"

#define LONG_US 10000000
#define ANSWER 60000
#define LOOK_MS 100

/* Services: @asked: waits for a request first. @answer: bytes, then the end, or @waits for more requests. */
static const struct service {
	uint16_t port;
	bool asked;
	size_t answer;
	bool waits;
} services[] = { { 7080, true, ANSWER, false }, { 7081, false, ANSWER, false }, { 7082, true, 300, false }, { 7083, true, 300, true } };
#define PORT_CLOSED 7089

static struct err err;

static void answer(int fd, const struct service *service)
{
	static char bytes[ANSWER];
	size_t sent = 0;
	ssize_t len;

	if (service->asked && recv(fd, bytes, sizeof(bytes), 0) <= 0)
		_exit(0);
	while (sent < service->answer && (len = send(fd, bytes + sent, service->answer - sent, MSG_NOSIGNAL)) > 0)
		sent += (size_t)len;
	while (service->waits && recv(fd, bytes, sizeof(bytes), 0) > 0)
		;
	_exit(0);
}

static void serve(void)
{
	struct pollfd listeners[ARRAY_SIZE(services)];
	int ready[2];
	char byte = 0;

	assert_int_equal(pipe(ready), 0);
	if (fork()) {
		assert_int_equal(read(ready[0], &byte, 1), 1);
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	chain_enter(CHAIN_SERVER);
	for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
		struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(services[i].port) };

		listeners[i] = (struct pollfd){ socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), POLLIN, 0 };
		if (bind(listeners[i].fd, (struct sockaddr *)&any, sizeof(any)) || listen(listeners[i].fd, 128))
			_exit(1);
	}
	if (write(ready[1], &byte, 1) != 1)
		_exit(1);
	for (;;) {
		poll(listeners, ARRAY_SIZE(services), -1);
		for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
			int fd = listeners[i].revents ? accept(listeners[i].fd, NULL, NULL) : -1;

			if (fd >= 0 && !fork())
				answer(fd, &services[i]);
			if (fd >= 0)
				close(fd);
		}
	}
}

static int setup(void **state)
{
	(void)state;
	chain_up(1);
	serve();
	return 0;
}

static int widen(void **state)
{
	(void)state;
	chain_widen();
	return 0;
}

static struct tcp_reverse *open_reverse(enum addr_family family, uint16_t port, enum tcp_payload payload)
{
	struct prober_options options = { .kind = PROBER_TCP_DATA, .address = chain_server(family), .port = port, .payload = payload };
	struct tcp_reverse *reverse;

	if (tcp_reverse_open(&reverse, &options, &err))
		fail_msg("%s", err.text);
	return reverse;
}

static struct reverse_outcome ask_for(struct tcp_reverse *reverse, const struct reverse_request *request)
{
	struct reverse_outcome outcome;

	tcp_reverse_send(reverse, request);
	for (;;) {
		struct pollfd waiting = { tcp_reverse_fd(reverse), POLLIN, 0 };
		int64_t now_us = clock_mono_us();

		if (tcp_reverse_next(reverse, now_us, &outcome))
			break;
		assert_true(now_us < request->deadline_us + 1000000);
		poll(&waiting, 1, (int)MIN((request->deadline_us - now_us) / 1000 + 1, LOOK_MS));
	}
	assert_int_equal(outcome.id, request->id);
	assert_int_equal(outcome.mss, request->mss);
	return outcome;
}

static struct reverse_outcome ask(struct tcp_reverse *reverse, uint32_t mss, int64_t wait_us)
{
	const struct reverse_request request = { .id = 7, .mss = mss, .enough = REVERSE_ENOUGH, .deadline_us = clock_mono_us() + wait_us };

	return ask_for(reverse, &request);
}

static void answer__wide__comes_and_bears_witness(void **state)
{
	(void)state;
	for (unsigned family = 0; family < ADDR_FAMILY_COUNT; family++) {
		uint32_t mss = family == ADDR_V4 ? 1460 : 1440;
		struct tcp_reverse *reverse = open_reverse(family, 7080, PAYLOAD_HTTP);
		struct reverse_outcome out = ask(reverse, 0, LONG_US), small = ask(reverse, 1200, LONG_US);

		assert_true(out.connected && out.ended && !out.held);
		assert_int_equal(out.error, 0);
		assert_true(out.received >= REVERSE_ENOUGH);
		assert_true(out.witness.made && out.witness.connected);
		assert_int_equal(out.witness.snd_mss, mss - 12);
		assert_int_equal(out.witness.advmss, mss - 12);
		assert_int_equal(out.witness.rcv_mss, mss - 12);
		assert_int_equal(out.witness.pmtu, 1500);
		assert_in_range(out.witness.handshake_us, 0, 2000000);
		/* what was advertised is what came */
		assert_true(small.ended && small.received >= REVERSE_ENOUGH);
		assert_int_equal(small.witness.rcv_mss, 1200 - 12);
		tcp_reverse_close(reverse);
	}
}

static void answer__too_large_for_the_way_back__stalls(void **state)
{
	(void)state;
	chain_narrow(CHAIN_CLIENT, 1400, true);
	for (unsigned family = 0; family < ADDR_FAMILY_COUNT; family++) {
		struct tcp_reverse *reverse = open_reverse(family, 7080, PAYLOAD_HTTP);
		struct reverse_outcome out = ask(reverse, 0, 700000);

		assert_true(out.connected && !out.ended);
		assert_true(out.received < REVERSE_ENOUGH);
		assert_true(ask(reverse, family == ADDR_V4 ? 1360 : 1340, LONG_US).ended);
		tcp_reverse_close(reverse);
	}
}

static void service__that_is_not_asked__says_nothing_or_speaks_by_itself(void **state)
{
	struct tcp_reverse *reverse;
	struct reverse_outcome out;

	(void)state;
	reverse = open_reverse(ADDR_V4, 7080, PAYLOAD_NONE);
	out = ask(reverse, 0, 300000);
	assert_true(out.connected && !out.ended && !out.held);
	assert_int_equal(out.received, 0);
	tcp_reverse_close(reverse);
	reverse = open_reverse(ADDR_V4, 7081, PAYLOAD_NONE);
	assert_true(ask(reverse, 0, LONG_US).received >= REVERSE_ENOUGH);
	tcp_reverse_close(reverse);
	reverse = open_reverse(ADDR_V4, 7082, PAYLOAD_RAW);
	out = ask(reverse, 0, LONG_US);
	assert_true(out.ended);
	assert_int_equal(out.received, 300);
	assert_false(out.quiet);
	tcp_reverse_close(reverse);
}

/* Quiet is only who has said something: a large answer that stalls has bytes missing, or none came. */
static void service__that_says_little_and_waits__is_left_when_it_is_quiet(void **state)
{
	struct reverse_request request = { .id = 7, .mss = 1200, .enough = REVERSE_ENOUGH, .quiet_us = 400000 };
	struct tcp_reverse *reverse = open_reverse(ADDR_V4, 7083, PAYLOAD_RAW);
	int64_t began_us = clock_mono_us();
	struct reverse_outcome out;

	(void)state;
	request.deadline_us = began_us + LONG_US;
	out = ask_for(reverse, &request);
	assert_true(out.connected && out.quiet && !out.ended && !out.held);
	assert_int_equal(out.received, 300);
	assert_in_range(clock_mono_us() - began_us, 400000, 3000000);
	tcp_reverse_close(reverse);
	reverse = open_reverse(ADDR_V4, 7081, PAYLOAD_NONE);
	request.deadline_us = clock_mono_us() + LONG_US;
	out = ask_for(reverse, &request);
	assert_true(out.ended && !out.quiet);
	tcp_reverse_close(reverse);
	reverse = open_reverse(ADDR_V4, 7083, PAYLOAD_NONE); /* nothing is said */
	request.deadline_us = clock_mono_us() + 900000;
	out = ask_for(reverse, &request);
	assert_true(out.connected && !out.quiet && !out.ended && !out.received);
	tcp_reverse_close(reverse);
}

static void connection__refused_or_silent__carries_the_errno(void **state)
{
	struct tcp_reverse *reverse = open_reverse(ADDR_V6, PORT_CLOSED, PAYLOAD_HTTP);
	struct reverse_outcome out = ask(reverse, 0, LONG_US);

	(void)state;
	assert_false(out.connected);
	assert_int_equal(out.error, ECONNREFUSED);
	assert_int_equal(out.witness.error, ECONNREFUSED);
	assert_true(out.witness.made && !out.witness.connected);
	assert_int_equal(out.witness.handshake_us, -1);
	chain_run(CHAIN_ROUTER, "nft 'add table inet f; add chain inet f on { type filter hook forward priority 0 ; }; add rule inet f on tcp dport %d drop'", PORT_CLOSED);
	out = ask(reverse, 0, 300000);
	assert_false(out.connected);
	assert_int_equal(out.error, ETIMEDOUT);
	tcp_reverse_close(reverse);
}

/* The whole test as a driver makes it. */
static struct reverse_path judge(enum addr_family family, uint16_t port, enum tcp_payload payload)
{
	const struct reverse_search_options options = { .family = family, .largest = family == ADDR_V4 ? 1460 : 1440, .exact = true, .hurry = true };
	struct reverse_search *search = reverse_search_new(&options, clock_mono_us());
	struct tcp_reverse *reverse = open_reverse(family, port, payload);
	struct reverse_request request;
	struct reverse_outcome outcome;
	struct reverse_path path;
	int64_t wake_us, begin_us = clock_mono_us();
	enum probe_step step;

	while ((step = reverse_search_step(search, clock_mono_us(), &request, &wake_us)) != STEP_DONE) {
		struct pollfd waiting = { tcp_reverse_fd(reverse), POLLIN, 0 };
		int64_t now_us = clock_mono_us();

		if (step == STEP_SEND) {
			tcp_reverse_send(reverse, &request);
			continue;
		}
		if (wake_us > now_us)
			poll(&waiting, 1, (int)((wake_us - now_us) / 1000 + 1));
		while (tcp_reverse_next(reverse, clock_mono_us(), &outcome))
			reverse_search_outcome(search, &outcome, clock_mono_us());
	}
	path = *reverse_search_path(search);
	print_message("%s: %u connections, %.2f s\n", family == ADDR_V4 ? "IPv4" : "IPv6", path.connections, (double)(clock_mono_us() - begin_us) / 1e6);
	tcp_reverse_close(reverse);
	reverse_search_free(search);
	return path;
}

static void judged__wide__fits(void **state)
{
	(void)state;
	for (unsigned family = 0; family < ADDR_FAMILY_COUNT; family++) {
		struct reverse_path path = judge(family, 7080, PAYLOAD_TLS);

		assert_int_equal(path.finding, REVERSE_FITS);
		assert_true(path.connections <= 2);
	}
}

static void judged__mute_router_on_the_way_back__black_hole_to_the_byte(void **state)
{
	(void)state;
	for (unsigned family = 0; family < ADDR_FAMILY_COUNT; family++) {
		struct reverse_path path;

		chain_widen();
		chain_narrow(CHAIN_CLIENT, family == ADDR_V4 ? 1400 : 1363, true);
		path = judge(family, 7080, PAYLOAD_HTTP);
		assert_int_equal(path.finding, REVERSE_BLACK_HOLE);
		assert_int_equal(path.largest_mss, family == ADDR_V4 ? 1360 : 1303);
		assert_int_equal(path.smallest_dead, path.largest_mss + 1);
	}
}

static void judged__router_that_tells_the_server__fits(void **state)
{
	(void)state;
	chain_narrow(CHAIN_CLIENT, 1400, false);
	for (unsigned family = 0; family < ADDR_FAMILY_COUNT; family++)
		assert_int_equal(judge(family, 7080, PAYLOAD_RAW).finding, REVERSE_FITS);
}

static void judged__only_the_way_there_is_narrow__fits(void **state)
{
	(void)state;
	chain_narrow(CHAIN_SERVER, 1400, true);
	for (unsigned family = 0; family < ADDR_FAMILY_COUNT; family++)
		assert_int_equal(judge(family, 7080, PAYLOAD_HTTP).finding, REVERSE_FITS);
}

static void judged__short_answer__is_unknown(void **state)
{
	(void)state;
	chain_narrow(CHAIN_CLIENT, 1400, true);
	assert_int_equal(judge(ADDR_V4, 7082, PAYLOAD_HTTP).finding, REVERSE_UNKNOWN);
	assert_int_equal(judge(ADDR_V4, 7083, PAYLOAD_HTTP).finding, REVERSE_UNKNOWN);
	assert_int_equal(judge(ADDR_V6, PORT_CLOSED, PAYLOAD_HTTP).finding, REVERSE_UNKNOWN);
}

/* 5 % of all packets are lost, both ways: no black hole. */
static void judged__loss__is_no_black_hole(void **state)
{
	(void)state;
	chain_run(CHAIN_ROUTER, "nft 'add table inet f; add chain inet f on { type filter hook forward priority 0 ; }; add rule inet f on numgen random mod 100 < 5 drop'");
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(judge(i % 2, 7080, PAYLOAD_HTTP).finding, REVERSE_FITS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(answer__wide__comes_and_bears_witness, widen),
		cmocka_unit_test_setup(answer__too_large_for_the_way_back__stalls, widen),
		cmocka_unit_test_setup(service__that_is_not_asked__says_nothing_or_speaks_by_itself, widen),
		cmocka_unit_test_setup(service__that_says_little_and_waits__is_left_when_it_is_quiet, widen),
		cmocka_unit_test_setup(connection__refused_or_silent__carries_the_errno, widen),
		cmocka_unit_test_setup(judged__wide__fits, widen),
		cmocka_unit_test_setup(judged__mute_router_on_the_way_back__black_hole_to_the_byte, widen),
		cmocka_unit_test_setup(judged__router_that_tells_the_server__fits, widen),
		cmocka_unit_test_setup(judged__only_the_way_there_is_narrow__fits, widen),
		cmocka_unit_test_setup(judged__short_answer__is_unknown, widen),
		cmocka_unit_test_setup(judged__loss__is_no_black_hole, widen),
	};
	const char *why = chain_skip();

	if (why) {
		puts(why);
		return 77;
	}
	return cmocka_run_group_tests(tests, setup, NULL);
}
