/* SPDX-License-Identifier: MIT */
/* One expression of pcap-filter(7), compiled once for each link type that frames bring. */
#ifndef CAPTURE_PACKET_FILTER_H
#define CAPTURE_PACKET_FILTER_H

#include "tcptriage/base/err.h"
#include "tcptriage/model/packet.h"

struct packet_filter_program;

/** struct packet_filter - @expression: owned, NULL lets everything pass. @programs, @count: private. */
struct packet_filter {
	char *expression;
	struct packet_filter_program *programs;
	unsigned count, last;
};

/** packet_filter_open() - copy @expression (NULL or "" none); nothing is compiled yet. */
void packet_filter_open(struct packet_filter *filter, const char *expression);
/**
 * packet_filter_compile() - make sure that it compiles for @link_type, so that the user hears of a slip before the first packet.
 * Return: 0, or -EINVAL with @err that quotes libpcap and names the link type.
 */
int packet_filter_compile(struct packet_filter *filter, uint32_t link_type, struct err *err);
/** packet_filter_pass() - Return: 1 when @frame matches, 0 when it does not, -EINVAL with @err as packet_filter_compile(). */
int packet_filter_pass(struct packet_filter *filter, const struct frame *frame, struct err *err);
/** packet_filter_close() - release the programs. */
void packet_filter_close(struct packet_filter *filter);

#endif
