/* SPDX-License-Identifier: MIT */
/* What probe signals are built with: hops and sizes looked up with care, words for what was measured, and how sure a probe allows to be. */
#ifndef TCPTRIAGE_TRIAGE_PROBE_KIT_H
#define TCPTRIAGE_TRIAGE_PROBE_KIT_H

#include "kit.h"


/** struct probed - what the results of both commands have in common. @zone: interface of a link-local address, NULL none. */
struct probed {
	const struct addr *address;
	uint16_t port;
	const struct route *route;
	const char *zone;
};

/** probed_of_mtu(), probed_of_trace() - of a result. */
struct probed probed_of_mtu(const struct mtu_result *result);
struct probed probed_of_trace(const struct trace_result *result);

/** struct probe_doubt - a reason for less confidence: no more than @cap, and the template that says so beside the finding. */
struct probe_doubt {
	bool applies;
	double cap;
	const char *against;
};

/** probe_confidence() - @confidence within what an active probe allows (0.99, RULES §6) and the @count @doubts that apply. */
double probe_confidence(double confidence, const struct probe_doubt *doubts, size_t count);
/** finding_doubts() - puts those that apply beside the finding. */
void finding_doubts(struct finding *finding, const struct probe_doubt *doubts, size_t count);
/**
 * finding_probed() - scope and first evidence: the address and port as peer, the interface, and evidence "example", "route", "address_class" and, as far as
 * known, "interface_mtu". Sets count.
 */
void finding_probed(struct finding *finding, const struct view *view, const struct probed *probed);

/** probe_fitting_mss() - of packets of @mtu; 0 when nothing is left of them. */
uint32_t probe_fitting_mss(const struct addr *addr, uint32_t mtu);
/** probe_link_mtu() - what the interface takes, else the largest size that was tried; 0 neither is known. */
uint32_t probe_link_mtu(const struct mtu_result *result);
/** probe_hop() - who answered with the hop limit @ttl among the first @count of @hops (PATH_HOPS_MAX at most); NULL none. */
const struct path_hop *probe_hop(const struct path_hop *hops, size_t count, unsigned ttl);
/** probe_hop_text() - "hop 3 (10.0.0.1)", or "hop 3" where the address is not known, in the arena. */
const char *probe_hop_text(const struct view *view, unsigned ttl, const struct addr *address);
/** probe_icmp_text() - what an ICMP destination unreachable of this type and code means, for the address family. */
const char *probe_icmp_text(uint8_t family, uint8_t type, uint8_t code);

/**
 * probe_route_command() - a template of "ip route replace ADDRESS/32 via GATEWAY dev IFACE" with @attribute and @value behind it, for the way to that address
 * alone, in the arena.
 */
const char *probe_route_command(const struct view *view, const struct probed *probed, const char *attribute, uint32_t value);
/** probe_clamp_text() - words and commands that limit the MSS of what a router forwards: to @mss, or to the MTU of its way out when that is 0; in the arena. */
const char *probe_clamp_text(const struct view *view, const struct addr *addr, uint32_t mss);
/** probe_list() - a NULL-terminated list of the @count @lines that are not NULL, in the arena. */
const char *const *probe_list(const struct view *view, const char *const *lines, size_t count);
/** probe_tcp_command() - a template of `tcptriage mtu-probe` that asks the service itself, with the payload that its port speaks; NULL without a port. */
const char *probe_tcp_command(const struct view *view, const struct probed *probed);

#endif
