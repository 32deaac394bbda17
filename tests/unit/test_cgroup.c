/* SPDX-License-Identifier: MIT */
/* collect/cgroup: what paths name; collect/proc_pid and collect/mounts: the files that lead to them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "collect/mounts.h"
#include "collect/proc_pid.h"
#include "tcptriage/collect/cgroup.h"

#define HEX64 "4f0bd1a3f2c64ad0b9a8e1f0d3c2b1a04f0bd1a3f2c64ad0b9a8e1f0d3c2b1a0"
#define SHORT "4f0bd1a3f2c6"
#define UID "0a1b2c3d-1111-2222-3333-444455556666"
#define UID_ "0a1b2c3d_1111_2222_3333_444455556666"

static const struct {
	const char *path, *unit, *container;
} paths[] = {
	{ "/", "", "" },
	{ "", "", "" },
	{ "/system.slice/nginx.service", "nginx.service", "" },
	{ "/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service", "" },
	{ "/user.slice/user-1000.slice/session-3.scope", "session-3.scope", "" },
	{ "/user.slice/user-1000.slice/user@1000.service/app.slice/foo.service", "foo.service", "" },
	{ "/user.slice/user-1000.slice/user@1000.service/init.scope", "init.scope", "" },
	{ "/system.slice/docker-" HEX64 ".scope", "", SHORT },
	{ "/docker/" HEX64, "", SHORT },
	{ "/docker/" HEX64 "/system.slice/cron.service", "cron.service", SHORT },
	{ "/docker/" HEX64 "/docker/" "aaaaaaaaaaaabbbbbbbbbbbbccccccccccccddddddddddddeeeeeeeeeeeeffff", "",
	  "aaaaaaaaaaaa" },
	{ "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UID_ ".slice/cri-containerd-" HEX64
	  ".scope",
	  "", "pod " UID "/" SHORT },
	{ "/kubepods.slice/kubepods-pod" UID_ ".slice/crio-" HEX64 ".scope", "", "pod " UID "/" SHORT },
	{ "/kubepods/besteffort/pod" UID "/" HEX64, "", "pod " UID "/" SHORT },
	{ "/kubepods/besteffort/pod" UID, "", "pod " UID },
	{ "/kubepods/pod0123456789abcdef0123456789abcdef/" HEX64, "",
	  "pod 0123456789abcdef0123456789abcdef/" SHORT },
	{ "/system.slice/containerd.service/kubepods-burstable-pod" UID_ ".slice:cri-containerd:" HEX64,
	  "containerd.service", "pod " UID "/" SHORT },
	{ "/machine.slice/libpod-" HEX64 ".scope", "", SHORT },
	{ "/machine.slice/libpod-" HEX64 ".scope/container", "", SHORT },
	{ "/machine.slice/libpod-conmon-" HEX64 ".scope", "libpod-conmon-" HEX64 ".scope", "" },
	{ "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" HEX64 ".scope/container",
	  "user@1000.service", SHORT },
	{ "/lxc/web1", "", "web1" },
	{ "/lxc.payload.web1/system.slice/nginx.service", "nginx.service", "web1" },
	{ "/lxc.payload/web1", "", "web1" },
	{ "/lxc.monitor.web1", "", "" },
	{ "/machine.slice/machine-qemu\\x2d1\\x2ddb.scope", "machine-qemu\\x2d1\\x2ddb.scope", "qemu-1-db" },
	{ "/machine.slice/systemd-nspawn@deb.service/payload", "systemd-nspawn@deb.service", "deb" },
	{ "/ecs/task/" HEX64, "", SHORT },
	/* near misses */
	{ "/system.slice/docker-xyz.scope", "docker-xyz.scope", "" },
	{ "/system.slice/docker.service", "docker.service", "" },
	{ "/docker/deadbeef", "", "" },
	{ "/podman/x", "", "" },
	{ "/kubepods-pod.slice", "", "" },
	{ "/a:b:c", "", "" },
	{ "//system.slice//x.service//", "x.service", "" },
	{ "/machine.slice/machine-\\x", "", "" },
	{ "/machine.slice/machine-.scope", "machine-.scope", "" },
};

