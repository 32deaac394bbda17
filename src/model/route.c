/* SPDX-License-Identifier: MIT */
/* Names of neighbour states (include/uapi/linux/neighbour.h), and the way to the Internet. */
#include "tcptriage/model/route.h"

#define NEIGHBOUR_FAILS (0x01 | 0x20) /* NUD_INCOMPLETE, NUD_FAILED */

bool route_next_hop_fails(const struct route *route)
{
	return route->has & ROUTE_HAS_NEIGHBOUR && route->neighbour_state & NEIGHBOUR_FAILS;
}

const char *route_neighbour_name(uint16_t state)
{
	static const struct {
		uint16_t bit;
		const char *name;
	} rows[] = {
		{ 0x01, "INCOMPLETE" }, { 0x02, "REACHABLE" }, { 0x04, "STALE" },
		{ 0x08, "DELAY" },	{ 0x10, "PROBE" },     { 0x20, "FAILED" },
		{ 0x40, "NOARP" },	{ 0x80, "PERMANENT" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (state & rows[i].bit)
			return rows[i].name;
	return "NONE";
}

struct addr route_way_out(enum addr_family family)
{
	static const struct addr addresses[ADDR_FAMILY_COUNT] = {
		[ADDR_V4] = { { 198, 41, 0, 4 }, ADDR_V4 },
		[ADDR_V6] = { { 0x20, 0x01, 0x05, 0x03, 0xba, 0x3e, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0x30 }, ADDR_V6 },
	};

	return addresses[family];
}
