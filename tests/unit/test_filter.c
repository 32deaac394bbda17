/* SPDX-License-Identifier: MIT */
/* filter/: what the language accepts, what it refuses and how, and what it selects. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "filter_world.h"

static int parse_in(struct filter *filter, struct arena *arena, const struct filter_world *world, const char *text, struct err *err)
{
	char *copy = arena_strdup(arena, text);

	return filter_parse(filter, arena, world, 1, &copy, err);
}

static int parse(struct filter *filter, struct arena *arena, const char *text, struct err *err)
{
	return parse_in(filter, arena, &test_world, text, err);
}

/* The sockets that every selection below is made from; a row's place is its bit. */
static const struct {
	const char *local, *peer;
	uint8_t family, state, netid;
	uint32_t ifindex, mark;
} rows[] = {
	{ "10.0.0.1:80", "10.0.0.7:40000", ADDR_V4, SOCK_STATE_ESTAB, NETID_TCP, 0, 0 },		 /* 1 */
	{ "10.0.0.1:22", "192.168.1.9:50000", ADDR_V4, SOCK_STATE_ESTAB, NETID_TCP, 7, 0x10 },		 /* 2 */
	{ "0.0.0.0:80", "0.0.0.0:0", ADDR_V4, SOCK_STATE_LISTEN, NETID_TCP, 0, 0 },			 /* 4 */
	{ "[::]:443", "[::]:0", ADDR_V6, SOCK_STATE_LISTEN, NETID_TCP, 0, 0 },				 /* 8 */
	{ "[2001:db8::1]:443", "[2001:db8::8]:40001", ADDR_V6, SOCK_STATE_ESTAB, NETID_TCP, 0, 0x13 },	 /* 16 */
	{ "10.0.0.1:443", "10.0.0.8:40002", ADDR_V6, SOCK_STATE_CLOSE_WAIT, NETID_TCP, 0, 0 },		 /* 32: v4-mapped */
	{ "10.0.0.1:35000", "10.0.0.7:80", ADDR_V4, SOCK_STATE_TIME_WAIT, NETID_TCP, 0, 0 },		 /* 64 */
	{ "127.0.0.1:53", "0.0.0.0:0", ADDR_V4, SOCK_STATE_UNCONN, NETID_UDP, 7, 0 },			 /* 128 */
};
#define ALL 255u

static struct sock row_sock(size_t i)
{
	return (struct sock){ .local = test_endpoint(rows[i].local),
			      .peer = test_endpoint(rows[i].peer),
			      .family = rows[i].family,
			      .state = rows[i].state,
			      .netid = rows[i].netid,
			      .ifindex = rows[i].ifindex,
			      .mark = rows[i].mark,
			      .inode = 1,
			      .cgroup_id = i == 1 ? 77 : 1,
			      .has = SOCK_HAS_MARK | (rows[i].state == SOCK_STATE_TIME_WAIT ? 0 : SOCK_HAS_CGROUP_ID) };
}

static unsigned selection(const struct filter *filter, const struct filter_facts *facts)
{
	unsigned mask = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sock sock = row_sock(i);

		mask |= (unsigned)filter_judge(filter, &sock, facts) << i;
	}
	return mask;
}

