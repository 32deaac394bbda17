/* SPDX-License-Identifier: MIT */
/* From what the user calls an interface to an active handle of libpcap, or to the reason why there is none. */
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/live.h"
#include "tcptriage/base/words.h"

static void free_devices(pcap_if_t **devices)
{
	if (*devices)
		pcap_freealldevs(*devices);
}

static bool is_known(const pcap_if_t *devices, const char *name)
{
	for (const pcap_if_t *device = devices; device; device = device->next)
		if (!strcmp(device->name, name))
			return true;
	return if_nametoindex(name) > 0;
}

static int no_such_interface(const pcap_if_t *devices, const char *wanted, struct err *err)
{
	struct words_nearest search = { .word = wanted };

	for (const pcap_if_t *device = devices; device; device = device->next)
		words_offer(&search, device->name);
	return err_set(err, -ENODEV, "there is no interface '%s'%s (-D lists them)", wanted, words_hint(&search).text);
}

/* The @number-th device from 1 on; NULL when @text is no number or beyond the list. */
static const pcap_if_t *numbered(const pcap_if_t *devices, const char *text)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end || !number)
		return NULL;
	while (devices && --number)
		devices = devices->next;
	return devices;
}

int live_resolve(const char *wanted, char name[LIVE_NAME_MAX], struct err *err)
{
	CLEANUP(free_devices) pcap_if_t *devices = NULL;
	const pcap_if_t *device;
	char why[PCAP_ERRBUF_SIZE];

	if (pcap_findalldevs(&devices, why))
		devices = NULL; /* a name needs no list */
	device = is_known(devices, wanted) ? NULL : numbered(devices, wanted);
	if (device)
		wanted = device->name;
	if (!is_known(devices, wanted) && strcmp(wanted, "any"))
		return no_such_interface(devices, wanted, err);
	if (snprintf(name, LIVE_NAME_MAX, "%s", wanted) >= LIVE_NAME_MAX)
		return err_set(err, -ENODEV, "'%s' is no name of an interface", wanted);
	return 0;
}

int live_create(const char *name, pcap_t **out, struct err *err)
{
	char why[PCAP_ERRBUF_SIZE];

	*out = pcap_create(name, why);
	return *out ? 0 : err_set(err, -EIO, "cannot capture on '%s': %s", name, why);
}

void live_pcap_close(pcap_t **pcap)
{
	if (*pcap)
		pcap_close(*pcap);
}

/* What is missing: root itself may lack it inside a container, where setcap would not help. */
static int not_permitted(const char *name, struct err *err)
{
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (!geteuid())
		return err_set(err, -EPERM, "capturing on '%s' needs CAP_NET_RAW, which root does not have here (a container must be started with it)", name);
	self[len < 0 ? 0 : len] = '\0';
	return err_set(err, -EPERM, "capturing on '%s' needs CAP_NET_RAW: run as root, or once: sudo setcap cap_net_raw=ep %s", name,
		       len < 0 ? "tcptriage" : self);
}

int live_activate(pcap_t *pcap, const char *name, struct err *err)
{
	int code = pcap_activate(pcap);

	switch (code) {
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		return not_permitted(name, err);
	case PCAP_ERROR_NO_SUCH_DEVICE:
		return err_set(err, -ENODEV, "interface '%s' is gone", name);
	case PCAP_ERROR_IFACE_NOT_UP:
		return err_set(err, -ENETDOWN, "interface '%s' is down: ip link set %s up", name, name);
	default:
		if (code >= 0) /* a warning, such as that "any" cannot be promiscuous */
			return 0;
		return err_set(err, -EIO, "cannot capture on '%s': %s", name, code == PCAP_ERROR ? pcap_geterr(pcap) : pcap_statustostr(code));
	}
}
