/* SPDX-License-Identifier: MIT */
/* probe/syn, probe/syn_raw: SYNs through a real router, each answer of it and of the host, as root and as nobody. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "chain.h"
#include "tcptriage/base/clock.h"
#include "tcptriage/base/util.h"
#include "tcptriage/probe/prober.h"

#define PORT_OPEN 7000
#define PORT_CLOSED 7001
#define PORT_PROHIBITED 7002
#define PORT_RESET 7003
#define PORT_REJECTED 7004
#define PORT_DROPPED 7005
#define PORT_ONE_SOURCE 7006
#define SOURCE_PORT 45017
#define PORT_DROPPED_SOURCE 45021
#define WAIT_US 900000

static struct err err;
static uint32_t next_id;
static const enum prober_kind all[] = { PROBER_SYN, PROBER_SYN_PORTS, PROBER_SYN_RAW };

static void serve(void)
{
	static const uint16_t ports[] = { PORT_OPEN, PORT_ONE_SOURCE };
	int ready[2], listener = -1;
	char byte;

	assert_int_equal(pipe(ready), 0);
	if (fork()) {
		assert_int_equal(read(ready[0], &byte, 1), 1);
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	chain_enter(CHAIN_SERVER);
	for (unsigned i = 0; i < ARRAY_SIZE(ports); i++) {
		struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(ports[i]) };

		listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (bind(listener, (struct sockaddr *)&any, sizeof(any)) || listen(listener, 128))
			_exit(1);
	}
	if (write(ready[1], "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static struct addr address(const char *text)
{
	struct addr out;

	assert_true(addr_parse(text, &out));
	return out;
}

static struct addr router(enum addr_family family)
{
	return address(family == ADDR_V4 ? "10.71.1.2" : "fd71:1::2");
}

static struct prober *open_to(enum prober_kind kind, struct addr target, uint16_t port, uint16_t source_port)
{
	struct prober_options options = { .kind = kind, .address = target, .port = port, .source_port = source_port };
	struct prober *prober;

	if (prober_open(&prober, &options, &err))
		fail_msg("%s", err.text);
	return prober;
}

/* The outcome of one SYN, REPLY_NONE when nothing came within @wait_us. */
static struct probe_outcome ask(struct prober *prober, uint8_t hop_limit, int64_t wait_us)
{
	struct probe_request request = { .id = ++next_id, .lane = LANE_MAIN, .hop_limit = hop_limit, .deadline_us = clock_mono_us() + wait_us };
	struct probe_outcome outcome = { .reply = REPLY_NONE };

	prober_send(prober, &request);
	while (clock_mono_us() < request.deadline_us) {
		struct pollfd waiting = { prober_fd(prober), POLLIN, 0 };

		if (prober_next(prober, clock_mono_us(), &outcome)) {
			assert_int_equal(outcome.id, request.id);
			assert_int_equal(outcome.hop_limit, hop_limit);
			return outcome;
		}
		poll(&waiting, 1, (int)((request.deadline_us - clock_mono_us()) / 1000) + 1);
	}
	return outcome;
}

/* Addresses of IPv6 are tentative for a second or two. */
static void wait_for_path(enum addr_family family)
{
	struct prober *prober = open_to(PROBER_SYN_PORTS, chain_server(family), PORT_OPEN, 0);
	unsigned tries = 0;

	while (ask(prober, 0, 300000).reply != REPLY_OPEN)
		assert_true(++tries < 30);
	prober_close(prober);
}