static void parse__every_form__selects_what_it_says(void **state)
{
	static const struct {
		const char *text;
		unsigned mask;
	} cases[] = {
		{ "", ALL },
		{ "src 10.0.0.1", 1 + 2 + 32 + 64 },
		{ "src = 10.0.0.1", 1 + 2 + 32 + 64 },
		{ "src==10.0.0.1", 1 + 2 + 32 + 64 },
		{ "src != 10.0.0.1", 4 + 8 + 16 + 128 },
		{ "src ne 10.0.0.1:80", ALL - 1 },
		{ "src 10.0.0.1:80", 1 },
		{ "src 10.0.0.0/8:443", 32 },
		{ "src 10.0.0.0/255.0.0.0", 1 + 2 + 32 + 64 },
		{ "src 10/8", 1 + 2 + 32 + 64 },
		{ "src 10.0.0.1:", 1 + 2 + 32 + 64 },
		{ "src 10.0.0.1:*", 1 + 2 + 32 + 64 },
		{ "dst 192.168/16", 2 },
		{ "dst 10.0.0.6/31", 1 + 64 },
		{ "src :80", 1 + 4 },
		{ "src *:80", 1 + 4 },
		{ "src *", ALL },
		{ "not src *", 0 },
		{ "src any", ALL },
		{ "src 0.0.0.0/0", 1 + 2 + 4 + 32 + 64 + 128 },
		{ "src ::/0", 8 + 16 + 32 },
		{ "src [::]", 8 },
		{ "src [::]:443", 8 },
		{ "src [::/0]:443", 8 + 16 + 32 },
		{ "src [::]/0:443", 8 + 16 + 32 },
		{ "src ::ffff:0:0/96", 32 },
		{ "src ::ffff:10.0.0.1", 32 },
		{ "src 2001:db8::1", 16 },
		{ "src 2001:db8::1:443", 16 },
		{ "src 2001:db8::/32:443", 16 },
		{ "src [2001:db8::/32]", 16 },
		{ "src inet:*", 1 + 2 + 4 + 64 + 128 },
		{ "src inet6:*:443", 8 + 16 + 32 },
		{ "dst alpha", 1 + 64 },
		{ "dst alpha:80", 64 },
		{ "dst both", 16 + 32 },
		{ "not dst both", ALL - 16 - 32 },
		{ "dst inet6:both", 16 },
		{ "sport 80", 1 + 4 },
		{ "sport = :80", 1 + 4 },
		{ "sport eq http", 1 + 4 },
		{ "sport=:http", 1 + 4 },
		{ "sport = 0x50", 1 + 4 },
		{ "sport != 80", ALL - 1 - 4 },
		{ "sport < 80", 2 + 128 },
		{ "sport lt :80", 2 + 128 },
		{ "sport <= 80", 1 + 2 + 4 + 128 },
		{ "sport le 80", 1 + 2 + 4 + 128 },
		{ "sport leq 80", 1 + 2 + 4 + 128 },
		{ "sport>443", 64 },
		{ "sport gt 443", 64 },
		{ "sport >= 443", 8 + 16 + 32 + 64 },
		{ "sport geq 443", 8 + 16 + 32 + 64 },
		{ "sport > 65535", 0 },
		{ "not sport > 65535", ALL },
		{ "sport < 0", 0 },
		{ "sport >= 0", ALL },
		{ "sport = *", ALL },
		{ "dport ge :40000 and dport < 50000", 1 + 16 + 32 },
		{ "dev eth7", 2 + 128 },
		{ "dev = 7", 2 + 128 },
		{ "dev != eth7", ALL - 2 - 128 },
		{ "dev 0", ALL - 2 - 128 },
		{ "fwmark 0x10", 2 },
		{ "fwmark 16", 2 },
		{ "fwmark = 0x10/0xf0", 2 + 16 },
		{ "fwmark != 0", 2 + 16 },
		{ "cgroup /app", 2 },
		{ "cgroup != /app", ALL - 2 },
		{ "not cgroup /app", ALL - 2 },
		{ "sport = 80 or sport = 22 and src 10.0.0.1", 1 + 2 },
		{ "src 10.0.0.1 and sport = 22 or sport = 80", 1 + 2 + 4 },
		{ "sport = 80 or ( sport = 22 and src 10.0.0.1 )", 1 + 2 + 4 },
		{ "not sport = 80 and sport = 22", 2 },
		{ "not ( sport = 80 or sport = 443 )", 2 + 64 + 128 },
		{ "not ( sport = 80 and dst alpha ) src 10.0.0.1", 2 + 32 + 64 },
		{ "! ! sport = 80", 1 + 4 },
		{ "!!sport=80", 1 + 4 },
		{ "not not not sport = 80", ALL - 1 - 4 },
		{ "sport = 80 dst alpha", 1 },
		{ "sport=80&&dst alpha", 1 },
		{ "sport=80&dst alpha|sport=22", 1 + 2 },
		{ "sport=80||sport=22", 1 + 2 + 4 },
		{ "(sport=80)", 1 + 4 },
		{ "((sport=80)or(sport=22))", 1 + 2 + 4 },
		{ "\\( sport \\> 80 \\)", 8 + 16 + 32 + 64 },
		{ "sport = '80'", 1 + 4 },
		{ "state established", 1 + 2 + 16 },
		{ "state ESTAB sport = 22", 2 },
		{ "state close-wait state TIME_WAIT", 32 + 64 },
		{ "exclude listening sport = 80", 1 },
		{ "state all exclude listen exclude estab", 32 + 64 + 128 },
		{ "state big", ALL - 64 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena arena = { 0 };
		struct err err = { .text = "" };
		struct filter filter;
		int code = parse(&filter, &arena, cases[i].text, &err);
		unsigned mask = code ? 0 : selection(&filter, NULL);

		if (mask != cases[i].mask)
			fail_msg("'%s' selects %#x, not %#x %s", cases[i].text, mask, cases[i].mask, err.text);
	}
}

static void parse__bad_text__is_quoted_with_the_nearest_word(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "dprt = 5", "unknown word 'dprt' in the filter: did you mean 'dport'?" },
		{ "SPORT = 5", "unknown word 'SPORT' in the filter: did you mean 'sport'?" },
		{ "retrns > 3", "did you mean 'retrans'?" },
		{ "snd_cwn > 3", "did you mean 'snd_cwnd'?" },
		{ "zzzzzzzzzz = 5", "unknown word 'zzzzzzzzzz' in the filter" },
		{ "AND sport = 5", "did you mean 'and'?" },
		{ "10.0.0.1:80", "write 'src 10.0.0.1:80' or 'dst 10.0.0.1:80'" },
		{ "sport = 5 state listen", "'state listen' must stand before the expression" },
		{ "sport = 5 and ( exclude listen )", "'exclude listen' must stand before the expression" },
		{ "state listenin", "unknown state 'listenin': did you mean 'listening'?" },
		{ "state qqqqqqqqq", "unknown state 'qqqqqqqqq'" },
		{ "state", "a state is missing after 'state'" },
		{ "state listening exclude listening", "leave no state" },
		{ "sport", "a value is missing after 'sport'" },
		{ "sport =", "a value is missing after 'sport ='" },
		{ "rtt > and sport = 5", "a value is missing after 'rtt >'" },
		{ "( rtt > )", "a value is missing after 'rtt >'" },
		{ "comm = 'ngin", "a value is missing after 'comm ='" },
		{ "sport = 5 and", "ends where a condition is expected" },
		{ "state listening or", "'or' stands where a condition is expected" },
		{ "sport = 5 or or dport = 5", "'or' stands where a condition is expected" },
		{ "not", "ends where a condition is expected" },
		{ "= 5", "'=' stands where a condition is expected" },
		{ "( sport = 5", "unbalanced parenthesis: a ')' is missing" },
		{ "sport = 5 )", "unbalanced parenthesis: ')' without its '('" },
		{ ")", "unbalanced parenthesis: ')' without its '('" },
		{ "()", "a condition is expected before ')'" },
		{ "autobound = 5", "'=' stands where a condition is expected" },
		{ "sport = 65536", "port '65536' is out of range" },
		{ "src 10.0.0.1:70000", "port '70000' is out of range" },
		{ "sport = 99999999999999999999999", "'99999999999999999999999' is neither a port number nor a known service" },
		{ "sport = -1", "'-1' is neither a port number" },
		{ "sport = gopher", "'gopher' is neither a port number" },
		{ "sport > *", "'sport' cannot be compared with '*'" },
		{ "sport = 10.0.0.1:80", "an address goes behind 'src' or 'dst'" },
		{ "src < 10.0.0.1", "'src' knows only = and !=" },
		{ "src 10.0.0.0/33", "prefix '/33' is longer than the 32 bits of an IPv4 address" },
		{ "src [::1]/129", "prefix '/129' is longer than the 128 bits of an IPv6 address" },
		{ "src [::1/129]:5", "prefix '/129' is longer" },
		{ "src 10.0.0.0/", "'/' is not a prefix length" },
		{ "src 10.0.0.0/8x", "'/8x' is not a prefix length" },
		{ "src 10.0.0.0/255.0.255.0", "'/255.0.255.0' is not a prefix length" },
		{ "src 256.1.1.1", "'256.1.1.1' is not an address" },
		{ "src 10.0.0.1.2", "'10.0.0.1.2' is not an address" },
		{ "src [::1", "'[::1' lacks its ']'" },
		{ "src [::1]80", "'80' behind ']' is neither /PREFIX nor :PORT" },
		{ "src */8", "a prefix needs an address, not '*'" },
		{ "src alpha/8", "a prefix needs an address, not 'alpha'" },
		{ "src nowhere", "cannot resolve the host name 'nowhere'" },
		{ "src inet6:alpha", "host 'alpha' has no address of that family" },
		{ "src inet:[::1]", "'::1' is not an address of that family" },
		{ "src inet:* dst inet6:*", "'inet:' and 'inet6:' exclude each other" },
		{ "dev eth8", "there is no interface 'eth8'" },
		{ "dev < 5", "'dev' knows only = and !=" },
		{ "fwmark 0x1/0xgg", "'0xgg' is not a mask of 32 bits" },
		{ "fwmark 4294967296", "'4294967296' is not a mark of 32 bits" },
		{ "cgroup /nosuch", "there is no cgroup v2 '/nosuch'" },
		{ "pid = 12x", "'12x' is not a process id" },
		{ "pid > 12", "'pid' knows only = and !=" },
		{ "comm < x", "'comm' knows only = and !=" },
		{ "user = bob", "there is no user 'bob'" },
		{ "rtt > 200", "'200' needs a unit for 'rtt': 200ms" },
		{ "rtt > 200k", "'200k' is not a duration for 'rtt'" },
		{ "recvq > 5ms", "'5ms' is not a size for 'recvq'" },
		{ "cwnd > 1.5", "'1.5' is not a whole number for 'cwnd'" },
		{ "cwnd > ten", "'ten' is not a whole number for 'cwnd'" },
		{ "\033[31mred = 5", "unknown word '\\x1b[31mred'" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena arena = { 0 };
		struct err err = { .text = "" };
		struct filter filter;
		int code = parse(&filter, &arena, cases[i].text, &err);

		if (code != -EINVAL || !strstr(err.text, cases[i].message))
			fail_msg("'%s' gives %d '%s', not '%s'", cases[i].text, code, err.text, cases[i].message);
	}
}

