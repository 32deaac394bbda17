/* SPDX-License-Identifier: MIT */
/* ICMP errors in words. */
#include "icmp_reports.h"

const struct flow *icmp_reports_flow(const struct view *view, const struct icmp_report *report)
{
	const struct packet_evidence *packets = view->packets;
	size_t low = 0, high = packets->flow_count;

	/* flows stand in the order of their numbers */
	while (report->flow_number && low < high) {
		size_t middle = low + (high - low) / 2;

		if (packets->flows[middle]->number < report->flow_number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < packets->flow_count && packets->flows[low]->number == report->flow_number ? packets->flows[low] : NULL;
}

/* RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1. */
static const char *const v4_unreachable[] = {
	[0] = "network unreachable",
	[1] = "host unreachable",
	[2] = "protocol unreachable",
	[3] = "port unreachable",
	[5] = "source route failed",
	[6] = "network unknown",
	[7] = "host unknown",
	[8] = "source host isolated",
	[9] = "network administratively prohibited",
	[10] = "host administratively prohibited",
	[11] = "network unreachable for this type of service",
	[12] = "host unreachable for this type of service",
	[13] = "administratively prohibited by a filter",
	[14] = "host precedence violation",
	[15] = "precedence cut off",
};

/* RFC 4443 §3.1. */
static const char *const v6_unreachable[] = {
	[0] = "no route to the destination",
	[1] = "administratively prohibited by a filter",
	[2] = "beyond the scope of the source address",
	[3] = "address unreachable",
	[4] = "port unreachable",
	[5] = "source address failed a policy",
	[6] = "rejected by a route",
};

/* IP and TCP headers without options: what an MSS does not count. */
#define TYPE_V4_UNREACHABLE 3
#define TYPE_V6_UNREACHABLE 1

const char *icmp_reports_text(const struct icmp_report *report)
{
	const char *text = NULL;

	if (report->reporter.family == ADDR_V4 && report->type == TYPE_V4_UNREACHABLE && report->code < ARRAY_SIZE(v4_unreachable))
		text = v4_unreachable[report->code];
	if (report->reporter.family == ADDR_V6 && report->type == TYPE_V6_UNREACHABLE && report->code < ARRAY_SIZE(v6_unreachable))
		text = v6_unreachable[report->code];
	return text ? text : icmp_class_name(report->class);
}

uint64_t icmp_reports_count(const struct icmp_report *report)
{
	return report->count > report->echoes ? report->count - report->echoes : 0;
}

bool icmp_reports_about_us(const struct view *view, const struct icmp_report *report)
{
	const struct flow *flow = icmp_reports_flow(view, report);

	return !flow || !(flow->flags & FLOW_LOCAL_KNOWN) || addr_equal(&flow->end[flow->local_side].addr, &report->src.addr);
}

uint32_t icmp_reports_sent_size(const struct view *view, const struct icmp_report *report)
{
	const struct flow *flow = icmp_reports_flow(view, report);
	const struct flow_side *receiver;

	if (!flow || flow->protocol != PROTOCOL_TCP)
		return report->quoted_ip_max;
	receiver = &flow->side[addr_equal(&flow->end[1].addr, &report->dst.addr)];
	if (!(receiver->has & SIDE_HAS_MSS))
		return report->quoted_ip_max;
	return MIN(report->quoted_ip_max, receiver->mss + addr_tcp_headers(report->dst.addr.family));
}
