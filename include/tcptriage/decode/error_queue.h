/* SPDX-License-Identifier: MIT */
/* What the kernel puts into a socket's error queue (IP_RECVERR, IPV6_RECVERR), and ICMP messages as a raw or ping socket reads them: bytes to model, pure. */
#ifndef TCPTRIAGE_DECODE_ERROR_QUEUE_H
#define TCPTRIAGE_DECODE_ERROR_QUEUE_H

#include "tcptriage/decode/cursor.h"
#include "tcptriage/model/decode_status.h"
#include "tcptriage/model/packet.h"

/** enum queued_origin - who made the entry (SO_EE_ORIGIN_*, include/uapi/linux/errqueue.h). */
enum queued_origin { QUEUED_OTHER, QUEUED_LOCAL, QUEUED_ICMP };

/**
 * struct queued_error - one entry.
 * @origin: enum queued_origin. @family: enum addr_family. @error: positive errno. @class: enum icmp_class of an ICMP entry, with its @type and @code. @mtu: ee_info of "too big" (ICMP: next-hop MTU, 0
 * an old router; local EMSGSIZE: what the kernel holds). @offender: who sent the message (@has_offender). @ttl: hop limit with which the message arrived, 0 unknown.
 */
struct queued_error {
	uint8_t origin, family, class, type, code, ttl;
	bool has_offender;
	int error;
	uint32_t mtu;
	struct addr offender;
};

/**
 * queued_error_decode() - the control messages of one recvmsg(MSG_ERRQUEUE).
 * @control: msg_control as far as the kernel filled it; cmsg headers in this machine's order, addresses in network order. An IPv4 offender of an IPv6 socket is ADDR_V4.
 * Return: DECODE_OK; DECODE_TRUNCATED when a message is cut; DECODE_MALFORMED; DECODE_UNSUPPORTED when none of them is an extended error.
 */
enum decode_status queued_error_decode(struct cursor control, struct queued_error *out);
/** control_hop_limit() - hop limit from the control messages of an ordinary recvmsg() (IP_TTL, IPV6_HOPLIMIT). Return: 0 when it is not there. */
uint8_t control_hop_limit(struct cursor control);

/**
 * struct icmp_echo - an echo request or reply, or what an error quotes of one. @class: ICMP_ECHO_REQUEST or ICMP_ECHO_REPLY. @payload: what follows the eight
 * bytes of the header, as far as it is there (borrowed).
 */
struct icmp_echo {
	uint8_t class;
	uint16_t id, seq;
	struct cursor payload;
};

/**
 * icmp_echo_decode() - an ICMP (@family ADDR_V4) or ICMPv6 message, as a ping socket and a raw ICMPv6 socket deliver it, and as the error queue keeps what was quoted.
 * Return: DECODE_OK; DECODE_UNSUPPORTED for any other message; DECODE_TRUNCATED or DECODE_MALFORMED when the header is not all there.
 */
enum decode_status icmp_echo_decode(struct cursor message, enum addr_family family, struct icmp_echo *out);
/** icmp_echo_decode_ipv4() - the same behind an IPv4 header, as a raw socket reads it. DECODE_UNSUPPORTED also for a later fragment and for what is not ICMP. */
enum decode_status icmp_echo_decode_ipv4(struct cursor packet, struct icmp_echo *out);

#endif
