/* SPDX-License-Identifier: MIT */
/* Pieces of text that the results of `mtu-probe` and `trace` have in common: a sentence, labelled lines below it, a table of hops, findings. */
#ifndef TCPTRIAGE_RENDER_PROBE_TEXT_H
#define TCPTRIAGE_RENDER_PROBE_TEXT_H

#include "src/render/paragraph.h"
#include "tcptriage/render/probes.h"

/**
 * struct probe_text - the text being written.
 * @item: what is written into it becomes the next item, or sentence, of the line. @line: the line that is open. @apart: a block stands above that ends without an empty line.
 */
struct probe_text {
	struct out *out, item;
	const struct probe_report *report;
	struct paragraph line;
	bool apart;
};

/** struct probe_word - a verdict in one or two words and the colour of it, NULL none. */
struct probe_word {
	const char *text, *color;
};
#define PROBE_BAD "\033[1;31m"
#define PROBE_DOUBT "\033[33m"

/** probe_text_open() - a text of @report onto @out. */
void probe_text_open(struct probe_text *text, struct out *out, const struct probe_report *report);
/** probe_text_close() - what stands at the end of all: the notices. Releases @text. */
void probe_text_close(struct probe_text *text);

/** probe_text_apart() - an empty line, when a block stands above that has none below it. */
void probe_text_apart(struct probe_text *text);
/** probe_text_name() - into the item: @name and a blank, unless it is @address as everybody writes it. */
void probe_text_name(struct probe_text *text, const char *name, const struct addr *address);
/** probe_text_verdict() - the first line of an address: the item stands before @word, with a colon between. Words of a sentence follow, until probe_text_end(). */
void probe_text_verdict(struct probe_text *text, const struct probe_word *word);
/** probe_text_line() - begins a line with a label. */
void probe_text_line(struct probe_text *text, const char *label);
/** probe_text_item() - the item stands on the line, with a dot between it and the one before. */
void probe_text_item(struct probe_text *text);
/** probe_text_words() - the item as words of a sentence. */
void probe_text_words(struct probe_text *text);
/** probe_text_end() - ends the line. */
void probe_text_end(struct probe_text *text);

/** probe_text_hop_fn - writes a cell of a hop. */
typedef void probe_text_hop_fn(struct out *out, const struct path_hop *hop, const void *context);
/** probe_text_hops() - a line for each of @count hops: hop limit, address ('*' for a mute one), time, what it answers, and what stands beside that. */
void probe_text_hops(struct probe_text *text, const struct path_hop *hops, size_t count, probe_text_hop_fn *answer, probe_text_hop_fn *beside, const void *context);
/** probe_text_hop() - into @out: "hop 2 (10.9.1.2)", with the address when @address is not any; 0 is this machine. */
void probe_text_hop(struct out *out, unsigned ttl, const struct addr *address);
/** probe_text_reply() - an enum probe_reply in the words of engineers. */
const char *probe_text_reply(unsigned reply);
/** probe_text_partial() - words of the sentence when the search was ended before it was complete. */
void probe_text_partial(struct probe_text *text, bool is_partial);
/** probe_text_ignored() - an item about messages that were not about our probes; nothing when there were none. */
void probe_text_ignored(struct probe_text *text, uint64_t dropped);
/** probe_text_count() - into @out: "1 probe", "12 probes". */
void probe_text_count(struct out *out, uint64_t count, const char *one, const char *many);
/** probe_text_findings() - the findings of an address, as a report prints them. */
void probe_text_findings(struct probe_text *text, const struct probe_result *result);

/** probe_findings_report() - a report of the findings of @result alone, for the functions that print those of reports. */
struct report probe_findings_report(const struct probe_report *report, const struct probe_result *result);

#endif
