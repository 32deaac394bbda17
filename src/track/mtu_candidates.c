/* SPDX-License-Identifier: MIT */
/* Packet sizes that links, tunnels and clouds are known for, as data (RULES §7.2). */
#include "tcptriage/track/mtu_search.h"

/* Ascending; below the base (1200 bytes and headers) the plateaus of RFC 1191 §7.1 and the size that every IPv4 host takes. */
static const uint16_t candidates[] = {
	296,  508,  576,  1006, 1280, 1300, 1360, 1380, 1390, 1400, 1410, 1420, 1422, 1428, 1430, 1436, 1438, 1440,
	1442, 1446, 1450, 1454, 1458, 1460, 1472, 1476, 1480, 1492, 1500, 1600, 8500, 8896, 8951, 9000, 9001,
};

const uint16_t *mtu_candidates(size_t *count)
{
	*count = ARRAY_SIZE(candidates);
	return candidates;
}
