/* SPDX-License-Identifier: MIT */
/* A finding as people read it: severity, title and confidence on one line, then what was seen, what speaks against it, what to do. */
#include "src/render/finding_formats.h"
#include "src/render/paragraph.h"
#include "tcptriage/triage/engine.h"

/* Columns: severity word, then labels of the lines below it. A pipe has no width: titles are padded to the one of a wide terminal. */
#define BODY_INDENT 10
#define LABEL_COLUMNS 9
#define FOLDED_INDENT 4
#define PIPE_COLUMNS 116

static const struct {
	const char *word, *color;
} severities[SEVERITY_COUNT] = {
	[SEVERITY_INFO] = { "INFO", "\033[36m" },
	[SEVERITY_WARNING] = { "WARNING", "\033[33m" },
	[SEVERITY_CRITICAL] = { "CRITICAL", "\033[1;31m" },
};

/* struct block - where one finding is written. @text: scratch for expanded templates. */
struct block {
	struct out *out;
	const struct finding *finding;
	size_t width, indent;
	struct out text;
};

static const char *expand(struct block *block, const char *template)
{
	out_clear(&block->text);
	finding_expand(&block->text, block->finding, template);
	return out_text(&block->text);
}

/* A line below the title: a label (or blanks in its place), and a paragraph behind it. */
static struct paragraph labelled(struct block *block, const char *label)
{
	size_t column = block->indent + BODY_INDENT + LABEL_COLUMNS;

	out_spaces(block->out, block->indent + BODY_INDENT);
	out_str(block->out, label);
	out_spaces(block->out, LABEL_COLUMNS - strlen(label));
	return paragraph_at(block->out, block->width, column, column);
}

static void severity_word(struct block *block, bool color)
{
	const char *word = severities[block->finding->severity].word;

	out_spaces(block->out, block->indent);
	if (color)
		out_str(block->out, severities[block->finding->severity].color);
	out_str(block->out, word);
	if (color)
		out_lit(block->out, "\033[0m");
	out_spaces(block->out, BODY_INDENT - strlen(word));
}

/* The confidence ends at the right margin, on the title's last line where that leaves two blanks, else on a line of its own. */
static void confidence_words(struct block *block, struct paragraph *title)
{
	size_t margin = block->width ? block->width : PIPE_COLUMNS, columns;

	out_clear(&block->text);
	out_printf(&block->text, "%s (%.2f)", triage_confidence_word(block->finding->confidence),
		   block->finding->confidence);
	columns = out_len(&block->text);
	if (title->column + 2 + columns <= margin) {
		out_spaces(block->out, margin - columns - title->column);
	} else if (block->width) {
		out_char(block->out, '\n');
		out_spaces(block->out, margin > columns + title->indent ? margin - columns : title->indent);
	} else {
		out_lit(block->out, "  ");
	}
	out_str(block->out, out_text(&block->text));
	out_char(block->out, '\n');
}

/* @netns: several namespaces were looked at, so that each finding says which. */
static void title_line(struct block *block, bool color, bool netns)
{
	size_t indent = block->indent + BODY_INDENT;
	struct paragraph paragraph = paragraph_at(block->out, block->width, indent, indent);

	severity_word(block, color);
	paragraph_text(&paragraph, expand(block, block->finding->title));
	if (netns && block->finding->scope.netns)
		paragraph_item(&paragraph, " · ", expand(block, "netns {netns}"));
	confidence_words(block, &paragraph);
}

static void detail_lines(struct block *block)
{
	size_t indent = block->indent + BODY_INDENT;
	struct paragraph paragraph = paragraph_at(block->out, block->width, indent, indent);

	if (!block->finding->detail)
		return;
	out_spaces(block->out, indent);
	paragraph_text(&paragraph, expand(block, block->finding->detail));
	paragraph_end(&paragraph);
}

static void against_lines(struct block *block)
{
	const char *label = "against";

	for (unsigned i = 0; block->finding->against[i]; i++, label = "") {
		struct paragraph paragraph = labelled(block, label);

		paragraph_text(&paragraph, expand(block, block->finding->against[i]));
		paragraph_end(&paragraph);
	}
}

/* Items on as few lines as hold them; @numbered: "1 …  2 …" instead of dots between. */
static void item_lines(struct block *block, const char *label, const char *const *items,
		       bool numbered, const char *last)
{
	struct out item;
	struct paragraph paragraph;

	if ((!items || !items[0]) && !last)
		return;
	out_open_mem(&item);
	paragraph = labelled(block, label);
	for (unsigned i = 0; items && items[i]; i++) {
		out_clear(&item);
		if (numbered)
			out_printf(&item, "%u ", i + 1);
		out_str(&item, expand(block, items[i]));
		paragraph_item(&paragraph, numbered ? "  " : " · ", out_text(&item));
	}
	if (last)
		paragraph_item(&paragraph, " · ", last);
	paragraph_end(&paragraph);
	out_close(&item);
}

