/* SPDX-License-Identifier: MIT */
/* render/: sockets as rows in every format. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "../support/render_samples.h"
#include "render/tcp_info_text.h"

static struct samples samples;
static struct out out;

static int open_out(void **state)
{
	(void)state;
	samples_make(&samples);
	out_open_mem(&out);
	return 0;
}

static int close_out(void **state)
{
	(void)state;
	out_close(&out);
	return 0;
}

static const char *render_row(enum format format, const struct row_options *options, const struct row *row)
{
	out_clear(&out);
	row_renderers[format].row(&out, options, row, true);
	return out_text(&out);
}

static const char *text_of(enum sample_id id, unsigned show)
{
	struct row_options options = { .show = show, .state_column = true };
	struct row row = { .sock = &samples.sock[id], .age_ms = -1 };

	return render_row(FORMAT_TEXT, &options, &row);
}

static const char *json_of(const struct row *row)
{
	return render_row(FORMAT_NDJSON, &(struct row_options){ 0 }, row);
}

/* Fields are what scripts split at blanks. */
static void assert_fields(const char *text, const char *expected)
{
	char squeezed[4096];
	size_t n = 0;

	for (; *text && n + 1 < sizeof(squeezed); text++) {
		bool blank = *text == ' ' || *text == '\n' || *text == '\t';

		if (!blank)
			squeezed[n++] = *text;
		else if (n && squeezed[n - 1] != ' ')
			squeezed[n++] = ' ';
	}
	squeezed[n && squeezed[n - 1] == ' ' ? n - 1 : n] = '\0';
	assert_string_equal(squeezed, expected);
}

static void assert_contains(const char *text, const char *part)
{
	if (!text || !strstr(text, part))
		fail_msg("'%s' is not in '%s'", part, text ? text : "nothing");
}

static void assert_lacks(const char *text, const char *part)
{
	if (!text || strstr(text, part))
		fail_msg("'%s' is in '%s'", part, text ? text : "nothing");
}

static void text_row__plain__has_the_columns_of_ss(void **state)
{
	(void)state;
	assert_string_equal(text_of(SAMPLE_ESTAB, 0),
			    "ESTAB      500    2496512 127.0.0.1:35518           127.0.0.1:8002\n");
	assert_fields(text_of(SAMPLE_LISTEN, 0), "LISTEN 0 16 *%3:8006 *:*");
	assert_fields(text_of(SAMPLE_V6ONLY, 0), "LISTEN 0 16 [::]:8006 [::]:*");
	assert_fields(text_of(SAMPLE_MAPPED, 0),
		      "ESTAB 500 2496512 [::ffff:127.0.0.1]:35518 [::ffff:127.0.0.1]:8002");
	assert_fields(text_of(SAMPLE_UDP, 0), "UNCONN 832 0 0.0.0.0:53 0.0.0.0:*");
}

static void text_row__one_state_and_table__leaves_those_columns_out(void **state)
{
	struct row_options options = { .netid_column = true };
	struct row row = { .sock = &samples.sock[SAMPLE_UDP], .age_ms = -1 };

	(void)state;
	assert_fields(render_row(FORMAT_TEXT, &options, &row), "udp 832 0 0.0.0.0:53 0.0.0.0:*");
	options.netid_column = false;
	assert_fields(render_row(FORMAT_TEXT, &options, &row), "832 0 0.0.0.0:53 0.0.0.0:*");
}

