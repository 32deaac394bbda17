/* SPDX-License-Identifier: MIT */
/* probe/tcp_data: sizes over TCP through a real router, each packet seen on the wire. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
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
#include "tcptriage/probe/prober.h"

#define PORT_SINK 7000
#define PORT_CLOSED 7001
#define PORT_RESETS 7002
#define SILENCE_US 1000000
#define LONG_US 10000000
#define MOST 12

static struct err err;
static uint32_t next_id;

/* Reads and says nothing; on PORT_RESETS the connection is reset as soon as something was read. */
static void serve(void)
{
	static const uint16_t ports[] = { PORT_SINK, PORT_RESETS };
	int listeners[2], ready[2];
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid) {
		char byte;

		assert_int_equal(read(ready[0], &byte, 1), 1);
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	chain_enter(CHAIN_SERVER);
	for (unsigned i = 0; i < 2; i++) {
		struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(ports[i]) };

		listeners[i] = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (bind(listeners[i], (struct sockaddr *)&any, sizeof(any)) || listen(listeners[i], 128))
			_exit(1);
	}
	if (write(ready[1], "", 1) != 1)
		_exit(1);
	for (;;) {
		struct pollfd waiting[2] = { { listeners[0], POLLIN, 0 }, { listeners[1], POLLIN, 0 } };
		struct linger hard = { 1, 0 };
		char bytes[4096];
		int fd;

		poll(waiting, 2, -1);
		fd = accept(listeners[waiting[1].revents ? 1 : 0], NULL, NULL);
		if (!waiting[1].revents)
			continue; /* held, and never read: the kernel acknowledges */
		if (read(fd, bytes, sizeof(bytes)) < 0)
			continue;
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
		close(fd);
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

static struct prober *open_prober(enum addr_family family, uint16_t port, enum tcp_payload payload)
{
	struct prober_options options = { .kind = PROBER_TCP_DATA, .address = chain_server(family), .port = port, .payload = payload, .host = "example.net", .interface_mtu = 1500 };
	struct prober *prober;

	if (prober_open(&prober, &options, &err))
		fail_msg("%s", err.text);
	return prober;
}

/* Sends @sizes at once and waits for as many outcomes, @wait_us at most. Outcomes stand where their sizes do; REPLY_NONE for silence. */
static void ask(struct prober *prober, const uint32_t *sizes, size_t count, int64_t wait_us, struct probe_outcome *out)
{
	int64_t end_us = clock_mono_us() + wait_us;
	uint32_t first = next_id + 1;
	size_t got = 0;

	memset(out, 0, count * sizeof(*out));
	for (size_t i = 0; i < count; i++)
		prober_send(prober, &(struct probe_request){ .id = ++next_id, .size = sizes[i], .deadline_us = end_us });
	for (;;) {
		struct pollfd waiting = { prober_fd(prober), POLLIN, 0 };
		int64_t now_us = clock_mono_us();
		struct probe_outcome outcome;

		while (prober_next(prober, now_us, &outcome)) {
			assert_in_range(outcome.id, first, next_id);
			assert_int_equal(out[outcome.id - first].id, 0);
			assert_int_equal(outcome.size, sizes[outcome.id - first]);
			out[outcome.id - first] = outcome;
			got++;
		}
		if (got == count || now_us >= end_us)
			return;
		poll(&waiting, 1, (int)((end_us - now_us) / 1000 + 1));
	}
}

static struct probe_outcome ask_one(struct prober *prober, uint32_t size, int64_t wait_us)
{
	struct probe_outcome out;

	ask(prober, &size, 1, wait_us, &out);
	return out;
}

/* All that leaves for @port with data in it: sizes of IP packets. */
struct wire {
	uint32_t sizes[64];
	size_t count;
	bool fragmentable, labelled;
};

static int wire_open(void)
{
	struct sockaddr_ll link = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex("tch1a") };
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL));

	assert_int_equal(bind(fd, (struct sockaddr *)&link, sizeof(link)), 0);
	return fd;
}