/* The @index-th command into the scratch. Return: false when it asks for what is not known. */
static bool make_command(struct block *block, unsigned index)
{
	out_clear(&block->text);
	return finding_command(&block->text, block->finding, block->finding->next[index]);
}

/* Columns of all commands on one line. */
static size_t commands_columns(struct block *block)
{
	size_t columns = 0;

	for (unsigned i = 0; block->finding->next[i]; i++) {
		if (make_command(block, i))
			columns += (columns ? strlen(" | ") : 0) + text_columns(block->text.base, out_len(&block->text));
	}
	return columns;
}

/* A line for a command alone; what it does not hold behind the label begins farther left, where that holds it. A remark behind it may be broken. */
static struct paragraph command_line(struct block *block, const char *label)
{
	const char *command = out_text(&block->text), *remark = strstr(command, " # ");
	size_t columns = text_columns(command, remark ? (size_t)(remark - command) : strlen(command)), left = block->indent + FOLDED_INDENT;

	if (block->indent + BODY_INDENT + LABEL_COLUMNS + columns <= block->width || left + columns > block->width)
		return labelled(block, label);
	if (*label) {
		out_spaces(block->out, block->indent + BODY_INDENT);
		out_str(block->out, label);
		out_char(block->out, '\n');
	}
	out_spaces(block->out, left);
	return paragraph_at(block->out, block->width, left, left);
}

/* Commands to paste: one a line unless one line holds all, and never broken inside while a line holds one. */
static void next_lines(struct block *block)
{
	size_t columns = block->finding->next ? commands_columns(block) : 0;
	bool apart = block->width && block->indent + BODY_INDENT + LABEL_COLUMNS + columns > block->width;
	struct paragraph paragraph;
	const char *label = "next";

	for (unsigned i = 0; columns && block->finding->next[i]; i++) {
		if (!make_command(block, i))
			continue;
		if (!*label && apart)
			paragraph_end(&paragraph);
		if (*label || apart)
			paragraph = apart ? command_line(block, label) : labelled(block, label);
		label = "";
		paragraph_item(&paragraph, " · ", out_text(&block->text));
	}
	if (!*label)
		paragraph_end(&paragraph);
}

static void see_lines(struct block *block)
{
	struct out explain;

	out_open_mem(&explain);
	out_lit(&explain, "tcptriage explain ");
	out_str(&explain, block->finding->rule);
	item_lines(block, "see", block->finding->refs, false, out_text(&explain));
	out_close(&explain);
}

static void evidence_text(struct out *out, const struct evidence *evidence)
{
	out_str(out, evidence->name);
	out_char(out, ' ');
	if (evidence->text)
		out_escaped(out, evidence->text, strlen(evidence->text));
	else
		out_value(out, evidence->value, evidence->unit);
	if (evidence->source)
		out_printf(out, " (%s)", evidence->source);
}

static void evidence_lines(struct block *block)
{
	struct paragraph paragraph;

	if (!block->finding->evidence_count)
		return;
	paragraph = labelled(block, "evidence");
	for (unsigned i = 0; i < block->finding->evidence_count; i++) {
		out_clear(&block->text);
		evidence_text(&block->text, &block->finding->evidence[i]);
		paragraph_item(&paragraph, " · ", out_text(&block->text));
	}
	paragraph_end(&paragraph);
}

static void folded_line(struct block *block, bool verbose)
{
	struct paragraph paragraph;

	if (!block->finding->folded)
		return;
	paragraph = labelled(block, "explains");
	out_clear(&block->text);
	out_printf(&block->text, "%u other%s%s", block->finding->folded,
		   block->finding->folded == 1 ? "" : "s", verbose ? ":" : " (-v shows them)");
	paragraph_text(&paragraph, out_text(&block->text));
	paragraph_end(&paragraph);
}

bool finding_visible(const struct report *report, const struct finding *finding)
{
	return report->verbose || finding->confidence >= report->print_from;
}

void finding_text(struct out *out, const struct report *report, const struct finding *finding)
{
	bool folded = finding->parent && finding_visible(report, finding->parent);
	struct block block = { .out = out,
			       .finding = finding,
			       .width = report->style.width,
			       .indent = folded ? FOLDED_INDENT : 0 };

	if (!finding_visible(report, finding) || (folded && !report->verbose))
		return;
	out_open_mem(&block.text);
	title_line(&block, report->style.color, report->namespaces > 1);
	detail_lines(&block);
	if (report->verbose)
		evidence_lines(&block);
	against_lines(&block);
	if (report->verbose)
		item_lines(&block, "causes", finding->causes, false, NULL);
	next_lines(&block);
	item_lines(&block, "fix", finding->fixes, true, NULL);
	see_lines(&block);
	folded_line(&block, report->verbose);
	out_close(&block.text);
	out_char(out, '\n');
}
