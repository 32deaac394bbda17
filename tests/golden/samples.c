/* SPDX-License-Identifier: MIT */
/* Prints the hand-made sockets, findings and results of probes in one kind of document: samples KIND; without one it lists the kinds that have a schema. */
#include <stdio.h>
#include <unistd.h>

#include "../support/probe_samples.h"
#include "../support/render_samples.h"

static struct samples samples;
static struct notices notices;
static struct arena arena;
static const struct state_counts counts = { .tcp[ADDR_V4][SOCK_STATE_ESTAB] = 7, .udp[ADDR_V6] = 2 };

static void rows(struct out *out, enum format format)
{
	static const char *const flags[] = { "close-wait-leak", NULL };
	struct document doc = samples_document("tcptriage.states/1", &notices);
	struct row_options options = { .show = ROW_SHOW_INFO | ROW_SHOW_OWNERS };

	row_renderers[format].begin(out, &options, &doc);
	for (unsigned i = 0; i < SAMPLE_COUNT; i++) {
		struct row row = { .sock = &samples.sock[i],
				   .holders = i % 2 ? NULL : two_holders,
				   .holder_count = i % 2 ? 0 : 2,
				   .reason = i == 3 ? OWNER_TIME_WAIT : OWNER_KNOWN,
				   .cgroup = i ? NULL : "/x\n",
				   .netns = i == 1 ? "n\x1b" : NULL,
				   .flags = i ? NULL : flags,
				   .age_ms = i ? -1 : 31000 };

		row_renderers[format].row(out, &options, &row, !i);
	}
	row_renderers[format].end(out, &options, &doc, &counts);
}

static void no_rows(struct out *out, enum format format)
{
	struct document doc = samples_document("tcptriage.states/1", NULL);
	struct row_options options = { 0 };

	doc.complete = false;
	row_renderers[format].begin(out, &options, &doc);
	row_renderers[format].end(out, &options, &doc, NULL);
}

static void summary(struct out *out, enum format format)
{
	static const char *const flags[] = { "syn-sent-stall", NULL };
	struct document doc = samples_document("tcptriage.states/1", &notices);
	struct summary_ports ports = { addr_v4(0x0a000001), { addr_v4(0x0a090909), 80 }, 14000, 13000, 28232 };
	struct summary_flagged flagged[] = {
		{ &samples.sock[SAMPLE_ESTAB], &evil_process, OWNER_KNOWN, 31000, { TIMEOUT_NONE, -1 }, "recvq-not-drained" },
		{ &samples.sock[SAMPLE_TIMEWAIT], NULL, OWNER_TIME_WAIT, -1, { TIMEOUT_CLOSE, 41000 }, "time-wait-churn" },
	};
	struct summary view = { .doc = &doc, .counts = &counts, .ports = &ports, .port_count = 1,
				.flagged = flagged, .flagged_count = 2, .flagged_more = 5 };

	for (unsigned i = 0; i < ARRAY_SIZE(view.line); i++)
		view.line[i] = (struct summary_line){ sock_state_display_order[i], 812, 14, i ? -1 : 31000,
						      i ? "" : EVIL_COMM, i ? NULL : "10.9.9.9:80", 3, 3,
						      i ? NULL : flags };
	summary_render(out, &view, format);
}

static void groups(struct out *out, enum format format)
{
	static const struct group_line lines[] = { { EVIL_COMM, 12, 3, 4 }, { "nginx", 1, 0, 0 } };
	struct document doc = samples_document("tcptriage.states/1", &notices);

	groups_render(out, &doc, "process", lines, 2, format, &(struct style){ 0 });
}

static void report(struct out *out, enum format format)
{
	static const struct skipped_rule skipped[] = { { "a-rule", "no \x1b counters" } };
	static const struct near_miss misses[] = { { "syn-sent-stall", 2.5, 7, UNIT_S, "oldest SYN-SENT" } };
	struct document doc = samples_document("tcptriage.report/1", &notices);
	struct finding cause = samples_finding(), symptom = samples_finding();
	struct finding *const list[] = { &cause, &symptom };
	struct report all = { .doc = &doc, .status = REPORT_CRITICAL, .counts = &counts, .findings = list,
			      .finding_count = 2, .skipped = skipped, .skipped_count = 1, .misses = misses,
			      .miss_count = 1, .rules_run = 6, .samples = 3, .namespaces = 1,
			      .duration_us = 5000123, .cost_us = 8100, .sockets = 412, .print_from = 0.4 };

	cause.folded = 1;
	symptom.parent = &cause;
	symptom.scope = (struct scope){ .netns = "n\x1b", .unit = "app.service", .has_local = true,
					.local = { addr_v4(0), 80 }, .peer_bits = 0 };
	symptom.threshold.name = NULL;
	report_renderers[format](out, &all);
}

