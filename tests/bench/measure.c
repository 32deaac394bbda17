/* SPDX-License-Identifier: MIT */
/* Runs one command with its output thrown away and says what it cost: "WALL_NS CPU_US MAXRSS_KIB STATUS" on stdout.
 *
 * A small process of its own, because a child's peak memory as wait4() tells it begins with what its parent had. Where it may, it runs the
 * command with real-time priority: other work of the machine would cost some subjects a processor and others none. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static int64_t micros(struct timeval t)
{
	return t.tv_sec * INT64_C(1000000) + t.tv_usec;
}

int main(int argc, char **argv)
{
	posix_spawn_file_actions_t actions;
	struct rusage usage;
	int64_t start, wall;
	int status, code;
	pid_t pid;

	if (argc < 2) {
		fputs("usage: measure COMMAND [ARGUMENT]...\n", stderr);
		return 2;
	}
	sched_setscheduler(0, SCHED_RR, &(struct sched_param){ .sched_priority = 1 });
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	start = now_ns();
	code = posix_spawnp(&pid, argv[1], &actions, NULL, argv + 1, environ);
	if (code) {
		fprintf(stderr, "measure: %s: %s\n", argv[1], strerror(code));
		return 1;
	}
	while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR)
		;
	wall = now_ns() - start;
	printf("%lld %lld %ld %d\n", (long long)wall,
	       (long long)(micros(usage.ru_utime) + micros(usage.ru_stime)), usage.ru_maxrss,
	       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	posix_spawn_file_actions_destroy(&actions);
	return 0;
}
