/* SPDX-License-Identifier: MIT */
/* render/: findings, reports, the summary view and groups. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <locale.h>
#include <unistd.h>
#include <cmocka.h>

#include "../support/render_samples.h"
#include "render/paragraph.h"
#include "render/grid.h"

static struct out out;
static struct document doc;
static struct notices notices;
static struct arena arena;
static struct state_counts counts;

static int open_out(void **state)
{
	(void)state;
	notices = (struct notices){ .arena = &arena };
	doc = samples_document("tcptriage.report/1", &notices);
	out_open_mem(&out);
	return 0;
}

static int close_out(void **state)
{
	(void)state;
	out_close(&out);
	arena_free(&arena);
	return 0;
}

static struct report report_of(struct finding *const *findings, size_t count)
{
	return (struct report){ .doc = &doc, .counts = &counts, .findings = findings, .finding_count = count,
				.rules_run = 7, .samples = 3, .namespaces = 1, .duration_us = 5000000,
				.cost_us = 8100, .owner_cost_us = 3000, .sockets = 412, .info_for_all = true,
				.print_from = 0.4 };
}

static const char *render(const struct report *report, enum format format)
{
	out_clear(&out);
	report_renderers[format](&out, report);
	return out_text(&out);
}

static void assert_contains(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in '%s'", part, text);
}

static void assert_lacks(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("'%s' is in '%s'", part, text);
}

#define COST "3 samples in 5.0 s · 412 sockets in 1 namespace · tcp_info of all · read in 8.1 ms, owners in 3 ms\n"

static void report__one_finding_in_a_pipe__is_never_wrapped(void **state)
{
	struct finding finding = samples_finding(), *list[] = { &finding };
	struct report report = report_of(list, 1);

	(void)state;
	report.status = REPORT_CRITICAL;
	assert_string_equal(
		render(&report, FORMAT_TEXT),
		"CRITICAL  CLOSE-WAIT leak: a\\x1b[2J\\x0a\"b\\xff[4121] keeps 211 connections that 10.0.3.4:5432 has closed  very likely (0.88)\n"
		"          211 sockets, oldest 2 h 14 min · EOF was read, close() never called\n"
		"          against  one run only: a pool that evicts lazily looks the same\n"
		"          next     tcptriage states state close-wait pid = 4121 · ls -l /proc/4121/fd\n"
		"          fix      1 close in every path (defer/finally)  2 evict idle connections before the peer does\n"
		"          see      RFC 9293 §3.6 · tcptriage explain close-wait-leak\n"
		"\n"
		"1 finding (1 critical) from 7 rules that had their inputs\n" COST);
}

static void report__fast_looks__are_part_of_the_cost(void **state)
{
	struct report report = report_of(NULL, 0);

	(void)state;
	report.fast_sockets = 2;
	report.fast_looks = 240;
	assert_contains(render(&report, FORMAT_TEXT), "tcp_info of all · 2 sockets looked at 240 times in between · read in 8.1 ms");
	assert_contains(render(&report, FORMAT_JSON), ",\"fast_sockets\":2,\"fast_looks\":240,");
}

static void report__short_title__ends_at_the_right_margin(void **state)
{
	struct finding finding = samples_finding(), *list[] = { &finding };
	struct report report = report_of(list, 1);

	(void)state;
	finding.title = "short";
	finding.severity = SEVERITY_INFO;
	report.style.width = 60;
	assert_contains(render(&report, FORMAT_TEXT),
			"INFO      short                           very likely (0.88)\n");
}

static void report__narrow_terminal__wraps_with_a_hanging_indent(void **state)
{
	struct finding finding = samples_finding(), *list[] = { &finding };
	struct report report = report_of(list, 1);

	(void)state;
	finding.scope.comm = "app";
	report.style.width = 60;
	report.others = 2;
	assert_string_equal(render(&report, FORMAT_TEXT),
			    "CRITICAL  CLOSE-WAIT leak: app[4121] keeps 211 connections\n"
			    "          that 10.0.3.4:5432 has closed   very likely (0.88)\n"
			    "          211 sockets, oldest 2 h 14 min · EOF was read,\n"
			    "          close() never called\n"
			    "          against  one run only: a pool that evicts lazily\n"
			    "                   looks the same\n"
			    "          next\n"
			    "    tcptriage states state close-wait pid = 4121\n"
			    "                   ls -l /proc/4121/fd\n"
			    "          fix      1 close in every path (defer/finally)\n"
			    "                   2 evict idle connections before the peer\n"
			    "                   does\n"
			    "          see      RFC 9293 §3.6\n"
			    "                   tcptriage explain close-wait-leak\n"
			    "\n"
			    "1 finding (1 critical) from 7 rules that had their inputs\n"
			    "3 samples in 5.0 s · 412 sockets in 1 namespace\n"
			    "  tcp_info of all · read in 8.1 ms, owners in 3 ms\n");
}

static void report__address_wider_than_the_line__is_not_cut(void **state)
{
	struct finding finding = samples_finding(), *list[] = { &finding };
	struct report report = report_of(list, 1);

	(void)state;
	assert_true(addr_parse("2001:db8:1111:2222:3333:4444:5555:6666", &finding.scope.peer.addr));
	report.style.width = 30;
	assert_contains(render(&report, FORMAT_TEXT), "\n          [2001:db8:1111:2222:3333:4444:5555:6666]:5432\n");
}

static void report__no_findings__names_what_was_not_judged(void **state)
{
	static const struct skipped_rule skipped[] = { { "a-rule", "no counters" }, { "b-rule", "two samples are needed" }, { "c-rule", "no counters" } };
	struct report report = report_of(NULL, 0);

	(void)state;
	report.skipped = skipped;
	report.skipped_count = ARRAY_SIZE(skipped);
	report.rules_run = 4;
	doc.complete = false;
	notices_add(&notices, "cut\x1b");
	assert_string_equal(render(&report, FORMAT_TEXT),
			    "no findings from 4 rules that had their inputs · incomplete\n"
			    "not judged  a-rule, c-rule: no counters\n"
			    "            b-rule: two samples are needed\n"
			    "note        cut\\x1b\n" COST);
	assert_lacks(out_text(&out), "OK");
	report.verbose = true;
	assert_contains(render(&report, FORMAT_TEXT),
			"not judged  a-rule: no counters\n            b-rule: two samples are needed\n            c-rule: no counters\n");
}

static void report__near_misses__come_with_verbose(void **state)
{
	static const struct near_miss misses[] = { { "syn-sent-stall", 2, 7, UNIT_S, "oldest SYN-SENT" } };
	struct report report = report_of(NULL, 0);

	(void)state;
	report.misses = misses;
	report.miss_count = 1;
	assert_lacks(render(&report, FORMAT_TEXT), "syn-sent-stall");
	report.verbose = true;
	assert_contains(render(&report, FORMAT_TEXT), "near miss   syn-sent-stall: oldest SYN-SENT 2 s (threshold 7 s)\n");
}

static void report__folded_symptom__stands_under_its_cause_when_asked(void **state)
{
	struct finding cause = samples_finding(), symptom = samples_finding(), *list[] = { &cause, &symptom };
	struct report report = report_of(list, 2);

	(void)state;
	cause.folded = 1;
	symptom.parent = &cause;
	symptom.title = "a symptom";
	symptom.severity = SEVERITY_WARNING;
	assert_lacks(render(&report, FORMAT_TEXT), "a symptom");
	assert_contains(out_text(&out), "          explains 1 other (-v shows them)\n");
	assert_contains(out_text(&out), "1 finding (1 critical) from");
	report.verbose = true;
	assert_contains(render(&report, FORMAT_TEXT), "\n    WARNING   a symptom");
	assert_contains(out_text(&out), "          evidence oldest 2 h 14 min (sock_diag) · unit x\\x1b (/proc)\n");
	assert_contains(out_text(&out), "          causes   an error path returns without close()\n");
}

static void report__unsure_finding__needs_verbose(void **state)
{
	struct finding finding = samples_finding(), *list[] = { &finding };
	struct report report = report_of(list, 1);

	(void)state;
	finding.confidence = 0.39;
	assert_contains(render(&report, FORMAT_TEXT), "no findings from 7 rules");
	assert_lacks(render(&report, FORMAT_JSON), "close-wait-leak");
	report.verbose = true;
	assert_contains(render(&report, FORMAT_TEXT), "weak (0.39)\n");
	assert_contains(render(&report, FORMAT_JSON), "\"rule\":\"close-wait-leak\"");
	finding.confidence = 0.4;
	report.verbose = false;
	assert_contains(render(&report, FORMAT_TEXT), "possible (0.40)\n");
}

static void report__colour__is_on_the_severity_alone(void **state)
{
	struct finding finding = samples_finding(), *list[] = { &finding };
	struct report report = report_of(list, 1);
	size_t escapes = 0;

	(void)state;
	report.style.color = true;
	for (const char *p = render(&report, FORMAT_TEXT); *p; p++)
		escapes += *p == '\033';
	assert_int_equal(escapes, 2);
	assert_contains(out_text(&out), "\033[1;31mCRITICAL\033[0m  CLOSE-WAIT");
}

static void report_json__finding__has_every_member(void **state)
{
	struct finding finding = samples_finding(), *list[] = { &finding };
	struct report report = report_of(list, 1);

	(void)state;
	report.status = REPORT_CRITICAL;
	assert_contains(render(&report, FORMAT_JSON),
			",\"duration_ms\":5000,\"samples\":3,\"findings\":[\n"
			"{\"id\":\"00000000000012ab\",\"rule\":\"close-wait-leak\",\"severity\":\"critical\",\"confidence\":0.88,\"score\":83.5,"
			"\"scope\":{\"pid\":4121,\"comm\":\"a\\u001b[2J\\u000a\\\"b\\u00ff\",\"unit\":null,\"container\":null,\"netns\":null,"
			"\"local\":null,\"peer\":{\"address\":\"10.0.3.4\",\"port\":5432,\"prefix_length\":null},\"interface\":null},"
			"\"count\":211,\"evidence\":[{\"name\":\"oldest\",\"value\":8040,\"unit\":\"s\",\"source\":\"sock_diag\"},"
			"{\"name\":\"unit\",\"value\":\"x\\u001b\",\"unit\":\"\",\"source\":\"/proc\"}],"
			"\"title\":\"CLOSE-WAIT leak: a\\\\x1b[2J\\\\x0a\\\"b\\\\xff[4121] keeps 211 connections that 10.0.3.4:5432 has closed\",");
	assert_contains(out_text(&out), ",\"fixes\":[\"close in every path (defer/finally)\",\"evict idle connections before the peer does\"],"
					"\"refs\":[\"RFC 9293 §3.6\"],\"threshold\":{\"name\":\"critical_count\",\"value\":200,\"unit\":\"sockets\","
					"\"origin\":\"default\"},\"explains\":0,\"explained_by\":null,\"first_seen\":null,\"runs_seen\":null,\"trend\":null}\n],");
	assert_contains(out_text(&out), "\"skipped_rules\":[],\"near_misses\":[],\"status\":\"critical\",");
	assert_contains(out_text(&out), "\"cost_ms\":8.1,\"owner_cost_ms\":3,\"summary\":{\"tcp\":{\"ESTAB\":0,");
}

static void report_json__peer_network__has_its_prefix(void **state)
{
	struct finding finding = samples_finding(), *list[] = { &finding };
	struct report report = report_of(list, 1);

	(void)state;
	finding.scope.peer.port = 0;
	finding.scope.peer_bits = 24;
	finding.threshold.name = NULL;
	assert_contains(render(&report, FORMAT_JSON), "\"peer\":{\"address\":\"10.0.3.4\",\"port\":null,\"prefix_length\":24}");
	assert_contains(out_text(&out), ",\"threshold\":null,");
}

static void report_ndjson__lines__are_header_findings_summary(void **state)
{
	struct finding finding = samples_finding(), *list[] = { &finding, &finding };
	struct report report = report_of(list, 2);
	unsigned lines = 0;

	(void)state;
	render(&report, FORMAT_NDJSON);
	for (const char *p = out_text(&out); *p; p++)
		lines += *p == '\n';
	assert_int_equal(lines, 4);
	assert_ptr_equal(strstr(out_text(&out), "{\"type\":\"header\","), out.base);
	assert_contains(out_text(&out), "\n{\"type\":\"finding\",\"id\":\"00000000000012ab\",");
	assert_contains(out_text(&out), "\n{\"type\":\"summary\",\"duration_ms\":5000,");
}

static void summary__text__shows_every_state_and_what_was_flagged(void **state)
{
	static const char *const flags[] = { "syn-sent-stall", NULL };
	struct samples samples;
	struct summary_ports ports = { addr_v4(0x0a000001), { addr_v4(0x0a090909), 80 }, 14000, 13000, 28232 };
	struct summary_flagged flagged[2];
	struct summary summary = { .doc = &doc, .counts = &counts, .udp_v4 = 2, .ports = &ports, .port_count = 1,
				   .flagged = flagged, .flagged_count = 2, .flagged_more = 5 };

	(void)state;
	samples_make(&samples);
	flagged[0] = (struct summary_flagged){ &samples.sock[SAMPLE_ESTAB], &evil_process, OWNER_KNOWN, 31000, { TIMEOUT_NONE, -1 }, "recvq-not-drained" };
	flagged[1] = (struct summary_flagged){ &samples.sock[SAMPLE_TIMEWAIT], NULL, OWNER_TIME_WAIT, -1, { TIMEOUT_CLOSE, 41000 }, "time-wait-churn" };
	flagged[0].alike = 2;
	for (unsigned i = 0; i < ARRAY_SIZE(summary.line); i++)
		summary.line[i] = (struct summary_line){ .state = sock_state_display_order[i], .oldest_ms = -1, .top_owner = "", .top_peer = "" };
	summary.line[0].v4 = 812;
	summary.line[0].top_owner = EVIL_COMM "[812]";
	summary.line[0].top_owner_count = 640;
	summary.line[1] = (struct summary_line){ SOCK_STATE_SYN_SENT, 3, 0, 31000, "app[4121]", "10.9.9.9:80", 3, 3, flags };
	summary_render(&out, &summary, FORMAT_TEXT);
	assert_contains(out_text(&out), "STATE      IPv4 IPv6 OLDEST TOP OWNER");
	assert_contains(out_text(&out), "\nESTAB       812    0      – a\\x1b[2J\\x0a\"b\\xff[812] 640 –\n");
	assert_contains(out_text(&out), "\nSYN-SENT      3    0   31 s app[4121] 3                 10.9.9.9:80 3 syn-sent-stall\n");
	assert_contains(out_text(&out), "\nCLOSING       0    0      – –                           –\nUDP: 2 IPv4, 0 IPv6\n\n");
	assert_contains(out_text(&out), "\n10.9.9.9:80         10.0.0.1      14000        13000 14232 49 %\n");
	assert_contains(out_text(&out), "\nrecvq-not-drained ESTAB     127.0.0.1:35518 127.0.0.1:8002 31 s a\\x1b[2J\\x0a\"b\\xff[4121]    +2\n");
	assert_contains(out_text(&out), "\ntime-wait-churn   TIME-WAIT 10.0.0.1:40000  10.0.3.4:5432     – (time-wait)                  –\n… and 5 more: tcptriage states -ta --flags\n");
}

static void groups__text_and_json__escape_the_key(void **state)
{
	static const struct group_line lines[] = { { EVIL_COMM, 12, 3, 4 }, { "nginx", 1, 0, 0 } };
	struct style style = { 0 };

	(void)state;
	groups_render(&out, &doc, "process", lines, 2, FORMAT_TEXT, &style);
	assert_string_equal(out_text(&out), "process            SOCKETS RECV-Q SEND-Q\n"
					    "a\\x1b[2J\\x0a\"b\\xff      12      3      4\n"
					    "nginx                    1      0      0\n");
	out_clear(&out);
	groups_render(&out, &doc, "process", lines, 2, FORMAT_JSON, &style);
	assert_contains(out_text(&out), ",\"group_by\":\"process\",\"groups\":[\n{\"key\":\"a\\u001b[2J\\u000a\\\"b\\u00ff\",\"count\":12,"
					"\"recv_q\":3,\"send_q\":4},\n{\"key\":\"nginx\",\"count\":1,\"recv_q\":0,\"send_q\":0}],\"sockets\":[],\"summary\":null,");
}

/* Text that the locale cannot print once made the layout of a table endless. */
static void grid__utf8_in_the_c_locale__ends(void **state)
{
	static const struct grid_column columns[] = { { "A", false }, { "B", true }, { "", false } };
	struct grid grid;

	(void)state;
	setlocale(LC_ALL, "C");
	alarm(10);
	grid_open(&grid, columns, ARRAY_SIZE(columns));
	for (unsigned i = 0; i < 3; i++) {
		grid_line(&grid);
		grid_text(&grid, "日本·é");
		grid_text(&grid, NULL);
		grid_text(&grid, "x·y");
	}
	grid_print(&grid, &out);
	alarm(0);
	assert_contains(out_text(&out), "日本·é – x·y\n");
}

