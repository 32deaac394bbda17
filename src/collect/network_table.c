/* SPDX-License-Identifier: MIT */
/* Lines for interfaces, addresses, routes and what is known of them as a whole. */
#include "collect/network_table.h"

#include <string.h>

/** enum link_flag - bits of a link's line; those of a prefix and a route stand below. */
enum link_flag {
	FLAG_UP = 1 << 0,
	FLAG_CARRIER = 1 << 1,
	FLAG_LOOPBACK = 1 << 2,
	FLAG_PARENT_ELSEWHERE = 1 << 3,
	FLAG_HAS_UNDERLAY = 1 << 4,
	FLAG_EXTERNAL = 1 << 5,
};
enum route_flag { FLAG_HAS_GATEWAY = 1 << 0, FLAG_HAS_SOURCE = 1 << 1, FLAG_MTU_LOCKED = 1 << 2 };
enum whole_flag { FLAG_CUT = 1 << 0, FLAG_DISGUISED = 1 << 1, FLAG_RULES_KNOWN = 1 << 2 };

static void put_addr(struct out *out, const struct addr *addr)
{
	char text[ADDR_TEXT_MAX + 1];

	*addr_text(text, addr) = '\0';
	table_text(out, text);
}

static void put_numbers(struct out *out, const uint64_t *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		table_u64(out, numbers[i]);
}

static unsigned flags_of(const struct link *link)
{
	return (link->up ? FLAG_UP : 0) | (link->carrier ? FLAG_CARRIER : 0) | (link->loopback ? FLAG_LOOPBACK : 0) |
	       (link->parent_elsewhere ? FLAG_PARENT_ELSEWHERE : 0) | (link->has_underlay ? FLAG_HAS_UNDERLAY : 0) |
	       (link->external ? FLAG_EXTERNAL : 0);
}

static void put_link(struct out *out, const struct link *link)
{
	const uint64_t numbers[] = { link->ifindex,  link->mtu,	     link->master,  link->parent,	       flags_of(link),
				     link->forwards, link->options, link->packets, link->answering[ADDR_V4], link->answering[ADDR_V6] };

	table_text(out, "link");
	put_numbers(out, numbers, ARRAY_SIZE(numbers));
	table_text(out, link_kind_name((enum link_kind)link->kind));
	put_addr(out, &link->underlay);
	table_text(out, link->name);
	table_end(out);
}

static void put_prefix(struct out *out, const struct link_prefix *prefix)
{
	const uint64_t numbers[] = { prefix->ifindex, prefix->bits, prefix->has_peer };

	table_text(out, "address");
	put_numbers(out, numbers, ARRAY_SIZE(numbers));
	put_addr(out, &prefix->addr);
	put_addr(out, &prefix->peer);
	table_end(out);
}

static void put_route(struct out *out, const struct net_route *route)
{
	const unsigned flags = (route->has_gateway ? FLAG_HAS_GATEWAY : 0) | (route->has_source ? FLAG_HAS_SOURCE : 0) |
			       (route->mtu_locked ? FLAG_MTU_LOCKED : 0);
	const uint64_t numbers[] = { route->ifindex, route->bits,     route->table, route->metric,   route->mtu,
				     route->type,    route->protocol, route->scope, route->nexthops, flags };

	table_text(out, "route");
	put_numbers(out, numbers, ARRAY_SIZE(numbers));
	put_addr(out, &route->prefix);
	put_addr(out, &route->gateway);
	put_addr(out, &route->source);
	table_end(out);
}

static void put_whole(struct out *out, const struct network *network)
{
	const uint64_t numbers[] = { network->policy_rules > 0 ? (uint64_t)network->policy_rules : 0,
				     (network->cut ? FLAG_CUT : 0u) | (network->disguised ? FLAG_DISGUISED : 0u) |
					     (network->policy_rules >= 0 ? FLAG_RULES_KNOWN : 0u) };

	table_text(out, "network");
	put_numbers(out, numbers, ARRAY_SIZE(numbers));
	table_end(out);
}

void network_table_write(struct out *out, const struct network *network)
{
	put_whole(out, network);
	for (size_t i = 0; i < network->link_count; i++)
		put_link(out, &network->links[i]);
	for (size_t i = 0; i < network->prefix_count; i++)
		put_prefix(out, &network->prefixes[i]);
	for (size_t i = 0; i < network->route_count; i++)
		put_route(out, &network->routes[i]);
	table_text(out, "end");
	table_end(out);
}

/* Numbers from field 1 on, each up to its bound. */
static bool take_numbers(const struct table_reader *reader, const uint64_t *bounds, uint64_t *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!table_number(reader, i + 1, bounds[i], &numbers[i]))
			return false;
	}
	return true;
}

static bool fits(uint64_t bits, const struct addr *addr)
{
	return bits <= (addr->family == ADDR_V4 ? 32 : 128);
}

