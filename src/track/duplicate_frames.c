/* SPDX-License-Identifier: MIT */
/* Which frames are copies of one that was just captured, and which packets run in circles.
 *
 * A capture on all interfaces, a mirror port or a hairpin shows a packet more than once. Copies agree in all that a sender sets; a sender that
 * repeats itself uses a new IP id and a newer timestamp. Where there is no id (IPv6; 0 with DF) the same words may honestly be said twice, so
 * copies on one interface have to follow at once. */
#include "duplicate_frames.h"

#include <string.h>

#define COPY_NS (5 * INT64_C(1000000))
/* On the same interface, without an id: no sender repeats itself so soon. */
#define COPY_AT_ONCE_NS (100 * INT64_C(1000))
/* A round of a loop takes no longer. */
#define LOOP_ROUND_NS INT64_C(1000000000)
#define LOOP_PASSES 3

static uint64_t fold(uint64_t a, uint64_t b)
{
	__uint128_t product = (__uint128_t)(a ^ 0x9e3779b97f4a7c15) * (b ^ 0xe7037ed1a0b428db);

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t pair(uint32_t high, uint32_t low)
{
	return (uint64_t)high << 32 | low;
}

static uint64_t fold_addr(uint64_t print, const struct addr *addr)
{
	uint64_t low, high;

	memcpy(&low, addr->bytes, 8);
	memcpy(&high, addr->bytes + 8, 8);
	return fold(print ^ low, high);
}

/* An id that tells packets of one sender apart. */
static bool has_id(const struct packet *packet)
{
	return packet->ip.has_id && packet->ip.id;
}

static uint64_t fold_tcp(uint64_t print, const struct tcp_header *tcp)
{
	print = fold(print ^ pair(tcp->seq, tcp->ack), pair((uint32_t)tcp->src_port << 16 | tcp->dst_port, tcp->payload));
	print = fold(print ^ pair(tcp->options & TCP_OPTION_TIMESTAMPS ? tcp->tsval : 0, tcp->flags), tcp->window);
	if (tcp->sack_count)
		print = fold(print, pair(tcp->sack[0].left, tcp->sack[0].right));
	return print;
}

static uint64_t fold_icmp(uint64_t print, const struct packet *packet)
{
	const struct icmp_header *icmp = &packet->icmp;

	print = fold(print ^ pair((uint32_t)icmp->type << 8 | icmp->code, icmp->payload), pair(icmp->id, icmp->seq));
	if (packet->has & PACKET_HAS_QUOTE) {
		print = fold_addr(print, &icmp->quote.ip.dst);
		print = fold(print ^ pair(icmp->quote.ip.id, icmp->quote.seq), pair(icmp->quote.src_port, icmp->quote.dst_port));
	}
	return print;
}

/* ICMP that says more than its type: echoes count, errors quote. */
static bool tells_itself_apart(const struct packet *packet)
{
	return packet->icmp.class == ICMP_ECHO_REQUEST || packet->icmp.class == ICMP_ECHO_REPLY || packet->has & PACKET_HAS_QUOTE;
}

uint64_t duplicate_frames_print(const struct packet *packet)
{
	const struct ip_header *ip = &packet->ip;
	uint64_t print = fold_addr(fold_addr(ip->protocol, &ip->src), &ip->dst);

	print = fold(print ^ pair(ip->id, ip->flow_label), pair(ip->offset << 1 | ip->more, ip->length));
	if (packet->has & PACKET_HAS_TCP)
		return fold_tcp(print, &packet->tcp);
	if (packet->has & PACKET_HAS_UDP)
		return fold(print ^ pair((uint32_t)packet->udp.src_port << 16 | packet->udp.dst_port, packet->udp.length),
			    has_id(packet) ? 0 : packet->udp.checksum_field);
	if (packet->has & PACKET_HAS_ICMP && tells_itself_apart(packet))
		return fold_icmp(print, packet);
	return has_id(packet) ? print : 0;
}

uint32_t duplicate_frames_interface(const struct packet *packet)
{
	return packet->has & PACKET_HAS_IFINDEX ? packet->link.ifindex : packet->frame->interface;
}

/* Two segments that say the same may both be meant: duplicate ACKs, and an RST for each segment that comes too late. */
static bool may_be_said_twice(const struct packet *packet)
{
	const struct tcp_header *tcp = &packet->tcp;

	return packet->has & PACKET_HAS_TCP && (tcp->flags & TCP_RST || (!tcp->payload && !(tcp->flags & (TCP_SYN | TCP_FIN))));
}

static bool is_copy(const struct seen_frame *seen, const struct packet *packet, int64_t age_ns, bool mirrored)
{
	if (age_ns > COPY_NS)
		/* The id makes it the same packet however long it was under way, once it has lost hops. */
		return has_id(packet) && packet->ip.hop_limit < seen->hop_last;
	if (has_id(packet) || duplicate_frames_interface(packet) != seen->interface || packet->ip.hop_limit != seen->hop_last)
		return true;
	return age_ns <= COPY_AT_ONCE_NS && (mirrored || !may_be_said_twice(packet));
}

/* One pass more when the hop limit fell by as much as the last time. */
static bool count_pass(struct seen_frame *seen, uint8_t hop_limit)
{
	uint8_t step = (uint8_t)(seen->hop_last - hop_limit);

	if (hop_limit >= seen->hop_last)
		return false;
	if (seen->passes == 1)
		seen->step = step;
	if (step != seen->step)
		return false;
	if (seen->passes < UINT8_MAX)
		seen->passes++;
	return true;
}

static enum frame_verdict judge_again(struct seen_frame *seen, const struct packet *packet, int64_t now_ns, bool mirrored)
{
	bool copy = is_copy(seen, packet, now_ns - seen->last_ns, mirrored);
	bool passed = count_pass(seen, packet->ip.hop_limit);

	if (passed) {
		seen->hop_last = packet->ip.hop_limit;
		seen->last_ns = now_ns;
		if (seen->passes >= LOOP_PASSES)
			return seen->passes == LOOP_PASSES ? FRAME_LOOP : FRAME_LOOPING;
	}
	if (!copy)
		return FRAME_NEW;
	seen->last_ns = now_ns;
	seen->interface = duplicate_frames_interface(packet);
	return FRAME_COPY;
}

enum frame_verdict duplicate_frames_judge(struct duplicate_frames *frames, const struct packet *packet, uint64_t print, int64_t now_ns, bool mirrored,
					  struct seen_frame **entry)
{
	size_t place = print % DUPLICATE_FRAMES;
	struct seen_frame *seen = *entry = &frames->seen[place];
	uint32_t tag = (uint32_t)(print >> 32);
	bool known = UNLIKELY(frames->tag[place] == tag) && seen->print == print;
	enum frame_verdict verdict = FRAME_NEW;

	frames->tag[place] = tag;
	if (UNLIKELY(known && now_ns - seen->last_ns <= LOOP_ROUND_NS))
		verdict = judge_again(seen, packet, now_ns, mirrored);
	/* A second pass without an id may be a repetition on another path: it is judged as such, and a third pass will tell. */
	if (verdict == FRAME_NEW && !(known && seen->last_ns == now_ns && seen->passes > 1))
		*seen = (struct seen_frame){ .print = print,
					     .first_ns = now_ns,
					     .last_ns = now_ns,
					     .interface = duplicate_frames_interface(packet),
					     .hop_first = packet->ip.hop_limit,
					     .hop_last = packet->ip.hop_limit,
					     .passes = 1 };
	return verdict;
}

bool duplicate_frames_report(struct duplicate_frames *frames, struct seen_frame *entry, const struct packet *packet)
{
	struct loop_report *report;

	if (!entry->loop1) {
		if (frames->reports == LOOP_REPORTS)
			return false;
		frames->report[frames->reports] = (struct loop_report){ .src = packet->ip.src,
									.dst = packet->ip.dst,
									.protocol = packet->ip.protocol,
									.ttl_first = entry->hop_first,
									.step = entry->step,
									.count = LOOP_PASSES - 1,
									.first_ns = entry->first_ns };
		entry->loop1 = (uint8_t)++frames->reports;
	}
	report = &frames->report[entry->loop1 - 1];
	report->ttl_last = packet->ip.hop_limit;
	report->count++;
	return true;
}
