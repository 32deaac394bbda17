/* SPDX-License-Identifier: MIT */
/* Whole tables of rtnetlink(7), decoded attribute by attribute. */
#include "collect/network_dump.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/if_tunnel.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "tcptriage/decode/cursor.h"

#define REQUEST_BYTES 64
#define DUMP_RETRIES 2

static bool take_family(unsigned af, uint8_t *family)
{
	*family = af == AF_INET6 ? ADDR_V6 : ADDR_V4;
	return af == AF_INET || af == AF_INET6;
}

/* What is shorter than an address of the family is none; a whole one of zeroes is "any". */
static bool take_address(struct cursor c, uint8_t family, struct addr *out)
{
	struct addr addr = { .family = family };

	if (!cursor_bytes(&c, addr.bytes, family == ADDR_V6 ? 16 : 4))
		return false;
	*out = addr;
	return true;
}

static void take_text(struct cursor c, char *out, size_t size)
{
	size_t len = MIN(c.captured_left, size - 1);

	memset(out, 0, size);
	memcpy(out, c.p, len);
}

/* The payload of @message behind its fixed part of @len bytes, which is copied to @fixed. */
static bool split(const struct nlmsghdr *message, uint16_t type, void *fixed, size_t len, struct cursor *rest)
{
	*rest = cursor_of(mnl_nlmsg_get_payload(message), mnl_nlmsg_get_payload_len(message));
	if (message->nlmsg_type != type || !cursor_bytes(rest, fixed, len))
		return false;
	cursor_skip(rest, MIN(NLMSG_ALIGN(len) - len, rest->captured_left));
	return true;
}

static bool wants(const struct network_taking *taking, uint8_t family)
{
	return !taking->family || taking->family == family;
}

/** enum tunnel_part - what an attribute of IFLA_INFO_DATA says. */
enum tunnel_part { PART_REMOTE4, PART_REMOTE6, PART_LOCAL6, PART_LINK, PART_EXTERNAL, PART_GRE_FLAGS };

/* IFLA_<kind>_… by kind (include/uapi/linux/if_link.h, if_tunnel.h). */
static const struct tunnel_row {
	uint8_t kind, type, part;
} tunnel_rows[] = {
	{ LINK_VXLAN, IFLA_VXLAN_GROUP, PART_REMOTE4 },
	{ LINK_VXLAN, IFLA_VXLAN_GROUP6, PART_REMOTE6 },
	{ LINK_VXLAN, IFLA_VXLAN_LOCAL6, PART_LOCAL6 },
	{ LINK_VXLAN, IFLA_VXLAN_LINK, PART_LINK },
	{ LINK_VXLAN, IFLA_VXLAN_COLLECT_METADATA, PART_EXTERNAL },
	{ LINK_GENEVE, IFLA_GENEVE_REMOTE, PART_REMOTE4 },
	{ LINK_GENEVE, IFLA_GENEVE_REMOTE6, PART_REMOTE6 },
	{ LINK_GENEVE, IFLA_GENEVE_COLLECT_METADATA, PART_EXTERNAL },
	{ LINK_GRE, IFLA_GRE_REMOTE, PART_REMOTE4 },
	{ LINK_GRE, IFLA_GRE_LINK, PART_LINK },
	{ LINK_GRE, IFLA_GRE_OFLAGS, PART_GRE_FLAGS },
	{ LINK_GRE, IFLA_GRE_COLLECT_METADATA, PART_EXTERNAL },
	{ LINK_GRETAP, IFLA_GRE_REMOTE, PART_REMOTE4 },
	{ LINK_GRETAP, IFLA_GRE_LINK, PART_LINK },
	{ LINK_GRETAP, IFLA_GRE_OFLAGS, PART_GRE_FLAGS },
	{ LINK_GRETAP, IFLA_GRE_COLLECT_METADATA, PART_EXTERNAL },
	{ LINK_IP6GRE, IFLA_GRE_REMOTE, PART_REMOTE6 },
	{ LINK_IP6GRE, IFLA_GRE_LINK, PART_LINK },
	{ LINK_IP6GRE, IFLA_GRE_OFLAGS, PART_GRE_FLAGS },
	{ LINK_IP6GRE, IFLA_GRE_COLLECT_METADATA, PART_EXTERNAL },
	{ LINK_IP6GRETAP, IFLA_GRE_REMOTE, PART_REMOTE6 },
	{ LINK_IP6GRETAP, IFLA_GRE_LINK, PART_LINK },
	{ LINK_IP6GRETAP, IFLA_GRE_OFLAGS, PART_GRE_FLAGS },
	{ LINK_IP6GRETAP, IFLA_GRE_COLLECT_METADATA, PART_EXTERNAL },
	{ LINK_IPIP, IFLA_IPTUN_REMOTE, PART_REMOTE4 },
	{ LINK_IPIP, IFLA_IPTUN_LINK, PART_LINK },
	{ LINK_IPIP, IFLA_IPTUN_COLLECT_METADATA, PART_EXTERNAL },
	{ LINK_SIT, IFLA_IPTUN_REMOTE, PART_REMOTE4 },
	{ LINK_SIT, IFLA_IPTUN_LINK, PART_LINK },
	{ LINK_IP6TNL, IFLA_IPTUN_REMOTE, PART_REMOTE6 },
	{ LINK_IP6TNL, IFLA_IPTUN_LINK, PART_LINK },
	{ LINK_IP6TNL, IFLA_IPTUN_COLLECT_METADATA, PART_EXTERNAL },
};