static void text_row__every_option__follows_the_order_of_ss(void **state)
{
	struct row_options options = { .show = ROW_SHOW_TIMERS | ROW_SHOW_EXTENDED | ROW_SHOW_MEMORY |
					       ROW_SHOW_TOS | ROW_SHOW_CGROUP,
				       .state_column = true };
	struct row row = { .sock = &samples.sock[SAMPLE_ESTAB], .cgroup = "/a", .age_ms = -1 };

	(void)state;
	assert_fields(render_row(FORMAT_TEXT, &options, &row),
		      "ESTAB 500 2496512 127.0.0.1:35518 127.0.0.1:8002 timer:(on,204ms,1) uid:1000 ino:313736 "
		      "sk:101d fwmark:0x5 cgroup:/a <-> tos:0x10 class_id:0 cgroup:/a "
		      "skmem:(r832,rb131072,t0,tb3939840,f3264,w0,o0,bl0,d3)");
	assert_contains(out_text(&out), "\n\t skmem:");
	options.one_line = true;
	assert_lacks(render_row(FORMAT_TEXT, &options, &row), "\n\t");
}

static void text_row__half_closed__shows_the_open_side(void **state)
{
	struct sock *sock = &samples.sock[SAMPLE_ESTAB];

	(void)state;
	sock->shutdown = 1;
	assert_contains(text_of(SAMPLE_ESTAB, ROW_SHOW_EXTENDED), " -->");
	sock->shutdown = 2;
	assert_contains(text_of(SAMPLE_ESTAB, ROW_SHOW_EXTENDED), " <--");
	assert_contains(text_of(SAMPLE_V6ONLY, ROW_SHOW_EXTENDED), " v6only:1");
}

static void text_row__tcp_info__reads_as_ss_prints_it(void **state)
{
	(void)state;
	assert_fields(text_of(SAMPLE_ESTAB, ROW_SHOW_INFO | ROW_SHOW_TIMERS),
		      "ESTAB 500 2496512 127.0.0.1:35518 127.0.0.1:8002 timer:(on,204ms,1) ts sack bbr wscale:7,10 rto:204 "
		      "rtt:5.509/10.998 ato:40 mss:65495 pmtu:65535 rcvmss:536 cwnd:18 bytes_acked:1000001 "
		      "bbr:(bw:37449140624bps,mrtt:0.007,pacing_gain:2.88672,cwnd_gain:2.88672) send 1711976765bps lastsnd:1364 "
		      "pacing_rate 332694547040bps app_limited busy:1328ms rwnd_limited:664ms(50.0%) retrans:0/1 "
		      "minrtt:0.004 total_rto_time:271");
	assert_lacks(text_of(SAMPLE_ESTAB, ROW_SHOW_INFO), " ts ");
	assert_lacks(text_of(SAMPLE_MAPPED, ROW_SHOW_INFO), "total_rto_time");
}

static void text_row__without_tcp_info__has_an_empty_second_line(void **state)
{
	(void)state;
	assert_contains(text_of(SAMPLE_TIMEWAIT, ROW_SHOW_INFO), "\n\t\n");
	assert_lacks(text_of(SAMPLE_UDP, ROW_SHOW_INFO), "\t");
	assert_contains(text_of(SAMPLE_UDP, ROW_SHOW_MEMORY), "\n\t skmem:(r832,");
}

static void text_row__timer__is_worded_as_in_ss(void **state)
{
	static const struct {
		uint8_t timer;
		uint32_t ms;
		const char *text;
	} rows[] = { { 1, 1708, "(on,1.708ms,0)" },	     { 1, 5, "(on,005ms,0)" },
		     { 3, 58123, "(timewait,58sec,0)" },     { 2, 7140000, "(keepalive,119min,0)" },
		     { 2, 125000, "(keepalive,2min5sec,0)" }, { 4, 0, "(persist,,0)" },
		     { 5, 40, "(delack,040ms,0)" },	     { 9, 3000, "(unknown,3sec,0)" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		samples.sock[SAMPLE_TIMER].timer = rows[i].timer;
		samples.sock[SAMPLE_TIMER].expires_ms = rows[i].ms;
		assert_contains(text_of(SAMPLE_TIMER, ROW_SHOW_TIMERS), rows[i].text);
	}
	assert_lacks(text_of(SAMPLE_LISTEN, ROW_SHOW_TIMERS), "timer");
}

static void milliseconds__any_value__are_those_of_printf(void **state)
{
	static const uint64_t fixed[] = { 0, 1, 10, 999, 1000, 1234567, 99999949, 999999499, 999999500, 1000005, UINT32_MAX };
	uint64_t us = 1;
	char expected[32], got[32];

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		us = i < ARRAY_SIZE(fixed) ? fixed[i] : hash_u64(us) >> (i % 40 + 24);
		snprintf(expected, sizeof(expected), "%g", (double)us / 1000.0);
		*put_ms(got, us) = '\0';
		assert_string_equal(got, expected);
	}
}

