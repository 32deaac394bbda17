/* SPDX-License-Identifier: MIT */
/* A flow as a JSON object: every key stands in every object, null where packets did not show it. */
#include "src/render/flow_formats.h"
#include "src/render/json.h"

/* _ab is what the initiator sent, _ba what the other side sent. */
static const char *const suffixes[2] = { "_ab\":", "_ba\":" };

static void side_key(struct out *out, const char *name, unsigned side)
{
	out_lit(out, ",\"");
	out_str(out, name);
	out_str(out, suffixes[side]);
}

/* struct side_count - a number of a side under its key. */
struct side_count {
	const char *name;
	uint64_t value[2];
};

static void count_members(struct out *out, const struct flow *flow)
{
	const struct flow_side *a = &flow->side[0], *b = &flow->side[1];
	const struct side_count counts[] = {
		{ "packets", { a->packets, b->packets } },
		{ "bytes", { a->bytes, b->bytes } },
		{ "payload", { a->payload, b->payload } },
		{ "retransmissions", { a->retransmissions, b->retransmissions } },
		{ "timeout_retransmissions", { a->timeouts, b->timeouts } },
		{ "fast_retransmissions", { a->fast, b->fast } },
		{ "spurious_retransmissions", { a->spurious, b->spurious } },
		{ "out_of_order", { a->out_of_order, b->out_of_order } },
		{ "duplicate_acks", { a->duplicate_acks, b->duplicate_acks } },
		{ "duplicate_frames", { a->duplicates, b->duplicates } },
		{ "acked_unseen", { a->acked_unseen, b->acked_unseen } },
		{ "zero_windows", { a->zero_windows, b->zero_windows } },
		{ "zero_window_probes", { a->probes, b->probes } },
		{ "window_fulls", { a->window_fulls, b->window_fulls } },
		{ "keepalives", { a->keepalives, b->keepalives } },
		{ "resets", { a->resets, b->resets } },
		{ "syn_retries", { a->syn_retries, b->syn_retries } },
		{ "nagle_stalls", { a->nagle_stalls, b->nagle_stalls } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		for (unsigned side = 0; side < 2; side++) {
			side_key(out, counts[i].name, side);
			out_u64(out, counts[i].value[side]);
		}
	}
}

static void size_members(struct out *out, const struct flow *flow)
{
	for (unsigned side = 0; side < 2; side++) {
		const struct flow_side *s = &flow->side[side];

		side_key(out, "mss", side);
		json_number(out, s->has & SIDE_HAS_MSS, s->mss);
		side_key(out, "window_scale", side);
		json_number(out, s->has & SIDE_HAS_WSCALE, s->wscale);
		side_key(out, "largest_segment", side);
		json_number(out, s->max_payload, s->max_payload);
		side_key(out, "largest_acked_packet", side);
		json_number(out, s->ip_acked_max, s->ip_acked_max);
		side_key(out, "smallest_dead_packet", side);
		json_number(out, s->ip_dead_min, s->ip_dead_min);
		side_key(out, "rtt_min_us", side);
		json_number(out, s->has & SIDE_HAS_RTT, s->rtt_min_us);
		side_key(out, "rtt_max_us", side);
		json_number(out, s->has & SIDE_HAS_RTT, s->rtt_max_us);
		side_key(out, "unacked", side);
		out_u64(out, flow_unacked(flow, side));
	}
}

static void info_object(struct out *out, bool has, const struct flow_owner_info *info)
{
	if (!has) {
		out_lit(out, "null");
		return;
	}
	json_key(out, "{", "state");
	json_text(out, sock_state_name(info->state));
	json_key(out, ",", "total_retrans");
	out_u64(out, info->retrans);
	json_key(out, ",", "rtt_us");
	out_u64(out, info->rtt_us);
	json_key(out, ",", "snd_mss");
	out_u64(out, info->snd_mss);
	json_key(out, ",", "pmtu");
	out_u64(out, info->pmtu);
	json_key(out, ",", "unacked");
	out_u64(out, info->unacked);
	out_char(out, '}');
}

static void owner_object(struct out *out, const struct flow_owner *owner)
{
	if (!owner) {
		out_lit(out, "null");
		return;
	}
	json_key(out, "{", "pid");
	json_number(out, owner->pid, owner->pid);
	json_key(out, ",", "comm");
	json_word(out, owner->comm);
	json_key(out, ",", "unit");
	json_word(out, owner->unit);
	json_key(out, ",", "uid");
	out_u64(out, owner->uid);
	out_printf(out, ",\"cookie\":\"%llx\"", (unsigned long long)owner->cookie);
	json_key(out, ",", "gone");
	json_bool(out, owner->gone);
	json_key(out, ",", "tcp_info_first");
	info_object(out, owner->has_first, &owner->first);
	json_key(out, ",", "tcp_info_last");
	info_object(out, owner->has_last, &owner->last);
	out_char(out, '}');
}

static void key_members(struct out *out, const struct flow *flow)
{
	const char *protocol = flow_protocol_name(flow->protocol);

	json_key(out, "", "number");
	out_u64(out, flow->number);
	json_key(out, ",", "protocol");
	if (protocol)
		json_text(out, protocol);
	else
		out_printf(out, "\"%u\"", flow->protocol);
	json_key(out, ",", "a");
	json_endpoint(out, &flow->end[0]);
	json_key(out, ",", "b");
	json_endpoint(out, &flow->end[1]);
	json_key(out, ",", "vlan");
	json_number(out, flow->vlan, flow->vlan);
	json_key(out, ",", "tunnel");
	json_word(out, tunnel_kind_name(flow->tunnel_kind));
	json_key(out, ",", "tunnel_id");
	json_number(out, flow->tunnel_kind, flow->tunnel_id);
	json_key(out, ",", "state");
	json_word(out, flow_state_name(flow->state));
	json_key(out, ",", "initiator_known");
	json_bool(out, flow->flags & FLOW_INITIATOR_KNOWN);
}

static void time_member(struct out *out, int64_t ns)
{
	out_char(out, '"');
	out_time_utc(out, ns / 1000);
	out_char(out, '"');
}

void flow_json(struct out *out, const struct flow *flow, const struct flow_owner *owner, const char *head)
{
	out_str(out, head);
	key_members(out, flow);
	count_members(out, flow);
	size_members(out, flow);
	json_key(out, ",", "handshake_rtt_us");
	json_number(out, flow->flags & FLOW_HAS_HANDSHAKE_RTT, flow->handshake_rtt_us);
	json_key(out, ",", "idle_max_ms");
	out_u64(out, flow->idle_max_ms);
	json_key(out, ",", "icmp_errors");
	out_u64(out, flow->icmp_errors);
	json_key(out, ",", "owner");
	owner_object(out, owner);
	json_key(out, ",", "first");
	time_member(out, flow->first_ns);
	json_key(out, ",", "last");
	time_member(out, flow_last_ns(flow));
	out_char(out, '}');
}