static void wire_packet(struct wire *wire, const uint8_t *p, uint16_t port)
{
	bool v6 = p[0] >> 4 == 6;
	size_t ip = v6 ? 40 : (p[0] & 15u) * 4u, total = v6 ? 40u + (unsigned)(p[4] << 8 | p[5]) : (unsigned)(p[2] << 8 | p[3]);
	const uint8_t *tcp = p + ip;

	if (p[v6 ? 6 : 9] != IPPROTO_TCP || (tcp[2] << 8 | tcp[3]) != port || total == ip + (size_t)(tcp[12] >> 4) * 4)
		return;
	assert_true(wire->count < 64);
	wire->sizes[wire->count++] = (uint32_t)total;
	wire->fragmentable = wire->fragmentable || (!v6 && !(p[6] & 0x40));
	wire->labelled = wire->labelled || (v6 && ((p[1] & 15) || p[2] || p[3]));
}

static struct wire wire_read(int fd, uint16_t port)
{
	struct wire wire = { .count = 0 };
	struct sockaddr_ll from;
	socklen_t len = sizeof(from);
	uint8_t packet[2048];
	ssize_t got;

	while ((got = recvfrom(fd, packet, sizeof(packet), 0, (struct sockaddr *)&from, &len)) > 0) {
		if (got >= 60 - 8 && from.sll_pkttype == PACKET_OUTGOING)
			wire_packet(&wire, packet, port);
	}
	close(fd);
	return wire;
}

static void check_size_on_the_wire(struct prober *prober, uint32_t size, uint32_t expected)
{
	int fd = wire_open();
	struct probe_outcome out = ask_one(prober, size, LONG_US);
	struct wire wire = wire_read(fd, PORT_SINK);

	assert_int_equal(out.reply, REPLY_ARRIVED);
	assert_in_range(out.rtt_us, 0, 2000000);
	assert_true(wire.count >= 1);
	for (size_t i = 0; i < wire.count; i++)
		assert_int_equal(wire.sizes[i], expected);
	assert_false(wire.fragmentable);
	assert_false(wire.labelled);
}

static void size__any_payload__is_that_of_the_packet_on_the_wire(void **state)
{
	(void)state;
	for (unsigned family = 0; family < ADDR_FAMILY_COUNT; family++) {
		for (unsigned payload = PAYLOAD_HTTP; payload < TCP_PAYLOAD_COUNT; payload++) {
			struct prober *prober = open_prober(family, PORT_SINK, payload);
			uint32_t least = prober_smallest(prober);

			assert_int_equal(prober_largest(prober), 0);
			check_size_on_the_wire(prober, 1500, 1500);
			assert_int_equal(prober_largest(prober), 1500);
			check_size_on_the_wire(prober, 1281, 1281);
			check_size_on_the_wire(prober, least + 1, least + 1);
			check_size_on_the_wire(prober, 1, least);
			prober_close(prober);
		}
	}
}

static void size__without_timestamps__is_exact_as_well(void **state)
{
	struct prober *prober;

	(void)state;
	chain_run(CHAIN_CLIENT, "sysctl -qw net.ipv4.tcp_timestamps=0");
	for (unsigned family = 0; family < ADDR_FAMILY_COUNT; family++) {
		prober = open_prober(family, PORT_SINK, PAYLOAD_RAW);
		check_size_on_the_wire(prober, 1500, 1500);
		check_size_on_the_wire(prober, 999, 999);
		prober_close(prober);
	}
	chain_run(CHAIN_CLIENT, "sysctl -qw net.ipv4.tcp_timestamps=1");
}

static void size__above_the_interface__is_a_local_error(void **state)
{
	(void)state;
	for (unsigned family = 0; family < ADDR_FAMILY_COUNT; family++) {
		struct prober *prober = open_prober(family, PORT_SINK, PAYLOAD_RAW);
		struct probe_outcome out = ask_one(prober, 1501, LONG_US);

		assert_int_equal(out.reply, REPLY_LOCAL);
		assert_int_equal(out.error, EMSGSIZE);
		assert_int_equal(out.rtt_us, -1);
		prober_close(prober);
	}
}

