/* SPDX-License-Identifier: MIT */
/* collect/record and collect/recorded: what goes in comes out again, and whatever is cut or overwritten is missed, never invented. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "../support/diag_message.h"
#include "collect/recording.h"
#include "collect/table.h"
#include "tcptriage/base/file.h"
#include "tcptriage/collect/record.h"
#include "tcptriage/decode/inet_diag.h"

static int record(struct source *live, const struct netns *list, const char *dir, unsigned samples,
		  int64_t interval_us, bool redact, struct err *err)
{
	struct record_plan plan = { .list = list,
				    .count = 1,
				    .dir = dir,
				    .samples = samples,
				    .interval_us = interval_us,
				    .redact = redact };
	int code = record_run(live, &plan, err);

	return code < 0 ? code : 0;
}

static char dir[64];
static struct arena arena;
static struct notices notices;
static struct err err;

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/tcptriage-record-XXXXXX");
	notices = (struct notices){ .arena = &arena };
	err.text[0] = '\0';
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	DIR *handle = opendir(dir);
	struct dirent *entry;

	(void)state;
	while ((entry = readdir(handle)))
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(handle), entry->d_name, 0);
	closedir(handle);
	arena_free(&arena);
	return rmdir(dir);
}

static const char *in_dir(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void write_bytes(const char *name, const void *bytes, size_t len)
{
	FILE *file;

	unlink(in_dir(name)); /* cutting a file to write it anew makes some file systems wait for the disk */
	file = fopen(in_dir(name), "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	fclose(file);
}

static size_t read_bytes(const char *name, void *bytes, size_t size)
{
	FILE *file = fopen(in_dir(name), "r");
	size_t len;

	assert_non_null(file);
	len = fread(bytes, 1, size, file);
	fclose(file);
	assert_true(len < size);
	return len;
}

/* --- a recording made by hand: two sockets of IPv4, one of IPv6, one of them listening --- */

static void put_frame(struct diag_stream *file, uint8_t kind, uint8_t family, const void *bytes, size_t len)
{
	struct frame frame = { .magic = FRAME_MAGIC, .len = (uint32_t)len, .sum = frame_sum(bytes, len),
			       .kind = kind, .family = family };

	memcpy(file->bytes + file->len, &frame, sizeof(frame));
	memcpy(file->bytes + file->len + sizeof(frame), bytes, len);
	file->len += sizeof(frame) + len;
}

static void put_family(struct diag_stream *file, int family, unsigned sockets, struct frame_end end)
{
	struct diag_stream datagram = { .len = 0 };
	uint8_t which = family == AF_INET6 ? ADDR_V6 : ADDR_V4;
	uint8_t info[232] = { 0 };
	struct diag_message m;

	for (unsigned i = 0; i < sockets; i++) {
		struct inet_diag_msg *fixed = diag_begin(&m, family);

		fixed->idiag_state = i ? SOCK_STATE_LISTEN : SOCK_STATE_ESTAB;
		fixed->id.idiag_cookie[0] = 10u * which + i;
		info[0] = (uint8_t)(10u * which + i);
		diag_attr(&m, INET_DIAG_INFO, info, sizeof(info));
		stream_put(&datagram, SOCK_DIAG_BY_FAMILY, NLM_F_MULTI, m.bytes, m.len);
	}
	put_frame(file, FRAME_DATA, which, datagram.bytes, datagram.len);
	datagram.len = 0;
	stream_put(&datagram, NLMSG_DONE, NLM_F_MULTI, "\0\0\0\0", 4);
	put_frame(file, FRAME_DATA, which, datagram.bytes, datagram.len);
	put_frame(file, FRAME_END, which, &end, sizeof(end));
}

static void write_text(const char *name, const char *text)
{
	write_bytes(name, text, strlen(text));
}

static void make_recording(void)
{
	static const struct frame_end whole = { .complete = 1 };
	struct diag_stream tcp = { .len = 0 }, udp = { .len = 0 };
	char manifest[512];

	put_family(&tcp, AF_INET, 2, whole);
	put_family(&tcp, AF_INET6, 1, whole);
	put_family(&udp, AF_INET, 0, whole);
	put_family(&udp, AF_INET6, 0, whole);
	write_bytes("ns0-0.tcp", tcp.bytes, tcp.len);
	write_bytes("ns0-0.udp", udp.bytes, udp.len);
	snprintf(manifest, sizeof(manifest),
		 "tcptriage-recording\t1\nbyte_order\t%s\nhost\tbox\nkernel\t6.1\nplatform\tAmazon\\x20EC2\tm7g.large\ti-0123\nredacted\tno\n"
		 "netns\t4026531833\t5\t-\t-\t-\nsample\t1000\t2000\t3000\nend\n",
		 recording_byte_order());
	write_text("manifest", manifest);
	write_text("ns0-0.snmp", "Tcp: InSegs OutSegs\nTcp: 5 6\n");
	write_text("ns0-0.sockstat", "TCP: inuse 4 orphan 0 tw 1 alloc 5 mem 0\n");
	write_text("ns0.sysctl", "ipv4/ip_local_port_range = 32768\t60999\nipv4/tcp_fin_timeout = 60\n"
				 "ipv4/ip_local_reserved_ports = 80,90\n");
	write_text("ns0.route", "route\t10.0.0.2\t101\t0\t0\t0\t0\t0\t0\t0\t0.0.0.0\t0.0.0.0\t-\n"
				"route\t2001:db8::2\t0\t33\t4\t0\t0\t1400\t2\t6\t::\t::\teth0\nend\n");
	write_text("owners", "pass\t0\t0\nunowned\t4712\nprocess\t10\t33\t10\t900\t1024\t7000\t83\tweb\\x20server\t"
			     "/system.slice/web.service\tweb.service\t-\nnetns\t4026531833\nfd\t4711\t3\nfd\t4711\t4\n"
			     "process\t11\t33\t10\t5\t1024\t7000\t83\tfew\t/\t-\t-\nfd\t4720\t3\nend\n");
	write_text("cgroups", "cgroup\t77\t/system.slice/web.service\nend\n");
}