#define U32 UINT32_MAX

static bool take_link(struct network_list *list, const struct table_reader *reader)
{
	static const uint64_t bounds[] = { U32, U32, U32, U32, 63, 3, 255, UINT64_MAX, U32, U32 };
	uint64_t n[ARRAY_SIZE(bounds)];
	struct link link = { .kind = (uint8_t)link_kind_parse(reader->field[11]) }, *room;

	if (!take_numbers(reader, bounds, n, ARRAY_SIZE(bounds)) || !n[0] || !addr_parse(reader->field[12], &link.underlay) ||
	    strlen(reader->field[13]) >= sizeof(link.name))
		return false;
	link.ifindex = (uint32_t)n[0];
	link.mtu = (uint32_t)n[1];
	link.master = (uint32_t)n[2];
	link.parent = (uint32_t)n[3];
	link.up = n[4] & FLAG_UP;
	link.carrier = n[4] & FLAG_CARRIER;
	link.loopback = n[4] & FLAG_LOOPBACK;
	link.parent_elsewhere = n[4] & FLAG_PARENT_ELSEWHERE;
	link.has_underlay = n[4] & FLAG_HAS_UNDERLAY;
	link.external = n[4] & FLAG_EXTERNAL;
	link.forwards = (uint8_t)n[5];
	link.options = (uint8_t)n[6];
	link.packets = n[7];
	link.answering[ADDR_V4] = (uint32_t)n[8];
	link.answering[ADDR_V6] = (uint32_t)n[9];
	strcpy(link.name, reader->field[13]);
	room = network_list_link(list);
	if (room)
		*room = link;
	return room;
}

static bool take_prefix(struct network_list *list, const struct table_reader *reader)
{
	static const uint64_t bounds[] = { U32, 128, 1 };
	uint64_t n[ARRAY_SIZE(bounds)];
	struct link_prefix prefix = { .ifindex = 0 }, *room;

	if (!take_numbers(reader, bounds, n, ARRAY_SIZE(bounds)) || !addr_parse(reader->field[4], &prefix.addr) ||
	    !addr_parse(reader->field[5], &prefix.peer) || !fits(n[1], &prefix.addr))
		return false;
	prefix.ifindex = (uint32_t)n[0];
	prefix.bits = (uint8_t)n[1];
	prefix.has_peer = n[2];
	room = network_list_prefix(list);
	if (room)
		*room = prefix;
	return room;
}

static bool take_route(struct network_list *list, const struct table_reader *reader)
{
	static const uint64_t bounds[] = { U32, 128, U32, U32, U32, 255, 255, 255, UINT16_MAX, 7 };
	uint64_t n[ARRAY_SIZE(bounds)];
	struct net_route route = { .ifindex = 0 }, *room;

	if (!take_numbers(reader, bounds, n, ARRAY_SIZE(bounds)) || !addr_parse(reader->field[11], &route.prefix) ||
	    !addr_parse(reader->field[12], &route.gateway) || !addr_parse(reader->field[13], &route.source) || !fits(n[1], &route.prefix))
		return false;
	route.ifindex = (uint32_t)n[0];
	route.bits = (uint8_t)n[1];
	route.table = (uint32_t)n[2];
	route.metric = (uint32_t)n[3];
	route.mtu = (uint32_t)n[4];
	route.type = (uint8_t)n[5];
	route.protocol = (uint8_t)n[6];
	route.scope = (uint8_t)n[7];
	route.nexthops = (uint16_t)n[8];
	route.has_gateway = n[9] & FLAG_HAS_GATEWAY;
	route.has_source = n[9] & FLAG_HAS_SOURCE;
	route.mtu_locked = n[9] & FLAG_MTU_LOCKED;
	room = network_list_route(list);
	if (room)
		*room = route;
	return room;
}

static bool take_whole(struct network_list *list, const struct table_reader *reader)
{
	static const uint64_t bounds[] = { INT32_MAX, 7 };
	uint64_t n[ARRAY_SIZE(bounds)];

	if (!take_numbers(reader, bounds, n, ARRAY_SIZE(bounds)))
		return false;
	list->policy_rules = n[1] & FLAG_RULES_KNOWN ? (int)n[0] : -1;
	list->cut = list->cut || n[1] & FLAG_CUT;
	list->disguised = n[1] & FLAG_DISGUISED;
	return true;
}

bool network_table_take(struct network_list *list, const struct table_reader *reader)
{
	static const struct {
		const char *key;
		size_t fields;
		bool (*take)(struct network_list *list, const struct table_reader *reader);
	} lines[] = {
		{ "link", 14, take_link },
		{ "address", 6, take_prefix },
		{ "route", 14, take_route },
		{ "network", 3, take_whole },
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		if (table_is(reader, lines[i].key, lines[i].fields))
			return lines[i].take(list, reader);
	}
	return false;
}