static void take_remote(struct cursor c, uint8_t family, struct link *link)
{
	struct addr remote;

	if (!take_address(c, family, &remote) || addr_is_any(&remote))
		return;
	link->underlay = remote;
	link->has_underlay = true;
}

/* Checksum, key and sequence number take four bytes each (RFC 2784, RFC 2890). */
static void take_gre_flags(struct cursor c, struct link *link)
{
	uint16_t flags;

	if (cursor_u16be(&c, &flags))
		link->options = (uint8_t)(4 * ((flags >> 15 & 1) + (flags >> 13 & 1) + (flags >> 12 & 1)));
}

static void take_part(enum tunnel_part part, struct cursor c, struct link *link)
{
	uint8_t flag = 1;

	switch (part) {
	case PART_REMOTE4:
		take_remote(c, ADDR_V4, link);
		break;
	case PART_REMOTE6:
		take_remote(c, ADDR_V6, link);
		break;
	case PART_LOCAL6: /* without a remote end it tells the family of the packets around */
		if (!link->has_underlay)
			link->underlay.family = ADDR_V6;
		break;
	case PART_LINK:
		if (!link->parent)
			cursor_u32ne(&c, &link->parent);
		break;
	case PART_EXTERNAL: /* a flag, or a number of one byte */
		cursor_u8(&c, &flag);
		link->external = flag;
		break;
	case PART_GRE_FLAGS:
		take_gre_flags(c, link);
		break;
	}
}

static void take_tunnel(struct cursor c, struct link *link)
{
	struct attr attr;

	while (attr_next(&c, &attr) == ATTR_OK) {
		for (size_t i = 0; i < ARRAY_SIZE(tunnel_rows); i++) {
			if (tunnel_rows[i].kind == link->kind && tunnel_rows[i].type == attr.type)
				take_part(tunnel_rows[i].part, attr.payload, link);
		}
	}
}

/* The kind stands before its data. */
static void take_info(struct cursor c, struct link *link)
{
	struct attr attr;
	char kind[32];

	while (attr_next(&c, &attr) == ATTR_OK) {
		if (attr.type == IFLA_INFO_KIND) {
			take_text(attr.payload, kind, sizeof(kind));
			link->kind = (uint8_t)link_kind_parse(kind);
		}
		if (attr.type == IFLA_INFO_DATA)
			take_tunnel(attr.payload, link);
	}
}

/* struct rtnl_link_stats64 begins with packets received and packets sent. */
static void take_stats(struct cursor c, struct link *link)
{
	uint64_t received, sent;

	if (cursor_u64ne(&c, &received) && cursor_u64ne(&c, &sent))
		link->packets = received + sent;
}

/* The settings of an interface, as an array of 32 bits each: from 1 on for IPv4, from 0 on for IPv6. */
static void take_settings(struct cursor c, uint8_t family, struct link *link)
{
	const uint16_t array = family == ADDR_V4 ? IFLA_INET_CONF : IFLA_INET6_CONF;
	const size_t index = family == ADDR_V4 ? IPV4_DEVCONF_FORWARDING - 1 : DEVCONF_FORWARDING;
	struct attr attr;
	uint32_t value;

	while (attr_next(&c, &attr) == ATTR_OK) {
		if (attr.type == array && cursor_skip(&attr.payload, index * 4) && cursor_u32ne(&attr.payload, &value) && value)
			link->forwards |= (uint8_t)(1u << family);
	}
}

static void take_families(struct cursor c, struct link *link)
{
	struct attr attr;
	uint8_t family;

	while (attr_next(&c, &attr) == ATTR_OK) {
		if (take_family(attr.type, &family))
			take_settings(attr.payload, family, link);
	}
}

