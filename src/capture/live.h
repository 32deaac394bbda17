/* SPDX-License-Identifier: MIT */
/* What opening a live interface and listing interfaces have in common. */
#ifndef CAPTURE_LIVE_H
#define CAPTURE_LIVE_H

#include <pcap/pcap.h>

#include "tcptriage/base/err.h"

/** Longest name of an interface, with NUL: libpcap knows devices (usbmon, nflog) beside the kernel's IFNAMSIZ. */
#define LIVE_NAME_MAX 64

/**
 * live_resolve() - the interface that the user means by @wanted: a name, "any", or a number in the list of -D, as in tcpdump. A name of digits
 * goes before a number. Return: 0 with @name, -ENODEV with @err.
 */
int live_resolve(const char *wanted, char name[LIVE_NAME_MAX], struct err *err);
/** live_create() - a handle on @name that is not active yet. Return: 0 or -errno with @err. */
int live_create(const char *name, pcap_t **out, struct err *err);
/** live_activate() - activate @pcap, opened on @name. Return: 0, or -errno with @err: -ENODEV, -EPERM with what is missing, -ENETDOWN, -EIO. */
int live_activate(pcap_t *pcap, const char *name, struct err *err);
/** live_pcap_close() - cleanup handler. */
void live_pcap_close(pcap_t **pcap);

#endif