/* struct replayed - what a replay gave. @damaged: it says itself that something is missing. */
struct replayed {
	unsigned sockets, foreign;
	bool complete, damaged;
	struct counters counters;
	struct sysctls sysctls;
	struct route route;
	size_t holders;
	struct descriptor_use use;
	char cgroup[64];
	int opened;
};

/* A socket that was not put into the recording must never come out of it. */
static int check_socket(const struct sock *sock, void *context)
{
	struct replayed *out = context;
	static const struct {
		uint64_t cookie;
		uint8_t family, state;
	} known[] = { { 0x500000000, ADDR_V4, SOCK_STATE_ESTAB },
		      { 0x500000001, ADDR_V4, SOCK_STATE_LISTEN },
		      { 0x50000000a, ADDR_V6, SOCK_STATE_ESTAB } };
	bool is_known = false;

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		is_known |= sock->cookie == known[i].cookie && sock->family == known[i].family &&
			    sock->state == known[i].state && sock->local.port == 1000 &&
			    sock->inode == 4711 && sock->info.len == 232 &&
			    sock_tcpi(sock, TCPI_STATE) == (uint8_t)sock->cookie;
	out->sockets++;
	out->foreign += !is_known;
	return 0;
}

static void ask_everything(struct source *source, struct source_ns *ns, struct replayed *out)
{
	struct diag_request request = { .netid = NETID_TCP, .families = 3, .states = STATES_ALL };
	struct diag_result result;
	struct addr peer;
	struct owner_map *map;
	const struct holder *holders;
	const char *path;

	out->complete = source_sockets(ns, &request, check_socket, out, &result, &err) == 0 && result.complete;
	request.netid = NETID_UDP;
	out->complete &= source_sockets(ns, &request, check_socket, out, &result, &err) == 0 && result.complete;
	source_counters(ns, &out->counters, &err);
	source_sysctls(ns, &out->sysctls, &err);
	addr_parse("2001:db8::2", &peer);
	source_route(ns, &peer, &out->route, &err);
	if (!source_owners(source, NULL, 0, &map, &err)) {
		out->holders = owner_map_find(map, 4711, &holders);
		owner_map_free(map);
	}
	source_descriptors(source, &out->use, &err);
	path = source_cgroup_path(source, 77);
	snprintf(out->cgroup, sizeof(out->cgroup), "%s", path ? path : "");
}

static void replay(struct replayed *out)
{
	const struct netns *list;
	struct source *source;
	struct source_ns *ns;

	memset(out, 0, sizeof(*out));
	notices.count = 0;
	out->opened = source_open_recorded(&source, dir, &arena, &notices, &err);
	if (out->opened)
		return;
	assert_int_equal(source_namespaces(source, NULL, &list, NULL, &err), 1);
	assert_int_equal(source_ns_open(source, list, &ns, &err), 0);
	ask_everything(source, ns, out);
	out->damaged = notices.count > 0;
	source_ns_close(ns);
	source_close(source);
}

static void replay__whole_recording__gives_everything(void **state)
{
	struct replayed *out = malloc(sizeof(*out));

	(void)state;
	make_recording();
	replay(out);
	assert_int_equal(out->opened, 0);
	assert_int_equal(out->sockets, 3);
	assert_int_equal(out->foreign, 0);
	assert_true(out->complete);
	assert_false(out->damaged);
	assert_int_equal(out->counters.value[COUNTER_TCP_OUT_SEGS], 6);
	assert_int_equal(out->counters.value[COUNTER_SOCKSTAT_TCP_TW], 1);
	assert_int_equal(out->sysctls.value[SYSCTL_PORT_HI], 60999);
	assert_int_equal(out->sysctls.value[SYSCTL_TCP_FIN_TIMEOUT_S], 60);
	assert_true(sysctls_port_reserved(&out->sysctls, 90));
	assert_int_equal(out->route.link_mtu, 1400);
	assert_string_equal(out->route.device, "eth0");
	assert_true(out->route.carrier);
	assert_true(out->route.is_default);
	assert_false(out->route.is_local);
	assert_int_equal(out->holders, 2);
	assert_string_equal(out->cgroup, "/system.slice/web.service");
	free(out);
}

static void replay__descriptors__are_those_of_the_recorded_processes(void **state)
{
	struct replayed *out = malloc(sizeof(*out));
	const struct descriptor_user *user;

	(void)state;
	make_recording();
	replay(out);
	assert_int_equal(out->use.processes, 2);
	assert_int_equal(out->use.count, 1);
	user = out->use.at;
	assert_string_equal(user->process.comm, "web server");
	assert_int_equal(user->process.fds, 900);
	assert_int_equal(user->process.nofile, 1024);
	assert_int_equal(user->process.netns, 4026531833);
	assert_int_equal(user->process.sockets, 2);
	assert_true(user->listed);
	assert_int_equal(user->inode_count, 1); /* one socket behind two descriptors */
	assert_int_equal(user->inodes[0], 4711);
	/* as recordings were before the namespace of a process was kept */
	write_text("owners", "pass\t2\t1\nprocess\t10\t33\t10\t900\t1024\t7000\t83\tweb\t/\t-\t-\nfd\t4711\t3\nend\n");
	replay(out);
	assert_false(out->damaged);
	assert_int_equal(out->use.count, 1);
	assert_int_equal(out->use.at->process.netns, 0);
	assert_int_equal(out->use.unread, 2);
	assert_true(out->use.partial);
	free(out);
}

