/* SPDX-License-Identifier: MIT */
/* capture/sandbox: a child gives everything up; the kernel tells what is left, and what it refuses from then on. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <net/if.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "config.h"
#include "tcptriage/capture/sandbox.h"

#if defined(HAVE_SECCOMP) && !defined(SANITIZED)
#define FILTERED true
#else
#define FILTERED false
#endif

/* What the child found when it tried: errno of each, 0 where it went well. */
struct tried {
	int code, open, socket, exec, kill, dup, exec_memory, setuid, file, memory, local_time, frame, is_up, set_up;
	struct sandbox_state state;
};

static int outcome(long result)
{
	return result < 0 ? errno : 0;
}

static void try_all(struct tried *t, int file, int packets)
{
	char *const argv[] = { (char *)"true", NULL };
	struct ifreq interface = { .ifr_name = "lo" };
	void *page;
	time_t now;
	char text[64];
	struct tm tm;

	t->open = outcome(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
	t->socket = outcome(socket(AF_INET, SOCK_STREAM, 0));
	t->dup = outcome(dup(file));
	t->kill = outcome(kill(getppid(), 0));
	t->setuid = outcome(setuid(0));
	t->file = outcome(write(file, "x", 1));
	t->frame = packets < 0 ? 0 : outcome(write(packets, "0123456789abcdef", 16));
	t->is_up = packets < 0 ? 0 : outcome(ioctl(packets, SIOCGIFFLAGS, &interface));
	t->set_up = packets < 0 ? 0 : outcome(ioctl(packets, SIOCSIFFLAGS, &interface));
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	t->memory = page == MAP_FAILED ? errno : 0;
	t->exec_memory = outcome(mprotect(page, 4096, PROT_READ | PROT_EXEC));
	now = time(NULL);
	t->local_time = localtime_r(&now, &tm) && strftime(text, sizeof(text), "%T", &tm) ? 0 : EINVAL;
	if (FILTERED) /* without a filter it would replace the test */
		t->exec = outcome(execv("/bin/true", argv));
}

/* struct child - @out: its struct tried comes here. @go: it waits until this is closed. */
struct child {
	pid_t pid;
	int out, go;
};

static void child_main(int out, int go, const char *user, int packets)
{
	struct tried tried;
	FILE *file = tmpfile();
	struct err err;
	char byte;

	memset(&tried, 0, sizeof(tried));
	tried.code = sandbox_enter(user, &tried.state, &err);
	if (!tried.code)
		try_all(&tried, file ? fileno(file) : -1, packets);
	if (write(out, &tried, sizeof(tried)) != (ssize_t)sizeof(tried))
		_exit(1);
	_exit(read(go, &byte, 1) == 0 ? 0 : 2);
}

static struct child start(const char *user, int packets)
{
	int out[2], go[2];
	struct child child;

	assert_int_equal(pipe(out), 0);
	assert_int_equal(pipe(go), 0);
	child.pid = fork();
	assert_true(child.pid >= 0);
	if (!child.pid) {
		close(go[1]);
		child_main(out[1], go[0], user, packets);
	}
	close(out[1]);
	close(go[0]);
	child.out = out[0];
	child.go = go[1];
	return child;
}

static struct tried result_of(const struct child *child)
{
	struct tried tried;

	assert_int_equal(read(child->out, &tried, sizeof(tried)), sizeof(tried));
	return tried;
}

static void finish(const struct child *child)
{
	int status;

	close(child->go);
	close(child->out);
	assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
	assert_int_equal(status, 0);
}

/* The value of @key in /proc/PID/status, as text. */
static void status_of(pid_t pid, const char *key, char *value, size_t size)
{
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "r");
	assert_non_null(file);
	value[0] = '\0';
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, key, strlen(key)) && line[strlen(key)] == ':')
			snprintf(value, size, "%s", line + strlen(key) + 2);
	fclose(file);
	value[strcspn(value, "\n")] = '\0';
}

static void assert_status(pid_t pid, const char *key, const char *wanted)
{
	char value[256];

	status_of(pid, key, value, sizeof(value));
	assert_string_equal(value, wanted);
}

