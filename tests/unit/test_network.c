/* SPDX-License-Identifier: MIT */
/* The layout of a namespace: rtnetlink messages made by hand, whole and cut; lines of a recording; look-ups; the form with stand-ins; a namespace of our own. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/if_tunnel.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <cmocka.h>

#include "../support/diag_message.h"
#include "collect/network_dump.h"
#include "collect/network_table.h"
#include "tcptriage/collect/redact.h"
#include "tcptriage/collect/source.h"

static struct diag_message m;

static void begin(const void *fixed, size_t len)
{
	memset(&m, 0, sizeof(m));
	memcpy(m.bytes, fixed, len);
	m.len = NLA_ALIGN(len);
}

/* Feeds the first @len bytes of the message, in a block of just that size. */
static int feed(uint16_t type, size_t len, netlink_message_fn *take, struct network_list *list, uint8_t family)
{
	struct network_taking taking = { .list = list, .family = family };
	struct nlmsghdr *exact = calloc(1, NLMSG_LENGTH(len));
	int code;

	exact->nlmsg_len = (uint32_t)NLMSG_LENGTH(len);
	exact->nlmsg_type = type;
	memcpy(NLMSG_DATA(exact), m.bytes, len);
	code = take(exact, &taking);
	free(exact);
	return code;
}

/* Appends @inner as one nested attribute. */
static void nest(uint16_t type, const struct diag_message *inner)
{
	diag_attr(&m, type, inner->bytes, inner->len);
}

static void add_tunnel(const char *kind, const struct diag_message *data)
{
	struct diag_message info = { .len = 0 };

	diag_attr(&info, IFLA_INFO_KIND, kind, strlen(kind) + 1);
	if (data)
		diag_attr(&info, IFLA_INFO_DATA, data->bytes, data->len);
	nest(IFLA_LINKINFO, &info);
}

static void add_forwarding(void)
{
	struct diag_message v4 = { .len = 0 }, v6 = { .len = 0 }, families = { .len = 0 };
	const uint32_t settings4[] = { 1, 0, 0 }, settings6[] = { 0, 64, 1280 };

	diag_attr(&v4, 1 /* IFLA_INET_CONF */, settings4, sizeof(settings4));
	diag_attr(&v6, 2 /* IFLA_INET6_CONF */, settings6, sizeof(settings6));
	diag_attr(&families, AF_INET, v4.bytes, v4.len);
	diag_attr(&families, AF_INET6, v6.bytes, v6.len);
	nest(IFLA_AF_SPEC, &families);
}

static void make_vxlan(void)
{
	const struct ifinfomsg fixed = { .ifi_index = 7, .ifi_flags = 0x10000 | 1 };
	const uint32_t mtu = 1450, master = 9;
	const uint64_t stats[24] = { 100, 11 };
	struct diag_message data = { .len = 0 };

	begin(&fixed, sizeof(fixed));
	diag_attr(&m, IFLA_IFNAME, "vx0", 4);
	diag_attr(&m, IFLA_MTU, &mtu, 4);
	diag_attr(&m, IFLA_MASTER, &master, 4);
	diag_attr(&m, IFLA_STATS64, stats, sizeof(stats));
	diag_attr(&data, IFLA_VXLAN_GROUP, "\x0a\x01\x01\x01", 4);
	diag_attr(&data, IFLA_VXLAN_LINK, &(uint32_t){ 4 }, 4);
	diag_attr(&data, IFLA_VXLAN_COLLECT_METADATA, "\x00", 1);
	add_tunnel("vxlan", &data);
	add_forwarding();
}

static void link__whole_message__is_read(void **state)
{
	CLEANUP(network_list_free) struct network_list list = { .links = NULL };
	const struct link *link;

	(void)state;
	make_vxlan();
	assert_int_equal(feed(RTM_NEWLINK, m.len, network_dump_link, &list, 0), 0);
	assert_int_equal(list.link_count, 1);
	link = &list.links[0];
	assert_int_equal(link->ifindex, 7);
	assert_int_equal(link->mtu, 1450);
	assert_int_equal(link->master, 9);
	assert_int_equal(link->parent, 4);
	assert_int_equal(link->kind, LINK_VXLAN);
	assert_int_equal(link->packets, 111);
	assert_int_equal(link->forwards, 1u << ADDR_V4);
	assert_true(link->up && link->carrier && link->has_underlay);
	assert_false(link->loopback || link->external || link->parent_elsewhere);
	assert_memory_equal(link->underlay.bytes, "\x0a\x01\x01\x01", 4);
	assert_string_equal(link->name, "vx0");
}

