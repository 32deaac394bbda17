/* SPDX-License-Identifier: MIT */
/* probe/udp and probe/icmp: real packets on the loopback and along a chain of network namespaces of our own, and forged messages. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "chain.h"
#include "tcptriage/base/clock.h"
#include "tcptriage/probe/prober.h"

#define SOURCE_PORT 40777
#define SINK_PORT 33777
#define SINK_V4 "127.0.0.9"
#define SILENCE_MS 150

static struct err err;
static uint32_t last_id;

/* What is tested alike: each method, each family, and ICMP through both kinds of socket. */
static const struct way {
	const char *name;
	enum prober_kind kind;
	enum addr_family family;
	bool ping;
} ways[] = {
	{ "UDP", PROBER_UDP, ADDR_V4, false },	       { "UDP", PROBER_UDP, ADDR_V6, false },
	{ "raw ICMP", PROBER_ICMP, ADDR_V4, false },   { "raw ICMP", PROBER_ICMP, ADDR_V6, false },
	{ "ping socket", PROBER_ICMP, ADDR_V4, true }, { "ping socket", PROBER_ICMP, ADDR_V6, true },
};

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void allow_ping_sockets(bool allow)
{
	write_file("/proc/sys/net/ipv4/ping_group_range", allow ? "0 2147483647" : "1 0");
}

static void answer_echoes(bool answer)
{
	write_file("/proc/sys/net/ipv4/icmp_echo_ignore_all", answer ? "0" : "1");
	write_file("/proc/sys/net/ipv6/icmp/echo_ignore_all", answer ? "0" : "1");
}

static struct prober_options options_for(const struct way *way, const char *v4, const char *v6)
{
	struct prober_options options = { .kind = way->kind };

	assert_true(addr_parse(way->family == ADDR_V6 ? v6 : v4, &options.address));
	allow_ping_sockets(way->ping);
	return options;
}

static struct prober *open_with(const struct prober_options *options)
{
	struct prober *prober = NULL;
	int code = prober_open(&prober, options, &err);

	if (code)
		print_message("%s\n", err.text);
	assert_int_equal(code, 0);
	return prober;
}

static struct prober *open_to(const struct way *way, const char *v4, const char *v6)
{
	struct prober_options options = options_for(way, v4, v6);
	struct prober *prober = open_with(&options);
	int type = 0;
	socklen_t len = sizeof(type);

	assert_int_equal(getsockopt(prober_fd(prober), SOL_SOCKET, SO_TYPE, &type, &len), 0);
	assert_int_equal(type, way->kind == PROBER_UDP || way->ping ? SOCK_DGRAM : SOCK_RAW);
	return prober;
}

static uint32_t send_for(struct prober *prober, uint32_t size, uint8_t hop_limit, int64_t wait_us)
{
	struct probe_request request = { .id = ++last_id, .size = size, .hop_limit = hop_limit, .deadline_us = clock_mono_us() + wait_us };

	prober_send(prober, &request);
	return request.id;
}

static uint32_t send_one(struct prober *prober, uint32_t size, uint8_t hop_limit)
{
	return send_for(prober, size, hop_limit, 3000000);
}

/* Waits for the next outcome. Return: false when none comes for @ms. */
static bool next_within(struct prober *prober, int ms, struct probe_outcome *out)
{
	int64_t end = clock_mono_us() + ms * 1000;

	for (;;) {
		struct pollfd fd = { .fd = prober_fd(prober), .events = POLLIN };
		int64_t now = clock_mono_us();

		if (prober_next(prober, now, out))
			return true;
		if (now >= end)
			return false;
		poll(&fd, 1, (int)((end - now) / 1000) + 1);
	}
}

static void expect_from(const struct probe_outcome *out, const char *text)
{
	struct addr wanted;

	assert_true(addr_parse(text, &wanted));
	if (!addr_equal(&out->from, &wanted)) {
		char got[ADDR_TEXT_MAX + 1];

		*addr_text(got, &out->from) = '\0';
		print_message("from %s, not %s\n", got, text);
	}
	assert_true(addr_equal(&out->from, &wanted));
}

/* Sends one probe and takes what came of it. */
static struct probe_outcome ask(struct prober *prober, uint32_t size, uint8_t hop_limit, enum probe_reply reply)
{
	struct probe_outcome out = { 0 };
	uint32_t id = send_one(prober, size, hop_limit);