static void replay__clocks_names_and_owners__are_the_recorded_ones(void **state)
{
	const struct netns *list;
	const struct holder *holders;
	struct sock sock = { .state = SOCK_STATE_ESTAB, .inode = 4712 };
	struct source *source;
	struct owner_map *map;
	unsigned others = 7;

	(void)state;
	make_recording();
	assert_int_equal(source_open_recorded(&source, dir, &arena, &notices, &err), 0);
	assert_true(source_is_recorded(source));
	assert_int_equal(source_samples(source), 1);
	assert_string_equal(source_host(source), "box");
	assert_string_equal(source_kernel(source), "6.1");
	assert_string_equal(source_platform(source)->vendor, "Amazon EC2");
	assert_string_equal(source_platform(source)->product, "m7g.large");
	assert_string_equal(source_platform(source)->asset, "i-0123");
	assert_int_equal(source_clock(source, 0).mono_us, 2000);
	assert_int_equal(source_clock(source, 99).boot_us, 3000);
	assert_int_equal(source_namespaces(source, "", &list, &others, &err), 1);
	assert_int_equal(others, 0);
	assert_int_equal(list->inode, 4026531833);
	assert_int_equal(source_namespaces(source, "5", &list, NULL, &err), 1);
	assert_int_equal(source_namespaces(source, "blue", &list, NULL, &err), -ENOENT);
	assert_non_null(strstr(err.text, "'blue'"));
	assert_int_equal(source_owners(source, NULL, 0, &map, &err), 0);
	assert_int_equal(owner_map_find(map, 4711, &holders), 2);
	assert_string_equal(holders->process->comm, "web server");
	assert_int_equal(holders->process->run_state, 'S');
	assert_int_equal(holders->process->start_us, 7000);
	assert_int_equal(owner_map_reason(map, &sock), OWNER_KERNEL);
	sock.inode = 4713;
	assert_int_equal(owner_map_reason(map, &sock), OWNER_RACED);
	owner_map_second_look(map, &sock.inode, 1); /* nothing more to look at */
	assert_int_equal(owner_map_reason(map, &sock), OWNER_RACED);
	owner_map_free(map);
	assert_int_equal(source_owners(source, (uint32_t[]){ 9 }, 1, &map, &err), 0);
	assert_int_equal(owner_map_find(map, 4711, &holders), 0);
	owner_map_free(map);
	source_close(source);
}

static int count_socket(const struct sock *sock, void *context)
{
	(void)sock;
	++*(unsigned *)context;
	return 0;
}

/* The tag of one machine is a name; that of a cloud is the same for all of its machines. */
static void replay__asset_tag__is_told_with_stand_ins_only_when_a_cloud_gave_it(void **state)
{
	static const char *const tags[] = { "i-0123", PLATFORM_ASSET_AZURE };
	struct source *source;
	char manifest[512];

	(void)state;
	make_recording();
	for (size_t i = 0; i < ARRAY_SIZE(tags); i++) {
		snprintf(manifest, sizeof(manifest),
			 "tcptriage-recording\t1\nbyte_order\t%s\nplatform\tv\tp\t%s\n"
			 "netns\t4026531833\t5\t-\t-\t-\nsample\t1000\t2000\t3000\nend\n",
			 recording_byte_order(), tags[i]);
		write_text("manifest", manifest);
		assert_int_equal(source_open_recorded(&source, dir, &arena, &notices, &err), 0);
		assert_string_equal(source_platform(source)->asset, tags[i]);
		source_set_redact(source);
		assert_string_equal(source_platform(source)->asset, i ? PLATFORM_ASSET_AZURE : "");
		assert_string_equal(source_platform(source)->vendor, "v");
		source_close(source);
	}
}

