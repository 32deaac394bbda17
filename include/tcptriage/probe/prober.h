/* SPDX-License-Identifier: MIT */
/* Sends probes to one address and says what came of each. It decides nothing: sizes, hop limits, times and repetitions are its caller's.
 *
 * An answer counts when it is about a packet that this prober sent: the socket that the kernel found for it, and where the message quotes enough of it, an id and a
 * random mark in the packet. Everything else is counted as dropped and changes nothing. Reading is bounded for each call, so that a flood cannot hold it.
 * Packets of one prober keep the values that routers balance by (ports, ICMP id and checksum, flow label 0) wherever the method allows it. */
#ifndef TCPTRIAGE_PROBE_PROBER_H
#define TCPTRIAGE_PROBE_PROBER_H

#include "tcptriage/base/err.h"
#include "tcptriage/model/probe.h"

/** enum prober_kind - how probes are made. */
enum prober_kind {
	PROBER_UDP,	 /* datagrams to a closed port, answers from the error queue; no privilege */
	PROBER_ICMP,	 /* echo: a ping socket where ping_group_range allows it, else a raw one */
	PROBER_TCP_DATA, /* a connection for each size, one segment of exactly that IP packet size (DF), tcp_info as witness */
	PROBER_SYN,	 /* connect() with a hop limit, one at a time on one source port; no privilege */
	PROBER_SYN_PORTS, /* the same at once, each from a port of its own */
	PROBER_SYN_RAW,	 /* SYNs from a raw socket at once, one source port; sees the hop limit of answers; CAP_NET_RAW */
	PROBER_KIND_COUNT
};

/** enum tcp_payload - what PROBER_TCP_DATA sends to the service, padded to the size. */
enum tcp_payload { PAYLOAD_NONE, PAYLOAD_HTTP, PAYLOAD_TLS, PAYLOAD_RAW, TCP_PAYLOAD_COUNT };

/**
 * struct prober_options - @kind. @address: the target. @port: destination, 0 for ICMP. @device: SO_BINDTODEVICE, NULL none. @source_port: 0 any free one. @payload, @host:
 * of PROBER_TCP_DATA; @host: name for the HTTP Host header and TLS SNI (text from outside; what does not fit a name is not sent). @scope: interface index of a link-local target, 0 none.
 * @interface_mtu: of the interface by which packets to the target leave (struct route, link_mtu), 0 unknown: tells a size that the interface does not take from one that
 * only this kernel, for a tunnel or IPsec of its own, does not.
 */
struct prober_options {
	enum prober_kind kind;
	struct addr address;
	uint16_t port, source_port;
	const char *device, *host;
	enum tcp_payload payload;
	uint32_t scope, interface_mtu;
};

/** struct prober_counts - @sent: packets, of which the kernel took. @dropped: messages that were not about our probes. @malformed: that could not be read. @late: answers behind their deadline. */
struct prober_counts {
	uint64_t sent, dropped, malformed, late;
};

struct prober;

/**
 * prober_open() - get ready. Return: 0, or -errno with @err: -EPERM/-EACCES when this user may not (@err names what would mend it), -EADDRINUSE for a taken source
 * port, -EOPNOTSUPP when a setting of this machine rules this kind out while others work (tcp_mtu_probing=2 and sizes over TCP), or what routing says of the target
 * (-ENETUNREACH …).
 */
int prober_open(struct prober **out, const struct prober_options *options, struct err *err);
/** prober_method() - what the probes are. */
enum probe_method prober_method(const struct prober *prober);
/** prober_most() - how many probes may be under way at once. */
unsigned prober_most(const struct prober *prober);
/** prober_smallest(), prober_largest() - sizes of IP packets that it can send (the largest: as the protocol allows, 65535 at most; of TCP by the peer's MSS once it is known, else 0). */
uint32_t prober_smallest(const struct prober *prober);
uint32_t prober_largest(const struct prober *prober);
/** prober_send() - send a probe. What goes wrong here and now becomes an outcome (REPLY_LOCAL, or REPLY_TOO_BIG for EMSGSIZE that this kernel's memory of the path causes). */
void prober_send(struct prober *prober, const struct probe_request *request);
/** prober_fd() - readable (poll POLLIN) when prober_next() may have something. */
int prober_fd(const struct prober *prober);
/** prober_next() - the next outcome that is there, without waiting; releases what stands behind its deadline at @now_us. Return: false when there is none. */
bool prober_next(struct prober *prober, int64_t now_us, struct probe_outcome *outcome);
/** prober_counts() - so far. */
const struct prober_counts *prober_counts(const struct prober *prober);
/** prober_close() - releases it; connections are ended by a reset. NULL is fine. */
void prober_close(struct prober *prober);

/** prober_allowed() - may this user open the kind now (CAP_NET_RAW, ping_group_range)? Return: 0, or -EPERM with @err naming what would mend it. */
int prober_allowed(enum prober_kind kind, enum addr_family family, struct err *err);

/** enum prober_hearing - what reaches a program of the "packet too big" messages that arrive here (sysctl net.ipv4.ip_no_pmtu_disc; icmp_unreach(), net/ipv4/icmp.c; measured on 6.18 for UDP and ICMP). */
enum prober_hearing {
	HEARING_ALL,
	HEARING_NO_MTU, /* 1: the kernel hides the MTU, REPLY_TOO_BIG has mtu 0 whatever the router said: nobody is to blame for that */
	HEARING_NONE,	/* 2, and 3 for all but TCP: the kernel drops them: silence of large probes proves no black hole */
};
/** prober_hearing() - of probes of @method in this network namespace, now. IPv6 hears all. */
enum prober_hearing prober_hearing(enum probe_method method, enum addr_family family);

#endif