	if (!next_within(prober, 2000, &out))
		print_message("size %u, hop limit %u: silence, not %s\n", size, hop_limit, probe_reply_name(reply));
	else if (out.reply != reply)
		print_message("size %u, hop limit %u: %s (errno %d), not %s\n", size, hop_limit, probe_reply_name((enum probe_reply)out.reply), out.error, probe_reply_name(reply));
	assert_int_equal(out.reply, reply);
	assert_int_equal(out.id, id);
	assert_int_equal(out.size, size);
	assert_int_equal(out.hop_limit, hop_limit);
	return out;
}

static void each_way(void (*test)(const struct way *way))
{
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		print_message("# %s over %s\n", ways[i].name, ways[i].family == ADDR_V6 ? "IPv6" : "IPv4");
		test(&ways[i]);
	}
}

static void loopback_sizes(const struct way *way)
{
	struct prober *prober = open_to(way, "127.0.0.1", "::1");
	const uint32_t sizes[] = { 1, prober_smallest(prober), prober_smallest(prober) + 1, 1499, 1500, 40000, 65535 };
	struct probe_outcome out;

	assert_int_equal(prober_largest(prober), 65535);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		out = ask(prober, sizes[i], 0, REPLY_ARRIVED);
		assert_int_equal(out.reply_ttl, 64);
		assert_true(out.rtt_us >= 0 && out.rtt_us < 2000000);
		assert_int_equal(out.is_icmp, way->kind == PROBER_UDP);
		expect_from(&out, way->family == ADDR_V6 ? "::1" : "127.0.0.1");
	}
	out = ask(prober, 65536, 0, REPLY_LOCAL);
	assert_int_equal(out.error, EMSGSIZE);
	assert_int_equal(prober_counts(prober)->sent, ARRAY_SIZE(sizes));
	assert_int_equal(prober_counts(prober)->dropped, 0);
	assert_int_equal(prober_counts(prober)->malformed, 0);
	assert_int_equal(prober_counts(prober)->late, 0);
	prober_close(prober);
}

static void sizes__on_the_loopback__all_arrive(void **state)
{
	(void)state;
	each_way(loopback_sizes);
}

/* The answer to the one before is an error of the socket by then: it must not cost the next one. */
static void sent_unread(const struct way *way)
{
	struct prober *prober = open_to(way, "127.0.0.1", "::1");
	struct probe_outcome out;
	uint64_t seen = 0;
	uint32_t first = last_id + 1;

	for (unsigned i = 0; i < 50; i++)
		send_one(prober, 100, 0);
	while (next_within(prober, SILENCE_MS, &out)) {
		assert_int_equal(out.reply, REPLY_ARRIVED);
		assert_true(out.id >= first && out.id <= last_id);
		seen |= (uint64_t)1 << (out.id - first);
	}
	assert_int_equal(seen, ((uint64_t)1 << 50) - 1);
	assert_int_equal(prober_counts(prober)->sent, 50);
	prober_close(prober);
}

static void answers__unread_while_more_is_sent__cost_no_probe(void **state)
{
	(void)state;
	each_way(sent_unread);
}

static void chain_hops(const struct way *way)
{
	bool is_v6 = way->family == ADDR_V6;
	struct prober *prober = open_to(way, "10.71.3.2", "fd71:3::2");
	struct probe_outcome out = ask(prober, 64, 1, REPLY_EXPIRED);

	expect_from(&out, is_v6 ? "fd71:1::2" : "10.71.1.2");
	assert_true(out.is_icmp);
	assert_int_equal(out.icmp_type, is_v6 ? 3 : 11);
	assert_int_equal(out.icmp_code, 0);
	assert_int_equal(out.reply_ttl, 64);
	out = ask(prober, 64, 2, REPLY_EXPIRED);
	expect_from(&out, is_v6 ? "fd71:2::2" : "10.71.2.2");
	assert_int_equal(out.reply_ttl, 63);
	out = ask(prober, 64, 3, REPLY_ARRIVED);
	expect_from(&out, is_v6 ? "fd71:3::2" : "10.71.3.2");
	assert_int_equal(out.reply_ttl, 62);
	ask(prober, 64, 0, REPLY_ARRIVED);
	prober_close(prober);
}

static void hop_limit__reached_at_routers__names_each(void **state)
{
	(void)state;
	each_way(chain_hops);
}

/* The kernel remembers what the router said: probes must not be held back by it. */
static void chain_mtu(const struct way *way)
{
	bool is_v6 = way->family == ADDR_V6;
	struct prober *prober = open_to(way, "10.71.3.2", "fd71:3::2");

	for (unsigned round = 0; round < 2; round++) {
		const uint32_t large[] = { 1500, 1401 };
		struct probe_outcome out;

		for (size_t i = 0; i < ARRAY_SIZE(large); i++) {
			out = ask(prober, large[i], 0, REPLY_TOO_BIG);
			assert_int_equal(out.mtu, 1400);
			assert_int_equal(out.icmp_type, is_v6 ? 2 : 3);
			expect_from(&out, is_v6 ? "fd71:1::2" : "10.71.1.2");
		}
		ask(prober, 1400, 0, REPLY_ARRIVED);
		out = ask(prober, 1501, 0, REPLY_LOCAL);
		assert_int_equal(out.error, EMSGSIZE);
	}
	prober_close(prober);
}

