/* SPDX-License-Identifier: MIT */
/* A live source written to a directory. Datagrams are kept as the kernel sent them, so that a replay runs through the same decoder; only
 * keys are always, and addresses on wish, overwritten in place. */
#include "tcptriage/collect/record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collect/live.h"
#include "collect/network_table.h"
#include "collect/owner_map.h"
#include "collect/proc_counters.h"
#include "collect/recording.h"
#include "collect/sysctl.h"
#include "collect/table.h"
#include "tcptriage/collect/cgroup.h"
#include "tcptriage/collect/redact.h"
#include "tcptriage/collect/sock_diag.h"

#define DUMP_RETRIES 2
/* Routes are kept of so many peers that do not answer, and of silent ones and those behind a narrow path while there is room to spare. */
#define PEERS_MAX (RECORD_ROUTES_MAX - ADDR_FAMILY_COUNT)
#define IDLE_PEERS_MAX (PEERS_MAX / 2)
#define NARROW_PEERS_MAX (PEERS_MAX / 8)
#define IDLE_MS 2000
#define ETHERNET_MTU 1500
/* Every state, the two request-only numbers included: bound but not connected sockets come only when they are named. */
#define RECORD_STATES ((1u << SOCK_STATE_COUNT) - 2)

/**
 * struct recorder - a recording being written.
 * @peers, @peer_ns: destinations that do not answer. @inodes: of the last sample. @clocks: one a sample.
 */
struct recorder {
	struct source *source;
	const struct record_plan *plan;
	int dir;
	struct source_ns **ns;
	struct clock_reading *clocks;
	unsigned done;
	struct {
		struct addr *addr;
		size_t count;
	} *peers;
	uint32_t *inodes;
	size_t inode_count, inode_cap;
	struct cgroup_index *cgroups;
	uint64_t newest_cgroup;
	struct owner_map *owners;
};