/* Every sample as text, below its name. */
static void probe_texts(struct out *out, const struct probe_sample *list, size_t count, unsigned width)
{
	struct document doc = samples_document("", NULL);
	struct probe_result results[PROBE_SAMPLE_RESULTS];

	for (size_t i = 0; i < count; i++) {
		struct probe_report report = probe_samples_report(&list[i], &doc, width, results);

		out_printf(out, "%s== %s\n", i ? "\n" : "", list[i].name);
		(list->mtu[0] ? mtu_probe_renderers : trace_renderers)[FORMAT_TEXT](out, &report);
	}
}

/* All results of all samples in one document. */
static void probe_documents(struct out *out, const struct probe_sample *list, size_t count, const char *schema, enum format format)
{
	static struct probe_result results[64];
	struct document doc = samples_document(schema, &notices);
	struct probe_report report = { .doc = &doc, .target = EVIL_COMM, .port = 443, .results = results, .print_from = 0.4 };

	for (size_t i = 0; i < count; i++)
		report.result_count += probe_samples_report(&list[i], &doc, 0, &results[report.result_count]).result_count;
	(list->mtu[0] ? mtu_probe_renderers : trace_renderers)[format](out, &report);
}

static void mtu_probes(struct out *out, enum format format)
{
	probe_documents(out, mtu_samples, mtu_sample_count, "tcptriage.mtu-probe/1", format);
}

static void traces(struct out *out, enum format format)
{
	probe_documents(out, trace_samples, trace_sample_count, "tcptriage.trace/1", format);
}

static const struct kind {
	const char *name;
	void (*print)(struct out *out, enum format format);
	enum format format;
} kinds[] = {
	{ "states rows json", rows, FORMAT_JSON },	 { "states rows ndjson", rows, FORMAT_NDJSON },
	{ "states empty json", no_rows, FORMAT_JSON },	 { "states empty ndjson", no_rows, FORMAT_NDJSON },
	{ "states summary json", summary, FORMAT_JSON }, { "states summary ndjson", summary, FORMAT_NDJSON },
	{ "states groups json", groups, FORMAT_JSON },	 { "states groups ndjson", groups, FORMAT_NDJSON },
	{ "report report json", report, FORMAT_JSON },	 { "report report ndjson", report, FORMAT_NDJSON },
	{ "mtu-probe all json", mtu_probes, FORMAT_JSON }, { "mtu-probe all ndjson", mtu_probes, FORMAT_NDJSON },
	{ "trace all json", traces, FORMAT_JSON },	 { "trace all ndjson", traces, FORMAT_NDJSON },
};

/* struct printed - texts, which have no schema. */
static const struct printed {
	const char *name;
	const struct probe_sample *list;
	const size_t *count;
	unsigned width;
} printed[] = {
	{ "mtu-probe text", mtu_samples, &mtu_sample_count, 0 }, { "mtu-probe text 80", mtu_samples, &mtu_sample_count, 80 },
	{ "trace text", trace_samples, &trace_sample_count, 0 }, { "trace text 80", trace_samples, &trace_sample_count, 80 },
};

int main(int argc, char **argv)
{
	const char *wanted = argc < 2 ? NULL : argv[1];
	struct out out;

	samples_make(&samples);
	notices.arena = &arena;
	notices_add(&notices, "no \x1b counters");
	out_open_fd(&out, STDOUT_FILENO);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!wanted)
			out_printf(&out, "%s\n", kinds[i].name);
		else if (!strcmp(wanted, kinds[i].name))
			kinds[i].print(&out, kinds[i].format);
	}
	for (size_t i = 0; wanted && i < ARRAY_SIZE(printed); i++)
		if (!strcmp(wanted, printed[i].name))
			probe_texts(&out, printed[i].list, *printed[i].count, printed[i].width);
	out_close(&out);
	arena_free(&arena);
	return 0;
}
