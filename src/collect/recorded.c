/* SPDX-License-Identifier: MIT */
/* A recording as a source. Everything in it came from outside: it may be cut anywhere or hold garbage, which is counted and said, and what
 * remains whole is used. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect/descriptors.h"
#include "collect/network_table.h"
#include "collect/owner_map.h"
#include "collect/recording.h"
#include "collect/source_internal.h"
#include "collect/sysctl.h"
#include "collect/table.h"
#include "tcptriage/base/file.h"
#include "tcptriage/base/num.h"
#include "tcptriage/base/words.h"
#include "tcptriage/collect/cgroup.h"
#include "tcptriage/collect/record.h"
#include "tcptriage/collect/sock_diag.h"

#define PROC_NET_MAX (1024 * 1024)
#define SYSCTL_FILE_MAX (SYSCTL_TEXT_MAX + 64 * 1024)

struct recorded {
	struct source base;
	int dir;
	const char *path;
	struct clock_reading *clocks;
	size_t clock_cap;
	struct netns *list;
	size_t count, cap;
	struct cgroup_index *cgroups;
};

/* Where the answer of one cookie stands in a dump. */
struct place {
	uint64_t cookie, offset;
};

/**
 * struct recorded_ns - namespace @number. @sysctl: text of its settings, NULL until asked. @routes: likewise.
 * @places: of the TCP sockets of sample @place_sample, sorted by cookie, NULL until asked.
 */
struct recorded_ns {
	struct source_ns base;
	unsigned number;
	struct out sysctl;
	struct route *routes;
	size_t route_count;
	struct place *places;
	size_t place_count, place_cap;
	unsigned place_sample;
};

static struct recorded *recorded_of(struct source_ns *ns)
{
	return (struct recorded *)ns->source;
}

static void close_recorded(struct source *source)
{
	struct recorded *recorded = (struct recorded *)source;

	close_fd(&recorded->dir);
	cgroup_index_free(recorded->cgroups);
	free(recorded->clocks);
	free(recorded->list);
	free(recorded);
}

static struct clock_reading recorded_clock(struct source *source, unsigned sample)
{
	return ((struct recorded *)source)->clocks[MIN(sample, source->samples - 1)];
}

/* Whether the user means this namespace: by name, container, pid or inode. */
static bool is_meant(const struct netns *ns, const char *wanted)
{
	uint64_t number;

	if (!strcmp(ns->name, wanted) || (*ns->container && !strcmp(ns->container, wanted)))
		return true;
	return num_u64(wanted, UINT64_MAX, &number) && number &&
	       (number == ns->pid || number == ns->inode);
}

static int find_meant(struct recorded *recorded, const char *wanted, struct err *err)
{
	struct words_nearest nearest = { .word = wanted };

	for (size_t i = 0; i < recorded->count; i++) {
		if (is_meant(&recorded->list[i], wanted))
			return (int)i;
		if (*recorded->list[i].name)
			words_offer(&nearest, recorded->list[i].name);
	}
	return err_set(err, -ENOENT, "the recording holds no network namespace named '%s'%s", wanted,
		       words_hint(&nearest).text);
}

static int recorded_namespaces(struct source *source, const char *wanted,
			       const struct netns **list, unsigned *others, struct err *err)
{
	struct recorded *recorded = (struct recorded *)source;
	int index = 0, count = 1;

	if (wanted && !*wanted)
		count = (int)recorded->count;
	else if (wanted)
		index = find_meant(recorded, wanted, err);
	if (index < 0)
		return index;
	*list = recorded->list + index;
	if (others)
		*others = (unsigned)(recorded->count - (size_t)count);
	return count;
}

static int recorded_ns_open(struct source *source, const struct netns *ns, struct source_ns **out,
			    struct err *err)
{
	struct recorded *recorded = (struct recorded *)source;
	struct recorded_ns *opened;
	unsigned number = 0;

	while (number < recorded->count && recorded->list[number].inode != ns->inode)
		number++;
	if (number == recorded->count)
		return err_set(err, -ENOENT, "the recording does not hold this network namespace");
	opened = xcalloc(1, sizeof(*opened));
	*opened = (struct recorded_ns){ .base = { .source = source, .ns = ns }, .number = number };
	*out = &opened->base;
	return 0;
}

