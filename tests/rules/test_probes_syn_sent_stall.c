/* SPDX-License-Identifier: MIT */
/* syn-sent-stall on probes: filtered on the way, filtered at the host, and plain silence. */
#include "rules.h"

#define RULE "syn-sent-stall"
#define THEM "10.9.9.2"

static void filter__on_the_way__names_the_hop(void **state)
{
	static const struct {
		unsigned reach;
		double confidence;
		const char *words;
	} rows[] = { { 4, 0.9, "UDP reaches the host" }, { 3, 0.85, "UDP goes on to hop 3" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct finding *f;
		struct probing p;

		probing_trace(&p, RULE, THEM, 7777);
		probing_ends(&p, TRACE_FILTERED, 2);
		probing_side(&p, rows[i].reach);
		probing_judge(&p);
		f = probing_expect_one(&p, SEVERITY_WARNING);
		assert_true(f->confidence == rows[i].confidence);
		expect_text(f, f->title, "SYNs to 10.9.9.2:7777 are answered up to hop 2 (10.9.2.1) and not behind it: other packets pass");
		expect_against(f, "behind hop 2 (10.9.2.1) no answer tells");
		expect_text(f, f->detail, rows[i].words);
		expect_text(f, f->causes[0], "hop 2 (10.9.2.1) itself");
		probing_expect_list(f, f->next, "host 10.9.9.2 and tcp port 7777");
		probing_close(&p);
	}
}

static void filter__behind_the_last_router__may_be_the_host(void **state)
{
	const struct finding *f;
	struct probing p;

	(void)state;
	probing_trace(&p, RULE, "fd00:9::2", 443);
	probing_ends(&p, TRACE_FILTERED, 3);
	probing_side(&p, 4);
	probing_judge(&p);
	f = probing_expect_one(&p, SEVERITY_WARNING);
	expect_text(f, f->title, "SYNs to [fd00:9::2]:443 are answered up to hop 3 (fd00:3::1) and not behind it");
	assert_true(f->confidence == 0.9);
	expect_against(f, "answers lost on the way back look the same");
	probing_expect_list(f, f->causes, "accept queue is full");
	probing_expect_list(f, f->causes, "this host's own INPUT filter");
	probing_close(&p);
}

static void filter__where_no_hop_answers__has_no_place(void **state)
{
	const struct finding *f;
	struct probing p;

	(void)state;
	probing_trace(&p, RULE, THEM, 7777);
	probing_ends(&p, TRACE_FILTERED, 0);
	probing_side(&p, 4);
	probing_judge(&p);
	f = probing_expect_one(&p, SEVERITY_WARNING);
	assert_true(f->confidence == 0.7);
	expect_text(f, f->title, "where they are dropped is unknown");
	expect_text(f, f->causes[0], "this host's own firewall");
	expect_text(f, f->next[0], "nft list ruleset");
	expect_against(f, "this host's own filter, any router that does not answer, and the host look the same");
	probing_close(&p);
}

static void silence__is_no_more_than_possible(void **state)
{
	static const struct {
		unsigned after;
		double confidence;
		const char *title;
	} rows[] = { { 2, 0.6, "the last that is heard of its SYNs is hop 2 (10.9.2.1)" }, { 0, 0.5, "nor from any hop on the way" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct finding *f;
		struct probing p;

		probing_trace(&p, RULE, THEM, 7777);
		probing_ends(&p, TRACE_SILENT, rows[i].after);
		probing_judge(&p);
		f = probing_expect_one(&p, SEVERITY_WARNING);
		assert_true(f->confidence == rows[i].confidence);
		expect_text(f, f->title, rows[i].title);
		expect_text(f, f->detail, "no probe of another kind was sent");
		expect_against(f, "a dead host and a filter");
		probing_side(&p, rows[i].after);
		probing_judge(&p);
		expect_text(p.verdict.findings[0], p.verdict.findings[0]->detail, "come no further");
		probing_close(&p);
	}
}

static void silence__of_which_another_protocol_hears_more__names_the_speaker(void **state)
{
	static const struct {
		uint8_t reply;
		const char *words;
	} rows[] = { { REPLY_UNREACHABLE, "of UDP 10.9.3.1 says that the host cannot be reached" }, { REPLY_PROHIBITED, "of UDP 10.9.3.1 says that it is prohibited" },
		     { REPLY_TOO_BIG, "come no further" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct finding *f;
		struct probing p;

		probing_trace(&p, RULE, THEM, 7777);
		probing_ends(&p, TRACE_SILENT, 3);
		probing_side(&p, 3);
		p.trace.path.side[3].reply = rows[i].reply;
		p.trace.path.side[3].address = p.trace.path.side[2].address;
		probing_judge(&p);
		f = probing_expect_one(&p, SEVERITY_WARNING);
		expect_text(f, f->detail, rows[i].words);
		probing_close(&p);
	}
}

static void doubts__lower_it(void **state)
{
	static const struct {
		enum trace_finding finding;
		bool split, partial;
		double confidence;
	} rows[] = { { TRACE_FILTERED, true, false, 0.75 }, { TRACE_UNDECIDED, false, true, 0.45 }, { TRACE_SILENT, true, false, 0.6 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct probing p;

		probing_trace(&p, RULE, THEM, 7777);
		probing_ends(&p, rows[i].finding, 2);
		probing_side(&p, rows[i].finding == TRACE_FILTERED ? 4 : 2);
		p.trace.path.split = rows[i].split;
		p.trace.path.partial = rows[i].partial;
		probing_judge(&p);
		assert_true(probing_expect_one(&p, rows[i].partial ? SEVERITY_INFO : SEVERITY_WARNING)->confidence == rows[i].confidence);
		if (rows[i].partial)
			expect_text(p.verdict.findings[0], p.verdict.findings[0]->title, "was not finished: so far");
		expect_against(p.verdict.findings[0], rows[i].split ? "balance by flow" : "ended before");
		probing_close(&p);
	}
}

static void probes__too_few__are_a_near_miss(void **state)
{
	(void)state;
	for (uint32_t sent = 2; sent <= 3; sent++) {
		struct probing p;

		probing_trace(&p, RULE, THEM, 7777);
		probing_ends(&p, TRACE_SILENT, 0);
		p.trace.path.probes_sent = sent;
		probing_judge(&p);
		assert_int_equal(p.verdict.finding_count, sent == 3);
		assert_int_equal(p.verdict.miss_count, sent == 2);
		probing_close(&p);
	}
}

static void other_ends__are_silent(void **state)
{
	(void)state;
	for (unsigned finding = 0; finding < TRACE_FINDING_COUNT; finding++) {
		struct probing p;

		if (finding == TRACE_FILTERED || finding == TRACE_SILENT || finding == TRACE_UNDECIDED)
			continue;
		probing_trace(&p, RULE, THEM, 7777);
		p.trace.path.finding = (uint8_t)finding;
		probing_judge(&p);
		probing_expect_silence(&p);
		probing_close(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(filter__on_the_way__names_the_hop),
		cmocka_unit_test(filter__behind_the_last_router__may_be_the_host),
		cmocka_unit_test(filter__where_no_hop_answers__has_no_place),
		cmocka_unit_test(silence__is_no_more_than_possible),
		cmocka_unit_test(silence__of_which_another_protocol_hears_more__names_the_speaker),
		cmocka_unit_test(doubts__lower_it),
		cmocka_unit_test(probes__too_few__are_a_near_miss),
		cmocka_unit_test(other_ends__are_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