static void replay__states_and_families__are_filtered_as_the_kernel_would(void **state)
{
	static const struct {
		uint32_t states;
		unsigned families, sockets;
	} rows[] = { { STATES_ALL, 3, 3 }, { STATES_ALL, 1, 2 }, { STATES_ALL, 2, 1 }, { STATES_ALL, 0, 0 },
		     { STATE_BIT(SOCK_STATE_LISTEN), 3, 1 }, { STATES_ALL & ~STATE_BIT(SOCK_STATE_LISTEN), 3, 2 } };
	const struct netns *list;
	struct source *source;
	struct source_ns *ns;

	(void)state;
	make_recording();
	assert_int_equal(source_open_recorded(&source, dir, &arena, &notices, &err), 0);
	source_namespaces(source, NULL, &list, NULL, &err);
	assert_int_equal(source_ns_open(source, list, &ns, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct diag_request request = { .states = rows[i].states, .families = rows[i].families };
		struct diag_result result;
		unsigned sockets = 0;

		assert_int_equal(source_sockets(ns, &request, count_socket, &sockets, &result, &err), 0);
		assert_int_equal(sockets, rows[i].sockets);
		assert_int_equal(result.sockets, rows[i].sockets);
		assert_true(result.complete);
	}
	source_ns_set_sample(ns, 1);
	assert_int_equal(source_sockets(ns, &(struct diag_request){ .families = 3 }, count_socket,
					&(unsigned){ 0 }, &(struct diag_result){ 0 }, &err), -ENOENT);
	source_ns_close(ns);
	source_close(source);
}

static void replay__one_socket_by_cookie__is_found_with_its_info(void **state)
{
	const struct netns *list;
	struct source *source;
	struct source_ns *ns;
	struct sock sock = { .cookie = 0x50000000a };
	uint8_t buf[1024];

	(void)state;
	make_recording();
	assert_int_equal(source_open_recorded(&source, dir, &arena, &notices, &err), 0);
	source_namespaces(source, NULL, &list, NULL, &err);
	assert_int_equal(source_ns_open(source, list, &ns, &err), 0);
	assert_int_equal(source_socket_info(ns, &sock, buf, sizeof(buf)), 0);
	assert_int_equal(sock.family, ADDR_V6);
	assert_int_equal(sock.info.len, 232);
	assert_true(sock.info.bytes >= buf && sock.info.bytes < buf + sizeof(buf));
	assert_int_equal(sock_tcpi(&sock, TCPI_STATE), 10);
	sock.cookie = 1;
	assert_int_equal(source_socket_info(ns, &sock, buf, sizeof(buf)), -ENOENT);
	sock.cookie = 0x500000000;
	assert_int_equal(source_socket_info(ns, &sock, buf, 50), -EMSGSIZE);
	source_ns_close(ns);
	source_close(source);
}

static const char *const files[] = { "manifest", "ns0-0.tcp", "ns0-0.udp", "ns0-0.snmp", "ns0-0.sockstat",
				     "ns0.sysctl", "ns0.route", "owners", "cgroups" };

/* Numbers that come out are those that went in, or none. */
static void assert_nothing_invented(const struct replayed *out)
{
	assert_int_equal(out->foreign, 0);
	assert_true(out->sockets <= 3);
	assert_true(!out->counters.has[COUNTER_TCP_OUT_SEGS] || out->counters.value[COUNTER_TCP_OUT_SEGS] == 6);
	assert_true(!out->counters.has[COUNTER_SOCKSTAT_TCP_ALLOC] ||
		    out->counters.value[COUNTER_SOCKSTAT_TCP_ALLOC] == 5);
	assert_true(!out->sysctls.has[SYSCTL_PORT_HI] || out->sysctls.value[SYSCTL_PORT_HI] == 60999);
	assert_true(!out->sysctls.has_reserved || sysctls_port_reserved(&out->sysctls, 90));
	assert_true(!out->route.link_mtu || out->route.link_mtu == 1400);
	assert_true(out->holders <= 2);
	assert_true(out->use.count <= 1);
	assert_true(!out->use.count || out->use.at->process.fds == 900);
	assert_true(!*out->cgroup || !strcmp(out->cgroup, "/system.slice/web.service"));
}

static void replay__every_file_cut_at_every_length__says_so_and_invents_nothing(void **state)
{
	struct replayed *out = malloc(sizeof(*out));
	char bytes[8192];

	(void)state;
	make_recording();
	for (size_t f = 0; f < ARRAY_SIZE(files); f++) {
		size_t len = read_bytes(files[f], bytes, sizeof(bytes));
		bool is_dump = strstr(files[f], ".tcp") || strstr(files[f], ".udp");
		bool is_table = !strchr(files[f], '.') || strstr(files[f], ".route");

		for (size_t cut = 0; cut < len; cut++) {
			write_bytes(files[f], bytes, cut);
			replay(out);
			assert_nothing_invented(out);
			assert_true(!is_dump || (!out->complete && out->damaged));
			assert_true(!is_table || out->opened || out->damaged);
			assert_true(out->opened == 0 || (!f && *err.text));
		}
		write_bytes(files[f], bytes, len);
	}
	replay(out);
	assert_int_equal(out->sockets, 3);
	assert_false(out->damaged);
	free(out);
	arena_free(&arena);
}

static void replay__every_byte_of_a_dump_overwritten__misses_and_never_invents(void **state)
{
	struct replayed *out = malloc(sizeof(*out));
	char bytes[8192];
	size_t len;

	(void)state;
	make_recording();
	len = read_bytes("ns0-0.tcp", bytes, sizeof(bytes));
	for (size_t at = 0; at < len; at++) {
		bytes[at] ^= 0x55;
		write_bytes("ns0-0.tcp", bytes, len);
		replay(out);
		assert_int_equal(out->foreign, 0);
		assert_false(out->complete);
		assert_true(out->damaged);
		bytes[at] ^= 0x55;
	}
	free(out);
}

static void replay__random_bytes_in_text_files__survive(void **state)
{
	struct replayed *out = malloc(sizeof(*out));
	unsigned seed = 5;
	char bytes[8192];

	(void)state;
	make_recording();
	for (unsigned round = 0; round < 3000; round++) {
		const char *name = files[(size_t)rand_r(&seed) % ARRAY_SIZE(files)];
		size_t len = read_bytes(name, bytes, sizeof(bytes));
		char kept[8192];

		memcpy(kept, bytes, len);
		for (unsigned i = 0; i < 4; i++)
			bytes[(size_t)rand_r(&seed) % len] = "\t\n\\x-09\xff\0z"[rand_r(&seed) % 10];
		write_bytes(name, bytes, len);
		replay(out);
		assert_int_equal(out->foreign, 0);
		write_bytes(name, kept, len);
	}
	free(out);
}

static void replay__dump_that_was_not_complete__is_not_now(void **state)
{
	static const struct frame_end partly = { .complete = 0 }, refused = { .error = -ENOENT };
	struct replayed *out = malloc(sizeof(*out));
	struct diag_stream tcp = { .len = 0 };

	(void)state;
	make_recording();
	put_family(&tcp, AF_INET, 2, partly);
	put_family(&tcp, AF_INET6, 1, partly);
	write_bytes("ns0-0.tcp", tcp.bytes, tcp.len);
	replay(out);
	assert_int_equal(out->sockets, 3);
	assert_false(out->complete);
	tcp.len = 0;
	put_family(&tcp, AF_INET, 0, refused);
	write_bytes("ns0-0.tcp", tcp.bytes, tcp.len);
	replay(out);
	assert_false(out->complete);
	free(out);
}

static void open__what_is_no_recording__is_refused_by_name(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "", "not a recording" },
		{ "hello\n", "not a recording" },
		{ "tcptriage-recording\t2\nbyte_order\tlittle\n", "version 2" },
		{ "tcptriage-recording\t1\n", "not a recording" },
		{ "tcptriage-recording\t1\nbyte_order\tmiddle\n", "byte order" },
		{ "tcptriage-recording\t1\nbyte_order\tlittle\nend\n", "no sample" },
	};
	struct source *source;

	(void)state;
	assert_int_equal(source_open_recorded(&source, dir, &arena, &notices, &err), -EINVAL);
	assert_non_null(strstr(err.text, "manifest"));
	assert_int_equal(source_open_recorded(&source, "/nonexistent", &arena, &notices, &err), -ENOENT);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strstr(rows[i].text, "little") && strcmp(recording_byte_order(), "little"))
			continue;
		write_text("manifest", rows[i].text);
		assert_int_equal(source_open_recorded(&source, dir, &arena, &notices, &err), -EINVAL);
		assert_non_null(strstr(err.text, rows[i].says));
		assert_null(source);
	}
}