static void parse__words_of_the_command_line__join(void **state)
{
	CLEANUP(arena_free) struct arena arena = { 0 };
	char words[][16] = { "state", "established", "(sport", "=", ":22", "or", "dport=:40000", ")" };
	char *argv[ARRAY_SIZE(words)], quote[] = "comm = 'a", rest[] = "b'";
	char *open_quote[] = { quote, rest };
	struct err err = { .text = "" };
	struct filter filter;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		argv[i] = words[i];
	assert_int_equal(filter_parse(&filter, &arena, &test_world, ARRAY_SIZE(words), argv, &err), 0);
	assert_int_equal(selection(&filter, NULL), 1 + 2);
	assert_int_equal(filter_parse(&filter, &arena, &test_world, 0, NULL, &err), 0);
	assert_null(filter.root);
	assert_int_equal(selection(&filter, NULL), ALL);
	/* a quote does not reach into the next word */
	assert_int_equal(filter_parse(&filter, &arena, &test_world, 2, open_quote, &err), -EINVAL);
}

/* @part repeated @count times between @head and @tail. */
static char *repeat(const char *head, const char *part, size_t count, const char *tail)
{
	size_t len = strlen(part);
	char *text = xmalloc(strlen(head) + len * count + strlen(tail) + 1), *at = stpcpy(text, head);

	for (size_t i = 0; i < count; i++)
		at = stpcpy(at, part);
	strcpy(at, tail);
	return text;
}