static int setup(void **state)
{
	(void)state;
	chain_up(1);
	serve();
	chain_run(CHAIN_ROUTER, "nft 'add table inet t; add chain inet t f { type filter hook forward priority 0 ; }; "
				"add rule inet t f tcp dport %d reject with icmpx type admin-prohibited; "
				"add rule inet t f tcp dport %d reject with tcp reset; "
				"add rule inet t f tcp dport %d reject with icmpx type port-unreachable; "
				"add rule inet t f tcp dport %d drop; "
				"add rule inet t f tcp dport %d tcp sport != %d drop'",
		  PORT_PROHIBITED, PORT_RESET, PORT_REJECTED, PORT_DROPPED, PORT_ONE_SOURCE, SOURCE_PORT);
	/* Routers here say whatever is asked of them, so that no test waits for another's turn. */
	chain_run(CHAIN_ROUTER, "sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0");
	chain_run(CHAIN_SERVER, "sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0");
	wait_for_path(ADDR_V4);
	wait_for_path(ADDR_V6);
	return 0;
}

static void expect(enum prober_kind kind, enum addr_family family, uint16_t port, uint8_t hop_limit, enum probe_reply reply, struct addr from, uint8_t reply_ttl)
{
	struct prober *prober = open_to(kind, chain_server(family), port, 0);
	struct probe_outcome outcome = ask(prober, hop_limit, WAIT_US);

	if (outcome.reply != reply)
		print_message("kind %u, IPv%u, port %u, hop limit %u; dropped %llu, malformed %llu\n", kind, family ? 6 : 4, port, hop_limit,
			      (unsigned long long)prober_counts(prober)->dropped, (unsigned long long)prober_counts(prober)->malformed);
	assert_string_equal(probe_reply_name(outcome.reply), probe_reply_name(reply));
	assert_true(addr_equal(&outcome.from, &from));
	assert_true(outcome.rtt_us > 0 && outcome.rtt_us < WAIT_US);
	assert_int_equal(outcome.is_icmp, reply != REPLY_OPEN && reply != REPLY_REFUSED);
	if (kind == PROBER_SYN_RAW)
		assert_int_equal(outcome.reply_ttl, reply_ttl);
	assert_int_equal(prober_counts(prober)->sent, 1);
	assert_int_equal(prober_counts(prober)->dropped + prober_counts(prober)->malformed, 0);
	assert_int_equal(prober_method(prober), PROBE_TCP);
	prober_close(prober);
}

static void each__answer__is_told_for_what_it_is(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
		for (enum addr_family family = ADDR_V4; family < ADDR_FAMILY_COUNT; family++) {
			expect(all[i], family, PORT_OPEN, 0, REPLY_OPEN, chain_server(family), 63);
			expect(all[i], family, PORT_OPEN, 2, REPLY_OPEN, chain_server(family), 63);
			expect(all[i], family, PORT_OPEN, 1, REPLY_EXPIRED, router(family), 64);
			expect(all[i], family, PORT_CLOSED, 0, REPLY_REFUSED, chain_server(family), 63);
			expect(all[i], family, PORT_RESET, 0, REPLY_REFUSED, chain_server(family), 64);
			expect(all[i], family, PORT_PROHIBITED, 0, REPLY_PROHIBITED, router(family), 64);
			expect(all[i], family, PORT_REJECTED, 2, REPLY_REJECTED, router(family), 64);
		}
	}
}

static void host__rejects_by_icmp__has_arrived(void **state)
{
	(void)state;
	chain_run(CHAIN_SERVER, "nft 'add table inet t; add chain inet t i { type filter hook input priority 0 ; }; "
				"add rule inet t i tcp dport %d reject with icmpx type port-unreachable'",
		  PORT_CLOSED);
	for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
		for (enum addr_family family = ADDR_V4; family < ADDR_FAMILY_COUNT; family++)
			expect(all[i], family, PORT_CLOSED, 0, REPLY_ARRIVED, chain_server(family), 63);
	}
	chain_run(CHAIN_SERVER, "nft delete table inet t");
}

