/* SPDX-License-Identifier: MIT */
/* render/: results of probes where golden samples cannot go: full tables, numbers that no enumerator has, the width of a terminal. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../support/probe_samples.h"
#include "../support/render_samples.h"
#include "render/paragraph.h"

static struct out out;
static struct mtu_result mtu;
static struct trace_result trace;
static const struct addr longest = { .bytes = { 0x20, 1, 0x1d, 0xb8, 0x11, 0x11, 0x22, 0x22, 0x33, 0x33, 0x44, 0x44, 0x55, 0x55, 0x66, 0x66 }, .family = ADDR_V6 };

static int open_out(void **state)
{
	(void)state;
	out_open_mem(&out);
	return 0;
}

static int close_out(void **state)
{
	(void)state;
	out_close(&out);
	return 0;
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

static const char *print(const struct probe_result *result, enum format format, unsigned width, bool verbose)
{
	struct document doc = samples_document("x", NULL);
	struct probe_report report = { .doc = &doc, .target = "h", .results = result, .result_count = 1, .verbose = verbose, .show_hops = true,
				       .style = { .width = width } };

	out_clear(&out);
	(result->mtu ? mtu_probe_renderers : trace_renderers)[format](&out, &report);
	return out_text(&out);
}

static size_t widest_line(const char *text)
{
	size_t widest = 0;

	for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
		widest = MAX(widest, text_columns(text, strcspn(text, "\n")));
	return widest;
}

/* Bytes that no search writes; a bool is spared, for it can hold no other number. */
static void fill(void *bytes, size_t len, uint32_t seed)
{
	uint8_t *at = bytes;

	for (size_t i = 0; i < len; i++) {
		seed = seed * 1664525 + 1013904223;
		at[i] = seed % 3 ? (uint8_t)(seed >> 24) : 0xff;
	}
}

static void mend_route(struct route *route)
{
	route->mtu_locked = route->carrier = route->is_default = route->is_local = true;
}

static void mend_hops(struct path_hop *hops)
{
	for (size_t i = 0; i < PATH_HOPS_MAX; i++)
		hops[i].large_sent = true;
}

static void spoil(uint32_t seed)
{
	fill(&mtu, sizeof(mtu), seed);
	mtu.name = "n";
	mtu.zone = seed % 2 ? "z" : NULL;
	mend_route(&mtu.route);
	mend_hops(mtu.path.hops);
	mtu.path.lossy = mtu.path.partial = mtu.path.rate_limited = mtu.path.says_icmp = mtu.path.unheard = mtu.reverse.quiet = true;
	mtu.tcp.made = mtu.tcp.connected = seed % 2;
	fill(&trace, sizeof(trace), seed);
	trace.name = trace.zone = NULL;
	mend_route(&trace.route);
	mend_hops(trace.path.hops);
	mend_hops(trace.path.side);
	trace.path.is_icmp = trace.path.split = trace.path.partial = trace.path.ran_out = trace.path.host_at_most = true;
}

static void result__numbers_that_no_enumerator_has__are_printed_as_unknown(void **state)
{
	const struct probe_result results[] = { { .mtu = &mtu }, { .trace = &trace } };

	(void)state;
	for (uint32_t seed = 1; seed <= 200; seed++) {
		spoil(seed);
		mtu.path.finding = trace.path.finding = 200;
		for (unsigned i = 0; i < ARRAY_SIZE(results); i++) {
			assert_contains(print(&results[i], FORMAT_TEXT, 80, true), ": ");
			assert_contains(print(&results[i], FORMAT_JSON, 0, false), "\"verdict\":\"unknown\"");
			assert_contains(print(&results[i], FORMAT_NDJSON, 0, false), "\"verdict\":\"unknown\"");
		}
		out_clear(&out);
		mtu_probe_progress(&out, &longest, &mtu.path);
		trace_progress(&out, &longest, &trace.path);
		assert_contains(out_text(&out), "2001:1db8:1111:2222:3333:4444:5555:6666: ");
	}
}

static void result__an_unknown_verdict__reads_as_unknown_not_as_good_news(void **state)
{
	const struct probe_result result = { .mtu = &mtu };

	(void)state;
	mtu = (struct mtu_result){ .name = "h", .path = { .finding = 77, .told_by = -1 }, .first = -1 };
	assert_contains(print(&result, FORMAT_TEXT, 0, false), "UNKNOWN: ");
	assert_lacks(out_text(&out), "FITS");
}

