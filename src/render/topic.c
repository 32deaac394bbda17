/* SPDX-License-Identifier: MIT */
/* Topics as wrapped text and as JSON. */
#include "tcptriage/render/topic.h"

#include "src/render/json.h"

#define LABEL_WIDTH 10
#define WIDEST 100

/* Columns that @len bytes of UTF-8 take; every character of our texts is one column wide. */
static size_t columns(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)text[i] & 0xc0) != 0x80;
	return n;
}

static void new_line(struct out *out, size_t indent)
{
	out_char(out, '\n');
	out_spaces(out, indent);
}

/* Writes text whose first line begins at column @indent; '\n' in it begins a paragraph. Width 0: no wrapping. */
static void wrapped(struct out *out, const char *text, size_t indent, unsigned width)
{
	size_t at = indent;

	while (*text) {
		size_t len = strcspn(text, " \n"), wide = columns(text, len);

		if (at > indent && width && at + 1 + wide > width) {
			new_line(out, indent);
			at = indent;
		}
		if (at > indent) {
			out_char(out, ' ');
			at++;
		}
		out_mem(out, text, len);
		at += wide;
		text += len;
		if (*text == '\n') {
			new_line(out, indent);
			at = indent;
		}
		text += strspn(text, " \n");
	}
	out_char(out, '\n');
}

static unsigned wrap_width(const struct topic_page *page)
{
	return MIN(page->style.width, WIDEST);
}

static void label(struct out *out, const struct topic_page *page, const char *text)
{
	out_lit(out, "  ");
	if (page->style.color && *text)
		out_printf(out, "\033[2m%s\033[0m", text);
	else
		out_str(out, text);
	out_spaces(out, LABEL_WIDTH - columns(text, strlen(text)));
}

static void part(struct out *out, const struct topic_page *page, const char *name, const char *text)
{
	label(out, page, name);
	wrapped(out, text, LABEL_WIDTH + 2, wrap_width(page));
}

/* How the entries of a list begin: as commands to copy, which are never broken, as points, or by rank. */
enum list_kind { LIST_COMMANDS, LIST_POINTS, LIST_RANKED };

/* A list of templates, its label in front of the first line only. */
static void part_list(struct out *out, const struct topic_page *page, const char *name,
		      const char *const *lines, enum list_kind kind)
{
	CLEANUP(out_close) struct out line;

	out_open_mem(&line);
	for (size_t i = 0; lines && lines[i]; i++) {
		out_clear(&line);
		topic_expand(&line, lines[i]);
		label(out, page, i ? "" : name);
		if (kind == LIST_RANKED)
			out_printf(out, "%zu ", i + 1);
		else if (kind == LIST_POINTS)
			out_lit(out, "- ");
		wrapped(out, out_text(&line), LABEL_WIDTH + (kind == LIST_COMMANDS ? 2 : 4),
			kind == LIST_COMMANDS ? 0 : wrap_width(page));
	}
}

static void refs_line(struct out *out, const struct topic_page *page, const char *const *refs)
{
	label(out, page, "see");
	for (size_t i = 0; refs && refs[i]; i++) {
		if (i)
			out_lit(out, " · ");
		out_str(out, refs[i]);
	}
	out_char(out, '\n');
}

static void threshold_lines(struct out *out, const struct topic_page *page, const char *name,
			    const struct threshold *thresholds)
{
	CLEANUP(out_close) struct out line;

	out_open_mem(&line);
	for (const struct threshold *t = thresholds; t && t->name; t++) {
		out_clear(&line);
		out_str(&line, t->name);
		out_char(&line, ' ');
		topic_limit(&line, t);
		part(out, page, t == thresholds ? name : "", out_text(&line));
	}
}

/* A line whose further lines begin below its text, not below its mark of two columns. */
static void marked(struct out *out, const struct topic_page *page, const char *name, const char *mark,
		   const char *text)
{
	label(out, page, name);
	out_str(out, mark);
	wrapped(out, text, LABEL_WIDTH + 4, wrap_width(page));
}

/* "- Go: http.Transport.IdleConnTimeout". */
static void program_line(struct out *out, const struct topic_page *page, const char *name,
			 const struct program_setting *program)
{
	CLEANUP(out_close) struct out line;

	out_open_mem(&line);
	out_printf(&line, "%s: %s", program->program, program->text);
	marked(out, page, name, "- ", out_text(&line));
}

/* Of a setting: every program, and below it where its documentation says so. */
static void program_lines(struct out *out, const struct topic_page *page, const struct topic_text *text)
{
	CLEANUP(out_close) struct out line;

	out_open_mem(&line);
	for (const struct program_setting *p = text->programs; p && p->program; p++) {
		out_clear(&line);
		out_printf(&line, "[%s]", p->source);
		program_line(out, page, p == text->programs ? "set" : "", p);
		marked(out, page, "", "  ", out_text(&line));
	}
}

