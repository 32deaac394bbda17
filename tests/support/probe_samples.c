/* SPDX-License-Identifier: MIT */
/* Results of probes whose every number is known: a chain of a client, two or three routers and a server, in ways that it can fail. */
#include "probe_samples.h"

#include <errno.h>

#include "render_samples.h"

/* 10.9.NET.HOST and fd00:9:NET::HOST */
#define V4(net, host) { .bytes = { 10, 9, net, host }, .family = ADDR_V4 }
#define V6(net, host) { .bytes = { 0xfd, 0, 0, 9, 0, net, [15] = host }, .family = ADDR_V6 }

#define ROUTE4(more)                                                                                                                      \
	.has = ROUTE_HAS_DEVICE | ROUTE_HAS_GATEWAY | ROUTE_HAS_SOURCE | ROUTE_HAS_LINK | (more), .destination = V4(4, 2), .gateway = V4(0, 1), \
	.source = V4(0, 2), .ifindex = 2, .link_mtu = 1500, .carrier = true, .device = "eth0"
#define ROUTE6(more)                                                                                                                      \
	.has = ROUTE_HAS_DEVICE | ROUTE_HAS_GATEWAY | ROUTE_HAS_SOURCE | ROUTE_HAS_LINK | (more), .destination = V6(4, 2), .gateway = V6(0, 1), \
	.source = V6(0, 2), .ifindex = 2, .link_mtu = 1500, .carrier = true, .device = "eth0"

#define HOP(number, who, us, small) { .ttl = number, .address = who, .rtt_us = us, .reply = small, .tries = 1 }
#define HOP_LARGE(number, who, us, small, big) { .ttl = number, .address = who, .rtt_us = us, .reply = small, .tries = 1, .large_sent = true, .large = big }
#define HOP_MUTE(number) { .ttl = number, .reply = REPLY_NONE, .rtt_us = -1, .tries = 3 }
#define HOP_MUTE_LARGE(number) { .ttl = number, .reply = REPLY_NONE, .rtt_us = -1, .tries = 3, .large_sent = true }

#define SENT .probes_sent = 34, .controls_sent = 8, .rounds = 4, .elapsed_us = 421345, .rtt_us = 912
#define NO_TCP .tcp.handshake_us = -1
#define SIZES(...) .sizes = { __VA_ARGS__ }, .size_count = ARRAY_SIZE(((struct path_size[]){ __VA_ARGS__ }))

static const struct mtu_result fits4 = {
	.name = "10.9.4.2", .address = V4(4, 2), .route = { ROUTE4(0) }, .first = -1, NO_TCP,
	.path = { .method = PROBE_ICMP, .hop_method = PROBE_ICMP, .finding = MTU_FITS, .told_by = -1, .path_mtu = 1500, .probes_sent = 6, .controls_sent = 2, .rounds = 1,
		  .elapsed_us = 1934, .rtt_us = 412, SIZES({ 1200, SIZE_PASSED, 1 }, { 1500, SIZE_PASSED, 3 }),
		  .hops = { HOP(1, V4(0, 1), 98, REPLY_EXPIRED), HOP(2, V4(1, 2), 301, REPLY_EXPIRED), HOP(3, V4(4, 2), 412, REPLY_ARRIVED) }, .hop_count = 3 },
};

/* A port was given, and another protocol was asked. */
static const struct mtu_result fits6_udp = {
	.name = EVIL_COMM, .address = V6(4, 2), .port = 443, .route = { ROUTE6(0) }, .first = -1, .dropped = 3, NO_TCP,
	.path = { .method = PROBE_UDP, .finding = MTU_FITS, .told_by = -1, .path_mtu = 1500, .rate_limited = true, .probes_sent = 9, .controls_sent = 3, .controls_lost = 1,
		  .rounds = 2, .elapsed_us = 3204000, .rtt_us = 655, SIZES({ 1280, SIZE_PASSED, 1 }, { 1500, SIZE_PASSED, 2 }) },
};

static const struct mtu_result fits_asked = {
	.name = "10.9.4.2", .address = V4(4, 2), .route = { ROUTE4(0) }, .first = -1, NO_TCP,
	.path = { .method = PROBE_ICMP, .hop_method = PROBE_ICMP, .finding = MTU_FITS, .told_by = -1, .path_mtu = 1400, SENT, SIZES({ 1400, SIZE_PASSED, 2 }) },
};

static const struct mtu_result fits_here = {
	.name = "127.0.0.1", .address = { { 127, [3] = 1 }, ADDR_V4 }, .first = -1, NO_TCP,
	.route = { .has = ROUTE_HAS_DEVICE | ROUTE_HAS_LINK, .link_mtu = 65536, .is_local = true, .device = "lo" },
	.path = { .method = PROBE_ICMP, .hop_method = PROBE_ICMP, .finding = MTU_FITS, .told_by = -1, .path_mtu = 65535, SENT, SIZES({ 65535, SIZE_PASSED, 2 }) },
};