static int create(struct recorder *rec, const char *name, struct out *out, struct err *err)
{
	int fd = openat(rec->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_errno(err, -errno, "cannot create '%s/%s'", rec->plan->dir, name);
	out_open_fd(out, fd);
	return 0;
}

static int finish(struct recorder *rec, const char *name, struct out *out, struct err *err)
{
	int fd = out->fd, code = out_flush(out);

	out_close(out);
	if (close(fd) < 0 && !code)
		code = -errno;
	return code ? err_errno(err, code, "cannot write '%s/%s'", rec->plan->dir, name) : 0;
}

/* A socket that waits for an answer: the way to its peer is worth keeping. */
static bool awaits_answer(const struct sock *sock)
{
	return sock->netid == NETID_TCP && sock->state != SOCK_STATE_LISTEN &&
	       (sock->state == SOCK_STATE_SYN_SENT || sock->timer == SOCK_TIMER_ON);
}

/* A connection that nothing keeps alive: whether something on the way may forget it depends on its route. */
static bool is_idle(const struct sock *sock)
{
	return sock->netid == NETID_TCP && sock->state == SOCK_STATE_ESTAB &&
	       sock->timer == SOCK_TIMER_NONE && sock->inode && sock->info.len &&
	       !addr_is_loopback(&sock->peer.addr) &&
	       sock_tcpi(sock, TCPI_LAST_ACK_RECV) >= IDLE_MS;
}

/* A path that carries less than Ethernet does: whether that was learned or is so by design, its route tells. */
static bool is_narrow(const struct sock *sock)
{
	uint64_t pmtu = sock->netid == NETID_TCP ? sock_tcpi(sock, TCPI_PMTU) : 0;

	return pmtu && pmtu < ETHERNET_MTU && !addr_is_loopback(&sock->peer.addr);
}

static void note_peer(struct recorder *rec, unsigned ns, const struct addr *addr, size_t most)
{
	struct addr *list = rec->peers[ns].addr;
	size_t count = rec->peers[ns].count;

	for (size_t i = 0; i < count; i++)
		if (addr_equal(&list[i], addr))
			return;
	if (count >= most)
		return;
	if (!list)
		rec->peers[ns].addr = xcalloc(RECORD_ROUTES_MAX, sizeof(*list));
	rec->peers[ns].addr[rec->peers[ns].count++] = *addr;
}

static void note_inode(struct recorder *rec, uint32_t inode)
{
	if (rec->inode_count == rec->inode_cap) {
		rec->inode_cap = rec->inode_cap ? rec->inode_cap * 2 : 1024;
		rec->inodes = xrealloc_array(rec->inodes, rec->inode_cap, sizeof(*rec->inodes));
	}
	rec->inodes[rec->inode_count++] = inode;
}

static void note_cgroup(struct recorder *rec, uint64_t id)
{
	const char *path;

	if (id == rec->newest_cgroup)
		return;
	rec->newest_cgroup = id;
	path = source_cgroup_path(rec->source, id);
	if (path)
		cgroup_index_add(rec->cgroups, id, path);
}

/* One dump of one family on its way to the file. @copy: the datagram that may be changed. */
struct dump {
	struct recorder *rec;
	struct out *out;
	unsigned ns;
	enum netid netid;
	enum addr_family family;
	uint8_t *copy;
	size_t size;
};

static void note_socket(struct dump *dump, const struct sock *sock)
{
	if (awaits_answer(sock))
		note_peer(dump->rec, dump->ns, &sock->peer.addr, PEERS_MAX);
	if (is_idle(sock))
		note_peer(dump->rec, dump->ns, &sock->peer.addr, IDLE_PEERS_MAX);
	if (is_narrow(sock))
		note_peer(dump->rec, dump->ns, &sock->peer.addr, NARROW_PEERS_MAX);
	if (sock->inode && dump->rec->owners)
		note_inode(dump->rec, sock->inode);
	if (sock->has & SOCK_HAS_CGROUP_ID)
		note_cgroup(dump->rec, sock->cgroup_id);
}

static void take_message(struct dump *dump, struct nlmsghdr *message)
{
	uint8_t *payload = mnl_nlmsg_get_payload(message);
	size_t len = mnl_nlmsg_get_payload_len(message);
	struct sock sock;

	if (message->nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return;
	redact_message(dump->rec->source->redactor, payload, len);
	if (inet_diag_decode(payload, len, dump->netid, &sock) == DECODE_OK)
		note_socket(dump, &sock);
}

/* Every message of the copy; what is no message is cleared, since it may hold anything. */
static void take_messages(struct dump *dump, size_t len)
{
	struct nlmsghdr *message = (struct nlmsghdr *)(void *)dump->copy;
	int left = (int)len;

	while (mnl_nlmsg_ok(message, left)) {
		take_message(dump, message);
		message = mnl_nlmsg_next(message, &left);
	}
	if (left > 0)
		memset(message, 0, (size_t)left);
}

static void put_frame(struct out *out, enum frame_kind kind, enum addr_family family,
		      const void *bytes, size_t len)
{
	struct frame frame = { .magic = FRAME_MAGIC,
			       .len = (uint32_t)len,
			       .sum = frame_sum(bytes, len),
			       .kind = (uint8_t)kind,
			       .family = (uint8_t)family };

	out_mem(out, &frame, sizeof(frame));
	out_mem(out, bytes, len);
}

static int take_datagram(const uint8_t *bytes, size_t len, void *context)
{
	struct dump *dump = context;

	if (len > dump->size) {
		dump->size = len;
		dump->copy = xrealloc_array(dump->copy, len, 1);
	}
	memcpy(dump->copy, bytes, len);
	take_messages(dump, len);
	put_frame(dump->out, FRAME_DATA, dump->family, dump->copy, len);
	return dump->out->error;
}

static bool is_whole(const struct netlink_dump_result *result)
{
	return !result->interrupted && !result->truncated && !result->overruns && !result->malformed;
}

/* One try. Return: 0, or the kernel's refusal. */
static int dump_once(struct dump *dump, struct netlink *nl, struct netlink_dump_result *result,
		     struct err *err)
{
	struct diag_request request = { .netid = dump->netid,
					.states = RECORD_STATES,
					.ext = DIAG_EXT_ALL };
	_Alignas(struct nlmsghdr) char buf[512];
	struct nlmsghdr *header = sock_diag_build(buf, sizeof(buf), &request, dump->family);

	*result = (struct netlink_dump_result){ 0 };
	return netlink_dump_raw(nl, header, take_datagram, dump, result, err);
}

/* Asks again, in the place of what was interrupted; then keeps what there is. */
static int dump_family(struct dump *dump, struct netlink *nl, struct err *err)
{
	struct netlink_dump_result result;
	struct frame_end end = { 0 };
	off_t begin;

	out_flush(dump->out);
	begin = lseek(dump->out->fd, 0, SEEK_CUR);
	for (unsigned try = 0; try <= DUMP_RETRIES; try++) {
		out_flush(dump->out);
		if (try && (ftruncate(dump->out->fd, begin) < 0 ||
			    lseek(dump->out->fd, begin, SEEK_SET) < 0))
			return err_errno(err, -errno, "cannot write to '%s'", dump->rec->plan->dir);
		end.error = dump_once(dump, nl, &result, err);
		if (end.error || is_whole(&result))
			break;
	}
	if (dump->out->error)
		return err_errno(err, dump->out->error, "cannot write to '%s'", dump->rec->plan->dir);
	end.complete = !end.error && is_whole(&result);
	if (!end.complete)
		notices_add(dump->rec->source->notices, "recording: the %s sockets of a sample are not complete",
			    netid_name(dump->netid));
	put_frame(dump->out, FRAME_END, dump->family, &end, sizeof(end));
	return 0;
}

static int write_sockets(struct recorder *rec, unsigned ns, unsigned sample, enum netid netid,
			 struct err *err)
{
	struct out out;
	struct dump dump = { .rec = rec, .out = &out, .ns = ns, .netid = netid };
	char name[RECORDING_NAME_MAX];
	struct netlink *nl;
	int closed, code = live_ns_diag(live_ns_of(rec->ns[ns]), &nl, err);

	if (code)
		return code;
	recording_name(name, ns, sample, netid_name(netid));
	code = create(rec, name, &out, err);
	if (code)
		return code;
	for (unsigned family = 0; family < ADDR_FAMILY_COUNT && !code; family++) {
		dump.family = (enum addr_family)family;
		code = dump_family(&dump, nl, err);
	}
	free(dump.copy);
	closed = finish(rec, name, &out, code ? NULL : err);
	return code ? code : closed;
}

static int write_counters(struct recorder *rec, unsigned ns, unsigned sample, struct err *err)
{
	for (size_t i = 0; i < COUNTER_FILES; i++) {
		char name[RECORDING_NAME_MAX];
		CLEANUP(out_close) struct out text = { .fd = -1 };
		struct out out;
		int code;

		out_open_mem(&text);
		if (rec->source->ops->proc_net(rec->ns[ns], counter_files[i].name, &text))
			continue; /* absent here, absent in the recording */
		recording_name(name, ns, sample, counter_files[i].name);
		code = create(rec, name, &out, err);
		if (code)
			return code;
		out_mem(&out, text.base, out_len(&text));
		code = finish(rec, name, &out, err);
		if (code)
			return code;
	}
	return 0;
}

static int write_sysctls(struct recorder *rec, unsigned ns, struct err *err)
{
	const struct source_ops *ops = rec->source->ops;
	AUTO_FREE char *text = xmalloc(SYSCTL_TEXT_MAX);
	char name[RECORDING_NAME_MAX];
	const char *path;
	struct out out;
	int code;

	recording_ns_name(name, ns, "sysctl");
	code = create(rec, name, &out, err);
	if (code)
		return code;
	if (ops->sysctl_enter(rec->ns[ns]) == 0) {
		for (size_t i = 0; (path = sysctl_path(i)); i++)
			if (ops->sysctl(rec->ns[ns], path, text, SYSCTL_TEXT_MAX) > 0) {
				out_str(&out, path);
				out_lit(&out, " = ");
				out_mem(&out, text, strcspn(text, "\n"));
				out_char(&out, '\n');
			}
		ops->sysctl_leave(rec->ns[ns]);
	}
	return finish(rec, name, &out, err);
}

static void put_addr(struct out *out, const struct addr *addr)
{
	CLEANUP(out_close) struct out text = { .fd = -1 };

	out_open_mem(&text);
	out_addr(&text, addr);
	table_text(out, out_text(&text));
}

static void put_route(struct out *out, const struct route *route)
{
	table_text(out, "route");
	put_addr(out, &route->destination);
	table_u64(out, (uint64_t)-route->error);
	table_u64(out, route->has);
	table_u64(out, route->ifindex);
	table_u64(out, route->mtu);
	table_u64(out, route->expires_ms);
	table_u64(out, route->link_mtu);
	table_u64(out, route->neighbour_state);
	table_u64(out, route->mtu_locked | route->carrier << 1 | route->is_default << 2 |
			       route->is_local << 3);
	put_addr(out, &route->gateway);
	put_addr(out, &route->source);
	table_text(out, route->device);
	table_end(out);
}

/* The way to the Internet stands under its true name also in a recording with stand-ins: whoever asks knows no other. */
static void put_ways_out(struct out *out, struct source_ns *ns)
{
	for (unsigned family = 0; family < ADDR_FAMILY_COUNT; family++) {
		struct addr out_there = route_way_out((enum addr_family)family);
		struct route route;

		if (source_route(ns, &out_there, &route, NULL))
			continue;
		route.destination = out_there;
		put_route(out, &route);
	}
}

static int write_routes(struct recorder *rec, unsigned ns, struct err *err)
{
	char name[RECORDING_NAME_MAX];
	struct out out;
	int code;

	recording_ns_name(name, ns, "route");
	code = create(rec, name, &out, err);
	if (code)
		return code;
	put_ways_out(&out, rec->ns[ns]);
	for (size_t i = 0; i < rec->peers[ns].count; i++) {
		struct route route;

		if (!source_route(rec->ns[ns], &rec->peers[ns].addr[i], &route, NULL))
			put_route(&out, &route);
	}
	table_text(&out, "end");
	table_end(&out);
	return finish(rec, name, &out, err);
}

/* What cannot be asked for is absent here, absent in the recording. */
static int write_network(struct recorder *rec, unsigned ns, struct err *err)
{
	char name[RECORDING_NAME_MAX];
	struct network network;
	struct out out;
	int code;

	if (source_network(rec->ns[ns], &network, NULL))
		return 0;
	recording_ns_name(name, ns, "network");
	code = create(rec, name, &out, err);
	if (code)
		return code;
	network_table_write(&out, &network);
	return finish(rec, name, &out, err);
}

static int write_sample(struct recorder *rec, unsigned sample, struct err *err)
{
	int code = 0;

	rec->clocks[sample] = clock_now();
	for (unsigned ns = 0; ns < rec->plan->count && !code; ns++) {
		code = write_counters(rec, ns, sample, err);
		for (unsigned netid = 0; netid < NETID_COUNT && !code; netid++)
			code = write_sockets(rec, ns, sample, (enum netid)netid, err);
	}
	return code;
}

/* Keeps, sorted, the inodes of the last sample that nobody holds. */
static void keep_unowned(struct recorder *rec)
{
	struct inode_set unowned = { rec->inodes, rec->inode_count };
	const struct holder *holders;

	inode_set_settle(&unowned);
	rec->inode_count = 0;
	for (size_t i = 0; i < unowned.count; i++)
		if (!owner_map_find(rec->owners, unowned.inode[i], &holders))
			rec->inodes[rec->inode_count++] = unowned.inode[i];
}

/* Those sockets that still stand. */
struct standing {
	const struct inode_set *among;
	struct out *out;
};

static int put_standing(const struct sock *sock, void *context)
{
	struct standing *standing = context;

	if (sock->inode && inode_set_has(standing->among, sock->inode, NULL)) {
		table_text(standing->out, "unowned");
		table_u64(standing->out, sock->inode);
		table_end(standing->out);
	}
	return 0;
}

/* A socket that was there before and after every process was read, and that none held: not one that came or went meanwhile. */
static void put_unowned(struct recorder *rec, struct out *out)
{
	struct inode_set unowned = { rec->inodes, rec->inode_count };
	struct standing standing = { &unowned, out };
	struct diag_result result;

	for (unsigned ns = 0; rec->inode_count && ns < rec->plan->count; ns++)
		for (unsigned netid = 0; netid < NETID_COUNT; netid++) {
			struct diag_request request = { .netid = (enum netid)netid,
							.families = 3,
							.states = RECORD_STATES };

			source_sockets(rec->ns[ns], &request, put_standing, &standing, &result, NULL);
		}
}

static void put_process(const struct process *process, struct out *out)
{
	const uint64_t numbers[] = { process->pid,    process->uid,
				     process->nspid,  process->fds,
				     process->nofile, (uint64_t)process->start_us,
				     (uint8_t)process->run_state };
	const char *const texts[] = { process->comm, process->cgroup, process->unit,
				      process->container };

	table_text(out, "process");
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		table_u64(out, numbers[i]);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		table_text(out, texts[i]);
	table_end(out);
	if (!process->netns)
		return;
	table_text(out, "netns");
	table_u64(out, process->netns);
	table_end(out);
}

static int compare_owned(const void *left, const void *right)
{
	const struct holder *a = left, *b = right;

	if (a->process->pid != b->process->pid)
		return a->process->pid < b->process->pid ? -1 : 1;
	/* a number may have been given anew between the passes */
	return (a->process->start_us > b->process->start_us) -
	       (a->process->start_us < b->process->start_us);
}

/* Descriptors stand below their process: the order of the map is given up, it is not asked any more. */
static void put_holders(struct owner_map *map, struct out *out)
{
	const struct process *newest = NULL;

	if (map->count)
		qsort(map->holders, map->count, sizeof(*map->holders), compare_owned);
	for (size_t i = 0; i < map->count; i++) {
		const struct holder *holder = &map->holders[i];

		if (holder->process != newest)
			put_process(holder->process, out);
		newest = holder->process;
		table_text(out, "fd");
		table_u64(out, holder->inode);
		table_u64(out, (uint64_t)holder->fd);
		table_end(out);
	}
}

static int write_owners(struct recorder *rec, struct err *err)
{
	struct out out;
	int code;

	if (!rec->owners)
		return 0;
	keep_unowned(rec);
	owner_map_second_look(rec->owners, rec->inodes, rec->inode_count);
	keep_unowned(rec);
	code = create(rec, "owners", &out, err);
	if (code)
		return code;
	table_text(&out, "pass");
	table_u64(&out, rec->owners->denied);
	table_u64(&out, rec->owners->hidden);
	table_end(&out);
	put_unowned(rec, &out);
	put_holders(rec->owners, &out);
	table_text(&out, "end");
	table_end(&out);
	return finish(rec, "owners", &out, err);
}

static void put_cgroup(uint64_t id, const char *path, void *context)
{
	table_text(context, "cgroup");
	table_u64(context, id);
	table_text(context, path);
	table_end(context);
}

static int write_cgroups(struct recorder *rec, struct err *err)
{
	struct out out;
	int code = create(rec, "cgroups", &out, err);

	if (code)
		return code;
	cgroup_index_each(rec->cgroups, put_cgroup, &out);
	table_text(&out, "end");
	table_end(&out);
	return finish(rec, "cgroups", &out, err);
}

static void put_clock(struct out *out, const struct clock_reading *clock)
{
	table_text(out, "sample");
	table_u64(out, (uint64_t)clock->real_us);
	table_u64(out, (uint64_t)clock->mono_us);
	table_u64(out, (uint64_t)clock->boot_us);
	table_end(out);
}

static void put_netns(struct out *out, const struct netns *ns)
{
	table_text(out, "netns");
	table_u64(out, ns->inode);
	table_u64(out, ns->pid);
	table_text(out, ns->name);
	table_text(out, ns->container);
	table_text(out, ns->unit);
	table_end(out);
}

static void put_pair(struct out *out, const char *key, const char *value)
{
	table_text(out, key);
	table_text(out, value);
	table_end(out);
}

static void put_platform(struct out *out, const struct platform *platform)
{
	table_text(out, "platform");
	table_text(out, platform->vendor);
	table_text(out, platform->product);
	table_text(out, platform->asset);
	table_end(out);
}

static int write_manifest(struct recorder *rec, struct err *err)
{
	struct out out;
	int code = create(rec, "manifest", &out, err);

	if (code)
		return code;
	table_text(&out, RECORDING_MAGIC);
	table_u64(&out, RECORDING_VERSION);
	table_end(&out);
	put_pair(&out, "byte_order", recording_byte_order());
	put_pair(&out, "host", rec->source->host);
	put_pair(&out, "kernel", rec->source->kernel);
	put_platform(&out, source_platform(rec->source));
	put_pair(&out, "redacted", rec->source->redactor ? "yes" : "no");
	for (size_t i = 0; i < rec->plan->count; i++)
		put_netns(&out, &rec->plan->list[i]);
	for (unsigned i = 0; i < rec->done; i++)
		put_clock(&out, &rec->clocks[i]);
	table_text(&out, "end");
	table_end(&out);
	return finish(rec, "manifest", &out, err);
}

/* Samples at their times. The owners are read before the last of them, so that the second look can tell what came later. */
static int write_samples(struct recorder *rec, struct err *err)
{
	const struct record_plan *plan = rec->plan;
	int64_t begin = clock_mono_us();

	for (unsigned i = 0; i < plan->samples; i++) {
		int code = plan->progress ? plan->progress(i, plan->samples, plan->context) : 0;

		if (!code && i + 1 == plan->samples &&
		    source_owners(rec->source, NULL, 0, &rec->owners, NULL))
			notices_add(rec->source->notices, "recording: the owners could not be read");
		if (!code && i)
			code = clock_sleep_until(begin + (int64_t)i * plan->interval_us);
		if (code)
			return i ? 0 : err_set(err, code, "interrupted before the first sample");
		code = write_sample(rec, i, err);
		if (code)
			return code;
		rec->done++;
	}
	return 0;
}

static int write_all(struct recorder *rec, struct err *err)
{
	int code = write_samples(rec, err);

	if (!code && !rec->owners)
		source_owners(rec->source, NULL, 0, &rec->owners, NULL);
	for (unsigned ns = 0; ns < rec->plan->count && !code; ns++) {
		code = write_sysctls(rec, ns, err);
		if (!code)
			code = write_routes(rec, ns, err);
		if (!code)
			code = write_network(rec, ns, err);
	}
	if (!code)
		code = write_owners(rec, err);
	if (!code)
		code = write_cgroups(rec, err);
	return code ? code : write_manifest(rec, err);
}

static bool is_empty(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *handle = fd < 0 ? NULL : fdopendir(fd);
	bool empty = true;
	struct dirent *entry;

	while (handle && (entry = readdir(handle)))
		empty &= !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
	if (handle)
		closedir(handle);
	return empty;
}

static int open_directory(struct recorder *rec, struct err *err)
{
	const char *path = rec->plan->dir;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_errno(err, -errno, "cannot make the directory '%s'", path);
	rec->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (rec->dir < 0)
		return err_errno(err, -errno, "cannot open the directory '%s'", path);
	if (!is_empty(rec->dir))
		return err_set(err, -ENOTEMPTY, "'%s' is not empty: a recording needs a directory of its own",
			       path);
	return 0;
}

static int open_namespaces(struct recorder *rec, struct err *err)
{
	int code = 0;

	for (size_t i = 0; i < rec->plan->count && !code; i++)
		code = source_ns_open(rec->source, &rec->plan->list[i], &rec->ns[i], err);
	return code;
}

static void release(struct recorder *rec)
{
	for (size_t i = 0; i < rec->plan->count; i++) {
		source_ns_close(rec->ns[i]);
		free(rec->peers[i].addr);
	}
	free(rec->ns);
	free(rec->peers);
	free(rec->clocks);
	free(rec->inodes);
	cgroup_index_free(rec->cgroups);
	owner_map_free(rec->owners);
	close_fd(&rec->dir);
}

/* Names that were found before the source was switched to stand-ins. */
static const struct netns *disguised(struct source *source, const struct record_plan *plan)
{
	struct netns *list = arena_alloc(source->arena, plan->count * sizeof(*list));

	for (size_t i = 0; i < plan->count; i++) {
		list[i] = plan->list[i];
		list[i].name = redact_text(source->redactor, REDACT_NETNS, list[i].name);
		list[i].container = redact_text(source->redactor, REDACT_CONTAINER, list[i].container);
		list[i].unit = redact_text(source->redactor, REDACT_UNIT, list[i].unit);
	}
	return list;
}

int record_run(struct source *live, const struct record_plan *plan, struct err *err)
{
	struct record_plan own = *plan;
	struct recorder rec = { .source = live, .plan = &own, .dir = -1 };
	int code;

	if (source_is_recorded(live))
		return err_set(err, -EINVAL, "a recording cannot be recorded");
	if (!plan->samples || plan->samples > RECORDING_SAMPLES_MAX ||
	    plan->count > RECORDING_NETNS_MAX)
		return err_set(err, -EINVAL, "a recording holds between 1 and %u samples",
			       RECORDING_SAMPLES_MAX);
	if (plan->redact && !live->redactor) {
		source_set_redact(live);
		own.list = disguised(live, plan);
	}
	rec.ns = xcalloc(plan->count, sizeof(struct source_ns *));
	rec.peers = xcalloc(plan->count, sizeof(*rec.peers));
	rec.clocks = xcalloc(plan->samples, sizeof(*rec.clocks));
	rec.cgroups = cgroup_index_new("");
	code = open_directory(&rec, err);
	if (!code)
		code = open_namespaces(&rec, err);
	if (!code)
		code = write_all(&rec, err);
	release(&rec);
	return code ? code : (int)rec.done;
}