static void open__pipes_and_links_in_the_directory__are_not_followed(void **state)
{
	struct replayed *out = malloc(sizeof(*out));
	struct source *source;

	(void)state;
	make_recording();
	assert_int_equal(unlink(in_dir("owners")), 0);
	assert_int_equal(mkfifo(in_dir("owners"), 0600), 0);
	assert_int_equal(unlink(in_dir("ns0-0.tcp")), 0);
	assert_int_equal(symlink("/dev/zero", in_dir("ns0-0.tcp")), 0);
	replay(out);
	assert_int_equal(out->holders, 0);
	assert_int_equal(out->sockets, 0);
	assert_false(out->complete);
	assert_int_equal(unlink(in_dir("manifest")), 0);
	assert_int_equal(mkfifo(in_dir("manifest"), 0600), 0);
	assert_int_equal(source_open_recorded(&source, dir, &arena, &notices, &err), -EINVAL);
	free(out);
}

static void table__any_bytes__come_back(void **state)
{
	static const char *const fields[] = { "", "-", "--", "plain", "tab\there", "line\nfeed", "back\\slash \x01\x7f\xff",
					      "\\x41" };
	struct table_reader reader;
	struct out out;
	int fd;

	(void)state;
	out_open_mem(&out);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		table_text(&out, fields[i]);
	table_end(&out);
	table_u64(&out, UINT64_MAX);
	table_end(&out);
	write_bytes("table", out.base, out_len(&out));
	out_close(&out);
	fd = open(in_dir("table"), O_RDONLY);
	table_open(&reader, fd);
	assert_true(table_next(&reader));
	assert_int_equal(reader.fields, ARRAY_SIZE(fields));
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		assert_string_equal(reader.field[i], fields[i]);
	assert_true(table_next(&reader));
	assert_string_equal(reader.field[0], "18446744073709551615");
	assert_false(table_next(&reader));
	assert_false(reader.cut);
	assert_int_equal(reader.odd, 0);
	table_close(&reader);
	close(fd);
}

static void table__lines_of_another_shape__are_skipped_and_counted(void **state)
{
	struct table_reader reader;
	char *text = malloc(300000);
	int fd;

	(void)state;
	strcpy(text, "bad\\y\nbad\\x0\nbad\\x00\n1\t2\t3\t4\t5\t6\t7\t8\t9\t10\t11\t12\t13\t14\t15\t16\t17\n");
	memset(text + strlen(text) + 1, 0, 1);
	sprintf(text + strlen(text), "%0200000d\ngood\nlast without newline", 0);
	write_text("table", text);
	fd = open(in_dir("table"), O_RDONLY);
	table_open(&reader, fd);
	assert_true(table_next(&reader));
	assert_string_equal(reader.field[0], "good");
	assert_int_equal(reader.odd, 5);
	assert_false(table_next(&reader));
	assert_true(reader.cut);
	table_close(&reader);
	close(fd);
	free(text);
}

/* --- the running kernel, on loopback, as whoever we are --- */

/* struct traffic - a listener, a connection, and a bound socket of ours on 127.0.0.1, and a datagram socket on ::1. */
struct traffic {
	int listener, client, server, bound, udp;
	uint16_t port;
};

static void bind_loopback(int fd)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	assert_int_equal(bind(fd, (struct sockaddr *)&any, sizeof(any)), 0);
}

