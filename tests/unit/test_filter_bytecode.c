/* SPDX-License-Identifier: MIT */
/* filter/: programs for the kernel. An interpreter with the kernel's rules (net/ipv4/inet_diag.c) checks each program as the kernel does
 * before it runs it, and random filters on random sockets show that the judge never selects what the program does not. */
#include <errno.h>
#include <linux/inet_diag.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "filter_world.h"

#define BC_DEV_COND 9
#define BC_MARK_COND 10
#define BC_CGROUP_COND 13

/* A socket as inet_diag sees it. */
struct entry {
	uint8_t src[16], dst[16];
	uint16_t sport, dport, family;
	bool port_locked;
	uint32_t ifindex, mark;
	uint64_t cgroup_id;
};

static struct inet_diag_bc_op op_at(const uint8_t *code, size_t at)
{
	struct inet_diag_bc_op op;

	memcpy(&op, code + at, sizeof(op));
	return op;
}

/* Shortest length that the audit accepts for the operation at @at; 0 for one that it refuses. */
static size_t least_length(const uint8_t *code, size_t len, size_t at)
{
	uint8_t family;

	switch (code[at]) {
	case INET_DIAG_BC_JMP:
	case INET_DIAG_BC_AUTO:
		return 4;
	case INET_DIAG_BC_S_GE:
	case INET_DIAG_BC_S_LE:
	case INET_DIAG_BC_D_GE:
	case INET_DIAG_BC_D_LE:
	case BC_DEV_COND:
		return 8;
	case BC_MARK_COND:
	case BC_CGROUP_COND:
		return 12;
	case INET_DIAG_BC_S_COND:
	case INET_DIAG_BC_D_COND:
		if (len - at < 12)
			return 0;
		family = code[at + 4];
		if (code[at + 5] > (family == AF_INET6 ? 128 : family == AF_INET ? 32 : 0))
			return 0;
		return family == AF_INET6 ? 28 : family == AF_INET ? 16 : 12;
	default:
		return 0;
	}
}

/* Whether a walk by `yes` from the start reaches @target. */
static bool is_boundary(const uint8_t *code, size_t len, size_t target)
{
	size_t at = 0;

	while (at < target && at < len)
		at += op_at(code, at).yes;
	return at == target;
}

static void assert_audited(const uint8_t *code, size_t len, const char *text)
{
	for (size_t at = 0; at < len;) {
		struct inet_diag_bc_op op = op_at(code, at);
		size_t least = least_length(code, len, at), left = len - at;
		bool no_fits = op.no >= least && op.no <= left + 4 && !(op.no & 3);

		if (!least || least > left || op.yes < least || op.yes > left || op.yes & 3 || !no_fits ||
		    (op.no < left && !is_boundary(code, len, at + op.no)))
			fail_msg("'%s': the kernel refuses operation %u at %zu", text, op.code, at);
		at += op.yes;
	}
}

static bool bits_match(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	for (unsigned i = 0; i < bits; i++)
		if ((a[i / 8] ^ b[i / 8]) >> (7 - i % 8) & 1)
			return false;
	return true;
}

static bool host_matches(const uint8_t *operand, const uint8_t *addr, uint16_t port, const struct entry *entry)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct inet_diag_hostcond cond;

	memcpy(&cond, operand, sizeof(cond));
	if (cond.port != -1 && cond.port != port)
		return false;
	if (cond.family != AF_UNSPEC && cond.family != entry->family)
		return entry->family == AF_INET6 && cond.family == AF_INET && !memcmp(addr, mapped, 12) &&
		       bits_match(addr + 12, operand + sizeof(cond), cond.prefix_len);
	return bits_match(addr, operand + sizeof(cond), cond.prefix_len);
}