static void size__above_a_routers_mtu__is_told_and_not_remembered(void **state)
{
	(void)state;
	each_way(chain_mtu);
}

static void size__that_the_interface_would_take__is_this_kernels_own_notion(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		struct prober_options options = options_for(&ways[i], "10.71.3.2", "fd71:3::2");
		struct prober *prober;
		struct probe_outcome out;

		options.interface_mtu = 1600; /* as if not the interface but something before it took only its 1500 */
		prober = open_with(&options);
		out = ask(prober, 1600, 0, REPLY_TOO_BIG);
		assert_int_equal(out.mtu, 1500);
		assert_false(out.is_icmp);
		assert_true(addr_is_any(&out.from));
		ask(prober, 1601, 0, REPLY_LOCAL);
		prober_close(prober);
	}
}

static void port__refused_on_the_way__is_rejected_not_arrived(void **state)
{
	(void)state;
	chain_run(CHAIN_ROUTER_2, "nft 'add table inet t; add chain inet t f { type filter hook forward priority 0 ; }; add rule inet t f reject with icmpx type port-unreachable'");
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		struct prober *prober = open_to(&ways[i], "10.71.3.2", "fd71:3::2");
		struct probe_outcome out = ask(prober, 64, 0, REPLY_REJECTED);

		expect_from(&out, ways[i].family == ADDR_V6 ? "fd71:2::2" : "10.71.2.2");
		prober_close(prober);
	}
	chain_run(CHAIN_ROUTER_2, "nft delete table inet t");
}

static int udp_socket(const char *address, uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_int_equal(inet_pton(AF_INET, address, &to.sin_addr), 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

/* Answers the next datagram with its own first bytes, or with "x" when @len is 0. */
static void serve(int fd, size_t len)
{
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);
	char bytes[2000];
	ssize_t got = recvfrom(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &from_len);

	assert_true(got > 0);
	if (!len) {
		bytes[0] = 'x';
		len = 1;
	}
	assert_int_equal(sendto(fd, bytes, MIN(len, (size_t)got), 0, (struct sockaddr *)&from, from_len), (ssize_t)MIN(len, (size_t)got));
}

static void service__that_answers__counts_where_it_cannot_mislead(void **state)
{
	struct prober_options options = { .kind = PROBER_UDP, .port = SINK_PORT };
	int fd = udp_socket(SINK_V4, SINK_PORT);
	struct prober *prober;
	struct probe_outcome out;
	uint32_t small, large;

	(void)state;
	assert_true(addr_parse(SINK_V4, &options.address));
	prober = open_with(&options);
	small = send_one(prober, 64, 0);
	serve(fd, 0);
	assert_true(next_within(prober, 1000, &out)); /* the only one under way */
	assert_int_equal(out.id, small);
	assert_int_equal(out.reply, REPLY_ARRIVED);
	assert_false(out.is_icmp);
	send_one(prober, 64, 0);
	large = send_one(prober, 1500, 0);
	serve(fd, 0);
	assert_false(next_within(prober, SILENCE_MS, &out)); /* of which of the two? */
	assert_int_equal(prober_counts(prober)->dropped, 1);
	serve(fd, 100);
	assert_true(next_within(prober, 1000, &out)); /* our bytes say so */
	assert_int_equal(out.id, large);
	prober_close(prober);
	close(fd);
}

static void source_port__taken__is_refused(void **state)
{
	struct prober_options options = { .kind = PROBER_UDP, .source_port = SOURCE_PORT };
	int fd = udp_socket("0.0.0.0", SOURCE_PORT);
	struct prober *prober;

	(void)state;
	assert_true(addr_parse("127.0.0.1", &options.address));
	assert_int_equal(prober_open(&prober, &options, &err), -EADDRINUSE);
	assert_non_null(strstr(err.text, "40777"));
	close(fd);
	prober = open_with(&options);
	prober_close(prober);
}

static void open__no_route__is_said(void **state)
{
	struct prober_options options = { .kind = PROBER_UDP };
	struct prober *prober;

	(void)state;
	assert_int_equal(system("ip route add unreachable 10.72.0.0/16"), 0);
	assert_true(addr_parse("10.72.0.1", &options.address));
	assert_int_equal(prober_open(&prober, &options, &err), -EHOSTUNREACH);
	assert_non_null(strstr(err.text, "10.72.0.1"));
	options.device = "nosuch0";
	assert_int_equal(prober_open(&prober, &options, &err), -ENODEV);
	assert_non_null(strstr(err.text, "'nosuch0'"));
}

static void device__bound__the_route_is_its(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		struct prober_options options = options_for(&ways[i], "10.71.3.2", "fd71:3::2");
		struct prober *prober;

		options.device = "tch1a";
		prober = open_with(&options);
		ask(prober, 64, 0, REPLY_ARRIVED);
		prober_close(prober);
	}
}