static void recorded_ns_close(struct source_ns *base)
{
	struct recorded_ns *ns = (struct recorded_ns *)base;

	if (ns->sysctl.base)
		out_close(&ns->sysctl);
	free(ns->routes);
	free(ns->places);
	free(ns);
}

static int open_dump(struct recorded_ns *ns, enum netid netid, struct err *err)
{
	struct recorded *recorded = recorded_of(&ns->base);
	char name[RECORDING_NAME_MAX];
	int fd;

	recording_name(name, ns->number, ns->base.sample, netid_name(netid));
	fd = recording_open(recorded->dir, name);
	return fd < 0 ? err_errno(err, fd, "cannot read '%s/%s'", recorded->path, name) : fd;
}

/* What the end frame of a family says. Return: the kernel's refusal at the time, 0 when there was none. */
static int take_end(const struct frame_reader *reader, struct source *source,
		    const struct diag_request *request, struct diag_result *result,
		    struct err *err)
{
	struct frame_end end;

	memcpy(&end, reader->bytes, sizeof(end));
	if (!end.complete) {
		result->complete = false;
		notices_add(source->notices, "sock_diag %s: the dump was not complete when it was recorded",
			    netid_name(request->netid));
	}
	if (!end.error)
		return 0;
	if (end.error > 0 || end.error < -4095)
		return err_set(err, -EBADMSG, "the recording holds garbage");
	return err_errno(err, end.error, "the kernel refused when this was recorded");
}

/* Return: what the caller of the walk wants to stop with; what the kernel ended a dump with stands in the end frame. */
static int take_datagram(const struct frame_reader *reader, struct sock_diag_tally *tally)
{
	bool done = false;
	int code = netlink_walk(reader->bytes, reader->frame.len, 0, sock_diag_take, tally,
				&tally->result->dump, &done);

	tally->result->dump.bytes += reader->frame.len;
	return done ? 0 : code;
}

static int replay(int fd, struct source *source, const struct diag_request *request,
		  struct sock_diag_tally *tally, struct err *err)
{
	struct frame_reader reader CLEANUP(frame_close);
	unsigned ended = 0;
	int code = 0;

	frame_open(&reader, fd);
	while (!code && frame_next(&reader)) {
		if (!(request->families & 1u << reader.frame.family))
			continue;
		if (reader.frame.kind == FRAME_END) {
			ended |= 1u << reader.frame.family;
			code = take_end(&reader, source, request, tally->result, err);
		} else {
			code = take_datagram(&reader, tally);
		}
	}
	tally->result->dump.malformed += reader.garbage;
	if (!code && ended != request->families) {
		tally->result->complete = false;
		notices_add(source->notices, "sock_diag %s: the recording is cut",
			    netid_name(request->netid));
	}
	return code;
}

static int recorded_sockets(struct source_ns *base, const struct diag_request *request,
			    source_socket_fn *fn, void *context, struct diag_result *result,
			    struct err *err)
{
	struct diag_request asked = *request;
	struct sock_diag_tally tally = { .netid = request->netid,
					 .states = request->states,
					 .fn = fn,
					 .context = context,
					 .result = result };
	AUTO_FD int fd = open_dump((struct recorded_ns *)base, request->netid, err);

	if (fd < 0)
		return fd;
	asked.families &= (1u << ADDR_FAMILY_COUNT) - 1;
	tally.families = asked.families;
	return replay(fd, base->source, &asked, &tally, err);
}

/* One look through the dump, to find single sockets in it later. */
struct indexing {
	struct recorded_ns *ns;
	const struct frame_reader *reader;
};

static int index_message(const struct nlmsghdr *message, void *context)
{
	struct indexing *indexing = context;
	struct recorded_ns *ns = indexing->ns;
	const uint8_t *payload = (const uint8_t *)NLMSG_DATA(message);
	size_t len = message->nlmsg_len - NLMSG_HDRLEN;
	struct sock sock;

	if (inet_diag_decode(payload, len, NETID_TCP, &sock) != DECODE_OK)
		return 0;
	if (ns->place_count == ns->place_cap) {
		ns->place_cap = ns->place_cap ? ns->place_cap * 2 : 256;
		ns->places = xrealloc_array(ns->places, ns->place_cap, sizeof(*ns->places));
	}
	ns->places[ns->place_count++] = (struct place){
		.cookie = sock.cookie,
		.offset = indexing->reader->offset - indexing->reader->frame.len +
			  (uint64_t)((const uint8_t *)message - indexing->reader->bytes),
	};
	return 0;
}

