/* SPDX-License-Identifier: MIT */
/* `tcptriage report`, and what bare `tcptriage` does: sample, judge, print worst first, exit like a monitoring plugin. */
#include "tcptriage/render/report.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "sampler.h"
#include "tcptriage/base/file.h"
#include "tcptriage/base/words.h"

/** struct report_options - the command line. */
struct report_options {
	struct common_options common;
	struct replay_options replay;
	bool quick, exit_zero, quiet_ok;
	uint64_t interval_us, samples, timeout_us, max_time_us;
	struct option_fraction min_confidence;
	const char *format, *output, *fail_on;
	struct option_list rules, mutes, require;
};

#define AT(member) offsetof(struct report_options, member)

static const struct option_row options[] = {
	{ "interval", 0, "SECS", "time over which the samples are spread (5)", OPTION_DURATION,
	  AT(interval_us), NULL },
	{ "samples", 0, "N", "how many samples (3)", OPTION_U64, AT(samples), NULL },
	{ "quick", 0, NULL, "one sample; rules that need more say so", OPTION_FLAG, AT(quick), NULL },
	{ "timeout", 0, "SECS", "give up after this long (exit status 3)", OPTION_DURATION,
	  AT(timeout_us), NULL },
	{ "max-time", 0, "SECS", "budget of a sample; above it tcp_info is read of candidates only (2)",
	  OPTION_DURATION, AT(max_time_us), NULL },
	{ "min-confidence", 0, "C", "findings below this do not count for the exit status (0.5)",
	  OPTION_FRACTION, AT(min_confidence), NULL },
	{ "exit-zero", 0, NULL, "exit status 0 whatever was found", OPTION_FLAG, AT(exit_zero), NULL },
	{ "fail-on", 0, "SEVERITY", "exit with a status above 0 from this severity on (warning)",
	  OPTION_STRING, AT(fail_on), "warning|critical" },
	{ "quiet-ok", 0, NULL, "print nothing when nothing is at or above warning", OPTION_FLAG,
	  AT(quiet_ok), NULL },
	{ "format", 0, "FORMAT", "text, json or ndjson", OPTION_STRING, AT(format),
	  "text|json|ndjson" },
	{ "output", 0, "FILE", "write there, replacing the file at once", OPTION_STRING, AT(output),
	  "files" },
	{ "rule", 0, "ID", "run this rule only (may be repeated)", OPTION_LIST, AT(rules), "rules" },
	{ "mute", 0, "ID", "do not run this rule (may be repeated)", OPTION_LIST, AT(mutes), "rules" },
	{ "require", 0, "SOURCE", "exit status 3 when this source is missing (may be repeated)",
	  OPTION_LIST, AT(require),
	  "sock_diag|udp_diag|tcp_info|counters|sysctls|owners|namespaces|descriptors" },
	{ "history", 0, "none", "no history is read", OPTION_ACCEPTED, 0, "none" },
	REPLAY_OPTION_ROWS(struct report_options, replay),
	{ 0 },
};

/* What is left of a run after --timeout, to print what it has. */
#define LAST_WORDS_S 2

/* A run that hangs inside the kernel is ended here: no summary, but an end. */
static void on_last_alarm(int number)
{
	static const char text[] = "tcptriage report: --timeout is over before the report was complete\n";
	ssize_t unused = write(STDERR_FILENO, text, sizeof(text) - 1);

	(void)number;
	(void)unused;
	_exit(REPORT_UNKNOWN);
}

/* --timeout first asks the run to stop as a signal does. */
static void on_alarm(int number)
{
	interrupted = number;
	signal(SIGALRM, on_last_alarm);
	alarm(LAST_WORDS_S);
}

static int check_rules(const struct option_list *list, struct err *err)
{
	for (unsigned i = 0; i < list->count; i++) {
		struct words_nearest search = { .word = list->values[i] };

		if (triage_rule_find(list->values[i]))
			continue;
		for (size_t r = 0; r < triage_rule_count; r++)
			words_offer(&search, triage_rules[r]->id);
		return err_set(err, -EINVAL, "unknown rule '%s'%s", list->values[i],
			       words_hint(&search).text);
	}
	return 0;
}