/* ---- what is on the wire, and forged messages ---- */

/* A socket that sees every packet of the loopback. */
static int sniffer(void)
{
	struct sockaddr_ll on = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex("lo") };
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL));

	assert_int_equal(bind(fd, (struct sockaddr *)&on, sizeof(on)), 0);
	return fd;
}

/* struct wire - one packet of ours as it went out. */
struct wire {
	uint8_t bytes[2048];
	size_t len;
};

/* The next packet of UDP to SINK_PORT, or echo request, that the sniffer saw going out. */
static void sniff(int fd, struct wire *wire)
{
	for (;;) {
		struct sockaddr_ll from;
		socklen_t len = sizeof(from);
		ssize_t got = recvfrom(fd, wire->bytes, sizeof(wire->bytes), MSG_TRUNC, (struct sockaddr *)&from, &len);
		size_t ip = wire->bytes[0] >> 4 == 6 ? 40 : 20;
		uint8_t protocol = wire->bytes[ip == 40 ? 6 : 9], type = wire->bytes[ip];

		assert_true(got > 0);
		wire->len = (size_t)got;
		if (from.sll_pkttype == PACKET_OUTGOING && (protocol == 17 || (protocol == 1 && type == 8) || (protocol == 58 && type == 128)))
			return;
	}
}

static void wire_constant(const struct way *way)
{
	int seen = sniffer();
	struct prober *prober = open_to(way, SINK_V4, "::1");
	const uint32_t sizes[] = { 64, 65, 100, 1500, 1401, 1999 };
	size_t ip = way->family == ADDR_V6 ? 40 : 20;
	uint8_t first[8] = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct wire wire;

		last_id += 9999; /* sequence numbers far apart */
		send_one(prober, sizes[i], 0);
		sniff(seen, &wire);
		assert_int_equal(wire.len, sizes[i]);
		if (way->family == ADDR_V6)
			assert_int_equal((wire.bytes[1] & 15) << 16 | wire.bytes[2] << 8 | wire.bytes[3], 0); /* flow label */
		else
			assert_int_equal(wire.bytes[6] & 0x40, 0x40); /* DF */
		if (!i)
			memcpy(first, wire.bytes + ip, sizeof(first));
		assert_memory_equal(wire.bytes + ip, first, 4); /* ports; type, code, checksum */
		if (way->kind == PROBER_ICMP)
			assert_memory_equal(wire.bytes + ip + 4, first + 4, 2); /* identifier */
	}
	prober_close(prober);
	close(seen);
}

static void packets__of_one_prober__keep_what_routers_balance_by(void **state)
{
	(void)state;
	each_way(wire_constant);
}

/* A silent target on the loopback, one probe under way, and its bytes. */
struct forgery {
	struct prober *prober;
	const struct way *way;
	struct wire wire;
	uint32_t id;
	int sink, raw;
	size_t ip;
};

static void forgery_begin(struct forgery *f, const struct way *way, uint32_t size)
{
	struct prober_options options = options_for(way, SINK_V4, "::1");
	int seen = sniffer();

	*f = (struct forgery){ .way = way, .sink = -1, .ip = way->family == ADDR_V6 ? 40 : 20 };
	answer_echoes(false);
	if (way->kind == PROBER_UDP) {
		struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_port = htons(SINK_PORT) };

		f->sink = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0); /* of both families */
		assert_int_equal(bind(f->sink, (struct sockaddr *)&at, sizeof(at)), 0);
		options.port = SINK_PORT;
	}
	f->raw = socket(way->family == ADDR_V6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_CLOEXEC, way->family == ADDR_V6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	f->prober = open_with(&options);
	f->id = send_one(f->prober, size, 0);
	sniff(seen, &f->wire);
	close(seen);
}

static void forgery_end(struct forgery *f)
{
	prober_close(f->prober);
	if (f->sink >= 0)
		close(f->sink);
	close(f->raw);
	answer_echoes(true);
}