/* The way there as far as the peer's MSS goes, the way back, a witness, live sockets. */
static const struct mtu_result fits_tcp = {
	.name = "server.example", .address = V4(4, 2), .port = 8080, .route = { ROUTE4(0) }, .first = -1,
	.path = { .method = PROBE_TCP, .hop_method = PROBE_ICMP, .finding = MTU_FITS, .told_by = -1, .path_mtu = 1400, SENT, SIZES({ 1200, SIZE_PASSED, 1 }, { 1400, SIZE_PASSED, 1 }) },
	.reverse = { .finding = REVERSE_FITS, .largest_mss = 1460, .largest_packet = 1400, .received = 60000, .connections = 1 }, .connections = 1,
	.tcp = { .made = true, .connected = true, .snd_mss = 1348, .advmss = 1448, .rcv_mss = 1448, .pmtu = 1500, .handshake_us = 1207 },
	.live = { .sockets = 3, .with_info = 3, .mss_min = 1348, .mss_max = 1448, .pmtu_min = 1400, .pmtu_max = 1500 },
};

static const struct mtu_result told4 = {
	.name = "10.9.4.2", .address = V4(4, 2), .route = { ROUTE4(0) }, .first = -1, NO_TCP,
	.path = { .method = PROBE_ICMP, .hop_method = PROBE_ICMP, .finding = MTU_NARROWER_TOLD, .path_mtu = 1400, .smallest_lost = 1401, SENT, .place = SHRINK_AT, .shrink_ttl = 2, .shrink_address = V4(1, 2),
		  SIZES({ 72, SIZE_PASSED, 8 }, { 1200, SIZE_PASSED, 1 }, { 1400, SIZE_PASSED, 2 }, { 1401, SIZE_TOLD, 2 }, { 1500, SIZE_TOLD, 1 }),
		  .told = { { V4(1, 2), 1400, 3, TOLD_CONFIRMED } }, .told_count = 1,
		  .hops = { HOP_LARGE(1, V4(0, 1), 98, REPLY_EXPIRED, REPLY_EXPIRED), HOP_LARGE(2, V4(1, 2), 301, REPLY_EXPIRED, REPLY_TOO_BIG),
			    HOP_LARGE(3, V4(4, 2), 912, REPLY_ARRIVED, REPLY_TOO_BIG) }, .hop_count = 3 },
};

static const struct mtu_result told6 = {
	.name = "fd00:9:4::2", .address = V6(4, 2), .first = -1, NO_TCP,
	.route = { ROUTE6(ROUTE_HAS_MTU), .mtu = 1450, .mtu_locked = true },
	.path = { .method = PROBE_UDP, .finding = MTU_NARROWER_TOLD, .path_mtu = 1420, .smallest_lost = 1421, SENT, .place = SHRINK_AT, .shrink_ttl = 1, .shrink_address = V6(0, 1),
		  SIZES({ 1280, SIZE_PASSED, 1 }, { 1420, SIZE_PASSED, 1 }, { 1421, SIZE_TOLD, 1 }, { 1500, SIZE_LOCAL, 1 }), .told = { { V6(0, 1), 1420, 1, TOLD_CONFIRMED } }, .told_count = 1,
		  .hops = { HOP_LARGE(1, V6(0, 1), 98, REPLY_EXPIRED, REPLY_EXPIRED), HOP_MUTE_LARGE(2), HOP(3, V6(4, 2), 912, REPLY_ARRIVED) }, .hop_count = 3 },
};

#define HOLE_SIZES                                                                                                                                      \
	SIZES({ 72, SIZE_PASSED, 8 }, { 576, SIZE_PASSED, 1 }, { 1200, SIZE_PASSED, 1 }, { 1280, SIZE_PASSED, 1 }, { 1360, SIZE_PASSED, 1 }, { 1380, SIZE_PASSED, 1 }, \
	      { 1390, SIZE_PASSED, 1 }, { 1400, SIZE_PASSED, 3 }, { 1401, SIZE_LOST, 3 }, { 1410, SIZE_LOST, 1 }, { 1420, SIZE_LOST, 1 }, { 1436, SIZE_LOST, 1 },     \
	      { 1450, SIZE_LOST, 1 }, { 1460, SIZE_LOST, 1 }, { 1480, SIZE_LOST, 1 }, { 1492, SIZE_LOST, 1 }, { 1500, SIZE_LOST, 3 })
#define HOLE(family_method) .method = family_method, .hop_method = family_method, .finding = MTU_BLACK_HOLE_FOUND, .path_mtu = 1400, .smallest_lost = 1401, SENT, HOLE_SIZES

