/* SPDX-License-Identifier: MIT */
/* ttl-exceeded on probes: routers that answer again and again. */
#include "rules.h"

#define RULE "ttl-exceeded"
#define THEM "10.9.9.2"

/* One letter a hop: the router 10.9.<letter>.1, '*' a mute one. */
static void walk(struct probing *p, const char *letters)
{
	struct trace_path *path = &p->trace.path;

	probing_trace(p, RULE, THEM, 443);
	probing_ends(p, TRACE_LOOP, 0);
	path->hop_count = 0;
	for (unsigned ttl = 1; letters[ttl - 1]; ttl++) {
		struct path_hop *hop = &path->hops[path->hop_count++];
		char text[32];

		*hop = (struct path_hop){ .ttl = (uint8_t)ttl, .rtt_us = 1000, .reply = letters[ttl - 1] == '*' ? REPLY_NONE : REPLY_EXPIRED, .tries = 1 };
		snprintf(text, sizeof(text), "10.9.%d.1", letters[ttl - 1]);
		if (hop->reply == REPLY_EXPIRED)
			assert_true(addr_parse(text, &hop->address));
	}
}

static void loop__of_routers__is_proven_by_two_rounds(void **state)
{
	static const struct {
		const char *hops;
		bool proven;
		double confidence;
		const char *title, *detail;
	} rows[] = {
		{ "xABABAB", true, 0.97, "to and fro between 10.9.65.1 and 10.9.66.1", "hops 2 to 3 are the first round, 2 routers in it, 4 answers" },
		{ "ABAB", true, 0.97, "between 10.9.65.1 and 10.9.66.1", "hops 1 to 2 are the first round, 2 routers in it, 2 answers" },
		{ "xyABCABC", true, 0.97, "between 10.9.65.1 and 10.9.66.1", "hops 3 to 5 are the first round, 3 routers in it, 3 answers" },
		{ "xA*A*A", true, 0.97, "between 10.9.65.1 and one that does not answer", "hops 2 to 3 are the first round, 2 routers in it, 2 answers" },
		{ "xAB*BA*AB", true, 0.97, "between 10.9.66.1 and 10.9.65.1", "hops 3 to 4 are the first round, 2 routers in it, 2 answers" },
		{ "xABA", false, 0.7, "between 10.9.65.1 and 10.9.66.1", "2 routers in it, 1 answer of" },
		{ "xA*A", false, 0.7, "between 10.9.65.1 and one that does not answer", "2 routers in it, 1 answer of" },
		{ "xAAAA", false, 0.85, "10.9.65.1 answers again and again for packets to 10.9.9.2", "it begins at hop 2, 3 answers" },
		{ "xAA", false, 0.8, "die at a router that is not known", "20 probes" },
		{ "xABC", false, 0.8, "use up their whole hop limit", "20 probes" },
		{ "", false, 0.8, "use up their whole hop limit", "20 probes" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct finding *f;
		struct probing p;

		walk(&p, rows[i].hops);
		probing_judge(&p);
		f = probing_expect_one(&p, rows[i].proven ? SEVERITY_CRITICAL : SEVERITY_WARNING);
		assert_true(f->confidence == rows[i].confidence);
		expect_text(f, f->title, rows[i].title);
		expect_text(f, f->detail, rows[i].detail);
		assert_string_equal(f->next[1], "ip route show table all");
		for (size_t fix = 0; f->fixes[fix] && rows[i].proven; fix++)
			assert_null(strstr(f->fixes[fix], "TTL of 64"));
		probing_close(&p);
	}
}

static void loop__seen_from_many_ports__is_a_warning(void **state)
{
	const struct finding *f;
	struct probing p;

	(void)state;
	walk(&p, "xABABABAB");
	p.trace.path.split = true;
	probing_judge(&p);
	f = probing_expect_one(&p, SEVERITY_WARNING);
	assert_true(f->confidence == 0.75);
	expect_against(f, "balance by flow");
	probing_close(&p);
}

static void syn__that_expires_with_its_full_hop_limit__names_the_router(void **state)
{
	const struct finding *f;
	struct probing p;

	(void)state;
	walk(&p, "x**");
	p.trace.path.ran_out = true;
	probing_by(&p, "10.9.7.1", 11, 0);
	probing_judge(&p);
	f = probing_expect_one(&p, SEVERITY_WARNING);
	expect_text(f, f->title, "die at 10.9.7.1: they run in a circle, most likely");
	expect_against(f, "ip_default_ttl");
	probing_close(&p);

	walk(&p, "xA*");
	p.trace.path.ran_out = true;
	probing_by(&p, "10.9.65.1", 11, 0);
	probing_judge(&p);
	f = probing_expect_one(&p, SEVERITY_CRITICAL);
	assert_true(f->confidence == 0.93);
	expect_text(f, f->title, "come by 10.9.65.1 at hop 2, and again when");
	p.trace.path.split = true;
	probing_judge(&p);
	probing_expect_one(&p, SEVERITY_WARNING);
	probing_close(&p);

	walk(&p, "ABA");
	p.trace.path.ran_out = true; /* one answer that comes again, and the end of the whole hop limit, prove it together */
	probing_by(&p, "10.9.7.1", 11, 0);
	probing_judge(&p);
	f = probing_expect_one(&p, SEVERITY_CRITICAL);
	assert_true(f->confidence == 0.97);
	expect_text(f, f->title, "to and fro between 10.9.65.1 and 10.9.66.1");
	p.trace.path.ran_out = false;
	probing_judge(&p);
	probing_expect_one(&p, SEVERITY_WARNING);
	probing_close(&p);
}

static void packet__that_expires_with_its_full_hop_limit__warns(void **state)
{
	const struct finding *f;
	struct probing p;

	(void)state;
	probing_mtu(&p, RULE, THEM, 443);
	p.mtu.path.finding = MTU_UNREACHABLE;
	p.mtu.path.says = REPLY_EXPIRED;
	assert_true(addr_parse("10.9.2.1", &p.mtu.path.says_by));
	probing_judge(&p);
	f = probing_expect_one(&p, SEVERITY_WARNING);
	expect_text(f, f->title, "Packets to 10.9.9.2 die of their TTL at 10.9.2.1");
	probing_expect_list(f, f->next, "tcptriage trace 10.9.9.2:443");
	probing_close(&p);
}

static void other_ends__are_silent(void **state)
{
	struct probing p;

	(void)state;
	for (unsigned finding = 0; finding < TRACE_FINDING_COUNT; finding++) {
		if (finding == TRACE_LOOP)
			continue;
		walk(&p, "xABABAB");
		p.trace.path.finding = (uint8_t)finding;
		probing_judge(&p);
		probing_expect_silence(&p);
		probing_close(&p);
	}
	probing_mtu(&p, RULE, THEM, 443);
	p.mtu.path.says = REPLY_EXPIRED;
	probing_judge(&p);
	probing_expect_silence(&p);
	probing_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loop__of_routers__is_proven_by_two_rounds),
		cmocka_unit_test(loop__seen_from_many_ports__is_a_warning),
		cmocka_unit_test(syn__that_expires_with_its_full_hop_limit__names_the_router),
		cmocka_unit_test(packet__that_expires_with_its_full_hop_limit__warns),
		cmocka_unit_test(other_ends__are_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