static uint16_t checksum(const uint8_t *bytes, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? bytes[i] : (uint32_t)bytes[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* An ICMP message of this machine to itself: header word @word and @len bytes behind it. */
static void forge(const struct forgery *f, uint8_t type, uint8_t code, uint32_t word, const uint8_t *quote, size_t len)
{
	uint8_t message[8 + 2048] = { type, code, 0, 0, (uint8_t)(word >> 24), (uint8_t)(word >> 16), (uint8_t)(word >> 8), (uint8_t)word };
	struct sockaddr_in to4 = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001) };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	bool is_v6 = f->way->family == ADDR_V6;
	uint16_t sum;

	memcpy(message + 8, quote, len);
	sum = checksum(message, 8 + len);
	if (!is_v6) {
		message[2] = (uint8_t)(sum >> 8);
		message[3] = (uint8_t)sum;
	}
	assert_int_equal(sendto(f->raw, message, 8 + len, 0, is_v6 ? (struct sockaddr *)&to6 : (struct sockaddr *)&to4, is_v6 ? sizeof(to6) : sizeof(to4)), (ssize_t)(8 + len));
}

/* "Too big" with @mtu that quotes the probe after @change was done to it. */
static void forge_too_big(const struct forgery *f, uint32_t mtu, void (*change)(struct wire *wire, size_t ip), size_t len)
{
	struct wire wire = f->wire;

	if (change)
		change(&wire, f->ip);
	forge(f, f->ip == 40 ? 2 : 3, f->ip == 40 ? 0 : 4, mtu, wire.bytes, MIN(len, wire.len));
}

static void change_mark(struct wire *wire, size_t ip)
{
	wire->bytes[ip + 8 + 3] ^= 1;
}

static void change_probe_id(struct wire *wire, size_t ip)
{
	wire->bytes[ip + 8 + 8] ^= 0x55;
}

/* Source port of UDP, sequence number of an echo. */
static void change_port_or_seq(struct wire *wire, size_t ip)
{
	wire->bytes[ip + (wire->bytes[ip == 40 ? 6 : 9] == 17 ? 1 : 7)] ^= 1;
}

/* Source port again, the other byte, or identifier of an echo. */
static void change_port_or_id(struct wire *wire, size_t ip)
{
	wire->bytes[ip + (wire->bytes[ip == 40 ? 6 : 9] == 17 ? 0 : 5)] ^= 1;
}

static void change_destination(struct wire *wire, size_t ip)
{
	wire->bytes[ip - 1] ^= 2;
}

static void change_protocol(struct wire *wire, size_t ip)
{
	wire->bytes[ip == 40 ? 6 : 9] = 6;
}

/* Nothing comes of it, and the probe is still waited for. */
static void expect_nothing(struct forgery *f)
{
	struct probe_outcome out;

	assert_false(next_within(f->prober, 10, &out));
}

static void forged_quotes(const struct way *way)
{
	void (*const changes[])(struct wire *, size_t) = { change_mark, change_probe_id, change_port_or_seq, change_port_or_id, change_destination, change_protocol };
	struct forgery f;
	struct probe_outcome out;

	forgery_begin(&f, way, 1000);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		forge_too_big(&f, 600, changes[i], 500);
		expect_nothing(&f);
	}
	/* those that the kernel hands out are counted: wrong mark as foreign, an id that we never sent as late */
	assert_true(prober_counts(f.prober)->dropped + prober_counts(f.prober)->late >= 2);
	for (size_t len = 0; len < f.ip + 8; len += 3) { /* no quote that names a probe */
		forge_too_big(&f, 600, NULL, len);
		expect_nothing(&f);
	}
	forge(&f, f.ip == 40 ? 129 : 0, 0, 0, f.wire.bytes, 100); /* an echo reply that answers nothing */
	expect_nothing(&f);
	forge_too_big(&f, 600, NULL, 500);
	assert_true(next_within(f.prober, 1000, &out));
	assert_int_equal(out.id, f.id);
	assert_int_equal(out.reply, REPLY_TOO_BIG);
	assert_int_equal(out.mtu, 600);
	forgery_end(&f);
}

static void forged__quote_of_another_packet__changes_nothing(void **state)
{
	(void)state;
	each_way(forged_quotes);
}

/* What is absurd is for the search to judge; it must come as it stands there. */
static void forged_mtus(const struct way *way)
{
	const uint32_t mtus[] = { 0, 1, 67, 1000, 65535 };

	for (size_t i = 0; i < ARRAY_SIZE(mtus); i++) {
		struct forgery f;
		struct probe_outcome out;

		forgery_begin(&f, way, 1000);
		forge_too_big(&f, mtus[i], NULL, 500);
		assert_true(next_within(f.prober, 1000, &out));
		assert_int_equal(out.reply, REPLY_TOO_BIG);
		assert_int_equal(out.mtu, mtus[i]);
		assert_int_equal(ask(f.prober, 65536, 0, REPLY_LOCAL).error, EMSGSIZE); /* it can go on */
		forgery_end(&f);
	}
}

