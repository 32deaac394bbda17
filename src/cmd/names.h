/* SPDX-License-Identifier: MIT */
/* Names of what the kernel reports as numbers, looked up on this machine for rows. */
#ifndef TCPTRIAGE_SRC_CMD_NAMES_H
#define TCPTRIAGE_SRC_CMD_NAMES_H

#include "tcptriage/model/address.h"

/** names_user(), names_interface(), names_host(), names_service() - text that lives until the next call, NULL unknown. The last answer is kept: neighbours in a list repeat. */
const char *names_user(uint32_t uid);
const char *names_interface(uint32_t ifindex);
const char *names_host(const struct addr *addr);
const char *names_service(uint16_t port, unsigned netid);

#endif
