/* SPDX-License-Identifier: MIT */
/* ephemeral-port-exhaustion from probes: connect() itself finds no source port. */
#include "../dead_end.h"
#include "../probes.h"

enum limit {
	FAILED,
};

static const struct threshold thresholds[] = {
	[FAILED] = { "probe_failed", UNIT_COUNT, 1, "a connect() that finds no port is what every program on this host meets" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE 0.9

static const char *const next[] = {
	"tcptriage states --group-by process dst {peer_addr}",
	"tcptriage report --rule ephemeral-port-exhaustion",
	"cat /proc/sys/net/ipv4/ip_local_port_range /proc/sys/net/ipv4/ip_local_reserved_ports",
	NULL,
};

static const char *const fixes[] = {
	"keep connections and use them again (keep-alive, a pool)",
	"spread over more destination or source addresses: each pair has a range of its own",
	"widen net.ipv4.ip_local_port_range, off the ports of listeners",
	"set IP_BIND_ADDRESS_NO_PORT in programs that bind to a source address",
	NULL,
};

static void eval(const struct view *view, struct sink *sink)
{
	struct dead_end end = dead_end_of(view);
	struct finding *f;

	if (!RULE_MAIN(PROBES_EPHEMERAL_PORT_EXHAUSTION, end.kind == DEAD_END_NO_PORT))
		return;
	f = sink_finding(sink, SEVERITY_CRITICAL, probe_confidence(CONFIDENCE, NULL, 0));
	finding_dead_end(f, view, &end);
	f->title = "No source port is left to {peer}: '{error}'";
	f->detail = "{route} · programs on this host meet the same error";
	f->next = next;
	f->fixes = fixes;
	finding_against(f, "a source port or address that was asked for and is not free brings the same error");
	finding_threshold(f, sink, FAILED);
}

const struct rule_signal probes_ephemeral_port_exhaustion = {
	.thresholds = thresholds,
	.eval = eval,
	.explain =
		"A probe to the service needs a source port like any connection. When the kernel finds none although it has an address to send from, programs that connect there fail in the same way, and nothing else on the host tells: "
		"no counter moves. Which sockets hold the ports, the report says.",
	.repro = "set ip_local_port_range to 20 ports in a namespace, open 20 connections to one address and port, and trace it",
};