static int compare_places(const void *left, const void *right)
{
	const struct place *a = left, *b = right;

	return (a->cookie > b->cookie) - (a->cookie < b->cookie);
}

static void index_dump(struct recorded_ns *ns, int fd)
{
	struct frame_reader reader CLEANUP(frame_close);
	struct indexing indexing = { .ns = ns, .reader = &reader };

	frame_open(&reader, fd);
	ns->place_count = 0;
	while (frame_next(&reader)) {
		struct netlink_dump_result unused = { 0 };
		bool done = false;

		if (reader.frame.kind == FRAME_DATA)
			netlink_walk(reader.bytes, reader.frame.len, 0, index_message, &indexing,
				     &unused, &done);
	}
	if (!ns->places)
		ns->places = xcalloc(1, sizeof(*ns->places));
	if (ns->place_count)
		qsort(ns->places, ns->place_count, sizeof(*ns->places), compare_places);
	ns->place_sample = ns->base.sample;
}

static int read_place(int fd, const struct place *place, struct sock *sock, uint8_t *buf, size_t size)
{
	struct nlmsghdr header;
	struct sock found;
	size_t len;

	if (pread(fd, &header, sizeof(header), (off_t)place->offset) != sizeof(header) ||
	    header.nlmsg_len < NLMSG_HDRLEN)
		return -EBADMSG;
	len = header.nlmsg_len - NLMSG_HDRLEN;
	if (len > size)
		return -EMSGSIZE;
	if (pread(fd, buf, len, (off_t)(place->offset + NLMSG_HDRLEN)) != (ssize_t)len ||
	    inet_diag_decode(buf, len, NETID_TCP, &found) != DECODE_OK ||
	    found.cookie != sock->cookie)
		return -EBADMSG;
	*sock = found;
	return 0;
}

static int recorded_socket_info(struct source_ns *base, struct sock *sock, uint8_t *buf, size_t size)
{
	struct recorded_ns *ns = (struct recorded_ns *)base;
	struct place wanted = { .cookie = sock->cookie }, *hit;
	AUTO_FD int fd = open_dump(ns, NETID_TCP, NULL);

	if (fd < 0)
		return fd;
	if (!ns->places || ns->place_sample != base->sample)
		index_dump(ns, fd);
	hit = bsearch(&wanted, ns->places, ns->place_count, sizeof(wanted), compare_places);
	return hit ? read_place(fd, hit, sock, buf, size) : -ENOENT;
}

static int slurp(struct recorded *recorded, const char *name, struct out *out, size_t max)
{
	AUTO_FD int fd = recording_open(recorded->dir, name);

	/* opened before it is read by name: what is no regular file is refused there */
	return fd < 0 ? fd : file_slurp_at(recorded->dir, name, out, max);
}

static int recorded_proc_net(struct source_ns *base, const char *file, struct out *out)
{
	char name[RECORDING_NAME_MAX];

	recording_name(name, ((struct recorded_ns *)base)->number, base->sample, file);
	return slurp(recorded_of(base), name, out, PROC_NET_MAX);
}

static int recorded_sysctl_enter(struct source_ns *base)
{
	struct recorded_ns *ns = (struct recorded_ns *)base;
	char name[RECORDING_NAME_MAX];

	if (ns->sysctl.base)
		return 0;
	out_open_mem(&ns->sysctl);
	recording_ns_name(name, ns->number, "sysctl");
	return slurp(recorded_of(base), name, &ns->sysctl, SYSCTL_FILE_MAX);
}

static void recorded_sysctl_leave(struct source_ns *base)
{
	(void)base;
}

/* The line "path = value". Its newline goes along: a value without one was cut. */
static int recorded_sysctl(struct source_ns *base, const char *path, char *buf, size_t size)
{
	const char *line = out_text(&((struct recorded_ns *)base)->sysctl);
	size_t len = strlen(path);

	for (; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		size_t value;

		if (strncmp(line, path, len) || strncmp(line + len, " = ", 3))
			continue;
		line += len + 3;
		value = strcspn(line, "\n");
		value += line[value] == '\n';
		if (value >= size)
			return -EFBIG;
		memcpy(buf, line, value);
		buf[value] = '\0';
		return (int)value;
	}
	return -ENOENT;
}