static const struct mtu_result hole_at = {
	.name = "10.9.4.2", .address = V4(4, 2), .first = -1, NO_TCP,
	.route = { ROUTE4(ROUTE_HAS_MTU | ROUTE_HAS_EXPIRES), .mtu = 1450, .expires_ms = 598000 },
	.path = { HOLE(PROBE_ICMP), .told_by = -1, .place = SHRINK_AT, .shrink_ttl = 2, .shrink_address = V4(1, 2),
		  .hops = { HOP_LARGE(1, V4(0, 1), 98, REPLY_EXPIRED, REPLY_EXPIRED), HOP_LARGE(2, V4(1, 2), 301, REPLY_EXPIRED, REPLY_EXPIRED),
			    HOP_LARGE(3, V4(3, 2), 655, REPLY_EXPIRED, REPLY_NONE), HOP_LARGE(4, V4(4, 2), 912, REPLY_ARRIVED, REPLY_NONE) }, .hop_count = 4 },
};

static const struct mtu_result hole_between = {
	.name = "10.9.4.2", .address = V4(4, 2), .route = { ROUTE4(0) }, .first = PROBE_ICMP, .first_finding = MTU_HOST_DEAF, .first_sent = 9, NO_TCP,
	.path = { HOLE(PROBE_UDP), .told_by = -1, .place = SHRINK_BETWEEN, .shrink_ttl = 1, .shrink_before = 4, .shrink_address = V4(0, 1),
		  .hops = { HOP_LARGE(1, V4(0, 1), 98, REPLY_EXPIRED, REPLY_EXPIRED), HOP_MUTE_LARGE(2), HOP_MUTE_LARGE(3), HOP_LARGE(4, V4(4, 2), 912, REPLY_ARRIVED, REPLY_NONE) }, .hop_count = 4 },
};

static const struct mtu_result hole_here = {
	.name = "fd00:9:4::2", .address = V6(4, 2), .route = { ROUTE6(0) }, .first = -1, NO_TCP,
	.path = { HOLE(PROBE_ICMP), .told_by = -1, .place = SHRINK_HERE, .hops = { HOP_LARGE(1, V6(0, 1), 98, REPLY_EXPIRED, REPLY_NONE) }, .hop_count = 1 },
};

/* Routers speak, and nothing of it is so. */
static const struct mtu_result hole_lies = {
	.name = "10.9.4.2", .address = V4(4, 2), .route = { ROUTE4(0) }, .first = -1, NO_TCP, .dropped = 1,
	.path = { HOLE(PROBE_ICMP), .told_by = -1,
		  .told = { { V4(1, 2), 1450, 2, TOLD_WRONG }, { V4(1, 3), 1300, 1, TOLD_WRONG }, { V4(1, 4), 0, 4, TOLD_NO_MTU }, { V4(1, 5), 9000, 1, TOLD_BOGUS },
			    { V4(1, 6), 40, 1, TOLD_TOO_SMALL }, { { .family = ADDR_V4 }, 1430, 1, TOLD_UNTRIED } }, .told_count = 6 },
};

/* Only the way back is narrow. */
static const struct mtu_result hole_back = {
	.name = "server.example", .address = V4(4, 2), .port = 80, .route = { ROUTE4(0) }, .first = -1,
	.path = { .method = PROBE_ICMP, .hop_method = PROBE_ICMP, .finding = MTU_FITS, .told_by = -1, .path_mtu = 1500, SENT, SIZES({ 1500, SIZE_PASSED, 3 }) },
	.reverse = { .finding = REVERSE_BLACK_HOLE, .largest_mss = 1360, .smallest_dead = 1361, .largest_packet = 1400, .received = 60000, .connections = 14 }, .connections = 14,
	.tcp = { .made = true, .connected = true, .snd_mss = 1448, .advmss = 1448, .rcv_mss = 536, .pmtu = 1500, .handshake_us = -1 },
};

static const struct mtu_result back_unknown = {
	.name = "server.example", .address = V6(4, 2), .port = 80, .route = { ROUTE6(0) }, .first = -1,
	.path = { .method = PROBE_ICMP, .hop_method = PROBE_ICMP, .finding = MTU_FITS, .told_by = -1, .path_mtu = 1500, SENT, SIZES({ 1500, SIZE_PASSED, 3 }) },
	.reverse = { .finding = REVERSE_UNKNOWN, .received = 312, .connections = 2 }, .connections = 2,
	.tcp = { .made = true, .error = ECONNREFUSED, .handshake_us = -1 },
};