static void link__cut_anywhere__what_is_taken_is_whole(void **state)
{
	(void)state;
	make_vxlan();
	for (size_t len = 0; len < m.len; len++) {
		CLEANUP(network_list_free) struct network_list list = { .links = NULL };
		const struct link *link;

		assert_int_equal(feed(RTM_NEWLINK, len, network_dump_link, &list, 0), 0);
		assert_int_equal(list.link_count, len >= sizeof(struct ifinfomsg));
		if (!list.link_count)
			continue;
		link = list.links;
		assert_true(link->mtu == 0 || link->mtu == 1450);
		assert_true(link->parent == 0 || link->parent == 4);
		assert_true(link->packets == 0 || link->packets == 111);
		assert_true(link->kind == LINK_PLAIN || link->kind == LINK_VXLAN);
		assert_true(!link->has_underlay || link->underlay.bytes[3] == 1);
	}
}

static void link__flags_and_parents__by_kind(void **state)
{
	static const struct {
		const char *kind;
		uint16_t remote, flags;
		enum link_kind is;
		uint8_t options;
	} rows[] = {
		{ "gre", IFLA_GRE_REMOTE, IFLA_GRE_OFLAGS, LINK_GRE, 8 },
		{ "gretap", IFLA_GRE_REMOTE, IFLA_GRE_OFLAGS, LINK_GRETAP, 8 },
		{ "ipip", IFLA_IPTUN_REMOTE, 0, LINK_IPIP, 0 },
		{ "sit", IFLA_IPTUN_REMOTE, 0, LINK_SIT, 0 },
		{ "geneve", IFLA_GENEVE_REMOTE, 0, LINK_GENEVE, 0 },
		{ "dummy", IFLA_GRE_REMOTE, 0, LINK_OTHER, 0 },
	};
	const struct ifinfomsg fixed = { .ifi_index = 3, .ifi_flags = 8 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(network_list_free) struct network_list list = { .links = NULL };
		struct diag_message data = { .len = 0 };

		begin(&fixed, sizeof(fixed));
		diag_attr(&data, rows[i].remote, "\xc0\x00\x02\x09", 4);
		if (rows[i].flags)
			diag_attr(&data, rows[i].flags, "\xa0\x00", 2); /* checksum and key */
		add_tunnel(rows[i].kind, &data);
		diag_attr(&m, IFLA_LINK, &(uint32_t){ 5 }, 4);
		diag_attr(&m, IFLA_LINK_NETNSID, &(uint32_t){ 0 }, 4);
		feed(RTM_NEWLINK, m.len, network_dump_link, &list, 0);
		assert_int_equal(list.links[0].kind, rows[i].is);
		assert_int_equal(list.links[0].options, rows[i].options);
		assert_int_equal(list.links[0].has_underlay, rows[i].is != LINK_OTHER);
		assert_true(list.links[0].loopback && list.links[0].parent_elsewhere);
		assert_int_equal(list.links[0].parent, 0);
	}
}

