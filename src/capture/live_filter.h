/* SPDX-License-Identifier: MIT */
/* The filter of a live capture, complete in the kernel. */
#ifndef CAPTURE_LIVE_FILTER_H
#define CAPTURE_LIVE_FILTER_H

#include <pcap/pcap.h>

#include "tcptriage/base/err.h"
#include "tcptriage/model/packet.h"

/**
 * struct live_filter - what to keep. @expression: in pcap-filter's language. @direction: DIRECTION_UNKNOWN keeps both.
 * @loopback: index of lo when its packets can come, 0 otherwise: each passes twice, and only the incoming copy is wanted.
 */
struct live_filter {
	const char *expression;
	enum packet_direction direction;
	uint32_t loopback;
};

/**
 * live_filter_install() - on an active handle. @exact: the kernel counts what will be delivered, no more (false when it does not take the filter, and
 * libpcap applies it). Return: 0, or -EINVAL with @err when it does not compile.
 */
int live_filter_install(pcap_t *pcap, const struct live_filter *filter, bool *exact, struct err *err);

#endif