static void take_link_attr(const struct attr *attr, struct link *link)
{
	struct cursor c = attr->payload;

	switch (attr->type) {
	case IFLA_IFNAME:
		take_text(c, link->name, sizeof(link->name));
		break;
	case IFLA_MTU:
		cursor_u32ne(&c, &link->mtu);
		break;
	case IFLA_MASTER:
		cursor_u32ne(&c, &link->master);
		break;
	case IFLA_LINK:
		cursor_u32ne(&c, &link->parent);
		break;
	case IFLA_LINK_NETNSID:
		link->parent_elsewhere = true;
		break;
	case IFLA_LINKINFO:
		take_info(c, link);
		break;
	case IFLA_STATS64:
		take_stats(c, link);
		break;
	case IFLA_AF_SPEC:
		take_families(c, link);
		break;
	}
}

int network_dump_link(const struct nlmsghdr *message, void *context)
{
	const struct network_taking *taking = context;
	struct ifinfomsg fixed;
	struct link *link;
	struct cursor c;
	struct attr attr;

	if (!split(message, RTM_NEWLINK, &fixed, sizeof(fixed), &c) || fixed.ifi_index <= 0)
		return 0;
	link = network_list_link(taking->list);
	if (!link)
		return -ENOBUFS;
	link->ifindex = (uint32_t)fixed.ifi_index;
	link->up = fixed.ifi_flags & IFF_UP;
	link->carrier = fixed.ifi_flags & IFF_LOWER_UP;
	link->loopback = fixed.ifi_flags & IFF_LOOPBACK;
	while (attr_next(&c, &attr) == ATTR_OK)
		take_link_attr(&attr, link);
	/* a number of another namespace would name a stranger here */
	if (link->parent_elsewhere)
		link->parent = 0;
	return 0;
}

/* The network is that of the address (IFA_ADDRESS), which is the peer's where IFA_LOCAL differs. */
int network_dump_address(const struct nlmsghdr *message, void *context)
{
	const struct network_taking *taking = context;
	struct addr address = { { 0 }, 0 }, local = { { 0 }, 0 };
	bool has_address = false, has_local = false;
	struct link_prefix *prefix;
	struct ifaddrmsg fixed;
	struct cursor c;
	struct attr attr;
	uint8_t family;

	if (!split(message, RTM_NEWADDR, &fixed, sizeof(fixed), &c) || !take_family(fixed.ifa_family, &family))
		return 0;
	while (attr_next(&c, &attr) == ATTR_OK) {
		if (attr.type == IFA_ADDRESS)
			has_address = take_address(attr.payload, family, &address);
		if (attr.type == IFA_LOCAL)
			has_local = take_address(attr.payload, family, &local);
	}
	if (!has_address || fixed.ifa_prefixlen > (family == ADDR_V4 ? 32 : 128))
		return 0;
	prefix = network_list_prefix(taking->list);
	if (!prefix)
		return -ENOBUFS;
	prefix->addr = has_local ? local : address;
	prefix->peer = address;
	prefix->has_peer = has_local && !addr_equal(&local, &address);
	prefix->ifindex = fixed.ifa_index;
	prefix->bits = fixed.ifa_prefixlen;
	return 0;
}

static void take_metrics(struct cursor c, struct net_route *route)
{
	struct attr attr;
	uint32_t lock = 0;

	while (attr_next(&c, &attr) == ATTR_OK) {
		if (attr.type == RTAX_LOCK)
			cursor_u32ne(&attr.payload, &lock);
		if (attr.type == RTAX_MTU)
			cursor_u32ne(&attr.payload, &route->mtu);
	}
	route->mtu_locked = lock >> RTAX_MTU & 1;
}

static bool take_via(struct cursor c, struct addr *out)
{
	uint16_t af;
	uint8_t family;

	return cursor_u16ne(&c, &af) && take_family(af, &family) && take_address(c, family, out);
}

static void take_hop_attr(const struct attr *attr, uint8_t family, struct net_route *route)
{
	if (attr->type == RTA_GATEWAY)
		route->has_gateway = take_address(attr->payload, family, &route->gateway);
	if (attr->type == RTA_VIA)
		route->has_gateway = take_via(attr->payload, &route->gateway);
}

