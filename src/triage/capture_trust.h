/* SPDX-License-Identifier: MIT */
/* What a capture lacks, in numbers that are compared with limits: one table for the trust in it and for the rule that speaks of it. */
#ifndef TCPTRIAGE_TRIAGE_CAPTURE_TRUST_H
#define TCPTRIAGE_TRIAGE_CAPTURE_TRUST_H

#include "tcptriage/triage/engine.h"

/** enum capture_flaw - the rows of capture_trust.def. */
enum capture_flaw {
#define CAPTURE_FLAW(id, name, unit, limit, factor, reason) CAPTURE_FLAW_##id,
#include "capture_trust.def"
#undef CAPTURE_FLAW
	CAPTURE_FLAW_COUNT
};

/** capture_trust_measure() - how much of @flaw this capture has, in the unit of its row; 0 none or unknown. */
double capture_trust_measure(const struct capture_source *source, const struct capture_totals *totals, enum capture_flaw flaw);

#endif
