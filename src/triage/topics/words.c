/* SPDX-License-Identifier: MIT */
/* The words that a report itself prints: how bad, how sure, in which order, and what was not judged. */
#include "tcptriage/triage/topics.h"

#include <assert.h>

#define REPORT_PAGE "tcptriage-report(8)"

const char *const topic_report_word_names[] = {
	"severity", "confidence", "score", "evidence", "against", "near-miss", "not-judged", "in-part", "complete", NULL,
};

const struct topic_text topic_report_words[] = {
	{
		.also = "info warning critical warn crit",
		.summary = "how bad a finding is: info, warning or critical",
		.meaning = "critical: users are hurt now or in minutes. warning: act this week. info: worth knowing, nothing needs to be done. It comes from the limits of the rule alone (tcptriage explain RULE lists them), never from the score.",
		.normal = "No finding, or info only: exit status 0.",
		.bad = "warning gives exit status 1, critical 2, each from a confidence of 0.5 on (--min-confidence, --fail-on).",
		.action = "Read what speaks against the finding, look with the commands under next, then mend in the order under fix.",
		.refs = { REPORT_PAGE, "tcptriage-rules(7)" },
	},
	{
		.also = "certain very-likely possible weak min-confidence",
		.summary = "how sure the program is of a finding, from 0 to 1",
		.meaning = "0.9 and more is called certain, 0.7 very likely, 0.4 possible, below that weak. Look-alikes that were not ruled out lower it, and so does a single sample, a missing input or a tcp_info without the field that would tell.",
		.normal = "0.8 and more for a fault that lasts, seen in three samples as root.",
		.bad = "Below 0.5 a finding does not count for the exit status; below 0.4 it is printed with -v only.",
		.action = "Read against for what keeps it low; run as root, take more samples (--samples, --interval), run the commands under next.",
		.refs = { REPORT_PAGE },
	},
	{
		.summary = "the order of findings: how bad, how sure and how much, in one number",
		.meaning = "0 to 100, in JSON only. The severity gives a range (info 5 to 20, warning 40 to 70, critical 80 to 100), the share of sockets concerned a place in it; that is multiplied by confidence, by growth and by how much is affected. Findings are printed by it, largest first; one that another explains stands behind its cause.",
		.normal = "No value is good or bad by itself.",
		.bad = "It decides nothing but the order: severity and exit status do not depend on it.",
		.action = "Work from the top.",
		.refs = { REPORT_PAGE },
	},
	{
		.summary = "the numbers behind a finding, each with its source",
		.meaning = "Printed with -v and in JSON: name, value with its unit, and where it was read (sock_diag, a counter, a file below /proc).",
		.normal = "Every number of the sentence above it is among them.",
		.bad = "No value is bad by itself; the limit that decided is in threshold in JSON.",
		.action = "Compare them with what the commands under next print.",
		.refs = { REPORT_PAGE },
	},
	{
		.also = "look-alike look-alikes",
		.summary = "what was looked at and speaks against a finding, or could not be ruled out",
		.meaning = "Harmless things that look the same from here, inputs that were missing, and numbers that point the other way. Each of them has lowered the confidence already.",
		.normal = "One or two lines.",
		.bad = "A line that fits what you know of this machine: the finding is then probably the harmless twin.",
		.action = "Check it first; it takes less time than the fix.",
		.refs = { REPORT_PAGE, "tcptriage-rules(7)" },
	},
	{
		.also = "near-misses",
		.summary = "a rule that looked and did not fire, with its number and its limit",
		.meaning = "Printed with -v: the number that came nearest to the limit of the rule, and that limit. It says how much room is left, and that the rule had its inputs.",
		.normal = "Far below the limit.",
		.bad = "Just below it, above all when it grows from run to run.",
		.action = "Nothing yet; look again under load.",
		.refs = { REPORT_PAGE },
	},
	{
		.also = "skipped skipped-rule skipped_rules",
		.summary = "a rule that could not speak because an input was missing, and why",
		.meaning = "'No findings' says nothing about this rule. In JSON it stands in skipped_rules.",
		.normal = "None, as root with three samples on a current kernel.",
		.bad = "A rule that you rely on: its silence is not health. When sock_diag or the counters are missing, or a source named by --require, the exit status is 3.",
		.action = "tcptriage doctor names what is missing and the command that gives it; --quick takes away the rules that compare two samples.",
		.refs = { REPORT_PAGE, "tcptriage-doctor(8)" },
	},
	{
		.also = "partially",
		.summary = "a rule that was judged but for a part, and which",
		.meaning = "Printed with -v, and in JSON in skipped_rules with partial true: one condition of the rule lacked its input (a history, an owner, a field of a newer kernel), the others were judged.",
		.normal = "Some lines: growth over several runs needs a history, which is not kept yet.",
		.bad = "A part that would have told a fault from its look-alike: the confidence is lower for it.",
		.action = "tcptriage doctor names what would bring the input.",
		.refs = { REPORT_PAGE, "tcptriage-doctor(8)" },
	},
	{
		.also = "incomplete partial partial-result",
		.summary = "whether everything was read that was asked for",
		.meaning = "A list of sockets that the kernel interrupted, a namespace that could not be entered or a source that failed makes a result incomplete (partial). What was read is printed all the same, and why the rest is missing stands in the notes (notices in JSON).",
		.normal = "Complete.",
		.bad = "Incomplete: counts are lower bounds, and silence about a socket means nothing. Commands other than report exit with 4.",
		.action = "Read the notes; run again, as root, or with less in the filter.",
		.refs = { "tcptriage(8)", REPORT_PAGE },
	},
};

static_assert(ARRAY_SIZE(topic_report_words) + 1 == ARRAY_SIZE(topic_report_word_names), "a name for each text");