static bool take_u32(const struct table_reader *reader, size_t index, uint32_t *out)
{
	uint64_t value;

	if (!table_number(reader, index, UINT32_MAX, &value))
		return false;
	*out = (uint32_t)value;
	return true;
}

static bool take_route(const struct table_reader *reader, struct route *route)
{
	uint32_t error, neighbour, flags;

	*route = (struct route){ .error = 0 };
	if (!table_is(reader, "route", 13) || !addr_parse(reader->field[1], &route->destination) ||
	    !take_u32(reader, 2, &error) || error > 4095 || !take_u32(reader, 3, &route->has) ||
	    !take_u32(reader, 4, &route->ifindex) || !take_u32(reader, 5, &route->mtu) ||
	    !take_u32(reader, 6, &route->expires_ms) || !take_u32(reader, 7, &route->link_mtu) ||
	    !take_u32(reader, 8, &neighbour) || !take_u32(reader, 9, &flags) ||
	    !addr_parse(reader->field[10], &route->gateway) ||
	    !addr_parse(reader->field[11], &route->source) ||
	    strlen(reader->field[12]) >= sizeof(route->device))
		return false;
	route->error = -(int)error;
	route->neighbour_state = (uint16_t)neighbour;
	route->mtu_locked = flags & 1;
	route->carrier = flags & 2;
	route->is_default = flags & 4;
	route->is_local = flags & 8;
	strcpy(route->device, reader->field[12]);
	return true;
}

/* What was cut or odd in a text file is said once a file. */
static void say_odd(struct source *source, const char *what, const struct table_reader *reader,
		    bool ended, unsigned odd)
{
	if (reader->odd + odd)
		notices_add(source->notices, "recording: lines of its %s could not be read", what);
	if (!ended)
		notices_add(source->notices, "recording: its %s are cut", what);
}

static void load_routes(struct recorded_ns *ns, int fd)
{
	struct table_reader reader CLEANUP(table_close) = { .buf = NULL };
	unsigned odd = 0;
	bool ended = false;

	table_open(&reader, fd);
	while (!ended && table_next(&reader)) {
		ended = table_is(&reader, "end", 1);
		if (ended)
			break;
		if (ns->route_count < RECORD_ROUTES_MAX &&
		    take_route(&reader, &ns->routes[ns->route_count]))
			ns->route_count++;
		else
			odd++;
	}
	say_odd(ns->base.source, "routes", &reader, ended, odd);
}

static int recorded_route(struct source_ns *base, struct route *route, struct err *err)
{
	struct recorded_ns *ns = (struct recorded_ns *)base;

	if (!ns->routes) {
		char name[RECORDING_NAME_MAX];
		AUTO_FD int fd = -1;

		ns->routes = xcalloc(RECORD_ROUTES_MAX, sizeof(*ns->routes));
		recording_ns_name(name, ns->number, "route");
		fd = recording_open(recorded_of(base)->dir, name);
		if (fd >= 0)
			load_routes(ns, fd);
	}
	for (size_t i = 0; i < ns->route_count; i++)
		if (addr_equal(&ns->routes[i].destination, &route->destination)) {
			*route = ns->routes[i];
			return 0;
		}
	return err_set(err, -ENODATA, "the recording holds no route to this destination");
}

static void load_network(struct source *source, struct network_list *list, int fd)
{
	struct table_reader reader CLEANUP(table_close) = { .buf = NULL };
	bool ended = false;
	unsigned odd = 0;

	table_open(&reader, fd);
	while (!ended && table_next(&reader)) {
		ended = table_is(&reader, "end", 1);
		odd += !ended && !network_table_take(list, &reader);
	}
	list->cut = list->cut || !ended || odd || reader.odd;
	say_odd(source, "interfaces and routes", &reader, ended, odd);
}

static int recorded_network(struct source_ns *base, struct network_list *list, struct err *err)
{
	char name[RECORDING_NAME_MAX];
	AUTO_FD int fd = -1;

	recording_ns_name(name, ((struct recorded_ns *)base)->number, "network");
	fd = recording_open(recorded_of(base)->dir, name);
	if (fd < 0)
		return err_set(err, -ENODATA, "the recording holds no interfaces and routes");
	load_network(base->source, list, fd);
	return 0;
}

