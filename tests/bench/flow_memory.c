/* SPDX-License-Identifier: MIT */
/* Prints the bytes that the table of flows takes for each flow it has room for, for scripts/bench. usage: flow_memory FLOWS */
#include <stdio.h>
#include <stdlib.h>

#include "tcptriage/track/flows.h"

int main(int argc, char **argv)
{
	uint32_t count = argc == 2 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
	struct flows *flows = count ? flows_new(&(struct flows_options){ .max_flows = count }) : NULL;

	if (!flows) {
		fputs("usage: flow_memory FLOWS\n", stderr);
		return 2;
	}
	printf("%.1f\n", (double)flows_memory(flows) / count);
	flows_free(flows);
	return 0;
}
