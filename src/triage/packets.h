/* SPDX-License-Identifier: MIT */
/* The packet signals that stand in triage/packets/: one file each, named after its rule. */
#ifndef TCPTRIAGE_TRIAGE_PACKETS_H
#define TCPTRIAGE_TRIAGE_PACKETS_H

#include "flow_kit.h"

/** packets_… - the packet signal of the rule of that name. */
extern const struct rule_signal packets_syn_sent_stall, packets_connect_refused, packets_syn_recv_stall, packets_accept_queue_overflow,
	packets_stale_tuple_challenge, packets_peer_zero_window, packets_nagle_delack_stall, packets_rst_breakdown, packets_udp_unreachable;
extern const struct rule_signal packets_dead_peer_unacked, packets_mtu_blackhole_send, packets_mtu_blackhole_recv, packets_pmtu_shrunk,
	packets_retrans_high;

#endif