static void parse__text_without_bounds__is_refused_without_recursion(void **state)
{
	static const struct {
		const char *head, *part, *tail, *message;
		size_t count;
	} cases[] = {
		{ "", "(", "", "nested deeper", 1000000 },
		{ "", "not (", "", "nested deeper", 200000 },
		{ "sport 5", " or sport 5 and sport 5", "", "changes between 'and' and 'or'", 10000 },
		{ "sport 5", " or sport 5", "", "more than 8192 conditions", 100000 },
		{ "", ")", "", "unbalanced", 1000000 },
		{ "", "x", "", "unknown word", 1000000 },
		{ "src ", "9", "", "not an address", 1000000 },
		{ "state ", "x", "", "unknown state", 1000000 },
	};
	CLEANUP(arena_free) struct arena arena = { 0 };
	struct err err;
	struct filter filter;
	char *text;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		text = repeat(cases[i].head, cases[i].part, cases[i].count, cases[i].tail);
		assert_int_equal(parse(&filter, &arena, text, &err), -EINVAL);
		if (!strstr(err.text, cases[i].message))
			fail_msg("case %zu says '%s'", i, err.text);
		free(text);
	}
	text = repeat("", "! ", 1000001, "sport = 80");
	assert_int_equal(parse(&filter, &arena, text, &err), 0);
	assert_int_equal(selection(&filter, NULL), ALL - 1 - 4);
	free(text);
	text = repeat("", "( ", 199, "sport = 80");
	assert_int_equal(parse(&filter, &arena, text, &err), -EINVAL);
	assert_non_null(strstr(err.text, "unbalanced"));
	free(text);
}

