/* SPDX-License-Identifier: MIT */
/* Prints the packets of a capture file as `tcptriage capture -r FILE --packets -n` will: the other side of compare_tcpdump.py. */
#include <getopt.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>

#include "tcptriage/decode/packet.h"
#include "tcptriage/render/packets.h"

/* libpcap's DLT_* differ from LINKTYPE_* for raw IP. */
static uint32_t link_type_of(int dlt)
{
	return dlt == DLT_RAW ? 101 : (uint32_t)dlt;
}

static void take_option(struct packet_text_options *options, int letter)
{
	switch (letter) {
	case 'v':
		options->verbosity = (uint8_t)MIN(options->verbosity + 1, 3);
		break;
	case 't':
		options->time = (uint8_t)MIN(options->time + 1, PACKET_TIME_COUNT - 1);
		break;
	case 'x':
		options->dump = options->dump == PACKET_DUMP_HEX ? PACKET_DUMP_HEX_LINK : PACKET_DUMP_HEX;
		break;
	case 'X':
		options->dump = options->dump == PACKET_DUMP_HEX_TEXT ? PACKET_DUMP_HEX_TEXT_LINK : PACKET_DUMP_HEX_TEXT;
		break;
	case 'A':
		options->dump = options->dump == PACKET_DUMP_TEXT ? PACKET_DUMP_TEXT_LINK : PACKET_DUMP_TEXT;
		break;
	case 'e':
		options->link_header = true;
		break;
	case 'S':
		options->absolute_seq = true;
		break;
	case '#':
		options->number = true;
		break;
	case 'K':
		options->skip_checksums = true;
		break;
	case 'q':
		options->quiet = true;
		break;
	case 'N':
		options->nanoseconds = true;
		break;
	default:
		break;
	}
}

static int print_file(const char *path, const struct packet_text_options *options)
{
	char reason[PCAP_ERRBUF_SIZE];
	pcap_t *pcap = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, reason);
	struct out CLEANUP(out_close) out = { 0 };
	struct packet_text CLEANUP(packet_text_close) text = { 0 };
	struct pcap_pkthdr *header;
	const u_char *bytes;
	struct frame frame = { 0 };
	struct packet packet;

	if (!pcap) {
		fprintf(stderr, "%s: %s\n", path, reason);
		return 1;
	}
	out_open_fd(&out, 1);
	packet_text_init(&text, options);
	frame.link_type = link_type_of(pcap_datalink(pcap));
	while (pcap_next_ex(pcap, &header, &bytes) == 1) {
		frame.bytes = bytes;
		frame.captured = header->caplen;
		frame.wire = header->len;
		frame.time_ns = header->ts.tv_sec * 1000000000 + header->ts.tv_usec;
		frame.number++;
		packet_decode(&frame, NULL, &packet);
		packet_text_line(&out, &text, &packet, NULL);
	}
	pcap_close(pcap);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "packets", no_argument, NULL, 'p' },
		{ "nano", no_argument, NULL, 'N' },
		{ NULL, 0, NULL, 0 },
	};
	struct packet_text_options options = { 0 };
	const char *path = NULL;
	int letter;

	/* the first word is the command */
	while ((letter = getopt_long(argc - 1, argv + 1, "r:nvtxXAeS#Kq", longs, NULL)) >= 0) {
		if (letter == 'r')
			path = optarg;
		take_option(&options, letter);
	}
	return path ? print_file(path, &options) : 2;
}
