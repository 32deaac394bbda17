/* SPDX-License-Identifier: MIT */
/* The counter files of /proc/net, word by word. */
#include "collect/proc_counters.h"

#include <string.h>

#include "tcptriage/base/num.h"

/* A word of a line. @whole: what follows it (a blank or a newline) was seen, so it was not cut. */
struct word {
	const char *at;
	size_t len;
	bool whole;
};

static bool next_word(const char **line, struct word *out)
{
	const char *at = *line + strspn(*line, " \t");

	out->at = at;
	out->len = strcspn(at, " \t\n");
	out->whole = at[out->len] != '\0';
	*line = at + out->len;
	return out->len > 0;
}

static const char *next_line(const char *line)
{
	line += strcspn(line, "\n");
	return *line ? line + 1 : line;
}

static bool word_is(const struct word *word, const char *text)
{
	return word->len == strlen(text) && !memcmp(word->at, text, word->len);
}

/* Return: 1 when the value is no number, 0 otherwise. A negative one (Tcp MaxConn) is a limit, not a counter. */
static unsigned store(struct counters *out, unsigned id, const struct word *value)
{
	const char *at = value->at;
	uint64_t number;

	if (!value->whole || !num_take_u64(&at, &number) || at != value->at + value->len)
		return 1;
	out->value[id] = number;
	out->has[id] = true;
	return 0;
}

/* The counter of @column in @group (its colon not counted), COUNTER_COUNT when nobody asked for it. */
static unsigned find(const struct word *group, const struct word *column)
{
	for (unsigned id = 0; id < COUNTER_COUNT; id++)
		if (word_is(column, counter_rows[id].column) && word_is(group, counter_rows[id].group))
			return id;
	return COUNTER_COUNT;
}

static unsigned take_pair(const struct word *group, const char *names, const char *values,
			  struct counters *out)
{
	struct word name, value;
	unsigned odd = 0;

	while (next_word(&names, &name)) {
		unsigned id = name.whole ? find(group, &name) : COUNTER_COUNT;

		if (!next_word(&values, &value))
			return odd + 1;
		if (id < COUNTER_COUNT)
			odd += store(out, id, &value);
	}
	return odd + next_word(&values, &value);
}

/* The kernel leaves out ICMP types of which it saw none, and the whole group when there are none at all (icmpmsg_put()). Only where the
 * group behind it stands is the text known to go that far. */
static void fill_icmp_types(const char *text, struct counters *out)
{
	if (out->has[COUNTER_ICMP_IN_DEST_UNREACHS] && strstr(text, "\nTcp: "))
		out->has[COUNTER_ICMP_IN_TYPE3] |= !strstr(text, " InType3");
}

unsigned counters_parse_pairs(const char *text, struct counters *out)
{
	const char *whole = text;
	unsigned odd = 0;

	while (*text) {
		const char *names = text, *values = next_line(text);
		struct word group, again;

		if (!next_word(&names, &group) || group.at[group.len - 1] != ':') {
			odd++;
			text = values;
			continue;
		}
		if (!next_word(&values, &again) || again.len != group.len ||
		    memcmp(again.at, group.at, group.len)) {
			odd++; /* names without values: the next line begins anew */
			text = next_line(text);
			continue;
		}
		group.len--;
		odd += take_pair(&group, names, values, out);
		text = next_line(values);
	}
	if (!odd)
		fill_icmp_types(whole, out);
	return odd;
}

unsigned counters_parse_snmp6(const char *text, struct counters *out)
{
	static const struct word group = { "snmp6", 5, true };
	unsigned odd = 0;

	for (; *text; text = next_line(text)) {
		const char *at = text;
		struct word name, value, more;
		unsigned id;

		if (!next_word(&at, &name) || !next_word(&at, &value) || next_word(&at, &more)) {
			odd++;
			continue;
		}
		id = find(&group, &name);
		if (id < COUNTER_COUNT)
			odd += store(out, id, &value);
	}
	return odd;
}

/* The row whose column is "<group>.<name>" in sockstat or sockstat6. */
static unsigned find_sockstat(const struct word *group, const struct word *name)
{
	for (unsigned id = 0; id < COUNTER_COUNT; id++) {
		const char *column = counter_rows[id].column;

		if (!strncmp(counter_rows[id].group, "sockstat", 8) &&
		    !strncmp(column, group->at, group->len) && column[group->len] == '.' &&
		    word_is(name, column + group->len + 1))
			return id;
	}
	return COUNTER_COUNT;
}

unsigned counters_parse_sockstat(const char *text, struct counters *out)
{
	unsigned odd = 0;

	for (; *text; text = next_line(text)) {
		const char *at = text;
		struct word group, name, value;

		if (!next_word(&at, &group) || group.at[group.len - 1] != ':') {
			odd++;
			continue;
		}
		group.len--;
		while (next_word(&at, &name)) {
			unsigned id;

			if (!next_word(&at, &value)) {
				odd++;
				break;
			}
			id = find_sockstat(&group, &name);
			if (id < COUNTER_COUNT)
				odd += store(out, id, &value);
		}
	}
	return odd;
}

const struct counter_file counter_files[COUNTER_FILES] = {
	{ "snmp", counters_parse_pairs },	{ "netstat", counters_parse_pairs },
	{ "snmp6", counters_parse_snmp6 },	{ "sockstat", counters_parse_sockstat },
	{ "sockstat6", counters_parse_sockstat },
};