/* struct owner_loading - lines of the owners' file on the way into a map. @first: of the newest process's descriptors. */
struct owner_loading {
	struct owner_map *map;
	struct process *process;
	size_t first, named_cap;
	bool all;
};

static void close_process(struct owner_loading *load)
{
	if (load->process && load->map->count > load->first)
		owner_map_process(load->map, load->process, load->first);
	load->process = NULL;
	load->first = load->map->count;
}

static bool take_process(struct owner_loading *load, const struct table_reader *r)
{
	struct process *p = arena_alloc(&load->map->arena, sizeof(*p));
	struct arena *arena = &load->map->arena;
	uint64_t start, state;

	close_process(load);
	if (!take_u32(r, 1, &p->pid) || !take_u32(r, 2, &p->uid) || !take_u32(r, 3, &p->nspid) ||
	    !take_u32(r, 4, &p->fds) || !table_number(r, 5, UINT64_MAX, &p->nofile) ||
	    !table_number(r, 6, INT64_MAX, &start) || !table_number(r, 7, 127, &state))
		return false;
	p->start_us = (int64_t)start;
	p->run_state = (char)state;
	p->comm = arena_strdup(arena, r->field[8]);
	p->cgroup = arena_strdup(arena, r->field[9]);
	p->unit = arena_strdup(arena, r->field[10]);
	p->container = arena_strdup(arena, r->field[11]);
	load->process = p;
	return true;
}

static bool take_descriptor(struct owner_loading *load, const struct table_reader *r)
{
	uint32_t inode;
	uint64_t fd;

	if (!load->process || !take_u32(r, 1, &inode) || !table_number(r, 2, INT32_MAX, &fd))
		return false;
	if (load->all || inode_set_has(&load->map->wanted, inode, NULL)) {
		load->process->sockets++;
		owner_map_add(load->map, inode, load->process, (int32_t)fd);
	}
	return true;
}

static bool take_unowned(struct owner_loading *load, const struct table_reader *r)
{
	struct inode_set *named = &load->map->named;
	uint32_t inode;

	if (!take_u32(r, 1, &inode))
		return false;
	if (named->count == load->named_cap) {
		load->named_cap = load->named_cap ? load->named_cap * 2 : 64;
		named->inode = xrealloc_array(named->inode, load->named_cap, sizeof(inode));
	}
	named->inode[named->count++] = inode;
	return true;
}

static bool take_pass(struct owner_loading *load, const struct table_reader *r)
{
	uint64_t hidden;

	if (!take_u32(r, 1, &load->map->denied) || !table_number(r, 2, 1, &hidden))
		return false;
	load->map->hidden = hidden;
	return true;
}

/* Stands below its process since the namespace is recorded at all. */
static bool take_process_netns(struct owner_loading *load, const struct table_reader *r)
{
	return load->process && table_number(r, 1, UINT64_MAX, &load->process->netns);
}

static const struct owner_line {
	const char *key;
	size_t fields;
	bool (*take)(struct owner_loading *load, const struct table_reader *reader);
} owner_lines[] = {
	{ "fd", 3, take_descriptor },
	{ "process", 12, take_process },
	{ "netns", 2, take_process_netns },
	{ "unowned", 2, take_unowned },
	{ "pass", 3, take_pass },
};

static bool take_owner_line(struct owner_loading *load, const struct table_reader *reader)
{
	for (size_t i = 0; i < ARRAY_SIZE(owner_lines); i++)
		if (table_is(reader, owner_lines[i].key, owner_lines[i].fields))
			return owner_lines[i].take(load, reader);
	return false;
}

static void load_owners(struct source *source, struct owner_loading *load, int fd)
{
	struct table_reader reader CLEANUP(table_close) = { .buf = NULL };
	unsigned odd = 0;
	bool ended = false;

	table_open(&reader, fd);
	while (!ended && table_next(&reader)) {
		ended = table_is(&reader, "end", 1);
		odd += !ended && !take_owner_line(load, &reader);
	}
	close_process(load);
	owner_map_sort(load->map);
	inode_set_settle(&load->map->named);
	say_odd(source, "owners", &reader, ended, odd);
}

