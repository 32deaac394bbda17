/* SPDX-License-Identifier: MIT */
/* collect/owners: passes over a process directory made for the test, and over the real one for a socket of our own. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "collect/owner_map.h"
#include "tcptriage/collect/redact.h"

static char root[64];
static int proc;
static struct arena arena;
static struct notices notices;
static struct err err;

static void write_file(const char *path, const char *text)
{
	char full[256];
	FILE *file;

	snprintf(full, sizeof(full), "%s/%s", root, path);
	file = fopen(full, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void make_dir(const char *path)
{
	char full[256];

	snprintf(full, sizeof(full), "%s/%s", root, path);
	assert_true(mkdir(full, 0700) == 0 || errno == EEXIST);
}

static void make_link(const char *target, const char *path)
{
	char full[256];

	snprintf(full, sizeof(full), "%s/%s", root, path);
	assert_int_equal(symlink(target, full), 0);
}

static void add_fd(unsigned pid, const char *fd, const char *target)
{
	char path[128];

	snprintf(path, sizeof(path), "%u/fd/%s", pid, fd);
	make_link(target, path);
}

static void add_process(unsigned pid, const char *comm)
{
	char path[128], text[256];

	snprintf(path, sizeof(path), "%u", pid);
	make_dir(path);
	snprintf(path, sizeof(path), "%u/fd", pid);
	make_dir(path);
	snprintf(path, sizeof(path), "%u/comm", pid);
	snprintf(text, sizeof(text), "%s\n", comm);
	write_file(path, text);
	snprintf(path, sizeof(path), "%u/status", pid);
	write_file(path, "Uid:\t1\t33\t1\t1\nNSpid:\t10\t2\n");
	snprintf(path, sizeof(path), "%u/stat", pid);
	snprintf(text, sizeof(text), "%u (%s) D 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 %u 0 0\n", pid, comm, pid);
	write_file(path, text);
	snprintf(path, sizeof(path), "%u/limits", pid);
	write_file(path, "Limit\nMax open files            1024                 4096                 files\n");
	snprintf(path, sizeof(path), "%u/cgroup", pid);
	write_file(path, "0::/system.slice/web.service\n");
}

static int setup(void **state)
{
	(void)state;
	strcpy(root, "/tmp/tcptriage-proc-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	proc = open(root, O_RDONLY | O_DIRECTORY);
	notices = (struct notices){ .arena = &arena };
	make_dir("self");
	make_dir("self/ns");
	make_link("pid:[4026531836]", "self/ns/pid");
	add_process(1, "init");
	add_fd(1, "0", "/dev/null");
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	(void)state;
	close(proc);
	arena_free(&arena);
	return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct owner_map *scan(const uint32_t *wanted, size_t count)
{
	struct owner_map *map;

	assert_int_equal(owners_scan(proc, wanted, count, NULL, &notices, &map, &err), 0);
	return map;
}

static enum owner_unknown reason(const struct owner_map *map, uint32_t inode)
{
	struct sock sock = { .state = SOCK_STATE_ESTAB, .inode = inode };

	return owner_map_reason(map, &sock);
}

static void comm__newline_inside__is_part_of_the_name(void **state)
{
	const struct holder *holders;
	struct owner_map *map;

	(void)state;
	add_process(10, "two\nlines\n");
	add_fd(10, "3", "socket:[500]");
	map = scan(NULL, 0);
	assert_int_equal(owner_map_find(map, 500, &holders), 1);
	assert_string_equal(holders->process->comm, "two\nlines\n");
	owner_map_free(map);
}

static void scan__one_holder__is_described_whole(void **state)
{
	const struct holder *holders;
	const struct process *p;
	struct owner_map *map;

	(void)state;
	add_process(10, "web server");
	add_fd(10, "0", "/dev/null");
	add_fd(10, "3", "socket:[500]");
	add_fd(10, "4", "socket:[501]");
	add_fd(10, "5", "anon_inode:[eventpoll]");
	map = scan(NULL, 0);
	assert_int_equal(owner_map_find(map, 500, &holders), 1);
	assert_int_equal(holders->fd, 3);
	assert_int_equal(holders->inode, 500);
	p = holders->process;
	assert_int_equal(p->pid, 10);
	assert_string_equal(p->comm, "web server");
	assert_int_equal(p->uid, 33);
	assert_int_equal(p->nspid, 2);
	assert_int_equal(p->nofile, 1024);
	assert_int_equal(p->fds, 4);
	assert_int_equal(p->sockets, 2);
	assert_int_equal(p->run_state, 'D');
	assert_int_equal(p->start_us, 10 * 1000000 / sysconf(_SC_CLK_TCK));
	assert_string_equal(p->cgroup, "/system.slice/web.service");
	assert_string_equal(p->unit, "web.service");
	assert_string_equal(p->container, "");
	assert_int_equal(owner_map_find(map, 501, &holders), 1);
	assert_ptr_equal(holders->process, p);
	assert_int_equal(owner_map_find(map, 502, &holders), 0);
	assert_null(holders);
	assert_int_equal(notices.count, 0);
	owner_map_free(map);
}

static void scan__shared_socket__all_holders_in_order(void **state)
{
	const struct holder *holders;
	struct owner_map *map;

	(void)state;
	add_process(30, "worker");
	add_process(20, "master");
	add_fd(30, "7", "socket:[500]");
	add_fd(20, "9", "socket:[500]");
	add_fd(20, "8", "socket:[500]");
	map = scan(NULL, 0);
	assert_int_equal(owner_map_find(map, 500, &holders), 3);
	assert_int_equal(holders[0].process->pid, 20);
	assert_int_equal(holders[0].fd, 8);
	assert_int_equal(holders[1].fd, 9);
	assert_int_equal(holders[2].process->pid, 30);
	owner_map_free(map);
}

static void scan__wanted_inodes__stops_but_counts_the_process(void **state)
{
	const uint32_t wanted[] = { 500 };
	const struct holder *holders;
	struct owner_map *map;

	(void)state;
	add_process(10, "first");
	add_fd(10, "3", "socket:[500]");
	for (unsigned fd = 4; fd < 40; fd++) {
		char name[8], link[32];

		snprintf(name, sizeof(name), "%u", fd);
		snprintf(link, sizeof(link), "socket:[%u]", 600 + fd);
		add_fd(10, name, link);
	}
	map = scan(wanted, 1);
	assert_int_equal(owner_map_find(map, 500, &holders), 1);
	assert_int_equal(holders->process->fds, 37);
	assert_int_equal(holders->process->sockets, 1);
	assert_int_equal(map->count, 1);
	owner_map_free(map);
}

static void scan__odd_links__are_counted_and_left_out(void **state)
{
	static const char *const odd[] = { "socket:[]", "socket:[12", "socket:[12x]", "socket:[-1]", "socket:[",
					   "socket:[99999999999]", "socket:[ 5]" };
	struct owner_map *map;

	(void)state;
	add_process(10, "odd");
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		char name[8];

		snprintf(name, sizeof(name), "%zu", i);
		add_fd(10, name, odd[i]);
	}
	add_fd(10, "50", "socket:(7)");
	add_fd(10, "51", "sock");
	map = scan(NULL, 0);
	assert_int_equal(map->count, 0);
	assert_int_equal(map->malformed, ARRAY_SIZE(odd));
	assert_int_equal(notices.count, 1);
	owner_map_free(map);
}

static void scan__process_files_of_another_shape__are_counted_and_absent(void **state)
{
	const struct holder *holders;
	struct owner_map *map;

	(void)state;
	add_process(10, "odd");
	add_fd(10, "3", "socket:[500]");
	write_file("10/stat", "10 odd D");
	write_file("10/limits", "none\n");
	write_file("10/status", "");
	write_file("10/cgroup", "junk");
	map = scan(NULL, 0);
	assert_int_equal(owner_map_find(map, 500, &holders), 1);
	assert_int_equal(holders->process->run_state, 0);
	assert_int_equal(holders->process->nofile, 0);
	assert_string_equal(holders->process->cgroup, "");
	assert_string_equal(holders->process->unit, "");
	assert_int_equal(map->malformed, 2);
	owner_map_free(map);
}

static void reason__whole_pass__raced_until_looked_for_by_number(void **state)
{
	const uint32_t missing[] = { 500, 700, 701 };
	const struct holder *holders;
	struct owner_map *map;

	(void)state;
	add_process(10, "a");
	add_fd(10, "3", "socket:[500]");
	map = scan(NULL, 0);
	assert_int_equal(reason(map, 500), OWNER_KNOWN);
	assert_int_equal(reason(map, 700), OWNER_RACED);
	add_fd(10, "4", "socket:[700]");
	add_process(11, "b");
	add_fd(11, "4", "socket:[702]");
	owner_map_second_look(map, missing, 3);
	assert_int_equal(reason(map, 500), OWNER_KNOWN);
	assert_int_equal(reason(map, 700), OWNER_KNOWN);
	assert_int_equal(reason(map, 701), OWNER_KERNEL);
	assert_int_equal(reason(map, 702), OWNER_RACED);
	/* the process that had been seen is the same one, and was joined */
	assert_int_equal(owner_map_find(map, 500, &holders), 1);
	assert_int_equal(holders->process->sockets, 2);
	assert_int_equal(holders->process->fds, 2);
	assert_int_equal(map->process_count, 1);
	owner_map_free(map);
}