static const struct mtu_result deaf = {
	.name = "10.9.4.2", .address = V4(4, 2), .port = 443, .route = { ROUTE4(0) }, .first = PROBE_UDP, .first_finding = MTU_HOST_DEAF, .first_sent = 12, NO_TCP,
	.path = { .method = PROBE_ICMP, .hop_method = PROBE_ICMP, .finding = MTU_HOST_DEAF, .told_by = -1, .probes_sent = 12, .controls_sent = 4, .controls_lost = 4, .rounds = 3, .elapsed_us = 3000000, .rtt_us = -1,
		  SIZES({ 72, SIZE_LOST, 3 }, { 576, SIZE_LOST, 3 }, { 1500, SIZE_LOST, 1 }),
		  .hops = { HOP(1, V4(0, 1), 98, REPLY_EXPIRED), HOP_MUTE(2) }, .hop_count = 2 },
};

static const struct mtu_result prohibited = {
	.name = "10.9.4.2", .address = V4(4, 2), .route = { ROUTE4(0) }, .first = -1, NO_TCP,
	.path = { .method = PROBE_UDP, .finding = MTU_UNREACHABLE, .told_by = -1, .says = REPLY_PROHIBITED, .says_by = V4(1, 2), .says_icmp = true, .says_type = 3, .says_code = 13, .probes_sent = 2, .elapsed_us = 800, .rtt_us = -1 },
};

static const struct mtu_result no_way_out = {
	.name = "fd00:9:4::2", .address = V6(4, 2), .route = { .destination = V6(4, 2), .error = -ENETUNREACH }, .first = -1, NO_TCP,
	.path = { .method = PROBE_ICMP, .hop_method = PROBE_ICMP, .finding = MTU_UNREACHABLE, .told_by = -1, .says = REPLY_LOCAL, .says_error = ENETUNREACH, .probes_sent = 1, .rtt_us = -1 },
};

static const struct mtu_result at_least = {
	.name = "10.9.4.2", .address = V4(4, 2), .route = { ROUTE4(0) }, .first = -1, NO_TCP,
	.path = { .method = PROBE_ICMP, .hop_method = PROBE_ICMP, .finding = MTU_BLACK_HOLE_FOUND, .bound = BOUND_LOWER, .told_by = -1, .path_mtu = 1280, .smallest_lost = 1500, .partial = true, SENT,
		  SIZES({ 1280, SIZE_PASSED, 2 }, { 1500, SIZE_LOST, 3 }) },
};

/* Nothing large has passed, and too much is lost to say more. */
static const struct mtu_result at_most = {
	.name = "10.9.4.2", .address = V4(4, 2), .route = { ROUTE4(0) }, .first = -1, NO_TCP,
	.path = { .method = PROBE_ICMP, .hop_method = PROBE_ICMP, .finding = MTU_UNDECIDED, .bound = BOUND_UPPER, .told_by = -1, .path_mtu = 1199, .smallest_lost = 1200, .partial = true, .lossy = true,
		  .probes_sent = 20, .controls_sent = 10, .controls_lost = 4, .rounds = 3, .elapsed_us = 5000000, .rtt_us = 1204, SIZES({ 72, SIZE_PASSED, 2 }, { 1200, SIZE_LOST, 3 }) },
};

/* The word of the second router holds, that of the first one as far as it reaches. */
static const struct mtu_result told_twice = {
	.name = "10.9.4.2", .address = V4(4, 2), .route = { ROUTE4(0) }, .first = -1, NO_TCP,
	.path = { .method = PROBE_ICMP, .hop_method = PROBE_ICMP, .finding = MTU_NARROWER_TOLD, .path_mtu = 1400, .smallest_lost = 1401, SENT, .place = SHRINK_BETWEEN, .shrink_ttl = 0, .shrink_before = 0,
		  .shrink_address = V4(2, 2), .told_by = 1, .told = { { V4(0, 1), 1450, 1, TOLD_SURPASSED }, { V4(2, 2), 1400, 1, TOLD_CONFIRMED } }, .told_count = 2,
		  SIZES({ 1400, SIZE_PASSED, 1 }, { 1401, SIZE_TOLD, 1 }, { 1450, SIZE_TOLD, 1 }, { 1500, SIZE_TOLD, 1 }) },
};

static const struct mtu_result undecided = {
	.name = "fd00:9:4::2", .address = V6(4, 2), .route = { ROUTE6(0) }, .first = -1, NO_TCP,
	.path = { .method = PROBE_ICMP, .hop_method = PROBE_ICMP, .finding = MTU_UNDECIDED, .bound = BOUND_LOWER, .told_by = -1, .path_mtu = 1280, .partial = true, SENT, SIZES({ 1280, SIZE_PASSED, 2 }) },
};

/* What this machine does itself: a route's MTU, messages that it hides or drops, no size at all. */
static const struct mtu_result fits_route = {
	.name = "server.example", .address = V4(4, 2), .port = 8080, .first = -1, NO_TCP, .route = { ROUTE4(ROUTE_HAS_MTU), .mtu = 1420 },
	.path = { .method = PROBE_TCP, .hop_method = PROBE_ICMP, .finding = MTU_FITS, .told_by = -1, .path_mtu = 1420, SENT, SIZES({ 1200, SIZE_PASSED, 1 }, { 1420, SIZE_PASSED, 3 }) },
};

