/* SPDX-License-Identifier: MIT */
/* collect/rtnetlink: answers made by hand, whole and cut, and the kernel's own about loopback. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <linux/rtnetlink.h>
#include <cmocka.h>

#include "../support/diag_message.h"
#include "collect/rtnetlink.h"

static struct diag_message m;

static void begin(const void *fixed, size_t len)
{
	memset(&m, 0, sizeof(m));
	memcpy(m.bytes, fixed, len);
	m.len = NLA_ALIGN(len);
}

/* Feeds the first @len bytes of the message, in a block of just that size, to @take. */
static void feed(uint16_t type, size_t len, netlink_message_fn *take, struct route *route)
{
	struct nlmsghdr *exact = calloc(1, NLMSG_LENGTH(len));

	exact->nlmsg_len = (uint32_t)NLMSG_LENGTH(len);
	exact->nlmsg_type = type;
	memcpy(NLMSG_DATA(exact), m.bytes, len);
	assert_int_equal(take(exact, route), 0);
	free(exact);
}

static void make_route(void)
{
	const struct rtmsg fixed = { .rtm_family = AF_INET, .rtm_dst_len = 32, .rtm_type = RTN_UNICAST,
				     .rtm_flags = RTM_F_CLONED };
	const struct rta_cacheinfo cache = { .rta_expires = 59700 / 10 };
	const uint32_t oif = 4;
	const struct {
		struct nlattr lock_head;
		uint32_t lock;
		struct nlattr mtu_head;
		uint32_t mtu;
	} metrics = { { 8, RTAX_LOCK }, 1u << RTAX_MTU, { 8, RTAX_MTU }, 1400 };

	begin(&fixed, sizeof(fixed));
	diag_attr(&m, RTA_DST, "\x08\x08\x08\x08", 4);
	diag_attr(&m, RTA_OIF, &oif, 4);
	diag_attr(&m, RTA_PREFSRC, "\x0a\x00\x00\x02", 4);
	diag_attr(&m, RTA_GATEWAY, "\x0a\x00\x00\x01", 4);
	diag_attr(&m, RTA_METRICS, &metrics, sizeof(metrics));
	diag_attr(&m, RTA_CACHEINFO, &cache, sizeof(cache));
}

static void route__whole_answer__is_read(void **state)
{
	struct route route = { .error = 0 };

	(void)state;
	make_route();
	feed(RTM_NEWROUTE, m.len, rtnetlink_take_route, &route);
	assert_int_equal(route.has, ROUTE_HAS_DEVICE | ROUTE_HAS_GATEWAY | ROUTE_HAS_SOURCE | ROUTE_HAS_MTU |
					    ROUTE_HAS_EXPIRES);
	assert_int_equal(route.ifindex, 4);
	assert_int_equal(route.mtu, 1400);
	assert_true(route.mtu_locked);
	assert_int_equal(route.expires_ms, 5970000 / sysconf(_SC_CLK_TCK));
	assert_memory_equal(route.gateway.bytes, "\x0a\x00\x00\x01", 4);
	assert_memory_equal(route.source.bytes, "\x0a\x00\x00\x02", 4);
	assert_false(route.is_local);
}

static void route__cut_anywhere__what_is_taken_is_whole(void **state)
{
	(void)state;
	make_route();
	for (size_t len = 0; len < m.len; len++) {
		struct route route = { .error = 0 };

		feed(RTM_NEWROUTE, len, rtnetlink_take_route, &route);
		assert_true(route.ifindex == ((route.has & ROUTE_HAS_DEVICE) ? 4 : 0));
		assert_true(route.mtu == ((route.has & ROUTE_HAS_MTU) ? 1400 : 0));
		assert_true(!(route.has & ROUTE_HAS_GATEWAY) || route.gateway.bytes[3] == 1);
		assert_true(!(route.has & ROUTE_HAS_SOURCE) || route.source.bytes[3] == 2);
	}
}

static void route__next_hop_of_another_family__is_its_gateway(void **state)
{
	const struct rtmsg fixed = { .rtm_family = AF_INET, .rtm_type = RTN_UNICAST };
	struct route route = { .error = 0 };
	uint8_t via[18] = { [17] = 9 };
	const uint16_t family = AF_INET6;

	(void)state;
	memcpy(via, &family, 2);
	begin(&fixed, sizeof(fixed));
	diag_attr(&m, RTA_VIA, via, sizeof(via));
	feed(RTM_NEWROUTE, m.len, rtnetlink_take_route, &route);
	assert_int_equal(route.has, ROUTE_HAS_GATEWAY);
	assert_int_equal(route.gateway.family, ADDR_V6);
	assert_int_equal(route.gateway.bytes[15], 9);
}

static void route__expiry_of_an_advertised_route__is_no_exception(void **state)
{
	const struct rta_cacheinfo cache = { .rta_expires = 180000 };

	(void)state;
	for (unsigned cloned = 0; cloned < 2; cloned++) {
		const struct rtmsg fixed = { .rtm_family = AF_INET6, .rtm_type = RTN_UNICAST,
					     .rtm_flags = cloned ? RTM_F_CLONED : 0 };
		struct route route = { .error = 0 };

		begin(&fixed, sizeof(fixed));
		diag_attr(&m, RTA_CACHEINFO, &cache, sizeof(cache));
		feed(RTM_NEWROUTE, m.len, rtnetlink_take_route, &route);
		assert_int_equal(route.has, cloned ? ROUTE_HAS_EXPIRES : 0);
	}
}

