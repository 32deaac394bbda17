/* SPDX-License-Identifier: MIT */
/* What there is to capture on: interfaces and their link types. */
#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/dlt.h"
#include "capture/live.h"
#include "config.h"
#include "tcptriage/base/arena.h"
#include "tcptriage/base/out.h"
#include "tcptriage/capture/reader.h"

/* In the order and with the words of tcpdump -D; a row holds when (flags & @mask) == @value. */
static const struct {
	uint32_t mask, value;
	const char *word;
} flag_words[] = {
	{ PCAP_IF_UP, PCAP_IF_UP, "Up" },
	{ PCAP_IF_RUNNING, PCAP_IF_RUNNING, "Running" },
	{ PCAP_IF_LOOPBACK, PCAP_IF_LOOPBACK, "Loopback" },
	{ PCAP_IF_WIRELESS, PCAP_IF_WIRELESS, "Wireless" },
	{ PCAP_IF_WIRELESS | PCAP_IF_CONNECTION_STATUS, PCAP_IF_WIRELESS | PCAP_IF_CONNECTION_STATUS_UNKNOWN, "Association status unknown" },
	{ PCAP_IF_WIRELESS | PCAP_IF_CONNECTION_STATUS, PCAP_IF_WIRELESS | PCAP_IF_CONNECTION_STATUS_CONNECTED, "Associated" },
	{ PCAP_IF_WIRELESS | PCAP_IF_CONNECTION_STATUS, PCAP_IF_WIRELESS | PCAP_IF_CONNECTION_STATUS_DISCONNECTED, "Not associated" },
	{ PCAP_IF_WIRELESS | PCAP_IF_CONNECTION_STATUS, PCAP_IF_CONNECTION_STATUS_CONNECTED, "Connected" },
	{ PCAP_IF_WIRELESS | PCAP_IF_CONNECTION_STATUS, PCAP_IF_CONNECTION_STATUS_DISCONNECTED, "Disconnected" },
};

static void free_devices(pcap_if_t **devices)
{
	if (*devices)
		pcap_freealldevs(*devices);
}

static void free_types(int **types)
{
	pcap_free_datalinks(*types);
}

static char *flags_text(struct arena *arena, uint32_t flags)
{
	CLEANUP(out_close) struct out text;

	out_open_mem(&text);
	for (size_t i = 0; i < ARRAY_SIZE(flag_words); i++)
		if ((flags & flag_words[i].mask) == flag_words[i].value)
			out_printf(&text, "%s%s", out_len(&text) ? ", " : "", flag_words[i].word);
	return arena_strdup(arena, out_len(&text) ? out_text(&text) : "none");
}

int reader_list(struct arena *arena, const struct listed_interface **list, struct err *err)
{
	CLEANUP(free_devices) pcap_if_t *devices = NULL;
	char why[PCAP_ERRBUF_SIZE] = "";
	struct listed_interface *rows;
	int count = 0;

	if (pcap_findalldevs(&devices, why))
		return err_set(err, -EIO, "cannot list interfaces: %s", why);
	for (const pcap_if_t *device = devices; device; device = device->next)
		count++;
	rows = arena_alloc(arena, (size_t)MAX(count, 1) * sizeof(*rows));
	*list = rows;
	for (const pcap_if_t *device = devices; device; device = device->next)
		*rows++ = (struct listed_interface){ .name = arena_strdup(arena, device->name),
						     .description = arena_strdup(arena, device->description ? device->description : ""),
						     .flags = flags_text(arena, device->flags) };
	return count;
}

int reader_link_types(const char *interface, uint32_t *types, unsigned max, struct err *err)
{
	CLEANUP(live_pcap_close) pcap_t *pcap = NULL;
	CLEANUP(free_types) int *offered = NULL;
	char name[LIVE_NAME_MAX];
	int count, code = live_resolve(interface, name, err);

	if (!code)
		code = live_create(name, &pcap, err);
	if (!code)
		code = live_activate(pcap, name, err);
	if (code)
		return code;
	count = pcap_list_datalinks(pcap, &offered);
	if (count < 0)
		return err_set(err, -EIO, "cannot list the link types of %s: %s", name, pcap_geterr(pcap));
	count = MIN(count, (int)MIN(max, (unsigned)INT32_MAX));
	for (int i = 0; i < count; i++)
		types[i] = dlt_to_link_type(offered[i]);
	return count;
}

uint32_t reader_link_type_named(const char *name)
{
	int dlt = pcap_datalink_name_to_val(name);

	return dlt < 0 ? UINT32_MAX : dlt_to_link_type(dlt);
}

#ifdef HAVE_ZLIB
#define WITH_ZLIB ", zlib"
#else
#define WITH_ZLIB ""
#endif
#ifdef HAVE_ZSTD
#define WITH_ZSTD ", zstd"
#else
#define WITH_ZSTD ""
#endif

const char *reader_built_in(void)
{
	static char text[128];
	const char *version = pcap_lib_version(); /* "libpcap version 1.10.3 (with TPACKET_V3)" */
	const char *number = strstr(version, "version ");

	number = number ? number + strlen("version ") : version;
	snprintf(text, sizeof(text), "libpcap %.*s" WITH_ZLIB WITH_ZSTD, (int)strcspn(number, " ("), number);
	return text;
}