static void link__name_without_end_and_no_remote__stay_inside(void **state)
{
	CLEANUP(network_list_free) struct network_list list = { .links = NULL };
	const struct ifinfomsg fixed = { .ifi_index = 3 }, odd = { .ifi_index = -1 };
	struct diag_message data = { .len = 0 };
	char name[200];

	(void)state;
	memset(name, 'x', sizeof(name));
	begin(&fixed, sizeof(fixed));
	diag_attr(&m, IFLA_IFNAME, name, sizeof(name));
	diag_attr(&data, IFLA_VXLAN_GROUP, "\0\0\0\0", 4);
	diag_attr(&data, IFLA_VXLAN_LOCAL6, "\x20\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
	diag_attr(&data, IFLA_VXLAN_COLLECT_METADATA, NULL, 0); /* a flag */
	add_tunnel("vxlan", &data);
	feed(RTM_NEWLINK, m.len, network_dump_link, &list, 0);
	assert_int_equal(strlen(list.links[0].name), sizeof(list.links[0].name) - 1);
	assert_false(list.links[0].has_underlay);
	assert_true(list.links[0].external);
	assert_int_equal(list.links[0].underlay.family, ADDR_V6);
	begin(&odd, sizeof(odd));
	feed(RTM_NEWLINK, m.len, network_dump_link, &list, 0);
	assert_int_equal(list.link_count, 1);
}

static void address__plain_and_point_to_point__have_their_network(void **state)
{
	CLEANUP(network_list_free) struct network_list list = { .links = NULL };
	struct ifaddrmsg fixed = { .ifa_family = AF_INET, .ifa_prefixlen = 24, .ifa_index = 4 };

	(void)state;
	begin(&fixed, sizeof(fixed));
	diag_attr(&m, IFA_ADDRESS, "\x0a\x00\x00\x02", 4);
	diag_attr(&m, IFA_LOCAL, "\x0a\x00\x00\x02", 4);
	feed(RTM_NEWADDR, m.len, network_dump_address, &list, 0);
	begin(&fixed, sizeof(fixed));
	diag_attr(&m, IFA_ADDRESS, "\x0a\x00\x00\x01", 4);
	diag_attr(&m, IFA_LOCAL, "\x0a\x00\x00\x02", 4);
	feed(RTM_NEWADDR, m.len, network_dump_address, &list, 0);
	assert_int_equal(list.prefix_count, 2);
	assert_false(list.prefixes[0].has_peer);
	assert_true(list.prefixes[1].has_peer);
	assert_int_equal(list.prefixes[1].addr.bytes[3], 2);
	assert_int_equal(list.prefixes[1].peer.bytes[3], 1);
	fixed.ifa_prefixlen = 33;
	begin(&fixed, sizeof(fixed));
	diag_attr(&m, IFA_ADDRESS, "\x0a\x00\x00\x02", 4);
	feed(RTM_NEWADDR, m.len, network_dump_address, &list, 0);
	begin(&(struct ifaddrmsg){ .ifa_family = AF_INET6, .ifa_prefixlen = 64 }, sizeof(fixed));
	diag_attr(&m, IFA_ADDRESS, "\x0a\x00\x00\x02", 4); /* too short for its family */
	feed(RTM_NEWADDR, m.len, network_dump_address, &list, 0);
	assert_int_equal(list.prefix_count, 2);
}

static void make_route(uint8_t table, uint8_t type, unsigned flags)
{
	const struct rtmsg fixed = { .rtm_family = AF_INET, .rtm_dst_len = 16, .rtm_type = type, .rtm_table = table, .rtm_flags = flags,
				     .rtm_protocol = RTPROT_STATIC, .rtm_scope = RT_SCOPE_UNIVERSE };
	struct diag_message metrics = { .len = 0 };
	const uint32_t lock = 1u << RTAX_MTU, mtu = 1400;

	begin(&fixed, sizeof(fixed));
	diag_attr(&m, RTA_DST, "\xac\x11\x00\x00", 4);
	diag_attr(&m, RTA_OIF, &(uint32_t){ 4 }, 4);
	diag_attr(&m, RTA_PRIORITY, &(uint32_t){ 100 }, 4);
	diag_attr(&m, RTA_PREFSRC, "\x0a\x00\x00\x02", 4);
	diag_attr(&m, RTA_GATEWAY, "\x0a\x00\x00\x01", 4);
	diag_attr(&metrics, RTAX_LOCK, &lock, 4);
	diag_attr(&metrics, RTAX_MTU, &mtu, 4);
	nest(RTA_METRICS, &metrics);
}

static void route__whole_and_cut__is_read(void **state)
{
	(void)state;
	make_route(RT_TABLE_MAIN, RTN_UNICAST, 0);
	for (size_t len = 0; len <= m.len; len++) {
		CLEANUP(network_list_free) struct network_list list = { .links = NULL };
		const struct net_route *route;

		assert_int_equal(feed(RTM_NEWROUTE, len, network_dump_route, &list, AF_INET), 0);
		assert_int_equal(list.route_count, len >= sizeof(struct rtmsg));
		if (!list.route_count)
			continue;
		route = list.routes;
		assert_true(!route->mtu || route->mtu == 1400);
		assert_true(!route->has_gateway || route->gateway.bytes[3] == 1);
		assert_true(!route->has_source || route->source.bytes[3] == 2);
		if (len < m.len)
			continue;
		assert_int_equal(route->bits, 16);
		assert_int_equal(route->table, NET_TABLE_MAIN);
		assert_int_equal(route->metric, 100);
		assert_int_equal(route->ifindex, 4);
		assert_int_equal(route->nexthops, 1);
		assert_int_equal(route->type, NET_ROUTE_UNICAST);
		assert_true(route->has_gateway && route->has_source && route->mtu_locked && route->mtu == 1400);
	}
}

static void route__of_no_concern__is_left_out(void **state)
{
	CLEANUP(network_list_free) struct network_list list = { .links = NULL };

	(void)state;
	make_route(RT_TABLE_LOCAL, RTN_UNICAST, 0);
	feed(RTM_NEWROUTE, m.len, network_dump_route, &list, AF_INET);
	make_route(RT_TABLE_MAIN, RTN_BROADCAST, 0);
	feed(RTM_NEWROUTE, m.len, network_dump_route, &list, AF_INET);
	make_route(RT_TABLE_MAIN, RTN_UNICAST, RTM_F_CLONED);
	feed(RTM_NEWROUTE, m.len, network_dump_route, &list, AF_INET);
	make_route(RT_TABLE_MAIN, RTN_UNICAST, RTNH_F_DEAD);
	feed(RTM_NEWROUTE, m.len, network_dump_route, &list, AF_INET);
	make_route(RT_TABLE_MAIN, RTN_UNICAST, 0);
	feed(RTM_NEWROUTE, m.len, network_dump_route, &list, AF_INET6); /* another family was asked for */
	assert_int_equal(list.route_count, 0);
	make_route(RT_TABLE_MAIN, RTN_BLACKHOLE, 0);
	feed(RTM_NEWROUTE, m.len, network_dump_route, &list, AF_INET);
	assert_int_equal(list.route_count, 1);
}

static void route__several_next_hops__the_first_counts(void **state)
{
	const struct rtmsg fixed = { .rtm_family = AF_INET, .rtm_type = RTN_UNICAST, .rtm_table = RT_TABLE_MAIN };
	struct {
		struct rtnexthop head;
		struct nlattr attr;
		uint8_t gateway[4];
	} hops[2] = {
		{ { .rtnh_len = 16, .rtnh_ifindex = 4 }, { 8, RTA_GATEWAY }, { 10, 0, 0, 1 } },
		{ { .rtnh_len = 16, .rtnh_ifindex = 5 }, { 8, RTA_GATEWAY }, { 10, 0, 0, 2 } },
	};
	static const uint16_t lengths[] = { 16, 0, 7, 8, 4000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		CLEANUP(network_list_free) struct network_list list = { .links = NULL };

		hops[1].head.rtnh_len = lengths[i];
		begin(&fixed, sizeof(fixed));
		diag_attr(&m, RTA_MULTIPATH, hops, sizeof(hops));
		feed(RTM_NEWROUTE, m.len, network_dump_route, &list, AF_INET);
		assert_int_equal(list.route_count, 1);
		assert_int_equal(list.routes[0].ifindex, 4);
		assert_int_equal(list.routes[0].gateway.bytes[3], 1);
		assert_true(list.routes[0].nexthops >= 1 && list.routes[0].nexthops <= 3);
	}
}

static void route__more_than_are_kept__stops(void **state)
{
	CLEANUP(network_list_free) struct network_list list = { .links = NULL };

	(void)state;
	make_route(RT_TABLE_MAIN, RTN_UNICAST, 0);
	for (unsigned i = 0; i < NETWORK_ROUTES_MAX; i++)
		assert_int_equal(feed(RTM_NEWROUTE, m.len, network_dump_route, &list, AF_INET), 0);
	assert_false(list.cut);
	assert_int_equal(feed(RTM_NEWROUTE, m.len, network_dump_route, &list, AF_INET), -ENOBUFS);
	assert_true(list.cut);
	assert_int_equal(list.route_count, NETWORK_ROUTES_MAX);
}

static int rules_of(const struct fib_rule_hdr *fixed, uint16_t attr, uint32_t value)
{
	CLEANUP(network_list_free) struct network_list list = { .links = NULL };

	begin(fixed, sizeof(*fixed));
	diag_attr(&m, FRA_TABLE, &(uint32_t){ fixed->table }, 4);
	diag_attr(&m, FRA_SUPPRESS_PREFIXLEN, &(uint32_t){ UINT32_MAX }, 4);
	if (attr)
		diag_attr(&m, attr, &value, 4);
	feed(RTM_NEWRULE, m.len, network_dump_rule, &list, AF_INET);
	return list.policy_rules;
}

static void rule__only_what_changes_something__counts(void **state)
{
	struct fib_rule_hdr fixed = { .family = AF_INET, .action = FR_ACT_TO_TBL, .table = RT_TABLE_MAIN };

	(void)state;
	assert_int_equal(rules_of(&fixed, FRA_PRIORITY, 32766), 0);
	assert_int_equal(rules_of(&fixed, FRA_PROTOCOL, 2), 0);
	assert_int_equal(rules_of(&fixed, FRA_FWMARK, 7), 1);
	assert_int_equal(rules_of(&fixed, FRA_SUPPRESS_PREFIXLEN, 0), 1);
	assert_int_equal(rules_of(&fixed, FRA_TABLE, 51820), 1);
	fixed.src_len = 24;
	assert_int_equal(rules_of(&fixed, 0, 0), 1);
	fixed = (struct fib_rule_hdr){ .family = AF_INET, .action = FR_ACT_TO_TBL, .table = 100 };
	assert_int_equal(rules_of(&fixed, 0, 0), 1);
	fixed = (struct fib_rule_hdr){ .family = AF_INET, .action = FR_ACT_PROHIBIT, .table = RT_TABLE_MAIN };
	assert_int_equal(rules_of(&fixed, 0, 0), 1);
	fixed.family = AF_INET6; /* not asked for */
	assert_int_equal(rules_of(&fixed, 0, 0), 0);
}

static void neighbour__with_a_link_address__counts_at_its_interface(void **state)
{
	CLEANUP(network_list_free) struct network_list list = { .links = NULL };
	static const struct {
		const char *addr;
		uint16_t state;
		unsigned counted;
	} rows[] = { { "\x0a\0\0\x09", NUD_STALE, 1 },	   { "\x0a\0\0\x0a", NUD_REACHABLE, 2 }, { "\x0a\0\0\x0b", NUD_FAILED, 2 },
		     { "\x0a\0\0\x0c", NUD_INCOMPLETE, 2 }, { "\xe0\0\0\x01", NUD_NOARP, 2 },	 { "\xa9\xfe\0\x01", NUD_STALE, 2 } };

	(void)state;
	network_list_link(&list)->ifindex = 4;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct ndmsg fixed = { .ndm_family = AF_INET, .ndm_ifindex = 4, .ndm_state = rows[i].state };

		begin(&fixed, sizeof(fixed));
		diag_attr(&m, NDA_DST, rows[i].addr, 4);
		feed(RTM_NEWNEIGH, m.len, network_dump_neighbour, &list, AF_INET);
		assert_int_equal(list.links[0].answering[ADDR_V4], rows[i].counted);
	}
	assert_int_equal(list.links[0].answering[ADDR_V6], 0);
}

