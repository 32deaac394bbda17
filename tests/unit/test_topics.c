/* SPDX-License-Identifier: MIT */
/* triage/topics: every state, counter, field, reason and sysctl has an entry that can be found by the names users know. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tcptriage/model/counters.h"
#include "tcptriage/model/owner.h"
#include "tcptriage/model/sysctls.h"
#include "tcptriage/triage/engine.h"
#include "tcptriage/triage/topics.h"

#define MAX_FOUND 8

/* Is @word among the names of a topic of @kind? */
static bool finds(const char *word, enum topic_kind kind)
{
	struct topic found[MAX_FOUND];
	size_t count = topic_find(word, found, MAX_FOUND);

	while (count--)
		if (found[count].kind == kind)
			return true;
	print_error("no %s answers to \"%s\"\n", topic_kind_name(kind), word);
	return false;
}

static void topic_find__every_state_by_every_word_of_one_state__is_found(void **state)
{
	uint32_t mask;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sock_state_display_order); i++)
		assert_true(finds(sock_state_name(sock_state_display_order[i]), TOPIC_STATE));
	for (size_t i = 0; sock_state_word(i); i++)
		if (sock_state_parse(sock_state_word(i), &mask) && __builtin_popcount(mask) == 1)
			assert_true(finds(sock_state_word(i), TOPIC_STATE));
	assert_true(finds("TIME_WAIT", TOPIC_STATE));
	assert_true(finds("timewait", TOPIC_STATE));
	assert_true(finds("SYN_RCVD", TOPIC_STATE));
}

static void topic_find__every_counter_by_nstat_name_and_column__is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTER_COUNT; i++) {
		assert_true(finds(counter_rows[i].nstat, TOPIC_COUNTER));
		assert_true(finds(counter_rows[i].column, TOPIC_COUNTER));
	}
}

static void topic_find__every_field_by_kernel_name_and_key__is_found(void **state)
{
	char prefixed[64];

	(void)state;
	for (size_t i = 0; i < TCPI_COUNT; i++) {
		snprintf(prefixed, sizeof(prefixed), "tcpi_%s", tcpi_fields[i].name);
		assert_true(finds(tcpi_fields[i].name, TOPIC_FIELD));
		assert_true(finds(tcpi_fields[i].key, TOPIC_FIELD));
		assert_true(finds(prefixed, TOPIC_FIELD));
	}
}