/* Below a rule: the settings of programs that mend it, each under its own name, which tells the rest. */
static void setting_lines(struct out *out, const struct topic_page *page, const struct rule *rule)
{
	struct topic setting;

	for (size_t i = 0; topic_setting_for(rule, i, &setting); i++) {
		part(out, page, i ? "" : "set", setting.name);
		for (const struct program_setting *p = setting.text->programs; p->program; p++)
			program_line(out, page, "", p);
	}
}

/* What packets, or probes, show of the rule, its limits and its fault set in below it. */
static void signal_text(struct out *out, const struct topic_page *page, const char *name, const struct rule_signal *signal)
{
	if (!signal)
		return;
	part(out, page, name, signal->explain);
	threshold_lines(out, page, "- limits", signal->thresholds);
	part(out, page, "- made by", signal->repro);
}

static void rule_text(struct out *out, const struct topic_page *page, const struct rule *rule)
{
	part(out, page, "meaning", rule->explain);
	threshold_lines(out, page, "limits", rule->thresholds);
	signal_text(out, page, "packets", rule->packets);
	signal_text(out, page, "probes", rule->probes);
	part_list(out, page, "not this", rule->look_alikes, LIST_POINTS);
	part_list(out, page, "causes", rule->causes, LIST_RANKED);
	part_list(out, page, "next", rule->next, LIST_COMMANDS);
	part_list(out, page, "fix", rule->fixes, LIST_RANKED);
	setting_lines(out, page, rule);
	refs_line(out, page, rule->refs);
	if (rule->repro)
		part(out, page, "made by", rule->repro);
}

static void plain_text(struct out *out, const struct topic_page *page, const struct topic_text *text)
{
	part(out, page, "meaning", text->meaning);
	part(out, page, "normal", text->normal);
	part(out, page, "bad", text->bad);
	part(out, page, "do", text->action);
	program_lines(out, page, text);
	refs_line(out, page, text->refs);
}

/* "tcp_tw_reuse (sysctl net.ipv4.tcp_tw_reuse): summary". */
static void heading(struct out *out, const struct topic_page *page, const struct topic *topic)
{
	out_str(out, page->style.color ? "\033[1m" : "");
	out_str(out, topic->name);
	out_str(out, page->style.color ? "\033[0m" : "");
	out_printf(out, " (%s", topic_kind_name(topic->kind));
	if (topic->kind == TOPIC_SYSCTL) {
		out_lit(out, " net.");
		for (const char *c = topic->alias; *c; c++)
			out_char(out, *c == '/' ? '.' : *c);
	}
	out_lit(out, "): ");
	out_str(out, topic_summary(topic));
	out_char(out, '\n');
}

static void text_full(struct out *out, const struct topic_page *page)
{
	for (size_t i = 0; i < page->count; i++) {
		const struct topic *topic = &page->topic[i];

		if (i)
			out_char(out, '\n');
		heading(out, page, topic);
		if (topic->rule)
			rule_text(out, page, topic->rule);
		else
			plain_text(out, page, topic->text);
	}
}

static void group_words(struct out *out)
{
	for (unsigned kind = 0; kind < TOPIC_KIND_COUNT; kind++) {
		out_str(out, kind ? ", " : "; one kind of them: ");
		out_str(out, topic_kind_group((enum topic_kind)kind));
	}
}

static void text_list(struct out *out, const struct topic_page *page)
{
	for (size_t i = 0; i < page->count; i++) {
		const struct topic *topic = &page->topic[i];
		size_t start;

		if (!i || topic->kind != topic[-1].kind)
			out_printf(out, "%s%ss\n", i ? "\n" : "", topic_kind_name(topic->kind));
		start = out_len(out);
		out_lit(out, "  ");
		out_str(out, topic->name);
		out_char(out, ' ');
		out_pad_to(out, start, 34);
		out_str(out, topic_summary(topic));
		out_char(out, '\n');
	}
	out_lit(out, "\ntcptriage explain TOPIC tells the rest");
	if (page->count && page->topic[0].kind != page->topic[page->count - 1].kind)
		group_words(out);
	out_char(out, '\n');
}

static void render_text(struct out *out, const struct topic_page *page)
{
	if (page->full)
		text_full(out, page);
	else
		text_list(out, page);
}

static void json_list(struct out *out, const char *const *lines)
{
	CLEANUP(out_close) struct out line;

	out_open_mem(&line);
	out_char(out, '[');
	for (size_t i = 0; lines && lines[i]; i++) {
		out_clear(&line);
		topic_expand(&line, lines[i]);
		out_str(out, i ? "," : "");
		out_json(out, out_text(&line), out_len(&line));
	}
	out_char(out, ']');
}