static const struct mtu_result told_hidden = {
	.name = "10.9.4.2", .address = V4(4, 2), .route = { ROUTE4(0) }, .first = -1, NO_TCP,
	.path = { .method = PROBE_UDP, .finding = MTU_NARROWER_TOLD, .path_mtu = 1400, .smallest_lost = 1401, SENT, .place = SHRINK_AT, .shrink_ttl = 1, .shrink_address = V4(0, 1),
		  SIZES({ 1400, SIZE_PASSED, 2 }, { 1401, SIZE_TOLD, 2 }), .told = { { V4(0, 1), 0, 3, TOLD_HIDDEN } }, .told_count = 1,
		  .hops = { HOP_LARGE(1, V4(0, 1), 98, REPLY_EXPIRED, REPLY_EXPIRED) }, .hop_count = 1 },
};

static const struct mtu_result unheard = {
	.name = "10.9.4.2", .address = V4(4, 2), .route = { ROUTE4(0) }, .first = -1, NO_TCP,
	.path = { .method = PROBE_ICMP, .hop_method = PROBE_ICMP, .finding = MTU_UNDECIDED, .unheard = true, .told_by = -1, .path_mtu = 1400, .smallest_lost = 1401, SENT, HOLE_SIZES,
		  .place = SHRINK_AT, .shrink_ttl = 1, .shrink_address = V4(0, 1) },
};

static const struct mtu_result no_size = {
	.name = "server.example", .address = V4(4, 2), .port = 443, .route = { ROUTE4(0) }, .first = -1, .connections = 2,
	.path = { .method = PROBE_TCP, .hop_method = PROBE_ICMP, .finding = MTU_UNDECIDED, .bound = BOUND_UPPER, .told_by = -1, .elapsed_us = 1207, .rtt_us = -1 },
	.tcp = { .made = true, .connected = true, .timestamps = true, .snd_mss = 1448, .advmss = 1448, .rcv_mss = 536, .pmtu = 1500, .handshake_us = 1207 },
};

/* The outer router is silent, the inner one tells. */
static const struct mtu_result silent_outside = {
	.name = "10.9.4.2", .address = V4(4, 2), .route = { ROUTE4(0) }, .first = -1, NO_TCP,
	.path = { .method = PROBE_ICMP, .hop_method = PROBE_ICMP, .finding = MTU_BLACK_HOLE_FOUND, .path_mtu = 1400, .smallest_lost = 1401, .silent = 1500, SENT, .place = SHRINK_AT, .shrink_ttl = 1, .shrink_before = 2,
		  .shrink_address = V4(0, 1), .told_by = -1, .told = { { V4(2, 2), 1400, 6, TOLD_CONFIRMED } }, .told_count = 1,
		  SIZES({ 1400, SIZE_PASSED, 4 }, { 1401, SIZE_TOLD, 6 }, { 1500, SIZE_LOST, 6 }) },
};

static const struct mtu_result small_echoes = {
	.name = "10.9.4.2", .address = V4(4, 2), .route = { ROUTE4(0) }, .first = -1, NO_TCP,
	.path = { .method = PROBE_UDP, .finding = MTU_FITS, .told_by = -1, .path_mtu = 1500, .echo_unanswered = 501, SENT, SIZES({ 1500, SIZE_PASSED, 3 }) },
};

static const struct mtu_result echo_alone = {
	.name = "fd00:9:4::2", .address = V6(4, 2), .route = { ROUTE6(0) }, .first = -1, NO_TCP,
	.path = { .method = PROBE_ICMP, .hop_method = PROBE_ICMP, .finding = MTU_UNDECIDED, .bound = BOUND_LOWER, .told_by = -1, .path_mtu = 1400, .echo_unanswered = 1401, SENT,
		  SIZES({ 1400, SIZE_PASSED, 3 }, { 1401, SIZE_LOST, 5 }) },
};

static const char *const hole_next[] = { "ip route get {peer_addr}", NULL };
static const char *const hole_fixes[] = { "let ICMP type 3 code 4 pass", "set the MTU of the route", NULL };
static const char *const hole_refs[] = { "RFC 2923 §2.1", NULL };
static struct finding hole_finding = {
	.rule = "mtu-blackhole-send", .id = 0x5e17, .severity = SEVERITY_CRITICAL, .confidence = 0.95, .score = 90, .count = 1,
	.scope = { .has_peer = true, .peer = { V4(4, 2), 0 }, .interface = "eth0" },
	.title = "Path-MTU black hole: packets over {mtu} to {peer_addr} vanish",
	.detail = "{likely}",
	.evidence = { { "mtu", 1400, UNIT_BYTES, NULL, "probe" }, { "likely", 0, UNIT_NONE, "an IPsec tunnel \x1b[31m", "rule" } },
	.evidence_count = 2, .next = hole_next, .fixes = hole_fixes, .refs = hole_refs,
};