static int check_sources(const struct option_list *list, unsigned *mask, struct err *err)
{
	for (unsigned i = 0; i < list->count; i++) {
		struct words_nearest search = { .word = list->values[i] };
		unsigned source = 0;

		while (source < SOURCE_COUNT && strcmp(list->values[i], sampler_source_names[source]))
			words_offer(&search, sampler_source_names[source++]);
		if (source == SOURCE_COUNT)
			return err_set(err, -EINVAL, "unknown source '%s'%s", list->values[i],
				       words_hint(&search).text);
		*mask |= 1u << source;
	}
	return 0;
}

/* Defaults, and what contradicts itself. @required: bit per source without which nothing can be told. */
static int settle(struct report_options *o, unsigned *required, struct err *err)
{
	enum format format;

	*required = 1u << SOURCE_SOCK_DIAG | 1u << SOURCE_COUNTERS;
	if (o->format && !format_parse(o->format, &format))
		return err_set(err, -EINVAL, "'%s' is no format: text, json or ndjson", o->format);
	if (o->format) {
		o->common.json = format == FORMAT_JSON;
		o->common.ndjson = format == FORMAT_NDJSON;
	}
	if (o->fail_on && strcmp(o->fail_on, "warning") && strcmp(o->fail_on, "critical"))
		return err_set(err, -EINVAL, "'%s' is no severity for --fail-on: warning or critical",
			       o->fail_on);
	if (o->quick && o->samples > 1)
		return err_set(err, -EINVAL, "--quick is one sample: it does not go with --samples");
	if (o->samples > 1000)
		return err_set(err, -EINVAL, "--samples is at most 1000");
	o->samples = o->quick ? 1 : o->samples ? o->samples : 3;
	o->interval_us = o->interval_us ? o->interval_us : 5000000;
	o->max_time_us = o->max_time_us ? o->max_time_us : 2000000;
	if (check_rules(&o->rules, err) || check_rules(&o->mutes, err))
		return -EINVAL;
	return check_sources(&o->require, required, err);
}

static void progress(const struct report_options *o, unsigned taken, unsigned samples)
{
	if (o->common.quiet || !isatty(STDERR_FILENO))
		return;
	if (taken < samples)
		fprintf(stderr, "\rsampling %u of %u …\033[K", taken + 1, samples);
	else
		fputs("\r\033[K", stderr);
}

/* Sample k of n falls on 2/5 of the time as RULES has it for three (0, 2, 5 s); otherwise they are spread evenly. */
static int64_t sample_offset(unsigned index, unsigned samples, uint64_t interval_us)
{
	if (samples == 3 && index == 1)
		return (int64_t)(interval_us * 2 / 5);
	return samples > 1 ? (int64_t)(interval_us * index / (samples - 1)) : 0;
}

/* Waits until sample @index is due. */
static void wait_for(const struct report_options *o, struct sampler *sampler, int64_t began,
		     unsigned index, unsigned samples)
{
	int64_t due = began + sample_offset(index, samples, o->interval_us);

	sampler_look_fast(sampler, due);
	if (!interrupted)
		clock_sleep_until(due);
}

static int take_samples(const struct report_options *o, struct sampler *sampler, struct err *err)
{
	const struct source *source = sampler->session->source;
	unsigned samples = (unsigned)o->samples;
	int64_t began = clock_mono_us();
	int code = 0;

	if (source_is_recorded(source))
		samples = o->quick ? 1 : source_samples(source);
	for (unsigned i = 0; i < samples && !code && !interrupted; i++) {
		progress(o, i, samples);
		if (i && !source_is_recorded(source))
			wait_for(o, sampler, began, i, samples);
		if (!interrupted)
			code = sampler_take(sampler, err);
	}
	progress(o, samples, samples);
	return code;
}

static enum report_status status_of(const struct report_options *o, const struct sampler *sampler,
				    const struct verdict *verdict, unsigned required)
{
	double least = o->min_confidence.given ? o->min_confidence.value : 0.5;
	enum severity worst;

	if (sampler->missing & required || interrupted || !sampler->samples)
		return REPORT_UNKNOWN;
	/* Owners that are hidden from this user are no reason to doubt the rest, unless owners were asked for. */
	if (required >> SOURCE_OWNERS & 1 && sampler->session->denied)
		return REPORT_UNKNOWN;
	if (!triage_status(verdict, least, &worst) || worst == SEVERITY_INFO)
		return REPORT_OK;
	return worst == SEVERITY_CRITICAL ? REPORT_CRITICAL : REPORT_WARNING;
}

