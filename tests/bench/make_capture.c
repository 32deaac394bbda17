/* SPDX-License-Identifier: MIT */
/* Writes a pcap file for scripts/bench: TCP connections in IPv4 with timestamps, all of them side by side, so that no two packets of a
 * connection stand near each other. usage: make_capture FILE FLOWS ROUNDS CAPTURED PAYLOAD
 * FLOWS connections of handshake, ROUNDS times two requests with answers, close: 6 + 4 ROUNDS packets. CAPTURED bytes kept of each packet;
 * PAYLOAD bytes in each data segment. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADERS 66
#define FRAME_MAX (HEADERS + 4 + 1460)
#define MSS 1460

enum flag { FIN = 1, SYN = 2, PSH = 8, ACK = 16 };

/* One packet of a connection: who sends it, with which flags; data segments that its side sent and has from the other, FINs included as @fin. */
struct step {
	uint8_t from, flags, data;
	uint32_t sent, acked, fin_sent, fin_acked;
};

#define HANDSHAKE 3
#define ROUND 4
#define CLOSE 3

static struct step step_of(unsigned index, unsigned rounds)
{
	static const struct step handshake[HANDSHAKE] = { { .flags = SYN }, { .from = 1, .flags = SYN | ACK }, { .flags = ACK } };
	unsigned in_round = index - HANDSHAKE, segments = 2 * rounds;
	const struct step close[CLOSE] = {
		{ .flags = FIN | ACK, .sent = segments, .acked = segments },
		{ .from = 1, .flags = FIN | ACK, .sent = segments, .acked = segments, .fin_acked = 1 },
		{ .flags = ACK, .sent = segments, .acked = segments, .fin_sent = 1, .fin_acked = 1 },
	};
	unsigned half = in_round / 2, from = in_round % 2;

	if (index < HANDSHAKE)
		return handshake[index];
	if (in_round >= ROUND * rounds)
		return close[in_round - ROUND * rounds];
	return (struct step){ .from = (uint8_t)from, .flags = PSH | ACK, .data = 1, .sent = half, .acked = half + from };
}

static uint8_t frame[FRAME_MAX];

static void put16(unsigned at, unsigned value)
{
	frame[at] = (uint8_t)(value >> 8);
	frame[at + 1] = (uint8_t)value;
}

static void put32(unsigned at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value & 0xffff);
}

/* The Internet checksum of frame[@from … @to), on top of @sum. */
static uint16_t checksum(uint32_t sum, unsigned from, unsigned to)
{
	for (unsigned i = from; i + 1 < to; i += 2)
		sum += (uint32_t)frame[i] << 8 | frame[i + 1];
	if ((to - from) % 2)
		sum += (uint32_t)frame[to - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* Of the IPv4 header, and of the segment with its pseudo header: addresses, protocol, length. */
static void put_checksums(unsigned wire)
{
	unsigned addresses = (uint16_t)~checksum(0, 26, 34);

	put16(24, 0);
	put16(24, checksum(0, 14, 34));
	put16(50, 0);
	put16(50, checksum(addresses + 6 + wire - 34, 34, wire));
}

static uint32_t make_frame(uint32_t flow, const struct step *step, unsigned payload, uint32_t ms)
{
	unsigned from = step->from, bytes = step->data ? payload : 0, mss_bytes = step->flags & SYN ? 4 : 0;
	uint32_t ends[2] = { 0x0a000000 + flow / 20000, 0x0b000001 }, isn[2] = { flow * 7919 + 1, flow * 104729 + 1 };
	unsigned ports[2] = { 20000 + flow % 20000, 443 };

	put16(12, 0x0800);
	frame[14] = 0x45;
	put16(16, HEADERS - 14 + mss_bytes + bytes);
	put16(18, step->sent + step->acked);
	put16(20, 0x4000);
	frame[22] = 64;
	frame[23] = 6;
	put32(26, ends[from]);
	put32(30, ends[!from]);
	put16(34, ports[from]);
	put16(36, ports[!from]);
	put32(38, isn[from] + !(step->flags & SYN) + step->sent * payload + step->fin_sent);
	put32(42, step->flags & ACK ? isn[!from] + 1 + step->acked * payload + step->fin_acked : 0);
	frame[46] = (uint8_t)(0x80 + mss_bytes * 4);
	frame[47] = step->flags;
	put16(48, 502);
	if (mss_bytes)
		put32(54, 0x02040000 | MSS);
	put32(54 + mss_bytes, 0x0101080a);
	put32(58 + mss_bytes, ms);
	put32(62 + mss_bytes, ms);
	put_checksums(HEADERS + mss_bytes + bytes);
	return HEADERS + mss_bytes + bytes;
}

static void write_packet(FILE *file, uint64_t us, uint32_t captured, uint32_t wire)
{
	const uint32_t head[4] = { (uint32_t)(us / 1000000) + 1700000000, (uint32_t)(us % 1000000), captured, wire };

	if (fwrite(head, sizeof(head), 1, file) != 1 || fwrite(frame, captured, 1, file) != 1)
		exit(1);
}

int main(int argc, char **argv)
{
	const uint32_t head[6] = { 0xa1b2c3d4, 4 << 16 | 2, 0, 0, 262144, 1 };
	uint32_t flows, rounds, captured, payload;
	uint64_t us = 0;
	FILE *file;

	if (argc != 6 || !(file = fopen(argv[1], "w"))) {
		fputs("usage: make_capture FILE FLOWS ROUNDS CAPTURED PAYLOAD\n", stderr);
		return 2;
	}
	flows = (uint32_t)atoi(argv[2]);
	rounds = (uint32_t)atoi(argv[3]);
	captured = (uint32_t)atoi(argv[4]);
	payload = (uint32_t)atoi(argv[5]);
	if (payload > FRAME_MAX - HEADERS - 4 || fwrite(head, sizeof(head), 1, file) != 1)
		return 2;
	memset(frame, 'x', sizeof(frame));
	for (unsigned index = 0; index < HANDSHAKE + ROUND * rounds + CLOSE; index++) {
		struct step step = step_of(index, rounds);

		for (uint32_t flow = 0; flow < flows; flow++, us += 5) {
			uint32_t wire = make_frame(flow, &step, payload, (uint32_t)(us / 1000));

			write_packet(file, us, captured < wire ? captured : wire, wire);
		}
	}
	return fclose(file) ? 1 : 0;
}