static void route__expiry_absent_or_negative__is_no_exception(void **state)
{
	const struct rtmsg fixed = { .rtm_family = AF_INET, .rtm_type = RTN_LOCAL, .rtm_flags = RTM_F_CLONED };
	struct rta_cacheinfo cache = { .rta_expires = 0 };

	(void)state;
	for (int expires = -1; expires <= 0; expires++) {
		struct route route = { .error = 0 };

		cache.rta_expires = expires;
		begin(&fixed, sizeof(fixed));
		diag_attr(&m, RTA_CACHEINFO, &cache, sizeof(cache));
		feed(RTM_NEWROUTE, m.len, rtnetlink_take_route, &route);
		assert_int_equal(route.has, 0);
		assert_true(route.is_local);
	}
}

static void link__other_interface_or_endless_name__stays_inside(void **state)
{
	struct ifinfomsg fixed = { .ifi_index = 4, .ifi_flags = 0x10000 };
	struct route route = { .ifindex = 4 }, other = { .ifindex = 5 };
	const uint32_t mtu = 1500;
	char name[200];

	(void)state;
	memset(name, 'x', sizeof(name));
	begin(&fixed, sizeof(fixed));
	diag_attr(&m, IFLA_MTU, &mtu, 4);
	diag_attr(&m, IFLA_IFNAME, name, sizeof(name));
	feed(RTM_NEWLINK, m.len, rtnetlink_take_link, &other);
	assert_int_equal(other.has, 0);
	feed(RTM_NEWLINK, m.len, rtnetlink_take_link, &route);
	assert_int_equal(route.has, ROUTE_HAS_LINK);
	assert_int_equal(route.link_mtu, 1500);
	assert_true(route.carrier);
	assert_int_equal(strlen(route.device), sizeof(route.device) - 1);
	for (size_t len = 0; len < m.len; len++) {
		struct route cut = { .ifindex = 4 };

		feed(RTM_NEWLINK, len, rtnetlink_take_link, &cut);
		assert_true(!cut.link_mtu || cut.link_mtu == 1500);
		assert_true(strlen(cut.device) < sizeof(cut.device));
	}
}

static void neighbour__only_the_next_hop__counts(void **state)
{
	const struct ndmsg fixed = { .ndm_family = AF_INET, .ndm_ifindex = 4, .ndm_state = NUD_FAILED };
	struct route direct = { .ifindex = 4 }, routed = { .ifindex = 4, .has = ROUTE_HAS_GATEWAY };

	(void)state;
	addr_parse("10.0.0.9", &direct.destination);
	addr_parse("10.0.0.9", &routed.destination);
	addr_parse("10.0.0.1", &routed.gateway);
	begin(&fixed, sizeof(fixed));
	diag_attr(&m, NDA_DST, "\x0a\x00\x00\x09", 4);
	feed(RTM_NEWNEIGH, m.len, rtnetlink_take_neighbour, &direct);
	assert_int_equal(direct.has, ROUTE_HAS_NEIGHBOUR);
	assert_string_equal(route_neighbour_name(direct.neighbour_state), "FAILED");
	assert_true(route_next_hop_fails(&direct));
	direct.neighbour_state = 0x02; /* REACHABLE */
	assert_false(route_next_hop_fails(&direct));
	direct = (struct route){ .neighbour_state = 0x01 }; /* not told by the kernel */
	assert_false(route_next_hop_fails(&direct));
	feed(RTM_NEWNEIGH, m.len, rtnetlink_take_neighbour, &routed);
	assert_int_equal(routed.has, ROUTE_HAS_GATEWAY);
}

static void live__loopback_and_link_local__are_told_and_refused(void **state)
{
	struct netlink nl;
	struct route route = { .error = 0 };
	struct err err;

	(void)state;
	assert_int_equal(netlink_open(&nl, NETLINK_ROUTE, &err), 0);
	addr_parse("127.0.0.1", &route.destination);
	assert_int_equal(rtnetlink_route(&nl, &route, &err), 0);
	assert_int_equal(route.error, 0);
	assert_true(route.is_local);
	assert_false(route.is_default);
	assert_string_equal(route.device, "lo");
	assert_true(route.link_mtu > 1500);
	route = (struct route){ .error = 0 };
	addr_parse("fe80::1", &route.destination);
	assert_int_equal(rtnetlink_route(&nl, &route, &err), -ENODATA);
	netlink_close(&nl);
}

/* Where an interface is given, the kernel takes what no route leads to for its neighbour. */
static void live__through_an_interface__is_the_way_through_it(void **state)
{
	struct route route = { .ifindex = 1 };
	struct netlink nl;
	struct err err;

	(void)state;
	assert_int_equal(netlink_open(&nl, NETLINK_ROUTE, &err), 0);
	addr_parse("198.51.100.1", &route.destination);
	assert_int_equal(rtnetlink_route(&nl, &route, &err), 0);
	assert_int_equal(route.error, 0);
	assert_string_equal(route.device, "lo");
	route = (struct route){ .ifindex = 1 };
	addr_parse("fe80::1", &route.destination);
	assert_int_not_equal(rtnetlink_route(&nl, &route, &err), -ENODATA);
	netlink_close(&nl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(route__whole_answer__is_read),
		cmocka_unit_test(route__cut_anywhere__what_is_taken_is_whole),
		cmocka_unit_test(route__next_hop_of_another_family__is_its_gateway),
		cmocka_unit_test(route__expiry_of_an_advertised_route__is_no_exception),
		cmocka_unit_test(route__expiry_absent_or_negative__is_no_exception),
		cmocka_unit_test(link__other_interface_or_endless_name__stays_inside),
		cmocka_unit_test(neighbour__only_the_next_hop__counts),
		cmocka_unit_test(live__loopback_and_link_local__are_told_and_refused),
		cmocka_unit_test(live__through_an_interface__is_the_way_through_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
