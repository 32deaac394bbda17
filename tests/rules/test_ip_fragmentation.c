/* SPDX-License-Identifier: MIT */
/* ip-fragmentation: how many datagrams do not become whole, what is missing, and fragments that all arrive. */
#include "rules.h"

#define RULE "ip-fragmentation"

/* @lost of @all datagrams in fragments from 10.0.0.2 to @dst; of each the first fragment came, and @rest more. */
static void fragments(struct wire *w, const char *dst, uint64_t all, unsigned lost, unsigned rest, bool first)
{
	w->totals.trains = all;
	w->totals.trains_lost = lost;
	w->totals.fragments = all * 5;
	for (unsigned i = 0; i < lost && w->train_count < WIRE_REPORTS; i++) {
		struct fragment_train *train = &w->trains[w->train_count++];

		*train = (struct fragment_train){ .id = i, .got = 1480, .fragments = first + rest, .protocol = PROTOCOL_UDP, .has_first = first, .first_ns = wire_ns(2) };
		assert_true(addr_parse(strchr(dst, ':') ? "2001:db8::2" : "10.0.0.2", &train->src));
		assert_true(addr_parse(dst, &train->dst));
	}
	wire_lasts(w, 60);
}

static void lost__share_and_count__at_their_edges(void **state)
{
	static const struct {
		uint64_t all;
		unsigned lost;
		int severity;
	} rows[] = {
		{ 0, 0, -1 },			{ 1000, 0, -1 },
		{ 300, 3, SEVERITY_WARNING },	{ 301, 3, -1 },
		{ 2, 2, -1 },			{ 3, 3, SEVERITY_WARNING },
		{ 9, 9, SEVERITY_WARNING },	{ 10, 10, SEVERITY_CRITICAL },
		{ 100, 10, SEVERITY_CRITICAL }, { 101, 10, SEVERITY_WARNING },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct wire w;

		wire_open(&w, RULE);
		fragments(&w, "10.9.9.9", rows[i].all, rows[i].lost, 2, true);
		wire_judge(&w);
		if (rows[i].severity >= 0)
			wire_expect_one(&w, (enum severity)rows[i].severity);
		else
			wire_expect_silence(&w);
		if (rows[i].severity < 0 && rows[i].lost)
			wire_expect_near(&w, rows[i].lost);
		wire_close(&w);
	}
}

static void missing__fragments__tell_who_took_them(void **state)
{
	static const struct {
		unsigned rest;
		bool first;
		const char *says;
	} rows[] = { { 0, true, "only first fragments come" }, { 2, false, "the first fragments are missing" }, { 2, true, "here and there" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct finding *f;
		struct wire w;

		wire_open(&w, RULE);
		fragments(&w, "2001:db8::9", 20, 20, rows[i].rest, rows[i].first);
		wire_judge(&w);
		f = wire_expect_one(&w, SEVERITY_CRITICAL);
		expect_text(f, f->title, "100 % of the datagrams in fragments to 2001:db8::9 do not arrive whole");
		expect_text(f, f->detail, rows[i].says);
		expect_text(f, f->detail, "20 of 20 datagrams, udp, up to 1480 B");
		assert_int_equal(evidence_of(f, "began"), 2000);
		wire_close(&w);
	}
}

static void receiver__that_gives_up__is_believed(void **state)
{
	const struct finding *f;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	fragments(&w, "10.9.9.9", 20, 0, 0, true);
	wire_icmp(&w, wire_udp(&w, "10.0.0.2:5000", "10.9.9.9:5001", 20, 0), ICMP_REASSEMBLY_EXCEEDED, "10.9.9.9", 12);
	wire_judge(&w);
	f = wire_expect_one(&w, SEVERITY_CRITICAL);
	expect_text(f, f->detail, "12 of 20 datagrams, udp · told by the receiver");
	assert_int_equal(evidence_of(f, "given_up"), 12);
	wire_close(&w);
}

static void destinations__several__leave_the_scope_open(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	fragments(&w, "10.9.9.9", 20, 5, 2, true);
	fragments(&w, "10.9.9.8", 20, 5, 2, true);
	wire_judge(&w);
	assert_false(wire_expect_one(&w, SEVERITY_WARNING)->scope.has_peer);
	wire_close(&w);
}

static void doubts__overlaps_and_trust__are_told(void **state)
{
	const struct finding *f;
	struct wire w;

	(void)state;
	wire_open(&w, RULE);
	w.trust = 0.7;
	fragments(&w, "10.9.9.9", 20, 5, 2, true);
	w.trains[0].overlaps = true;
	wire_judge(&w);
	f = wire_expect_one(&w, SEVERITY_WARNING);
	assert_true(f->confidence < 0.6);
	expect_against(f, "1 datagram came in fragments that overlap");
	expect_against(f, "capture-quality");
	wire_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lost__share_and_count__at_their_edges),
		cmocka_unit_test(missing__fragments__tell_who_took_them),
		cmocka_unit_test(receiver__that_gives_up__is_believed),
		cmocka_unit_test(destinations__several__leave_the_scope_open),
		cmocka_unit_test(doubts__overlaps_and_trust__are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