static struct addr addr_of(const char *text)
{
	struct addr addr;

	assert_true(addr_parse(text, &addr));
	return addr;
}

static void lookup__longest_match_then_metric__in_the_main_table(void **state)
{
	struct net_route routes[] = {
		{ .prefix = addr_of("0.0.0.0"), .ifindex = 1, .table = NET_TABLE_MAIN, .metric = 200 },
		{ .prefix = addr_of("0.0.0.0"), .ifindex = 2, .table = NET_TABLE_MAIN, .metric = 100 },
		{ .prefix = addr_of("10.0.0.0"), .bits = 8, .ifindex = 3, .table = NET_TABLE_MAIN },
		{ .prefix = addr_of("10.1.0.0"), .bits = 16, .ifindex = 4, .table = 51820 },
		{ .prefix = addr_of("::"), .ifindex = 5, .table = NET_TABLE_MAIN },
	};
	struct network network = { .routes = routes, .route_count = ARRAY_SIZE(routes) };
	struct addr inside = addr_of("10.1.2.3"), outside = addr_of("11.0.0.1"), v6 = addr_of("2001:db8::1");

	(void)state;
	assert_int_equal(network_route(&network, &inside)->ifindex, 3);
	assert_int_equal(network_route(&network, &outside)->ifindex, 2);
	assert_int_equal(network_route(&network, &v6)->ifindex, 5);
	network.route_count = 0;
	assert_null(network_route(&network, &inside));
}