/* A recording was made by a whole pass, whatever is wanted of it now: only "unowned" lines say that nobody held a socket. */
static int recorded_owners(struct source *source, const uint32_t *wanted, size_t count,
			   struct owner_map **out, struct err *err)
{
	struct recorded *recorded = (struct recorded *)source;
	AUTO_FD int fd = recording_open(recorded->dir, "owners");
	int64_t begin = clock_mono_us();
	struct owner_loading load = { .all = !wanted };

	if (fd < 0)
		return err_errno(err, fd, "cannot read '%s/owners'", recorded->path);
	load.map = owner_map_new(source->redactor);
	load.map->whole = true;
	if (wanted)
		load.map->wanted = inode_set_copy(wanted, count);
	load_owners(source, &load, fd);
	free(load.map->wanted.inode);
	load.map->wanted = (struct inode_set){ 0 };
	load.map->cost_us = clock_mono_us() - begin;
	*out = load.map;
	return 0;
}

static int recorded_descriptors(struct source *source, struct descriptor_use *out, struct err *err)
{
	int64_t begin = clock_mono_us();
	struct owner_map *map;
	int code = recorded_owners(source, NULL, 0, &map, err);

	if (code)
		return code;
	descriptors_of_map(map, source->arena, out);
	owner_map_free(map);
	out->cost_us = clock_mono_us() - begin;
	return 0;
}

static void load_cgroups(struct recorded *recorded)
{
	struct table_reader reader CLEANUP(table_close) = { .buf = NULL };
	AUTO_FD int fd = recording_open(recorded->dir, "cgroups");
	unsigned odd = 0;
	bool ended = false;

	recorded->cgroups = cgroup_index_new("");
	if (fd < 0)
		return;
	table_open(&reader, fd);
	while (!ended && table_next(&reader)) {
		uint64_t id;

		ended = table_is(&reader, "end", 1);
		if (table_is(&reader, "cgroup", 3) && table_number(&reader, 1, UINT64_MAX, &id))
			cgroup_index_add(recorded->cgroups, id, reader.field[2]);
		else
			odd += !ended;
	}
	say_odd(&recorded->base, "cgroups", &reader, ended, odd);
}

static const char *recorded_cgroup_path(struct source *source, uint64_t id)
{
	struct recorded *recorded = (struct recorded *)source;

	if (!recorded->cgroups)
		load_cgroups(recorded);
	return cgroup_path_of(recorded->cgroups, id);
}

static const struct source_ops recorded_ops = {
	.close = close_recorded,
	.clock = recorded_clock,
	.namespaces = recorded_namespaces,
	.ns_open = recorded_ns_open,
	.ns_close = recorded_ns_close,
	.sockets = recorded_sockets,
	.socket_info = recorded_socket_info,
	.proc_net = recorded_proc_net,
	.sysctl = recorded_sysctl,
	.sysctl_enter = recorded_sysctl_enter,
	.sysctl_leave = recorded_sysctl_leave,
	.route = recorded_route,
	.network = recorded_network,
	.owners = recorded_owners,
	.descriptors = recorded_descriptors,
	.cgroup_path = recorded_cgroup_path,
};

static bool take_sample(struct recorded *recorded, const struct table_reader *r)
{
	uint64_t real, mono, boot;

	if (!table_is(r, "sample", 4) || !table_number(r, 1, INT64_MAX, &real) ||
	    !table_number(r, 2, INT64_MAX, &mono) || !table_number(r, 3, INT64_MAX, &boot) ||
	    recorded->base.samples == RECORDING_SAMPLES_MAX)
		return false;
	if (recorded->base.samples == recorded->clock_cap) {
		recorded->clock_cap = recorded->clock_cap ? recorded->clock_cap * 2 : 16;
		recorded->clocks = xrealloc_array(recorded->clocks, recorded->clock_cap,
						  sizeof(*recorded->clocks));
	}
	recorded->clocks[recorded->base.samples++] =
		(struct clock_reading){ (int64_t)real, (int64_t)mono, (int64_t)boot };
	return true;
}