const struct probe_sample mtu_samples[] = {
	{ .name = "fits", .target = "10.9.4.2", .mtu = { &fits4 }, .show_hops = true },
	{ .name = "fits, UDP, IPv6, a hostile name", .target = EVIL_COMM, .port = 443, .mtu = { &fits6_udp } },
	{ .name = "fits what was asked for", .target = "10.9.4.2", .mtu = { &fits_asked } },
	{ .name = "fits, loopback", .target = "127.0.0.1", .mtu = { &fits_here } },
	{ .name = "fits, TCP to the real port", .target = "server.example", .port = 8080, .mtu = { &fits_tcp } },
	{ .name = "narrower and told", .target = "10.9.4.2", .mtu = { &told4 } },
	{ .name = "narrower and told, IPv6, a route's MTU", .target = "fd00:9:4::2", .mtu = { &told6 }, .verbose = true },
	{ .name = "narrower and told by two, where is not known", .target = "10.9.4.2", .mtu = { &told_twice } },
	{ .name = "black hole at a hop, a cached exception, a finding", .target = "10.9.4.2", .mtu = { &hole_at }, .finding = &hole_finding },
	{ .name = "black hole between mute hops, ICMP silent", .target = "10.9.4.2", .mtu = { &hole_between } },
	{ .name = "black hole here, IPv6", .target = "fd00:9:4::2", .mtu = { &hole_here } },
	{ .name = "black hole and untrue words", .target = "10.9.4.2", .mtu = { &hole_lies } },
	{ .name = "black hole on the way back", .target = "server.example", .port = 80, .mtu = { &hole_back } },
	{ .name = "the way back unknown", .target = "server.example", .port = 80, .mtu = { &back_unknown } },
	{ .name = "deaf", .target = "10.9.4.2", .port = 443, .mtu = { &deaf } },
	{ .name = "prohibited by a router", .target = "10.9.4.2", .mtu = { &prohibited } },
	{ .name = "fits the MTU of the route, TCP", .target = "server.example", .port = 8080, .mtu = { &fits_route } },
	{ .name = "narrower and told, the size hidden here", .target = "10.9.4.2", .mtu = { &told_hidden } },
	{ .name = "large packets vanish, and nobody is heard here", .target = "10.9.4.2", .mtu = { &unheard } },
	{ .name = "no size tried", .target = "server.example", .port = 443, .mtu = { &no_size } },
	{ .name = "no route here, and the other family fits", .target = "server.example", .mtu = { &no_way_out, &fits4 } },
	{ .name = "partial, a lower bound", .target = "10.9.4.2", .mtu = { &at_least } },
	{ .name = "undecided, partial, an upper bound, lossy", .target = "10.9.4.2", .mtu = { &at_most } },
	{ .name = "black hole before a router that tells", .target = "10.9.4.2", .mtu = { &silent_outside } },
	{ .name = "fits, only small echoes are answered", .target = "10.9.4.2", .mtu = { &small_echoes } },
	{ .name = "undecided, only small echoes are answered", .target = "fd00:9:4::2", .mtu = { &echo_alone } },
	{ .name = "undecided, partial, a lower bound, IPv6", .target = "fd00:9:4::2", .mtu = { &undecided } },
};
const size_t mtu_sample_count = ARRAY_SIZE(mtu_samples);

#define WAY4 HOP(1, V4(0, 1), 98, REPLY_EXPIRED), HOP(2, V4(1, 2), 301, REPLY_EXPIRED)
#define TRACED .probes_sent = 4, .elapsed_us = 2310, .rtt_us = 912

static const struct trace_result open4 = {
	.name = "server.example", .address = V4(4, 2), .port = 443, .route = { ROUTE4(0) },
	.path = { .finding = TRACE_OPEN, TRACED, .host_ttl = 4, .host_at_most = true, .retried = 1, .hops = { WAY4, HOP_MUTE(3), HOP(4, V4(4, 2), 912, REPLY_OPEN) }, .hop_count = 4 },
};

static const struct trace_result refused_by_host = {
	.name = "10.9.4.2", .address = V4(4, 2), .port = 8443, .route = { ROUTE4(0) },
	.path = { .finding = TRACE_REFUSED, .proof = PROOF_RST_TTL, TRACED, .host_ttl = 3, .rst_ttl = 61, .reply_ttl = 61, .by = V4(4, 2),
		  .hops = { WAY4, HOP(3, V4(4, 2), 912, REPLY_REFUSED) }, .hop_count = 3 },
};

