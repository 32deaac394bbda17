/* SPDX-License-Identifier: MIT */
/* What probes found out about the way to one address: its MTU, and where a connection attempt dies. Plain data between track/, triage/ and render/. */
#ifndef TCPTRIAGE_MODEL_PATH_H
#define TCPTRIAGE_MODEL_PATH_H

#include "tcptriage/model/probe.h"
#include "tcptriage/model/route.h"

#define PATH_HOPS_MAX 64
#define PATH_SIZES_MAX 192
#define PATH_TOLD_MAX 8

/**
 * struct path_hop - who answered probes with the hop limit @ttl.
 * @reply: enum probe_reply of the small probe (or SYN); REPLY_NONE for a mute hop. @large: the same of a probe that is too large for the path, REPLY_NONE when
 * none came or none was sent (@large_sent). @address: of the small one's answer, any when there is none. @rtt_us: −1 unknown. @tries: probes of this hop sent.
 */
struct path_hop {
	struct addr address;
	int64_t rtt_us;
	uint8_t ttl, reply, large, tries;
	bool large_sent;
};

/** enum size_fate - what became of packets of one size. */
enum size_fate { SIZE_PASSED, SIZE_LOST, SIZE_TOLD, SIZE_LOCAL, SIZE_FATE_COUNT };
/** struct path_size - one size that was tried. @fate: enum size_fate (SIZE_TOLD: a router said too big; SIZE_LOCAL: this machine did not send it). @tries: probes of it. */
struct path_size {
	uint32_t size;
	uint8_t fate, tries;
};

/** enum told_kind - what a "packet too big" message was worth. */
enum told_kind {
	TOLD_CONFIRMED, /* its MTU passes, one byte more does not */
	TOLD_WRONG,	/* its MTU does not pass, or more than it does */
	TOLD_SURPASSED, /* its MTU does not pass because a router further on tells less, which is so: no error of this one */
	TOLD_NO_MTU,	/* 0, IPv4 only: a router older than RFC 1191 */
	TOLD_HIDDEN,	/* this kernel keeps the MTU from programs (net.ipv4.ip_no_pmtu_disc=1): nobody else is to blame */
	TOLD_BOGUS,	/* not below the size that it speaks of */
	TOLD_TOO_SMALL, /* below 68 (IPv4, RFC 791) or 1280 (IPv6, RFC 8200) */
	TOLD_UNTRIED,	/* time was up before it was tried, or the host answers nothing */
	TOLD_KIND_COUNT
};
/** struct path_told - one router's word. @from: any when it is this kernel's own memory of one. @count: messages that said the same. */
struct path_told {
	struct addr from;
	uint32_t mtu, count;
	uint8_t kind;
};

/** enum mtu_finding - the verdict of a path-MTU search. */
enum mtu_finding {
	MTU_FITS,	   /* the largest size asked for passes */
	MTU_NARROWER_TOLD, /* a router tells, and what it tells is so */
	MTU_BLACK_HOLE_FOUND, /* large packets vanish without a (true) word, small ones pass */
	MTU_HOST_DEAF,	   /* nothing answers this kind of probe: nothing is known */
	MTU_UNREACHABLE,   /* somebody, or this machine, says that the host cannot be reached */
	MTU_UNDECIDED,	   /* loss, or the end of the time, leaves no more than bounds: @bound, @lossy, @partial */
	MTU_FINDING_COUNT
};
/** mtu_finding_name() - as in JSON: "fits", "narrower-told", "black-hole", "host-deaf", "unreachable"; NULL (null) for MTU_UNDECIDED. */
const char *mtu_finding_name(enum mtu_finding finding);
/**
 * enum mtu_bound - how path_mtu is meant. BOUND_EXACT: it passes, one byte more does not (or is more than was asked for). BOUND_LOWER: it passed, more may pass as
 * well; below smallest_lost where that is not 0. BOUND_UPPER: nothing has passed yet; it is smallest_lost − 1, for a router said that smallest_lost is too big.
 */
enum mtu_bound { BOUND_EXACT, BOUND_UPPER, BOUND_LOWER, MTU_BOUND_COUNT };
/** mtu_bound_name() - "exact", "upper", "lower". */
const char *mtu_bound_name(enum mtu_bound bound);

/** enum shrink_place - what is known of the place where the path becomes narrow. */
enum shrink_place {
	SHRINK_UNKNOWN,	 /* not looked for, or no hop answers */
	SHRINK_HERE,	 /* not even the first hop answers large probes: this machine's own link or segment */
	SHRINK_AT,	 /* @shrink_ttl is the last hop that answers large ones: its egress, or the segment behind it */
	SHRINK_BETWEEN,	 /* behind @shrink_ttl (0: this machine) and before @shrink_before (0: not known, no hop behind it answers): hops in between are mute */
	SHRINK_PLACE_COUNT
};

