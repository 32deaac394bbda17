/* SPDX-License-Identifier: MIT */
/* Datagrams that come in fragments: which are whole, which never are. Nothing is put together, only counted. */
#ifndef TCPTRIAGE_TRACK_FRAGMENTS_H
#define TCPTRIAGE_TRACK_FRAGMENTS_H

#include "tcptriage/model/capture.h"

#define FRAGMENT_SETS 256
#define FRAGMENT_WAYS 4
#define FRAGMENT_RANGES 8
#define FRAGMENT_LOST 256

struct flows;
struct flow_key;

/** struct train_state - a datagram on its way. @live. @ranges of @range came: [start, end). @cut: there were more ranges than can be kept. */
struct train_state {
	struct fragment_train train;
	uint64_t packet_number;
	uint32_t tunnel_id;
	uint16_t vlan;
	uint8_t tunnel_kind, ranges;
	bool live, cut, is_v6;
	struct {
		uint32_t start, end;
	} range[FRAGMENT_RANGES];
};

/** struct fragments - @state: in sets by hash; @live of them. @lost of @train did not complete. @swept_ns: when all were last looked at. */
struct fragments {
	struct train_state state[FRAGMENT_SETS][FRAGMENT_WAYS];
	struct fragment_train train[FRAGMENT_LOST];
	size_t lost, live;
	int64_t swept_ns;
};

/** fragments_add() - one fragment. @key: its VLAN and tunnel keep it apart. */
void fragments_add(struct flows *flows, const struct packet *packet, const struct flow_key *key, int64_t now_ns);
/** fragments_sweep() - gives up those that are too old, at most once a second; @at_end: those that are overdue by the end of what was seen. */
void fragments_sweep(struct flows *flows, int64_t now_ns, bool at_end);

#endif
