/* SPDX-License-Identifier: MIT */
/* collect/proc_counters and collect/sysctl: the kernel's text in every order and shape, and cut anywhere. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "collect/proc_counters.h"
#include "collect/sysctl.h"

static struct counters c;

static int reset(void **state)
{
	(void)state;
	memset(&c, 0, sizeof(c));
	return 0;
}

static const char snmp[] = "Ip: Forwarding InHdrErrors OutNoRoutes\n"
			   "Ip: 1 2 3\n"
			   "Icmp: InMsgs InDestUnreachs\n"
			   "Icmp: 9 8\n"
			   "IcmpMsg: InType3 OutType3\n"
			   "IcmpMsg: 7 6\n"
			   "Tcp: RtoAlgorithm MaxConn ActiveOpens RetransSegs OutSegs\n"
			   "Tcp: 1 -1 100 5 18446744073709551615\n";

static void pairs__columns__are_found_by_name(void **state)
{
	(void)state;
	assert_int_equal(counters_parse_pairs(snmp, &c), 0);
	assert_int_equal(c.value[COUNTER_IP_IN_HDR_ERRORS], 2);
	assert_int_equal(c.value[COUNTER_IP_OUT_NO_ROUTES], 3);
	assert_int_equal(c.value[COUNTER_ICMP_IN_DEST_UNREACHS], 8);
	assert_int_equal(c.value[COUNTER_ICMP_IN_TYPE3], 7);
	assert_int_equal(c.value[COUNTER_TCP_ACTIVE_OPENS], 100);
	assert_int_equal(c.value[COUNTER_TCP_RETRANS_SEGS], 5);
	assert_true(c.value[COUNTER_TCP_OUT_SEGS] == UINT64_MAX);
	assert_true(c.has[COUNTER_TCP_OUT_SEGS]);
	assert_false(c.has[COUNTER_TCP_IN_SEGS]);
	assert_false(c.has[COUNTER_TCP_TIMEOUTS]);
}

static void pairs__same_column_in_two_groups__is_not_confused(void **state)
{
	(void)state;
	assert_int_equal(counters_parse_pairs("Udp: InErrors\nUdp: 4\nUdpLite: InErrors\nUdpLite: 9\n", &c), 0);
	assert_int_equal(c.value[COUNTER_UDP_IN_ERRORS], 4);
}

static void pairs__icmp_type_never_seen__is_zero_not_absent(void **state)
{
	(void)state;
	assert_int_equal(counters_parse_pairs("Icmp: InDestUnreachs\nIcmp: 0\nTcp: InSegs\nTcp: 1\n", &c), 0);
	assert_true(c.has[COUNTER_ICMP_IN_TYPE3]);
	assert_int_equal(c.value[COUNTER_ICMP_IN_TYPE3], 0);
	reset(NULL);
	assert_int_equal(counters_parse_pairs("Icmp: InDestUnreachs\nIcmp: 0\n", &c), 0); /* may be cut here */
	assert_false(c.has[COUNTER_ICMP_IN_TYPE3]);
}

static void pairs__lines_of_another_shape__are_counted_and_left_out(void **state)
{
	static const char *const odd[] = {
		"Tcp: InSegs OutSegs\nTcp: 1\n",	  /* a value is missing */
		"Tcp: InSegs\nTcp: 1 2\n",		  /* a name is missing */
		"Tcp: InSegs\nUdp: 1\n",		  /* values of another group */
		"Tcp: InSegs\n",			  /* no values */
		"Tcp: InSegs\nTcp: x\n",		  /* no number */
		"Tcp: InSegs\nTcp: -3\n",		  /* no counter */
		"Tcp: InSegs\nTcp: 99999999999999999999\n", /* no 64 bits */
		"Tcp InSegs\nTcp 1\n",			  /* no colons */
		"\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		reset(NULL);
		assert_true(counters_parse_pairs(odd[i], &c) > 0);
		assert_false(c.has[COUNTER_TCP_IN_SEGS] && c.value[COUNTER_TCP_IN_SEGS] != 1);
	}
	reset(NULL);
	assert_int_equal(counters_parse_pairs("junk\nTcp: InSegs\nTcp: 5\n", &c), 1);
	assert_int_equal(c.value[COUNTER_TCP_IN_SEGS], 5);
}

