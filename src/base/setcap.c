/* SPDX-License-Identifier: MIT */
/* The command that lends this program what root has. */
#include "tcptriage/base/setcap.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SELF "/proc/self/exe"
#define ALL "cap_net_raw,cap_net_admin,cap_sys_admin,cap_sys_ptrace,cap_dac_read_search"

static void write_line(char out[static SETCAP_LINE_MAX], const char *capabilities)
{
	char self[121];
	ssize_t len = readlink(SELF, self, sizeof(self) - 1);

	self[len < 0 ? 0 : len] = '\0';
	snprintf(out, SETCAP_LINE_MAX, "sudo setcap %s+ep %s", capabilities, len < 0 ? "tcptriage" : self);
}

void setcap_line(char out[static SETCAP_LINE_MAX])
{
	write_line(out, ALL);
}

void setcap_raw_line(char out[static SETCAP_LINE_MAX])
{
	bool has_some = getxattr(SELF, "security.capability", NULL, 0) > 0;

	write_line(out, has_some ? ALL : "cap_net_raw");
}
