/* SPDX-License-Identifier: MIT */
/* What the process that reads packets gives up: its user, its capabilities, new privileges, system calls.
 *
 * A forbidden system call fails with EPERM and does not kill. What is forbidden by mistake (a libc that does something in another way, on
 * another machine) then costs a message and not the capture that somebody waited hours for, while for whoever takes the process over
 * both are the same: the call is not made. */
#include "tcptriage/capture/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "config.h"

#ifdef HAVE_CAPNG
#include <cap-ng.h>
#define CAPNG_TEXT "libcap-ng"
#else
#define CAPNG_TEXT "no libcap-ng"
#endif

#if defined(HAVE_SECCOMP) && !defined(SANITIZED)
#include <seccomp.h>
#define SECCOMP_TEXT "seccomp"
#elif defined(HAVE_SECCOMP)
#define SECCOMP_TEXT "no seccomp (sanitizers need more system calls)"
#else
#define SECCOMP_TEXT "no seccomp (built without libseccomp)"
#endif

/* No core file and no ptrace: the memory holds what others sent. The leak checker is a tracer. */
#ifdef SANITIZED
#define DUMPABLE 1
#else
#define DUMPABLE 0
#endif

const char *sandbox_built_in(void)
{
	return CAPNG_TEXT ", " SECCOMP_TEXT;
}

bool sandbox_is_whole(void)
{
	return !strstr(sandbox_built_in(), "no ");
}

#ifdef HAVE_CAPNG

/* Only with CAP_SETPCAP, and only before the user changes; without it, no_new_privs has the same effect for us: execve() gives nothing. */
static void drop_bounding(void)
{
	capng_get_caps_process();
	if (!capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP))
		return;
	capng_clear(CAPNG_SELECT_BOUNDS);
	capng_apply(CAPNG_SELECT_BOUNDS);
}

static int drop_capabilities(struct sandbox_state *state, struct err *err)
{
	capng_get_caps_process();
	capng_clear(CAPNG_SELECT_CAPS);
	if (capng_apply(CAPNG_SELECT_CAPS))
		return err_set(err, -EPERM, "cannot drop the capabilities");
	state->capabilities_dropped = true;
	return 0;
}

#else

static void drop_bounding(void)
{
}

/* Whoever ceases to be root loses them all (capabilities(7)); those of a file stay without the library. */
static int drop_capabilities(struct sandbox_state *state, struct err *err)
{
	(void)err;
	state->capabilities_dropped = state->user[0] != '\0';
	return 0;
}

#endif

/* Return: 0 with @user, NULL when we stay who we are; or -errno with @err. */
static int find_user(const char *name, const struct passwd **user, struct err *err)
{
	*user = NULL;
	if (geteuid())
		return name ? err_set(err, -EPERM, "only root can become user '%s' (-Z)", name) : 0;
	name = name ? name : SANDBOX_USER;
	*user = getpwnam(name);
	if (!*user)
		return err_set(err, -ENOENT, "there is no user '%s' to read packets as (-Z names another)", name);
	if (!(*user)->pw_uid)
		*user = NULL;
	return 0;
}

static int become(const struct passwd *user, struct sandbox_state *state, struct err *err)
{
	if (!user)
		return 0;
	if (setgroups(0, NULL) || setresgid(user->pw_gid, user->pw_gid, user->pw_gid) || setresuid(user->pw_uid, user->pw_uid, user->pw_uid))
		return err_errno(err, -errno, "cannot become user '%s' (-Z root stays root)", user->pw_name);
	BUG_ON(!setuid(0));
	snprintf(state->user, sizeof(state->user), "%s", user->pw_name);
	return 0;
}

#if defined(HAVE_SECCOMP) && !defined(SANITIZED)

/* Calls that are harmless with any argument: none opens, connects, executes or names another process. */
static const int harmless[] = {
	/* descriptors that are open already */
	SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(lseek),
	SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(getsockopt), SCMP_SYS(fsync), SCMP_SYS(fdatasync),
	/* memory and time; sysinfo: qsort() asks how much memory there is */
	SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(brk), SCMP_SYS(madvise), SCMP_SYS(sysinfo), SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres),
	SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep), SCMP_SYS(getrandom),
	/* signals, locks and the end; wait4: for the privileged process */
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack), SCMP_SYS(restart_syscall), SCMP_SYS(futex),
	SCMP_SYS(sched_yield), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getrusage), SCMP_SYS(wait4), SCMP_SYS(exit), SCMP_SYS(exit_group),
};