/* Whatever is left of a text, a value that is taken is the whole value. */
static void assert_no_guess(unsigned (*parse)(const char *, struct counters *), const char *text)
{
	struct counters whole = { { 0 } };

	assert_int_equal(parse(text, &whole), 0);
	for (size_t len = 0; len < strlen(text); len++) {
		char *cut = strndup(text, len);

		reset(NULL);
		parse(cut, &c);
		for (unsigned id = 0; id < COUNTER_COUNT; id++)
			if (c.has[id]) {
				assert_true(whole.has[id]);
				assert_true(whole.value[id] == c.value[id]);
			}
		free(cut);
	}
}

static const char sockstat[] = "sockets: used 15\nTCP: inuse 1 orphan 2 tw 3 alloc 19 mem 4\nUDP: inuse 5 mem 0\n"
			       "UDPLITE: inuse 9\nRAW: inuse 0\nFRAG: inuse 0 memory 0\n";
static const char snmp6[] = "Ip6InReceives                   \t123\nIcmp6InPktTooBigs               \t4\n"
			    "Udp6NoPorts                     \t5\n";

static void text__cut_anywhere__is_never_guessed(void **state)
{
	(void)state;
	assert_no_guess(counters_parse_pairs, snmp);
	assert_no_guess(counters_parse_sockstat, sockstat);
	assert_no_guess(counters_parse_snmp6, snmp6);
}

static void sockstat__both_files__are_told_apart_by_their_words(void **state)
{
	(void)state;
	assert_int_equal(counters_parse_sockstat(sockstat, &c), 0);
	assert_int_equal(counters_parse_sockstat("TCP6: inuse 7\nUDP6: inuse 8\n", &c), 0);
	assert_int_equal(c.value[COUNTER_SOCKSTAT_TCP_INUSE], 1);
	assert_int_equal(c.value[COUNTER_SOCKSTAT_TCP_ORPHAN], 2);
	assert_int_equal(c.value[COUNTER_SOCKSTAT_TCP_TW], 3);
	assert_int_equal(c.value[COUNTER_SOCKSTAT_TCP_ALLOC], 19);
	assert_int_equal(c.value[COUNTER_SOCKSTAT_UDP_INUSE], 5);
	assert_int_equal(c.value[COUNTER_SOCKSTAT6_TCP_INUSE], 7);
	assert_int_equal(c.value[COUNTER_SOCKSTAT6_UDP_INUSE], 8);
	assert_int_equal(counters_parse_sockstat("TCP: inuse\n", &c), 1);
	assert_int_equal(counters_parse_sockstat("TCP inuse 4\n", &c), 1);
}

static void snmp6__one_name_a_line__is_read(void **state)
{
	(void)state;
	assert_int_equal(counters_parse_snmp6(snmp6, &c), 0);
	assert_int_equal(c.value[COUNTER_ICMP6_IN_PKT_TOO_BIGS], 4);
	assert_int_equal(c.value[COUNTER_UDP6_NO_PORTS], 5);
	assert_int_equal(counters_parse_snmp6("Udp6NoPorts\nUdp6NoPorts 1 2\nUdp6NoPorts x\n", &c), 3);
}

static void parsers__random_bytes__survive(void **state)
{
	static const char alphabet[] = "TcpIp:InSegs 0123456789\n\t-x";
	unsigned seed = 3;
	char text[200];

	(void)state;
	for (unsigned round = 0; round < 5000; round++) {
		size_t len = (size_t)rand_r(&seed) % (sizeof(text) - 1);

		for (size_t i = 0; i < len; i++)
			text[i] = alphabet[(size_t)rand_r(&seed) % (sizeof(alphabet) - 1)];
		text[len] = '\0';
		reset(NULL);
		counters_parse_pairs(text, &c);
		counters_parse_snmp6(text, &c);
		counters_parse_sockstat(text, &c);
		for (unsigned id = 0; id < COUNTER_COUNT; id++)
			assert_true(c.has[id] || !c.value[id]);
	}
}

