/* SPDX-License-Identifier: MIT */
/* DLT_* differ between systems for a few old link types, LINKTYPE_* (https://www.tcpdump.org/linktypes.html) do not. */
#include "capture/dlt.h"

#include <pcap/pcap.h>
#include <stdio.h>

#include "tcptriage/base/util.h"

/* Those whose numbers differ; all others are the same in both. */
static const struct {
	int dlt;
	uint32_t link_type;
} numbers[] = {
	{ DLT_ATM_RFC1483, 100 }, { DLT_RAW, 101 }, { DLT_SLIP_BSDOS, 102 }, { DLT_PPP_BSDOS, 103 }, { DLT_ATM_CLIP, 106 },
};

uint32_t dlt_to_link_type(int dlt)
{
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (numbers[i].dlt == dlt)
			return numbers[i].link_type;
	return (uint32_t)dlt;
}

int dlt_of_link_type(uint32_t link_type)
{
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (numbers[i].link_type == link_type)
			return numbers[i].dlt;
	return (int)link_type;
}

const char *dlt_name(uint32_t link_type, char *buf, size_t size)
{
	const char *name = pcap_datalink_val_to_name(dlt_of_link_type(link_type));

	snprintf(buf, size, "%s", name ? name : "");
	if (!name)
		snprintf(buf, size, "%u", link_type);
	return buf;
}