static void too_big__absurd_mtu__comes_as_it_stands_there(void **state)
{
	(void)state;
	each_way(forged_mtus);
}

/* net.ipv4.ip_no_pmtu_disc: what the kernel keeps to itself, and that we know it. */
static void too_big__kept_by_the_kernel__is_known(void **state)
{
	static const struct {
		const char *mode;
		enum prober_hearing udp, tcp;
	} rows[] = { { "0", HEARING_ALL, HEARING_ALL }, { "1", HEARING_NO_MTU, HEARING_NO_MTU }, { "2", HEARING_NONE, HEARING_NONE }, { "3", HEARING_NONE, HEARING_ALL } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows) * ARRAY_SIZE(ways); i++) {
		const struct way *way = &ways[i % ARRAY_SIZE(ways)];
		enum prober_hearing wanted = way->family == ADDR_V6 ? HEARING_ALL : rows[i / ARRAY_SIZE(ways)].udp;
		struct forgery f;
		struct probe_outcome out;

		write_file("/proc/sys/net/ipv4/ip_no_pmtu_disc", rows[i / ARRAY_SIZE(ways)].mode);
		forgery_begin(&f, way, 1000);
		forge_too_big(&f, 600, NULL, 500);
		assert_int_equal(next_within(f.prober, 10, &out), wanted != HEARING_NONE);
		if (wanted != HEARING_NONE)
			assert_int_equal(out.mtu, wanted == HEARING_ALL ? 600 : 0);
		assert_int_equal(prober_hearing(prober_method(f.prober), way->family), wanted);
		assert_int_equal(prober_hearing(PROBE_TCP, ADDR_V4), rows[i / ARRAY_SIZE(ways)].tcp);
		forgery_end(&f);
	}
	write_file("/proc/sys/net/ipv4/ip_no_pmtu_disc", "0");
}

/* Old routers quote eight bytes of what follows the IP header. */
static void short_quotes(const struct way *way)
{
	struct forgery f;
	struct probe_outcome out;
	uint32_t large;

	forgery_begin(&f, way, 900);
	large = send_one(f.prober, 1200, 0);
	forge_too_big(&f, 600, NULL, f.ip + 8);
	assert_true(next_within(f.prober, 1000, &out));
	assert_int_equal(out.reply, REPLY_TOO_BIG);
	/* ICMP's number names the probe; of UDP it is the largest, about which it is true in any case */
	assert_int_equal(out.id, way->kind == PROBER_ICMP ? f.id : large);
	forgery_end(&f);
}

static void too_big__eight_bytes_quoted__is_true_of_the_probe_it_is_taken_for(void **state)
{
	(void)state;
	each_way(short_quotes);
}

static const struct told {
	uint8_t type, code, reply;
} told_v4[] = {
	{ 3, 0, REPLY_UNREACHABLE }, { 3, 1, REPLY_UNREACHABLE }, { 3, 2, REPLY_UNREACHABLE }, { 3, 3, REPLY_REJECTED }, { 3, 5, REPLY_UNREACHABLE },
	{ 3, 9, REPLY_PROHIBITED },  { 3, 10, REPLY_PROHIBITED }, { 3, 13, REPLY_PROHIBITED }, { 11, 0, REPLY_EXPIRED },  { 11, 1, REPLY_NONE },
	{ 12, 0, REPLY_NONE },	     { 4, 0, REPLY_NONE },
}, told_v6[] = {
	{ 1, 0, REPLY_UNREACHABLE }, { 1, 1, REPLY_PROHIBITED },  { 1, 3, REPLY_UNREACHABLE }, { 1, 4, REPLY_ARRIVED }, /* the host itself: it is ::1 */
	{ 1, 6, REPLY_PROHIBITED },  { 3, 0, REPLY_EXPIRED },	  { 3, 1, REPLY_NONE },	       { 4, 0, REPLY_NONE },
};

