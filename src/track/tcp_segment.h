/* SPDX-License-Identifier: MIT */
/* What one TCP segment changes, part by part: opening, sequence numbers, acknowledgements, windows, sizes, closing. */
#ifndef TCPTRIAGE_TRACK_TCP_SEGMENT_H
#define TCPTRIAGE_TRACK_TCP_SEGMENT_H

#include "flow_step.h"

/** tcp_segment_add() - judges one segment of its flow. Return: false when it is a late copy, which does not count. */
bool tcp_segment_add(const struct flow_step *step);
/** tcp_segment_driven() - duplicate ACKs or SACK blocks tell @step's sender that the segment before @end is lost. */
bool tcp_segment_driven(const struct flow_step *step, uint32_t end);

/** tcp_open_is_new() - @tcp, sent by @side, belongs to another connection than @flow: the ports are used again. */
bool tcp_open_is_new(const struct flow *flow, unsigned side, const struct tcp_header *tcp);
/** tcp_open_begin() - the first segment of a new flow; @before: the connection of the same tuple before it, NULL none. */
void tcp_open_begin(const struct flow_step *step, const struct flow *before);
/** tcp_open_syn() - a SYN or SYN-ACK. */
void tcp_open_syn(const struct flow_step *step);
/** tcp_open_go_on() - a segment without SYN and RST. Return: false when it is not of this connection, and must not be judged. */
bool tcp_open_go_on(const struct flow_step *step);

/** tcp_sequence_add() - data and FIN: new, late, or again. Return: false when it is a copy that the network made. */
bool tcp_sequence_add(const struct flow_step *step);
/** tcp_sequence_outstanding() - @ack of the other side tells what @side, first seen in the middle, had on its way before. */
void tcp_sequence_outstanding(const struct flow_step *step, unsigned side, uint32_t ack);
/** tcp_sequence_forget() - what @step's sender sent can no longer be followed; its next segment is a new start. */
void tcp_sequence_forget(const struct flow_step *step);

/** tcp_unseen_acked() - the other side's bytes up to @ack were acknowledged, seen or not. */
void tcp_unseen_acked(const struct flow_step *step, uint32_t ack);
/** tcp_unseen_judge() - counts what did not show up in time after it was acknowledged; @at_end: nothing will any more. */
void tcp_unseen_judge(const struct flow_step *step, bool at_end);

/** tcp_resend_add() - bytes [seq, @end) of @step's segment came again; @hole: the hole that they fill, NULL when they had been seen. */
void tcp_resend_add(const struct flow_step *step, uint32_t end, const struct hole *hole);
/** tcp_resend_acked() - the other side acknowledged up to @ack for the first time: what was sent again may prove unneeded (RFC 3522). */
void tcp_resend_acked(const struct flow_step *step, uint32_t ack);
/** tcp_resend_reported() - the other side reports [@start, @end) as received twice (RFC 2883). */
void tcp_resend_reported(const struct flow_step *step, uint32_t start, uint32_t end);

/** tcp_ack_add() - the acknowledgement and the SACK blocks of a segment. */
void tcp_ack_add(const struct flow_step *step);
/** tcp_rtt_sent() - new data: may be timed. @idle: nothing was outstanding before it. */
void tcp_rtt_sent(const struct flow_step *step, uint32_t end, bool idle);
/** tcp_rtt_resent() - bytes [@start, @end) came again: they give no RTT, and as a size that passes the smaller of both. */
void tcp_rtt_resent(const struct flow_step *step, uint32_t start, uint32_t end);
/** tcp_rtt_acked() - @ack acknowledges what the other side sent. Return: the RTT in µs when it is one, else −1. */
int64_t tcp_rtt_acked(const struct flow_step *step, uint32_t ack);

/** tcp_head_resent() - [@start, @end) was sent again: counts the tries of a head that does not get through. @first_ms: when it was first sent. */
void tcp_head_resent(const struct flow_step *step, uint32_t start, uint32_t first_ms);
/** tcp_head_acked() - the other side acknowledged up to @ack. */
void tcp_head_acked(const struct flow_step *step, uint32_t ack);

/** tcp_window_add() - the window that a segment offers. */
void tcp_window_add(const struct flow_step *step);
/** tcp_window_filled() - new data up to @end: does it fill the window of the other side? */
void tcp_window_filled(const struct flow_step *step, uint32_t end);
/** tcp_window_probe() - a segment that asks for life or for room instead of carrying anything: counted here. Return: it is one. */
bool tcp_window_probe(const struct flow_step *step);
/** tcp_window_settle() - how long windows that are still shut have been so when the flow was last seen. */
void tcp_window_settle(struct flow_slot *slot);

/** tcp_nagle_sent() - new data; @idle: nothing was outstanding before it. */
void tcp_nagle_sent(const struct flow_step *step, bool idle);
/** tcp_nagle_acked() - a bare acknowledgement of @bytes came after @rtt_us and leaves nothing outstanding. */
void tcp_nagle_acked(const struct flow_step *step, uint32_t bytes, int64_t rtt_us);

/** tcp_close_fin() - a FIN, its repetitions included. */
void tcp_close_fin(const struct flow_step *step);
/** tcp_close_reset() - an RST. */
void tcp_close_reset(const struct flow_step *step);
/** tcp_close_crossed() - new data of a side whose peer has already said that it is done. */
void tcp_close_crossed(const struct flow_step *step);
/** tcp_close_settle() - a flow that ends in silence with a request unanswered. */
void tcp_close_settle(struct flow *flow);

#endif
