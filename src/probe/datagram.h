/* SPDX-License-Identifier: MIT */
/* What probes by UDP and by ICMP share: one connected socket, packets of any size with a mark in them, and what the error queue says of them. Private to this room.
 *
 * A probe carries DATAGRAM_MARK_BYTES behind its eight bytes of header: a random mark of the prober and the id of the probe. A router quotes as much of the packet as it
 * likes. When the mark is there it must be ours and the id one that was sent. Of a shorter quote the kernel has compared what it can (addresses, and ports of UDP),
 * and ICMP's id and sequence number name the probe. UDP has no such number, so that a quote of its eight bytes could be of any probe under way: datagram_guess() picks one about
 * which the message says nothing that is not so, or none. */
#ifndef PROBE_DATAGRAM_H
#define PROBE_DATAGRAM_H

#include "kinds.h"
#include "tcptriage/decode/error_queue.h"

/** Bytes of the mark and of the id behind it. */
#define DATAGRAM_MARK_BYTES 12
/** Of UDP and of an ICMP echo alike. */
#define DATAGRAM_HEADER_BYTES 8
/** Messages that one call of prober_next() reads at most. */
#define DATAGRAM_READS_MAX 64
/** Probes under way at once. */
#define DATAGRAM_MOST 64
/** Largest IP packet that is sent: as much as the length field of IPv4 can say. */
#define DATAGRAM_LARGEST 65535

/** enum whose - whose packet bytes belong to. */
enum whose {
	WHOSE_OURS,    /* the mark says so: the id counts */
	WHOSE_NAMED,   /* too short for the mark, but a sequence number names the probe: the id counts */
	WHOSE_UNNAMED, /* too short for either */
	WHOSE_FOREIGN,
	WHOSE_MALFORMED
};

/** struct datagram_message - one message as it was read. @from: who sent it; of an entry of the error queue where the packet in it went to. */
struct datagram_message {
	struct cursor payload, control;
	struct addr from;
	bool queued;
};

struct datagram;

/**
 * struct datagram_kind - what differs. @quote: whose packet an error quotes, from the transport's payload (UDP) or header (ICMP) on. @take: an ordinary message: whose
 * probe it answers; WHOSE_UNNAMED for one that could answer any.
 */
struct datagram_kind {
	enum whose (*quote)(struct datagram *d, struct cursor payload, uint32_t *id);
	enum whose (*take)(struct datagram *d, const struct datagram_message *message, uint32_t *id);
};

/**
 * struct datagram - begins each of the two kinds. @hop_limit: that the socket has, −1 the default. @refused, @refused_mtu: what the kernel last said of a packet that it did not
 * send (origin "local"), positive errno, 0 nothing. @packet: from the transport's payload (UDP) or header (ICMP) on.
 */
struct datagram {
	struct prober prober;
	const struct datagram_kind *kind;
	uint8_t mark[8];
	int hop_limit, refused;
	uint32_t refused_mtu;
	uint8_t packet[DATAGRAM_LARGEST];
};

/** datagram_settings() - the socket options without which no probe can be judged. Return: 0 or -errno with @err. */
int datagram_settings(int fd, enum addr_family family, struct err *err);
/** datagram_prepare() - options, source port and target of the open socket d->prober.fd; a new mark. Return: 0 or -errno with @err. */
int datagram_prepare(struct datagram *d, const struct datagram_kind *kind, uint16_t port, struct err *err);
/** datagram_size() - of the IP packet that is sent for @request: no smaller than the smallest. */
uint32_t datagram_size(const struct prober *prober, const struct probe_request *request);
/** datagram_overhead() - bytes of the IP header. */
uint32_t datagram_overhead(const struct prober *prober);
/** datagram_put_mark() - mark and id at @at. */
void datagram_put_mark(const struct datagram *d, uint8_t at[static DATAGRAM_MARK_BYTES], uint32_t id);
/** datagram_read_mark() - whose mark @c begins with. Return: WHOSE_OURS with @id, WHOSE_FOREIGN, or WHOSE_UNNAMED when it ends before the mark does and what is there fits. */
enum whose datagram_read_mark(const struct datagram *d, struct cursor c, uint32_t *id);
/** datagram_send() - as much of d->packet as makes the size of @request; what the kernel has against it becomes an outcome. @lead: bytes of the transport header that the kernel writes. */
void datagram_send(struct datagram *d, const struct probe_request *request, uint32_t lead, int64_t now_us);
/** datagram_next() - prober_next() of both kinds. */
bool datagram_next(struct prober *prober, int64_t now_us, struct probe_outcome *outcome);
/** datagram_largest() - prober_largest() of both kinds. */
uint32_t datagram_largest(const struct prober *prober);
/** datagram_close() - nothing but what prober_close() does. */
void datagram_close(struct prober *prober);

#endif