static int exit_status(const struct report_options *o, enum report_status status)
{
	if (o->exit_zero)
		return REPORT_OK;
	if (status == REPORT_WARNING && o->fail_on && !strcmp(o->fail_on, "critical"))
		return REPORT_OK;
	return (int)status;
}

/* --quiet-ok: a mail from cron says that something is wrong, so notices of a healthy run are none either. */
static bool is_silent(const struct report *report)
{
	return report->quiet_ok && report->status == REPORT_OK;
}

static int write_report(const struct report_options *o, const struct report *report,
			enum format format, struct err *err)
{
	CLEANUP(file_replace_abort) struct file_replace file = { .fd = -1 };
	struct out out;
	int code;

	if (is_silent(report) && !o->output)
		return 0;
	if (o->output) {
		code = file_replace_begin(&file, o->output, 0644, err);
		if (code)
			return code;
		report_renderers[format](&file.out, report);
		return file_replace_commit(&file, err);
	}
	out_open_fd(&out, STDOUT_FILENO);
	report_renderers[format](&out, report);
	code = out_flush(&out);
	out_close(&out);
	return code && code != -EPIPE ? err_errno(err, code, "cannot write the report") : 0;
}

/* Rules that had all they need: all that were asked for, less those that are skipped as a whole. */
static unsigned rules_run(const struct report_options *o, const struct verdict *verdict)
{
	unsigned count = 0;

	for (size_t r = 0; r < triage_rule_count; r++) {
		bool runs = !o->rules.count;

		if (!triage_rule_reads(triage_rules[r], EVIDENCE_SOCKETS))
			continue;
		for (unsigned i = 0; i < o->rules.count; i++)
			runs = runs || !strcmp(o->rules.values[i], triage_rules[r]->id);
		for (unsigned i = 0; i < o->mutes.count; i++)
			runs = runs && strcmp(o->mutes.values[i], triage_rules[r]->id);
		for (size_t i = 0; i < verdict->skipped_count; i++)
			runs = runs && (verdict->skipped[i].partial ||
					strcmp(verdict->skipped[i].rule, triage_rules[r]->id));
		count += runs;
	}
	return count;
}

static void note_bounds(struct session *session, const struct sampler *sampler)
{
	uint64_t sockets = 0;

	for (unsigned n = 0; n < session->ns_count; n++) {
		const struct snapshot *snap = &sampler->snaps[n];

		sockets += snap->total_sockets;
		if (snap->candidates_lost)
			notices_add(&session->notices,
				    "%llu suspicious sockets beyond the first %u were counted but not examined",
				    (unsigned long long)snap->candidates_lost, SNAPSHOT_CANDIDATES);
		if (snap->groups_dropped)
			notices_add(&session->notices,
				    "more destinations than are kept: the busiest %u are watched, %llu lightly used ones are not",
				    SNAPSHOT_GROUPS, (unsigned long long)snap->groups_dropped);
		if (snap->listeners_lost)
			notices_add(&session->notices, "%llu listeners beyond the first %u were not examined",
				    (unsigned long long)snap->listeners_lost, SNAPSHOT_LISTENERS);
	}
	if (sampler->filter && (sampler->filter->root || sampler->filter->states) && !sockets)
		notices_add(&session->notices, "the filter selects no socket: nothing was judged");
	if (!sampler->info_for_all)
		notices_add(&session->notices,
			    "so many sockets that tcp_info was read of suspicious ones only (--max-time)");
	if (!sampler->complete)
		notices_add(&session->notices,
			    "the kernel's list changed while it was read or was cut: numbers may be low");
	if (session->others)
		notices_add(&session->notices,
			    "%u other network namespace%s not looked at (--all-netns)",
			    session->others, session->others == 1 ? " was" : "s were");
}

