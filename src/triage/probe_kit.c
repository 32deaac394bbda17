/* SPDX-License-Identifier: MIT */
/* What probe findings have in common. A result may hold anything: hops and names are looked up within their bounds. */
#include "probe_kit.h"

#include <string.h>

/* An active probe is as sure as anything gets (RULES §6). */
#define CONFIDENCE_PROBE 0.99

struct probed probed_of_mtu(const struct mtu_result *result)
{
	return (struct probed){ &result->address, result->port, &result->route, result->zone };
}

struct probed probed_of_trace(const struct trace_result *result)
{
	return (struct probed){ &result->address, result->port, &result->route, result->zone };
}

double probe_confidence(double confidence, const struct probe_doubt *doubts, size_t count)
{
	confidence = MIN(confidence, CONFIDENCE_PROBE);
	for (size_t i = 0; i < count; i++) {
		if (doubts[i].applies)
			confidence = MIN(confidence, doubts[i].cap);
	}
	return confidence;
}

void finding_doubts(struct finding *finding, const struct probe_doubt *doubts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (doubts[i].applies)
			finding_against(finding, doubts[i].against);
	}
}

/* Plain enough to stand in a command without quotes, and no option. */
static bool is_plain(const char *name)
{
	return *name && *name != '-' && !name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:@+-")];
}

void finding_probed(struct finding *finding, const struct view *view, const struct probed *probed)
{
	const struct route *route = probed->route;

	finding_peer(finding, &(struct endpoint){ *probed->address, probed->port });
	finding->scope.peer_zone = probed->zone;
	finding->count = 1;
	finding_add_text(finding, "example", view_addr_text(view, probed->address), "command line");
	finding_address_class(finding, probed->address);
	finding_add_text(finding, "route", route->has || route->error ? route_words(view, route) : "route unknown", "rtnetlink");
	if (route->has & ROUTE_HAS_LINK)
		finding_add(finding, "interface_mtu", route->link_mtu, UNIT_BYTES, "rtnetlink");
	if (route->has & ROUTE_HAS_DEVICE)
		finding->scope.interface = arena_strdup(view->arena, route->device);
}

uint32_t probe_fitting_mss(const struct addr *addr, uint32_t mtu)
{
	uint32_t headers = addr_tcp_headers(addr->family);

	return mtu > headers ? mtu - headers : 0;
}

uint32_t probe_link_mtu(const struct mtu_result *result)
{
	uint32_t largest = 0;

	if (result->route.has & ROUTE_HAS_LINK)
		return result->route.link_mtu;
	for (size_t i = 0; i < MIN(result->path.size_count, PATH_SIZES_MAX); i++)
		largest = MAX(largest, result->path.sizes[i].size);
	return largest;
}

const struct path_hop *probe_hop(const struct path_hop *hops, size_t count, unsigned ttl)
{
	for (size_t i = 0; i < MIN(count, PATH_HOPS_MAX); i++) {
		if (hops[i].ttl == ttl && !addr_is_any(&hops[i].address))
			return &hops[i];
	}
	return NULL;
}

const char *probe_hop_text(const struct view *view, unsigned ttl, const struct addr *address)
{
	if (!address || addr_is_any(address))
		return arena_printf(view->arena, "hop %u", ttl);
	return arena_printf(view->arena, "hop %u (%s)", ttl, view_addr_text(view, address));
}

/* RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1. */
static const char *const codes_v4[] = {
	"network unreachable", "host unreachable", "protocol unreachable", "port unreachable", "fragmentation needed", "source route failed",
	"network unknown", "host unknown", "source host isolated", "network administratively prohibited", "host administratively prohibited",
	"network unreachable for this type of service", "host unreachable for this type of service", "communication administratively prohibited",
	"host precedence violation", "precedence cutoff in effect",
};

/* RFC 4443 §3.1. */
static const char *const codes_v6[] = {
	"no route to destination", "communication administratively prohibited", "beyond the scope of the source address", "address unreachable",
	"port unreachable", "source address failed the ingress or egress policy", "reject route to destination", "error in the source routing header",
};

const char *probe_icmp_text(uint8_t family, uint8_t type, uint8_t code)
{
	if (family == ADDR_V4 && type == 3 && code < ARRAY_SIZE(codes_v4))
		return codes_v4[code];
	if (family == ADDR_V6 && type == 1 && code < ARRAY_SIZE(codes_v6))
		return codes_v6[code];
	return "destination unreachable";
}

const char *probe_route_command(const struct view *view, const struct probed *probed, const char *attribute, uint32_t value)
{
	const struct route *route = probed->route;
	const char *via = "", *device = "IFACE";

	if (route->has & ROUTE_HAS_GATEWAY)
		via = arena_printf(view->arena, "via %s%s ", route->gateway.family != probed->address->family ? "inet6 " : "",
				   view_addr_text(view, &route->gateway));
	if (route->has & ROUTE_HAS_DEVICE && is_plain(route->device))
		device = route->device;
	return arena_printf(view->arena, "ip route replace %s/%u %sdev %s %s %u", view_addr_text(view, probed->address),
			    probed->address->family == ADDR_V4 ? 32 : 128, via, device, attribute, value);
}

/* A table of nftables bears whatever name its owner gave it, so that no whole command would do as pasted; that of iptables is always there. */
const char *probe_clamp_text(const struct view *view, const struct addr *addr, uint32_t mss)
{
	const char *tool = addr->family == ADDR_V4 ? "iptables" : "ip6tables";
	const char *rt = mss ? arena_printf(view->arena, "%u", mss) : "rt mtu", *option = mss ? arena_printf(view->arena, "--set-mss %u", mss) : "--clamp-mss-to-pmtu";

	return arena_printf(view->arena, "%s -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS %s (nftables, in a forward chain: tcp flags syn tcp option maxseg size set %s)",
			    tool, option, rt);
}

const char *const *probe_list(const struct view *view, const char *const *lines, size_t count)
{
	const char **list = arena_alloc(view->arena, (count + 1) * sizeof(*list));
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (lines[i])
			list[kept++] = lines[i];
	}
	list[kept] = NULL;
	return list;
}

const char *probe_tcp_command(const struct view *view, const struct probed *probed)
{
	static const struct {
		uint16_t port;
		const char *payload;
	} known[] = { { 80, "http" }, { 8000, "http" }, { 8080, "http" }, { 443, "tls" }, { 8443, "tls" } };
	const char *payload = "raw";

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		payload = known[i].port == probed->port ? known[i].payload : payload;
	return probed->port ? arena_printf(view->arena, "tcptriage mtu-probe --tcp --tcp-payload %s {target}", payload) : NULL;
}