static const struct trace_result refused_by_whom = {
	.name = "10.9.4.2", .address = V4(4, 2), .port = 8443, .route = { ROUTE4(0) },
	.path = { .finding = TRACE_REFUSED, TRACED, .hops = { WAY4, HOP(3, V4(4, 2), 912, REPLY_REFUSED) }, .hop_count = 3 },
};

static const struct trace_result refused_by_middle = {
	.name = "10.9.4.2", .address = V4(4, 2), .port = 8443, .route = { ROUTE4(0) }, .dropped = 2,
	.path = { .finding = TRACE_REFUSED_BY_MIDDLE, .proof = PROOF_DISTANCE, TRACED, .dies_after = 2, .host_ttl = 4, .side_method = PROBE_ICMP,
		  .hops = { WAY4, HOP(3, V4(4, 2), 640, REPLY_REFUSED) }, .hop_count = 3,
		  .side = { WAY4, HOP(3, V4(3, 2), 655, REPLY_EXPIRED), HOP(4, V4(4, 2), 912, REPLY_ARRIVED) }, .side_count = 4 },
};

static const struct trace_result refused_rst_ttl = {
	.name = "fd00:9:4::2", .address = V6(4, 2), .port = 8443, .route = { ROUTE6(0) },
	.path = { .finding = TRACE_REFUSED_BY_MIDDLE, .proof = PROOF_RST_TTL, TRACED, .dies_after = 1, .rst_ttl = 254, .reply_ttl = 61,
		  .hops = { HOP(1, V6(0, 1), 98, REPLY_EXPIRED), HOP(2, V6(4, 2), 300, REPLY_REFUSED) }, .hop_count = 2 },
};

static const struct trace_result refused_icmp = {
	.name = "10.9.4.2", .address = V4(4, 2), .port = 8443, .route = { ROUTE4(0) },
	.path = { .finding = TRACE_REFUSED_BY_MIDDLE, .proof = PROOF_ICMP, TRACED, .dies_after = 1, .by = V4(1, 2), .is_icmp = true, .icmp_type = 3, .icmp_code = 3,
		  .hops = { HOP(1, V4(0, 1), 98, REPLY_EXPIRED), HOP(2, V4(1, 2), 301, REPLY_REJECTED) }, .hop_count = 2 },
};

static const struct trace_result forbidden = {
	.name = "fd00:9:4::2", .address = V6(4, 2), .port = 22, .route = { ROUTE6(0) },
	.path = { .finding = TRACE_PROHIBITED, .proof = PROOF_ICMP, TRACED, .dies_after = 1, .by = V6(1, 2), .is_icmp = true, .icmp_type = 1, .icmp_code = 1,
		  .hops = { HOP(1, V6(0, 1), 98, REPLY_EXPIRED), HOP(2, V6(1, 2), 301, REPLY_PROHIBITED) }, .hop_count = 2 },
};

static const struct trace_result no_route = {
	.name = "10.9.4.2", .address = V4(4, 2), .port = 22, .route = { ROUTE4(0) },
	.path = { .finding = TRACE_NO_ROUTE, TRACED, .dies_after = 1, .by = V4(1, 2), .is_icmp = true, .icmp_type = 3, .icmp_code = 1,
		  .hops = { HOP(1, V4(0, 1), 98, REPLY_EXPIRED), HOP(2, V4(1, 2), 301, REPLY_UNREACHABLE) }, .hop_count = 2 },
};

static const struct trace_result filtered = {
	.name = "10.9.4.2", .address = V4(4, 2), .port = 5432, .route = { ROUTE4(0) },
	.path = { .finding = TRACE_FILTERED, TRACED, .dies_after = 2, .host_ttl = 4, .side_method = PROBE_UDP, .split = true, .hops = { WAY4 }, .hop_count = 2,
		  .side = { WAY4, HOP(3, V4(3, 2), 655, REPLY_EXPIRED), HOP(4, V4(4, 2), 912, REPLY_ARRIVED) }, .side_count = 4 },
};

static const struct trace_result loop = {
	.name = "10.9.4.2", .address = V4(4, 2), .port = 80, .route = { ROUTE4(0) },
	.path = { .finding = TRACE_LOOP, TRACED, .dies_after = 2, .by = V4(1, 2),
		  .hops = { WAY4, HOP(3, V4(0, 1), 401, REPLY_EXPIRED), HOP(4, V4(1, 2), 512, REPLY_EXPIRED), HOP(5, V4(0, 1), 602, REPLY_EXPIRED) }, .hop_count = 5 },
};

