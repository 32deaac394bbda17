/* SPDX-License-Identifier: MIT */
/* Route, link and neighbour of a destination (rtnetlink(7)). */
#include "collect/rtnetlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include "tcptriage/decode/cursor.h"

/* Answer with the entry that matched instead of the resolved path (include/uapi/linux/rtnetlink.h, 4.13). */
#ifndef RTM_F_FIB_MATCH
#define RTM_F_FIB_MATCH 0x2000
#endif
#define LINK_LOWER_UP 0x10000 /* IFF_LOWER_UP, which <net/if.h> does not know */

#define REQUEST_BYTES 256

static size_t address_len(const struct addr *addr)
{
	return addr->family == ADDR_V6 ? 16 : 4;
}

static uint8_t family_of(const struct addr *addr)
{
	return addr->family == ADDR_V6 ? AF_INET6 : AF_INET;
}

static bool take_address(struct cursor c, unsigned family, struct addr *out)
{
	memset(out, 0, sizeof(*out));
	out->family = family == AF_INET6 ? ADDR_V6 : ADDR_V4;
	return cursor_bytes(&c, out->bytes, address_len(out));
}

/* RTA_VIA: a next hop of another family than the route's. */
static bool take_via(struct cursor c, struct addr *out)
{
	uint16_t family;

	return cursor_u16ne(&c, &family) && take_address(c, family, out);
}

static void take_metrics(struct cursor c, struct route *route)
{
	uint32_t lock = 0, mtu;
	struct attr attr;

	while (attr_next(&c, &attr) == ATTR_OK) {
		if (attr.type == RTAX_LOCK)
			cursor_u32ne(&attr.payload, &lock);
		if (attr.type == RTAX_MTU && cursor_u32ne(&attr.payload, &mtu) && mtu) {
			route->mtu = mtu;
			route->has |= ROUTE_HAS_MTU;
		}
	}
	route->mtu_locked = lock >> RTAX_MTU & 1;
}

/* struct rta_cacheinfo: clntref lastuse expires …, in clock ticks; an expiry stands on path-MTU exceptions only. */
static void take_cacheinfo(struct cursor c, struct route *route)
{
	uint32_t ticks;
	long per_s = sysconf(_SC_CLK_TCK);

	if (!cursor_skip(&c, 8) || !cursor_u32ne(&c, &ticks) || !ticks || ticks > INT32_MAX)
		return;
	route->expires_ms = (uint32_t)MIN((uint64_t)ticks * 1000 / (uint64_t)per_s, UINT32_MAX);
	route->has |= ROUTE_HAS_EXPIRES;
}

static void take_route_attr(const struct attr *attr, unsigned family, struct route *route)
{
	struct cursor c = attr->payload;

	switch (attr->type) {
	case RTA_OIF:
		if (cursor_u32ne(&c, &route->ifindex))
			route->has |= ROUTE_HAS_DEVICE;
		break;
	case RTA_GATEWAY:
		if (take_address(c, family, &route->gateway))
			route->has |= ROUTE_HAS_GATEWAY;
		break;
	case RTA_VIA:
		if (take_via(c, &route->gateway))
			route->has |= ROUTE_HAS_GATEWAY;
		break;
	case RTA_PREFSRC:
		if (take_address(c, family, &route->source))
			route->has |= ROUTE_HAS_SOURCE;
		break;
	case RTA_METRICS:
		take_metrics(c, route);
		break;
	case RTA_CACHEINFO:
		take_cacheinfo(c, route);
		break;
	}
}

/* The payload of @message behind its fixed part of @len bytes, which is copied to @fixed. */
static bool split(const struct nlmsghdr *message, uint16_t type, void *fixed, size_t len,
		  struct cursor *rest)
{
	*rest = cursor_of(mnl_nlmsg_get_payload(message), mnl_nlmsg_get_payload_len(message));
	return message->nlmsg_type == type && cursor_bytes(rest, fixed, len) &&
	       (cursor_skip(rest, MIN(NLMSG_ALIGN(len) - len, rest->captured_left)), true);
}

int rtnetlink_take_route(const struct nlmsghdr *message, void *context)
{
	struct route *route = context;
	struct rtmsg fixed;
	struct cursor c;
	struct attr attr;

	if (!split(message, RTM_NEWROUTE, &fixed, sizeof(fixed), &c))
		return 0;
	route->is_local = fixed.rtm_type == RTN_LOCAL;
	while (attr_next(&c, &attr) == ATTR_OK)
		take_route_attr(&attr, fixed.rtm_family, route);
	/* a route that a router advertised expires too; exceptions alone are clones in IPv6, and every answer is one in IPv4 */
	if (!(fixed.rtm_flags & RTM_F_CLONED))
		route->has &= ~(uint32_t)ROUTE_HAS_EXPIRES;
	return 0;
}

/* The matched entry: a prefix of no bits is the default route. */
static int take_match(const struct nlmsghdr *message, void *context)
{
	struct route *route = context;
	struct rtmsg fixed;
	struct cursor c;

	if (split(message, RTM_NEWROUTE, &fixed, sizeof(fixed), &c))
		route->is_default = fixed.rtm_dst_len == 0 && fixed.rtm_type == RTN_UNICAST;
	return 0;
}

