/* SPDX-License-Identifier: MIT */
/* Prints tcptriage-rules(7) in mdoc from the rule table, at build time. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tcptriage/triage/engine.h"
#include "tcptriage/triage/topics.h"

#define LINE_MAX_COLUMNS 78

static const char head[] =
	".\\\" SPDX-License-Identifier: MIT\n"
	".\\\" Generated from the rule table; do not edit.\n"
	".Dd November 22, 2026\n"
	".Dt TCPTRIAGE-RULES 7\n"
	".Os Linux\n"
	".Sh NAME\n"
	".Nm tcptriage-rules\n"
	".Nd what tcptriage looks for, and what to do about it\n"
	".Sh DESCRIPTION\n"
	"A rule looks at sockets, counters, settings and routes of one network namespace,\n"
	"at the packets of a capture, or at what probes found out, and files findings.\n"
	"It is known by its id, which never changes:\n"
	".Xr tcptriage-report 8\n"
	"takes it in\n"
	".Fl -rule\n"
	"and\n"
	".Fl -mute ,\n"
	"and\n"
	".Xr tcptriage-explain 8\n"
	"prints the same text as this page.\n"
	".Pp\n"
	"Severity comes from limits, each with a name, a value and a reason; order comes\n"
	"from a score of severity, confidence, growth and scope.\n"
	"Confidence is held down when only one sample was taken, when an input was\n"
	"missing, or when something else would look the same.\n"
	"Words in angle brackets stand for what a finding fills in.\n";

static const char tail[] =
	".Sh SEE ALSO\n"
	".Xr ss 8 ,\n"
	".Xr tcptriage 8 ,\n"
	".Xr tcptriage-explain 8 ,\n"
	".Xr tcptriage-report 8\n";

/* One UTF-8 character at @text as a number; our texts are valid UTF-8. Return: its length. */
static size_t take_character(const char *text, uint32_t *code)
{
	static const struct {
		unsigned char mask, lead, bits;
	} forms[] = { { 0x80, 0x00, 0x7f }, { 0xe0, 0xc0, 0x1f }, { 0xf0, 0xe0, 0x0f }, { 0xf8, 0xf0, 0x07 } };
	unsigned char first = (unsigned char)*text;

	for (size_t form = 0; form < ARRAY_SIZE(forms); form++) {
		if ((first & forms[form].mask) != forms[form].lead)
			continue;
		*code = first & forms[form].bits;
		for (size_t i = 1; i <= form; i++)
			*code = *code << 6 | ((unsigned char)text[i] & 0x3f);
		return form + 1;
	}
	BUG();
}

/* A word of running text: what roff would take for a request or an escape is hidden from it. */
static void put_word(struct out *out, const char *word, size_t len, bool first, bool literal)
{
	uint32_t code;

	if (first && (*word == '.' || *word == '\''))
		out_lit(out, "\\&");
	for (size_t i = 0; i < len;) {
		i += take_character(word + i, &code);
		if (code == '\\')
			out_lit(out, "\\e");
		else if (code == '-' && literal)
			out_lit(out, "\\-");
		else if (code < 0x80)
			out_char(out, (char)code);
		else
			out_printf(out, "\\[u%04X]", code);
	}
}

/* mdoc wants a new line after each sentence. */
static bool ends_sentence(const char *word, size_t len)
{
	if (len > 1 && word[len - 1] == ')')
		len--;
	return len > 1 && strchr(".!?", word[len - 1]);
}

/* Running text, broken at blanks; a line feed in it begins a paragraph. */
static void put_text(struct out *out, const char *text)
{
	bool sentence = false;
	size_t at = 0;

	while (*text) {
		size_t len = strcspn(text, " \n");

		if (at && (sentence || at + 1 + len > LINE_MAX_COLUMNS)) {
			out_char(out, '\n');
			at = 0;
		}
		if (at)
			out_char(out, ' ');
		put_word(out, text, len, !at, false);
		at += len + (at > 0);
		sentence = ends_sentence(text, len);
		text += len;
		if (*text == '\n') {
			out_lit(out, "\n.Pp\n");
			at = 0;
		}
		text += strspn(text, " \n");
	}
	out_char(out, '\n');
}

