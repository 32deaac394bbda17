/* SPDX-License-Identifier: MIT */
/* Known packet sizes, as data (RULES §7.2). Sizes are of whole IP packets; overhead is what stands before the inner one. */
#include "mtu_table.h"

struct row {
	uint32_t bytes;
	const char *what;
};

/* Sizes that do not depend on what the first link takes. */
static const struct row sizes[] = {
	{ 8896, "a size known from Google Cloud (jumbo frames)" },
	{ 8500, "a size known from AWS (between regions, or through a transit gateway)" },
	{ 1500, "plain Ethernet beyond a network with jumbo frames" },
	{ 1460, "a size known from Google Cloud (its default), or IPv4 carried in IPv6" },
	{ 1400, "a VPN gateway with room to spare (Azure's, many IPsec ones)" },
	{ 1390, "IPsec, as Google Cloud advises for its VPN" },
	{ 1360, "a size known from Alibaba Cloud's VPN gateway" },
	{ 1300, "a size known from AWS Wavelength and Outposts" },
	{ 1280, "the least that IPv6 allows: a tunnel set to be safe" },
	{ 576, "the size that every IPv4 host takes: a modem line, or a setting of old" },
	{ 552, "the least that Linux believes (min_pmtu): the message asked for less" },
};

/* Headers of encapsulations, by length. */
static const struct row overheads[] = {
	{ 4, "a VLAN tag or an MPLS label more than the link allows for" },
	{ 8, "PPPoE" },
	{ 20, "IP in IP, or IPv6 in IPv4 (6in4)" },
	{ 24, "GRE" },
	{ 28, "GRE with a key" },
	{ 40, "an IPv6 header around each packet" },
	{ 42, "GRE with Ethernet inside, as OpenStack uses it" },
	{ 46, "GRE with Ethernet and a key inside, as OpenStack uses it" },
	{ 50, "VXLAN or Geneve over IPv4" },
	{ 58, "Geneve as OVN uses it" },
	{ 60, "WireGuard over IPv4" },
	{ 62, "an IPsec ESP tunnel" },
	{ 70, "VXLAN or Geneve over IPv6" },
	{ 78, "an IPsec ESP tunnel through NAT" },
	{ 80, "WireGuard (its default leaves room for IPv6 outside)" },
};

static const char *find(const struct row *rows, size_t count, uint32_t bytes)
{
	for (size_t i = 0; i < count; i++) {
		if (rows[i].bytes == bytes)
			return rows[i].what;
	}
	return NULL;
}

const char *mtu_likely(uint32_t link_mtu, uint32_t pmtu)
{
	const char *what;

	if (pmtu >= link_mtu)
		return NULL;
	what = find(sizes, ARRAY_SIZE(sizes), pmtu);
	return what ? what : find(overheads, ARRAY_SIZE(overheads), link_mtu - pmtu);
}

/* Outer headers by kind and family of the packets around; Ethernet inside counts, an MTU does not. Optional headers come on top (link.options). */
static const uint8_t tunnels[LINK_KIND_COUNT][ADDR_FAMILY_COUNT] = {
	[LINK_VXLAN] = { 50, 70 },
	[LINK_GENEVE] = { 50, 70 },
	[LINK_GRE] = { 24, 0 },
	[LINK_GRETAP] = { 38, 0 },
	[LINK_IP6GRE] = { 0, 44 },
	[LINK_IP6GRETAP] = { 0, 58 },
	[LINK_IPIP] = { 20, 0 },
	[LINK_SIT] = { 20, 0 },
	[LINK_IP6TNL] = { 0, 40 },
	[LINK_WIREGUARD] = { 60, 80 },
};

uint32_t mtu_overhead(enum link_kind kind, enum addr_family outer)
{
	return tunnels[kind][outer];
}