static void router__without_a_route__says_unreachable(void **state)
{
	(void)state;
	chain_run(CHAIN_ROUTER, "ip route add unreachable 10.71.8.0/24 && ip route add unreachable fd71:8::/64");
	for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
		for (enum addr_family family = ADDR_V4; family < ADDR_FAMILY_COUNT; family++) {
			struct prober *prober = open_to(all[i], address(family == ADDR_V4 ? "10.71.8.1" : "fd71:8::1"), PORT_OPEN, 0);
			struct probe_outcome outcome = { .reply = REPLY_NONE };
			struct addr by = router(family);

			/* IPv4 says so once in a second, whatever the limit of other messages is (net.ipv4.route.error_cost). */
			for (unsigned n = 0; n < 3 && outcome.reply == REPLY_NONE; n++)
				outcome = ask(prober, 0, WAIT_US);
			assert_int_equal(outcome.reply, REPLY_UNREACHABLE);
			assert_true(addr_equal(&outcome.from, &by));
			assert_int_equal(outcome.icmp_type, family == ADDR_V4 ? 3 : 1);
			prober_close(prober);
		}
	}
}

static void silence__is_nothing__and_the_port_is_free_again_at_once(void **state)
{
	(void)state;
	for (enum addr_family family = ADDR_V4; family < ADDR_FAMILY_COUNT; family++) {
		struct prober *prober = open_to(PROBER_SYN, chain_server(family), PORT_DROPPED, 0);

		assert_int_equal(ask(prober, 0, 100000).reply, REPLY_NONE);
		assert_int_equal(ask(prober, 1, WAIT_US).reply, REPLY_EXPIRED);
		assert_int_equal(ask(prober, 2, 100000).reply, REPLY_NONE);
		assert_int_equal(ask(prober, 1, WAIT_US).reply, REPLY_EXPIRED);
		assert_int_equal(prober_counts(prober)->sent, 4);
		prober_close(prober);
	}
}

/* The kernel sends a SYN again after a second, and that is a packet as well. */
static void silence__longer_than_a_second__counts_what_the_kernel_repeats(void **state)
{
	struct prober *prober = open_to(PROBER_SYN, chain_server(ADDR_V4), PORT_DROPPED, 0);

	(void)state;
	assert_int_equal(ask(prober, 0, 1300000).reply, REPLY_NONE);
	prober_next(prober, clock_mono_us(), &(struct probe_outcome){ 0 });
	assert_int_equal(prober_counts(prober)->sent, 2);
	prober_close(prober);
}

static void one_port__many_times__every_attempt_comes_from_it(void **state)
{
	static const enum prober_kind kinds[] = { PROBER_SYN, PROBER_SYN_RAW };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
		for (enum addr_family family = ADDR_V4; family < ADDR_FAMILY_COUNT; family++) {
			struct prober *prober = open_to(kinds[i], chain_server(family), PORT_ONE_SOURCE, SOURCE_PORT);

			for (unsigned n = 0; n < 30; n++)
				assert_int_equal(ask(prober, n % 3 == 2 ? 1 : 0, WAIT_US).reply, n % 3 == 2 ? REPLY_EXPIRED : REPLY_OPEN);
			assert_int_equal(prober_counts(prober)->sent, 30);
			prober_close(prober);
		}
	}
	/* Nothing is left of it that would hold the port or the service. */
	chain_run(CHAIN_SERVER, "sleep 0.1; test -z \\\"\\$(ss -Htn state established state syn-recv)\\\"");
	chain_run(CHAIN_CLIENT, "test -z \"$(ss -Htna)\"");
}

static void many_at_once__each_is_told_apart(void **state)
{
	static const enum prober_kind kinds[] = { PROBER_SYN_PORTS, PROBER_SYN_RAW };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct prober *prober = open_to(kinds[i], chain_server(ADDR_V4), PORT_CLOSED, 0);
		int64_t end_us = clock_mono_us() + WAIT_US;
		struct probe_outcome outcome;
		unsigned got = 0;

		assert_true(prober_most(prober) >= 32);
		for (unsigned n = 0; n < 32; n++)
			prober_send(prober, &(struct probe_request){ .id = 1000 + n, .hop_limit = n % 2 ? 1 : 64, .deadline_us = end_us });
		while (clock_mono_us() < end_us && got < 32) {
			if (!prober_next(prober, clock_mono_us(), &outcome))
				continue;
			assert_int_equal(outcome.reply, outcome.id % 2 ? REPLY_EXPIRED : REPLY_REFUSED);
			got++;
		}
		assert_int_equal(got, 32);
		prober_close(prober);
	}
}