static const struct trace_result silent = {
	.name = "10.9.4.2", .address = V4(4, 2), .port = 80, .route = { ROUTE4(0) },
	.path = { .finding = TRACE_UNDECIDED, .partial = true, .probes_sent = 14, .elapsed_us = 9000000, .rtt_us = -1, .dies_after = 2, .side_method = PROBE_ICMP,
		  .hops = { WAY4, HOP_MUTE(3), HOP_MUTE(4) }, .hop_count = 4, .side = { WAY4, HOP_MUTE(3) }, .side_count = 3 },
};

static const struct trace_result mute = {
	.name = "fd00:9:4::2", .address = V6(4, 2), .port = 80, .route = { ROUTE6(0) },
	.path = { .finding = TRACE_SILENT, .probes_sent = 15, .elapsed_us = 5000000, .rtt_us = -1 },
};

static const struct trace_result local_error = {
	.name = "server.example", .address = V6(4, 2), .port = 443, .route = { .destination = V6(4, 2), .error = -ENETUNREACH },
	.path = { .finding = TRACE_LOCAL_ERROR, .error = ENETUNREACH, .probes_sent = 1, .rtt_us = -1 },
};

/* A router on the way refuses what it would forward. */
static const struct trace_result refused_by_hop = {
	.name = "10.9.4.2", .address = V4(4, 2), .port = 8443, .route = { ROUTE4(0) },
	.path = { .finding = TRACE_REFUSED_BY_MIDDLE, .proof = PROOF_RST_TTL, TRACED, .dies_after = 2, .by = V4(1, 2), .rst_ttl = 63, .reply_ttl = 61,
		  .hops = { WAY4, HOP(3, V4(4, 2), 640, REPLY_REFUSED) }, .hop_count = 3 },
};

static const struct trace_result dead6 = {
	.name = "server.example", .address = V6(4, 2), .port = 443, .route = { ROUTE6(0) },
	.path = { .finding = TRACE_SILENT, .probes_sent = 9, .elapsed_us = 5000000, .rtt_us = -1, .dies_after = 1, .hops = { HOP(1, V6(0, 1), 98, REPLY_EXPIRED) }, .hop_count = 1 },
};

const struct probe_sample trace_samples[] = {
	{ .name = "open, a mute hop", .target = "server.example", .port = 443, .trace = { &open4 } },
	{ .name = "refused by the host", .target = "10.9.4.2", .port = 8443, .trace = { &refused_by_host } },
	{ .name = "refused by the host or a box", .target = "10.9.4.2", .port = 8443, .trace = { &refused_by_whom } },
	{ .name = "refused in between: distance", .target = "10.9.4.2", .port = 8443, .trace = { &refused_by_middle } },
	{ .name = "refused in between: the RST's hop limit, IPv6", .target = "fd00:9:4::2", .port = 8443, .trace = { &refused_rst_ttl } },
	{ .name = "refused in between: ICMP", .target = "10.9.4.2", .port = 8443, .trace = { &refused_icmp } },
	{ .name = "refused in between: a router", .target = "10.9.4.2", .port = 8443, .trace = { &refused_by_hop } },
	{ .name = "prohibited, IPv6", .target = "fd00:9:4::2", .port = 22, .trace = { &forbidden } },
	{ .name = "no route at a router", .target = "10.9.4.2", .port = 22, .trace = { &no_route } },
	{ .name = "filtered, hops asked from ports of their own", .target = "10.9.4.2", .port = 5432, .trace = { &filtered } },
	{ .name = "loop", .target = "10.9.4.2", .port = 80, .trace = { &loop } },
	{ .name = "silence, partial", .target = "10.9.4.2", .port = 80, .trace = { &silent } },
	{ .name = "silence from the first hop on, IPv6", .target = "fd00:9:4::2", .port = 80, .trace = { &mute } },
	{ .name = "no route here, the other address open", .target = "server.example", .port = 443, .trace = { &local_error, &open4 } },
	{ .name = "one address is dead, the other open, a hostile name", .target = EVIL_COMM, .port = 443, .trace = { &dead6, &open4 } },
};
const size_t trace_sample_count = ARRAY_SIZE(trace_samples);

struct probe_report probe_samples_report(const struct probe_sample *sample, const struct document *doc, unsigned width,
					 struct probe_result results[static PROBE_SAMPLE_RESULTS])
{
	struct probe_report report = { .doc = doc, .target = sample->target, .port = sample->port, .results = results, .verbose = sample->verbose,
				       .show_hops = sample->show_hops, .print_from = 0.4, .style.width = width };

	while (sample->mtu[report.result_count] || sample->trace[report.result_count]) {
		results[report.result_count] = (struct probe_result){ .mtu = sample->mtu[report.result_count], .trace = sample->trace[report.result_count] };
		if (!report.result_count && sample->finding) {
			results[0].findings = &sample->finding;
			results[0].finding_count = 1;
		}
		report.result_count++;
	}
	return report;
}
