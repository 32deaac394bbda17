/* SPDX-License-Identifier: MIT */
/* Members that the documents of `mtu-probe` and `trace` have in common. */
#ifndef TCPTRIAGE_RENDER_PROBE_JSON_H
#define TCPTRIAGE_RENDER_PROBE_JSON_H

#include "src/render/json.h"
#include "tcptriage/render/probes.h"

/** probe_json_fn - the members of one address, each with its comma but the first. */
typedef void probe_json_fn(struct out *out, const struct probe_result *result);

/** probe_json_document() - a whole document: target, port, results whose members @write writes, findings last. */
void probe_json_document(struct out *out, const struct probe_report *report, probe_json_fn *write);
/** probe_json_lines() - the same as NDJSON: a line of type "result" an address; target and port stand in the summary. */
void probe_json_lines(struct out *out, const struct probe_report *report, probe_json_fn *write);

/** probe_json_target() - name, address, zone, family, port, interface: the first members of a result. */
void probe_json_target(struct out *out, const char *name, const struct addr *address, const char *zone, uint16_t port, const struct route *route);
/** probe_json_addr() - an address as a string, null for any: nobody is known. */
void probe_json_addr(struct out *out, const struct addr *address);
/** probe_json_us() - µs, null below 0. */
void probe_json_us(struct out *out, int64_t us);
/** probe_json_ttl() - a number of hops, null for 0. */
void probe_json_ttl(struct out *out, unsigned ttl);
/** probe_json_method() - "udp", …, null when @method is negative. */
void probe_json_method(struct out *out, int method);
/** probe_json_error() - the text of a positive errno, null for 0. */
void probe_json_error(struct out *out, int error);
/** probe_json_icmp() - member "icmp" with its comma: @type and @code of a message, null without one. */
void probe_json_icmp(struct out *out, bool is_icmp, uint8_t type, uint8_t code);
/** probe_json_hops() - an array of hops; @large: with what a large probe brought (null when none was sent). */
void probe_json_hops(struct out *out, const struct path_hop *hops, size_t count, bool large);

#endif
