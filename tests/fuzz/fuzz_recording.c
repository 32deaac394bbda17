/* SPDX-License-Identifier: MIT */
/* A recorded directory whose files come from the fuzzer. The first byte chooses the file; a dump is also made of whole frames with right
 * sums, since otherwise nothing would get past them. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collect/recording.h"
#include "tcptriage/collect/source.h"

/* The tree that all inputs share: a valid manifest, and everything else empty until it is chosen. */
static char dir[64];

enum choice { RAW_DUMP, FRAMED_DUMP, FRAMED_UDP, MANIFEST, OWNERS, ROUTES, SYSCTLS, CGROUPS, NETSTAT, SNMP6, SOCKSTAT, NETWORK, CHOICES };

static const char *const names[CHOICES] = {
	[RAW_DUMP] = "ns0-0.tcp",  [FRAMED_DUMP] = "ns0-0.tcp",	  [FRAMED_UDP] = "ns0-0.udp",
	[MANIFEST] = "manifest",   [OWNERS] = "owners",		  [ROUTES] = "ns0.route",
	[SYSCTLS] = "ns0.sysctl",  [CGROUPS] = "cgroups",	  [NETSTAT] = "ns0-0.netstat",
	[SNMP6] = "ns0-0.snmp6",   [SOCKSTAT] = "ns0-0.sockstat", [NETWORK] = "ns0.network",
};

static void write_file(const char *name, const void *bytes, size_t len)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	unlink(path);
	file = fopen(path, "w");
	BUG_ON(!file || fwrite(bytes, 1, len, file) != len || fclose(file));
}

static void write_manifest(void)
{
	char text[256];
	int len = snprintf(text, sizeof(text),
			   "tcptriage-recording\t1\nbyte_order\t%s\nhost\tbox\nkernel\t6.1\nredacted\tno\n"
			   "netns\t1\t5\t-\t-\t-\nsample\t1000\t2000\t3000\nend\n",
			   recording_byte_order());

	write_file("manifest", text, (size_t)len);
}

static void remove_directory(void)
{
	char path[128];

	for (unsigned i = 0; i < CHOICES; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	rmdir(dir);
}

/* Two bytes of length, one of kind and family, then the frame's bytes, as often as there is something left. */
static void write_frames(const char *name, const uint8_t *data, size_t size)
{
	struct out file;

	out_open_mem(&file);
	while (size > 3) {
		size_t len = MIN((size_t)(data[0] | data[1] << 8), size - 3);
		struct frame frame = { .magic = FRAME_MAGIC, .family = data[2] & 1,
				       .kind = data[2] & 2 ? FRAME_END : FRAME_DATA };

		if (frame.kind == FRAME_END)
			len = MIN(len, sizeof(struct frame_end));
		frame.len = (uint32_t)len;
		frame.sum = frame_sum(data + 3, len);
		out_mem(&file, &frame, sizeof(frame));
		out_mem(&file, data + 3, len);
		data += 3 + len;
		size -= 3 + len;
	}
	write_file(name, file.base, out_len(&file));
	out_close(&file);
}

struct look {
	struct source_ns *ns;
	struct owner_map *owners;
	uint64_t cookie;
	unsigned seen;
};

static int look_at(const struct sock *sock, void *context)
{
	struct look *look = context;
	const struct holder *holders;

	look->cookie = sock->cookie;
	look->seen += (unsigned)(sock->info.len ? sock->info.bytes[sock->info.len - 1] : 0);
	for (unsigned id = 0; id < TCPI_COUNT; id++)
		look->seen += (unsigned)sock_tcpi(sock, id);
	if (look->owners && !owner_map_find(look->owners, sock->inode, &holders))
		look->seen += owner_map_reason(look->owners, sock);
	return 0;
}

static void ask(struct source *source, struct source_ns *ns, struct look *look)
{
	static uint8_t buf[65536];
	static struct sysctls sysctls;
	struct diag_request request = { .families = 3, .states = UINT32_MAX };
	struct sock sock = { .state = SOCK_STATE_ESTAB };
	struct diag_result result;
	struct counters counters;
	struct descriptor_use use;
	struct addr peer;
	struct route route;
	struct network network;

	source_owners(source, NULL, 0, &look->owners, NULL);
	for (unsigned netid = 0; netid < NETID_COUNT; netid++) {
		request.netid = (enum netid)netid;
		source_sockets(ns, &request, look_at, look, &result, NULL);
	}
	sock.cookie = look->cookie;
	source_socket_info(ns, &sock, buf, sizeof(buf));
	source_counters(ns, &counters, NULL);
	source_sysctls(ns, &sysctls, NULL);
	addr_parse("10.0.0.2", &peer);
	source_route(ns, &peer, &route, NULL);
	if (!source_network(ns, &network, NULL)) {
		for (size_t i = 0; i < network.link_count; i++)
			look->seen += network_link(&network, network.links[i].ifindex)->kind;
		look->seen += network_route(&network, &peer) != NULL;
	}
	look->seen += (unsigned)strlen(source_platform(source)->asset);
	source_cgroup_path(source, 77);
	source_descriptors(source, &use, NULL);
	for (size_t i = 0; i < use.count; i++)
		look->seen += use.at[i].inode_count ? use.at[i].inodes[use.at[i].inode_count - 1] : 0;
	owner_map_free(look->owners);
}

static void replay(bool stand_ins)
{
	struct arena arena = { 0 };
	struct notices notices = { .arena = &arena };
	const struct netns *list;
	struct source *source;
	struct look look = { .owners = NULL };

	if (!source_open_recorded(&source, dir, &arena, &notices, NULL)) {
		int count;

		if (stand_ins)
			source_set_redact(source);
		count = source_namespaces(source, "", &list, NULL, NULL);
		if (count > 0 && !source_ns_open(source, list, &look.ns, NULL)) {
			ask(source, look.ns, &look);
			source_ns_close(look.ns);
		}
		source_close(source);
	}
	arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned choice;

	if (!*dir) {
		strcpy(dir, access("/dev/shm", W_OK) ? "/tmp/tcptriage-fuzz-XXXXXX" : "/dev/shm/tcptriage-fuzz-XXXXXX");
		BUG_ON(!mkdtemp(dir));
		write_manifest();
		atexit(remove_directory);
	}
	if (!size)
		return 0;
	choice = data[0] % CHOICES;
	if (choice == FRAMED_DUMP || choice == FRAMED_UDP)
		write_frames(names[choice], data + 1, size - 1);
	else
		write_file(names[choice], data + 1, size - 1);
	replay(data[0] & 0x80);
	if (choice == MANIFEST)
		write_manifest();
	return 0;
}