static void put_template(struct out *out, const char *template)
{
	CLEANUP(out_close) struct out text;

	out_open_mem(&text);
	topic_expand(&text, template);
	put_text(out, out_text(&text));
}

static void put_label(struct out *out, const char *label)
{
	out_printf(out, ".Pp\n.Sy %s\n", label);
}

static void put_list(struct out *out, const char *label, const char *kind, const char *const *lines)
{
	if (!lines || !lines[0])
		return;
	put_label(out, label);
	out_printf(out, ".Bl -%s -compact\n", kind);
	for (size_t i = 0; lines[i]; i++) {
		out_lit(out, ".It\n");
		put_template(out, lines[i]);
	}
	out_lit(out, ".El\n");
}

static void put_commands(struct out *out, const char *const *lines)
{
	CLEANUP(out_close) struct out text = { 0 };

	if (!lines || !lines[0])
		return;
	put_label(out, "Next");
	out_lit(out, ".Bd -literal -offset indent -compact\n");
	out_open_mem(&text);
	for (size_t i = 0; lines[i]; i++) {
		out_clear(&text);
		topic_expand(&text, lines[i]);
		put_word(out, out_text(&text), out_len(&text), true, true);
		out_char(out, '\n');
	}
	out_lit(out, ".Ed\n");
}

static void put_thresholds(struct out *out, const char *label, const struct threshold *thresholds)
{
	CLEANUP(out_close) struct out text = { 0 };

	if (!thresholds || !thresholds->name)
		return;
	put_label(out, label);
	out_lit(out, ".Bl -tag -width Ds -compact\n");
	out_open_mem(&text);
	for (const struct threshold *t = thresholds; t->name; t++) {
		out_printf(out, ".It Li %s\n", t->name);
		out_clear(&text);
		topic_limit(&text, t);
		put_text(out, out_text(&text));
	}
	out_lit(out, ".El\n");
}

static void put_refs(struct out *out, const char *const *refs)
{
	CLEANUP(out_close) struct out text;

	out_open_mem(&text);
	for (size_t i = 0; refs && refs[i]; i++)
		out_printf(&text, "%s%s", i ? " · " : "", refs[i]);
	put_label(out, "See");
	put_text(out, out_text(&text));
}

/* How a kind of evidence is named in labels. */
struct signal_labels {
	const char *read, *limits, *made;
};

static void put_signal(struct out *out, const struct signal_labels *labels, const struct rule_signal *signal)
{
	if (!signal)
		return;
	put_label(out, labels->read);
	put_template(out, signal->explain);
	put_thresholds(out, labels->limits, signal->thresholds);
	put_label(out, labels->made);
	put_template(out, signal->repro);
}

static void put_rule(struct out *out, const struct rule *rule)
{
	static const struct signal_labels packets = { "Read from packets", "Limits in packets", "To make it in a capture" };
	static const struct signal_labels probes = { "Read from probes", "Limits in probes", "To make it for probes" };

	out_printf(out, ".Ss %s\n", rule->id);
	put_template(out, rule->title);
	out_lit(out, ".Pp\n");
	put_template(out, rule->explain);
	put_thresholds(out, "Limits", rule->thresholds);
	put_signal(out, &packets, rule->packets);
	put_signal(out, &probes, rule->probes);
	put_list(out, "Not this", "dash", rule->look_alikes);
	put_list(out, "Causes", "dash", rule->causes);
	put_commands(out, rule->next);
	put_list(out, "Fix", "enum", rule->fixes);
	put_refs(out, rule->refs);
}

int main(void)
{
	struct out out;
	int code;

	out_open_fd(&out, STDOUT_FILENO);
	out_str(&out, head);
	out_lit(&out, ".Sh RULES\n");
	for (size_t i = 0; i < triage_rule_count; i++)
		put_rule(&out, triage_rules[i]);
	out_str(&out, tail);
	code = out_flush(&out);
	out_close(&out);
	return code ? 1 : 0;
}