static void parse__facts_wanted__are_named_in_needs(void **state)
{
	static const struct {
		const char *text;
		unsigned needs, families;
	} cases[] = {
		{ "sport = 5 and dev 3 and user alice and recvq > 0", 0, 3 },
		{ "pid = 5", FILTER_NEEDS_OWNERS, 3 },
		{ "not comm = x or rtt > 1ms", FILTER_NEEDS_OWNERS | FILTER_NEEDS_TCP_INFO, 3 },
		{ "idle > 5m", FILTER_NEEDS_TCP_INFO, 3 },
		{ "drops > 0", FILTER_NEEDS_SKMEM, 3 },
		{ "fwmark 5", FILTER_NEEDS_MARK, 3 },
		{ "autobound", FILTER_NEEDS_PORT_RANGE, 3 },
		{ "src ::1", 0, 2 },
		{ "not src ::1", 0, 3 },
		{ "src ::1 or sport = 5", 0, 3 },
		{ "src ::1 or dst ::1", 0, 2 },
		{ "src ::1 and sport = 5", 0, 2 },
		{ "src 10.0.0.1", 0, 3 },
		{ "src inet:10.0.0.1", 0, 1 },
		{ "src inet6:* or sport = 5", 0, 2 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena arena = { 0 };
		struct filter filter;

		assert_int_equal(parse(&filter, &arena, cases[i].text, NULL), 0);
		if (filter.needs != cases[i].needs || filter.families != cases[i].families)
			fail_msg("'%s' needs %#x, families %#x", cases[i].text, filter.needs, filter.families);
	}
}

/* A tcp_info with a few fields set; bytes in host order at the offsets of the table. */
static void put_info(uint8_t *bytes, enum tcpi_id id, uint64_t value)
{
	memcpy(bytes + tcpi_fields[id].offset, &value, tcpi_fields[id].bits / 8);
}

static bool selects(const char *text, const struct sock *sock, const struct filter_facts *facts)
{
	CLEANUP(arena_free) struct arena arena = { 0 };
	struct err err = { .text = "" };
	struct filter filter;

	if (parse(&filter, &arena, text, &err))
		fail_msg("'%s': %s", text, err.text);
	return filter_judge(&filter, sock, facts);
}

static void judge__numbers__compare_in_the_units_of_the_field(void **state)
{
	static const char *const yes[] = {
		"rtt > 199ms",	   "rtt = 200ms",	  "rtt>=0.2s",		"rtt < 1m",	  "rtt != 201ms",
		"rtt_us = 200ms",  "tcpi_rtt = 200ms",	  "not rtt > 200ms",	"pmtu < 1500",	  "pmtu = 1400",
		"retrans = 9",	   "total_retrans = 9",	  "tcpi_retrans = 2",	"cwnd > 4",	  "snd_cwnd = 10",
		"recvq > 64k",	   "recvq = 65537",	  "sendq < 1",		"lastsnd > 4.9s", "lastsnd = 5s",
		"idle = 3s",	   "idle < 5m",		  "lastrcv = 3s",	"backoff = 1",	  "rcvbuf = 1MiB",
		"drops = 3",	   "pacing_rate = 2MiB/s", "pacing_rate>1m",	"snd_wscale = 7", "rtt > 0",
		"bytes_acked = 0", "rtt 200ms",		  "not not rtt 200ms", "mss ge 1k",	  "mss lt 2k",
	};
	static const char *const no[] = {
		"rtt > 200ms", "not rtt >= 200ms", "retrans < 9", "recvq <= 64k", "lastsnd < 5s", "cwnd != 10", "sendq > 0", "pmtu >= 1500",
	};
	uint8_t bytes[240] = { 0 };
	struct sock sock = { .state = SOCK_STATE_ESTAB, .recv_q = 65537, .has = SOCK_HAS_SKMEM, .info = { bytes, sizeof(bytes) } };

	(void)state;
	sock.skmem[SKMEM_RCVBUF] = 1 << 20;
	sock.skmem[SKMEM_DROPS] = 3;
	put_info(bytes, TCPI_RTT, 200000);
	put_info(bytes, TCPI_PMTU, 1400);
	put_info(bytes, TCPI_TOTAL_RETRANS, 9);
	put_info(bytes, TCPI_RETRANS, 2);
	put_info(bytes, TCPI_SND_CWND, 10);
	put_info(bytes, TCPI_SND_MSS, 1448);
	put_info(bytes, TCPI_LAST_DATA_SENT, 5000);
	put_info(bytes, TCPI_LAST_DATA_RECV, 3000);
	put_info(bytes, TCPI_BACKOFF, 1);
	put_info(bytes, TCPI_PACING_RATE, 2 << 20);
	bytes[tcpi_fields[TCPI_SND_WSCALE].offset] = 7;
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		if (!selects(yes[i], &sock, NULL))
			fail_msg("'%s' does not select", yes[i]);
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		if (selects(no[i], &sock, NULL))
			fail_msg("'%s' selects", no[i]);
}

static void judge__fact_absent__is_false_in_either_polarity(void **state)
{
	static const char *const words[] = { "rtt > 1ms",	"rtt < 1h",	"rcv_wnd = 0", "min_rtt < 1h", "pmtu < 1500", "rcvbuf >= 0", "idle >= 0s",
					     "lastsnd >= 0s",	"pid = 5",	"comm = *",    "user = alice", "fwmark 0",    "cgroup /app", "autobound",
					     "last_ack_sent < 1h", "tcpi_state = 1" };
	CLEANUP(arena_free) struct arena arena = { 0 };
	uint8_t bytes[232] = { 0 };
	struct sock bare = { .state = SOCK_STATE_ESTAB }, zeros = { .state = SOCK_STATE_SYN_SENT, .info = { bytes, sizeof(bytes) } };

	(void)state;
	put_info(bytes, TCPI_MIN_RTT, UINT32_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		char *negated = arena_printf(&arena, "not ( %s )", words[i]);
		bool known = !strcmp(words[i], "tcpi_state = 1");

		if (selects(words[i], &bare, NULL) || selects(negated, &bare, NULL))
			fail_msg("'%s' judges what is not there", words[i]);
		if (!known && (selects(words[i], &zeros, NULL) || selects(negated, &zeros, NULL)))
			fail_msg("'%s' judges what was not measured", words[i]);
	}
	/* what stands beside it still counts */
	assert_true(selects("rtt > 1ms or sport = 0", &bare, NULL));
	assert_true(selects("not ( rtt > 1ms and sport = 5 )", &bare, NULL));
	/* a listener's tcp_info is no connection's */
	zeros.state = SOCK_STATE_LISTEN;
	assert_false(selects("cwnd >= 0", &zeros, NULL));
	assert_false(selects("unacked >= 0", &zeros, NULL));
	/* mini-sockets have no cgroup and nobody's uid, and that is known of the first only */
	bare.state = SOCK_STATE_TIME_WAIT;
	assert_true(selects("not cgroup /app", &bare, NULL));
	assert_false(selects("cgroup /app", &bare, NULL));
	assert_false(selects("user = 0", &bare, NULL));
	assert_false(selects("user != 0", &bare, NULL));
}

static void judge__owners__any_holder_counts(void **state)
{
	const struct process first = { .pid = 10, .comm = "nginx" }, second = { .pid = 11, .comm = "worker (2)" };
	const struct holder holders[] = { { &first, 3 }, { &second, 4 } };
	const struct filter_facts facts = { .holders = holders, .holder_count = 2, .port_lo = 30000, .port_hi = 40000 };
	const struct sock sock = { .state = SOCK_STATE_ESTAB, .uid = 1000, .inode = 5, .local.port = 30000 };

	(void)state;
	assert_true(selects("pid = 11", &sock, &facts));
	assert_true(selects("pid 10", &sock, &facts));
	assert_false(selects("pid = 12", &sock, &facts));
	assert_false(selects("pid != 11", &sock, &facts));
	assert_true(selects("pid != 12", &sock, &facts));
	assert_true(selects("comm = nginx", &sock, &facts));
	assert_true(selects("comm=ngin[a-z]", &sock, &facts));
	assert_true(selects("comm = '*(2)'", &sock, &facts));
	assert_true(selects("comm = worker\\ \\(?\\)", &sock, &facts));
	assert_false(selects("comm = ngin", &sock, &facts));
	assert_false(selects("comm != w*", &sock, &facts));
	assert_true(selects("user = alice", &sock, &facts));
	assert_true(selects("uid = 1000", &sock, &facts));
	assert_true(selects("user != 0", &sock, &facts));
	assert_true(selects("autobound", &sock, &facts));
	assert_false(selects("not autobound", &sock, &facts));
}

static void world_recorded__names_of_another_machine__are_not_guessed(void **state)
{
	CLEANUP(arena_free) struct arena arena = { 0 };
	const struct filter_facts app = { .cgroup = "/app" }, other = { .cgroup = "/other" };
	const struct filter_world *world = &filter_world_recorded;
	const struct sock sock = { .state = SOCK_STATE_ESTAB };
	struct err err;
	struct filter filter;

	(void)state;
	assert_int_equal(parse_in(&filter, &arena, world, "dev lo", &err), -EINVAL);
	assert_non_null(strstr(err.text, "give the index instead of 'lo'"));
	assert_int_equal(parse_in(&filter, &arena, world, "user root", &err), -EINVAL);
	assert_non_null(strstr(err.text, "give the uid instead of 'root'"));
	assert_int_equal(parse_in(&filter, &arena, world, "dev 3 and user 0", &err), 0);
	assert_int_equal(parse_in(&filter, &arena, world, "cgroup app", &err), 0);
	assert_int_equal(filter.needs, FILTER_NEEDS_CGROUP);
	assert_true(filter_judge(&filter, &sock, &app));
	assert_false(filter_judge(&filter, &sock, &other));
	assert_false(filter_judge(&filter, &sock, NULL));
	assert_int_equal(parse_in(&filter, &arena, world, "cgroup != /app", &err), 0);
	assert_true(filter_judge(&filter, &sock, &other));
	assert_false(filter_judge(&filter, &sock, NULL));
}

static void word__every_word__is_offered_once_and_understood(void **state)
{
	size_t count = 0;

	(void)state;
	for (size_t i = 0; filter_word(i); i++, count++)
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(filter_word(i), filter_word(j));
	assert_true(count > TCPI_COUNT);
	for (size_t i = 0; i < count; i++) {
		CLEANUP(arena_free) struct arena arena = { 0 };
		struct err err = { .text = "" };
		struct filter filter;

		parse(&filter, &arena, filter_word(i), &err);
		assert_null(strstr(err.text, "unknown word"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse__every_form__selects_what_it_says),
		cmocka_unit_test(parse__bad_text__is_quoted_with_the_nearest_word),
		cmocka_unit_test(parse__words_of_the_command_line__join),
		cmocka_unit_test(parse__text_without_bounds__is_refused_without_recursion),
		cmocka_unit_test(parse__facts_wanted__are_named_in_needs),
		cmocka_unit_test(judge__numbers__compare_in_the_units_of_the_field),
		cmocka_unit_test(judge__fact_absent__is_false_in_either_polarity),
		cmocka_unit_test(judge__owners__any_holder_counts),
		cmocka_unit_test(world_recorded__names_of_another_machine__are_not_guessed),
		cmocka_unit_test(word__every_word__is_offered_once_and_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