static void traffic_open(struct traffic *t)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in name;
	socklen_t len = sizeof(name);

	t->listener = socket(AF_INET, SOCK_STREAM, 0);
	bind_loopback(t->listener);
	assert_int_equal(listen(t->listener, 4), 0);
	assert_int_equal(getsockname(t->listener, (struct sockaddr *)&name, &len), 0);
	t->port = ntohs(name.sin_port);
	t->client = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(t->client, (struct sockaddr *)&name, sizeof(name)), 0);
	t->server = accept(t->listener, NULL, NULL);
	t->bound = socket(AF_INET, SOCK_STREAM, 0);
	bind_loopback(t->bound);
	t->udp = socket(AF_INET6, SOCK_DGRAM, 0);
	if (bind(t->udp, (struct sockaddr *)&any, sizeof(any))) { /* a host without IPv6 */
		close(t->udp);
		t->udp = socket(AF_INET, SOCK_DGRAM, 0);
		bind_loopback(t->udp);
	}
}

static void traffic_close(const struct traffic *t)
{
	close(t->listener);
	close(t->client);
	close(t->server);
	close(t->bound);
	close(t->udp);
}

static uint32_t inode_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return (uint32_t)st.st_ino;
}

#define OURS 5
struct ours {
	uint32_t inode[OURS];
	struct sock sock[OURS];
	unsigned seen[OURS];
};

static struct ours ours_of(const struct traffic *t)
{
	return (struct ours){ .inode = { inode_of(t->listener), inode_of(t->client), inode_of(t->server),
					 inode_of(t->bound), inode_of(t->udp) } };
}

static int keep_ours(const struct sock *sock, void *context)
{
	struct ours *ours = context;

	for (size_t i = 0; i < OURS; i++)
		if (sock->inode == ours->inode[i]) {
			ours->sock[i] = *sock;
			ours->seen[i]++;
		}
	return 0;
}

static void look(struct source_ns *ns, struct ours *ours)
{
	struct diag_request request = { .families = 3, .ext = DIAG_EXT_ALL,
					.states = STATES_ALL | STATE_BIT(SOCK_STATE_BOUND_INACTIVE) };
	struct diag_result result;

	for (unsigned netid = 0; netid < NETID_COUNT; netid++) {
		request.netid = (enum netid)netid;
		assert_int_equal(source_sockets(ns, &request, keep_ours, ours, &result, &err), 0);
	}
}

static void assert_same(const struct sock *a, const struct sock *b)
{
	assert_true(endpoint_equal(&a->local, &b->local));
	assert_true(endpoint_equal(&a->peer, &b->peer));
	assert_int_equal(a->state, b->state);
	assert_int_equal(a->family, b->family);
	assert_int_equal(a->netid, b->netid);
	assert_true(a->cookie == b->cookie);
	assert_int_equal(a->has, b->has);
	assert_int_equal(a->uid, b->uid);
	assert_int_equal(a->recv_q, b->recv_q);
	assert_int_equal(a->send_q, b->send_q);
	assert_int_equal(a->info.len, b->info.len);
	assert_string_equal(a->cong, b->cong);
	assert_true(a->cgroup_id == b->cgroup_id);
}

static struct source *open_live(const struct netns **list, struct source_ns **ns)
{
	struct source *source;

	assert_int_equal(source_open_live(&source, &arena, &notices, &err), 0);
	assert_int_equal(source_namespaces(source, NULL, list, NULL, &err), 1);
	assert_int_equal(source_ns_open(source, *list, ns, &err), 0);
	return source;
}

static struct source *open_recording(struct source_ns **ns)
{
	const struct netns *list;
	struct source *source;

	assert_int_equal(source_open_recorded(&source, dir, &arena, &notices, &err), 0);
	assert_int_equal(source_namespaces(source, NULL, &list, NULL, &err), 1);
	assert_int_equal(source_ns_open(source, list, ns, &err), 0);
	return source;
}

static void live__sockets_of_our_own__are_found_and_asked_one_by_one(void **state)
{
	const struct netns *list;
	struct source_ns *ns;
	struct traffic t;
	struct ours ours;
	struct source *source = open_live(&list, &ns);
	uint8_t buf[4096];
	struct counters counters;
	struct addr loopback;
	struct route route;
	struct sock again;

	(void)state;
	traffic_open(&t);
	ours = ours_of(&t);
	look(ns, &ours);
	assert_int_equal(ours.seen[0], 1);
	assert_int_equal(ours.sock[0].state, SOCK_STATE_LISTEN);
	assert_int_equal(ours.sock[0].local.port, t.port);
	assert_int_equal(ours.sock[0].send_q, 4);
	assert_int_equal(ours.sock[1].state, SOCK_STATE_ESTAB);
	assert_int_equal(ours.sock[1].peer.port, t.port);
	assert_int_equal(ours.seen[4], 1);
	assert_int_equal(ours.sock[4].netid, NETID_UDP);
	again = ours.sock[1];
	assert_int_equal(source_socket_info(ns, &again, buf, sizeof(buf)), 0);
	assert_same(&again, &ours.sock[1]);
	assert_true(again.info.bytes >= buf && again.info.bytes < buf + sizeof(buf));
	again.cookie++;
	assert_int_equal(source_socket_info(ns, &again, buf, sizeof(buf)), -ENOENT);
	assert_int_equal(source_counters(ns, &counters, &err), 0);
	assert_true(counters.has[COUNTER_TCP_OUT_SEGS] && counters.value[COUNTER_TCP_OUT_SEGS] > 0);
	addr_parse("127.0.0.1", &loopback);
	assert_int_equal(source_route(ns, &loopback, &route, &err), 0);
	assert_int_equal(route.error, 0);
	assert_true(route.is_local);
	assert_string_equal(route.device, "lo");
	traffic_close(&t);
	source_ns_close(ns);
	source_close(source);
}

