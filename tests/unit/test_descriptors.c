/* SPDX-License-Identifier: MIT */
/* collect/descriptors and track/descriptors: passes over a process directory made for the test and over the real one, and what is counted of
 * a namespace's sockets. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "collect/descriptors.h"
#include "collect/owner_map.h"
#include "tcptriage/collect/redact.h"
#include "tcptriage/track/descriptors.h"

static char root[64];
static int proc;
static struct arena arena;
static struct notices notices;
static struct err err;

static void write_file(unsigned pid, const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%u/%s", root, pid, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void make_dir(unsigned pid, const char *below)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%u/%s", root, pid, below);
	assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
}

static void add_fd(unsigned pid, unsigned fd, const char *target)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%u/fd/%u", root, pid, fd);
	assert_int_equal(symlink(target, path), 0);
}

/* Sockets whose inodes fall as the descriptors rise. */
static void add_sockets(unsigned pid, unsigned first, unsigned count)
{
	for (unsigned fd = first; fd < first + count; fd++) {
		char link[64];

		snprintf(link, sizeof(link), "socket:[%u]", 5000 - fd);
		add_fd(pid, fd, link);
	}
}

static void set_limit(unsigned pid, const char *limit)
{
	char text[256];

	snprintf(text, sizeof(text), "Limit\nMax open files            %s                 4096                 files\n", limit);
	write_file(pid, "limits", text);
}

/* A process that has @sockets and @files open and may have @limit. */
static void add_process(unsigned pid, const char *comm, unsigned sockets, unsigned files, const char *limit)
{
	make_dir(pid, "");
	make_dir(pid, "fd");
	make_dir(pid, "ns");
	write_file(pid, "comm", comm);
	write_file(pid, "status", "Uid:\t1\t33\t1\t1\nNSpid:\t10\t2\n");
	write_file(pid, "stat", "10 (x) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 700 0 0\n");
	write_file(pid, "cgroup", "0::/system.slice/web.service\n");
	write_file(pid, "ns/net", "");
	set_limit(pid, limit);
	add_sockets(pid, 0, sockets);
	for (unsigned fd = sockets; fd < sockets + files; fd++)
		add_fd(pid, fd, "/dev/null");
}

