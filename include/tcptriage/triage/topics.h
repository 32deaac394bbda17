/* SPDX-License-Identifier: MIT */
/* Offline knowledge: what each state, rule, counter, tcp_info field, socket column, owner reason, sysctl and word of a report means, and what to do; and how the setting that mends a fault is called in common programs. */
#ifndef TCPTRIAGE_TRIAGE_TOPICS_H
#define TCPTRIAGE_TRIAGE_TOPICS_H

#include "tcptriage/base/out.h"
#include "tcptriage/base/words.h"
#include "tcptriage/triage/rule.h"

/** enum topic_kind - in the order in which lists show them. */
enum topic_kind {
	TOPIC_STATE,
	TOPIC_RULE,
	TOPIC_COLUMN,
	TOPIC_REASON,
	TOPIC_FIELD,
	TOPIC_COUNTER,
	TOPIC_SYSCTL,
	TOPIC_WORD,
	TOPIC_SETTING,
	TOPIC_KIND_COUNT
};
/** topic_kind_name() - "state", "rule", "column", "owner reason", "tcp_info field", "counter", "sysctl", "report word", "program setting". */
const char *topic_kind_name(enum topic_kind kind);
/** topic_kind_group() - the word that asks for all of a kind: "states", "rules", "columns", "reasons", "fields", "counters", "sysctls", "words", "settings". */
const char *topic_kind_group(enum topic_kind kind);

#define TOPIC_REFS_MAX 4

/**
 * struct program_setting - how one program or runtime names a setting. @program: its name. @text: the setting, its default in brackets.
 * @source: the page of that project's documentation that says so.
 */
struct program_setting {
	const char *program, *text, *source;
};

/**
 * struct topic_text - what is known about one topic other than a rule.
 * @also: other names users know it by, separated by blanks; NULL none. @summary: one line without a full stop.
 * @meaning: what it is. @normal: how it looks in health. @bad: which value means trouble. @action: what to do then. @refs: RFC sections, kernel files.
 * Of a program setting: @programs, ended by a NULL name, and the ids of the @rules whose faults it mends.
 */
struct topic_text {
	const char *also, *summary, *meaning, *normal, *bad, *action;
	const char *refs[TOPIC_REFS_MAX + 1];
	const struct program_setting *programs;
	const char *const *rules;
};

/**
 * struct topic - one entry. @name: as users meet it. @alias: its other name in the model's tables, NULL none: a counter's column, a
 * field's JSON key, a sysctl's path below /proc/sys/net. @text: NULL for a rule. @rule: NULL for everything else.
 */
struct topic {
	enum topic_kind kind;
	const char *name, *alias;
	const struct topic_text *text;
	const struct rule *rule;
};

/** topic_at() - the @index-th topic, kinds in order. Return: false past the last. */
bool topic_at(size_t index, struct topic *out);
/** topic_summary() - one line for lists; a rule's title. */
const char *topic_summary(const struct topic *topic);
/**
 * topic_find() - every topic that @word names, in any spelling (time-wait, TIME_WAIT, net.ipv4.tcp_tw_reuse, ListenDrops, lastsnd, tcpi_rtt).
 * @found, @max: caller's storage. Return: number found (at most @max).
 */
size_t topic_find(const char *word, struct topic *found, size_t max);
/** topic_group() - every topic of the kind whose group is @word, in any case. Return: number found (at most @max), 0 for another word. */
size_t topic_group(const char *word, struct topic *found, size_t max);
/**
 * topic_containing() - topics with @word inside their name or alias, case and punctuation ignored; fewer than two letters are in none.
 * Return: how many there are, of which the first @max are in @found.
 */
size_t topic_containing(const char *word, struct topic *found, size_t max);
/** topic_offer_names() - offers every name by which a topic or group is known to a search for the nearest word; some live in @arena. */
void topic_offer_names(struct words_nearest *search, struct arena *arena);
/** topic_expand() - writes a rule's template as general text: {peer_port} becomes <peer-port>. */
void topic_expand(struct out *out, const char *template);

/** topic_limit() - writes a threshold without its name: "10 sockets: why". */
void topic_limit(struct out *out, const struct threshold *threshold);

/** topic_states[] - by enum sock_state; the two request-only numbers have none. */
extern const struct topic_text topic_states[];
/** topic_reasons[] - by enum owner_unknown; OWNER_KNOWN has none. */
extern const struct topic_text topic_reasons[];
/** topic_fields[] - by enum tcpi_id. */
extern const struct topic_text topic_fields[];
/** topic_counters[] - by enum counter_id. */
extern const struct topic_text topic_counters[];
/** topic_sysctls[] - by enum sysctl_id. */
extern const struct topic_text topic_sysctls[];
/** topic_report_words[] - in the order of topic_report_word_names[], which NULL ends. */
extern const struct topic_text topic_report_words[];
extern const char *const topic_report_word_names[];
/** topic_settings[] - in the order of topic_setting_names[], which NULL ends. */
extern const struct topic_text topic_settings[];
extern const char *const topic_setting_names[];
/** topic_setting_for() - the @index-th program setting that mends a fault of @rule. Return: false past the last. */
bool topic_setting_for(const struct rule *rule, size_t index, struct topic *out);
/** topic_columns[] - in the order of topic_column_names[]. */
extern const struct topic_text topic_columns[];
/** topic_column_names[] - names of topic_columns[], ended by NULL. */
extern const char *const topic_column_names[];

#endif