static void enter__as_root__is_nobody_without_capabilities(void **state)
{
	const struct passwd *nobody = getpwnam(SANDBOX_USER);
	struct child child;
	struct tried tried;
	char ids[128];

	(void)state;
	assert_non_null(nobody);
	child = start(NULL, -1);
	tried = result_of(&child);
	assert_int_equal(tried.code, 0);
	assert_string_equal(tried.state.user, SANDBOX_USER);
	assert_true(tried.state.no_new_privs);
	assert_true(tried.state.capabilities_dropped);
	assert_int_equal(tried.state.seccomp, FILTERED);
	snprintf(ids, sizeof(ids), "%u\t%u\t%u\t%u", nobody->pw_uid, nobody->pw_uid, nobody->pw_uid, nobody->pw_uid);
	assert_status(child.pid, "Uid", ids);
	snprintf(ids, sizeof(ids), "%u\t%u\t%u\t%u", nobody->pw_gid, nobody->pw_gid, nobody->pw_gid, nobody->pw_gid);
	assert_status(child.pid, "Gid", ids);
	assert_status(child.pid, "Groups", " ");
	assert_status(child.pid, "CapPrm", "0000000000000000");
	assert_status(child.pid, "CapEff", "0000000000000000");
	assert_status(child.pid, "CapInh", "0000000000000000");
	assert_status(child.pid, "CapAmb", "0000000000000000");
#ifdef HAVE_CAPNG
	assert_status(child.pid, "CapBnd", "0000000000000000");
#endif
	assert_status(child.pid, "NoNewPrivs", "1");
	assert_status(child.pid, "Seccomp", FILTERED ? "2" : "0");
	assert_int_equal(tried.setuid, EPERM);
	finish(&child);
}

static void enter__root_stays__has_no_capabilities(void **state)
{
	struct child child;
	struct tried tried;

	(void)state;
	child = start("root", -1);
	tried = result_of(&child);
	assert_int_equal(tried.code, 0);
	assert_string_equal(tried.state.user, "");
	assert_status(child.pid, "Uid", "0\t0\t0\t0");
#ifdef HAVE_CAPNG
	assert_status(child.pid, "CapEff", "0000000000000000");
	assert_status(child.pid, "CapPrm", "0000000000000000");
#endif
	finish(&child);
}

static void calls__that_open_or_execute__fail_and_the_run_goes_on(void **state)
{
	struct child child = start(NULL, -1);
	struct tried tried = result_of(&child);
	int refused = FILTERED ? EPERM : 0;

	(void)state;
	assert_int_equal(tried.code, 0);
	assert_int_equal(tried.open, refused);
	assert_int_equal(tried.socket, refused);
	assert_int_equal(tried.dup, refused);
	assert_int_equal(tried.exec_memory, refused);
	assert_int_equal(tried.exec, refused);
	if (FILTERED)
		assert_int_equal(tried.kill, EPERM);
	assert_int_equal(tried.memory, 0);
	assert_int_equal(tried.file, 0);
	assert_int_equal(tried.local_time, 0);
	finish(&child);
}

static void packet_socket__written_to__puts_no_frame_on_the_wire(void **state)
{
	struct sockaddr_ll lo = { .sll_family = AF_PACKET, .sll_ifindex = 1 };
	struct child child;
	struct tried tried;
	int fd;

	(void)state;
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
	assert_true(fd >= 0);
	lo.sll_protocol = htons(ETH_P_ALL);
	assert_int_equal(bind(fd, (struct sockaddr *)&lo, sizeof(lo)), 0);
	child = start(NULL, fd);
	tried = result_of(&child);
	assert_int_equal(tried.code, 0);
	assert_int_equal(tried.frame, FILTERED ? EPERM : 0);
	/* libpcap asks when the interface may be gone */
	assert_int_equal(tried.is_up, 0);
	assert_int_equal(tried.set_up, EPERM);
	assert_int_equal(tried.file, 0);
	finish(&child);
	close(fd);
}

static void enter__unknown_user__is_refused(void **state)
{
	struct sandbox_state unused;
	struct err err;

	(void)state;
	assert_int_equal(sandbox_enter("no-such-user-here", &unused, &err), -ENOENT);
	assert_non_null(strstr(err.text, "no-such-user-here"));
}

static void built_in__says_whether_calls_are_filtered(void **state)
{
	(void)state;
	if (FILTERED)
		assert_null(strstr(sandbox_built_in(), "no seccomp"));
	else
		assert_non_null(strstr(sandbox_built_in(), "no seccomp ("));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(enter__as_root__is_nobody_without_capabilities),
		cmocka_unit_test(enter__root_stays__has_no_capabilities),
		cmocka_unit_test(calls__that_open_or_execute__fail_and_the_run_goes_on),
		cmocka_unit_test(packet_socket__written_to__puts_no_frame_on_the_wire),
		cmocka_unit_test(enter__unknown_user__is_refused),
		cmocka_unit_test(built_in__says_whether_calls_are_filtered),
	};

	if (geteuid()) {
		puts("not root: nothing can be given up");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