static void every_kind(const struct way *way)
{
	bool is_v6 = way->family == ADDR_V6;
	const struct told *rows = is_v6 ? told_v6 : told_v4;

	for (size_t i = 0; i < (is_v6 ? ARRAY_SIZE(told_v6) : ARRAY_SIZE(told_v4)); i++) {
		struct probe_outcome out = { .reply = REPLY_NONE };
		struct forgery f;

		forgery_begin(&f, way, 100);
		forge(&f, rows[i].type, rows[i].code, 0, f.wire.bytes, f.wire.len);
		next_within(f.prober, rows[i].reply == REPLY_NONE ? 10 : 1000, &out);
		assert_int_equal(out.reply, rows[i].reply);
		if (out.reply != REPLY_NONE) {
			assert_true(out.is_icmp);
			assert_int_equal(out.icmp_type, rows[i].type);
			assert_int_equal(out.icmp_code, rows[i].code);
			expect_from(&out, is_v6 ? "::1" : "127.0.0.1");
		}
		forgery_end(&f);
	}
}

static void message__of_every_kind__becomes_its_reply(void **state)
{
	(void)state;
	each_way(every_kind);
}

static void flooded(const struct way *way)
{
	struct forgery f;
	struct probe_outcome out;
	int64_t begin = clock_mono_us();

	forgery_begin(&f, way, 1000);
	for (unsigned i = 0; i < 1000; i++)
		forge_too_big(&f, 600 + i % 300, change_mark, 500);
	assert_false(prober_next(f.prober, clock_mono_us(), &out)); /* one call reads some, not all */
	assert_in_range(prober_counts(f.prober)->dropped, 1, 64);
	expect_nothing(&f);
	assert_in_range(prober_counts(f.prober)->dropped, 65, 1000);
	send_one(f.prober, 500, 0);
	forge_too_big(&f, 700, NULL, 500);
	assert_true(next_within(f.prober, 1000, &out));
	assert_int_equal(out.id, f.id);
	assert_int_equal(out.mtu, 700);
	assert_true(clock_mono_us() - begin < 3000000);
	forgery_end(&f);
}

static void flood__of_forged_messages__only_moves_the_counter(void **state)
{
	(void)state;
	each_way(flooded);
}

/* What is there when the deadline has passed still comes; what comes after nothing was there is late, and so is a second answer. */
static void late_answers(const struct way *way)
{
	struct forgery f;
	struct probe_outcome out;
	int64_t end;

	forgery_begin(&f, way, 1000);
	forge_too_big(&f, 600, NULL, 500);
	assert_true(next_within(f.prober, 1000, &out));
	forge_too_big(&f, 600, NULL, 500);
	expect_nothing(&f);
	assert_int_equal(prober_counts(f.prober)->late, 1);
	assert_int_equal(prober_counts(f.prober)->dropped, 0);
	forgery_end(&f);
	for (unsigned looked = 0; looked < 2; looked++) {
		int seen = sniffer();

		forgery_begin(&f, way, 1000);
		sniff(seen, &f.wire);
		f.id = send_for(f.prober, 1000, 0, 1000);
		sniff(seen, &f.wire);
		close(seen);
		for (end = clock_mono_us() + 1000; clock_mono_us() < end;)
			;
		if (looked)
			assert_false(prober_next(f.prober, clock_mono_us(), &out));
		forge_too_big(&f, 600, NULL, 500);
		assert_int_equal(next_within(f.prober, 10, &out), !looked);
		assert_int_equal(prober_counts(f.prober)->late, looked);
		if (!looked)
			assert_int_equal(out.id, f.id);
		forgery_end(&f);
	}
}

static void deadline__passed__what_is_there_comes_and_what_follows_is_late(void **state)
{
	(void)state;
	each_way(late_answers);
}

static uint32_t id_and_seq(const uint8_t *echo)
{
	return (uint32_t)echo[4] << 24 | (uint32_t)echo[5] << 16 | (uint32_t)echo[6] << 8 | echo[7];
}

/* An echo reply from the target with our identifier and number, but not our mark. */
static void forged_replies(const struct way *way)
{
	struct forgery f;
	uint8_t *echo;

	if (way->kind == PROBER_UDP)
		return;
	forgery_begin(&f, way, 100);
	echo = f.wire.bytes + f.ip;
	echo[8] ^= 1;
	/* from 127.0.0.1 or ::1: of IPv4 another address than the target's */
	forge(&f, f.ip == 40 ? 129 : 0, 0, id_and_seq(echo), echo + 8, 80);
	expect_nothing(&f);
	echo[8] ^= 1;
	forge(&f, f.ip == 40 ? 129 : 0, 0, id_and_seq(echo), echo + 8, 6);
	expect_nothing(&f);
	if (way->family == ADDR_V4) {
		forge(&f, 0, 0, id_and_seq(echo), echo + 8, 80);
		expect_nothing(&f);
	}
	forgery_end(&f);
}

static void echo_reply__forged__is_no_answer(void **state)
{
	(void)state;
	each_way(forged_replies);
}

