/* SPDX-License-Identifier: MIT */
/* capture-quality: each flaw at its edge, with the option that mends it, and captures in which nothing is wrong. */
#include "rules.h"

#define RULE "capture-quality"

/* A plain capture of a hundred healthy connections, and 10000 packets in all. */
static void open_plain(struct wire *w)
{
	char client[64];

	wire_open(w, RULE);
	w->source.name = "eth0";
	w->source.live = w->source.has_drops = true;
	w->source.snaplen = 128;
	for (unsigned i = 0; i < 100; i++) {
		snprintf(client, sizeof(client), "10.0.0.1:%u", 40000 + i);
		wire_tcp(w, client, "10.0.0.2:443");
	}
	w->totals.packets = 10000;
}

static void expect_told(struct wire *w, int severity, const char *title, const char *command)
{
	wire_judge(w);
	if (severity < 0) {
		wire_expect_silence(w);
	} else {
		const struct finding *f = wire_expect_one(w, (enum severity)severity);

		assert_string_equal(f->scope.interface, "eth0");
		assert_true(f->confidence == 0.95);
		expect_text(f, f->title, title);
		expect_text(f, f->next[0], command);
		assert_non_null(f->fixes[0]);
	}
	wire_close(w);
}

static void plain_capture__is_silent(void **state)
{
	struct wire w;

	(void)state;
	open_plain(&w);
	expect_told(&w, -1, NULL, NULL);
	wire_open(&w, RULE); /* nothing at all */
	expect_told(&w, -1, NULL, NULL);
}