static void expect_local(enum prober_kind kind, const char *target, int error, int64_t wait_us)
{
	struct prober *prober = open_to(kind, address(target), PORT_OPEN, 0);
	struct probe_outcome outcome = ask(prober, 0, wait_us);

	assert_string_equal(probe_reply_name(outcome.reply), "local");
	assert_int_equal(outcome.error, error);
	assert_true(addr_is_any(&outcome.from));
	assert_int_equal(outcome.is_icmp, 0);
	prober_close(prober);
}

static void this_machine__does_not_send__says_why(void **state)
{
	(void)state;
	chain_run(CHAIN_CLIENT, "ip route add unreachable 10.71.9.1 && ip route add prohibit 10.71.9.2 && ip route add throw 10.71.9.3 && "
				"ip route add unreachable fd71:9::1 && ip route add prohibit fd71:9::2");
	for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
		expect_local(all[i], "10.71.9.1", EHOSTUNREACH, WAIT_US);
		expect_local(all[i], "10.71.9.2", EACCES, WAIT_US);
		expect_local(all[i], "10.71.9.3", ENETUNREACH, WAIT_US);
		expect_local(all[i], "fd71:9::1", EHOSTUNREACH, WAIT_US);
		expect_local(all[i], "fd71:9::2", EACCES, WAIT_US);
	}
}

/* A neighbour that does not answer is no router's word: it is this machine that gives up after three seconds. */
static void own_segment__neighbour_is_not_there__is_a_local_error(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
		expect_local(all[i], i == 0 ? "10.71.1.77" : i == 1 ? "10.71.1.78" : "10.71.1.79", EHOSTUNREACH, 4000000);
		expect_local(all[i], i == 0 ? "fd71:1::77" : i == 1 ? "fd71:1::78" : "fd71:1::79", EHOSTUNREACH, 4000000);
	}
}

/* What this machine's own filter says looks like a router's word, but for its address. */
static void own_filter__rejects__is_a_local_error(void **state)
{
	(void)state;
	chain_run(CHAIN_CLIENT, "nft 'add table inet t; add chain inet t o { type filter hook output priority 0 ; }; "
				"add rule inet t o tcp dport %d reject with icmpx type admin-prohibited'",
		  PORT_OPEN);
	for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
		expect_local(all[i], "10.71.2.2", EPERM, WAIT_US);
		expect_local(all[i], "fd71:2::2", EPERM, WAIT_US);
	}
	chain_run(CHAIN_CLIENT, "nft delete table inet t");
}

/* Nothing lies between: the host is this machine. */
static void own_address__is_a_host_like_others(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
		struct prober *prober = open_to(all[i], address("127.0.0.1"), PORT_CLOSED, 0);

		assert_int_equal(ask(prober, 0, WAIT_US).reply, REPLY_REFUSED);
		prober_close(prober);
	}
}

static void source_port__taken__is_refused_with_its_number(void **state)
{
	struct prober_options options = { .kind = PROBER_SYN, .address = chain_server(ADDR_V4), .port = PORT_OPEN, .source_port = 45018 };
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(45018) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct prober *prober;

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&any, sizeof(any)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(prober_open(&prober, &options, &err), -EADDRINUSE);
	assert_non_null(strstr(err.text, "45018"));
	options.kind = PROBER_SYN_RAW;
	assert_int_equal(prober_open(&prober, &options, &err), -EADDRINUSE);
	close(fd);
}