/**
 * struct mtu_path - what a search knows; every size is of an IP packet.
 * @method: of the probes that @finding rests on. @path_mtu: 0 unknown. @smallest_lost: smallest size that did not pass, 0 none. @bound, @finding.
 * @unheard: this kernel drops every "packet too big", so that a silent path is none that is known to be.
 * @silent: a size that vanishes without a word although smaller ones that do not pass either draw one: a sender that begins with the largest size, and believes what it is told, ends there; 0 none.
 * @echo_unanswered: smallest echo that brought no answer although smaller ones did, while that says nothing of the path: with @method PROBE_UDP packets of that size arrive,
 * else it is not known whether they do; 0 none.
 * @lossy: small probes were lost too often, or the result passes too seldom, to tell more than the bounds. @partial: ended by time or by the user. @in_order: sizes ascending, @size_count of them.
 * @told, @told_by: index of the word that @finding rests on, −1 none. @place, @shrink_ttl, @shrink_before, @shrink_address: of the router at @shrink_ttl, or the one that
 * told, even where its distance is not known (any unknown).
 * @hops: by ttl, @hop_count of them, found by probes of @hop_method. @says: reply that makes MTU_UNREACHABLE, with @says_by (any: this machine), @says_error (positive errno, 0 none)
 * and, when @says_icmp, the message's @says_type and @says_code.
 * @rate_limited: the host answers only so often (UDP): time went into waiting. @probes_sent, @controls_sent, @controls_lost, @rounds, @elapsed_us, @rtt_us (−1).
 */
struct mtu_path {
	uint8_t method, hop_method, finding, bound, place, shrink_ttl, shrink_before, says, says_type, says_code;
	bool lossy, partial, rate_limited, says_icmp, unheard;
	int says_error, told_by;
	uint32_t path_mtu, smallest_lost, silent, echo_unanswered;
	struct path_size sizes[PATH_SIZES_MAX];
	size_t size_count;
	struct path_told told[PATH_TOLD_MAX];
	size_t told_count;
	struct addr shrink_address, says_by;
	struct path_hop hops[PATH_HOPS_MAX];
	size_t hop_count;
	uint32_t probes_sent, controls_sent, controls_lost, rounds;
	int64_t elapsed_us, rtt_us;
};

/** mtu_path_others_pass() - the search asked by TCP, and probes of @path->hop_method as large as what vanishes arrive at the host: it is no link that is narrow. */
bool mtu_path_others_pass(const struct mtu_path *path);

/** enum reverse_finding - verdict of the test with two advertised MSS (RULES §5.2). */
enum reverse_finding {
	REVERSE_NOT_MADE,
	REVERSE_FITS,	    /* the answer to the full MSS comes */
	REVERSE_BLACK_HOLE, /* only the answer to a small MSS comes */
	REVERSE_UNKNOWN,    /* neither does, or the service sent too little */
	REVERSE_FINDING_COUNT
};
/** reverse_finding_name() - "fits", "black-hole", "unknown"; NULL when the test was not made. */
const char *reverse_finding_name(enum reverse_finding finding);
/** An answer of fewer bytes says nothing about large segments. */
#define REVERSE_ENOUGH 4096

/**
 * struct reverse_path - @finding. @largest_mss: largest advertised that brought an answer, 0 none: as it was sent, which is less than was asked for where a route says so. @smallest_dead:
 * smallest that did not, 0 none. @received: bytes of the largest answer. @largest_packet: largest IP packet of an answer that was seen, 0 unknown: a service that has learned a path MTU, or sees a
 * smaller MSS than was advertised, sends no larger ones. @connections: made for it. @quiet: the service was given up when it had said a little and was quiet for a second.
 */
struct reverse_path {
	uint8_t finding;
	bool quiet;
	uint32_t largest_mss, smallest_dead, largest_packet, connections;
	uint64_t received;
};

/**
 * struct tcp_witness - what one connection to the real port told. @connected: else @error (positive errno). @snd_mss, @advmss, @rcv_mss, @pmtu: of tcp_info.
 * @timestamps: both ends use them, and each segment is 12 bytes of options longer than @snd_mss, @advmss and @rcv_mss say. @begins_small: by tcp_mtu_probing=2 this kernel
 * begins with small segments, so that @snd_mss says nothing of the peer's MSS. @handshake_us: −1 unknown.
 */
