/* SPDX-License-Identifier: MIT */
/* Hand-made results of `mtu-probe` and `trace`: each verdict, each kind of doubt, both families, names that a hostile server could have. */
#ifndef TCPTRIAGE_TESTS_SUPPORT_PROBE_SAMPLES_H
#define TCPTRIAGE_TESTS_SUPPORT_PROBE_SAMPLES_H

#include "tcptriage/render/probes.h"

/** Results of one run at most. */
#define PROBE_SAMPLE_RESULTS 2

/**
 * struct probe_sample - one run. @name: of the sample. @target, @port: as the user wrote them. @mtu or @trace: results, ended by NULL. @finding: of the first result, NULL none.
 */
struct probe_sample {
	const char *name, *target;
	uint16_t port;
	bool verbose, show_hops;
	const struct mtu_result *mtu[PROBE_SAMPLE_RESULTS + 1];
	const struct trace_result *trace[PROBE_SAMPLE_RESULTS + 1];
	struct finding *finding;
};

/** mtu_samples, trace_samples - each with its number. */
extern const struct probe_sample mtu_samples[], trace_samples[];
extern const size_t mtu_sample_count, trace_sample_count;

/** probe_samples_report() - @sample as a report; @results: room for its results. */
struct probe_report probe_samples_report(const struct probe_sample *sample, const struct document *doc, unsigned width,
					 struct probe_result results[static PROBE_SAMPLE_RESULTS]);

#endif