static void topic_find__words_that_ss_prints__are_found(void **state)
{
	static const char *const fields[] = { "ts", "sack", "ecn", "wscale", "rto", "rtt", "ato", "mss", "rcvmss", "pmtu", "advmss",
					      "cwnd", "ssthresh", "lastsnd", "lastrcv", "lastack", "busy", "notsent", "minrtt",
					      "app_limited", "unacked", "retrans", "fastopen" };
	static const char *const columns[] = { "Recv-Q", "Send-Q", "send-q", "timer", "persist", "skmem", "ino", "sk",
					       "fwmark", "send", "drops" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		assert_true(finds(fields[i], TOPIC_FIELD));
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		assert_true(finds(columns[i], TOPIC_COLUMN));
}

static void topic_find__every_sysctl_in_three_spellings__is_found_once(void **state)
{
	struct topic found[MAX_FOUND];
	char dotted[128];

	(void)state;
	for (size_t i = 0; i < SYSCTL_COUNT; i++) {
		snprintf(dotted, sizeof(dotted), "net.%s", sysctl_rows[i].path);
		for (char *c = dotted; *c; c++)
			*c = *c == '/' ? '.' : *c;
		assert_int_equal(topic_find(dotted, found, MAX_FOUND), 1);
		assert_int_equal(found[0].kind, TOPIC_SYSCTL);
		assert_true(finds(sysctl_rows[i].path, TOPIC_SYSCTL));
		assert_true(finds(strrchr(sysctl_rows[i].path, '/') + 1, TOPIC_SYSCTL));
	}
	assert_true(finds("/proc/sys/net/ipv4/tcp_tw_reuse", TOPIC_SYSCTL));
}

static void topic_find__every_reason_and_rule__is_found(void **state)
{
	(void)state;
	for (unsigned i = OWNER_KNOWN + 1; i < OWNER_UNKNOWN_COUNT; i++)
		assert_true(finds(owner_unknown_name((enum owner_unknown)i), TOPIC_REASON));
	assert_true(triage_rule_count > 0);
	for (size_t i = 0; i < triage_rule_count; i++)
		assert_true(finds(triage_rules[i]->id, TOPIC_RULE));
}

static void topic_find__queue_columns__speak_of_listeners_too(void **state)
{
	struct topic found[MAX_FOUND];

	(void)state;
	assert_int_equal(topic_find("Recv-Q", found, MAX_FOUND), 2);
	assert_string_equal(found[0].name, "Recv-Q");
	assert_string_equal(found[1].name, "Recv-Q of LISTEN");
}

static void topic_find__other_words__are_unknown(void **state)
{
	struct topic found[MAX_FOUND];
	char longest[300];

	(void)state;
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(topic_find("", found, MAX_FOUND), 0);
	assert_int_equal(topic_find("---", found, MAX_FOUND), 0);
	assert_int_equal(topic_find("no-such-topic", found, MAX_FOUND), 0);
	assert_int_equal(topic_find(longest, found, MAX_FOUND), 0);
}

static void topic_offer__a_slip_of_the_finger__is_mended(void **state)
{
	static const struct {
		const char *slip, *meant;
	} rows[] = { { "clsoe-wait", "CLOSE-WAIT" }, { "ListenOverflow", "ListenOverflows" }, { "lastsend", "lastsnd" } };
	struct arena CLEANUP(arena_free) arena = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct words_nearest search = { .word = rows[i].slip };

		topic_offer_names(&search, &arena);
		assert_string_equal(search.best, rows[i].meant);
	}
}

static void topic_group__each_word__gives_all_of_its_kind_and_no_other(void **state)
{
	static struct topic found[512];
	size_t all = 0, listed = 0;
	struct topic topic;

	(void)state;
	while (topic_at(all, &topic))
		all++;
	for (unsigned kind = 0; kind < TOPIC_KIND_COUNT; kind++) {
		const char *group = topic_kind_group((enum topic_kind)kind);
		size_t count = topic_group(group, found, ARRAY_SIZE(found));

		assert_true(count > 0);
		for (size_t i = 0; i < count; i++)
			assert_int_equal(found[i].kind, kind);
		assert_int_equal(topic_find(group, found, MAX_FOUND), 0);
		listed += count;
	}
	assert_int_equal(listed, all);
	assert_int_equal(topic_group("RULES", found, 3), 3);
	assert_int_equal(topic_group("rule", found, MAX_FOUND), 0);
	assert_int_equal(topic_group("", found, MAX_FOUND), 0);
}

static void topic_containing__a_part_of_names__finds_them(void **state)
{
	struct topic found[MAX_FOUND] = { { 0 } };
	size_t count = topic_containing("overflow", found, MAX_FOUND);
	bool rule = false, counter = false;

	(void)state;
	for (size_t i = 0; i < MIN(count, MAX_FOUND); i++) {
		rule = rule || !strcmp(found[i].name, "accept-queue-overflow");
		counter = counter || !strcmp(found[i].name, "TcpExtListenOverflows");
	}
	assert_true(rule);
	assert_true(counter);
	assert_true(topic_containing("e-wait", found, 1) > 1);
	assert_string_equal(found[0].name, "TIME-WAIT");
	assert_int_equal(topic_containing("t", found, MAX_FOUND), 0);
	assert_int_equal(topic_containing("--", found, MAX_FOUND), 0);
	assert_int_equal(topic_containing("no-such-part", found, MAX_FOUND), 0);
}