/* Two connections of the same ports cannot be: what the kernel says of that is kept. */
static void source_port__its_connection_stands_already__is_a_local_error(void **state)
{
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = htons(45019) }, to = { .sin_family = AF_INET, .sin_port = htons(PORT_OPEN) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	struct probe_outcome outcome;
	struct prober *prober;

	(void)state;
	assert_int_equal(inet_pton(AF_INET, "10.71.2.2", &to.sin_addr), 1);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof(own)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	prober = open_to(PROBER_SYN, chain_server(ADDR_V4), PORT_OPEN, 45019);
	outcome = ask(prober, 0, WAIT_US);
	assert_int_equal(outcome.reply, REPLY_LOCAL);
	assert_int_equal(outcome.error, EADDRNOTAVAIL);
	prober_close(prober);
	close(fd);
}

static void send_raw(enum chain_place place, int protocol, const uint8_t *bytes, size_t len)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	int fd, status;
	pid_t pid = fork();

	if (!pid) {
		chain_enter(place);
		fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, protocol);
		inet_pton(AF_INET, "10.71.1.1", &to.sin_addr);
		_exit(sendto(fd, bytes, len, 0, (struct sockaddr *)&to, sizeof(to)) != (ssize_t)len);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* A segment from the server's address that answers nothing: RST|ACK, its acknowledgement a guess. */
static void forge(uint32_t ack)
{
	uint8_t segment[20] = { PORT_DROPPED >> 8, PORT_DROPPED & 0xff, 45020 >> 8, 45020 & 0xff, [12] = 0x50, 0x14 };

	ack = htonl(ack);
	memcpy(segment + 8, &ack, sizeof(ack));
	send_raw(CHAIN_SERVER, IPPROTO_TCP, segment, sizeof(segment));
}

/* "Hop limit reached" from the router, about a SYN with our addresses and ports and a sequence number that is a guess. */
static void forge_quote(void)
{
	uint8_t message[36] = { 11, [8] = 0x45, [11] = 60, [16] = 1, 6, [20] = 10, 71, 1, 1, 10, 71, 2, 2,
				PORT_DROPPED_SOURCE >> 8, PORT_DROPPED_SOURCE & 0xff, PORT_DROPPED >> 8, PORT_DROPPED & 0xff, 1, 2, 3, 4 };
	uint32_t sum = 0;

	for (size_t i = 0; i < sizeof(message); i += 2)
		sum += (uint32_t)message[i] << 8 | message[i + 1];
	sum = ~(sum + (sum >> 16));
	message[2] = (uint8_t)(sum >> 8);
	message[3] = (uint8_t)sum;
	send_raw(CHAIN_ROUTER, IPPROTO_ICMP, message, sizeof(message));
}

static void forged_quotes__change_nothing_but_a_counter(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(all); i += 2) {
		struct prober *prober = open_to(all[i], chain_server(ADDR_V4), PORT_DROPPED, PORT_DROPPED_SOURCE);
		struct probe_outcome outcome;

		prober_send(prober, &(struct probe_request){ .id = ++next_id, .deadline_us = clock_mono_us() + WAIT_US });
		for (unsigned n = 0; n < 5; n++)
			forge_quote();
		assert_false(prober_next(prober, clock_mono_us(), &outcome));
		/* the kernel itself drops those about its own connections */
		assert_int_equal(prober_counts(prober)->dropped, all[i] == PROBER_SYN_RAW ? 5 : 0);
		prober_close(prober);
	}
}

static void raw__forged_segments__change_nothing_but_a_counter(void **state)
{
	struct prober *prober = open_to(PROBER_SYN_RAW, chain_server(ADDR_V4), PORT_DROPPED, 45020);
	struct probe_outcome outcome;

	(void)state;
	prober_send(prober, &(struct probe_request){ .id = ++next_id, .deadline_us = clock_mono_us() + WAIT_US });
	for (uint32_t i = 0; i < 5; i++)
		forge(i * 0x10000000);
	assert_false(prober_next(prober, clock_mono_us(), &outcome));
	assert_int_equal(prober_counts(prober)->dropped, 5);
	prober_close(prober);
}

