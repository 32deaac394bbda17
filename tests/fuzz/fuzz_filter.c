/* SPDX-License-Identifier: MIT */
/* Any text as a filter: parsed, compiled, and judged on an empty and on a full socket. Names come from here, so nothing leaves the process. */
#include <stdlib.h>
#include <string.h>

#include "tcptriage/filter/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned two_hosts(const char *name, struct addr *out, unsigned max)
{
	if (*name == 'x')
		return 0;
	out[0] = addr_v4(0x0a000001);
	out[1] = (struct addr){ .family = ADDR_V6, .bytes = { 0x20, 0x01 } };
	return MIN(max, 2u);
}

static bool any_service(const char *name, uint16_t *port)
{
	*port = (uint16_t)strlen(name);
	return *name != 'x';
}

static uint32_t any_interface(const char *name)
{
	return (uint32_t)strlen(name) % 5;
}

static bool any_user(const char *name, uint32_t *uid)
{
	*uid = (uint32_t)strlen(name);
	return *name != 'x';
}

static uint64_t any_cgroup(const char *path)
{
	return strlen(path) % 5;
}

static const struct filter_world worlds[] = { { two_hosts, any_service, any_interface, any_user, any_cgroup }, { 0 } };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t info[TCP_INFO_MAX];
	static const struct process process = { .pid = 1, .comm = "comm" };
	static const struct holder holder = { &process, 3 };
	const struct filter_facts facts = { &holder, 1, "/cgroup", 1024, 65535 };
	const struct sock empty = { .state = SOCK_STATE_TIME_WAIT };
	const struct sock full = { .family = ADDR_V6, .state = SOCK_STATE_ESTAB, .has = UINT32_MAX, .info = { info, sizeof(info) } };
	CLEANUP(arena_free) struct arena arena = { 0 };
	char *words[] = { arena_memdup(&arena, data, size / 2), arena_memdup(&arena, data + size / 2, size - size / 2) };
	struct filter filter;
	struct err err = { .text = "" };
	const void *code;
	size_t len;
	bool exact;

	if (filter_parse(&filter, &arena, &worlds[size % 2], 2, words, &err)) {
		BUG_ON(!*err.text);
		return 0;
	}
	BUG_ON(!filter_compile(&filter, &arena, &code, &len, &exact, &err) && len % 4);
	filter_judge(&filter, &empty, NULL);
	filter_judge(&filter, &full, &facts);
	return 0;
}