static int stop_at_once(const struct sock *sock, void *context)
{
	(void)sock;
	(void)context;
	return -ECANCELED;
}

static void live__abandoned_dump__does_not_spoil_the_next_question(void **state)
{
	struct diag_request request = { .families = 1, .states = STATES_ALL, .ext = DIAG_EXT_ALL };
	struct diag_result result;
	const struct netns *list;
	struct source_ns *ns;
	struct traffic t[40];
	struct ours ours;
	struct source *source = open_live(&list, &ns);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		traffic_open(&t[i]); /* more than one datagram's worth */
	ours = ours_of(&t[0]);
	assert_int_equal(source_sockets(ns, &request, stop_at_once, NULL, &result, &err), -ECANCELED);
	assert_false(result.complete);
	look(ns, &ours);
	assert_int_equal(ours.seen[0], 1);
	assert_int_equal(ours.seen[1], 1);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		traffic_close(&t[i]);
	source_ns_close(ns);
	source_close(source);
}

static void assert_same_way_out(struct source_ns *live, struct source_ns *recorded)
{
	for (unsigned family = 0; family < ADDR_FAMILY_COUNT; family++) {
		struct addr addr = route_way_out((enum addr_family)family);
		struct route now, then;

		assert_true(addr_is_global(&addr));
		if (source_route(live, &addr, &now, &err))
			continue; /* a kernel without this family */
		assert_int_equal(source_route(recorded, &addr, &then, &err), 0);
		assert_int_equal(now.error, then.error);
		assert_true(addr_equal(&now.source, &then.source));
	}
}

static void record__then_replay__equals_the_live_dump(void **state)
{
	const struct netns *list;
	struct source_ns *ns, *old;
	struct traffic t;
	struct ours live, recorded;
	struct source *source = open_live(&list, &ns), *replayed;
	struct sysctls *now = calloc(1, sizeof(*now)), *then = calloc(1, sizeof(*then));
	struct counters counters;
	const struct holder *holders;
	struct owner_map *map;

	(void)state;
	traffic_open(&t);
	live = recorded = ours_of(&t);
	assert_int_equal(record(source, list, dir, 2, 20000, false, &err), 0);
	look(ns, &live);
	replayed = open_recording(&old);
	assert_int_equal(source_samples(replayed), 2);
	assert_true(source_clock(replayed, 1).mono_us - source_clock(replayed, 0).mono_us >= 20000);
	assert_string_equal(source_host(replayed), source_host(source));
	assert_string_equal(source_platform(replayed)->vendor, source_platform(source)->vendor);
	assert_string_equal(source_platform(replayed)->product, source_platform(source)->product);
	assert_string_equal(source_platform(replayed)->asset, source_platform(source)->asset);
	source_ns_set_sample(old, 1);
	look(old, &recorded);
	for (size_t i = 0; i < OURS; i++) {
		assert_int_equal(recorded.seen[i], live.seen[i]);
		if (live.seen[i])
			assert_same(&recorded.sock[i], &live.sock[i]);
	}
	assert_true(recorded.seen[0] && recorded.seen[1] && recorded.seen[2] && recorded.seen[4]);
	assert_int_equal(source_sysctls(ns, now, &err), 0);
	assert_int_equal(source_sysctls(old, then, &err), 0);
	assert_memory_equal(now->has, then->has, sizeof(now->has));
	assert_memory_equal(now->value, then->value, sizeof(now->value));
	assert_memory_equal(now->reserved, then->reserved, sizeof(now->reserved));
	assert_int_equal(source_counters(old, &counters, &err), 0);
	assert_true(counters.has[COUNTER_TCP_OUT_SEGS]);
	assert_same_way_out(ns, old);
	assert_int_equal(source_owners(replayed, NULL, 0, &map, &err), 0);
	for (size_t i = 0; i < OURS; i++) {
		assert_int_equal(owner_map_find(map, live.inode[i], &holders), 1);
		assert_int_equal(holders->process->pid, getpid());
		assert_int_equal(holders->process->netns, list->inode);
	}
	owner_map_free(map);
	traffic_close(&t);
	source_ns_close(ns);
	source_ns_close(old);
	source_close(source);
	source_close(replayed);
	free(now);
	free(then);
}

static void assert_file_lacks(const char *name, const char *text)
{
	struct out bytes;

	out_open_mem(&bytes);
	assert_int_equal(file_slurp_at(AT_FDCWD, in_dir(name), &bytes, SIZE_MAX / 2), 0);
	assert_true(out_len(&bytes) > 0);
	assert_null(memmem(bytes.base, out_len(&bytes), text, strlen(text)));
	out_close(&bytes);
}