/* Every setting is told for the same programs, from their documentation, and mends faults that are judged. */
static void topic_settings__each__covers_every_program_and_known_rules(void **state)
{
	static const char *const programs[] = { "Node.js, undici", "Go", "Java", "Python", "nginx", "HAProxy", "Envoy" };

	(void)state;
	for (size_t i = 0; topic_setting_names[i]; i++) {
		const struct topic_text *text = &topic_settings[i];

		for (size_t k = 0; k < ARRAY_SIZE(programs); k++) {
			assert_string_equal(text->programs[k].program, programs[k]);
			assert_true(strlen(text->programs[k].text) > 5);
			assert_non_null(strchr(text->programs[k].source, '.'));
		}
		assert_null(text->programs[ARRAY_SIZE(programs)].program);
		assert_non_null(text->rules[0]);
		for (const char *const *id = text->rules; *id; id++) {
			const struct rule *rule = triage_rule_find(*id);
			struct topic setting;
			bool told = false;

			if (!rule)
				fail_msg("%s mends %s, which is no rule", topic_setting_names[i], *id);
			for (size_t n = 0; topic_setting_for(rule, n, &setting); n++)
				told |= !strcmp(setting.name, topic_setting_names[i]);
			assert_true(told);
		}
	}
}

static bool whole(const char *text)
{
	return text && strlen(text) > 1;
}

static void topics__every_entry__is_complete(void **state)
{
	struct topic topic;
	size_t count = 0;

	(void)state;
	for (; topic_at(count, &topic); count++) {
		if (!whole(topic.name) || !whole(topic_summary(&topic)))
			fail_msg("topic %zu (%s) has no name or no summary", count, topic.name);
		if (topic.rule)
			continue;
		if (!whole(topic.text->meaning) || !whole(topic.text->normal) || !whole(topic.text->bad) ||
		    !whole(topic.text->action) || !topic.text->refs[0])
			fail_msg("topic %s lacks a part", topic.name);
		if (topic.text->summary[strlen(topic.text->summary) - 1] == '.')
			fail_msg("the summary of %s ends with a full stop", topic.name);
		if (strlen(topic.text->summary) > 78)
			fail_msg("the summary of %s is too long for a list", topic.name);
	}
	assert_true(count > COUNTER_COUNT + TCPI_COUNT + 11);
	assert_false(topic_at(count, &topic));
}

static void topic_expand__placeholders__become_words(void **state)
{
	struct out CLEANUP(out_close) out;

	(void)state;
	out_open_mem(&out);
	topic_expand(&out, "ls -l /proc/{pid}/fd of {peer_port}, tcp_mem");
	assert_string_equal(out_text(&out), "ls -l /proc/<pid>/fd of <peer-port>, tcp_mem");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(topic_find__every_state_by_every_word_of_one_state__is_found),
		cmocka_unit_test(topic_find__every_counter_by_nstat_name_and_column__is_found),
		cmocka_unit_test(topic_find__every_field_by_kernel_name_and_key__is_found),
		cmocka_unit_test(topic_find__words_that_ss_prints__are_found),
		cmocka_unit_test(topic_find__every_sysctl_in_three_spellings__is_found_once),
		cmocka_unit_test(topic_find__every_reason_and_rule__is_found),
		cmocka_unit_test(topic_find__queue_columns__speak_of_listeners_too),
		cmocka_unit_test(topic_find__other_words__are_unknown),
		cmocka_unit_test(topic_offer__a_slip_of_the_finger__is_mended),
		cmocka_unit_test(topic_group__each_word__gives_all_of_its_kind_and_no_other),
		cmocka_unit_test(topic_settings__each__covers_every_program_and_known_rules),
		cmocka_unit_test(topic_containing__a_part_of_names__finds_them),
		cmocka_unit_test(topics__every_entry__is_complete),
		cmocka_unit_test(topic_expand__placeholders__become_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
