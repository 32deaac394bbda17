/* SPDX-License-Identifier: MIT */
/* One event as a line for people, and as an object. */
#include <assert.h>
#include <time.h>

#include "src/render/json.h"
#include "src/render/put_time.h"
#include "tcptriage/render/capture.h"

/* Of each kind in each flow: the first few, then every power of ten. */
#define TOLD_FIRST 5

/* What a line says behind the title. */
enum event_part {
	PART_NTH = 1 << 0,
	PART_SEQ = 1 << 1,
	PART_BY = 1 << 2,   /* who sent it, for what is not about data of this side */
	PART_MTU = 1 << 3,
	PART_CODE = 1 << 4, /* what the ICMP error says */
	PART_TTL = 1 << 5,
	PART_LENGTH = 1 << 6,
};

/* @since: words around the time since what it repeats or answers; NULL none. */
static const struct event_row {
	unsigned parts;
	const char *since;
} rows[] = {
	[EVENT_SYN_RETRY] = { PART_NTH, " after the first" },
	[EVENT_SYN_ACK_RETRY] = { PART_NTH, " after the first" },
	[EVENT_REFUSED] = { PART_BY | PART_TTL, " after the SYN" },
	[EVENT_RESET] = { PART_BY | PART_TTL, " after the last packet" },
	[EVENT_TIMEOUT_RETRANSMISSION] = { PART_SEQ, " of silence" },
	[EVENT_FAST_RETRANSMISSION] = { PART_SEQ, " after the hole opened" },
	[EVENT_RETRANSMISSION] = { PART_SEQ, " after the hole opened" },
	[EVENT_SPURIOUS_RETRANSMISSION] = { PART_SEQ, NULL },
	[EVENT_OUT_OF_ORDER] = { PART_SEQ, " late" },
	[EVENT_DUPLICATE_ACK] = { PART_NTH, NULL },
	[EVENT_ZERO_WINDOW] = { PART_BY, NULL },
	[EVENT_WINDOW_OPEN] = { PART_BY, " shut" },
	[EVENT_WINDOW_FULL] = { PART_SEQ, NULL },
	[EVENT_ZERO_WINDOW_PROBE] = { PART_NTH, " after the window shut" },
	[EVENT_KEEPALIVE] = { PART_NTH, " idle" },
	[EVENT_PORT_REUSE] = { 0, " after the earlier connection" },
	[EVENT_CHALLENGE_ACK] = { PART_BY, NULL },
	[EVENT_NAGLE_STALL] = { PART_LENGTH, "" },
	[EVENT_IDLE_RESET] = { PART_BY | PART_TTL, " of silence" },
	[EVENT_CAPTURE_LOSS] = { PART_LENGTH, NULL },
	[EVENT_DUPLICATE_FRAME] = { 0, " after the first copy" },
	[EVENT_PACKET_TOO_BIG] = { PART_MTU | PART_CODE, NULL },
	[EVENT_UNREACHABLE] = { PART_CODE, NULL },
	[EVENT_TIME_EXCEEDED] = { PART_CODE, NULL },
	[EVENT_OTHER_ICMP_ERROR] = { PART_CODE, NULL },
	[EVENT_FRAGMENTS_LOST] = { PART_LENGTH, " after the first fragment" },
	[EVENT_ROUTING_LOOP] = { PART_TTL, NULL },
	[EVENT_BAD_CHECKSUM] = { 0, NULL },
	[EVENT_CLOCK_BACK] = { 0, "" },
};
static_assert(ARRAY_SIZE(rows) == EVENT_KIND_COUNT, "a row for every kind");

static bool is_power_of_ten(uint64_t n)
{
	while (n >= 10 && n % 10 == 0)
		n /= 10;
	return n == 1;
}

bool event_is_told(const struct event *event)
{
	if (event_kind_is_quiet(event->kind))
		return false;
	return event->nth <= TOLD_FIRST || is_power_of_ten(event->nth);
}

static void ends(struct out *out, const struct event *event)
{
	const struct endpoint *from = &event->from, *to = &event->to;

	if (event->flow) {
		from = &event->flow->end[event->side];
		to = &event->flow->end[!event->side];
	}
	out_endpoint(out, from);
	out_lit(out, " > ");
	out_endpoint(out, to);
}