static void narrow__router_tells__what_the_kernel_learned(void **state)
{
	(void)state;
	chain_narrow(CHAIN_SERVER, 1400, false);
	for (unsigned family = 0; family < ADDR_FAMILY_COUNT; family++) {
		struct prober *prober = open_prober(family, PORT_SINK, PAYLOAD_RAW);
		struct probe_outcome told = ask_one(prober, 1500, LONG_US), remembered = ask_one(prober, 1401, LONG_US), fits = ask_one(prober, 1400, LONG_US);

		assert_int_equal(told.reply, REPLY_TOO_BIG);
		assert_int_equal(told.mtu, 1400);
		assert_true(addr_is_any(&told.from));
		assert_true(told.rtt_us >= 0);
		assert_int_equal(remembered.reply, REPLY_TOO_BIG);
		assert_int_equal(remembered.mtu, 1400);
		assert_int_equal(remembered.rtt_us, -1);
		assert_int_equal(fits.reply, REPLY_ARRIVED);
		assert_int_equal(prober_largest(prober), 1500);
		prober_close(prober);
	}
}

/* What the kernel sends after the message dies too: the message itself is news enough. */
static void narrow__told_before_a_second_hole__is_known_without_an_acknowledgement(void **state)
{
	(void)state;
	chain_narrow(CHAIN_SERVER, 1400, false);
	chain_run(CHAIN_ROUTER, "nft 'add table inet f; add chain inet f on { type filter hook forward priority 0 ; }; add rule inet f on tcp dport %d meta length gt 100 drop'",
		  PORT_SINK);
	for (unsigned family = 0; family < ADDR_FAMILY_COUNT; family++) {
		struct prober *prober = open_prober(family, PORT_SINK, PAYLOAD_RAW);
		struct probe_outcome out = ask_one(prober, 1500, LONG_US);

		assert_int_equal(out.reply, REPLY_TOO_BIG);
		assert_int_equal(out.mtu, 1400);
		assert_true(out.rtt_us < SILENCE_US);
		prober_close(prober);
	}
}

/* An acknowledgement wakes by itself: waiting for the next look of the timer would take ten milliseconds each time. */
static void rtt__of_a_fast_path__is_that_of_the_path(void **state)
{
	struct prober *prober = open_prober(ADDR_V4, PORT_SINK, PAYLOAD_RAW);
	int64_t least_us = INT64_MAX;

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		struct probe_outcome out = ask_one(prober, 1500, LONG_US);

		assert_int_equal(out.reply, REPLY_ARRIVED);
		least_us = out.rtt_us < least_us ? out.rtt_us : least_us;
	}
	assert_true(least_us < 5000);
	prober_close(prober);
}

static void narrow__router_is_mute__large_ones_are_silence(void **state)
{
	const uint32_t sizes[MOST] = { 1500, 1492, 1480, 1472, 1450, 1420, 1401, 1400, 1399, 1280, 600, 64 };
	struct probe_outcome out[MOST];

	(void)state;
	chain_narrow(CHAIN_SERVER, 1400, true);
	for (unsigned family = 0; family < ADDR_FAMILY_COUNT; family++) {
		struct prober *prober = open_prober(family, PORT_SINK, PAYLOAD_RAW);

		assert_int_equal(prober_most(prober), MOST);
		ask(prober, sizes, MOST, SILENCE_US, out);
		for (unsigned i = 0; i < MOST; i++)
			assert_int_equal(out[i].reply, sizes[i] > 1400 ? REPLY_NONE : REPLY_ARRIVED);
		/* all places are free again */
		ask(prober, sizes, MOST, SILENCE_US, out);
		for (unsigned i = 0; i < MOST; i++)
			assert_int_equal(out[i].reply, sizes[i] > 1400 ? REPLY_NONE : REPLY_ARRIVED);
		prober_close(prober);
	}
}