int rtnetlink_take_link(const struct nlmsghdr *message, void *context)
{
	struct route *route = context;
	struct ifinfomsg fixed;
	struct cursor c;
	struct attr attr;

	if (!split(message, RTM_NEWLINK, &fixed, sizeof(fixed), &c) ||
	    (uint32_t)fixed.ifi_index != route->ifindex)
		return 0;
	route->carrier = fixed.ifi_flags & LINK_LOWER_UP;
	route->has |= ROUTE_HAS_LINK;
	while (attr_next(&c, &attr) == ATTR_OK) {
		if (attr.type == IFLA_MTU)
			cursor_u32ne(&attr.payload, &route->link_mtu);
		if (attr.type == IFLA_IFNAME) {
			size_t len = MIN(attr.payload.captured_left, sizeof(route->device) - 1);

			memset(route->device, 0, sizeof(route->device));
			memcpy(route->device, attr.payload.p, len);
		}
	}
	return 0;
}

static const struct addr *next_hop(const struct route *route)
{
	return route->has & ROUTE_HAS_GATEWAY ? &route->gateway : &route->destination;
}

int rtnetlink_take_neighbour(const struct nlmsghdr *message, void *context)
{
	struct route *route = context;
	struct ndmsg fixed;
	struct cursor c;
	struct attr attr;
	struct addr of;

	if (!split(message, RTM_NEWNEIGH, &fixed, sizeof(fixed), &c) ||
	    (uint32_t)fixed.ndm_ifindex != route->ifindex)
		return 0;
	while (attr_next(&c, &attr) == ATTR_OK) {
		if (attr.type != NDA_DST || !take_address(attr.payload, fixed.ndm_family, &of) ||
		    !addr_equal(&of, next_hop(route)))
			continue;
		route->neighbour_state = fixed.ndm_state;
		route->has |= ROUTE_HAS_NEIGHBOUR;
	}
	return 0;
}

/* @via: only the way through this interface, 0 whichever routing chooses. */
static int ask_route(struct netlink *nl, struct route *route, uint32_t via, unsigned flags,
		     netlink_message_fn *fn, struct err *err)
{
	_Alignas(struct nlmsghdr) char buf[REQUEST_BYTES];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buf);
	struct netlink_dump_result result = { 0 };
	struct rtmsg *question;

	request->nlmsg_type = RTM_GETROUTE;
	request->nlmsg_flags = NLM_F_REQUEST;
	question = mnl_nlmsg_put_extra_header(request, sizeof(*question));
	question->rtm_family = family_of(&route->destination);
	question->rtm_dst_len = (uint8_t)(address_len(&route->destination) * 8);
	question->rtm_flags = flags;
	mnl_attr_put(request, RTA_DST, address_len(&route->destination), route->destination.bytes);
	if (via)
		mnl_attr_put_u32(request, RTA_OIF, via);
	return netlink_dump(nl, request, fn, route, &result, err);
}

static int ask_link(struct netlink *nl, struct route *route, struct err *err)
{
	_Alignas(struct nlmsghdr) char buf[REQUEST_BYTES];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buf);
	struct netlink_dump_result result = { 0 };
	struct ifinfomsg *question;

	request->nlmsg_type = RTM_GETLINK;
	request->nlmsg_flags = NLM_F_REQUEST;
	question = mnl_nlmsg_put_extra_header(request, sizeof(*question));
	question->ifi_index = (int)route->ifindex;
	return netlink_dump(nl, request, rtnetlink_take_link, route, &result, err);
}

static int ask_neighbour(struct netlink *nl, struct route *route, unsigned flags)
{
	_Alignas(struct nlmsghdr) char buf[REQUEST_BYTES];
	const struct addr *hop = next_hop(route);
	struct nlmsghdr *request = mnl_nlmsg_put_header(buf);
	struct netlink_dump_result result = { 0 };
	struct ndmsg *question;

	request->nlmsg_type = RTM_GETNEIGH;
	request->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	question = mnl_nlmsg_put_extra_header(request, sizeof(*question));
	question->ndm_family = family_of(hop);
	if (!(flags & NLM_F_DUMP)) {
		question->ndm_ifindex = (int)route->ifindex;
		mnl_attr_put(request, NDA_DST, address_len(hop), hop->bytes);
	}
	return netlink_dump(nl, request, rtnetlink_take_neighbour, route, &result, NULL);
}

/* Errors with which the kernel says what it would do with such a packet; anything else is a failure of the question. */
static bool is_verdict(int code)
{
	return code == -ENETUNREACH || code == -EHOSTUNREACH || code == -EACCES || code == -EINVAL ||
	       code == -EADDRNOTAVAIL || code == -ENETDOWN || code == -ESRCH || code == -ENONET;
}

int rtnetlink_route(struct netlink *nl, struct route *route, struct err *err)
{
	uint32_t via = route->ifindex;
	int code;

	if (!via && addr_needs_zone(&route->destination))
		return err_set(err, -ENODATA, "a link-local destination has no route without an interface");
	code = ask_route(nl, route, via, 0, rtnetlink_take_route, err);
	if (is_verdict(code)) {
		route->error = code;
		return 0;
	}
	if (code)
		return code;
	ask_route(nl, route, via, RTM_F_FIB_MATCH, take_match, NULL);
	if (!(route->has & ROUTE_HAS_DEVICE))
		return 0;
	code = ask_link(nl, route, err);
	if (code || route->is_local)
		return code;
	/* one entry can be asked for since 5.0; before, all of them */
	code = ask_neighbour(nl, route, 0);
	if (code == -EOPNOTSUPP || code == -EINVAL)
		ask_neighbour(nl, route, NLM_F_DUMP);
	return 0;
}