static void code_part(struct out *out, const struct event *event)
{
	const char *class = icmp_class_name(event->icmp_class);

	out_lit(out, " (");
	if (!strstr(event_kind_title(event->kind), class)) {
		out_str(out, class);
		out_lit(out, ", ");
	}
	out_printf(out, "type %u code %u) says ", event->icmp_type, event->icmp_code);
	out_addr(out, &event->reporter);
}

static void parts(struct out *out, const struct event *event)
{
	const struct event_row *row = &rows[event->kind];

	if (row->parts & PART_NTH)
		out_printf(out, " %llu", (unsigned long long)event->nth);
	if (row->parts & PART_SEQ)
		out_printf(out, " of seq %u:%u", event->seq, event->seq + event->length);
	if (row->parts & PART_LENGTH && event->length)
		out_printf(out, ", %u bytes", event->length);
	if (row->parts & PART_BY) {
		out_lit(out, " by ");
		out_addr(out, event->flow ? &event->flow->end[event->side].addr : &event->from.addr);
	}
	if (row->parts & PART_CODE)
		code_part(out, event);
	if (row->parts & PART_MTU && event->mtu)
		out_printf(out, ", MTU %u", event->mtu);
	if (row->parts & PART_TTL)
		out_printf(out, ", TTL %u", event->ttl);
	if (row->since && event->since_us >= 0) {
		out_lit(out, ", ");
		out_duration(out, (uint64_t)event->since_us);
		out_str(out, row->since);
	}
}

static void owner_part(struct out *out, const struct flow_owner *owner)
{
	if (!owner || !owner->pid)
		return;
	out_lit(out, "  ");
	out_escaped(out, owner->comm, strlen(owner->comm));
	out_printf(out, "[%u]", owner->pid);
}

void event_text(struct out *out, const struct event *event, const struct flow_owner *owner, const struct style *style)
{
	if (!event_is_told(event))
		return;
	put_time_of_day(out, event->time_ns);
	out_lit(out, "  ");
	ends(out, event);
	out_lit(out, "  ");
	if (style->color)
		out_lit(out, "\033[33m");
	out_str(out, event_kind_title(event->kind));
	if (style->color)
		out_lit(out, "\033[0m");
	parts(out, event);
	if (event->nth > TOLD_FIRST)
		out_printf(out, " (number %llu of this kind here; those between are counted only)", (unsigned long long)event->nth);
	owner_part(out, owner);
	out_char(out, '\n');
}

void event_ndjson(struct out *out, const struct event *event, const struct flow_owner *owner)
{
	bool icmp = rows[event->kind].parts & PART_CODE;

	out_lit(out, "{\"type\":\"event\",\"kind\":\"");
	out_str(out, event_kind_name(event->kind));
	out_lit(out, "\",\"time\":\"");
	out_time_utc(out, event->time_ns / 1000);
	json_key(out, "\",", "packet");
	out_u64(out, event->packet_number);
	json_key(out, ",", "flow");
	json_number(out, event->flow, event->flow ? event->flow->number : 0);
	json_key(out, ",", "from");
	json_endpoint(out, event->flow ? &event->flow->end[event->side] : &event->from);
	json_key(out, ",", "to");
	json_endpoint(out, event->flow ? &event->flow->end[!event->side] : &event->to);
	json_key(out, ",", "nth");
	out_u64(out, event->nth);
	json_key(out, ",", "seq");
	json_number(out, rows[event->kind].parts & PART_SEQ, event->seq);
	json_key(out, ",", "length");
	out_u64(out, event->length);
	json_key(out, ",", "since_us");
	json_number(out, event->since_us >= 0, (uint64_t)event->since_us);
	json_key(out, ",", "icmp");
	if (icmp) {
		out_printf(out, "{\"type\":%u,\"code\":%u,\"mtu\":", event->icmp_type, event->icmp_code);
		json_number(out, event->mtu, event->mtu);
		out_lit(out, ",\"reporter\":\"");
		out_addr(out, &event->reporter);
		out_lit(out, "\"}");
	} else {
		out_lit(out, "null");
	}
	json_key(out, ",", "pid");
	json_number(out, owner && owner->pid, owner ? owner->pid : 0);
	json_key(out, ",", "comm");
	json_word(out, owner ? owner->comm : NULL);
	out_lit(out, "}\n");
}