/* The kernel sends the same bytes in smaller segments after a while, and those are acknowledged. */
static void narrow__tcp_mtu_probing__fakes_no_pass(void **state)
{
	(void)state;
	chain_narrow(CHAIN_SERVER, 1400, true);
	chain_run(CHAIN_CLIENT, "sysctl -qw net.ipv4.tcp_mtu_probing=1 net.ipv4.tcp_retries1=1");
	for (unsigned family = 0; family < ADDR_FAMILY_COUNT; family++) {
		struct prober *prober = open_prober(family, PORT_SINK, PAYLOAD_RAW);
		int fd = wire_open();
		struct probe_outcome out = ask_one(prober, 1500, 4 * SILENCE_US);
		struct wire wire = wire_read(fd, PORT_SINK);

		assert_int_equal(out.reply, REPLY_NONE);
		/* it did come to smaller segments, else this would prove nothing */
		assert_true(wire.count >= 2 && wire.sizes[wire.count - 1] < 1400);
		assert_int_equal(ask_one(prober, 1400, LONG_US).reply, REPLY_ARRIVED);
		prober_close(prober);
	}
	chain_run(CHAIN_CLIENT, "sysctl -qw net.ipv4.tcp_mtu_probing=0 net.ipv4.tcp_retries1=3");
}

static void open__tcp_mtu_probing_always__is_refused_with_the_reason(void **state)
{
	struct prober_options options = { .kind = PROBER_TCP_DATA, .address = chain_server(ADDR_V4), .port = PORT_SINK, .payload = PAYLOAD_RAW };
	struct prober *prober;
	int code;

	(void)state;
	chain_run(CHAIN_CLIENT, "sysctl -qw net.ipv4.tcp_mtu_probing=2");
	code = prober_open(&prober, &options, &err);
	chain_run(CHAIN_CLIENT, "sysctl -qw net.ipv4.tcp_mtu_probing=0");
	assert_int_equal(code, -EOPNOTSUPP);
	assert_non_null(strstr(err.text, "tcp_mtu_probing=2"));
}

static void open__without_payload__is_the_callers_error(void **state)
{
	struct prober_options options = { .kind = PROBER_TCP_DATA, .address = chain_server(ADDR_V4), .port = PORT_SINK };
	struct prober *prober;

	(void)state;
	assert_int_equal(prober_open(&prober, &options, &err), -EINVAL);
	assert_non_null(strstr(err.text, "sizes over TCP need --tcp-payload"));
}

static void open__no_route__says_so(void **state)
{
	struct prober_options options = { .kind = PROBER_TCP_DATA, .port = PORT_SINK, .payload = PAYLOAD_RAW };
	struct prober *prober;
	int code;

	(void)state;
	assert_true(addr_parse("10.71.3.1", &options.address));
	chain_run(CHAIN_CLIENT, "ip route add unreachable 10.71.3.0/24");
	code = prober_open(&prober, &options, &err);
	chain_run(CHAIN_CLIENT, "ip route del unreachable 10.71.3.0/24");
	assert_int_equal(code, -EHOSTUNREACH);
	assert_non_null(strstr(err.text, "10.71.3.1"));
}

/* A box on the way lowers the MSS that the server offers: larger segments cannot be sent, and nothing is told of the path. */
static void clamped__mss__is_a_local_error_and_the_largest(void **state)
{
	(void)state;
	chain_run(CHAIN_ROUTER, "nft 'add table inet clamp; add chain inet clamp on { type filter hook forward priority 0 ; }; "
				"add rule inet clamp on meta nfproto ipv4 tcp flags syn tcp option maxseg size set 1360; "
				"add rule inet clamp on meta nfproto ipv6 tcp flags syn tcp option maxseg size set 1340'");
	for (unsigned family = 0; family < ADDR_FAMILY_COUNT; family++) {
		struct prober *prober = open_prober(family, PORT_SINK, PAYLOAD_RAW);
		struct probe_outcome out = ask_one(prober, 1500, LONG_US);

		assert_int_equal(out.reply, REPLY_LOCAL);
		assert_int_equal(out.error, EMSGSIZE);
		assert_int_equal(prober_largest(prober), 1400);
		assert_int_equal(ask_one(prober, 1400, LONG_US).reply, REPLY_ARRIVED);
		assert_int_equal(ask_one(prober, 1401, LONG_US).error, EMSGSIZE);
		prober_close(prober);
	}
}

