/* SPDX-License-Identifier: MIT */
/* What the kernel says of the interface itself: its address, MTU, offloads, and what the card lost. */
#include "capture/live_link.h"

#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tcptriage/base/file.h"

static const char *const drop_counters[LIVE_LINK_DROPS] = { "rx_missed_errors", "rx_fifo_errors" };

static void get_address(struct live_link *link, int fd, struct ifreq *request)
{
	static const uint8_t none[6];

	if (ioctl(fd, SIOCGIFHWADDR, request) || request->ifr_hwaddr.sa_family != ARPHRD_ETHER)
		return;
	memcpy(link->mac, request->ifr_hwaddr.sa_data, sizeof(link->mac));
	link->has_mac = memcmp(link->mac, none, sizeof(none)) != 0;
}

static bool has_feature(int fd, struct ifreq *request, uint32_t command, uint32_t mask)
{
	struct ethtool_value value = { .cmd = command };

	request->ifr_data = (char *)&value;
	return !ioctl(fd, SIOCETHTOOL, request) && (value.data & mask);
}

static void get_offload(struct live_link *link, int fd, struct ifreq *request)
{
	link->offload = has_feature(fd, request, ETHTOOL_GGRO, 1) || has_feature(fd, request, ETHTOOL_GTSO, 1) ||
			has_feature(fd, request, ETHTOOL_GGSO, 1) || has_feature(fd, request, ETHTOOL_GFLAGS, ETH_FLAG_LRO);
}

static int open_sysfs(const char *name, const char *file)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/class/net/%s/%s", name, file);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static uint64_t read_number(int fd)
{
	char text[32];
	ssize_t len = pread(fd, text, sizeof(text) - 1, 0);

	text[len < 0 ? 0 : len] = '\0';
	return strtoull(text, NULL, 10);
}

/* /sys shows the namespace of whoever mounted it, which need not be ours (nsenter -n). Another interface of this name has another number or,
 * nearly always, another address. */
static bool sysfs_is_ours(const struct live_link *link, const char *name)
{
	AUTO_FD int index = open_sysfs(name, "ifindex"), address = open_sysfs(name, "address");
	char is[32] = "", want[32];

	if (index < 0 || read_number(index) != link->ifindex)
		return false;
	snprintf(want, sizeof(want), "%02x:%02x:%02x:%02x:%02x:%02x\n", link->mac[0], link->mac[1], link->mac[2], link->mac[3], link->mac[4], link->mac[5]);
	return !link->has_mac || (pread(address, is, sizeof(is) - 1, 0) > 0 && !strcmp(is, want));
}

static uint64_t sum_of_drops(const struct live_link *link)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < LIVE_LINK_DROPS; i++)
		sum += link->drops[i] < 0 ? 0 : read_number(link->drops[i]);
	return sum;
}

void live_link_open(struct live_link *link, const char *name)
{
	AUTO_FD int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_mtu = 0 };

	*link = (struct live_link){ .ifindex = if_nametoindex(name), .drops = { -1, -1 } };
	if (!link->ifindex || fd < 0)
		return;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (!ioctl(fd, SIOCGIFMTU, &request))
		link->mtu = (uint32_t)request.ifr_mtu;
	get_address(link, fd, &request);
	get_offload(link, fd, &request);
	for (size_t i = 0; i < LIVE_LINK_DROPS && sysfs_is_ours(link, name); i++) {
		char file[64];

		snprintf(file, sizeof(file), "statistics/%s", drop_counters[i]);
		link->drops[i] = open_sysfs(name, file);
	}
	link->drops_begin = sum_of_drops(link);
}

uint64_t live_link_drops(const struct live_link *link)
{
	uint64_t sum = sum_of_drops(link);

	return sum > link->drops_begin ? sum - link->drops_begin : 0;
}

void live_link_close(struct live_link *link)
{
	for (size_t i = 0; i < LIVE_LINK_DROPS; i++)
		close_fd(&link->drops[i]);
}