/* struct rtnexthop: length, flags, hops, ifindex, then attributes. Every step moves by at least its eight bytes. */
static void take_nexthops(struct cursor c, uint8_t family, struct net_route *route)
{
	struct rtnexthop hop;

	while (cursor_bytes(&c, &hop, sizeof(hop))) {
		struct cursor inside;
		struct attr attr;

		if (hop.rtnh_len < sizeof(hop) || !cursor_take(&c, hop.rtnh_len - sizeof(hop), &inside))
			return;
		cursor_skip(&c, MIN((size_t)RTNH_ALIGN(hop.rtnh_len) - hop.rtnh_len, c.captured_left));
		if (++route->nexthops > 1)
			continue;
		route->ifindex = (uint32_t)hop.rtnh_ifindex;
		while (attr_next(&inside, &attr) == ATTR_OK)
			take_hop_attr(&attr, family, route);
	}
}

static void take_route_attr(const struct attr *attr, uint8_t family, struct net_route *route)
{
	struct cursor c = attr->payload;

	switch (attr->type) {
	case RTA_DST:
		take_address(c, family, &route->prefix);
		break;
	case RTA_OIF:
		if (cursor_u32ne(&c, &route->ifindex))
			route->nexthops = 1;
		break;
	case RTA_GATEWAY:
	case RTA_VIA:
		take_hop_attr(attr, family, route);
		break;
	case RTA_PREFSRC:
		route->has_source = take_address(c, family, &route->source);
		break;
	case RTA_PRIORITY:
		cursor_u32ne(&c, &route->metric);
		break;
	case RTA_TABLE:
		cursor_u32ne(&c, &route->table);
		break;
	case RTA_METRICS:
		take_metrics(c, route);
		break;
	case RTA_MULTIPATH:
		take_nexthops(c, family, route);
		break;
	}
}

static bool is_kept(const struct net_route *route, const struct rtmsg *fixed)
{
	return route->table != RT_TABLE_LOCAL && !(fixed->rtm_flags & (RTM_F_CLONED | RTNH_F_DEAD)) &&
	       (fixed->rtm_type == RTN_UNICAST || fixed->rtm_type == RTN_BLACKHOLE || fixed->rtm_type == RTN_UNREACHABLE ||
		fixed->rtm_type == RTN_PROHIBIT || fixed->rtm_type == RTN_THROW);
}

int network_dump_route(const struct nlmsghdr *message, void *context)
{
	const struct network_taking *taking = context;
	struct net_route *room, route = { .nexthops = 0 };
	struct rtmsg fixed;
	struct cursor c;
	struct attr attr;
	uint8_t family;

	if (!split(message, RTM_NEWROUTE, &fixed, sizeof(fixed), &c) || !wants(taking, fixed.rtm_family) ||
	    !take_family(fixed.rtm_family, &family) || fixed.rtm_dst_len > (family == ADDR_V4 ? 32 : 128))
		return 0;
	route.prefix.family = route.gateway.family = route.source.family = family;
	route.bits = fixed.rtm_dst_len;
	route.type = fixed.rtm_type;
	route.protocol = fixed.rtm_protocol;
	route.scope = fixed.rtm_scope;
	route.table = fixed.rtm_table;
	while (attr_next(&c, &attr) == ATTR_OK)
		take_route_attr(&attr, family, &route);
	if (!is_kept(&route, &fixed))
		return 0;
	room = network_list_route(taking->list);
	if (!room)
		return -ENOBUFS;
	*room = route;
	return 0;
}

/* Attributes that stand on the rules that always exist as well: they narrow nothing. */
static bool narrows(const struct attr *attr)
{
	struct cursor c = attr->payload;
	uint32_t value;

	if (attr->type == FRA_SUPPRESS_PREFIXLEN)
		return !cursor_u32ne(&c, &value) || value != UINT32_MAX;
	return attr->type != FRA_TABLE && attr->type != FRA_PRIORITY && attr->type != FRA_PROTOCOL && attr->type != FRA_PAD;
}

int network_dump_rule(const struct nlmsghdr *message, void *context)
{
	const struct network_taking *taking = context;
	struct fib_rule_hdr fixed;
	uint32_t table;
	struct cursor c;
	struct attr attr;
	bool own;

	if (!split(message, RTM_NEWRULE, &fixed, sizeof(fixed), &c) || !wants(taking, fixed.family))
		return 0;
	table = fixed.table;
	own = fixed.action != FR_ACT_TO_TBL || fixed.src_len || fixed.dst_len || fixed.tos || fixed.flags & FIB_RULE_INVERT;
	while (attr_next(&c, &attr) == ATTR_OK) {
		own = own || narrows(&attr);
		if (attr.type == FRA_TABLE)
			cursor_u32ne(&attr.payload, &table);
	}
	taking->list->policy_rules += own || (table != RT_TABLE_LOCAL && table != RT_TABLE_MAIN && table != RT_TABLE_DEFAULT);
	return 0;
}

#define NUD_HAS_ADDRESS (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT)

