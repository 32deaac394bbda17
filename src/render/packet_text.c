/* SPDX-License-Identifier: MIT */
/* A packet as a line of text: number, time, link, network, owner, dump. */
#include "src/render/packet_parts.h"
#include "src/render/packet_seq.h"

void packet_text_init(struct packet_text *text, const struct packet_text_options *options)
{
	*text = (struct packet_text){ .options = *options, .seqs = packet_seq_new() };
}

void packet_text_close(struct packet_text *text)
{
	packet_seq_free(text->seqs);
	text->seqs = NULL;
}

static char *put_number(char *at, uint64_t number)
{
	for (uint64_t width = 10000; width > MAX(number, 1); width /= 10)
		*at++ = ' ';
	at = put_u64(at, number);
	return put_lit(at, "  ");
}

/* The IP header came before whatever went wrong, or is what went wrong. */
static bool reached_ip(const struct packet *packet)
{
	return packet->has & PACKET_HAS_IP || packet->layer == LAYER_IPV4 || packet->layer == LAYER_IPV6;
}

void packet_text_line(struct out *out, struct packet_text *text, const struct packet *packet, const char *owner)
{
	char *at = out_need(out, PACKET_TEXT_ROOM + PACKET_PART_ROOM);
	struct packet_line line = {
		.options = &text->options, .seqs = text->seqs, .packet = packet, .limit = at + PACKET_TEXT_ROOM
	};

	if (text->options.number)
		at = put_number(at, packet->frame->number);
	at = packet_time_put(at, text, packet->frame->time_ns);
	at = packet_link_put(at, &line);
	out->at = reached_ip(packet) ? packet_ip_put(at, &line) : packet_link_other_put(at, &line);
	BUG_ON(out->at > line.limit + PACKET_PART_ROOM);
	if (owner) {
		out_char(out, ' ');
		out_escaped(out, owner, strlen(owner));
	}
	if (text->options.dump)
		packet_hex_out(out, text->options.dump, packet);
	out_char(out, '\n');
}
