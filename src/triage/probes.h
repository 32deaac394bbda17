/* SPDX-License-Identifier: MIT */
/* The probe signals that stand in triage/probes/: one file each, named after its rule. */
#ifndef TCPTRIAGE_TRIAGE_PROBES_H
#define TCPTRIAGE_TRIAGE_PROBES_H

#include "probe_kit.h"

/** probes_… - the probe signal of the rule of that name: of `mtu-probe`, of `trace`, or of both. */
extern const struct rule_signal probes_mtu_blackhole_send, probes_mtu_blackhole_recv, probes_pmtu_shrunk, probes_mss_clamp_mismatch;
extern const struct rule_signal probes_syn_sent_stall, probes_connect_refused, probes_syn_local_stuck, probes_ephemeral_port_exhaustion,
	probes_ttl_exceeded, probes_icmp_unreachable, probes_cidr_overlap, probes_mtu_config_mismatch;

#endif
