/* SPDX-License-Identifier: MIT */
/* Finding a topic by any spelling of its name: one list made of the model's tables, the rules, and the texts beside them. */
#include "tcptriage/triage/topics.h"

#include <string.h>

#include "tcptriage/model/counters.h"
#include "tcptriage/model/owner.h"
#include "tcptriage/model/sysctls.h"
#include "tcptriage/triage/engine.h"

#define NAME_MAX_LEN 96

static const struct {
	const char *name, *group;
} kind_words[TOPIC_KIND_COUNT] = {
	[TOPIC_STATE] = { "state", "states" },
	[TOPIC_RULE] = { "rule", "rules" },
	[TOPIC_COLUMN] = { "column", "columns" },
	[TOPIC_REASON] = { "owner reason", "reasons" },
	[TOPIC_FIELD] = { "tcp_info field", "fields" },
	[TOPIC_COUNTER] = { "counter", "counters" },
	[TOPIC_SYSCTL] = { "sysctl", "sysctls" },
	[TOPIC_WORD] = { "report word", "words" },
	[TOPIC_SETTING] = { "program setting", "settings" },
};

const char *topic_kind_name(enum topic_kind kind)
{
	return kind_words[kind].name;
}

const char *topic_kind_group(enum topic_kind kind)
{
	return kind_words[kind].group;
}

/* Each kind answers for its own index: false past its end. */
static bool state_at(size_t index, struct topic *out)
{
	if (index >= ARRAY_SIZE(sock_state_display_order))
		return false;
	out->name = sock_state_name(sock_state_display_order[index]);
	out->text = &topic_states[sock_state_display_order[index]];
	return true;
}

static bool rule_at(size_t index, struct topic *out)
{
	if (index >= triage_rule_count)
		return false;
	out->rule = triage_rules[index];
	out->name = out->rule->id;
	return true;
}

static bool column_at(size_t index, struct topic *out)
{
	out->name = topic_column_names[index];
	out->text = &topic_columns[index];
	return out->name;
}

static bool reason_at(size_t index, struct topic *out)
{
	if (index + 1 >= OWNER_UNKNOWN_COUNT)
		return false;
	out->name = owner_unknown_name((enum owner_unknown)(index + 1));
	out->text = &topic_reasons[index + 1];
	return true;
}

static bool field_at(size_t index, struct topic *out)
{
	if (index >= TCPI_COUNT)
		return false;
	out->name = tcpi_fields[index].name;
	out->alias = tcpi_fields[index].key;
	out->text = &topic_fields[index];
	return true;
}

static bool counter_at(size_t index, struct topic *out)
{
	if (index >= COUNTER_COUNT)
		return false;
	out->name = counter_rows[index].nstat;
	out->alias = counter_rows[index].column;
	out->text = &topic_counters[index];
	return true;
}

static bool sysctl_at(size_t index, struct topic *out)
{
	if (index >= SYSCTL_COUNT)
		return false;
	out->alias = sysctl_rows[index].path;
	out->name = strrchr(out->alias, '/') + 1;
	out->text = &topic_sysctls[index];
	return true;
}

static bool word_at(size_t index, struct topic *out)
{
	out->name = topic_report_word_names[index];
	out->text = &topic_report_words[index];
	return out->name;
}

static bool setting_at(size_t index, struct topic *out)
{
	out->name = topic_setting_names[index];
	out->text = &topic_settings[index];
	return out->name;
}

static bool (*const kinds[TOPIC_KIND_COUNT])(size_t, struct topic *) = {
	[TOPIC_STATE] = state_at,   [TOPIC_RULE] = rule_at,   [TOPIC_COLUMN] = column_at,
	[TOPIC_REASON] = reason_at, [TOPIC_FIELD] = field_at, [TOPIC_COUNTER] = counter_at,
	[TOPIC_SYSCTL] = sysctl_at, [TOPIC_WORD] = word_at,
	[TOPIC_SETTING] = setting_at,
};

/* A file that gives two numbers has two rows in sysctls.def and one topic. */
static bool repeats_last(const struct topic *topic, size_t index)
{
	return topic->kind == TOPIC_SYSCTL && index &&
	       !strcmp(sysctl_rows[index - 1].path, topic->alias);
}

struct walk {
	size_t kind, index;
};

static bool walk_next(struct walk *walk, struct topic *out)
{
	for (; walk->kind < TOPIC_KIND_COUNT; walk->kind++, walk->index = 0) {
		*out = (struct topic){ .kind = (enum topic_kind)walk->kind };
		while (kinds[walk->kind](walk->index, out))
			if (!repeats_last(out, walk->index++))
				return true;
	}
	return false;
}

static bool mends(const struct topic *setting, const struct rule *rule)
{
	for (const char *const *id = setting->text->rules; *id; id++) {
		if (!strcmp(*id, rule->id))
			return true;
	}
	return false;
}