static void lookup__links_of_any_order__are_found_by_index(void **state)
{
	CLEANUP(network_list_free) struct network_list list = { .links = NULL };
	CLEANUP(arena_free) struct arena arena = { 0 };
	static const uint32_t order[] = { 7, 1, 300, 4 };
	struct network network;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		network_list_link(&list)->ifindex = order[i];
	network_list_end(&list, &arena, &network);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		assert_int_equal(network_link(&network, order[i])->ifindex, order[i]);
	assert_null(network_link(&network, 0));
	assert_null(network_link(&network, 5));
	assert_null(network_link(&network, 301));
	for (unsigned kind = 0; kind < LINK_KIND_COUNT; kind++)
		assert_int_equal(link_kind_parse(link_kind_name((enum link_kind)kind)), kind);
	assert_int_equal(link_kind_parse("ifb"), LINK_OTHER);
}

static void make_network(struct network_list *list)
{
	*network_list_link(list) = (struct link){ .ifindex = 2, .mtu = 1500, .up = true, .carrier = true, .name = "eth 0", .answering = { 3, 4 } };
	*network_list_link(list) = (struct link){ .ifindex = 3, .mtu = 1450, .kind = LINK_VXLAN, .has_underlay = true, .underlay = addr_of("10.9.0.1"),
						  .forwards = 2, .options = 4, .packets = UINT64_MAX, .name = "vx0" };
	*network_list_prefix(list) = (struct link_prefix){ .addr = addr_of("10.9.0.7"), .peer = addr_of("10.9.0.7"), .ifindex = 2, .bits = 24 };
	*network_list_route(list) = (struct net_route){ .prefix = addr_of("0.0.0.0"), .gateway = addr_of("10.9.0.1"), .source = addr_of("0.0.0.0"),
							.ifindex = 2, .table = NET_TABLE_MAIN, .metric = 5, .mtu = 1400, .type = 1, .nexthops = 1,
							.has_gateway = true, .mtu_locked = true };
	*network_list_route(list) = (struct net_route){ .prefix = addr_of("fd00::"), .gateway = addr_of("::"), .source = addr_of("fd00::1"), .bits = 64,
							.ifindex = 2, .table = 77, .protocol = 2, .scope = 253, .has_source = true };
	list->policy_rules = 2;
}