static bool op_matches(const uint8_t *at, const struct entry *entry)
{
	struct inet_diag_bc_op bound;
	uint32_t words[2];
	uint64_t id;

	memcpy(&bound, at + 4, sizeof(bound));
	memcpy(words, at + 4, at[0] == BC_MARK_COND ? 8 : 4);
	switch (at[0]) {
	case INET_DIAG_BC_S_GE:
		return entry->sport >= bound.no;
	case INET_DIAG_BC_S_LE:
		return entry->sport <= bound.no;
	case INET_DIAG_BC_D_GE:
		return entry->dport >= bound.no;
	case INET_DIAG_BC_D_LE:
		return entry->dport <= bound.no;
	case INET_DIAG_BC_AUTO:
		return !entry->port_locked;
	case INET_DIAG_BC_S_COND:
		return host_matches(at + 4, entry->src, entry->sport, entry);
	case INET_DIAG_BC_D_COND:
		return host_matches(at + 4, entry->dst, entry->dport, entry);
	case BC_DEV_COND:
		return words[0] == entry->ifindex;
	case BC_MARK_COND:
		return (entry->mark & words[1]) == words[0];
	case BC_CGROUP_COND:
		memcpy(&id, at + 4, sizeof(id));
		return id == entry->cgroup_id;
	default:
		return false;
	}
}

static bool run(const uint8_t *code, size_t len, const struct entry *entry)
{
	/* four bytes of slack: an operation without operands may stand at the end */
	_Alignas(8) static uint8_t copy[UINT16_MAX + 16];
	size_t at = 0;

	if (len)
		memcpy(copy, code, len);
	while (at < len) {
		struct inet_diag_bc_op op = op_at(copy, at);

		at += op_matches(copy + at, entry) ? op.yes : op.no;
	}
	return at == len;
}

static void raw_address(uint8_t raw[16], const struct addr *addr, unsigned family)
{
	memset(raw, 0, 16);
	memcpy(raw, addr->bytes, 16);
	if (family != ADDR_V6 || addr->family != ADDR_V4)
		return;
	memset(raw, 0, 16);
	raw[10] = raw[11] = 0xff;
	memcpy(raw + 12, addr->bytes, 4);
}

static struct entry entry_of(const struct sock *sock)
{
	struct entry entry = { .sport = sock->local.port,
			       .dport = sock->peer.port,
			       .family = sock->family == ADDR_V6 ? AF_INET6 : AF_INET,
			       .port_locked = sock->local.port < 30000,
			       .ifindex = sock->ifindex,
			       .mark = sock->mark,
			       .cgroup_id = sock->state == SOCK_STATE_TIME_WAIT ? 0 : sock->cgroup_id };

	raw_address(entry.src, &sock->local.addr, sock->family);
	raw_address(entry.dst, &sock->peer.addr, sock->family);
	return entry;
}

static uint64_t seed;

static unsigned below(unsigned bound)
{
	seed = hash_u64(seed + 0x9e3779b97f4a7c15ULL);
	return (unsigned)(seed % bound);
}

#define PICK(list) (list)[below(ARRAY_SIZE(list))]

static const char *const v4[] = { "10.0.0.1", "10.0.0.2", "10.0.1.1", "127.0.0.1", "0.0.0.0", "255.255.255.255", "192.168.1.1" };
static const char *const v6[] = { "::", "::1", "2001:db8::1", "2001:db8::2", "2001:db9::1", "fe80::1", "ffff:ffff::1" };
static const unsigned ports[] = { 0, 1, 22, 79, 80, 81, 443, 29999, 30000, 39999, 65534, 65535 };

static struct sock random_sock(void)
{
	static uint8_t info[232];
	static const uint8_t states[] = { SOCK_STATE_ESTAB, SOCK_STATE_LISTEN, SOCK_STATE_TIME_WAIT, SOCK_STATE_SYN_SENT };
	struct sock sock = { .state = PICK(states), .ifindex = below(3), .mark = below(4), .cgroup_id = 76 + below(3),
			     .recv_q = below(3), .uid = 999 + below(3), .inode = 1, .has = SOCK_HAS_MARK };
	bool mapped = !below(3);
	uint32_t rtt = below(4) * 1000;