static void port__closed_or_filtered__is_told_apart(void **state)
{
	(void)state;
	for (unsigned family = 0; family < ADDR_FAMILY_COUNT; family++) {
		struct prober *prober = open_prober(family, PORT_CLOSED, PAYLOAD_HTTP);
		struct addr server = chain_server(family);
		struct probe_outcome out = ask_one(prober, 1500, LONG_US);

		assert_int_equal(out.reply, REPLY_REFUSED);
		assert_true(addr_equal(&out.from, &server));
		assert_int_equal(out.error, 0);
		chain_run(CHAIN_ROUTER, "nft 'add table inet f; add chain inet f on { type filter hook forward priority 0 ; }; add rule inet f on tcp dport %d drop'",
			  PORT_CLOSED);
		assert_int_equal(ask_one(prober, 1500, SILENCE_US / 2).reply, REPLY_NONE);
		assert_int_equal(prober_counts(prober)->malformed, 0);
		prober_close(prober);
		chain_widen();
	}
}

static void check_said(enum addr_family family, const char *how, enum probe_reply reply, bool by_router)
{
	struct prober *prober = open_prober(family, PORT_SINK, PAYLOAD_RAW);
	struct addr router;
	struct probe_outcome out;

	assert_true(addr_parse(family == ADDR_V4 ? "10.71.1.2" : "fd71:1::2", &router));
	chain_run(CHAIN_ROUTER, "nft 'add table inet f; add chain inet f on { type filter hook forward priority 0 ; }; add rule inet f on tcp dport %d reject with %s'",
		  PORT_SINK, how);
	out = ask_one(prober, 1500, LONG_US);
	assert_int_equal(out.reply, reply);
	assert_int_equal(addr_equal(&out.from, &router), by_router);
	assert_int_equal(out.is_icmp, by_router);
	prober_close(prober);
	chain_widen();
}

/* A firewall of the host itself that answers by ICMP refuses as a reset does. */
static void handshake__port_unreachable_from_the_host__is_a_refusal(void **state)
{
	(void)state;
	for (unsigned family = 0; family < ADDR_FAMILY_COUNT; family++) {
		struct prober *prober = open_prober(family, PORT_SINK, PAYLOAD_RAW);
		struct addr server = chain_server(family);
		struct probe_outcome out;

		chain_run(CHAIN_SERVER, "nft 'add table inet f; add chain inet f on { type filter hook input priority 0 ; }; add rule inet f on tcp dport %d reject'", PORT_SINK);
		out = ask_one(prober, 1500, LONG_US);
		chain_run(CHAIN_SERVER, "nft flush ruleset");
		assert_int_equal(out.reply, REPLY_REFUSED);
		assert_true(out.is_icmp);
		assert_true(addr_equal(&out.from, &server));
		prober_close(prober);
	}
}

static void handshake__icmp_from_a_router__is_named_with_its_sender(void **state)
{
	(void)state;
	check_said(ADDR_V4, "tcp reset", REPLY_REFUSED, false);
	check_said(ADDR_V4, "icmp type admin-prohibited", REPLY_PROHIBITED, true);
	check_said(ADDR_V4, "icmp type host-unreachable", REPLY_UNREACHABLE, true);
	check_said(ADDR_V4, "icmp type port-unreachable", REPLY_REJECTED, true);
	check_said(ADDR_V6, "icmpv6 type admin-prohibited", REPLY_PROHIBITED, true);
	check_said(ADDR_V6, "icmpv6 type no-route", REPLY_UNREACHABLE, true);
	check_said(ADDR_V6, "icmpv6 type port-unreachable", REPLY_REJECTED, true);
}

static void service__resets_after_reading__the_size_arrived(void **state)
{
	(void)state;
	for (unsigned family = 0; family < ADDR_FAMILY_COUNT; family++) {
		struct prober *prober = open_prober(family, PORT_RESETS, PAYLOAD_HTTP);

		for (unsigned i = 0; i < 20; i++)
			assert_int_equal(ask_one(prober, 1500, LONG_US).reply, REPLY_ARRIVED);
		/* SYN, ACK, segment, and no reset where the server's came first */
		assert_in_range(prober_counts(prober)->sent, 60, 100);
		prober_close(prober);
	}
}

