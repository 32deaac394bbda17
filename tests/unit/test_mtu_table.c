/* SPDX-License-Identifier: MIT */
/* Known packet sizes: the size itself, the difference, and numbers that nothing is known for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "triage/mtu_table.h"

static void sizes__of_known_networks__are_named(void **state)
{
	static const struct {
		uint32_t link, path;
		const char *what;
	} rows[] = {
		{ 1500, 1492, "PPPoE" },	     { 1500, 1480, "6in4" },
		{ 1500, 1476, "GRE" },		     { 1500, 1472, "GRE with a key" },
		{ 1500, 1460, "Google Cloud" },	     { 1500, 1458, "OpenStack" },
		{ 1500, 1454, "OpenStack" },	     { 1500, 1450, "VXLAN or Geneve over IPv4" },
		{ 1500, 1442, "OVN" },		     { 1500, 1440, "WireGuard over IPv4" },
		{ 1500, 1438, "ESP tunnel" },	     { 1500, 1430, "VXLAN or Geneve over IPv6" },
		{ 1500, 1422, "through NAT" },	     { 1500, 1420, "WireGuard (its default" },
		{ 1500, 1400, "VPN gateway" },	     { 1500, 1390, "IPsec" },
		{ 1500, 1360, "Alibaba" },	     { 1500, 1300, "a size known from AWS Wavelength" },
		{ 1500, 1280, "IPv6 allows" },	     { 1500, 576, "every IPv4 host" },
		{ 1500, 552, "min_pmtu" },	     { 9001, 1500, "plain Ethernet" },
		{ 9001, 8500, "transit gateway" },   { 9000, 8950, "VXLAN or Geneve over IPv4" },
		{ 9000, 8920, "WireGuard" },	     { 1460, 1400, "VPN gateway" },
		{ 1450, 1400, "VPN gateway" },	     { 1460, 1410, "VXLAN" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *what = mtu_likely(rows[i].link, rows[i].path);

		if (!what || !strstr(what, rows[i].what))
			fail_msg("%u over %u: %s", rows[i].path, rows[i].link, what ? what : "nothing");
	}
}

static void numbers__nothing_is_known_for__are_not_named(void **state)
{
	static const uint32_t rows[][2] = { { 1500, 1500 }, { 1400, 1500 }, { 1500, 1499 }, { 1500, 1333 },
					    { 1500, 1000 }, { 1500, 0 },    { 0, 0 },	    { 9000, 8999 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_null(mtu_likely(rows[i][0], rows[i][1]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes__of_known_networks__are_named),
		cmocka_unit_test(numbers__nothing_is_known_for__are_not_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