static int setup(void **state)
{
	(void)state;
	strcpy(root, "/tmp/tcptriage-fds-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	proc = open(root, O_RDONLY | O_DIRECTORY);
	notices = (struct notices){ .arena = &arena };
	add_process(1, "init\n", 0, 3, "1024");
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

static struct descriptor_use scan(void)
{
	struct descriptor_use use;

	assert_int_equal(descriptors_scan(proc, NULL, &notices, &arena, &use, &err), 0);
	return use;
}

static void scan__full_process__is_described_with_its_sockets(void **state)
{
	const struct descriptor_user *user;
	struct descriptor_use use;
	char path[128];
	struct stat st;

	(void)state;
	add_process(10, "ev\x1b[2Jil\n", 100, 40, "150");
	add_sockets(10, 900, 1);
	use = scan();
	assert_int_equal(use.processes, 2);
	assert_int_equal(use.count, 1);
	user = use.at;
	assert_int_equal(user->process.pid, 10);
	assert_string_equal(user->process.comm, "ev\x1b[2Jil"); /* whoever prints it escapes it */
	assert_int_equal(user->process.fds, 141);
	assert_int_equal(user->process.nofile, 150);
	assert_int_equal(user->process.sockets, 101);
	assert_string_equal(user->process.unit, "web.service");
	assert_int_equal(user->process.run_state, 'S');
	snprintf(path, sizeof(path), "%s/10/ns/net", root);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(user->process.netns, st.st_ino);
	assert_true(user->listed);
	assert_false(user->cut);
	assert_int_equal(user->inode_count, 101);
	for (size_t i = 1; i < user->inode_count; i++)
		assert_true(user->inodes[i - 1] < user->inodes[i]);
	assert_int_equal(user->inodes[0], 5000 - 900);
	assert_int_equal(notices.count, 0);
}

static void scan__edges__of_what_is_noted_and_listed(void **state)
{
	static const struct {
		unsigned files;
		const char *limit;
		bool noted, listed;
	} rows[] = {
		{ 62, "64", false, false },	   /* 63 with the socket: few */
		{ 63, "128", true, false },	   /* half */
		{ 63, "129", false, false },
		{ 73, "100", true, false },	   /* 74 % */
		{ 74, "100", true, true },
		{ 199, "100", true, true },	   /* lowered since */
		{ 199, "unlimited", false, false },
		{ 199, "none", false, false },	   /* a shape that is not known */
		{ 199, "0", false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct descriptor_use use;
		char path[128];

		add_process(10, "app\n", 1, rows[i].files, rows[i].limit);
		use = scan();
		assert_int_equal(use.count, rows[i].noted);
		if (rows[i].noted) {
			assert_int_equal(use.at->listed, rows[i].listed);
			assert_int_equal(use.at->process.sockets, 1);
		}
		snprintf(path, sizeof(path), "%s/10", root);
		assert_int_equal(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	}
	assert_int_equal(notices.count, 1);
}

static void scan__process_that_is_going__is_left_out(void **state)
{
	char path[128];

	(void)state;
	add_process(10, "gone\n", 80, 0, "100");
	snprintf(path, sizeof(path), "%s/10/fd", root);
	assert_int_equal(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	assert_int_equal(scan().processes, 1);
	add_process(11, "going\n", 80, 0, "100");
	snprintf(path, sizeof(path), "%s/11/limits", root);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(scan().count, 0);
	add_process(12, "nameless\n", 80, 0, "100");
	for (size_t i = 0; i < 4; i++) {
		static const char *const names[] = { "comm", "status", "stat", "cgroup" };

		snprintf(path, sizeof(path), "%s/12/%s", root, names[i]);
		assert_int_equal(unlink(path), 0);
	}
	assert_int_equal(scan().count, 1);
	assert_string_equal(scan().at->process.comm, "");
	assert_int_equal(notices.count, 0);
}

static void scan__odd_links__are_counted_and_left_out(void **state)
{
	struct descriptor_use use;

	(void)state;
	add_process(10, "odd\n", 5, 70, "100");
	add_fd(10, 200, "socket:[99999999999]");
	add_fd(10, 300, "socket:[12x]");
	use = scan();
	assert_int_equal(use.at->inode_count, 5);
	assert_int_equal(notices.count, 1);
	assert_non_null(strstr(notices.item[0].text, "2 entries"));
}

static void scan__more_than_are_kept__the_worst_stay(void **state)
{
	struct descriptor_use use;

	(void)state;
	for (unsigned i = 0; i < DESCRIPTORS_PROCESSES_MAX + 2; i++) {
		char limit[16];

		snprintf(limit, sizeof(limit), "%u", 128 - i % 2);
		add_process(100 + i, "one of many\n", 1, 63, limit);
	}
	add_process(99, "worst\n", 1, 79, "80");
	use = scan();
	assert_int_equal(use.count, DESCRIPTORS_PROCESSES_MAX);
	assert_int_equal(use.left_out, 3);
	assert_int_equal(use.at[0].process.pid, 99);
	assert_int_equal(use.at[1].process.pid, 101); /* of 127 before of 128, then by number */
	assert_int_equal(use.at[use.count - 1].process.nofile, 128);
}

/* Nothing is forbidden to root, so the pass is made as nobody. */
static void scan__process_that_may_not_be_read__is_counted(void **state)
{
	bool is_root = geteuid() == 0;
	struct descriptor_use use;
	char path[128];

	(void)state;
	add_process(10, "secret\n", 80, 0, "100");
	snprintf(path, sizeof(path), "%s/10/fd", root);
	assert_int_equal(chmod(root, 0755), 0);
	assert_int_equal(chmod(path, 0), 0);
	snprintf(path, sizeof(path), "%s/10", root);
	assert_int_equal(chmod(path, 0755), 0);
	if (is_root)
		assert_int_equal(seteuid(65534), 0);
	use = scan();
	if (is_root)
		assert_int_equal(seteuid(0), 0);
	snprintf(path, sizeof(path), "%s/10/fd", root);
	assert_int_equal(chmod(path, 0700), 0);
	assert_int_equal(use.count, 0);
	assert_true(use.unread >= 1);
}

static void scan__with_stand_ins__names_are_replaced(void **state)
{
	struct redactor *redactor = redactor_new(1);
	struct descriptor_use use;

	(void)state;
	add_process(10, "secret\n", 80, 0, "100");
	assert_int_equal(descriptors_scan(proc, redactor, &notices, &arena, &use, &err), 0);
	assert_string_equal(use.at->process.comm, "proc-1");
	assert_string_equal(use.at->process.unit, "unit-1");
	redactor_free(redactor);
}

static void scan__no_directory__is_an_error(void **state)
{
	struct descriptor_use use;

	(void)state;
	assert_int_equal(descriptors_scan(-1, NULL, &notices, &arena, &use, &err), -EBADF);
	assert_non_null(strstr(err.text, "/proc"));
	assert_int_equal(use.count, 0);
}

/* A child that may have 128 descriptors and has a hundred sockets, until it is killed. @shut: nobody but root may look into it. */
static pid_t hoarder(bool shut)
{
	int ready[2];
	char word = 0;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct rlimit limit = { 128, 128 };

		setrlimit(RLIMIT_NOFILE, &limit);
		if (shut)
			prctl(PR_SET_DUMPABLE, 0);
		for (unsigned i = 0; i < 100; i++)
			word |= socket(AF_INET, SOCK_STREAM, 0) < 0;
		if (write(ready[1], &word, 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(ready[0], &word, 1), 1);
	assert_int_equal(word, 0);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void reap(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static const struct descriptor_user *find(const struct descriptor_use *use, pid_t pid)
{
	for (size_t i = 0; i < use->count; i++)
		if (use->at[i].process.pid == (uint32_t)pid)
			return &use->at[i];
	return NULL;
}

static int open_proc(void **state)
{
	(void)state;
	proc = open("/proc", O_RDONLY | O_DIRECTORY);
	notices = (struct notices){ .arena = &arena };
	return proc < 0;
}

static int close_proc(void **state)
{
	(void)state;
	arena_free(&arena);
	return close(proc);
}

static void live__child_of_our_own__is_found_with_its_numbers(void **state)
{
	pid_t pid = hoarder(false);
	struct descriptor_use use = scan();
	const struct descriptor_user *user = find(&use, pid);
	struct stat st;

	(void)state;
	assert_non_null(user);
	assert_int_equal(user->process.nofile, 128);
	assert_true(user->process.fds >= 100 && user->process.fds <= 128);
	assert_int_equal(user->process.sockets, 100);
	assert_int_equal(user->inode_count, 100);
	assert_int_equal(stat("/proc/self/ns/net", &st), 0);
	assert_int_equal(user->process.netns, st.st_ino);
	assert_null(find(&use, getpid()));
	reap(pid);
}

static void live__child_that_is_shut__is_counted_and_not_looked_into(void **state)
{
	bool is_root = geteuid() == 0;
	pid_t pid = hoarder(true);
	struct descriptor_use use;

	(void)state;
	if (is_root)
		assert_int_equal(seteuid(65534), 0);
	use = scan();
	if (is_root)
		assert_int_equal(seteuid(0), 0);
	reap(pid);
	assert_null(find(&use, pid));
	assert_true(use.closed + use.unread >= 1);
}

static void map__of_a_recording__is_read_likewise(void **state)
{
	struct owner_map *map = owner_map_new(NULL);
	struct process *process = arena_alloc(&map->arena, sizeof(*process));
	struct descriptor_use use;

	(void)state;
	*process = (struct process){ .pid = 7, .fds = 90, .nofile = 100, .sockets = 3, .comm = arena_strdup(&map->arena, "app") };
	owner_map_add(map, 600, process, 3);
	owner_map_add(map, 500, process, 4);
	owner_map_add(map, 600, process, 5);
	owner_map_process(map, process, 0);
	owner_map_sort(map);
	descriptors_of_map(map, &arena, &use);
	owner_map_free(map);
	assert_int_equal(use.count, 1);
	assert_string_equal(use.at->process.comm, "app"); /* its strings have moved */
	assert_int_equal(use.at->inode_count, 2);
	assert_int_equal(use.at->inodes[0], 500);
	assert_int_equal(use.at->inodes[1], 600);
	arena_free(&arena);
}

static struct sock make(enum sock_state state, uint32_t inode, uint16_t local_port, const char *peer, uint16_t peer_port)
{
	struct sock sock = { .state = (uint8_t)state, .inode = inode, .local = { addr_v4(0x0a000001), local_port } };

	assert_true(addr_parse(peer, &sock.peer.addr));
	sock.peer.port = peer_port;
	return sock;
}

static void tally__counts_by_state_and_end(void **state)
{
	static const uint32_t inodes[] = { 10, 11, 12, 13, 20 }, others[] = { 11 };
	struct descriptor_user users[] = { { .inodes = inodes, .inode_count = 5 }, { .inodes = others, .inode_count = 1 } };
	struct descriptor_use use = { .at = users, .count = 2 };
	struct sock socks[] = { make(SOCK_STATE_LISTEN, 10, 80, "0.0.0.0", 0), make(SOCK_STATE_ESTAB, 11, 80, "10.0.0.9", 5000),
				make(SOCK_STATE_ESTAB, 12, 80, "10.0.0.9", 5001), make(SOCK_STATE_CLOSE_WAIT, 13, 4000, "10.0.0.5", 5432),
				make(SOCK_STATE_ESTAB, 14, 4001, "10.0.0.5", 5432), make(SOCK_STATE_ESTAB, 0, 80, "10.0.0.9", 5002) };
	struct sock udp = make(SOCK_STATE_UNCONN, 20, 53, "0.0.0.0", 0);
	struct snapshot snap;

	(void)state;
	snapshot_init(&snap, NULL, NULL);
	snapshot_begin(&snap, 0);
	for (size_t i = 0; i < ARRAY_SIZE(socks); i++)
		snapshot_add(&snap, &socks[i]);
	snapshot_end(&snap);
	udp.netid = NETID_UDP;
	for (size_t i = 0; i < ARRAY_SIZE(socks); i++)
		descriptors_count(&use, &snap, &socks[i]);
	descriptors_count(&use, &snap, &udp);
	assert_int_equal(users[0].tcp[SOCK_STATE_LISTEN], 1);
	assert_int_equal(users[0].tcp[SOCK_STATE_ESTAB], 2);
	assert_int_equal(users[0].tcp[SOCK_STATE_CLOSE_WAIT], 1);
	assert_int_equal(users[0].udp, 1);
	assert_int_equal(descriptors_inet(&users[0]), 5);
	assert_int_equal(descriptors_inet(&users[1]), 1); /* a socket that two share counts for both */
	assert_int_equal(descriptors_end(&users[0])->sockets, 2);
	assert_true(descriptors_end(&users[0])->accepted);
	assert_int_equal(descriptors_end(&users[0])->at.port, 80);
	snapshot_free(&snap);
}

/* A fifth of all and one more, among a crowd of ends that come once each: it is there in the end. */
static void tally__heavy_end__survives_the_crowd(void **state)
{
	enum { ALL = 1000, HEAVY = ALL / 2 };
	uint32_t *inodes = calloc(ALL, sizeof(*inodes));
	struct descriptor_user user = { .inodes = inodes, .inode_count = ALL };
	struct descriptor_use use = { .at = &user, .count = 1 };
	struct snapshot snap;

	(void)state;
	snapshot_init(&snap, NULL, NULL);
	for (uint32_t i = 0; i < ALL; i++)
		inodes[i] = 1 + i;
	for (uint32_t i = 0; i < ALL; i++) {
		bool heavy = i % 2;
		struct sock sock = make(SOCK_STATE_ESTAB, 1 + i, 4000, "10.0.0.5", heavy ? 5432 : (uint16_t)(6000 + i));

		descriptors_count(&use, &snap, &sock);
	}
	assert_int_equal(descriptors_end(&user)->at.port, 5432);
	assert_true(descriptors_end(&user)->sockets <= HEAVY);
	assert_true(descriptors_end(&user)->sockets >= HEAVY - ALL / (DESCRIPTOR_ENDS_MAX + 1));
	assert_int_equal(user.tcp[SOCK_STATE_ESTAB], ALL);
	snapshot_free(&snap);
	free(inodes);
}

static void percent__of_no_limit__is_none(void **state)
{
	struct process process = { .fds = 10 };

	(void)state;
	assert_true(descriptors_percent(&process) == 0);
	process.nofile = 40;
	assert_true(descriptors_percent(&process) == 25);
}

#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
#define IN_PROC(test) cmocka_unit_test_setup_teardown(test, open_proc, close_proc)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIRECTORY(scan__full_process__is_described_with_its_sockets),
		IN_DIRECTORY(scan__edges__of_what_is_noted_and_listed),
		IN_DIRECTORY(scan__process_that_is_going__is_left_out),
		IN_DIRECTORY(scan__odd_links__are_counted_and_left_out),
		IN_DIRECTORY(scan__more_than_are_kept__the_worst_stay),
		IN_DIRECTORY(scan__process_that_may_not_be_read__is_counted),
		IN_DIRECTORY(scan__with_stand_ins__names_are_replaced),
		IN_DIRECTORY(scan__no_directory__is_an_error),
		IN_PROC(live__child_of_our_own__is_found_with_its_numbers),
		IN_PROC(live__child_that_is_shut__is_counted_and_not_looked_into),
		cmocka_unit_test(map__of_a_recording__is_read_likewise),
		cmocka_unit_test(tally__counts_by_state_and_end),
		cmocka_unit_test(tally__heavy_end__survives_the_crowd),
		cmocka_unit_test(percent__of_no_limit__is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
