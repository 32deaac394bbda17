/* SPDX-License-Identifier: MIT */
/* collect/owner_map.c: holders by inode, alone and joined from the parts of a pass; and one real pass over /proc. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <dirent.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <fcntl.h>

#include "collect/owner_map.h"

static struct process *make_process(struct owner_map *map, uint32_t pid)
{
	struct process *process = arena_alloc(&map->arena, sizeof(*process));

	process->pid = pid;
	process->comm = arena_strdup(&map->arena, "worker");
	return process;
}

static void map__no_pass_yet__finds_nobody(void **state)
{
	struct owner_map *map = owner_map_new(NULL);
	const struct holder *holders;

	(void)state;
	assert_int_equal(owner_map_find(map, 7, &holders), 0);
	assert_null(holders);
	owner_map_sort(map);
	assert_int_equal(owner_map_find(map, 7, &holders), 0);
	owner_map_free(map);
}

static void map__ten_thousand_inodes__each_has_its_own_holder(void **state)
{
	struct owner_map *map = owner_map_new(NULL);
	struct process *process = make_process(map, 1);
	const struct holder *holders;

	(void)state;
	for (uint32_t i = 10000; i > 0; i--)
		owner_map_add(map, i * 977, process, (int32_t)i);
	owner_map_sort(map);
	for (uint32_t i = 1; i <= 10000; i++) {
		assert_int_equal(owner_map_find(map, i * 977, &holders), 1);
		assert_int_equal(holders->fd, i);
		assert_int_equal(owner_map_find(map, i * 977 + 1, &holders), 0);
	}
	owner_map_free(map);
}

static void join__parts_share_an_inode__all_holders_stand_in_order(void **state)
{
	struct owner_map *map = owner_map_new(NULL), *part = owner_map_new(NULL);
	const struct holder *holders;
	struct process *early, *late = make_process(map, 20);

	(void)state;
	early = make_process(part, 10);
	owner_map_add(map, 5, late, 4);
	owner_map_add(map, 5, late, 3);
	owner_map_process(map, late, 0);
	owner_map_add(part, 5, early, 9);
	owner_map_add(part, 6, early, 8);
	owner_map_process(part, early, 0);
	part->denied = 2;
	owner_map_join(map, part);
	owner_map_sort(map);
	assert_int_equal(owner_map_find(map, 5, &holders), 3);
	assert_int_equal(holders[0].process->pid, 10);
	assert_string_equal(holders[0].process->comm, "worker");
	assert_int_equal(holders[1].fd, 3);
	assert_int_equal(holders[2].fd, 4);
	assert_int_equal(owner_map_find(map, 6, &holders), 1);
	assert_int_equal(owner_map_denied(map), 2);
	owner_map_add(map, 7, late, 5);
	owner_map_sort(map);
	assert_int_equal(owner_map_find(map, 7, &holders), 1);
	owner_map_free(map);
}

/* The children keep this process's descriptors until the pipe that they wait on is closed. */
static void start_children(pid_t *pids, unsigned count, int wait_fd, int close_fd_first)
{
	for (unsigned i = 0; i < count; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (!pids[i]) {
			close(close_fd_first);
			_exit(read(wait_fd, &(char){ 0 }, 1) != 0);
		}
	}
}

static void scan__eight_children_hold_a_socket__all_nine_are_found(void **state)
{
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC), ends[2];
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct owner_map *map = NULL;
	const struct holder *holders;
	bool self = false;
	struct stat st;
	pid_t pids[8];
	size_t count;

	(void)state;
	assert_true(proc >= 0 && fd >= 0 && !pipe(ends) && !fstat(fd, &st));
	start_children(pids, 8, ends[0], ends[1]);
	assert_int_equal(owners_scan(proc, NULL, 0, NULL, NULL, &map, NULL), 0);
	close(ends[1]);
	count = owner_map_find(map, (uint32_t)st.st_ino, &holders);
	assert_int_equal(count, 9);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(holders[i].fd, fd);
		assert_string_equal(holders[i].process->comm, "test_owner_map");
		assert_true(i == 0 || holders[i - 1].process->pid < holders[i].process->pid);
		self |= holders[i].process->pid == (uint32_t)getpid();
	}
	assert_true(self);
	owner_map_free(map);
	close(proc);
	close(fd);
	close(ends[0]);
}

static void scan__one_inode_wanted__it_is_found_and_others_are_not(void **state)
{
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = socket(AF_INET, SOCK_STREAM, 0), other = socket(AF_INET, SOCK_STREAM, 0);
	struct owner_map *map = NULL;
	const struct holder *holders;
	struct stat st, st_other;
	uint32_t inode;

	(void)state;
	assert_true(proc >= 0 && fd >= 0 && !fstat(fd, &st) && !fstat(other, &st_other));
	inode = (uint32_t)st.st_ino;
	assert_int_equal(owners_scan(proc, &inode, 1, NULL, NULL, &map, NULL), 0);
	assert_int_equal(owner_map_find(map, inode, &holders), 1);
	assert_int_equal(holders->process->pid, getpid());
	assert_int_equal(owner_map_find(map, (uint32_t)st_other.st_ino, &holders), 0);
	owner_map_free(map);
	close(proc);
	close(fd);
	close(other);
}

static unsigned count_descriptors(pid_t pid)
{
	char path[32];
	unsigned count = 0;
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	assert_non_null(dir);
	while ((entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

/* Numbers with wide gaps between them are found too, each once. */
static void scan__numbers_with_gaps__every_descriptor_is_found_once(void **state)
{
	static const int numbers[] = { 120, 121, 500, 901 };
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC), ends[2];
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct owner_map *map = NULL;
	const struct holder *holders;
	size_t count, seen = 0;
	struct stat st;
	pid_t child;

	(void)state;
	assert_true(proc >= 0 && fd >= 0 && !pipe(ends) && !fstat(fd, &st));
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		assert_int_equal(dup2(fd, numbers[i]), numbers[i]);
	start_children(&child, 1, ends[0], -1); /* it closes nothing, so what it holds stays the same */
	assert_int_equal(owners_scan(proc, NULL, 0, NULL, NULL, &map, NULL), 0);
	count = owner_map_find(map, (uint32_t)st.st_ino, &holders);
	for (size_t i = 0; i < count; i++) {
		if (holders[i].process->pid != (uint32_t)child)
			continue;
		assert_int_equal(holders[i].fd, seen ? numbers[seen - 1] : fd);
		assert_int_equal(holders[i].process->sockets, ARRAY_SIZE(numbers) + 1);
		assert_int_equal(holders[i].process->fds, count_descriptors(child));
		seen++;
	}
	assert_int_equal(seen, ARRAY_SIZE(numbers) + 1);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		close(numbers[i]);
	close(ends[0]);
	close(ends[1]);
	owner_map_free(map);
	close(proc);
	close(fd);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(map__no_pass_yet__finds_nobody),
		cmocka_unit_test(map__ten_thousand_inodes__each_has_its_own_holder),
		cmocka_unit_test(join__parts_share_an_inode__all_holders_stand_in_order),
		cmocka_unit_test(scan__eight_children_hold_a_socket__all_nine_are_found),
		cmocka_unit_test(scan__numbers_with_gaps__every_descriptor_is_found_once),
		cmocka_unit_test(scan__one_inode_wanted__it_is_found_and_others_are_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