/* What others talk with the host neither wakes the prober nor counts. */
static void raw__other_connections__are_not_seen(void **state)
{
	static const char *const texts[] = { "10.71.2.2", "fd71:2::2" };

	(void)state;
	for (enum addr_family family = ADDR_V4; family < ADDR_FAMILY_COUNT; family++) {
		struct prober *prober = open_to(PROBER_SYN_RAW, chain_server(family), PORT_OPEN, 0), *other;
		struct pollfd waiting = { prober_fd(prober), POLLIN, 0 };
		struct probe_outcome outcome;

		assert_int_equal(ask(prober, 0, WAIT_US).reply, REPLY_OPEN);
		other = open_to(PROBER_SYN_PORTS, address(texts[family]), PORT_OPEN, 0);
		assert_int_equal(ask(other, 0, WAIT_US).reply, REPLY_OPEN);
		assert_int_equal(poll(&waiting, 1, 50), 0);
		assert_false(prober_next(prober, clock_mono_us(), &outcome));
		assert_int_equal(prober_counts(prober)->dropped, 0);
		prober_close(other);
		prober_close(prober);
	}
}

static int as_nobody(void)
{
	struct prober_options raw = { .kind = PROBER_SYN_RAW, .address = chain_server(ADDR_V4), .port = PORT_OPEN };
	struct prober *prober;

	if (setgid(65534) || setuid(65534))
		return 1;
	if (prober_allowed(PROBER_SYN_RAW, ADDR_V4, &err) != -EPERM || prober_open(&prober, &raw, &err) != -EPERM || !strstr(err.text, "CAP_NET_RAW"))
		return 2;
	for (enum addr_family family = ADDR_V4; family < ADDR_FAMILY_COUNT; family++) {
		expect(PROBER_SYN, family, PORT_OPEN, 0, REPLY_OPEN, chain_server(family), 0);
		expect(PROBER_SYN, family, PORT_OPEN, 1, REPLY_EXPIRED, router(family), 0);
		expect(PROBER_SYN, family, PORT_CLOSED, 0, REPLY_REFUSED, chain_server(family), 0);
		expect(PROBER_SYN, family, PORT_PROHIBITED, 0, REPLY_PROHIBITED, router(family), 0);
		expect(PROBER_SYN_PORTS, family, PORT_OPEN, 1, REPLY_EXPIRED, router(family), 0);
	}
	return prober_allowed(PROBER_SYN, ADDR_V4, &err) ? 3 : 0;
}

static void nobody__without_privilege__traces_as_well(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (!pid)
		_exit(as_nobody());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each__answer__is_told_for_what_it_is),
		cmocka_unit_test(host__rejects_by_icmp__has_arrived),
		cmocka_unit_test(router__without_a_route__says_unreachable),
		cmocka_unit_test(silence__is_nothing__and_the_port_is_free_again_at_once),
		cmocka_unit_test(silence__longer_than_a_second__counts_what_the_kernel_repeats),
		cmocka_unit_test(one_port__many_times__every_attempt_comes_from_it),
		cmocka_unit_test(many_at_once__each_is_told_apart),
		cmocka_unit_test(this_machine__does_not_send__says_why),
		cmocka_unit_test(own_segment__neighbour_is_not_there__is_a_local_error),
		cmocka_unit_test(source_port__taken__is_refused_with_its_number),
		cmocka_unit_test(source_port__its_connection_stands_already__is_a_local_error),
		cmocka_unit_test(own_filter__rejects__is_a_local_error),
		cmocka_unit_test(own_address__is_a_host_like_others),
		cmocka_unit_test(forged_quotes__change_nothing_but_a_counter),
		cmocka_unit_test(raw__forged_segments__change_nothing_but_a_counter),
		cmocka_unit_test(raw__other_connections__are_not_seen),
		cmocka_unit_test(nobody__without_privilege__traces_as_well),
	};
	const char *skip = chain_skip();

	if (skip) {
		puts(skip);
		return 77;
	}
	return cmocka_run_group_tests(tests, setup, NULL);
}