static void result__only_the_way_there_fits__begins_with_the_black_hole(void **state)
{
	const struct probe_result result = { .mtu = &mtu };

	(void)state;
	mtu = (struct mtu_result){ .address = addr_v4(0x0a090402), .path = { .finding = MTU_FITS, .path_mtu = 1500, .told_by = -1 }, .first = -1,
				   .reverse = { .finding = REVERSE_BLACK_HOLE, .largest_mss = 1200, .smallest_dead = 1460 } };
	assert_contains(print(&result, FORMAT_TEXT, 0, false), "10.9.4.2 (IPv4, UDP): BLACK HOLE ON THE WAY BACK: packets of 1500 B vanish; the way there: packets of 1500 B pass");
}

static void edge__without_a_gap__proves_all_sizes(void **state)
{
	const struct probe_result result = { .mtu = &mtu };

	(void)state;
	for (uint32_t gap = 0; gap < 2; gap++) {
		mtu = (struct mtu_result){ .address = addr_v4(0x0a090402), .first = -1,
					   .path = { .method = PROBE_ICMP, .finding = MTU_BLACK_HOLE_FOUND, .bound = BOUND_LOWER, .told_by = -1, .path_mtu = 1420, .smallest_lost = 1421 + gap } };
		(gap ? assert_contains : assert_lacks)(print(&result, FORMAT_TEXT, 0, false), "nothing is proved");
	}
}

static void mss__of_a_way_back_that_is_narrower__is_the_smaller(void **state)
{
	const struct probe_result result = { .mtu = &mtu };

	(void)state;
	mtu = (struct mtu_result){ .address = addr_v4(0x0a090402), .first = -1, .path = { .method = PROBE_TCP, .finding = MTU_FITS, .told_by = -1, .path_mtu = 1500 },
				   .reverse = { .finding = REVERSE_BLACK_HOLE, .largest_mss = 1380, .smallest_dead = 1381 } };
	assert_contains(print(&result, FORMAT_TEXT, 0, false), "MSS that fits 1380 (1368");
	assert_contains(print(&result, FORMAT_JSON, 0, false), "\"mss\":1380");
	mtu.reverse.finding = REVERSE_FITS;
	assert_contains(print(&result, FORMAT_TEXT, 0, false), "MSS that fits 1460 (1448");
}

static void fits__where_tcp_fails__does_not_read_as_good_news(void **state)
{
	const struct probe_result result = { .mtu = &mtu };

	(void)state;
	mtu = (struct mtu_result){ .address = addr_v4(0x0a090402), .port = 443, .first = -1, .tcp = { .made = true, .error = ECONNREFUSED, .handshake_us = -1 },
				   .path = { .method = PROBE_ICMP, .finding = MTU_FITS, .told_by = -1, .path_mtu = 1500 } };
	assert_contains(print(&result, FORMAT_TEXT, 0, false), "; but TCP to port 443 does not connect: Connection refused");
	mtu.tcp.connected = true;
	assert_lacks(print(&result, FORMAT_TEXT, 0, false), "does not connect");
	mtu.first = PROBE_TCP;
	mtu.first_finding = MTU_HOST_DEAF;
	assert_contains(print(&result, FORMAT_TEXT, 0, false), "FITS: TCP to port 443 brought silence, what follows is ICMP; packets of 1500 B pass");
	assert_contains(print(&result, FORMAT_TEXT, 0, false), "beside that TCP: 0 probes, silence");
	mtu.first_finding = MTU_UNDECIDED;
	assert_lacks(print(&result, FORMAT_TEXT, 0, false), "silence");
	assert_contains(print(&result, FORMAT_TEXT, 0, false), "beside that TCP: 0 probes, undecided");
}

