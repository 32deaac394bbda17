/* SPDX-License-Identifier: MIT */
/* One probe: what is asked of the network, and what came of it. Plain data between probe/, which sends and receives, and track/, which decides. */
#ifndef TCPTRIAGE_MODEL_PROBE_H
#define TCPTRIAGE_MODEL_PROBE_H

#include "tcptriage/model/address.h"

/** enum probe_method - what a probe is. */
enum probe_method { PROBE_UDP, PROBE_ICMP, PROBE_TCP, PROBE_METHOD_COUNT };
/** probe_method_name() - "udp", "icmp", "tcp". */
const char *probe_method_name(enum probe_method method);
/** probe_method_label() - "UDP", "ICMP", "TCP", for sentences; "an unknown method" for a number that is none. */
const char *probe_method_label(unsigned method);

/** enum probe_lane - which of two senders a probe is for: the one that asks the question, and one of another protocol beside it. */
enum probe_lane { LANE_MAIN, LANE_SIDE, LANE_COUNT };

/**
 * struct probe_request - send this.
 * @id: never 0, chosen by who asks, never used twice in a run. @lane: enum probe_lane. @size: of the IP packet in bytes, header included; what is smaller than the
 * smallest packet of the method is sent as that one; without meaning for a SYN. @hop_limit: TTL, 0 the system's default.
 * @deadline_us: CLOCK_MONOTONIC from which on an answer is no longer waited for: what the sender keeps for it may be released.
 */
struct probe_request {
	uint32_t id, size;
	uint8_t lane, hop_limit;
	int64_t deadline_us;
};

/** enum probe_reply - what came of a probe. */
enum probe_reply {
	REPLY_NONE,	   /* nothing until the deadline; never delivered by a sender, whose silence says it */
	REPLY_ARRIVED,	   /* the host itself answers that it came: echo reply, its own port unreachable, an acknowledgement of all of it */
	REPLY_OPEN,	   /* SYN-ACK */
	REPLY_REFUSED,	   /* RST */
	REPLY_TOO_BIG,	   /* ICMP type 3 code 4, ICMPv6 type 2; or the kernel's own notion of the path (@from is any) */
	REPLY_EXPIRED,	   /* hop limit reached at @from */
	REPLY_UNREACHABLE, /* net, host, no route, address; protocol; source route: said by @from */
	REPLY_REJECTED,	   /* port unreachable said by another than the host: a box in between refuses */
	REPLY_PROHIBITED,  /* administratively, said by @from */
	REPLY_LOCAL,	   /* this machine did not send it: @error */
	PROBE_REPLY_COUNT
};
/** probe_reply_name() - as in JSON: "none", "arrived", "open", "refused", "too-big", "expired", "unreachable", "rejected", "prohibited", "local". */
const char *probe_reply_name(enum probe_reply reply);

/**
 * struct probe_outcome - what came of the probe @id.
 * @lane, @size, @hop_limit: of the request. @from: who says so (any: unknown). @mtu: of REPLY_TOO_BIG as it stands in the message, 0 an old router that did not
 * say; of REPLY_LOCAL with EMSGSIZE the largest that this machine would send, 0 unknown. @rtt_us: −1 unknown. @error: positive errno of REPLY_LOCAL. @icmp_type, @icmp_code: worth something when @is_icmp.
 * @reply_ttl: hop limit with which the answer arrived, 0 unknown.
 */
struct probe_outcome {
	uint32_t id, size, mtu;
	uint8_t lane, hop_limit, reply, icmp_type, icmp_code, reply_ttl;
	bool is_icmp;
	int error;
	int64_t rtt_us;
	struct addr from;
};

/** enum probe_step - what a machine of track/ wants its driver to do next. */
enum probe_step {
	STEP_SEND, /* a request was filled in: send it now, hand in what came of it when it comes, ask again at once */
	STEP_WAIT, /* nothing before the time that was told: wait for outcomes until then */
	STEP_DONE, /* the result stands */
};

#endif
