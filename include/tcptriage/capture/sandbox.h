/* SPDX-License-Identifier: MIT */
/* What the process that reads packets gives up before it reads the first: its user, its capabilities, new privileges, system calls. */
#ifndef TCPTRIAGE_CAPTURE_SANDBOX_H
#define TCPTRIAGE_CAPTURE_SANDBOX_H

#include "tcptriage/base/err.h"

/** User to become unless -Z names another. */
#define SANDBOX_USER "nobody"

/** struct sandbox_state - what is on, for doctor, --version and messages. @user: the one we became, "" unchanged. */
struct sandbox_state {
	char user[33];
	bool capabilities_dropped, no_new_privs, seccomp;
};

/**
 * sandbox_enter() - become @user when we are root (NULL: SANDBOX_USER; "root" stays), drop every capability, set no_new_privs, load the system
 * call filter. After that only descriptors that are open already can be used. @state: filled.
 * Return: 0, or -errno with @err (no such user; the kernel refuses): then nothing may be read.
 */
int sandbox_enter(const char *user, struct sandbox_state *state, struct err *err);
/** sandbox_built_in() - "libcap-ng, seccomp" of this build, with why seccomp is off where it is (sanitizers). */
const char *sandbox_built_in(void);
/** sandbox_is_whole() - nothing of it is missing in this build. */
bool sandbox_is_whole(void);

#endif
