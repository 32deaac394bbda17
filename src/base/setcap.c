/* SPDX-License-Identifier: MIT */
/* The command that lends this program what root has. */
#include "tcptriage/base/setcap.h"

#include <stdio.h>
#include <unistd.h>

void setcap_line(char out[static SETCAP_LINE_MAX])
{
	char self[121];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[len < 0 ? 0 : len] = '\0';
	snprintf(out, SETCAP_LINE_MAX, "sudo setcap cap_net_raw,cap_net_admin,cap_sys_admin,cap_sys_ptrace,cap_dac_read_search+ep %s", len < 0 ? "tcptriage" : self);
}
