/* SPDX-License-Identifier: MIT */
/* The filter of a live capture, complete in the kernel.
 *
 * libpcap sorts out the wrong direction and the second copy of a packet on lo only after the kernel has counted it and put it into the ring.
 * Then the kernel's count is not the number of packets that are delivered, and the end of a capture could not be told by it (live.c). So
 * the program that libpcap installed is read back, the same two questions are put before it, and the socket is locked: whoever takes this
 * process over cannot widen what it sees. */
#include "capture/live_filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

#include "capture/dlt.h"

/* BPF_STMT and BPF_JUMP are libpcap's macros here, with the same numbers. */
#define LOAD(what) { BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)SKF_AD_OFF + (what) }
#define UNLESS_EQUAL(value, skip) { BPF_JMP | BPF_JEQ | BPF_K, 0, (skip), (value) }
#define IF_EQUAL(value, skip) { BPF_JMP | BPF_JEQ | BPF_K, (skip), 0, (value) }
#define REJECT { BPF_RET | BPF_K, 0, 0, 0 }

#define PROLOGUE_MAX 8

static size_t put_direction(struct sock_filter *at, enum packet_direction direction)
{
	static const struct sock_filter only[][3] = {
		[DIRECTION_IN] = { LOAD(SKF_AD_PKTTYPE), UNLESS_EQUAL(PACKET_OUTGOING, 1), REJECT },
		[DIRECTION_OUT] = { LOAD(SKF_AD_PKTTYPE), IF_EQUAL(PACKET_OUTGOING, 1), REJECT },
	};

	if (direction == DIRECTION_UNKNOWN)
		return 0;
	for (size_t i = 0; i < 3; i++)
		at[i] = only[direction][i];
	return 3;
}

static size_t put_loopback(struct sock_filter *at, uint32_t loopback)
{
	const struct sock_filter twice[] = { LOAD(SKF_AD_PKTTYPE), UNLESS_EQUAL(PACKET_OUTGOING, 3), LOAD(SKF_AD_IFINDEX), UNLESS_EQUAL(loopback, 1), REJECT };

	if (!loopback)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(twice); i++)
		at[i] = twice[i];
	return ARRAY_SIZE(twice);
}

/* Return: whether the kernel does all of the filtering from now on. */
static bool complete(int fd, const struct live_filter *filter)
{
	struct sock_filter program[BPF_MAXINSNS];
	struct sock_fprog whole = { .filter = program };
	socklen_t len = BPF_MAXINSNS - PROLOGUE_MAX; /* counted in instructions, both ways (net/core/filter.c, sk_get_filter) */
	size_t before = put_direction(program, filter->direction);

	before += put_loopback(program + before, filter->loopback);
	if (getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, program + before, &len) || !len)
		return false;
	whole.len = (unsigned short)(before + len);
	return !before || !setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &whole, sizeof(whole));
}

int live_filter_install(pcap_t *pcap, const struct live_filter *filter, bool *exact, struct err *err)
{
	int fd = pcap_fileno(pcap), yes = 1, code;
	struct bpf_program program;
	char name[32];

	if (pcap_compile(pcap, &program, filter->expression, 1, PCAP_NETMASK_UNKNOWN))
		return err_set(err, -EINVAL, "filter \"%s\" does not compile for link type %s: %s", filter->expression,
			       dlt_name(dlt_to_link_type(pcap_datalink(pcap)), name, sizeof(name)), pcap_geterr(pcap));
	code = pcap_setfilter(pcap, &program);
	pcap_freecode(&program);
	if (code)
		return err_set(err, -EINVAL, "filter \"%s\": %s", filter->expression, pcap_geterr(pcap));
	/* what came before the filter stood is still sorted by libpcap */
	if (filter->direction != DIRECTION_UNKNOWN)
		pcap_setdirection(pcap, filter->direction == DIRECTION_IN ? PCAP_D_IN : PCAP_D_OUT);
	*exact = complete(fd, filter);
	setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &yes, sizeof(yes));
	return 0;
}
