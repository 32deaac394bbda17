/* SPDX-License-Identifier: MIT */
/* mtu-config-mismatch, as a probe of a path's MTU tells of it: what contradicts the interface by which the path leaves. */
#include "../mismatch_report.h"
#include "../probes.h"

enum limit {
	INVOLVED,
};

static const struct threshold thresholds[] = {
	[INVOLVED] = { "interfaces_involved", UNIT_COUNT, 1, "a contradiction elsewhere on this host has nothing to do with this path" },
	{ NULL, UNIT_NONE, 0, NULL },
};

static unsigned involved(const struct mtu_mismatch *m, uint32_t ifindex)
{
	return (m->wide->ifindex == ifindex) + (m->narrow->ifindex == ifindex && m->narrow != m->wide) + (m->bridge && m->bridge != m->wide && m->bridge->ifindex == ifindex);
}

static void judge(const struct view *view, struct sink *sink, const struct route *route)
{
	const struct mtu_uplink uplinks[ADDR_FAMILY_COUNT] = { mtu_uplink_of(view->network, ADDR_V4), mtu_uplink_of(view->network, ADDR_V6) };
	struct mtu_mismatches found = mtu_mismatch_find(view->network, uplinks, view->arena);

	for (size_t i = 0; i < found.count; i++) {
		if (RULE_MAIN(PROBES_MTU_CONFIG_MISMATCH, involved(&found.at[i], route->ifindex) >= view->values[INVOLVED]))
			finding_threshold(mismatch_report(view, sink, &found.at[i], SEVERITY_INFO), sink, INVOLVED);
	}
	mismatch_report_unseen(view, sink, &found);
}

static void eval(const struct view *view, struct sink *sink)
{
	const struct mtu_result *result = view->probes->mtu;

	if (!result) /* where an attempt dies is no matter of size */
		return;
	if (!view->network)
		sink_skip(sink, "interfaces and routes could not be read");
	else if (result->route.has & ROUTE_HAS_DEVICE && !result->route.is_local)
		judge(view, sink, &result->route);
}

const struct rule_signal probes_mtu_config_mismatch = {
	.thresholds = thresholds,
	.eval = eval,
	.explain =
		"Beside the measured MTU of a path it is told what on this host contradicts the interface by which the path leaves: a tunnel whose packets are larger than what is below takes, the other end of a pair, ports of a bridge, a network "
		"behind this host that takes more. It is information as long as the path itself passes what the interface takes, and critical together with a black hole.",
	.repro = "a vxlan device with MTU 1500 over an interface with 1500; `tcptriage mtu-probe` to an address behind it",
};
