/* SPDX-License-Identifier: MIT */
/* libpcap compiles for one link type at a time; a pcapng file, or a list of files, brings several. */
#include "capture/packet_filter.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "capture/dlt.h"

/* Of packet bytes that a compiled filter may ask for: the most that libpcap takes from any file. */
#define FILTER_SNAPLEN 262144

/* @none: nothing on this link type can match. */
struct packet_filter_program {
	uint32_t link_type;
	bool none;
	struct bpf_program code;
};

static void close_pcap(pcap_t **pcap)
{
	if (*pcap)
		pcap_close(*pcap);
}

void packet_filter_open(struct packet_filter *f, const char *expression)
{
	*f = (struct packet_filter){ .expression = expression && *expression ? xstrdup(expression) : NULL };
}

static int compile(const struct packet_filter *f, struct packet_filter_program *program, struct err *err)
{
	CLEANUP(close_pcap) pcap_t *pcap = pcap_open_dead(dlt_of_link_type(program->link_type), FILTER_SNAPLEN);
	char name[32];

	if (!pcap)
		return err_set(err, -ENOMEM, "no memory for a packet filter");
	if (!pcap_compile(pcap, &program->code, f->expression, 1, PCAP_NETMASK_UNKNOWN))
		return 0;
	/* on the only link type this is a slip; beside others it is an answer, as for "ip6" and raw IPv4 */
	program->none = f->count && !strcmp(pcap_geterr(pcap), "expression rejects all packets");
	if (program->none)
		return 0;
	return err_set(err, -EINVAL, "filter \"%s\" does not compile for link type %s: %s", f->expression,
		       dlt_name(program->link_type, name, sizeof(name)), pcap_geterr(pcap));
}

/* Return: 0 with f->last at the program for @link_type. */
static int select_program(struct packet_filter *f, uint32_t link_type, struct err *err)
{
	struct packet_filter_program program = { .link_type = link_type };
	int status;

	for (unsigned i = 0; i < f->count; i++)
		if (f->programs[i].link_type == link_type) {
			f->last = i;
			return 0;
		}
	status = compile(f, &program, err);
	if (status)
		return status;
	f->programs = xrealloc_array(f->programs, f->count + 1, sizeof(*f->programs));
	f->programs[f->count] = program;
	f->last = f->count++;
	return 0;
}

int packet_filter_compile(struct packet_filter *f, uint32_t link_type, struct err *err)
{
	return f->expression ? select_program(f, link_type, err) : 0;
}

int packet_filter_pass(struct packet_filter *f, const struct frame *frame, struct err *err)
{
	const struct pcap_pkthdr header = { .caplen = frame->captured, .len = frame->wire };
	const struct packet_filter_program *program;

	if (!f->expression)
		return 1;
	if (f->last >= f->count || f->programs[f->last].link_type != frame->link_type) {
		int status = select_program(f, frame->link_type, err);

		if (status)
			return status;
	}
	program = &f->programs[f->last];
	return !program->none && pcap_offline_filter(&program->code, &header, frame->bytes);
}

void packet_filter_close(struct packet_filter *f)
{
	for (unsigned i = 0; i < f->count; i++)
		if (!f->programs[i].none)
			pcap_freecode(&f->programs[i].code);
	free(f->programs);
	free(f->expression);
	*f = (struct packet_filter){ 0 };
}