static void sysctl__files__list_each_once(void **state)
{
	size_t count = 0, range = 0;

	(void)state;
	for (const char *path; (path = sysctl_path(count)); count++) {
		range += !strcmp(path, "ipv4/ip_local_port_range");
		assert_true(count < 100);
	}
	assert_int_equal(range, 1);
	assert_string_equal(sysctl_path(count - 1), SYSCTL_RESERVED_PATH);
}

static void sysctl__values__go_where_they_belong(void **state)
{
	struct sysctls *s = calloc(1, sizeof(*s));

	(void)state;
	assert_int_equal(sysctl_take("ipv4/ip_local_port_range", "32768\t60999\n", s), 0);
	assert_int_equal(s->value[SYSCTL_PORT_LO], 32768);
	assert_int_equal(s->value[SYSCTL_PORT_HI], 60999);
	assert_int_equal(sysctl_take("ipv4/tcp_mem", "1\t2\t3\n", s), 0);
	assert_int_equal(s->value[SYSCTL_TCP_MEM_PRESSURE], 2);
	assert_int_equal(s->value[SYSCTL_TCP_MEM_HIGH], 3);
	assert_int_equal(sysctl_take("ipv4/tcp_tw_reuse", "-1\n", s), 0);
	assert_int_equal(s->value[SYSCTL_TCP_TW_REUSE], -1);
	assert_int_equal(sysctl_take("ipv4/tcp_mem", "1\t2\n", s), 1);
	assert_false(s->has[SYSCTL_TCP_MEM_HIGH]);
	assert_true(s->has[SYSCTL_TCP_MEM_PRESSURE]);
	assert_int_equal(sysctl_take("ipv4/ip_local_port_range", "32768\t609", s), 1); /* cut */
	assert_false(s->has[SYSCTL_PORT_HI]);
	assert_int_equal(sysctl_take("core/somaxconn", "many\n", s), 1);
	assert_false(s->has[SYSCTL_SOMAXCONN]);
	free(s);
}

static void sysctl__reserved_ports__become_a_bitmap(void **state)
{
	static const char *const bad[] = { "", "80", "80,", "80,\n", "x\n", "70000\n", "9-8\n", "1-\n", "80 81\n",
					   "80,443,80" };
	struct sysctls *s = calloc(1, sizeof(*s));

	(void)state;
	assert_int_equal(sysctl_take(SYSCTL_RESERVED_PATH, "\n", s), 0);
	assert_true(s->has_reserved);
	assert_int_equal(sysctl_take(SYSCTL_RESERVED_PATH, "80,8000-8002,65535\n", s), 0);
	for (unsigned port = 0; port <= 65535; port++)
		assert_int_equal(sysctls_port_reserved(s, (uint16_t)port),
				 port == 80 || (port >= 8000 && port <= 8002) || port == 65535);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(sysctl_take(SYSCTL_RESERVED_PATH, bad[i], s), 1);
		assert_false(s->has_reserved);
		for (unsigned port = 0; port <= 65535; port++)
			assert_false(sysctls_port_reserved(s, (uint16_t)port));
	}
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(pairs__columns__are_found_by_name, reset),
		cmocka_unit_test_setup(pairs__same_column_in_two_groups__is_not_confused, reset),
		cmocka_unit_test_setup(pairs__icmp_type_never_seen__is_zero_not_absent, reset),
		cmocka_unit_test_setup(pairs__lines_of_another_shape__are_counted_and_left_out, reset),
		cmocka_unit_test_setup(text__cut_anywhere__is_never_guessed, reset),
		cmocka_unit_test_setup(sockstat__both_files__are_told_apart_by_their_words, reset),
		cmocka_unit_test_setup(snmp6__one_name_a_line__is_read, reset),
		cmocka_unit_test_setup(parsers__random_bytes__survive, reset),
		cmocka_unit_test(sysctl__files__list_each_once),
		cmocka_unit_test(sysctl__values__go_where_they_belong),
		cmocka_unit_test(sysctl__reserved_ports__become_a_bitmap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