static int judge(const struct report_options *o, struct session *session, struct sampler *sampler,
		 unsigned required, struct err *err)
{
	struct document doc = session_document(session, "tcptriage.report/1",
					       sampler->samples ? sampler->samples - 1 : 0);
	struct verdict verdict = { .arena = &session->arena };
	struct state_counts counts = sampler_counts(sampler);
	struct report report;
	int code;

	sampler_find_owners(sampler);
	sampler_find_descriptors(sampler);
	sampler_find_networks(sampler);
	for (unsigned n = 0; n < session->ns_count && sampler->samples; n++) {
		struct view view = sampler_view(sampler, n);

		triage_run(&view, sampler->triage, &verdict);
	}
	triage_rank(&verdict);
	note_bounds(session, sampler);
	doc.complete = doc.complete && sampler->complete && !sampler->missing && !interrupted;
	report = (struct report){ .doc = &doc,
				  .status = status_of(o, sampler, &verdict, required),
				  .counts = &counts,
				  .findings = verdict.findings,
				  .finding_count = verdict.finding_count,
				  .skipped = verdict.skipped,
				  .skipped_count = verdict.skipped_count,
				  .misses = verdict.misses,
				  .miss_count = verdict.miss_count,
				  .rules_run = rules_run(o, &verdict),
				  .samples = sampler->samples,
				  .namespaces = session->ns_count,
				  .fast_sockets = SNAPSHOT_BURSTS - sampler->fast_room,
				  .fast_looks = sampler->fast_looks,
				  .others = session->others,
				  .cost_us = sampler->read_us,
				  .owner_cost_us = sampler->owners_us,
				  .info_for_all = sampler->info_for_all,
				  .verbose = o->common.verbose,
				  .quiet_ok = o->quiet_ok,
				  .print_from = 0.4,
				  .style = session->style };
	for (unsigned n = 0; n < session->ns_count; n++) {
		report.sockets += sampler->snaps[n].total_sockets;
		report.duration_us = MAX(report.duration_us, snapshot_span_us(&sampler->snaps[n]));
	}
	if (o->output)
		report.style = (struct style){ 0 };
	code = write_report(o, &report, session->format, err);
	if (!is_silent(&report) && (session->format != FORMAT_TEXT || o->output))
		session_print_notices(session, &o->common);
	return code ? code : exit_status(o, report.status);
}

static int report_with(const struct report_options *o, unsigned required, int operand_count,
		       char **operands, struct err *err)
{
	CLEANUP(session_close) struct session session = { 0 };
	CLEANUP(sampler_close) struct sampler sampler = { 0 };
	struct triage_options triage = { .quick = o->quick };
	struct session_wish wish = { .common = &o->common,
				     .replay = &o->replay,
				     .samples = (unsigned)o->samples,
				     .interval_us = o->interval_us,
				     .count_others = !o->common.netns };
	struct filter filter = { 0 };
	int code = session_open(&session, &wish, err);

	if (!code)
		code = session_filter(&session, &filter, operand_count, operands, err);
	if (code)
		return code;
	triage.only = o->rules.count ? o->rules.values : NULL;
	triage.muted = o->mutes.count ? o->mutes.values : NULL;
	sampler_open(&sampler, &session, &filter, &triage, (int64_t)o->max_time_us);
	code = take_samples(o, &sampler, err);
	if (interrupted)
		notices_add(&session.notices, "interrupted after %u of %u samples: what was found until then",
			    sampler.samples, (unsigned)o->samples);
	else if (code)
		notices_add(&session.notices, "sampling stopped: %s", err->text);
	return judge(o, &session, &sampler, required, err);
}

static int run(void *values, int operand_count, char **operands)
{
	struct report_options *o = values;
	struct err err = { "" };
	unsigned required;
	int code = settle(o, &required, &err);

	if (!code && o->timeout_us) {
		signal(SIGALRM, on_alarm);
		alarm((unsigned)((o->timeout_us + 999999) / 1000000));
	}
	signals_catch();
	if (!code)
		code = report_with(o, required, operand_count, operands, &err);
	if (code >= 0)
		return code;
	if (code == -EINVAL)
		usage_error(&cmd_report, err.text);
	else
		run_error(&cmd_report, err.text);
	return REPORT_UNKNOWN;
}

const struct command cmd_report = {
	.name = "report",
	.summary = "what is wrong with this machine's connections, worst first",
	.operands = "[FILTER]",
	.example = "tcptriage report dst 10.0.3.4:5432",
	.options = options,
	.options_size = sizeof(struct report_options),
	.run = run,
};