static void paragraph__unlimited_width__breaks_nothing(void **state)
{
	struct paragraph paragraph = paragraph_at(&out, 0, 0, 4);

	(void)state;
	paragraph_text(&paragraph, "a  b   c");
	paragraph_item(&paragraph, " · ", "d e");
	paragraph_end(&paragraph);
	assert_string_equal(out_text(&out), "a b c · d e\n");
	assert_int_equal(text_columns("·é–", strlen("·é–")), 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_out, close_out)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(report__one_finding_in_a_pipe__is_never_wrapped),
		TEST(report__fast_looks__are_part_of_the_cost),
		TEST(report__short_title__ends_at_the_right_margin),
		TEST(report__narrow_terminal__wraps_with_a_hanging_indent),
		TEST(report__address_wider_than_the_line__is_not_cut),
		TEST(report__no_findings__names_what_was_not_judged),
		TEST(report__near_misses__come_with_verbose),
		TEST(report__folded_symptom__stands_under_its_cause_when_asked),
		TEST(report__unsure_finding__needs_verbose),
		TEST(report__colour__is_on_the_severity_alone),
		TEST(report_json__finding__has_every_member),
		TEST(report_json__peer_network__has_its_prefix),
		TEST(report_ndjson__lines__are_header_findings_summary),
		TEST(summary__text__shows_every_state_and_what_was_flagged),
		TEST(groups__text_and_json__escape_the_key),
		TEST(grid__utf8_in_the_c_locale__ends),
		TEST(paragraph__unlimited_width__breaks_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