static void hole__of_tcp_alone__names_the_other_protocol(void **state)
{
	const struct probe_result result = { .mtu = &mtu };

	(void)state;
	mtu = (struct mtu_result){ .address = addr_v4(0x0a090402), .port = 443, .first = -1,
				   .path = { .method = PROBE_TCP, .hop_method = PROBE_UDP, .finding = MTU_BLACK_HOLE_FOUND, .told_by = -1, .path_mtu = 1400, .smallest_lost = 1401, .hop_count = 1 } };
	mtu.path.hops[0] = (struct path_hop){ .ttl = 1, .address = addr_v4(0x0a090402), .reply = REPLY_ARRIVED, .large_sent = true, .large = REPLY_ARRIVED, .rtt_us = 5 };
	assert_contains(print(&result, FORMAT_TEXT, 0, false), "vanish when they carry TCP, while UDP of that size arrives");
	mtu.path.hops[0].large = REPLY_NONE;
	assert_lacks(print(&result, FORMAT_TEXT, 0, false), "when they carry TCP");
	assert_contains(out_text(&out), "the hops were asked by UDP");
}

static void sizes__a_full_table_of_changing_fates__is_bounded_and_shows_the_edge(void **state)
{
	const struct probe_result result = { .mtu = &mtu };

	(void)state;
	mtu = (struct mtu_result){ .path = { .finding = MTU_BLACK_HOLE_FOUND, .path_mtu = 1150, .smallest_lost = 1151, .size_count = PATH_SIZES_MAX, .told_by = -1 }, .first = -1 };
	for (uint32_t i = 0; i < PATH_SIZES_MAX; i++)
		mtu.path.sizes[i] = (struct path_size){ 1000 + i, i % 2 ? SIZE_LOST : SIZE_PASSED, 1 };
	assert_contains(print(&result, FORMAT_TEXT, 80, false), "(146 more) | 1146 + | 1147 x | 1148 + | 1149 x | 1150 + | 1151 x");
	assert_contains(out_text(&out), "(38 more)");
	assert_in_range(widest_line(out_text(&out)), 40, 80);
}

static void sizes__a_long_run__keeps_its_ends(void **state)
{
	const struct probe_result result = { .mtu = &mtu };

	(void)state;
	mtu = (struct mtu_result){ .path = { .path_mtu = 1191, .size_count = PATH_SIZES_MAX, .told_by = -1 }, .first = -1 };
	for (uint32_t i = 0; i < PATH_SIZES_MAX; i++)
		mtu.path.sizes[i] = (struct path_size){ 1000 + i, SIZE_PASSED, 1 };
	assert_contains(print(&result, FORMAT_TEXT, 80, false), "sizes    1000 ++++++...++++++ 1191   (+ passed)\n");
}

static void hops__a_full_table__has_a_line_each(void **state)
{
	const struct probe_result result = { .trace = &trace };

	(void)state;
	trace = (struct trace_result){ .path = { .finding = TRACE_SILENT, .hop_count = PATH_HOPS_MAX, .side_count = PATH_HOPS_MAX, .side_method = PROBE_UDP } };
	for (unsigned i = 0; i < PATH_HOPS_MAX; i++)
		trace.path.hops[i] = trace.path.side[i] = (struct path_hop){ .ttl = (uint8_t)(i + 1), .address = addr_v4(0x0a090000 + i), .reply = REPLY_EXPIRED, .rtt_us = 1000 };
	assert_contains(print(&result, FORMAT_TEXT, 80, false), "\n           64  10.9.0.63  1 ms     UDP 10.9.0.63\n");
}

static void samples__in_80_columns__never_go_beyond(void **state)
{
	const struct {
		const struct probe_sample *list;
		size_t count;
	} lists[] = { { mtu_samples, mtu_sample_count }, { trace_samples, trace_sample_count } };
	struct document doc = samples_document("x", NULL);

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(lists); i++) {
		for (size_t n = 0; n < lists[i].count; n++) {
			struct probe_result results[PROBE_SAMPLE_RESULTS];
			struct probe_report report = probe_samples_report(&lists[i].list[n], &doc, 80, results);

			out_clear(&out);
			(results[0].mtu ? mtu_probe_renderers : trace_renderers)[FORMAT_TEXT](&out, &report);
			if (widest_line(out_text(&out)) > 80)
				fail_msg("%s: a line of %zu columns in '%s'", lists[i].list[n].name, widest_line(out_text(&out)), out_text(&out));
		}
	}
}

