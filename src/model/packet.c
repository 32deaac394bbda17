/* SPDX-License-Identifier: MIT */
/* Names of what a packet is made of. */
#include "tcptriage/model/packet.h"

#include <assert.h>

static const char *const status_names[] = {
	[DECODE_OK] = "ok",
	[DECODE_TRUNCATED] = "truncated",
	[DECODE_MALFORMED] = "malformed",
	[DECODE_UNSUPPORTED] = "unsupported",
};
static_assert(ARRAY_SIZE(status_names) == DECODE_STATUS_COUNT, "a name for every outcome");

static const char *const layer_names[] = {
	[LAYER_LINK] = "link", [LAYER_IPV4] = "IPv4", [LAYER_IPV6] = "IPv6", [LAYER_TUNNEL] = "tunnel",
	[LAYER_TCP] = "TCP",   [LAYER_UDP] = "UDP",   [LAYER_ICMP] = "ICMP", [LAYER_OTHER] = "other",
};
static_assert(ARRAY_SIZE(layer_names) == LAYER_COUNT, "a name for every layer");

static const char *const tunnel_names[] = {
	[TUNNEL_NONE] = "",	  [TUNNEL_IPIP] = "IPIP",   [TUNNEL_6IN4] = "6in4",	[TUNNEL_IN_IPV6] = "IP-in-IPv6",
	[TUNNEL_GRE] = "GRE", [TUNNEL_VXLAN] = "VXLAN", [TUNNEL_GENEVE] = "Geneve",
};
static_assert(ARRAY_SIZE(tunnel_names) == TUNNEL_KIND_COUNT, "a name for every tunnel");

static const struct {
	const char *name;
	bool error;
} icmp_classes[] = {
	[ICMP_OTHER] = { "other", false },
	[ICMP_ECHO_REQUEST] = { "echo request", false },
	[ICMP_ECHO_REPLY] = { "echo reply", false },
	[ICMP_TOO_BIG] = { "too big", true },
	[ICMP_UNREACHABLE] = { "unreachable", true },
	[ICMP_PORT_UNREACHABLE] = { "port unreachable", true },
	[ICMP_PROTOCOL_UNREACHABLE] = { "protocol unreachable", true },
	[ICMP_PROHIBITED] = { "administratively prohibited", true },
	[ICMP_TIME_EXCEEDED] = { "time exceeded", true },
	[ICMP_REASSEMBLY_EXCEEDED] = { "reassembly time exceeded", true },
	[ICMP_PARAMETER_PROBLEM] = { "parameter problem", true },
	[ICMP_REDIRECT] = { "redirect", true },
	[ICMP_SOURCE_QUENCH] = { "source quench", true },
	[ICMP_NEIGHBOUR] = { "neighbour discovery", false },
};
static_assert(ARRAY_SIZE(icmp_classes) == ICMP_CLASS_COUNT, "a name for every class");

const char *decode_status_name(enum decode_status status)
{
	return status_names[status];
}

const char *packet_layer_name(enum packet_layer layer)
{
	return layer_names[layer];
}

const char *tunnel_kind_name(enum tunnel_kind kind)
{
	return tunnel_names[kind];
}

const char *icmp_class_name(enum icmp_class class)
{
	return icmp_classes[class].name;
}

bool icmp_is_error(enum icmp_class class)
{
	return icmp_classes[class].error;
}