	sock.family = (uint8_t)below(2);
	addr_parse(sock.family == ADDR_V4 || mapped ? PICK(v4) : PICK(v6), &sock.local.addr);
	addr_parse(sock.family == ADDR_V4 || mapped ? PICK(v4) : PICK(v6), &sock.peer.addr);
	sock.local.port = (uint16_t)PICK(ports);
	sock.peer.port = (uint16_t)PICK(ports);
	if (sock.state != SOCK_STATE_TIME_WAIT)
		sock.has |= SOCK_HAS_CGROUP_ID;
	if (below(2)) {
		memcpy(info + tcpi_fields[TCPI_RTT].offset, &rtt, sizeof(rtt));
		sock.info = (struct tcp_info_bytes){ info, sizeof(info) };
	}
	return sock;
}

static void random_leaf(struct out *out, bool own_too)
{
	static const char *const operators[] = { "=", "!=", "<", ">", "<=", ">=" };
	static const char *const own[] = { "rtt > 1ms", "rtt <= 2ms", "recvq = 1",  "user = alice", "pid = 1",
					   "comm = x",	"pid != 2",   "cwnd >= 0", "autobound",    "user != 0" };
	static const char *const fixed[] = { "dev = 0",	   "dev 1",	"dev != 2",  "fwmark 1", "fwmark 2/2", "fwmark != 3/1", "cgroup /app",
					     "cgroup != /app", "src *",	"dst both", "src ::ffff:0:0/96", "src 0.0.0.0/0", "dst ::/0" };
	const char *side = below(2) ? "src" : "dst";

	switch (below(own_too ? 6 : 4)) {
	case 0:
		out_printf(out, "%s %s/%u", side, PICK(v4), below(33));
		break;
	case 1:
		out_printf(out, "%s [%s/%u]:%u", side, PICK(v6), below(129), PICK(ports));
		break;
	case 2:
		out_printf(out, "%cport %s %u", side[0], PICK(operators), PICK(ports));
		break;
	case 3:
		out_str(out, PICK(fixed));
		break;
	default:
		out_str(out, PICK(own));
	}
}

static void random_list(struct out *out, unsigned depth, bool own_too)
{
	static const char *const connectors[] = { " and ", " or ", " ", " | ", " && " };
	unsigned terms = 1 + below(4);

	for (unsigned i = 0; i < terms; i++) {
		if (i)
			out_str(out, PICK(connectors));
		if (!below(3))
			out_str(out, "not ");
		if (!depth || below(2)) {
			random_leaf(out, own_too);
			continue;
		}
		out_str(out, "( ");
		random_list(out, depth - 1, own_too);
		out_str(out, " )");
	}
}

struct tally {
	unsigned judged_yes, judged_no, widened, exact;
};

static void compare_one(const char *text, struct tally *tally)
{
	static const struct process process = { .pid = 1, .comm = "x" };
	static const struct holder holder = { &process, 3 };
	CLEANUP(arena_free) struct arena arena = { 0 };
	struct filter_facts facts = { .holders = &holder, .port_lo = 30000, .port_hi = 65535 };
	char *copy = arena_strdup(&arena, text);
	struct err err = { .text = "" };
	struct filter filter;
	const void *code = NULL;
	size_t len = 0;
	bool exact = false;

	if (filter_parse(&filter, &arena, &test_world, 1, &copy, &err) || filter_compile(&filter, &arena, &code, &len, &exact, &err))
		fail_msg("'%s': %s", text, err.text);
	assert_true(!!code == !!len);
	assert_audited(code, len, text);
	tally->exact += exact;
	for (unsigned i = 0; i < 40; i++) {
		struct sock sock = random_sock();
		struct entry entry = entry_of(&sock);
		bool judged, ran = run(code, len, &entry);

		facts.holder_count = below(2);
		judged = filter_judge(&filter, &sock, &facts);
		if (!(filter.families & 1u << sock.family))
			continue;
		if (judged && !ran)
			fail_msg("'%s' (seed %llx): the kernel leaves out what is selected", text, (unsigned long long)seed);
		if (exact && judged != ran)
			fail_msg("'%s': called exact, but the kernel says %d", text, ran);
		tally->judged_yes += judged;
		tally->judged_no += !judged;
		tally->widened += ran && !judged;
	}
}

static void random_filters(unsigned count, bool own_too, struct tally *tally)
{
	CLEANUP(out_close) struct out out;

	out_open_mem(&out);
	for (unsigned i = 0; i < count; i++) {
		out_clear(&out);
		random_list(&out, 3, own_too);
		compare_one(out_text(&out), tally);
	}
}