/* A lost segment is sent again in one piece: that is loss and no matter of size. */
static void loss__of_the_first_segment__passes_by_repetition(void **state)
{
	(void)state;
	for (unsigned family = 0; family < ADDR_FAMILY_COUNT; family++) {
		struct prober *prober = open_prober(family, PORT_SINK, PAYLOAD_RAW);

		chain_run(CHAIN_ROUTER, "nft 'add table inet f; add chain inet f on { type filter hook forward priority 0 ; }; "
					"add rule inet f on tcp dport %d meta length gt 1000 limit rate over 1/hour burst 1 packets accept; "
					"add rule inet f on tcp dport %d meta length gt 1000 drop'", PORT_SINK, PORT_SINK);
		assert_int_equal(ask_one(prober, 1500, LONG_US).reply, REPLY_ARRIVED);
		prober_close(prober);
		chain_widen();
	}
}

static void requests__more_than_places__the_last_is_refused_here(void **state)
{
	uint32_t sizes[MOST + 1];
	struct probe_outcome out[MOST + 1];
	struct prober *prober = open_prober(ADDR_V4, PORT_SINK, PAYLOAD_RAW);

	(void)state;
	for (unsigned i = 0; i <= MOST; i++)
		sizes[i] = 1000;
	ask(prober, sizes, MOST + 1, LONG_US, out);
	for (unsigned i = 0; i < MOST; i++)
		assert_int_equal(out[i].reply, REPLY_ARRIVED);
	assert_int_equal(out[MOST].reply, REPLY_LOCAL);
	assert_int_equal(out[MOST].error, EAGAIN);
	prober_close(prober);
}

/* Silence must not keep the descriptor readable: a driver would spin. */
static void silence__while_waiting__the_descriptor_rests(void **state)
{
	struct prober *prober;
	struct probe_outcome out;
	int64_t begin_us = clock_mono_us();
	unsigned wakes = 0;

	(void)state;
	chain_narrow(CHAIN_SERVER, 1400, true);
	prober = open_prober(ADDR_V4, PORT_SINK, PAYLOAD_RAW);
	prober_send(prober, &(struct probe_request){ .id = ++next_id, .size = 1500, .deadline_us = INT64_MAX });
	while (clock_mono_us() - begin_us < SILENCE_US) {
		struct pollfd waiting = { prober_fd(prober), POLLIN, 0 };

		wakes += poll(&waiting, 1, 100) > 0;
		assert_false(prober_next(prober, clock_mono_us(), &out));
	}
	assert_in_range(wakes, 20, 120);
	prober_close(prober);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(size__any_payload__is_that_of_the_packet_on_the_wire, widen),
		cmocka_unit_test_setup(size__without_timestamps__is_exact_as_well, widen),
		cmocka_unit_test_setup(size__above_the_interface__is_a_local_error, widen),
		cmocka_unit_test_setup(narrow__router_tells__what_the_kernel_learned, widen),
		cmocka_unit_test_setup(narrow__told_before_a_second_hole__is_known_without_an_acknowledgement, widen),
		cmocka_unit_test_setup(rtt__of_a_fast_path__is_that_of_the_path, widen),
		cmocka_unit_test_setup(narrow__router_is_mute__large_ones_are_silence, widen),
		cmocka_unit_test_setup(narrow__tcp_mtu_probing__fakes_no_pass, widen),
		cmocka_unit_test_setup(open__tcp_mtu_probing_always__is_refused_with_the_reason, widen),
		cmocka_unit_test_setup(open__without_payload__is_the_callers_error, widen),
		cmocka_unit_test_setup(open__no_route__says_so, widen),
		cmocka_unit_test_setup(clamped__mss__is_a_local_error_and_the_largest, widen),
		cmocka_unit_test_setup(port__closed_or_filtered__is_told_apart, widen),
		cmocka_unit_test_setup(handshake__icmp_from_a_router__is_named_with_its_sender, widen),
		cmocka_unit_test_setup(handshake__port_unreachable_from_the_host__is_a_refusal, widen),
		cmocka_unit_test_setup(service__resets_after_reading__the_size_arrived, widen),
		cmocka_unit_test_setup(loss__of_the_first_segment__passes_by_repetition, widen),
		cmocka_unit_test_setup(requests__more_than_places__the_last_is_refused_here, widen),
		cmocka_unit_test_setup(silence__while_waiting__the_descriptor_rests, widen),
	};
	const char *why = chain_skip();

	if (why) {
		puts(why);
		return 77;
	}
	return cmocka_run_group_tests(tests, setup, NULL);
}