/* Feeds a text to the reader of a recording's lines. Return: lines refused. */
static unsigned read_lines(const char *text, size_t len, struct network_list *list)
{
	struct table_reader reader CLEANUP(table_close) = { .buf = NULL };
	FILE *file = tmpfile();
	unsigned odd = 0;

	assert_non_null(file);
	fwrite(text, 1, len, file);
	fflush(file);
	assert_int_equal(lseek(fileno(file), 0, SEEK_SET), 0);
	table_open(&reader, fileno(file));
	while (table_next(&reader))
		odd += !table_is(&reader, "end", 1) && !network_table_take(list, &reader);
	fclose(file);
	return odd;
}

static void table__written_and_read__is_the_same(void **state)
{
	CLEANUP(network_list_free) struct network_list list = { .links = NULL }, again = { .links = NULL };
	CLEANUP(out_close) struct out text = { .fd = -1 };
	CLEANUP(arena_free) struct arena arena = { 0 };
	struct network network;

	(void)state;
	make_network(&list);
	network_list_end(&list, &arena, &network);
	out_open_mem(&text);
	network_table_write(&text, &network);
	assert_int_equal(read_lines(out_text(&text), out_len(&text), &again), 0);
	assert_int_equal(again.link_count, 2);
	assert_memory_equal(again.links, list.links, 2 * sizeof(struct link));
	assert_int_equal(again.prefix_count, 1);
	assert_memory_equal(again.prefixes, list.prefixes, sizeof(struct link_prefix));
	assert_int_equal(again.route_count, 2);
	assert_memory_equal(again.routes, list.routes, 2 * sizeof(struct net_route));
	assert_int_equal(again.policy_rules, 2);
	assert_false(again.cut || again.disguised);
}

