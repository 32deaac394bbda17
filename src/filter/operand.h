/* SPDX-License-Identifier: MIT */
/* What may stand behind a predicate: hosts, ports, marks, quantities. Text in, typed value or an error out. */
#ifndef TCPTRIAGE_FILTER_OPERAND_H
#define TCPTRIAGE_FILTER_OPERAND_H

#include "filter/tree.h"

/**
 * struct operand_host - a host condition as written.
 * @count: addresses (0: any host). @bits: prefix length, for a single address. @port: -1 any.
 * @families: bit mask demanded by `inet:` or `inet6:`, else both bits.
 */
struct operand_host {
	struct addr addr[FILTER_HOSTS_MAX];
	unsigned count, bits, families;
	int32_t port;
};

/** operand_host() - HOST[/PREFIX][:PORT], [V6], *, :PORT, inet:…, inet6:…. Return: 0 or -EINVAL with @err. */
int operand_host(const char *text, const struct filter_world *world, struct arena *arena,
		 struct operand_host *out, struct err *err);
/** operand_port() - 80, :80, http, :http, * (gives -1). Return: 0 or -EINVAL with @err. */
int operand_port(const char *text, const struct filter_world *world, int32_t *port, struct err *err);
/** operand_mark() - VALUE[/MASK], decimal or 0x…. Return: 0 or -EINVAL with @err. */
int operand_mark(const char *text, uint32_t *value, uint32_t *mask, struct err *err);
/** operand_quantity() - a number with the unit of @fact, scaled as it is compared. Return: 0 or -EINVAL with @err. */
int operand_quantity(const char *text, const struct fact *fact, uint64_t *value, struct err *err);

/** struct operand_quote - @text fit for an error message: escaped and cut. */
struct operand_quote {
	char text[96];
};
/** operand_quote() - of text from outside. */
struct operand_quote operand_quote(const char *text);
#define QUOTE(string) (operand_quote(string).text)

#endif
