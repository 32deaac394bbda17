/* SPDX-License-Identifier: MIT */
/* ICMP errors in words, and the flows that they quote. */
#ifndef TCPTRIAGE_TRIAGE_ICMP_REPORTS_H
#define TCPTRIAGE_TRIAGE_ICMP_REPORTS_H

#include "flow_kit.h"

/** icmp_reports_flow() - the flow that it quotes; NULL when none was seen, or it had to make room. */
const struct flow *icmp_reports_flow(const struct view *view, const struct icmp_report *report);
/** icmp_reports_text() - "host unreachable", "administratively prohibited by a filter", … from class and code. */
const char *icmp_reports_text(const struct icmp_report *report);
/** icmp_reports_count() - without those that a ping or a traceroute drew. */
uint64_t icmp_reports_count(const struct icmp_report *report);
/** icmp_reports_sent_size() - largest IP packet that drew it. Where offload joins segments, the quote is of what it joined: then as the MSS makes them. */
uint32_t icmp_reports_sent_size(const struct view *view, const struct icmp_report *report);
/** icmp_reports_about_us() - it quotes what this machine sent, or nobody knows which machine this is. */
bool icmp_reports_about_us(const struct view *view, const struct icmp_report *report);

#endif
