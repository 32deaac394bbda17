/* SPDX-License-Identifier: MIT */
/* `tcptriage trace`: what its files share. */
#ifndef TCPTRIAGE_SRC_CMD_TRACE_H
#define TCPTRIAGE_SRC_CMD_TRACE_H

#include "probe_job.h"

/** struct trace_options - the command line. @source_port: of --sport as a number. */
struct trace_options {
	struct common_options common;
	struct probe_options probe;
	const char *port, *sport;
	bool parallel;
	uint16_t source_port;
};

/** trace_address_probe() - a probe_kind.probe: SYNs, and beside them ICMP or UDP. */
int trace_address_probe(struct probe_job *job, const struct addr *address, int64_t deadline_us, struct probe_result *result, struct err *err);

#endif