int network_dump_neighbour(const struct nlmsghdr *message, void *context)
{
	const struct network_taking *taking = context;
	struct addr of = { .family = 0 };
	bool has_address = false;
	struct ndmsg fixed;
	struct link *link;
	struct cursor c;
	struct attr attr;
	uint8_t family;

	if (!split(message, RTM_NEWNEIGH, &fixed, sizeof(fixed), &c) || !wants(taking, fixed.ndm_family) ||
	    !take_family(fixed.ndm_family, &family) || !(fixed.ndm_state & NUD_HAS_ADDRESS))
		return 0;
	while (attr_next(&c, &attr) == ATTR_OK) {
		if (attr.type == NDA_DST)
			has_address = take_address(attr.payload, family, &of);
	}
	if (!has_address || addr_class(&of) == ADDR_CLASS_LINK_LOCAL)
		return 0;
	link = network_list_find(taking->list, (uint32_t)fixed.ndm_ifindex);
	if (link)
		link->answering[family]++;
	return 0;
}

/** struct question - one dump. @fixed_len: of the header behind that of netlink; the family is its first byte. @must: without it there is nothing to judge. */
struct question {
	uint16_t type, fixed_len;
	uint8_t family;
	netlink_message_fn *take;
	bool must;
};

/* Routes last: when there are more than are kept, nothing else is missing. */
static const struct question questions[] = {
	{ RTM_GETLINK, sizeof(struct ifinfomsg), AF_UNSPEC, network_dump_link, true },
	{ RTM_GETADDR, sizeof(struct ifaddrmsg), AF_UNSPEC, network_dump_address, true },
	{ RTM_GETNEIGH, sizeof(struct ndmsg), AF_INET, network_dump_neighbour, false },
	{ RTM_GETNEIGH, sizeof(struct ndmsg), AF_INET6, network_dump_neighbour, false },
	{ RTM_GETRULE, sizeof(struct fib_rule_hdr), AF_INET, network_dump_rule, false },
	{ RTM_GETRULE, sizeof(struct fib_rule_hdr), AF_INET6, network_dump_rule, false },
	{ RTM_GETROUTE, sizeof(struct rtmsg), AF_INET, network_dump_route, true },
	{ RTM_GETROUTE, sizeof(struct rtmsg), AF_INET6, network_dump_route, false },
};

static int ask(struct netlink *nl, const struct question *question, struct network_taking *taking, struct netlink_dump_result *result, struct err *err)
{
	_Alignas(struct nlmsghdr) char buf[REQUEST_BYTES];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buf);
	uint8_t *fixed;

	request->nlmsg_type = question->type;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	fixed = mnl_nlmsg_put_extra_header(request, question->fixed_len);
	memset(fixed, 0, question->fixed_len);
	*fixed = question->family;
	*result = (struct netlink_dump_result){ 0 };
	return netlink_dump(nl, request, question->take, taking, result, err);
}

/* What a dump added is taken back before it is made again. */
static void restore(struct network_list *list, const struct network_list *before)
{
	list->link_count = before->link_count;
	list->prefix_count = before->prefix_count;
	list->route_count = before->route_count;
	list->policy_rules = before->policy_rules;
}

static void forget_neighbours(struct network_list *list, uint8_t af)
{
	uint8_t family;

	for (size_t i = 0; take_family(af, &family) && i < list->link_count; i++)
		list->links[i].answering[family] = 0;
}

static int ask_whole(struct netlink *nl, const struct question *question, struct network_list *list, struct err *err)
{
	struct network_taking taking = { .list = list, .family = question->family };
	const struct network_list before = *list;
	struct netlink_dump_result result;

	for (unsigned try = 0; try <= DUMP_RETRIES; try++) {
		int code;

		restore(list, &before);
		if (question->type == RTM_GETNEIGH)
			forget_neighbours(list, question->family);
		code = ask(nl, question, &taking, &result, err);
		if (code || !(result.interrupted || result.truncated || result.overruns))
			return code;
	}
	list->cut = true;
	return 0;
}

/* A kernel without a family, or without policy routing, says so; nothing is missing then. */
static bool is_absent(int code)
{
	return code == -EOPNOTSUPP || code == -EAFNOSUPPORT;
}

int network_dump(struct netlink *nl, struct network_list *list, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(questions); i++) {
		const struct question *question = &questions[i];
		int code = ask_whole(nl, question, list, question->must ? err : NULL);

		/* full: the socket is in the middle of a dump that nobody wants to read to its end */
		if (code == -ENOBUFS && list->cut)
			return 0;
		if (code && question->must)
			return code;
		list->cut = list->cut || (code && !is_absent(code));
	}
	return 0;
}
