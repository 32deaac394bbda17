/* SPDX-License-Identifier: MIT */
/* Where names come from: this machine's resolver, services, interfaces, users and cgroups. */
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "tcptriage/filter/filter.h"

#define CGROUP2_MAGIC 0x63677270

static bool take_address(const struct addrinfo *info, struct addr *addr)
{
	*addr = (struct addr){ .family = info->ai_family == AF_INET6 ? ADDR_V6 : ADDR_V4 };
	if (info->ai_family == AF_INET)
		memcpy(addr->bytes, &((const struct sockaddr_in *)(const void *)info->ai_addr)->sin_addr, 4);
	else if (info->ai_family == AF_INET6)
		memcpy(addr->bytes, &((const struct sockaddr_in6 *)(const void *)info->ai_addr)->sin6_addr, 16);
	else
		return false;
	return true;
}

static unsigned live_hosts(const char *name, struct addr *out, unsigned max)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct addrinfo *list;
	unsigned count = 0;

	if (getaddrinfo(name, NULL, &hints, &list))
		return 0;
	for (const struct addrinfo *info = list; info && count < max; info = info->ai_next)
		count += take_address(info, &out[count]);
	freeaddrinfo(list);
	return count;
}

static bool live_service(const char *name, uint16_t *port)
{
	static const char *const protocols[] = { "tcp", "udp" };

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		const struct servent *entry = getservbyname(name, protocols[i]);

		if (!entry)
			continue;
		*port = ntohs((uint16_t)entry->s_port);
		return true;
	}
	return false;
}

static uint32_t live_interface(const char *name)
{
	return if_nametoindex(name);
}

static bool live_user(const char *name, uint32_t *uid)
{
	const struct passwd *entry = getpwnam(name);

	if (entry)
		*uid = entry->pw_uid;
	return entry;
}

/* The id is what the file handle holds: an inode number is cut to 32 bits on some machines. */
static uint64_t id_of_path(const char *path)
{
	union {
		struct file_handle head;
		char room[sizeof(struct file_handle) + sizeof(uint64_t)];
	} handle = { .head.handle_bytes = sizeof(uint64_t) };
	struct statfs fs;
	struct stat st;
	uint64_t id;
	int mount;

	if (statfs(path, &fs) || fs.f_type != CGROUP2_MAGIC)
		return 0;
	if (!name_to_handle_at(AT_FDCWD, path, &handle.head, &mount, 0) &&
	    handle.head.handle_bytes == sizeof(id)) {
		memcpy(&id, handle.room + sizeof(struct file_handle), sizeof(id));
		return id;
	}
	return stat(path, &st) ? 0 : st.st_ino;
}

/* A path in the file system, or one below the place where cgroup v2 is mounted. */
static uint64_t live_cgroup(const char *path)
{
	uint64_t id = id_of_path(path);
	char full[4096], buf[4096];
	struct mntent entry;
	FILE *mounts;

	if (id)
		return id;
	mounts = setmntent("/proc/self/mounts", "re");
	while (mounts && !id && getmntent_r(mounts, &entry, buf, sizeof(buf)))
		if (!strcmp(entry.mnt_type, "cgroup2") &&
		    snprintf(full, sizeof(full), "%s/%s", entry.mnt_dir, path) < (int)sizeof(full))
			id = id_of_path(full);
	if (mounts)
		endmntent(mounts);
	return id;
}

const struct filter_world filter_world_live = { live_hosts, live_service, live_interface, live_user,
						live_cgroup };
const struct filter_world filter_world_recorded = { .hosts = live_hosts, .service = live_service };
