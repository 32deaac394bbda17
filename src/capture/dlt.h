/* SPDX-License-Identifier: MIT */
/* The two numberings of link types: DLT_* inside libpcap, LINKTYPE_* in files and everywhere else in this program. */
#ifndef CAPTURE_DLT_H
#define CAPTURE_DLT_H

#include <stddef.h>
#include <stdint.h>

/** dlt_to_link_type() - what pcap_datalink() gave, as LINKTYPE_*. */
uint32_t dlt_to_link_type(int dlt);
/** dlt_of_link_type() - LINKTYPE_* as libpcap on this system counts it. */
int dlt_of_link_type(uint32_t link_type);
/** dlt_name() - "EN10MB", or "147" for a number that libpcap has no name for, into @buf. Return: the name. */
const char *dlt_name(uint32_t link_type, char *buf, size_t size);

#endif