static void color__of_a_terminal__stands_around_the_verdict_alone(void **state)
{
	struct document doc = samples_document("x", NULL);
	struct probe_result result = { .mtu = &mtu };
	struct probe_report report = { .doc = &doc, .target = "h", .results = &result, .result_count = 1, .style = { .color = true } };

	(void)state;
	mtu = (struct mtu_result){ .path = { .finding = MTU_BLACK_HOLE_FOUND, .path_mtu = 1400, .smallest_lost = 1401, .told_by = -1 }, .first = -1 };
	out_clear(&out);
	mtu_probe_renderers[FORMAT_TEXT](&out, &report);
	assert_contains(out_text(&out), "(IPv4, UDP): \033[1;31mBLACK HOLE:\033[0m packets over 1400 B vanish, nobody says so; 1400 passes, 1401 does not\n");
}

static void notices__in_text__stand_at_the_end(void **state)
{
	struct arena arena = { 0 };
	struct notices notices = { .arena = &arena };
	struct document doc = samples_document("x", &notices);
	struct probe_result result = { .trace = &trace };
	struct probe_report report = { .doc = &doc, .target = "h", .results = &result, .result_count = 1 };

	(void)state;
	trace = (struct trace_result){ .path = { .finding = TRACE_OPEN, .rtt_us = -1 } };
	notices_add(&notices, "no \x1b privilege");
	out_clear(&out);
	trace_renderers[FORMAT_TEXT](&out, &report);
	assert_string_equal(out_text(&out), "0.0.0.0: OPEN: the connection is accepted\n  sent     0 probes in 0 s\n\nnote        no \\x1b privilege\n");
	arena_free(&arena);
}

static void progress__the_longest_address_and_numbers__fits_79_columns(void **state)
{
	const struct mtu_path path = { .path_mtu = UINT32_MAX, .smallest_lost = UINT32_MAX, .probes_sent = UINT32_MAX, .elapsed_us = INT64_MAX };
	struct trace_path way = { .hop_count = 1, .hops = { { .address = longest, .ttl = 255, .reply = REPLY_EXPIRED } }, .probes_sent = 7, .elapsed_us = 1200000 };

	(void)state;
	mtu_probe_progress(&out, &longest, &path);
	assert_in_range(text_columns(out.base, out_len(&out)), 40, 79);
	out_clear(&out);
	trace_progress(&out, &longest, &way);
	assert_string_equal(out_text(&out), "2001:1db8:1111:2222:3333:4444:5555:6666: 7 probes in 1.2 s");
	out_clear(&out);
	way.hops[0].address = addr_v4(0x0a090001);
	trace_progress(&out, &way.hops[0].address, &way);
	assert_string_equal(out_text(&out), "10.9.0.1: 7 probes in 1.2 s · hop 255 10.9.0.1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(result__numbers_that_no_enumerator_has__are_printed_as_unknown, open_out, close_out),
		cmocka_unit_test_setup_teardown(result__an_unknown_verdict__reads_as_unknown_not_as_good_news, open_out, close_out),
		cmocka_unit_test_setup_teardown(result__only_the_way_there_fits__begins_with_the_black_hole, open_out, close_out),
		cmocka_unit_test_setup_teardown(edge__without_a_gap__proves_all_sizes, open_out, close_out),
		cmocka_unit_test_setup_teardown(mss__of_a_way_back_that_is_narrower__is_the_smaller, open_out, close_out),
		cmocka_unit_test_setup_teardown(fits__where_tcp_fails__does_not_read_as_good_news, open_out, close_out),
		cmocka_unit_test_setup_teardown(hole__of_tcp_alone__names_the_other_protocol, open_out, close_out),
		cmocka_unit_test_setup_teardown(sizes__a_full_table_of_changing_fates__is_bounded_and_shows_the_edge, open_out, close_out),
		cmocka_unit_test_setup_teardown(sizes__a_long_run__keeps_its_ends, open_out, close_out),
		cmocka_unit_test_setup_teardown(hops__a_full_table__has_a_line_each, open_out, close_out),
		cmocka_unit_test_setup_teardown(samples__in_80_columns__never_go_beyond, open_out, close_out),
		cmocka_unit_test_setup_teardown(color__of_a_terminal__stands_around_the_verdict_alone, open_out, close_out),
		cmocka_unit_test_setup_teardown(notices__in_text__stand_at_the_end, open_out, close_out),
		cmocka_unit_test_setup_teardown(progress__the_longest_address_and_numbers__fits_79_columns, open_out, close_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
