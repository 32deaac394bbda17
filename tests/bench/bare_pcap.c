/* SPDX-License-Identifier: MIT */
/* Reads a pcap file through libpcap and does nothing with it, for scripts/bench. usage: bare_pcap FILE   Prints how many packets there were. */
#include <pcap/pcap.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	char reason[PCAP_ERRBUF_SIZE];
	unsigned long long packets = 0;
	struct pcap_pkthdr *header;
	const unsigned char *bytes;
	pcap_t *pcap = argc == 2 ? pcap_open_offline(argv[1], reason) : NULL;

	if (!pcap) {
		fputs("usage: bare_pcap FILE\n", stderr);
		return 2;
	}
	while (pcap_next_ex(pcap, &header, &bytes) == 1)
		packets++;
	printf("%llu\n", packets);
	pcap_close(pcap);
	return 0;
}
