/* SPDX-License-Identifier: MIT */
/* The floor of an owner scan: every descriptor link of every process read once, sockets counted, nothing kept. */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t scan_links(int at)
{
	uint64_t sockets = 0;
	struct dirent *entry;
	DIR *dir = fdopendir(at);

	if (!dir) {
		close(at);
		return 0;
	}
	while ((entry = readdir(dir))) {
		char target[64];
		ssize_t len;

		if (entry->d_name[0] == '.')
			continue;
		len = readlinkat(at, entry->d_name, target, sizeof(target));
		sockets += len > 8 && !memcmp(target, "socket:[", 8);
	}
	closedir(dir);
	return sockets;
}

static uint64_t scan_process(int proc, const char *pid)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "%.20s/fd", pid);
	fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? 0 : scan_links(fd);
}

int main(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	uint64_t sockets = 0;

	if (!proc) {
		perror("fdscan: /proc");
		return 1;
	}
	while ((entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]))
			sockets += scan_process(dirfd(proc), entry->d_name);
	closedir(proc);
	printf("%llu\n", (unsigned long long)sockets);
	return 0;
}