static void record__with_stand_ins__names_are_not_written(void **state)
{
	const struct netns *list;
	struct source_ns *ns;
	struct traffic t;
	struct source *source = open_live(&list, &ns), *replayed;
	const struct holder *holders;
	struct owner_map *map;
	struct route route;
	struct addr addr;
	char host[65];

	(void)state;
	snprintf(host, sizeof(host), "%s", source_host(source));
	source_ns_close(ns);
	traffic_open(&t);
	assert_int_equal(record(source, list, dir, 1, 0, true, &err), 0);
	assert_file_lacks("owners", "test_recording");
	replayed = open_recording(&ns);
	assert_string_equal(source_host(replayed), *host ? "host-1" : "");
	addr = route_way_out(ADDR_V4);
	assert_int_equal(source_route(ns, &addr, &route, &err), 0); /* asked for by its true name */
	assert_int_equal(source_owners(replayed, NULL, 0, &map, &err), 0);
	assert_int_equal(owner_map_find(map, inode_of(t.client), &holders), 1);
	assert_int_equal(holders->process->pid, getpid());
	assert_memory_equal(holders->process->comm, "proc-", 5);
	owner_map_free(map);
	traffic_close(&t);
	source_ns_close(ns);
	source_close(source);
	source_close(replayed);
}

static void record__modes__are_for_the_owner_alone(void **state)
{
	const struct netns *list;
	struct source_ns *ns;
	struct source *source = open_live(&list, &ns);
	struct dirent *entry;
	unsigned count = 0;
	struct stat st;
	DIR *handle;

	(void)state;
	assert_int_equal(rmdir(dir), 0);
	umask(0);
	assert_int_equal(record(source, list, dir, 1, 0, false, &err), 0);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	handle = opendir(dir);
	while ((entry = readdir(handle)))
		if (entry->d_name[0] != '.') {
			assert_int_equal(fstatat(dirfd(handle), entry->d_name, &st, 0), 0);
			assert_int_equal(st.st_mode & 0777, 0600);
			count++;
		}
	closedir(handle);
	assert_true(count >= 8);
	source_ns_close(ns);
	source_close(source);
}

static void record__where_it_must_not__is_refused(void **state)
{
	const struct netns *list;
	struct source_ns *ns;
	struct source *source = open_live(&list, &ns), *replayed;

	(void)state;
	write_text("precious", "data");
	assert_int_equal(record(source, list, dir, 1, 0, false, &err), -ENOTEMPTY);
	assert_int_equal(unlink(in_dir("precious")), 0);
	assert_int_equal(record(source, list, dir, 0, 0, false, &err), -EINVAL);
	assert_int_equal(record(source, list, "/nonexistent/x", 1, 0, false, &err), -ENOENT);
	source_ns_close(ns);
	make_recording();
	replayed = open_recording(&ns);
	assert_int_equal(record(replayed, list, dir, 1, 0, false, &err), -EINVAL);
	source_ns_close(ns);
	source_close(replayed);
	source_close(source);
}

static int stop_before_third(unsigned sample, unsigned samples, void *context)
{
	assert_int_equal(samples, 9);
	++*(unsigned *)context;
	return sample == 2 ? -EINTR : 0;
}

static void record__stopped_half_way__keeps_what_it_has(void **state)
{
	const struct netns *list;
	struct source_ns *ns;
	struct source *source = open_live(&list, &ns), *replayed;
	unsigned calls = 0;
	struct record_plan plan = { .list = list, .count = 1, .dir = dir, .samples = 9, .interval_us = 1000,
				    .progress = stop_before_third, .context = &calls };
	struct owner_map *map;

	(void)state;
	assert_int_equal(record_run(source, &plan, &err), 2);
	assert_int_equal(calls, 3);
	source_ns_close(ns);
	replayed = open_recording(&ns);
	assert_int_equal(source_samples(replayed), 2);
	assert_int_equal(source_owners(replayed, NULL, 0, &map, &err), 0);
	owner_map_free(map);
	source_ns_close(ns);
	source_close(replayed);
	source_close(source);
}

#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIRECTORY(replay__whole_recording__gives_everything),
		IN_DIRECTORY(replay__clocks_names_and_owners__are_the_recorded_ones),
		IN_DIRECTORY(replay__asset_tag__is_told_with_stand_ins_only_when_a_cloud_gave_it),
		IN_DIRECTORY(replay__descriptors__are_those_of_the_recorded_processes),
		IN_DIRECTORY(replay__states_and_families__are_filtered_as_the_kernel_would),
		IN_DIRECTORY(replay__one_socket_by_cookie__is_found_with_its_info),
		IN_DIRECTORY(replay__every_file_cut_at_every_length__says_so_and_invents_nothing),
		IN_DIRECTORY(replay__every_byte_of_a_dump_overwritten__misses_and_never_invents),
		IN_DIRECTORY(replay__random_bytes_in_text_files__survive),
		IN_DIRECTORY(replay__dump_that_was_not_complete__is_not_now),
		IN_DIRECTORY(open__what_is_no_recording__is_refused_by_name),
		IN_DIRECTORY(open__pipes_and_links_in_the_directory__are_not_followed),
		IN_DIRECTORY(table__any_bytes__come_back),
		IN_DIRECTORY(table__lines_of_another_shape__are_skipped_and_counted),
		IN_DIRECTORY(live__sockets_of_our_own__are_found_and_asked_one_by_one),
		IN_DIRECTORY(live__abandoned_dump__does_not_spoil_the_next_question),
		IN_DIRECTORY(record__then_replay__equals_the_live_dump),
		IN_DIRECTORY(record__with_stand_ins__names_are_not_written),
		IN_DIRECTORY(record__modes__are_for_the_owner_alone),
		IN_DIRECTORY(record__where_it_must_not__is_refused),
		IN_DIRECTORY(record__stopped_half_way__keeps_what_it_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
