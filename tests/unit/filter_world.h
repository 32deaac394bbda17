/* SPDX-License-Identifier: MIT */
/* A world of a test's own for filters: a handful of names, no resolver behind them. */
#ifndef TESTS_UNIT_FILTER_WORLD_H
#define TESTS_UNIT_FILTER_WORLD_H

#include <string.h>

#include "tcptriage/filter/filter.h"

static unsigned known_hosts(const char *name, struct addr *out, unsigned max)
{
	static const struct {
		const char *name, *address;
	} rows[] = { { "alpha", "10.0.0.7" }, { "both", "10.0.0.8" }, { "both", "2001:db8::8" } };
	unsigned count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows) && count < max; i++)
		if (!strcmp(rows[i].name, name) && addr_parse(rows[i].address, &out[count]))
			count++;
	return count;
}

static bool known_service(const char *name, uint16_t *port)
{
	*port = 80;
	return !strcmp(name, "http");
}

static uint32_t known_interface(const char *name)
{
	return strcmp(name, "eth7") ? 0 : 7;
}

static bool known_user(const char *name, uint32_t *uid)
{
	*uid = 1000;
	return !strcmp(name, "alice");
}

static uint64_t known_cgroup(const char *path)
{
	return strcmp(path, "/app") ? 0 : 77;
}

static const struct filter_world test_world = { known_hosts, known_service, known_interface, known_user, known_cgroup };

/* An endpoint from "10.0.0.1:80" or "[::1]:80". */
static inline struct endpoint test_endpoint(const char *text)
{
	const char *colon = strrchr(text, ':');
	struct endpoint endpoint = { .port = 0 };
	char host[64] = "";

	memcpy(host, text, (size_t)(colon - text));
	BUG_ON(!addr_parse(host, &endpoint.addr));
	for (colon++; *colon; colon++)
		endpoint.port = (uint16_t)(endpoint.port * 10 + (*colon - '0'));
	return endpoint;
}

#endif