/* Calls that are allowed when @argument compares so: (argument & @a) == @b, or argument == @a. */
static const struct {
	int call;
	unsigned argument;
	enum scmp_compare compare;
	uint64_t a, b;
} restricted[] = {
	{ SCMP_SYS(mmap), 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 },
	{ SCMP_SYS(mprotect), 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 },
	{ SCMP_SYS(newfstatat), 3, SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH }, /* fstat() of newer libcs */
	{ SCMP_SYS(fcntl), 1, SCMP_CMP_EQ, F_GETFL, 0 },
	{ SCMP_SYS(fcntl), 1, SCMP_CMP_EQ, F_SETFL, 0 },
	{ SCMP_SYS(fcntl), 1, SCMP_CMP_EQ, F_GETFD, 0 },
	{ SCMP_SYS(fcntl), 1, SCMP_CMP_EQ, F_SETFD, 0 },
	{ SCMP_SYS(ioctl), 1, SCMP_CMP_EQ, TCGETS, 0 },
	{ SCMP_SYS(ioctl), 1, SCMP_CMP_EQ, TIOCGWINSZ, 0 },
	{ SCMP_SYS(ioctl), 1, SCMP_CMP_EQ, SIOCGIFFLAGS, 0 }, /* libpcap asks whether the interface is gone or only down */
};

/* Calls that write to a descriptor: not to the packet socket, which would put frames on the wire. */
static const int writing[] = { SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(pwrite64), SCMP_SYS(sendto), SCMP_SYS(sendmsg) };

#define DESCRIPTORS_LOOKED_AT 1024

/* Return: the descriptor of the live capture, -1 when there is none. A capture has one. */
static int packet_socket(void)
{
	for (int fd = 0; fd < DESCRIPTORS_LOOKED_AT; fd++) {
		socklen_t len = sizeof(int);
		int domain;

		if (!getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) && domain == AF_PACKET)
			return fd;
	}
	return -1;
}

static int add_rules(scmp_filter_ctx filter)
{
	int packets = packet_socket(), pid = (int)getpid(), code = 0;

	for (size_t i = 0; i < ARRAY_SIZE(harmless) && !code; i++)
		code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, harmless[i], 0);
	for (size_t i = 0; i < ARRAY_SIZE(restricted) && !code; i++)
		code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, restricted[i].call, 1,
					SCMP_CMP(restricted[i].argument, restricted[i].compare, restricted[i].a, restricted[i].b));
	for (size_t i = 0; i < ARRAY_SIZE(writing) && !code; i++)
		code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, writing[i], 1, SCMP_A0_32(SCMP_CMP_NE, (uint32_t)packets));
	if (!code) /* abort() */
		code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, SCMP_A0_32(SCMP_CMP_EQ, (uint32_t)pid));
	return code;
}

static int filter_calls(struct sandbox_state *state, struct err *err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int code = filter ? add_rules(filter) : -ENOMEM;

	if (!code)
		code = seccomp_load(filter);
	if (filter)
		seccomp_release(filter);
	if (code)
		return err_errno(err, code, "cannot filter the system calls of the process that reads packets");
	state->seccomp = true;
	return 0;
}

#else

static int filter_calls(struct sandbox_state *state, struct err *err)
{
	(void)state;
	(void)err;
	return 0;
}

#endif

int sandbox_enter(const char *name, struct sandbox_state *state, struct err *err)
{
	const struct passwd *user;
	int code = find_user(name, &user, err);

	*state = (struct sandbox_state){ .seccomp = false };
	if (code)
		return code;
	tzset(); /* /etc/localtime cannot be read later */
	drop_bounding();
	code = become(user, state, err);
	if (!code)
		code = drop_capabilities(state, err);
	if (code)
		return code;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, DUMPABLE, 0, 0, 0))
		return err_errno(err, -errno, "cannot forbid new privileges");
	state->no_new_privs = true;
	return filter_calls(state, err);
}