static void json_thresholds(struct out *out, const struct threshold *thresholds)
{
	json_key(out, ",", "thresholds");
	out_char(out, '[');
	for (const struct threshold *t = thresholds; t && t->name; t++) {
		out_str(out, t == thresholds ? "{" : ",{");
		json_key(out, "", "name");
		json_text(out, t->name);
		json_key(out, ",", "default");
		out_number(out, t->def);
		json_key(out, ",", "unit");
		json_text(out, unit_name(t->unit));
		json_key(out, ",", "reason");
		json_text(out, t->reason);
		out_char(out, '}');
	}
	out_char(out, ']');
}

static void json_programs(struct out *out, const struct topic *setting, const char *separator)
{
	for (const struct program_setting *p = setting->text->programs; p && p->program; p++) {
		out_str(out, separator);
		json_key(out, "{", "setting");
		json_text(out, setting->name);
		json_key(out, ",", "program");
		json_text(out, p->program);
		json_key(out, ",", "text");
		json_text(out, p->text);
		json_key(out, ",", "source");
		json_text(out, p->source);
		out_char(out, '}');
		separator = ",";
	}
}

static void json_settings(struct out *out, const struct rule *rule)
{
	struct topic setting;

	json_key(out, ",", "settings");
	out_char(out, '[');
	for (size_t i = 0; topic_setting_for(rule, i, &setting); i++)
		json_programs(out, &setting, i ? "," : "");
	out_char(out, ']');
}

static void json_signal(struct out *out, const struct rule_signal *signal)
{
	if (!signal) {
		out_lit(out, "null");
		return;
	}
	json_key(out, "{", "meaning");
	json_text(out, signal->explain);
	json_thresholds(out, signal->thresholds);
	json_key(out, ",", "repro");
	json_text(out, signal->repro);
	out_char(out, '}');
}

static void json_rule(struct out *out, const struct rule *rule)
{
	json_key(out, ",", "meaning");
	json_text(out, rule->explain);
	json_thresholds(out, rule->thresholds);
	json_key(out, ",", "packets");
	json_signal(out, rule->packets);
	json_key(out, ",", "probes");
	json_signal(out, rule->probes);
	json_key(out, ",", "look_alikes");
	json_list(out, rule->look_alikes);
	json_key(out, ",", "causes");
	json_list(out, rule->causes);
	json_key(out, ",", "next");
	json_list(out, rule->next);
	json_key(out, ",", "fixes");
	json_list(out, rule->fixes);
	json_settings(out, rule);
	json_key(out, ",", "refs");
	json_list(out, rule->refs);
	json_key(out, ",", "repro");
	json_text(out, rule->repro);
}

static void json_plain(struct out *out, const struct topic *topic)
{
	const struct topic_text *text = topic->text;

	json_key(out, ",", "meaning");
	json_text(out, text->meaning);
	json_key(out, ",", "normal");
	json_text(out, text->normal);
	json_key(out, ",", "bad");
	json_text(out, text->bad);
	json_key(out, ",", "action");
	json_text(out, text->action);
	json_key(out, ",", "refs");
	json_list(out, text->refs);
	if (!text->programs)
		return;
	json_key(out, ",", "settings");
	out_char(out, '[');
	json_programs(out, topic, "");
	out_char(out, ']');
}

/* The members of one topic, without the brace that opens its object. */
static void json_topic(struct out *out, const struct topic_page *page, const struct topic *topic)
{
	json_key(out, "", "kind");
	json_text(out, topic_kind_name(topic->kind));
	json_key(out, ",", "name");
	json_text(out, topic->name);
	json_key(out, ",", "alias");
	json_text(out, topic->alias);
	json_key(out, ",", "summary");
	json_text(out, topic_summary(topic));
	if (page->full && topic->rule)
		json_rule(out, topic->rule);
	else if (page->full)
		json_plain(out, topic);
	out_char(out, '}');
}

static void render_json(struct out *out, const struct topic_page *page)
{
	document_json_open(out, page->doc);
	json_key(out, ",", "topics");
	out_char(out, '[');
	for (size_t i = 0; i < page->count; i++) {
		out_str(out, i ? ",{" : "{");
		json_topic(out, page, &page->topic[i]);
	}
	out_char(out, ']');
	document_json_close(out, page->doc, NULL);
}

static void render_ndjson(struct out *out, const struct topic_page *page)
{
	document_ndjson_header(out, page->doc);
	for (size_t i = 0; i < page->count; i++) {
		out_lit(out, "{\"type\":\"topic\",");
		json_topic(out, page, &page->topic[i]);
		out_char(out, '\n');
	}
	document_ndjson_summary(out, page->doc, NULL);
}

topic_render_fn *const topic_renderers[FORMAT_COUNT] = {
	[FORMAT_TEXT] = render_text,
	[FORMAT_JSON] = render_json,
	[FORMAT_NDJSON] = render_ndjson,
};