static void drops__one_is_told__one_in_a_thousand_warns(void **state)
{
	static const struct {
		uint64_t kernel, interface;
		enum severity severity;
		const char *title;
	} rows[] = {
		{ 1, 0, SEVERITY_INFO, "Dropped before they were captured: 1 packet, " },
		{ 9, 0, SEVERITY_INFO, "9 packets" },
		{ 11, 0, SEVERITY_WARNING, "11 packets, 0.1 % of all" },
		{ 5, 6, SEVERITY_WARNING, "11 packets" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct wire w;

		open_plain(&w);
		w.source.received = 10000;
		w.source.dropped_kernel = rows[i].kernel;
		w.source.dropped_interface = rows[i].interface;
		expect_told(&w, (int)rows[i].severity, rows[i].title, "capture -i eth0 -B 65536");
	}
}

static void drops__of_a_file__are_not_known_and_said_to_be(void **state)
{
	struct wire w;

	(void)state;
	open_plain(&w);
	w.source.has_drops = false;
	w.source.dropped_kernel = 5000;
	wire_judge(&w);
	wire_expect_silence(&w);
	wire_expect_part_skipped(&w, "does not tell how many packets were lost");
	wire_close(&w);
}

static void unseen__acknowledged_bytes__are_told(void **state)
{
	struct wire w;

	(void)state;
	open_plain(&w);
	w.totals.events[EVENT_CAPTURE_LOSS] = 1; /* of 700 TCP packets */
	expect_told(&w, SEVERITY_INFO, "This capture never saw some of the bytes", "capture -i any");
}

static void one_way__half_is_told__four_fifths_warn(void **state)
{
	static const struct {
		unsigned flows;
		int severity;
	} rows[] = { { 49, -1 }, { 50, SEVERITY_INFO }, { 79, SEVERITY_INFO }, { 80, SEVERITY_WARNING } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct wire w;

		open_plain(&w);
		for (unsigned k = 0; k < rows[i].flows; k++)
			wire_silent(w.flow[k], k % 2);
		expect_told(&w, rows[i].severity, "One direction is missing", "capture -i any");
	}
}

/* The filter or -Q left the other direction out, or there are too few to say. */
static void one_way__asked_for_or_few__is_no_warning(void **state)
{
	(void)state;
	for (unsigned how = 0; how < 3; how++) {
		struct wire w;

		open_plain(&w);
		for (unsigned k = 0; k < 90; k++)
			wire_silent(w.flow[k], k % 2);
		w.source.one_direction = how == 0;
		w.source.filter = how == 1 ? "src host 10.0.0.1" : "";
		expect_told(&w, how == 2 ? SEVERITY_WARNING : SEVERITY_INFO, "One direction is missing", "capture -i any");
	}
}

static void unanswered_syns__are_no_missing_direction(void **state)
{
	struct wire w;
	char server[64];

	(void)state;
	open_plain(&w);
	for (unsigned i = 0; i < 2000; i++) {
		snprintf(server, sizeof(server), "10.0.0.3:%u", 1 + i);
		wire_syn(&w, "10.0.0.1:50000", server, 0);
	}
	expect_told(&w, -1, NULL, NULL);
}

/* @copies of the 10000 frames are copies, in flows that were seen on @interfaces. */
static void copies_are_told(uint32_t copies, uint32_t interfaces, uint16_t dsacks, int severity)
{
	struct wire w;

	open_plain(&w);
	w.flow[0]->side[0].duplicates = copies;
	w.flow[0]->side[1].dsacks = dsacks;
	w.flow[0]->interfaces = interfaces;
	w.totals.duplicates = copies;
	expect_told(&w, severity, "of the frames were captured more than once", "ip -br link");
}

static void copies__from_one_percent_on__unless_the_network_made_them(void **state)
{
	(void)state;
	copies_are_told(99, 3, 0, -1);
	copies_are_told(100, 3, 0, SEVERITY_INFO);
	copies_are_told(100, 1, 0, SEVERITY_INFO); /* TCP, and the receiver reports nothing */
	copies_are_told(100, 3, 4, -1);		   /* it does: that is a matter of the network */
	copies_are_told(100, 3, 3, SEVERITY_INFO);
	copies_are_told(500, 3, 4, SEVERITY_INFO); /* it had nearly all of them once */
	copies_are_told(500, 3, 5, -1);
}

static void copies__of_datagrams_on_one_interface__only_where_everything_is_copied(void **state)
{
	struct wire w;

	(void)state;
	for (unsigned copies = 3999; copies <= 4000; copies++) {
		open_plain(&w);
		wire_udp(&w, "10.0.0.1:5000", "10.0.0.2:53", 10, 10)->side[0].duplicates = copies;
		w.totals.duplicates = copies;
		expect_told(&w, copies < 4000 ? -1 : SEVERITY_INFO, "captured more than once", "ip -br link");
	}
}

static void headers__cut__name_a_larger_snaplen(void **state)
{
	(void)state;
	for (unsigned cut = 99; cut <= 100; cut++) {
		struct wire w;

		open_plain(&w);
		w.totals.status[DECODE_TRUNCATED] = cut;
		expect_told(&w, cut < 100 ? -1 : SEVERITY_INFO, "1 % of the packets end inside their headers", "-s 256");
	}
}

static void payload__cut__is_no_flaw(void **state)
{
	struct wire w;

	(void)state;
	open_plain(&w);
	w.totals.payload_cut = 9000;
	expect_told(&w, -1, NULL, NULL);
}

static void clock__steps_back_of_a_millisecond__are_told(void **state)
{
	(void)state;
	for (unsigned us = 999; us <= 1000; us++) {
		struct wire w;

		open_plain(&w);
		w.totals.clock_back = 3;
		w.totals.clock_back_max_us = us;
		expect_told(&w, us < 1000 ? -1 : SEVERITY_INFO, "goes back, by up to 1 ms", "capture -i eth0");
	}
}

static void offload__one_percent_of_tcp__is_told(void **state)
{
	(void)state;
	for (unsigned joined = 6; joined <= 7; joined++) { /* of 700 TCP packets */
		struct wire w;

		open_plain(&w);
		w.totals.super_segments = joined;
		expect_told(&w, joined < 7 ? -1 : SEVERITY_INFO, "1 % of the TCP packets are larger than any segment", "ip -d link");
	}
}

static void midstream__the_greater_part_of_ten_or_more__is_told(void **state)
{
	static const struct {
		unsigned before, others;
		int severity;
	} rows[] = { { 10, 10, SEVERITY_INFO }, { 10, 11, -1 }, { 9, 0, -1 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct wire w;
		char client[64];

		open_plain(&w);
		w.count = rows[i].others;
		for (unsigned k = 0; k < rows[i].before; k++) {
			snprintf(client, sizeof(client), "10.0.0.1:%u", 50000 + k);
			wire_midstream(&w, client, "10.0.0.2:443");
		}
		expect_told(&w, rows[i].severity, "50 % of the flows began before the capture", "tcptriage states");
	}
}

static void evicted__flows__name_a_larger_table(void **state)
{
	struct wire w;

	(void)state;
	open_plain(&w);
	w.totals.evicted = 1;
	expect_told(&w, SEVERITY_INFO, "1 % of the flows had to make room", "--max-flows");
}

static void several_flaws__are_several_findings(void **state)
{
	struct wire w;

	(void)state;
	open_plain(&w);
	w.totals.evicted = 1;
	w.totals.clock_back = 1;
	w.totals.clock_back_max_us = 2000000;
	wire_judge(&w);
	assert_int_equal(w.verdict.finding_count, 2);
	assert_true(w.verdict.findings[0]->id != w.verdict.findings[1]->id);
	wire_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_capture__is_silent),
		cmocka_unit_test(drops__one_is_told__one_in_a_thousand_warns),
		cmocka_unit_test(drops__of_a_file__are_not_known_and_said_to_be),
		cmocka_unit_test(unseen__acknowledged_bytes__are_told),
		cmocka_unit_test(one_way__half_is_told__four_fifths_warn),
		cmocka_unit_test(one_way__asked_for_or_few__is_no_warning),
		cmocka_unit_test(unanswered_syns__are_no_missing_direction),
		cmocka_unit_test(copies__from_one_percent_on__unless_the_network_made_them),
		cmocka_unit_test(copies__of_datagrams_on_one_interface__only_where_everything_is_copied),
		cmocka_unit_test(headers__cut__name_a_larger_snaplen),
		cmocka_unit_test(payload__cut__is_no_flaw),
		cmocka_unit_test(clock__steps_back_of_a_millisecond__are_told),
		cmocka_unit_test(offload__one_percent_of_tcp__is_told),
		cmocka_unit_test(midstream__the_greater_part_of_ten_or_more__is_told),
		cmocka_unit_test(evicted__flows__name_a_larger_table),
		cmocka_unit_test(several_flaws__are_several_findings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
