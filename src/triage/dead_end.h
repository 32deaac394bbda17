/* SPDX-License-Identifier: MIT */
/* Where probes of either command end for good: somebody says that it goes no further, or this machine does not send at all. Rules share the words of it between them. */
#ifndef TCPTRIAGE_TRIAGE_DEAD_END_H
#define TCPTRIAGE_TRIAGE_DEAD_END_H

#include "probe_kit.h"

/** enum dead_end_kind - who ends it, and why. */
enum dead_end_kind {
	DEAD_END_NONE,
	DEAD_END_NO_WAY,      /* a router has no route, or does not find the host */
	DEAD_END_PROHIBITED,  /* a filter says no */
	DEAD_END_EXPIRED,     /* the hop limit was used up */
	DEAD_END_UNSAID,      /* connect() failed, and its error may be a router's word or this machine's */
	DEAD_END_NO_ROUTE,    /* from here on: this machine. ENETUNREACH */
	DEAD_END_REFUSED_HERE, /* EHOSTUNREACH from routing itself: a route of type unreachable */
	DEAD_END_NO_SOURCE,   /* EADDRNOTAVAIL where no address of the family is there to send from */
	DEAD_END_POLICY,      /* EACCES: a route of type prohibit */
	DEAD_END_BLACKHOLE,   /* EINVAL: a route of type blackhole */
	DEAD_END_NO_PORT,     /* EADDRNOTAVAIL, EAGAIN: every source port is taken */
	DEAD_END_NEXT_HOP,    /* EHOSTUNREACH: the next hop does not answer ARP or neighbour discovery */
	DEAD_END_OWN_FILTER,  /* EPERM */
	DEAD_END_LINK_DOWN,   /* ENETDOWN */
	DEAD_END_OTHER_ERROR, /* it was not sent, for another reason */
	DEAD_END_KIND_COUNT
};

/** struct dead_end - @by: who says so, any unknown. @error: positive errno, 0 none. @icmp_type, @icmp_code: worth something when @is_icmp. @probes: sent in all. */
struct dead_end {
	enum dead_end_kind kind;
	struct probed probed;
	struct addr by;
	int error;
	bool is_icmp;
	uint8_t icmp_type, icmp_code;
	uint32_t probes;
};

/** dead_end_of() - of the view's probes; kind DEAD_END_NONE when they end otherwise. */
struct dead_end dead_end_of(const struct view *view);
/** dead_end_is_local() - it is this machine that does not send. */
bool dead_end_is_local(const struct dead_end *end);
/**
 * finding_dead_end() - scope and evidence: what finding_probed() attaches, and "probes", "error" (words for it, "" none), "reporter" ("this host" where it is), and
 * "reason", "icmp_type", "icmp_code" of an ICMP message ("reason" is always there).
 */
void finding_dead_end(struct finding *finding, const struct view *view, const struct dead_end *end);

#endif