static void table__cut_and_hostile_lines__are_refused(void **state)
{
	static const char *const bad[] = {
		"link\t0\t1\t0\t0\t0\t0\t0\t0\t0\t0\t-\t0.0.0.0\tx\n",	       /* no index */
		"link\t1\t1\t0\t0\t64\t0\t0\t0\t0\t0\t-\t0.0.0.0\tx\n",	       /* unknown flag */
		"link\t1\t1\t0\t0\t0\t0\t0\t0\t0\t0\t-\tx\tx\n",	       /* no address */
		"link\t1\t1\t0\t0\t0\t0\t0\t0\t0\t0\t-\t0.0.0.0\tsixteen-bytes-16\n", /* no room for its end */
		"address\t1\t33\t0\t10.0.0.1\t10.0.0.1\n",
		"address\t1\t129\t0\t::1\t::1\n",
		"route\t1\t33\t254\t0\t0\t1\t0\t0\t1\t0\t10.0.0.0\t0.0.0.0\t0.0.0.0\n",
		"route\t1\t8\t254\t0\t0\t256\t0\t0\t1\t0\t10.0.0.0\t0.0.0.0\t0.0.0.0\n",
		"network\t-1\t0\n",
		"surprise\n",
	};
	CLEANUP(network_list_free) struct network_list list = { .links = NULL };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(read_lines(bad[i], strlen(bad[i]), &list), 1);
	assert_int_equal(list.link_count + list.prefix_count + list.route_count, 0);
}

static void disguise__addresses_are_gone__what_tunnels_need_stays(void **state)
{
	CLEANUP(network_list_free) struct network_list list = { .links = NULL };
	CLEANUP(arena_free) struct arena arena = { 0 };
	struct redactor *redactor = redactor_new(1);
	struct network network;

	(void)state;
	make_network(&list);
	*network_list_prefix(&list) = (struct link_prefix){ .addr = addr_of("fe80::1234"), .peer = addr_of("fe80::1234"), .ifindex = 2, .bits = 64 };
	network_list_end(&list, &arena, &network);
	network_disguise(&network, redactor, &arena);
	assert_true(network.disguised);
	assert_string_equal(network.links[0].name, "if-1");
	assert_int_equal(network.links[1].parent, 2); /* by the default route, while it was known */
	assert_true(network.links[1].has_underlay && addr_is_any(&network.links[1].underlay));
	assert_int_equal(network.links[1].mtu, 1450);
	assert_true(addr_is_any(&network.prefixes[0].addr) && addr_is_any(&network.routes[1].source));
	assert_int_equal(network.routes[1].prefix.family, ADDR_V6);
	assert_int_equal(network.routes[1].bits, 64);
	assert_int_equal(network.prefixes[1].addr.bytes[15], 0);
	assert_int_equal(addr_class(&network.prefixes[1].addr), ADDR_CLASS_LINK_LOCAL);
	redactor_free(redactor);
}

static void live__namespace_of_our_own__is_told(void **state)
{
	CLEANUP(arena_free) struct arena arena = { 0 };
	struct notices notices = { .arena = &arena };
	const struct netns *list;
	struct source *source;
	struct source_ns *ns;
	struct network network;
	struct err err = { "" };

	(void)state;
	assert_int_equal(source_open_live(&source, &arena, &notices, &err), 0);
	assert_int_equal(source_namespaces(source, NULL, &list, NULL, &err), 1);
	assert_int_equal(source_ns_open(source, list, &ns, &err), 0);
	assert_int_equal(source_network(ns, &network, &err), 0);
	assert_false(network.disguised || network.cut);
	assert_true(network.link_count >= 1);
	assert_string_equal(network.links[0].name, "lo");
	assert_true(network.links[0].loopback);
	assert_true(network.links[0].mtu > 1500);
	assert_true(network.policy_rules >= 0);
	source_ns_close(ns);
	source_close(source);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(link__whole_message__is_read),
		cmocka_unit_test(link__cut_anywhere__what_is_taken_is_whole),
		cmocka_unit_test(link__flags_and_parents__by_kind),
		cmocka_unit_test(link__name_without_end_and_no_remote__stay_inside),
		cmocka_unit_test(address__plain_and_point_to_point__have_their_network),
		cmocka_unit_test(route__whole_and_cut__is_read),
		cmocka_unit_test(route__of_no_concern__is_left_out),
		cmocka_unit_test(route__several_next_hops__the_first_counts),
		cmocka_unit_test(route__more_than_are_kept__stops),
		cmocka_unit_test(rule__only_what_changes_something__counts),
		cmocka_unit_test(neighbour__with_a_link_address__counts_at_its_interface),
		cmocka_unit_test(lookup__longest_match_then_metric__in_the_main_table),
		cmocka_unit_test(lookup__links_of_any_order__are_found_by_index),
		cmocka_unit_test(table__written_and_read__is_the_same),
		cmocka_unit_test(table__cut_and_hostile_lines__are_refused),
		cmocka_unit_test(disguise__addresses_are_gone__what_tunnels_need_stays),
		cmocka_unit_test(live__namespace_of_our_own__is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