static bool take_netns(struct recorded *recorded, const struct table_reader *r)
{
	struct arena *arena = recorded->base.arena;
	struct netns ns = { .path = NULL };

	if (!table_is(r, "netns", 6) || !table_number(r, 1, UINT64_MAX, &ns.inode) ||
	    !take_u32(r, 2, &ns.pid) || recorded->count == RECORDING_NETNS_MAX)
		return false;
	ns.name = arena_strdup(arena, r->field[3]);
	ns.container = arena_strdup(arena, r->field[4]);
	ns.unit = arena_strdup(arena, r->field[5]);
	if (recorded->count == recorded->cap) {
		recorded->cap = recorded->cap ? recorded->cap * 2 : 16;
		recorded->list = xrealloc_array(recorded->list, recorded->cap,
						sizeof(*recorded->list));
	}
	recorded->list[recorded->count++] = ns;
	return true;
}

static bool take_manifest_line(struct recorded *recorded, const struct table_reader *r)
{
	if (table_is(r, "host", 2))
		recorded->base.host = arena_strdup(recorded->base.arena, r->field[1]);
	else if (table_is(r, "kernel", 2))
		recorded->base.kernel = arena_strdup(recorded->base.arena, r->field[1]);
	else if (table_is(r, "platform", 4))
		recorded->base.platform = (struct platform){
			.vendor = arena_strdup(recorded->base.arena, r->field[1]),
			.product = arena_strdup(recorded->base.arena, r->field[2]),
			.asset = arena_strdup(recorded->base.arena, r->field[3]),
		};
	else if (!table_is(r, "redacted", 2))
		return take_sample(recorded, r) || take_netns(recorded, r);
	return true;
}

/* The first two lines say whether this is a recording that this program, on this machine, can read. */
static int take_manifest_head(struct recorded *recorded, struct table_reader *r, struct err *err)
{
	uint64_t version;

	if (!table_next(r) || !table_is(r, RECORDING_MAGIC, 2) ||
	    !table_number(r, 1, UINT32_MAX, &version))
		return err_set(err, -EINVAL, "'%s' is not a recording", recorded->path);
	if (version != RECORDING_VERSION)
		return err_set(err, -EINVAL, "'%s' is a recording of version %llu, this program reads %u",
			       recorded->path, (unsigned long long)version, RECORDING_VERSION);
	if (!table_next(r) || !table_is(r, "byte_order", 2))
		return err_set(err, -EINVAL, "'%s' is not a recording", recorded->path);
	if (strcmp(r->field[1], recording_byte_order()))
		return err_set(err, -EINVAL, "'%s' was recorded on a machine of another byte order",
			       recorded->path);
	return 0;
}

static int load_manifest(struct recorded *recorded, int fd, struct err *err)
{
	struct table_reader reader CLEANUP(table_close) = { .buf = NULL };
	bool ended = false;
	unsigned odd = 0;
	int code;

	table_open(&reader, fd);
	code = take_manifest_head(recorded, &reader, err);
	if (code)
		return code;
	while (!ended && table_next(&reader)) {
		ended = table_is(&reader, "end", 1);
		odd += !ended && !take_manifest_line(recorded, &reader);
	}
	say_odd(&recorded->base, "manifest lines", &reader, ended, odd);
	if (!recorded->base.samples || !recorded->count)
		return err_set(err, -EINVAL, "the recording '%s' holds no sample", recorded->path);
	return 0;
}

int source_open_recorded(struct source **out, const char *dir, struct arena *arena,
			 struct notices *notices, struct err *err)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), code;
	AUTO_FD int manifest = -1;
	struct recorded *recorded;

	*out = NULL;
	if (fd < 0)
		return err_errno(err, -errno, "cannot open the recording '%s'", dir);
	recorded = xcalloc(1, sizeof(*recorded));
	recorded->base = (struct source){ .ops = &recorded_ops,
					  .arena = arena,
					  .notices = notices,
					  .host = "",
					  .kernel = "",
					  .platform = { "", "", "" } };
	recorded->dir = fd;
	recorded->path = arena_strdup(arena, dir);
	manifest = recording_open(fd, "manifest");
	if (manifest == -ENOENT)
		code = err_set(err, -EINVAL, "'%s' is not a recording: it holds no manifest", dir);
	else if (manifest < 0)
		code = err_errno(err, manifest, "cannot read '%s/manifest'", dir);
	else
		code = load_manifest(recorded, manifest, err);
	if (code) {
		close_recorded(&recorded->base);
		return code;
	}
	*out = &recorded->base;
	return 0;
}
