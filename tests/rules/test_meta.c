/* SPDX-License-Identifier: MIT */
/* What holds for every rule: it can be named, explained, acted on and tested. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rules.h"

static bool is_kebab(const char *text)
{
	if (!*text || !islower((unsigned char)*text) || text[strlen(text) - 1] == '-')
		return false;
	for (; *text; text++) {
		if (!islower((unsigned char)*text) && !isdigit((unsigned char)*text) && *text != '-')
			return false;
	}
	return true;
}

static void list_is_filled(const struct rule *rule, const char *const *list, const char *what)
{
	if (!list || !list[0])
		fail_msg("%s: %s is empty", rule->id, what);
	for (; *list; list++)
		assert_true(strlen(*list) > 3);
}

static void rules__ids__are_unique_kebab_words(void **state)
{
	(void)state;
	assert_true(triage_rule_count >= 7);
	for (size_t i = 0; i < triage_rule_count; i++) {
		assert_true(is_kebab(triage_rules[i]->id));
		assert_ptr_equal(triage_rule_find(triage_rules[i]->id), triage_rules[i]);
	}
	assert_null(triage_rule_find("no-such-rule"));
}

static void rules__texts__are_complete(void **state)
{
	(void)state;
	for (size_t i = 0; i < triage_rule_count; i++) {
		const struct rule *rule = triage_rules[i];

		assert_true(strlen(rule->title) > 10 && !strchr(rule->title, '{'));
		assert_true(strlen(rule->explain) > 300 && !strpbrk(rule->explain, "{\\"));
		assert_true(strlen(rule->repro) > 20);
		list_is_filled(rule, rule->look_alikes, "look_alikes");
		list_is_filled(rule, rule->causes, "causes");
		list_is_filled(rule, rule->next, "next");
		list_is_filled(rule, rule->fixes, "fixes");
		list_is_filled(rule, rule->refs, "refs");
		assert_true(rule->eval || rule->packets || rule->probes);
		assert_int_equal(rule->eval != NULL, !!(rule->needs & (RULE_NEEDS_SOCKETS | RULE_NEEDS_NETWORK)));
		assert_int_equal(rule->eval != NULL, rule->thresholds != NULL);
		assert_true(!rule->states == !rule->candidate);
		assert_int_equal(rule->look != NULL, !!(rule->needs & RULE_NEEDS_FAST_LOOKS));
	}
}

static void rules__refs__name_a_section_and_the_kernel(void **state)
{
	(void)state;
	for (size_t i = 0; i < triage_rule_count; i++) {
		unsigned rfc = 0, kernel = 0;

		for (const char *const *ref = triage_rules[i]->refs; *ref; ref++) {
			rfc += !strncmp(*ref, "RFC ", 4) && strstr(*ref, "§");
			kernel += !strncmp(*ref, "net/", 4) || !strncmp(*ref, "Documentation/", 14);
		}
		if (!rfc || !kernel)
			fail_msg("%s needs an RFC section and a kernel file", triage_rules[i]->id);
	}
}

static void assert_limits(const struct threshold *t)
{
	assert_non_null(t->name);
	for (const struct threshold *a = t; a->name; a++) {
		assert_true(isfinite(a->def) && a->def > 0);
		assert_true(a->unit != UNIT_NONE);
		assert_true(strlen(a->reason) > 20);
		for (const struct threshold *b = a + 1; b->name; b++)
			assert_string_not_equal(a->name, b->name);
	}
}

static void rules__thresholds__have_unit_and_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < triage_rule_count; i++) {
		const struct rule *rule = triage_rules[i];

		if (rule->eval)
			assert_limits(rule->thresholds);
		if (rule->packets)
			assert_limits(rule->packets->thresholds);
		if (rule->probes)
			assert_limits(rule->probes->thresholds);
	}
}

static void assert_apart(const struct threshold *a, const struct threshold *others)
{
	for (; a && a->name; a++) {
		for (const struct threshold *b = others; b && b->name; b++)
			assert_string_not_equal(a->name, b->name);
	}
}

static void assert_signal(const struct rule_signal *signal)
{
	assert_non_null(signal->eval);
	assert_true(strlen(signal->explain) > 60 && !strpbrk(signal->explain, "{\\"));
	assert_true(strlen(signal->repro) > 20);
}

/* A limit is set by the rule's id and its name, so no two signals of a rule may share one. */
static void rules__rule_signals__are_explained_and_have_limits_of_their_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < triage_rule_count; i++) {
		const struct rule_signal *packets = triage_rules[i]->packets, *probes = triage_rules[i]->probes;

		if (packets) {
			assert_signal(packets);
			assert_apart(triage_rules[i]->thresholds, packets->thresholds);
		}
		if (probes) {
			assert_signal(probes);
			assert_apart(triage_rules[i]->thresholds, probes->thresholds);
		}
		if (packets && probes)
			assert_apart(packets->thresholds, probes->thresholds);
	}
}