bool topic_setting_for(const struct rule *rule, size_t index, struct topic *out)
{
	*out = (struct topic){ .kind = TOPIC_SETTING };
	for (size_t i = 0; setting_at(i, out); i++) {
		if (mends(out, rule) && !index--)
			return true;
	}
	return false;
}

bool topic_at(size_t index, struct topic *out)
{
	struct walk walk = { 0 };

	while (walk_next(&walk, out))
		if (!index--)
			return true;
	return false;
}

const char *topic_summary(const struct topic *topic)
{
	return topic->rule ? topic->rule->title : topic->text->summary;
}

/* Letters and digits only, lower case; "" when it does not fit. */
static void fold(const char *text, size_t len, char out[NAME_MAX_LEN])
{
	size_t n = 0;

	for (size_t i = 0; i < len && n + 1 < NAME_MAX_LEN; i++) {
		char c = text[i];

		if (c >= 'A' && c <= 'Z')
			c |= 0x20;
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			out[n++] = c;
	}
	out[len < NAME_MAX_LEN ? n : 0] = '\0';
}

static bool same(const char *wanted, const char *name, size_t len)
{
	char known[NAME_MAX_LEN];

	fold(name, len, known);
	return *wanted && !strcmp(wanted, known);
}

static bool among_others(const char *wanted, const char *also)
{
	while (also && *also) {
		size_t len = strcspn(also, " ");

		if (same(wanted, also, len))
			return true;
		also += len + (also[len] == ' ');
	}
	return false;
}

static bool names(const char *wanted, const struct topic *topic)
{
	return same(wanted, topic->name, strlen(topic->name)) ||
	       (topic->alias && same(wanted, topic->alias, strlen(topic->alias))) ||
	       (topic->text && among_others(wanted, topic->text->also));
}

/* What users put before a name: the file's or the structure's prefix. */
static const char *without_prefix(const char *word)
{
	static const char *const prefixes[] = { "/proc/sys/net/", "net.", "net/", "tcpi_" };

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (!strncasecmp(word, prefixes[i], strlen(prefixes[i])))
			return word + strlen(prefixes[i]);
	return word;
}

size_t topic_find(const char *word, struct topic *found, size_t max)
{
	const char *rest = without_prefix(word);
	struct walk walk = { 0 };
	struct topic topic;
	char wanted[NAME_MAX_LEN];
	size_t count = 0;

	fold(rest, strlen(rest), wanted);
	while (count < max && walk_next(&walk, &topic))
		if (names(wanted, &topic))
			found[count++] = topic;
	return count;
}

size_t topic_group(const char *word, struct topic *found, size_t max)
{
	struct walk walk = { 0 };
	size_t count = 0;

	while (count < max && walk_next(&walk, &found[count]))
		if (!strcasecmp(word, kind_words[found[count].kind].group))
			count++;
	return count;
}

static bool contains(const char *name, const char *part)
{
	char known[NAME_MAX_LEN];

	fold(name, strlen(name), known);
	return strstr(known, part);
}

size_t topic_containing(const char *word, struct topic *found, size_t max)
{
	const char *rest = without_prefix(word);
	struct walk walk = { 0 };
	struct topic topic;
	char part[NAME_MAX_LEN];
	size_t count = 0;

	fold(rest, strlen(rest), part);
	while (strlen(part) > 1 && walk_next(&walk, &topic)) {
		if (!contains(topic.name, part) && !(topic.alias && contains(topic.alias, part)))
			continue;
		if (count < max)
			found[count] = topic;
		count++;
	}
	return count;
}

void topic_offer_names(struct words_nearest *search, struct arena *arena)
{
	struct walk walk = { 0 };
	struct topic topic;

	for (size_t i = 0; i < TOPIC_KIND_COUNT; i++)
		words_offer(search, kind_words[i].group);
	while (walk_next(&walk, &topic)) {
		char *also = topic.text && topic.text->also ? arena_strdup(arena, topic.text->also) : NULL;

		words_offer(search, topic.name);
		if (topic.alias)
			words_offer(search, topic.alias);
		while (also)
			words_offer(search, strsep(&also, " "));
	}
}

void topic_expand(struct out *out, const char *template)
{
	static const char example[] = "{example}";
	bool inside = false;

	for (; *template; template++) {
		char c = *template;

		if (!strncmp(template, example, sizeof(example) - 1)) {
			out_lit(out, "<peer-addr>");
			template += sizeof(example) - 2;
			continue;
		}

		if (c == '{' || c == '}') {
			inside = c == '{';
			c = inside ? '<' : '>';
		}
		out_char(out, inside && c == '_' ? '-' : c);
	}
}

void topic_limit(struct out *out, const struct threshold *threshold)
{
	out_value(out, threshold->def, threshold->unit);
	if (threshold->unit == UNIT_SOCKETS || threshold->unit == UNIT_PORTS ||
	    threshold->unit == UNIT_SEGMENTS)
		out_printf(out, " %s", unit_name(threshold->unit));
	out_printf(out, ": %s", threshold->reason);
}