static void reason__wanted_pass__kernel_when_nobody_holds_it(void **state)
{
	const uint32_t wanted[] = { 500, 501 };
	struct owner_map *map;

	(void)state;
	add_process(10, "a");
	add_fd(10, "3", "socket:[500]");
	map = scan(wanted, 2);
	assert_int_equal(reason(map, 500), OWNER_KNOWN);
	assert_int_equal(reason(map, 501), OWNER_KERNEL);
	assert_int_equal(reason(map, 502), OWNER_RACED);
	owner_map_free(map);
}

static void reason__state_without_inode__needs_no_look(void **state)
{
	struct owner_map *map = scan(NULL, 0);
	struct sock sock = { .state = SOCK_STATE_TIME_WAIT };

	(void)state;
	assert_int_equal(owner_map_reason(map, &sock), OWNER_TIME_WAIT);
	assert_int_equal(reason(map, 0), OWNER_NOT_ACCEPTED);
	owner_map_free(map);
}

static void reason__other_pid_namespace_or_hidden__is_said(void **state)
{
	char path[128];
	struct owner_map *map;

	(void)state;
	snprintf(path, sizeof(path), "%s/self/ns/pid", root);
	assert_int_equal(unlink(path), 0);
	make_link("pid:[4026532999]", "self/ns/pid");
	map = scan(NULL, 0);
	assert_int_equal(reason(map, 700), OWNER_OTHER_PID_NAMESPACE);
	owner_map_free(map);
	assert_int_equal(unlink(path), 0);
	make_link("pid:[4026531836]", "self/ns/pid");
	map = scan(NULL, 0);
	assert_int_equal(reason(map, 700), OWNER_RACED);
	owner_map_free(map);
	snprintf(path, sizeof(path), "%s/1", root); /* what hidepid leaves of pid 1 */
	assert_int_equal(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	map = scan(NULL, 0);
	assert_int_equal(reason(map, 700), OWNER_OTHER_PID_NAMESPACE);
	owner_map_free(map);
}

static void set_mode(const char *path, unsigned mode)
{
	char full[128];

	snprintf(full, sizeof(full), "%s/%s", root, path);
	assert_int_equal(chmod(full, mode), 0);
}

/* Nothing is forbidden to root, so the pass is made as nobody. */
static void reason__process_that_may_not_be_read__no_permission(void **state)
{
	static const char *const open_dirs[] = { "", "1", "1/fd", "10" };
	bool is_root = geteuid() == 0;
	struct owner_map *map;

	(void)state;
	add_process(10, "secret");
	for (size_t i = 0; i < ARRAY_SIZE(open_dirs); i++)
		set_mode(open_dirs[i], 0755);
	set_mode("10/fd", 0);
	if (is_root)
		assert_int_equal(seteuid(65534), 0);
	map = scan(NULL, 0);
	if (is_root)
		assert_int_equal(seteuid(0), 0);
	set_mode("10/fd", 0700);
	assert_int_equal(owner_map_denied(map), 1);
	assert_int_equal(reason(map, 700), OWNER_NO_PERMISSION);
	owner_map_free(map);
}

static void scan__with_stand_ins__names_are_replaced(void **state)
{
	struct redactor *redactor = redactor_new(1);
	const struct holder *holders;
	struct owner_map *map;

	(void)state;
	add_process(10, "secret");
	add_fd(10, "3", "socket:[500]");
	assert_int_equal(owners_scan(proc, NULL, 0, redactor, &notices, &map, &err), 0);
	assert_int_equal(owner_map_find(map, 500, &holders), 1);
	assert_string_equal(holders->process->comm, "proc-1");
	assert_string_equal(holders->process->unit, "unit-1");
	assert_string_equal(holders->process->cgroup, "/cgroup-1");
	owner_map_free(map);
	redactor_free(redactor);
}

static void scan__no_directory__is_an_error(void **state)
{
	struct owner_map *map;

	(void)state;
	assert_int_equal(owners_scan(-1, NULL, 0, NULL, &notices, &map, &err), -EBADF);
	assert_non_null(strstr(err.text, "/proc"));
}

static void scan__many_descriptors__are_kept_in_order(void **state)
{
	struct owner_map *map;

	(void)state;
	add_process(10, "a");
	for (unsigned fd = 0; fd < 300; fd++) {
		char name[8], link[32];

		snprintf(name, sizeof(name), "%u", fd);
		snprintf(link, sizeof(link), "socket:[%u]", 1000 - fd);
		add_fd(10, name, link);
	}
	map = scan(NULL, 0);
	assert_int_equal(map->count, 300);
	for (size_t i = 1; i < map->count; i++)
		assert_true(map->holders[i - 1].inode < map->holders[i].inode);
	owner_map_free(map);
}

static void wanted__in_any_order_and_repeated__are_found(void **state)
{
	static const uint32_t wanted[] = { 900, 0, 702, 900, 701, 0, 702 };
	const struct holder *holders;
	struct owner_map *map;

	(void)state;
	add_process(10, "a");
	add_fd(10, "3", "socket:[701]");
	add_fd(10, "4", "socket:[702]");
	add_fd(10, "5", "socket:[800]");
	add_fd(10, "6", "socket:[900]");
	map = scan(wanted, ARRAY_SIZE(wanted));
	assert_int_equal(map->count, 3);
	assert_int_equal(owner_map_find(map, 701, &holders), 1);
	assert_int_equal(owner_map_find(map, 702, &holders), 1);
	assert_int_equal(owner_map_find(map, 900, &holders), 1);
	assert_int_equal(owner_map_find(map, 800, &holders), 0);
	owner_map_free(map);
}

static void live__socket_of_our_own__is_found_here(void **state)
{
	struct source *source;
	struct owner_map *map;
	const struct holder *holders;
	struct stat st;
	uint32_t inode;
	int fd = socket(AF_INET, SOCK_STREAM, 0), twin = dup(fd);

	(void)state;
	assert_int_equal(fstat(fd, &st), 0);
	inode = (uint32_t)st.st_ino;
	assert_int_equal(source_open_live(&source, &arena, &notices, &err), 0);
	assert_int_equal(source_owners(source, &inode, 1, &map, &err), 0);
	assert_true(owner_map_find(map, inode, &holders) >= 1);
	assert_int_equal(holders->process->pid, getpid());
	assert_int_equal(holders->process->uid, geteuid());
	assert_true(holders->process->fds >= 5);
	assert_true(holders->fd == fd || holders->fd == twin);
	owner_map_free(map);
	assert_int_equal(source_owners(source, NULL, 0, &map, &err), 0);
	assert_int_equal(owner_map_find(map, inode, &holders), 2);
	assert_string_equal(holders->process->comm, "test_owners");
	assert_true(owner_map_cost_us(map) > 0);
	owner_map_free(map);
	source_close(source);
	close(fd);
	close(twin);
}

#define WITH_TREE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TREE(comm__newline_inside__is_part_of_the_name),
		WITH_TREE(scan__one_holder__is_described_whole),
		WITH_TREE(scan__shared_socket__all_holders_in_order),
		WITH_TREE(scan__wanted_inodes__stops_but_counts_the_process),
		WITH_TREE(scan__odd_links__are_counted_and_left_out),
		WITH_TREE(scan__process_files_of_another_shape__are_counted_and_absent),
		WITH_TREE(reason__whole_pass__raced_until_looked_for_by_number),
		WITH_TREE(reason__wanted_pass__kernel_when_nobody_holds_it),
		WITH_TREE(reason__state_without_inode__needs_no_look),
		WITH_TREE(reason__other_pid_namespace_or_hidden__is_said),
		WITH_TREE(reason__process_that_may_not_be_read__no_permission),
		WITH_TREE(scan__with_stand_ins__names_are_replaced),
		WITH_TREE(scan__no_directory__is_an_error),
		WITH_TREE(scan__many_descriptors__are_kept_in_order),
		WITH_TREE(wanted__in_any_order_and_repeated__are_found),
		WITH_TREE(live__socket_of_our_own__is_found_here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