/* Advice that was wrong when it was given, or is now. */
static void rules__texts__are_free_of_folklore(void **state)
{
	static const char *const folklore[] = { "tcp_tw_recycle", "lower tcp_fin_timeout", "reduce tcp_fin_timeout",
						"tcp_abort_on_overflow=1" };

	(void)state;
	for (size_t i = 0; i < triage_rule_count; i++) {
		for (size_t k = 0; k < ARRAY_SIZE(folklore); k++) {
			assert_null(strstr(triage_rules[i]->explain, folklore[k]));
			for (const char *const *fix = triage_rules[i]->fixes; *fix; fix++)
				assert_null(strstr(*fix, folklore[k]));
		}
	}
}

static void rules__commands__begin_with_a_known_program(void **state)
{
	static const char *const programs[] = { "tcptriage states", "tcptriage report", "tcptriage explain",
						"tcptriage doctor", "ss ", "ip ", "nstat ", "ls ", "cat ",
						"tc ", "tcpdump ", "ping ", "tcptriage capture", "tcptriage mtu-probe",
						"tcptriage trace" };

	(void)state;
	for (size_t i = 0; i < triage_rule_count; i++) {
		for (const char *const *next = triage_rules[i]->next; *next; next++) {
			bool known = false;

			for (size_t k = 0; k < ARRAY_SIZE(programs); k++)
				known |= !strncmp(*next, programs[k], strlen(programs[k]));
			if (!known)
				fail_msg("%s: '%s'", triage_rules[i]->id, *next);
		}
	}
}

static void assert_driver(const char *prefix, const char *id)
{
	char path[512], *dash;

	snprintf(path, sizeof(path), "test_%s%s.c", prefix, id);
	while ((dash = strchr(path, '-')))
		*dash = '_';
	if (chdir(RULE_TESTS) || access(path, R_OK))
		fail_msg("%s/%s is missing", RULE_TESTS, path);
}

static void rules__each_signal__has_a_test_driver(void **state)
{
	(void)state;
	for (size_t i = 0; i < triage_rule_count; i++) {
		const struct rule *rule = triage_rules[i];

		assert_driver("", rule->id);
		if (rule->eval && rule->packets)
			assert_driver("packets_", rule->id);
		if (rule->probes && (rule->eval || rule->packets))
			assert_driver("probes_", rule->id);
	}
}

static void want__udp__is_asked_of_rules_about_udp_only(void **state)
{
	struct sock sock = { .netid = NETID_TCP, .state = SOCK_STATE_ESTAB, .inode = 7, .recv_q = 512 };
	uint64_t wanted;

	(void)state;
	assert_true(triage_want(&sock, NULL) != 0);
	sock.netid = NETID_UDP;
	wanted = triage_want(&sock, NULL);
	assert_true(wanted != 0);
	for (size_t i = 0; i < triage_rule_count; i++)
		assert_true(!(wanted >> i & 1) || triage_rules[i]->udp_candidate);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(want__udp__is_asked_of_rules_about_udp_only),
		cmocka_unit_test(rules__ids__are_unique_kebab_words),
		cmocka_unit_test(rules__texts__are_complete),
		cmocka_unit_test(rules__refs__name_a_section_and_the_kernel),
		cmocka_unit_test(rules__thresholds__have_unit_and_reason),
		cmocka_unit_test(rules__rule_signals__are_explained_and_have_limits_of_their_own),
		cmocka_unit_test(rules__texts__are_free_of_folklore),
		cmocka_unit_test(rules__commands__begin_with_a_known_program),
		cmocka_unit_test(rules__each_signal__has_a_test_driver),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
