/* SPDX-License-Identifier: MIT */
/* Sums over what a process has opened. */
#include "tcptriage/model/descriptors.h"

double descriptors_percent(const struct process *process)
{
	return process->nofile ? 100.0 * process->fds / (double)process->nofile : 0;
}

uint32_t descriptors_inet(const struct descriptor_user *user)
{
	uint32_t sum = user->udp;

	for (size_t i = 0; i < ARRAY_SIZE(user->tcp); i++)
		sum += user->tcp[i];
	return sum;
}
