/* SPDX-License-Identifier: MIT */
/* Made-up segments for tests of what is tracked: a scene is a table, a line of it one packet, and what is left out is what an honest
 * stack would send.
 *
 *	static const struct segment scene[] = {
 *		OPEN_10MS,
 *		{ 20, A, 1, 100, .ack = 1 },
 *		{ 30, B, 1, 0, .ack = 101 },
 *	};
 *	talk_open(&t);
 *	talk_play(&t, scene, ARRAY_SIZE(scene));
 *	assert_int_equal(talk_side(&t, A)->retransmissions, 0);
 *
 * Sequence numbers are relative: 0 is the SYN, 1 the first byte. */
#ifndef TCPTRIAGE_TESTS_SUPPORT_SEGMENTS_H
#define TCPTRIAGE_TESTS_SUPPORT_SEGMENTS_H

#include "tcptriage/track/flows.h"

/** The two sides; A opens. */
enum { A, B };
/** When a talk begins, ns since 1970. */
#define TALK_START_NS (INT64_C(1700000000) * 1000000000)

/**
 * struct segment - one packet. @at_ms: after the start. @side: who sends. @seq, @ack: relative. @length: of the payload. @flags: 0 is ACK, or what is
 * neither: NO_FLAGS. @window: raw, 0 is 500; @shut: it is zero. @id: 0 takes the sender's next one, which is counted; @no_id: the field is 0.
 * @sent_ms: the timestamp is of that moment, 0 of now. @echo_ms: the timestamp echoed is of that moment, 0 the newest seen. @left, @right: up to two
 * SACK blocks. @ttl: 0 is 64 for A and 57 for B. @interface: where it was captured. @cut_df: without DF. @no_timestamp: lacks the option.
 */
struct segment {
	double at_ms;
	uint8_t side;
	uint32_t seq, length, ack;
	uint16_t flags;
	uint16_t window, id;
	double sent_ms, echo_ms;
	uint32_t left[2], right[2];
	uint32_t interface;
	uint8_t ttl;
	bool shut, no_id, cut_df, no_timestamp;
};
#define NO_FLAGS 0x8000

/** OPEN_10MS - a handshake at 0 ms over a path of 10 ms, captured at A. The MSS is 1460 both ways, windows are scaled by 7. */
#define OPEN_10MS                                                                                                                                    \
	{ 0, A, 0, 0, 0, TCP_SYN }, { 10, B, 0, 0, 1, TCP_SYN | TCP_ACK }, { 10.1, A, 1, 0, 1 }

/**
 * struct talk - two hosts and the tracker that hears them. Change before the first packet: @timestamps, @sack, @v6, @mss (0: no option), @wscale
 * (−1: none), @isn, @port. @counted: events by kind, as told one by one. @event: the last of each kind.
 */
struct talk {
	struct flows *flows;
	struct packet packet;
	struct frame frame;
	bool timestamps, sack, v6;
	uint16_t mss[2], port[2], id[2];
	int wscale[2];
	uint32_t isn[2], tsval[2];
	uint64_t counted[EVENT_KIND_COUNT];
	struct event event[EVENT_KIND_COUNT];
	struct flow *flow;
	uint8_t payload[64];
};

/** talk_open() - an empty tracker; talk_open_for() one of @flows flows. */
void talk_open(struct talk *t);
void talk_open_for(struct talk *t, uint32_t flows);
void talk_close(struct talk *t);
/** talk_build() - the packet of @segment in t->packet, not yet heard. */
void talk_build(struct talk *t, const struct segment *segment);
/** talk_hear() - hands t->packet to the tracker. Return: its flow. */
struct flow *talk_hear(struct talk *t);
/** talk_send() - builds and hands over. */
struct flow *talk_send(struct talk *t, const struct segment *segment);
/** talk_play() - a whole scene, then flows_end(). */
void talk_play(struct talk *t, const struct segment *scene, size_t count);
/** talk_flow() - the flow of the last packet that had one. */
const struct flow *talk_flow(const struct talk *t);
/** talk_side() - what the flow has of A or B, whichever was seen first. */
const struct flow_side *talk_side(const struct talk *t, unsigned side);
/** talk_address() - the address of a side. */
struct addr talk_address(const struct talk *t, unsigned side);
/** talk_ip() - an empty IP packet from @side in t->packet, at @at_ms; the caller adds what it carries. */
void talk_ip(struct talk *t, double at_ms, unsigned side, uint8_t protocol, uint32_t payload);

/**
 * struct tally - what a side is expected to have, the order being that of the table's columns. @last: frames of it taken out as copies.
 */
struct tally {
	unsigned again, timeouts, fast, spurious, late, copies;
};
/** talk_expect() - @side has exactly that, and the events told add up to it. */
void talk_expect(const struct talk *t, unsigned side, const struct tally *tally);
/** talk_add_up() - what must hold of any talk: counts, events and packets agree with each other. */
void talk_add_up(const struct talk *t);

#endif
