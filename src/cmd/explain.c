/* SPDX-License-Identifier: MIT */
/* tcptriage explain: what a state, rule, counter, field, column, sysctl or word of a report means, from tables in this program alone. */
#include <errno.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "commands.h"
#include "session.h"
#include "tcptriage/render/topic.h"

#define TOPICS_MAX 512
#define OFFERED_MAX 8

struct explain_options {
	struct common_options common;
};

static const struct option_row options[] = { { 0 } };

/* "time wait" is "time-wait": several words are one name. */
static void join(struct out *out, int count, char **words)
{
	for (int i = 0; i < count; i++) {
		out_str(out, i ? " " : "");
		out_str(out, words[i]);
	}
}

/* Names that have the word inside them: "overflow" is that of several. */
static void name_containing(struct out *text, const char *word)
{
	struct topic found[OFFERED_MAX];
	size_t count = topic_containing(word, found, OFFERED_MAX);

	for (size_t i = 0; i < MIN(count, OFFERED_MAX); i++) {
		out_str(text, i ? ", " : " names with it: ");
		out_str(text, found[i].name);
	}
	if (count > OFFERED_MAX)
		out_printf(text, " and %zu more", count - OFFERED_MAX);
}

static int unknown(const char *word)
{
	struct words_nearest search = { .word = word };
	CLEANUP(arena_free) struct arena arena = { 0 };
	CLEANUP(out_close) struct out text;
	size_t plain;

	topic_offer_names(&search, &arena);
	out_open_mem(&text);
	out_printf(&text, "nothing is known about '%s':", word);
	plain = out_len(&text);
	if (search.best)
		out_printf(&text, " did you mean '%s'?", search.best);
	name_containing(&text, word);
	if (out_len(&text) == plain)
		out_lit(&text, " without a topic all are listed");
	return usage_error(&cmd_explain, out_text(&text));
}

static size_t all_topics(struct topic *topics)
{
	size_t count = 0;

	while (topic_at(count, &topics[count]))
		if (++count == TOPICS_MAX)
			BUG();
	return count;
}

static int print(const struct explain_options *o, const struct topic_page *page)
{
	enum format format = o->common.ndjson ? FORMAT_NDJSON : o->common.json ? FORMAT_JSON : FORMAT_TEXT;
	struct out out;
	int code;

	out_open_fd(&out, STDOUT_FILENO);
	topic_renderers[format](&out, page);
	code = out_flush(&out);
	out_close(&out);
	return code && code != -EPIPE ? EXIT_FAILED : EXIT_RAN;
}

static int run(void *values, int operand_count, char **operands)
{
	static struct topic topics[TOPICS_MAX];
	const struct explain_options *o = values;
	struct utsname host = { 0 };
	struct document doc = {
		.schema = "tcptriage.explain/1",
		.host = host.nodename,
		.netns = "",
		.generated_us = clock_now().real_us,
		.complete = true,
	};
	struct topic_page page = { .doc = &doc, .topic = topics, .full = operand_count > 0 };
	CLEANUP(out_close) struct out word;
	struct err err;

	out_open_mem(&word);
	if (session_style(&page.style, &o->common, STDOUT_FILENO, &err))
		return usage_error(&cmd_explain, err.text);
	uname(&host);
	join(&word, operand_count, operands);
	page.count = page.full ? topic_find(out_text(&word), topics, TOPICS_MAX) : all_topics(topics);
	if (!page.count) {
		page.full = false;
		page.count = topic_group(out_text(&word), topics, TOPICS_MAX);
	}
	return page.count ? print(o, &page) : unknown(out_text(&word));
}

const struct command cmd_explain = {
	.name = "explain",
	.summary = "what a state, a rule, a counter, a field or a sysctl means and what to do",
	.operands = "[TOPIC]",
	.example = "tcptriage explain close-wait",
	.options = options,
	.options_size = sizeof(struct explain_options),
	.run = run,
};
