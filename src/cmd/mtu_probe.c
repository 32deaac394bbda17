/* SPDX-License-Identifier: MIT */
/* `tcptriage mtu-probe`: options, and what the exit status says. */
#include "mtu_probe.h"

#include <errno.h>
#include <string.h>

#include "commands.h"
#include "tcptriage/base/num.h"

#define AT(member) offsetof(struct mtu_probe_options, member)

static const struct option_row options[] = {
	PROBE_OPTION_ROWS(struct mtu_probe_options, probe),
	{ "icmp", 0, NULL, "probe with ICMP echo only", OPTION_FLAG, AT(icmp), NULL },
	{ "udp", 0, NULL, "probe with UDP only; to PORT when one is given", OPTION_FLAG, AT(udp), NULL },
	{ "tcp", 0, NULL, "probe with TCP to PORT only", OPTION_FLAG, AT(tcp), NULL },
	{ "tcp-payload", 0, "KIND", "what TCP probes may send to the service: http, tls or raw; the way back is tested too", OPTION_STRING, AT(payload_word), "http|tls|raw" },
	{ "port", 'p', "PORT", "the same as HOST:PORT", OPTION_STRING, AT(port), NULL },
	{ "max-mtu", 0, "N", "the largest packet to ask about (the interface's MTU)", OPTION_STRING, AT(max_mtu), NULL },
	{ "hops", 0, NULL, "look at every hop, also when nothing is narrow", OPTION_FLAG, AT(hops), NULL },
	{ 0 },
};

/* The smallest MTU of IPv4 (RFC 791), and the largest packet. */
#define MTU_LEAST 68
#define MTU_MOST 65535

static int settle_payload(struct mtu_probe_options *o, struct err *err)
{
	static const char *const words[TCP_PAYLOAD_COUNT] = { [PAYLOAD_HTTP] = "http", [PAYLOAD_TLS] = "tls", [PAYLOAD_RAW] = "raw" };

	for (unsigned i = 0; o->payload_word && i < TCP_PAYLOAD_COUNT; i++) {
		if (words[i] && !strcmp(words[i], o->payload_word)) {
			o->payload = (enum tcp_payload)i;
			return 0;
		}
	}
	return o->payload_word ? err_set(err, -EINVAL, "'%s' is no payload for --tcp-payload: http, tls or raw", o->payload_word) : 0;
}

static int contradiction(const struct mtu_probe_options *o, const struct target *target, struct err *err)
{
	const struct {
		bool wrong;
		const char *text;
	} rows[] = {
		{ o->udp + o->icmp + o->tcp > 1, "--udp, --icmp and --tcp exclude each other: without them the best is tried, then a second" },
		{ o->payload && (o->udp || o->icmp), "--tcp-payload is sent over TCP: it goes with --tcp, or with no method" },
		{ o->payload && !target->port, "--tcp-payload needs a port: HOST:PORT" },
		{ o->tcp && !target->port, "--tcp needs a port: HOST:PORT" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].wrong)
			return err_set(err, -EINVAL, "%s", rows[i].text);
	}
	return 0;
}

static int settle(struct probe_job *job, struct err *err)
{
	struct mtu_probe_options *o = job->own;
	uint64_t largest = 0;
	int code;

	if (o->max_mtu && (!num_u64(o->max_mtu, MTU_MOST, &largest) || largest < MTU_LEAST))
		return err_set(err, -EINVAL, "'%s' is no MTU for --max-mtu: %d to %d", o->max_mtu, MTU_LEAST, MTU_MOST);
	o->largest = (uint32_t)largest;
	code = settle_payload(o, err);
	if (!code)
		code = target_take_port(&job->target, o->port, err);
	return code ? code : contradiction(o, &job->target, err);
}

/* Nothing but an exact answer is one. */
static int status(const struct probe_result *result)
{
	const struct mtu_result *mtu = result->mtu;
	const struct mtu_path *path = &mtu->path;

	if (path->finding == MTU_BLACK_HOLE_FOUND || mtu->reverse.finding == REVERSE_BLACK_HOLE)
		return EXIT_DIES;
	if (path->finding != MTU_FITS && path->finding != MTU_NARROWER_TOLD)
		return EXIT_PARTIAL;
	return path->partial || path->bound != BOUND_EXACT ? EXIT_PARTIAL : EXIT_RAN;
}

static const struct probe_kind kind = {
	.command = &cmd_mtu_probe,
	.schema = "tcptriage.mtu-probe/1",
	.renderers = mtu_probe_renderers,
	.one_a_family = true,
	.settle = settle,
	.probe = mtu_address_probe,
	.status = status,
};

static int run(void *values, int operand_count, char **operands)
{
	struct mtu_probe_options *o = values;
	CLEANUP(probe_job_close) struct probe_job job = { .kind = &kind, .common = &o->common, .options = &o->probe, .own = o, .show_hops = o->hops };

	return probe_job_run(&job, operand_count, operands);
}

const struct command cmd_mtu_probe = {
	.name = "mtu-probe",
	.summary = "the path MTU to a host, where it shrinks, and whether large packets vanish there",
	.operands = "HOST[:PORT]",
	.example = "tcptriage mtu-probe db.example.net:5432",
	.options = options,
	.options_size = sizeof(struct mtu_probe_options),
	.run = run,
};
