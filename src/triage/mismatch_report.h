/* SPDX-License-Identifier: MIT */
/* A contradiction of MTUs as a finding, for the two signals of mtu-config-mismatch. */
#ifndef TCPTRIAGE_TRIAGE_MISMATCH_REPORT_H
#define TCPTRIAGE_TRIAGE_MISMATCH_REPORT_H

#include "kit.h"
#include "mtu_mismatch.h"

/** mismatch_report() - files @m with what is known of it: scope, evidence, title, doubts; the caller names the threshold. */
struct finding *mismatch_report(const struct view *view, struct sink *sink, const struct mtu_mismatch *m, enum severity severity);
/** mismatch_report_unseen() - says as parts that could not be judged what @found did not see. */
void mismatch_report_unseen(const struct view *view, struct sink *sink, const struct mtu_mismatches *found);

#endif