static void text_row__hostile_names__stay_on_their_line(void **state)
{
	struct row_options options = { .show = ROW_SHOW_OWNERS | ROW_SHOW_EXTENDED | ROW_SHOW_NETNS };
	struct row row = { .sock = &samples.sock[SAMPLE_ESTAB], .holders = two_holders, .holder_count = 2,
			   .cgroup = "/x\n", .netns = "n\x1b", .age_ms = -1 };
	const char *text = render_row(FORMAT_TEXT, &options, &row);

	(void)state;
	assert_contains(text, " users:((\"a\\x1b[2J\\x0a\\x22b\\xff\",pid=4121,fd=3),(\"nginx\",pid=812,fd=12)) timer:");
	assert_contains(text, " cgroup:/x\\x0a <-> netns:n\\x1b\n");
	assert_lacks(text, "\x1b");
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void json_row__hostile_names__are_valid_strings(void **state)
{
	struct row row = { .sock = &samples.sock[SAMPLE_ESTAB], .holders = two_holders, .holder_count = 2,
			   .cgroup = "/x\n", .netns = "n\x1b", .age_ms = 7, .timeout = { TIMEOUT_REQUEST, 9 } };

	(void)state;
	assert_contains(json_of(&row),
			",\"owners\":[{\"pid\":4121,\"comm\":\"a\\u001b[2J\\u000a\\\"b\\u00ff\",\"fd\":3,\"unit\":\"app.service\","
			"\"container\":null},{\"pid\":812,\"comm\":\"nginx\",\"fd\":12,\"unit\":null,\"container\":\"3f2a\"}],"
			"\"owner_unknown\":null,\"cgroup\":\"/x\\u000a\",\"flags\":null,\"age_ms\":7,\"timeout\":{\"kind\":\"request\",\"gives_up_ms\":9},\"netns\":\"n\\u001b\"}\n");
}

static void row__no_owner__says_why(void **state)
{
	struct row_options options = { .show = ROW_SHOW_OWNERS };
	struct row row = { .sock = &samples.sock[SAMPLE_TIMEWAIT], .reason = OWNER_TIME_WAIT, .age_ms = -1 };

	(void)state;
	assert_contains(render_row(FORMAT_TEXT, &options, &row), " users:-(time-wait)\n");
	assert_contains(json_of(&row), ",\"owners\":[],\"owner_unknown\":\"time-wait\",\"cgroup\":null,");
	row.reason = OWNER_KNOWN;
	assert_lacks(render_row(FORMAT_TEXT, &options, &row), "users");
	assert_contains(json_of(&row), ",\"owners\":null,\"owner_unknown\":null,");
}

static void json_row__established__carries_every_member(void **state)
{
	struct row row = { .sock = &samples.sock[SAMPLE_ESTAB], .age_ms = -1 };
	const char *json = json_of(&row);

	(void)state;
	assert_ptr_equal(strstr(json, "{\"type\":\"socket\",\"netid\":\"tcp\",\"family\":\"inet\",\"state\":\"ESTAB\","
				      "\"local\":{\"address\":\"127.0.0.1\",\"port\":35518},"
				      "\"peer\":{\"address\":\"127.0.0.1\",\"port\":8002},\"recv_q\":500,\"send_q\":2496512,"
				      "\"uid\":1000,\"inode\":313736,\"cookie\":\"101d\",\"ifindex\":0,\"mark\":5,"
				      "\"timer\":{\"kind\":\"on\",\"expires_ms\":204,\"retrans\":1},\"tcp_info\":{\"state\":1,"),
			 json);
	assert_contains(json, ",\"snd_wscale\":7,\"rcv_wscale\":10,\"delivery_rate_app_limited\":1,\"fastopen_client_fail\":0,"
			      "\"rto_us\":204000,\"ato_us\":40000,\"snd_mss_bytes\":65495,");
	assert_contains(json, ",\"max_pacing_rate_bytes_per_s\":18446744073709551615,");
	assert_contains(json, ",\"total_rto_time_ms\":271,");
	assert_contains(json, ",\"skmem\":{\"rmem_bytes\":832,\"rcvbuf_bytes\":131072,\"wmem_bytes\":0,\"sndbuf_bytes\":3939840,"
			      "\"forward_alloc_bytes\":3264,\"wmem_queued_bytes\":0,\"optmem_bytes\":0,\"backlog_bytes\":0,\"drops\":3},"
			      "\"tos\":16,\"tclass\":null,\"class_id\":0,\"cgroup_id\":77,\"sockopt\":82,\"shutdown\":0,\"v6only\":null,"
			      "\"congestion\":\"bbr\",\"bbr\":{\"bw_bytes_per_s\":4681142578,\"min_rtt_us\":7,"
			      "\"pacing_gain_256ths\":739,\"cwnd_gain_256ths\":739},\"ulp\":null,");
}

static void json_row__short_tcp_info__is_null_where_it_ends(void **state)
{
	struct row row = { .sock = &samples.sock[SAMPLE_MAPPED], .age_ms = -1 };
	const char *json = json_of(&row);

	(void)state;
	assert_contains(json, "\"family\":\"inet6\",\"state\":\"ESTAB\",\"local\":{\"address\":\"127.0.0.1\",");
	assert_contains(json, ",\"reord_seen\":0,\"rcv_ooopack\":null,\"snd_wnd_bytes\":null,");
	assert_contains(json, ",\"accecn_opt_seen\":null},");
}

static void json_row__nothing_delivered__is_null_not_zero(void **state)
{
	struct row row = { .sock = &samples.sock[SAMPLE_TIMEWAIT], .age_ms = -1 };
	const char *json;

	(void)state;
	samples.sock[SAMPLE_TIMEWAIT].has = 0;
	samples.sock[SAMPLE_TIMEWAIT].timer = SOCK_TIMER_NONE;
	json = json_of(&row);
	assert_contains(json, ",\"cookie\":null,\"ifindex\":0,\"mark\":null,\"timer\":{\"kind\":\"none\",\"expires_ms\":null,\"retrans\":0},"
			      "\"tcp_info\":null,\"skmem\":null,\"tos\":null,");
	assert_contains(json, ",\"congestion\":null,\"bbr\":null,\"ulp\":null,");
}

static void json_row__unknown_timer__is_said(void **state)
{
	struct row row = { .sock = &samples.sock[SAMPLE_TIMER], .age_ms = -1 };

	(void)state;
	assert_contains(json_of(&row), "\"timer\":{\"kind\":\"unknown\",\"expires_ms\":58123,\"retrans\":0}");
}

static void columns__chosen__stand_in_the_order_asked_for(void **state)
{
	static const char *const names[] = { "comm", "STATE", "snd-mss", "rtt_us", "rcv_wnd", "mark", "age", "owner" };
	struct row_options options = { 0 };
	struct row row = { .sock = &samples.sock[SAMPLE_MAPPED], .holders = two_holders, .holder_count = 1, .age_ms = 8040000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_true(row_column_find(names[i], &options.columns[options.column_count++]));
	assert_fields(render_row(FORMAT_TEXT, &options, &row),
		      "a\\x1b[2J\\x0a\"b\\xff ESTAB 65495 5509 - 0x5 2h14m a\\x1b[2J\\x0a\"b\\xff[4121]");
	out_clear(&out);
	row_renderers[FORMAT_TEXT].begin(&out, &options, NULL);
	assert_fields(out_text(&out), "Comm State snd_mss_bytes rtt_us rcv_wnd_bytes Mark Age Owner");
}

static void columns__every_name__is_found_again(void **state)
{
	const char *name;
	uint16_t column;
	size_t count = 0;

	(void)state;
	for (; (name = row_column_name(count)); count++) {
		assert_true(row_column_find(name, &column));
		assert_int_equal(column, count);
	}
	assert_true(count > TCPI_COUNT);
	assert_false(row_column_find("rt", &column));
	assert_false(row_column_find("", &column));
	assert_true(row_column_find("rtt", &column));
	assert_int_equal(row_column_needs(column), ROW_SHOW_INFO);
	assert_true(row_column_find("pid", &column));
	assert_int_equal(row_column_needs(column), ROW_SHOW_OWNERS);
}

static void columns__nothing_known__are_dashes(void **state)
{
	static const char *const names[] = { "age", "idle", "owner", "cgroup", "drops", "rtt", "interface", "flags" };
	struct row_options options = { 0 };
	struct row row = { .sock = &samples.sock[SAMPLE_TIMEWAIT], .age_ms = -1 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_true(row_column_find(names[i], &options.columns[options.column_count++]));
	assert_fields(render_row(FORMAT_TEXT, &options, &row), "- - - - - - - -");
}

static const char *name_of_interface(uint32_t ifindex)
{
	return ifindex == 3 ? "e\x1bth" : NULL;
}

static const char *name_of_host(const struct addr *addr)
{
	return addr_is_loopback(addr) ? "local\nhost" : NULL;
}

static const char *name_of_service(uint16_t port, unsigned netid)
{
	return port == 8002 && netid == NETID_TCP ? "teradataordbms" : NULL;
}

static void text_row__names__come_from_callbacks_escaped(void **state)
{
	struct row_options options = { .ifname = name_of_interface, .hostname = name_of_host, .service = name_of_service };
	struct row row = { .sock = &samples.sock[SAMPLE_ESTAB], .age_ms = -1 };

	(void)state;
	assert_fields(render_row(FORMAT_TEXT, &options, &row),
		      "500 2496512 local\\x0ahost:35518 local\\x0ahost:teradataordbms");
	row.sock = &samples.sock[SAMPLE_LISTEN];
	assert_fields(render_row(FORMAT_TEXT, &options, &row), "0 16 *%e\\x1bth:8006 *:*");
}

static void text_row__colour__takes_no_room(void **state)
{
	struct row_options options = { .state_column = true, .style.color = true };
	struct row row = { .sock = &samples.sock[SAMPLE_ESTAB], .age_ms = -1 };

	(void)state;
	assert_string_equal(render_row(FORMAT_TEXT, &options, &row),
			    "\033[32mESTAB\033[0m      500    2496512 127.0.0.1:35518           127.0.0.1:8002\n");
}

static void documents__whole__have_head_rows_and_tail(void **state)
{
	struct arena arena = { 0 };
	struct notices notices = { .arena = &arena };
	struct document doc = samples_document("tcptriage.states/1", &notices);
	struct row_options options = { 0 };
	struct state_counts counts = { .tcp[ADDR_V6][SOCK_STATE_LISTEN] = 2, .udp[ADDR_V4] = 1 };

	(void)state;
	notices_add(&notices, "no\x1bthing");
	notices_add(&notices, "no\x1bthing");
	doc.complete = false;
	row_renderers[FORMAT_JSON].begin(&out, &options, &doc);
	row_renderers[FORMAT_JSON].end(&out, &options, &doc, &counts);
	assert_contains(out_text(&out), "\"generated_at\":\"2023-11-14T22:13:20.123456Z\",\"host\":\"h\\u001bost\",\"netns\":\"\",\"sockets\":[\n]");
	assert_contains(out_text(&out), "],\"summary\":{\"tcp\":{\"ESTAB\":0,\"SYN-SENT\":0,\"SYN-RECV\":0,\"FIN-WAIT-1\":0,\"FIN-WAIT-2\":0,"
					"\"TIME-WAIT\":0,\"UNCONN\":0,\"CLOSE-WAIT\":0,\"LAST-ACK\":0,\"LISTEN\":2,\"CLOSING\":0,\"total\":2},"
					"\"udp\":{\"total\":1}},\"complete\":false,\"notices\":[{\"text\":\"no\\u001bthing\",\"count\":2}]}\n");
	out_clear(&out);
	row_renderers[FORMAT_NDJSON].begin(&out, &options, &doc);
	assert_ptr_equal(strstr(out_text(&out), "{\"type\":\"header\",\"schema\":\"tcptriage.states/1\","), out.base);
	out_clear(&out);
	row_renderers[FORMAT_NDJSON].end(&out, &options, &doc, NULL);
	assert_ptr_equal(strstr(out_text(&out), "{\"type\":\"summary\",\"summary\":null,\"complete\":false,"), out.base);
	out_clear(&out);
	document_text_notices(&out, &doc);
	assert_string_equal(out_text(&out), "tcptriage: no\\x1bthing (2 times)\ntcptriage: the result is incomplete\n");
	arena_free(&arena);
}

static void json_rows__array__is_separated_by_commas(void **state)
{
	struct row row = { .sock = &samples.sock[SAMPLE_UDP], .age_ms = -1 };
	struct row_options options = { 0 };

	(void)state;
	row_renderers[FORMAT_JSON].row(&out, &options, &row, true);
	assert_ptr_equal(strstr(out_text(&out), "\n{\"netid\":\"udp\","), out.base);
	row_renderers[FORMAT_JSON].row(&out, &options, &row, false);
	assert_contains(out_text(&out), "},\n{\"netid\":\"udp\",");
}

static void header__not_wanted__is_left_out(void **state)
{
	struct row_options options = { .state_column = true };

	(void)state;
	row_renderers[FORMAT_TEXT].begin(&out, &options, NULL);
	assert_fields(out_text(&out), "State Recv-Q Send-Q Local Address:Port Peer Address:Port Process");
	out_clear(&out);
	options.no_header = true;
	row_renderers[FORMAT_TEXT].begin(&out, &options, NULL);
	assert_int_equal(out_len(&out), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_out, close_out)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(text_row__plain__has_the_columns_of_ss),
		TEST(text_row__one_state_and_table__leaves_those_columns_out),
		TEST(text_row__every_option__follows_the_order_of_ss),
		TEST(text_row__half_closed__shows_the_open_side),
		TEST(text_row__tcp_info__reads_as_ss_prints_it),
		TEST(text_row__without_tcp_info__has_an_empty_second_line),
		TEST(text_row__timer__is_worded_as_in_ss),
		TEST(milliseconds__any_value__are_those_of_printf),
		TEST(text_row__hostile_names__stay_on_their_line),
		TEST(json_row__hostile_names__are_valid_strings),
		TEST(row__no_owner__says_why),
		TEST(json_row__established__carries_every_member),
		TEST(json_row__short_tcp_info__is_null_where_it_ends),
		TEST(json_row__nothing_delivered__is_null_not_zero),
		TEST(json_row__unknown_timer__is_said),
		TEST(columns__chosen__stand_in_the_order_asked_for),
		TEST(columns__every_name__is_found_again),
		TEST(columns__nothing_known__are_dashes),
		TEST(text_row__names__come_from_callbacks_escaped),
		TEST(text_row__colour__takes_no_room),
		TEST(documents__whole__have_head_rows_and_tail),
		TEST(json_rows__array__is_separated_by_commas),
		TEST(header__not_wanted__is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