static void compile__kernel_predicates__select_exactly(void **state)
{
	struct tally tally = { 0 };

	(void)state;
	seed = 1;
	random_filters(4000, false, &tally);
	assert_int_equal(tally.exact, 4000);
	assert_int_equal(tally.widened, 0);
	assert_true(tally.judged_yes > 20000 && tally.judged_no > 20000);
}

static void compile__own_predicates_mixed_in__select_a_superset(void **state)
{
	struct tally tally = { 0 };

	(void)state;
	seed = 2;
	random_filters(6000, true, &tally);
	assert_true(tally.judged_yes > 20000 && tally.judged_no > 20000);
	assert_true(tally.widened > 5000);
	assert_true(tally.exact > 100 && tally.exact < 5900);
}

/* What compiling @text gives. */
static int compile(const char *text, size_t *len, bool *exact, struct err *err)
{
	CLEANUP(arena_free) struct arena arena = { 0 };
	char *copy = arena_strdup(&arena, text);
	struct filter filter;
	const void *code;
	int result;

	assert_int_equal(filter_parse(&filter, &arena, &test_world, 1, &copy, err), 0);
	result = filter_compile(&filter, &arena, &code, len, exact, err);
	if (!result && *len)
		assert_audited(code, *len, text);
	return result;
}

static void compile__what_the_kernel_cannot_narrow__sends_nothing(void **state)
{
	static const char *const wide[] = { "", "state established", "rtt > 1ms", "not pid = 5", "rtt > 1ms or sport = 80", "src *",
					    "sport >= 0", "not ( rtt > 1ms and sport = 80 )", "not sport > 65535" };
	static const struct {
		const char *text;
		size_t len;
		bool exact;
	} rows[] = {
		{ "sport = 80", 12, true },
		{ "sport > 80", 8, true },
		{ "not sport > 80", 8, true },
		{ "sport != 80", 16, true },
		{ "src 10.0.0.1", 16, true },
		{ "src ::1", 28, true },
		{ "sport = 80 and rtt > 1ms", 12, false },
		{ "sport = 80 and src *", 12, true },
		{ "sport = 80 or sport < 0", 12, true },
		{ "autobound", 4, false },
		{ "not src *", 4, true },
		{ "sport < 0 or sport > 65535", 4, true },
		{ "rtt > 1ms and not src *", 4, false },
	};
	struct err err;
	size_t len;
	bool exact;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wide); i++) {
		assert_int_equal(compile(wide[i], &len, &exact, &err), 0);
		if (len)
			fail_msg("'%s' sends %zu bytes", wide[i], len);
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(compile(rows[i].text, &len, &exact, &err), 0);
		if (len != rows[i].len || exact != rows[i].exact)
			fail_msg("'%s': %zu bytes, exact %d", rows[i].text, len, exact);
	}
}

static char *long_filter(const char *part, size_t count)
{
	char *text = xmalloc((strlen(part) + 4) * count + 1), *at = text;

	*at = '\0';
	for (size_t i = 0; i < count; i++)
		at = stpcpy(stpcpy(at, i ? " or " : ""), part);
	return text;
}

static void compile__program_beyond_16_bits__is_refused(void **state)
{
	struct err err = { .text = "" };
	bool exact;
	size_t len;
	char *text = long_filter("src ::1", 2040);

	(void)state;
	assert_int_equal(compile(text, &len, &exact, &err), 0);
	assert_int_equal(len, 2040 * 32 - 4);
	free(text);
	text = long_filter("src ::1", 2050);
	assert_int_equal(compile(text, &len, &exact, &err), -E2BIG);
	assert_non_null(strstr(err.text, "too long for the kernel"));
	assert_int_equal(len, 0);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compile__kernel_predicates__select_exactly),
		cmocka_unit_test(compile__own_predicates_mixed_in__select_a_superset),
		cmocka_unit_test(compile__what_the_kernel_cannot_narrow__sends_nothing),
		cmocka_unit_test(compile__program_beyond_16_bits__is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