static void describe__paths_of_all_runtimes__name_unit_and_container(void **state)
{
	struct cgroup_names names;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		cgroup_describe(paths[i].path, &names);
		if (strcmp(names.unit, paths[i].unit) || strcmp(names.container, paths[i].container))
			print_message("%s\n", paths[i].path);
		assert_string_equal(names.unit, paths[i].unit);
		assert_string_equal(names.container, paths[i].container);
	}
}

static void describe__cut_and_endless_paths__stay_inside(void **state)
{
	struct cgroup_names names;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		for (size_t len = 0; len <= strlen(paths[i].path); len++) {
			char *cut = strndup(paths[i].path, len);

			cgroup_describe(cut, &names);
			assert_true(strlen(names.unit) < sizeof(names.unit));
			assert_true(strlen(names.container) < sizeof(names.container));
			free(cut);
		}
	for (unsigned kind = 0; kind < 2; kind++) {
		static const char *const head[] = { "/lxc/", "/x/" }, *const tail[] = { "", ".service" };
		char *path = malloc(5000);

		snprintf(path, 5000, "%s%04000d%s", head[kind], 0, tail[kind]);
		cgroup_describe(path, &names);
		assert_int_equal(strlen(kind ? names.unit : names.container),
				 kind ? sizeof(names.unit) - 1 : sizeof(names.container) - 1);
		free(path);
	}
}

static void parse_cgroup__hosts_of_all_kinds__give_the_telling_path(void **state)
{
	static const struct {
		const char *text, *path;
	} rows[] = {
		{ "0::/system.slice/a.service\n", "/system.slice/a.service" },
		{ "0::/\n", "/" },
		{ "5:cpu:/x\n1:name=systemd:/system.slice/a.service\n0::/\n", "/system.slice/a.service" },
		{ "5:cpu:/x\n1:name=systemd:/system.slice/a.service\n", "/system.slice/a.service" },
		{ "1:name=systemd:/\n0::/\n", "/" },
		{ "1:name=systemd:/v1\n0::/v2\n", "/v2" },
		{ "5:cpu:/x\n", NULL },
		{ "0::", NULL },
		{ "0::/cut", NULL },
		{ "0::relative\n", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t len = 0;
		const char *path = proc_pid_parse_cgroup(rows[i].text, &len);

		assert_int_equal(path != NULL, rows[i].path != NULL);
		if (path) {
			assert_int_equal(len, strlen(rows[i].path));
			assert_memory_equal(path, rows[i].path, len);
		}
	}
}

static void parse_stat__comm_with_brackets__does_not_shift_fields(void **state)
{
	static const char text[] = "42 (a) R (b) S 1 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 12345 0 0\n";
	struct process p = { 0 };

	(void)state;
	assert_true(proc_pid_parse_stat(text, 100, &p));
	assert_int_equal(p.run_state, 'S');
	assert_int_equal(p.start_us, 123450000);
	for (size_t len = 0; len < strlen(text) - strlen(" 0 0\n"); len++) {
		char *cut = strndup(text, len);

		assert_false(proc_pid_parse_stat(cut, 100, &p));
		free(cut);
	}
	assert_false(proc_pid_parse_stat("42 (x) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 x 0\n", 100, &p));
}

static void parse_status__users_and_pids__effective_and_innermost(void **state)
{
	struct process p = { 0 };

	(void)state;
	assert_true(proc_pid_parse_status("Name:\tx\nUid:\t1000\t33\t0\t0\nGid:\t1\nNSpid:\t900\t17\t1\n", &p));
	assert_int_equal(p.uid, 33);
	assert_int_equal(p.nspid, 1);
	p = (struct process){ 0 };
	assert_true(proc_pid_parse_status("Uid:\t0\t0\t0\t0\n", &p));
	assert_int_equal(p.nspid, 0);
	assert_false(proc_pid_parse_status("Name:\tUid:\n", &p));
	assert_false(proc_pid_parse_status("Uid:\t1000\n", &p));
	assert_false(proc_pid_parse_status("Uid:\tx\ty\n", &p));
}

static void parse_limits__open_files__soft_limit(void **state)
{
	struct process p = { 0 };

	(void)state;
	assert_true(proc_pid_parse_limits(
		"Limit                     Soft Limit           Hard Limit           Units     \n"
		"Max open files            1024                 524288               files     \n",
		&p));
	assert_int_equal(p.nofile, 1024);
	assert_true(proc_pid_parse_limits("Max open files            unlimited            unlimited\n", &p));
	assert_true(p.nofile == UINT64_MAX);
	assert_false(proc_pid_parse_limits("Max open files            10", &p));
	assert_int_equal(p.nofile, 0);
	assert_false(proc_pid_parse_limits("Max processes 5\n", &p));
}

static void mounts__lines__are_split_and_unescaped(void **state)
{
	char line[] = "22 43 0:4 net:[4026532177] /run/net\\040ns/a\\134b rw shared:2 master:1 - nsfs nsfs rw";
	char plain[] = "29 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw";
	static const char *const odd[] = { "", "a b c - d", "22 43 0:4 / /x rw nsfs", "22 43 0:4 / - nsfs",
					   "22 43 0:4 / /x rw - " };
	struct mount_line mount;

	(void)state;
	assert_true(mounts_parse_line(line, &mount));
	assert_string_equal(mount.root, "net:[4026532177]");
	assert_string_equal(mount.point, "/run/net ns/a\\b");
	assert_string_equal(mount.type, "nsfs");
	assert_true(mounts_parse_line(plain, &mount));
	assert_string_equal(mount.type, "cgroup2");
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		char *copy = strdup(odd[i]);

		assert_false(mounts_parse_line(copy, &mount));
		free(copy);
	}
}

