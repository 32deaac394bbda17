/* SPDX-License-Identifier: MIT */
/* What the kernel says of the interface itself: its address, MTU, offloads, and what the card lost. */
#ifndef CAPTURE_LIVE_LINK_H
#define CAPTURE_LIVE_LINK_H

#include "tcptriage/base/util.h"

/** Counters of the card that mean packets which never reached the kernel. */
#define LIVE_LINK_DROPS 2

/**
 * struct live_link - @ifindex: 0 for "any" and for devices that are no interface. @has_mac: @mac is an Ethernet address other than 0. @mtu: 0 unknown.
 * @offload: it joins segments (GRO, LRO) or splits them after us (TSO, GSO). @drops: open files, -1 unknown; @drops_begin: their sum when it was opened.
 */
struct live_link {
	uint32_t ifindex, mtu;
	uint8_t mac[6];
	bool has_mac, offload;
	int drops[LIVE_LINK_DROPS];
	uint64_t drops_begin;
};

/** live_link_open() - look at interface @name. What cannot be known stays unknown. */
void live_link_open(struct live_link *link, const char *name);
/** live_link_drops() - packets that the card lost since live_link_open(). Needs no path, so it works in the sandbox. */
uint64_t live_link_drops(const struct live_link *link);
/** live_link_close() - closes what is open. */
void live_link_close(struct live_link *link);

#endif
