/* SPDX-License-Identifier: MIT */
/* filter_rows kernel|judge WORDS…: the TCP and UDP sockets of this namespace that a filter selects, one a line, by the kernel's
 * program (and the judge where the program is not exact) or by the judge alone on a dump of everything. For comparisons with ss. */
#include <stdio.h>
#include <string.h>

#include "tcptriage/collect/sock_diag.h"
#include "tcptriage/filter/filter.h"

struct look {
	const struct filter *filter;
	const struct filter_facts *facts;
	struct out *out;
	bool judge;
};

static int print_socket(const struct sock *sock, void *context)
{
	const struct look *look = context;

	if (look->judge && !filter_judge(look->filter, sock, look->facts))
		return 0;
	out_printf(look->out, "%s %s ", netid_name(sock->netid), sock_state_name(sock->state));
	out_printf(look->out, "inet%s ", sock->family == ADDR_V6 ? "6" : "");
	out_endpoint(look->out, &sock->local);
	out_char(look->out, ' ');
	out_endpoint(look->out, &sock->peer);
	out_printf(look->out, " %llx\n", (unsigned long long)sock->cookie);
	return 0;
}

static void read_port_range(struct filter_facts *facts)
{
	FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	unsigned lo, hi;

	if (file && fscanf(file, "%u %u", &lo, &hi) == 2) {
		facts->port_lo = (uint16_t)lo;
		facts->port_hi = (uint16_t)hi;
	}
	if (file)
		fclose(file);
}

static int ask(struct netlink *nl, struct diag_request *request, struct look *look, struct err *err)
{
	int code = 0;

	for (unsigned netid = 0; netid < NETID_COUNT && !code; netid++) {
		struct diag_result result = { 0 };

		request->netid = (enum netid)netid;
		code = sock_diag_ask(nl, request, print_socket, look, &result, err);
	}
	return code;
}

static int run(bool kernel, int count, char **words, struct arena *arena, struct err *err)
{
	CLEANUP(netlink_close) struct netlink nl = { 0 };
	CLEANUP(out_close) struct out out;
	struct filter_facts facts = { 0 };
	struct filter filter;
	struct diag_request request = { .ext = DIAG_EXT_INFO | DIAG_EXT_SKMEMINFO };
	struct look look = { &filter, &facts, &out, true };
	bool exact;
	int code;

	out_open_fd(&out, 1);
	code = filter_parse(&filter, arena, count, words, err);
	if (code)
		return code;
	read_port_range(&facts);
	request.families = filter.families;
	request.states = filter.states ? filter.states : STATES_ALL;
	if (kernel) {
		code = filter_compile(&filter, arena, &request.bytecode, &request.bytecode_len, &exact, err);
		look.judge = !exact;
	}
	if (!code)
		code = netlink_open(&nl, NETLINK_SOCK_DIAG, err);
	return code ? code : ask(&nl, &request, &look, err);
}

int main(int argc, char **argv)
{
	CLEANUP(arena_free) struct arena arena = { 0 };
	struct err err = { .text = "" };

	if (argc < 2) {
		fputs("filter_rows: 'kernel' or 'judge' is expected\n", stderr);
		return 2;
	}
	if (!run(!strcmp(argv[1], "kernel"), argc - 2, argv + 2, &arena, &err))
		return 0;
	fprintf(stderr, "filter_rows: %s\n", err.text);
	return 1;
}
