/* SPDX-License-Identifier: MIT */
/* collect/namespaces: our own, one that a child of ours makes, and what is none. Without privilege the child's cannot be entered: said. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "collect/namespaces.h"
#include "tcptriage/collect/source.h"

static struct arena arena;
static struct notices notices;
static struct err err;
static struct source *source;

static int setup(void **state)
{
	(void)state;
	notices = (struct notices){ .arena = &arena };
	return source_open_live(&source, &arena, &notices, &err);
}

static int teardown(void **state)
{
	(void)state;
	source_close(source);
	arena_free(&arena);
	return 0;
}

static uint64_t inode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : st.st_ino;
}

static void own__asked_for_nothing__is_the_one_we_are_in(void **state)
{
	const struct netns *list;
	unsigned others = 12345;

	(void)state;
	assert_int_equal(source_namespaces(source, NULL, &list, &others, &err), 1);
	assert_true(list[0].inode == inode_of("/proc/self/ns/net"));
	assert_string_equal(list[0].name, "");
	assert_null(list[0].path);
	assert_true(others < 12345);
}

static void own__asked_for_by_pid_or_path__is_the_same(void **state)
{
	const struct netns *list;
	char pid[16];

	(void)state;
	snprintf(pid, sizeof(pid), "%d", getpid());
	assert_int_equal(source_namespaces(source, pid, &list, NULL, &err), 1);
	assert_string_equal(list[0].name, "");
	assert_int_equal(source_namespaces(source, "/proc/self/ns/net", &list, NULL, &err), 1);
	assert_null(list[0].path);
}

static void wanted__what_is_none__is_refused_by_name(void **state)
{
	static const struct {
		const char *wanted, *says;
		int code;
	} rows[] = {
		{ "no-such-namespace-here", "'no-such-namespace-here'", -ENOENT },
		{ "2147483646", "'2147483646'", -ENOENT },
		{ "/etc/passwd", "is not a network namespace", -EINVAL },
		{ "/nonexistent/ns", "'/nonexistent/ns'", -ENOENT },
		{ "../../etc/passwd", "etc/passwd", -ENOENT },
	};
	const struct netns *list;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(source_namespaces(source, rows[i].wanted, &list, NULL, &err), rows[i].code);
		assert_non_null(strstr(err.text, rows[i].says));
	}
}

static void open__namespace_of_another_kind_or_gone__is_refused(void **state)
{
	struct netns other = { .path = "/proc/self/ns/uts", .name = "x" };
	struct netns changed = { .path = "/proc/self/ns/net", .name = "x", .inode = 1 };

	(void)state;
	other.inode = inode_of(other.path);
	assert_int_equal(namespaces_open(&other, &err), -ENOENT);
	assert_int_equal(namespaces_open(&changed, &err), -ENOENT);
	changed.path = "/nonexistent";
	assert_int_equal(namespaces_open(&changed, &err), -ENOENT);
}

/* A child in a namespace of its own that listens on port 7777 of its loopback and waits to be ended. */
static pid_t start_child(void)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(7777),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int ready[2], fd;
	char ok = 0;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		ok = unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
		fd = socket(AF_INET, SOCK_STREAM, 0);
		ok = ok && ioctl(fd, SIOCSIFFLAGS, &lo) == 0 &&
		     bind(fd, (struct sockaddr *)&name, sizeof(name)) == 0 && listen(fd, 3) == 0;
		if (write(ready[1], &ok, 1) == 1)
			pause();
		_exit(0);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &ok, 1), 1);
	close(ready[0]);
	if (ok)
		return pid;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return 0;
}

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static int note_port(const struct sock *sock, void *context)
{
	*(unsigned *)context = *(unsigned *)context * 100000 + sock->local.port;
	return 0;
}

/* What is asked inside is the child's truth, what is asked of ours before and after is not. */
static void compare_inside_and_outside(const struct netns *list)
{
	struct diag_request request = { .families = 3, .states = STATES_ALL };
	struct addr anywhere = addr_v4(0x08080808);
	struct diag_result result;
	struct source_ns *inside, *outside;
	const struct netns *own;
	struct counters theirs;
	struct sysctls *settings = calloc(1, sizeof(*settings));
	unsigned ports = 0;
	struct route route;

	assert_int_equal(source_namespaces(source, NULL, &own, NULL, &err), 1);
	assert_int_equal(source_ns_open(source, own, &outside, &err), 0);
	assert_int_equal(source_ns_open(source, list, &inside, &err), 0);
	assert_int_equal(source_sockets(inside, &request, note_port, &ports, &result, &err), 0);
	assert_int_equal(ports, 7777);
	assert_int_equal(source_counters(inside, &theirs, &err), 0);
	assert_int_equal(theirs.value[COUNTER_SOCKSTAT_TCP_INUSE], 1);
	assert_int_equal(theirs.value[COUNTER_TCP_ACTIVE_OPENS], 0);
	assert_int_equal(source_sysctls(inside, settings, &err), 0);
	assert_true(settings->has[SYSCTL_PORT_LO]);
	assert_false(settings->has[SYSCTL_TCP_MAX_ORPHANS]); /* stands in the first namespace only */
	assert_int_equal(source_route(inside, &anywhere, &route, &err), 0);
	assert_int_equal(route.error, -ENETUNREACH);
	assert_true(inode_of("/proc/thread-self/ns/net") == own->inode);
	source_ns_close(inside);
	source_ns_close(outside);
	free(settings);
}

static void child__by_pid_and_among_all__is_entered_and_left(void **state)
{
	char wanted[16], path[64];
	const struct netns *list;
	struct source_ns *ns;
	unsigned others = 0;
	pid_t pid = start_child();
	int count, found = 0;

	(void)state;
	if (!pid)
		skip(); /* neither root nor user namespaces */
	snprintf(wanted, sizeof(wanted), "%d", pid);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	assert_int_equal(source_namespaces(source, wanted, &list, &others, &err), 1);
	assert_true(list->inode == inode_of(path));
	assert_true(others >= 1);
	if (geteuid() == 0)
		compare_inside_and_outside(list);
	else
		assert_int_equal(source_ns_open(source, list, &ns, &err), -EPERM);
	count = source_namespaces(source, "", &list, &others, &err);
	assert_true(count >= 2);
	assert_int_equal(others, 0);
	assert_string_equal(list[0].name, "");
	for (int i = 1; i < count; i++) {
		assert_true(*list[i].name);
		for (int k = 0; k < i; k++)
			assert_true(list[i].inode != list[k].inode);
		found += list[i].inode == inode_of(path);
	}
	assert_int_equal(found, 1);
	end_child(pid);
}

#define WITH_SOURCE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SOURCE(own__asked_for_nothing__is_the_one_we_are_in),
		WITH_SOURCE(own__asked_for_by_pid_or_path__is_the_same),
		WITH_SOURCE(wanted__what_is_none__is_refused_by_name),
		WITH_SOURCE(open__namespace_of_another_kind_or_gone__is_refused),
		WITH_SOURCE(child__by_pid_and_among_all__is_entered_and_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