/* ---- privilege ---- */

/* In a child without privilege: the number of the first expectation that fails, 0 none. */
static int as_nobody(bool ping_allowed)
{
	struct prober_options options = { .kind = PROBER_ICMP };
	struct probe_outcome out;
	struct prober *prober;

	if (setgid(65534) || setuid(65534))
		return 1;
	if (prober_allowed(PROBER_UDP, ADDR_V4, &err) || prober_allowed(PROBER_UDP, ADDR_V6, &err))
		return 2;
	if (!ping_allowed) {
		if (prober_allowed(PROBER_ICMP, ADDR_V4, &err) != -EPERM || prober_allowed(PROBER_ICMP, ADDR_V6, &err) != -EPERM)
			return 3;
		if (!strstr(err.text, "CAP_NET_RAW") || !strstr(err.text, "sysctl -w net.ipv4.ping_group_range=\"0 2147483647\"") || !strstr(err.text, "setcap ") ||
		    !strstr(err.text, "test_prober_datagram"))
			return 4;
		return addr_parse("127.0.0.1", &options.address) && prober_open(&prober, &options, &err) == -EPERM ? 0 : 5;
	}
	for (unsigned family = 0; family < ADDR_FAMILY_COUNT; family++) {
		if (prober_allowed(PROBER_ICMP, (enum addr_family)family, &err))
			return 6;
		if (!addr_parse(family == ADDR_V6 ? "fd71:3::2" : "10.71.3.2", &options.address) || prober_open(&prober, &options, &err))
			return 7;
		send_one(prober, 1400, 0);
		if (!next_within(prober, 1000, &out) || out.reply != REPLY_ARRIVED)
			return 8;
		send_one(prober, 1401, 0);
		if (!next_within(prober, 1000, &out) || out.reply != REPLY_TOO_BIG || out.mtu != 1400)
			return 9;
		send_one(prober, 64, 1);
		if (!next_within(prober, 1000, &out) || out.reply != REPLY_EXPIRED)
			return 10;
		prober_close(prober);
	}
	return 0;
}

static void nobody__with_and_without_ping_group_range__may_or_learns_what_mends(void **state)
{
	(void)state;
	for (unsigned allowed = 0; allowed < 2; allowed++) {
		int status;
		pid_t pid;

		allow_ping_sockets(allowed);
		pid = fork();
		if (!pid)
			_exit(as_nobody(allowed));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
}

static int set_up(void **state)
{
	(void)state;
	chain_up(2);
	for (enum chain_place place = CHAIN_ROUTER; place <= CHAIN_SERVER; place++)
		chain_run(place, "sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0");
	chain_run(CHAIN_ROUTER, "ip link set tch2a mtu 1400");
	chain_run(CHAIN_ROUTER_2, "ip link set tch2b mtu 1400");
	return 0;
}

int main(void)
{
	const char *skip = chain_skip();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes__on_the_loopback__all_arrive),
		cmocka_unit_test(answers__unread_while_more_is_sent__cost_no_probe),
		cmocka_unit_test(hop_limit__reached_at_routers__names_each),
		cmocka_unit_test(size__above_a_routers_mtu__is_told_and_not_remembered),
		cmocka_unit_test(size__that_the_interface_would_take__is_this_kernels_own_notion),
		cmocka_unit_test(port__refused_on_the_way__is_rejected_not_arrived),
		cmocka_unit_test(service__that_answers__counts_where_it_cannot_mislead),
		cmocka_unit_test(source_port__taken__is_refused),
		cmocka_unit_test(open__no_route__is_said),
		cmocka_unit_test(device__bound__the_route_is_its),
		cmocka_unit_test(packets__of_one_prober__keep_what_routers_balance_by),
		cmocka_unit_test(forged__quote_of_another_packet__changes_nothing),
		cmocka_unit_test(too_big__absurd_mtu__comes_as_it_stands_there),
		cmocka_unit_test(too_big__kept_by_the_kernel__is_known),
		cmocka_unit_test(too_big__eight_bytes_quoted__is_true_of_the_probe_it_is_taken_for),
		cmocka_unit_test(message__of_every_kind__becomes_its_reply),
		cmocka_unit_test(flood__of_forged_messages__only_moves_the_counter),
		cmocka_unit_test(deadline__passed__what_is_there_comes_and_what_follows_is_late),
		cmocka_unit_test(echo_reply__forged__is_no_answer),
		cmocka_unit_test(nobody__with_and_without_ping_group_range__may_or_learns_what_mends),
	};

	if (skip) {
		puts(skip);
		return 77;
	}
	return cmocka_run_group_tests(tests, set_up, NULL);
}