/* Any directory tree will do: a number is the inode of a directory. */
static void index__walk__finds_paths_by_number(void **state)
{
	char root[] = "/tmp/tcptriage-cgroup-XXXXXX", path[128];
	struct cgroup_index *index;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(root));
	snprintf(path, sizeof(path), "%s/a", root);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/a/b.service", root);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(stat(path, &st), 0);
	index = cgroup_index_new(root);
	assert_string_equal(cgroup_path_of(index, st.st_ino), "/a/b.service");
	assert_null(cgroup_path_of(index, UINT64_MAX));
	assert_int_equal(stat(root, &st), 0);
	assert_string_equal(cgroup_path_of(index, st.st_ino), "/");
	assert_true(cgroup_index_add(index, 77, "/later"));
	assert_string_equal(cgroup_path_of(index, 77), "/later");
	cgroup_index_free(index);
	assert_int_equal(rmdir(path), 0);
	snprintf(path, sizeof(path), "%s/a", root);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(root), 0);
}

static void index__more_than_it_keeps__are_refused(void **state)
{
	struct cgroup_index *index = cgroup_index_new("");

	(void)state;
	for (uint64_t id = 1; id <= CGROUP_INDEX_MAX; id++)
		assert_true(cgroup_index_add(index, id, "/x"));
	assert_false(cgroup_index_add(index, CGROUP_INDEX_MAX + 1, "/x"));
	assert_true(cgroup_index_add(index, 5, "/renamed"));
	assert_string_equal(cgroup_path_of(index, 5), "/renamed");
	assert_string_equal(cgroup_path_of(index, CGROUP_INDEX_MAX), "/x");
	cgroup_index_free(index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(describe__paths_of_all_runtimes__name_unit_and_container),
		cmocka_unit_test(describe__cut_and_endless_paths__stay_inside),
		cmocka_unit_test(parse_cgroup__hosts_of_all_kinds__give_the_telling_path),
		cmocka_unit_test(parse_stat__comm_with_brackets__does_not_shift_fields),
		cmocka_unit_test(parse_status__users_and_pids__effective_and_innermost),
		cmocka_unit_test(parse_limits__open_files__soft_limit),
		cmocka_unit_test(mounts__lines__are_split_and_unescaped),
		cmocka_unit_test(index__walk__finds_paths_by_number),
		cmocka_unit_test(index__more_than_it_keeps__are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