struct tcp_witness {
	bool made, connected, timestamps, begins_small;
	int error;
	uint32_t snd_mss, advmss, rcv_mss, pmtu;
	int64_t handshake_us;
};

/**
 * struct live_path - what sockets to the address say that are open now. @sockets, of them @with_info; smallest and largest of their MSS and path MTU, worth
 * something when @with_info.
 */
struct live_path {
	uint32_t sockets, with_info, mss_min, mss_max, pmtu_min, pmtu_max;
};

/**
 * struct mtu_result - everything about one address.
 * @name: as it was asked for (text from outside). @zone: interface of a link-local @address (text from outside), NULL none. @port: 0 none. @route: before the first probe was sent; route.has tells what is known: link_mtu is the
 * interface's, mtu the route's or a cached exception's (ROUTE_HAS_EXPIRES), mtu_locked. @first: another method than @path.method that was tried as well and told less, −1 none:
 * @first_finding what it came to (enum mtu_finding), @first_sent its probes. @connections: made beside the probes, as a witness or for the way back. @dropped: messages that were not about our probes: counted, otherwise ignored.
 */
struct mtu_result {
	const char *name, *zone;
	struct addr address;
	uint16_t port;
	struct route route;
	struct mtu_path path;
	struct reverse_path reverse;
	struct tcp_witness tcp;
	struct live_path live;
	int first;
	uint8_t first_finding;
	uint32_t first_sent, connections;
	uint64_t dropped;
};

/** enum trace_finding - where a connection attempt ends. */
enum trace_finding {
	TRACE_OPEN,
	TRACE_REFUSED,		 /* RST by the host, or by whom it is not known (@by is any) */
	TRACE_REFUSED_BY_MIDDLE, /* a box in between */
	TRACE_PROHIBITED,
	TRACE_NO_ROUTE,
	TRACE_FILTERED, /* the SYN dies, other probes go further */
	TRACE_LOOP,
	TRACE_SILENT, /* nothing more, and nothing else goes further either */
	TRACE_LOCAL_ERROR,
	TRACE_UNDECIDED, /* ended by time or by the user before silence could be told from a late answer: @partial */
	TRACE_FINDING_COUNT
};
/** trace_finding_name() - as in JSON: "open", "refused", "refused-by-middlebox", "prohibited", "no-route", "filtered", "loop", "silent", "local-error"; NULL (null) for TRACE_UNDECIDED. */
const char *trace_finding_name(enum trace_finding finding);
/** enum trace_proof - on what TRACE_REFUSED and TRACE_REFUSED_BY_MIDDLE rest. */
enum trace_proof { PROOF_NONE, PROOF_DISTANCE, PROOF_RST_TTL, PROOF_ICMP, TRACE_PROOF_COUNT };

/**
 * struct trace_path - what a trace knows. @dies_after: ttl of the last hop that let the SYN through, 0 none or not known. @by: who ends it, any unknown; the host of TRACE_OPEN.
 * @hops: answers to SYNs by ttl, up to the last that means something. @side: answers of the other protocol (@side_method) to the same hop limits, @side_count of
 * them, 0 when it was not tried. @host_ttl: hops to the host as far as known, 0 unknown; @host_at_most: the hop before it did not answer, and probes that were lost there would look
 * the same. @rst_ttl, @reply_ttl: hop limits with which the RST and other packets of the
 * host arrived, 0 unknown. @error: positive errno of TRACE_LOCAL_ERROR. @icmp_type, @icmp_code: what the verdict's message was, when @is_icmp. @split: hops were asked from different source ports: routers that balance by flow may have shown several ways.
 * @rtt_us: of the answer that ends it, −1. @ran_out: a SYN with the whole hop limit used it up. @partial: ended by time or by the user. @retried: silences that a later probe of the same hop broke.
 */
struct trace_path {
	uint8_t finding, proof, dies_after, host_ttl, rst_ttl, reply_ttl, side_method, icmp_type, icmp_code;
	bool is_icmp, split, partial, ran_out, host_at_most;
	int error;
	struct addr by;
	struct path_hop hops[PATH_HOPS_MAX], side[PATH_HOPS_MAX];
	size_t hop_count, side_count;
	uint32_t probes_sent, retried;
	int64_t elapsed_us, rtt_us;
};

/** struct trace_result - everything about one address and port. @zone, @dropped: as in struct mtu_result. @route: before the first probe. */
struct trace_result {
	const char *name, *zone;
	struct addr address;
	uint16_t port;
	struct route route;
	struct trace_path path;
	uint64_t dropped;
};

#endif
