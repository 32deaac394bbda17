/* SPDX-License-Identifier: MIT */
/* Flows as a table: a stream cannot measure all rows first, so columns have minimum widths. */
#include <assert.h>

#include "src/render/flow_formats.h"

/* cell_fn - writes one value of a flow, nothing when it is unknown. */
typedef void flow_cell_fn(struct out *out, const struct flow *flow, const struct flow_owner *owner);

static void cell_protocol(struct out *out, const struct flow *flow, const struct flow_owner *owner)
{
	const char *name = flow_protocol_name(flow->protocol);

	(void)owner;
	if (name)
		out_str(out, name);
	else
		out_u64(out, flow->protocol);
}

static void cell_state(struct out *out, const struct flow *flow, const struct flow_owner *owner)
{
	(void)owner;
	out_str(out, flow_state_name(flow->state));
}

static void cell_a(struct out *out, const struct flow *flow, const struct flow_owner *owner)
{
	(void)owner;
	out_endpoint(out, &flow->end[0]);
}

static void cell_b(struct out *out, const struct flow *flow, const struct flow_owner *owner)
{
	(void)owner;
	out_endpoint(out, &flow->end[1]);
}

static void both(struct out *out, uint64_t a, uint64_t b)
{
	out_u64(out, a);
	out_char(out, '/');
	out_u64(out, b);
}

/* A pair of counts is left out where there is nothing to tell, so that what is not zero stands out. */
static void trouble(struct out *out, uint64_t a, uint64_t b)
{
	if (a || b)
		both(out, a, b);
}

#define PAIR_CELL(name, writer, member)                                                                  \
	static void cell_##name(struct out *out, const struct flow *flow, const struct flow_owner *owner) \
	{                                                                                                \
		(void)owner;                                                                             \
		writer(out, flow->side[0].member, flow->side[1].member);                                 \
	}
PAIR_CELL(packets, both, packets)
PAIR_CELL(bytes, both, bytes)
PAIR_CELL(retransmissions, trouble, retransmissions)
PAIR_CELL(spurious, trouble, spurious)
PAIR_CELL(out_of_order, trouble, out_of_order)
PAIR_CELL(duplicate_acks, trouble, duplicate_acks)
PAIR_CELL(zero_windows, trouble, zero_windows)
PAIR_CELL(resets, trouble, resets)
#undef PAIR_CELL

static void cell_mss(struct out *out, const struct flow *flow, const struct flow_owner *owner)
{
	(void)owner;
	for (unsigned side = 0; side < 2 && (flow->side[0].has | flow->side[1].has) & SIDE_HAS_MSS; side++) {
		if (side)
			out_char(out, '/');
		if (flow->side[side].has & SIDE_HAS_MSS)
			out_u64(out, flow->side[side].mss);
		else
			out_char(out, '?');
	}
}

static void cell_rtt(struct out *out, const struct flow *flow, const struct flow_owner *owner)
{
	(void)owner;
	if (flow->flags & FLOW_HAS_HANDSHAKE_RTT)
		out_duration(out, flow->handshake_rtt_us);
}

static void cell_duration(struct out *out, const struct flow *flow, const struct flow_owner *owner)
{
	(void)owner;
	out_duration(out, (uint64_t)MAX(flow_last_ns(flow) - flow->first_ns, 0) / 1000);
}

static void cell_owner(struct out *out, const struct flow *flow, const struct flow_owner *owner)
{
	(void)flow;
	if (!owner || !owner->pid)
		return;
	out_escaped(out, owner->comm, strlen(owner->comm));
	out_printf(out, "[%u]", owner->pid);
}

static const struct flow_column {
	const char *title;
	unsigned width;
	flow_cell_fn *write;
} columns[] = {
	{ "PROTO", 5, cell_protocol },	 { "STATE", 12, cell_state },	    { "A", 21, cell_a },
	{ "B", 21, cell_b },		 { "PACKETS", 9, cell_packets },    { "BYTES", 13, cell_bytes },
	{ "RTT", 7, cell_rtt },		 { "MSS", 9, cell_mss },	    { "RETRANS", 7, cell_retransmissions },
	{ "SPURIOUS", 8, cell_spurious }, { "REORDER", 7, cell_out_of_order }, { "DUPACK", 7, cell_duplicate_acks },
	{ "ZEROWIN", 7, cell_zero_windows }, { "RST", 4, cell_resets },	    { "TIME", 8, cell_duration },
	{ "OWNER", 5, cell_owner },
};

/* Bytes that take no column of their own: all but the first of a character (µ). */
static size_t further_bytes(const struct out *out, size_t start)
{
	size_t count = 0;

	for (const char *at = out->base + start; at < out->at; at++)
		count += (*at & 0xc0) == 0x80;
	return count;
}

static void finish_cell(struct out *out, size_t start, size_t index)
{
	if (index + 1 == ARRAY_SIZE(columns))
		return;
	out_pad_to(out, start, columns[index].width + further_bytes(out, start));
	out_char(out, ' ');
}

void flow_table_head(struct out *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		size_t start = out_len(out);

		out_str(out, columns[i].title);
		finish_cell(out, start, i);
	}
	out_char(out, '\n');
}

void flow_table_row(struct out *out, const struct flow *flow, const struct flow_owner *owner)
{
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		size_t start;

		/* room for the longest cell first: a flush in between would move where the cell began */
		out_need(out, 256);
		start = out_len(out);
		columns[i].write(out, flow, owner);
		if (out_len(out) == start)
			out_char(out, '-');
		finish_cell(out, start, i);
	}
	out_char(out, '\n');
}
