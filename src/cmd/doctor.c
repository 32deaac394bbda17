/* SPDX-License-Identifier: MIT */
/* `tcptriage doctor`: which sources work for this user on this kernel, what each missing one takes away, what would mend it. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "commands.h"
#include "session.h"
#include "tcptriage/base/clock.h"
#include "tcptriage/base/file.h"
#include "tcptriage/base/setcap.h"
#include "tcptriage/capture/sandbox.h"
#include "tcptriage/probe/prober.h"

/* An answer on the loopback takes microseconds. */
#define LOOPBACK_ANSWER_US 300000

/** struct doctor_options - the command line: nothing of its own. */
struct doctor_options {
	struct common_options common;
};

static const struct option_row options[] = { { 0 } };

/* How well a source works. */
enum health { HEALTH_WORKS, HEALTH_PARTLY, HEALTH_MISSING };

/* struct check - one line: what was found. @detail: numbers; @mend: an exact command or "". */
struct check {
	enum health health;
	char detail[200], takes_away[200], mend[400];
};

/* struct doctor - what the checks share. @denied: processes whose descriptors may not be read. */
struct doctor {
	struct session *session;
	unsigned denied;
	char setcap[SETCAP_LINE_MAX];
};

static void verdict(struct check *check, enum health health, const char *takes_away,
		    const char *mend)
{
	check->health = health;
	snprintf(check->takes_away, sizeof(check->takes_away), "%s", takes_away);
	snprintf(check->mend, sizeof(check->mend), "%s", mend);
}

struct seen {
	uint64_t sockets;
	unsigned with_info;
	uint32_t inode;
};

static int see(const struct sock *sock, void *context)
{
	struct seen *seen = context;

	seen->sockets++;
	seen->with_info += sock->info.len != 0;
	if (sock->inode && sock->state != SOCK_STATE_UNCONN)
		seen->inode = sock->inode;
	return 0;
}

static int ask(struct doctor *doctor, enum netid netid, unsigned families, unsigned ext,
	       struct seen *seen, struct diag_result *result, struct err *err)
{
	struct diag_request request = { .netid = netid,
					.families = families,
					.states = STATES_ALL,
					.ext = ext };

	*result = (struct diag_result){ .complete = true };
	return source_sockets(doctor->session->ns[0], &request, see, seen, result, err);
}

static void check_table(struct doctor *doctor, struct check *check, enum netid netid, unsigned families)
{
	struct diag_result result;
	struct seen seen = { 0 };
	struct err err = { "" };
	char mend[64];

	if (ask(doctor, netid, families, 0, &seen, &result, &err)) {
		snprintf(check->detail, sizeof(check->detail), "%.150s", err.text);
		snprintf(mend, sizeof(mend), "modprobe %s_diag", netid_name(netid));
		verdict(check, HEALTH_MISSING, netid == NETID_TCP ? "everything" : "UDP rows and counts",
			mend);
		return;
	}
	snprintf(check->detail, sizeof(check->detail), "%llu sockets in %.1f ms",
		 (unsigned long long)seen.sockets, (double)result.cost_us / 1000);
}

static void check_tcp4(struct doctor *doctor, struct check *check)
{
	check_table(doctor, check, NETID_TCP, 1u << ADDR_V4);
}

static void check_tcp6(struct doctor *doctor, struct check *check)
{
	check_table(doctor, check, NETID_TCP, 1u << ADDR_V6);
}

static void check_udp(struct doctor *doctor, struct check *check)
{
	check_table(doctor, check, NETID_UDP, 3);
}

/* A socket of our own makes the answer certain on a machine that has none. */
static void check_tcp_info(struct doctor *doctor, struct check *check)
{
	struct diag_result result;
	struct seen seen = { 0 };
	AUTO_FD int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (probe >= 0)
		listen(probe, 1);
	if (ask(doctor, NETID_TCP, 3, DIAG_EXT_INFO | DIAG_EXT_SKMEMINFO, &seen, &result, NULL) ||
	    !result.tcp_info_len) {
		verdict(check, HEALTH_MISSING, "ages, retransmissions, windows: most rules", "");
		return;
	}
	snprintf(check->detail, sizeof(check->detail), "%u bytes (this version knows %u)",
		 result.tcp_info_len, TCP_INFO_MAX);
	if (result.tcp_info_len < 232)
		verdict(check, HEALTH_PARTLY, "what Linux 5.4 and later add: out-of-order and window fields",
			"");
}

static void check_owners(struct doctor *doctor, struct check *check)
{
	struct owner_map *map = NULL;
	struct err err = { "" };

	if (source_owners(doctor->session->source, NULL, 0, &map, &err)) {
		snprintf(check->detail, sizeof(check->detail), "%.150s", err.text);
		verdict(check, HEALTH_MISSING, "who owns a socket", "mount -t proc proc /proc");
		return;
	}
	snprintf(check->detail, sizeof(check->detail), "/proc read in %.1f ms",
		 (double)owner_map_cost_us(map) / 1000);
	doctor->denied = owner_map_denied(map);
	if (doctor->denied) {
		snprintf(check->detail, sizeof(check->detail), "%u processes may not be read",
			 doctor->denied);
		verdict(check, HEALTH_PARTLY, "the owners of other users' sockets", doctor->setcap);
	}
	owner_map_free(map);
}

/* After check_owners(): how many are open may be known of a process whose sockets may not be looked at. */
static void check_descriptors(struct doctor *doctor, struct check *check)
{
	struct descriptor_use use;
	struct err err = { "" };

	if (source_descriptors(doctor->session->source, &use, &err)) {
		snprintf(check->detail, sizeof(check->detail), "%.150s", err.text);
		verdict(check, HEALTH_MISSING, "which process runs out of descriptors",
			"mount -t proc proc /proc");
		return;
	}
	snprintf(check->detail, sizeof(check->detail), "%u processes counted in %.1f ms", use.processes,
		 (double)use.cost_us / 1000);
	if (!doctor->denied && !use.unread)
		return;
	verdict(check, HEALTH_PARTLY, "whether other users' processes run out of descriptors", doctor->setcap);
}

static void check_counters(struct doctor *doctor, struct check *check)
{
	struct counters counters;
	struct err err = { "" };
	unsigned have = 0;

	if (source_counters(doctor->session->ns[0], &counters, &err)) {
		snprintf(check->detail, sizeof(check->detail), "%.150s", err.text);
		verdict(check, HEALTH_MISSING, "drops, overflows and rates", "mount -t proc proc /proc");
		return;
	}
	for (unsigned i = 0; i < COUNTER_COUNT; i++)
		have += counters.has[i];
	snprintf(check->detail, sizeof(check->detail), "%u of %u known counters", have, COUNTER_COUNT);
	if (have < COUNTER_COUNT)
		verdict(check, HEALTH_PARTLY, "what this kernel does not count", "");
}

static void check_sysctls(struct doctor *doctor, struct check *check)
{
	struct sysctls *sysctls = arena_alloc(&doctor->session->arena, sizeof(*sysctls));
	struct err err = { "" };
	unsigned have = 0;

	if (source_sysctls(doctor->session->ns[0], sysctls, &err)) {
		snprintf(check->detail, sizeof(check->detail), "%.150s", err.text);
		verdict(check, HEALTH_MISSING, "port headroom and limits", "mount -t proc proc /proc");
		return;
	}
	for (unsigned i = 0; i < SYSCTL_COUNT; i++)
		have += sysctls->has[i];
	snprintf(check->detail, sizeof(check->detail), "%u of %u settings", have, SYSCTL_COUNT);
}

static void check_routes(struct doctor *doctor, struct check *check)
{
	struct addr loopback = addr_v4(0x7f000001);
	struct route route;
	struct err err = { "" };

	if (source_route(doctor->session->ns[0], &loopback, &route, &err)) {
		snprintf(check->detail, sizeof(check->detail), "%.150s", err.text);
		verdict(check, HEALTH_MISSING, "route, interface MTU and neighbour beside a finding", "");
		return;
	}
	snprintf(check->detail, sizeof(check->detail), "answers");
}

static void check_namespaces(struct doctor *doctor, struct check *check)
{
	const struct netns *list;
	struct source_ns *ns = NULL;
	struct err err = { "" };
	unsigned others;
	int count = source_namespaces(doctor->session->source, "", &list, &others, &err);

	if (count < 0) {
		snprintf(check->detail, sizeof(check->detail), "%.150s", err.text);
		verdict(check, HEALTH_MISSING, "other network namespaces", "");
		return;
	}
	snprintf(check->detail, sizeof(check->detail), "%d found", count);
	for (int i = 0; i < count; i++) {
		if (!source_ns_open(doctor->session->source, &list[i], &ns, &err)) {
			source_ns_close(ns);
			continue;
		}
		verdict(check, HEALTH_PARTLY, "sockets of containers and other namespaces", doctor->setcap);
		return;
	}
}

/* What libpcap will ask for. Files can be read without it. */
static void check_capture(struct doctor *doctor, struct check *check)
{
	AUTO_FD int probe = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (probe >= 0) {
		snprintf(check->detail, sizeof(check->detail), "interfaces and files");
		return;
	}
	snprintf(check->detail, sizeof(check->detail), "files only: %s", strerror(errno));
	verdict(check, HEALTH_PARTLY, "live packets (CAP_NET_RAW)", doctor->setcap);
}

/* Return: whether a datagram to a closed port of this machine is answered, as the error queue of the socket must tell. */
static bool error_queue_answers(struct prober *prober)
{
	struct probe_request request = { .id = 1, .deadline_us = clock_mono_us() + LOOPBACK_ANSWER_US };
	struct probe_outcome outcome;
	int64_t now_us = 0;

	prober_send(prober, &request);
	while (now_us < request.deadline_us) {
		struct pollfd fd = { .fd = prober_fd(prober), .events = POLLIN };

		now_us = clock_mono_us();
		if (prober_next(prober, now_us, &outcome))
			return outcome.reply == REPLY_ARRIVED;
		poll(&fd, 1, LOOPBACK_ANSWER_US / 1000);
	}
	return false;
}

static void close_prober(struct prober **prober)
{
	prober_close(*prober);
}

/* A kernel that keeps from us what routers say makes a black hole of every narrow path. */
static void check_hearing(struct check *check, enum probe_method method)
{
	static const char *const lost[] = {
		[HEARING_NO_MTU] = "of IPv4 the MTU that routers name when a packet is too big (net.ipv4.ip_no_pmtu_disc)",
		[HEARING_NONE] = "of IPv4 what routers say of packets that are too big: a narrow path looks like a black hole (net.ipv4.ip_no_pmtu_disc)",
	};
	enum prober_hearing hearing = prober_hearing(method, ADDR_V4);

	if (hearing != HEARING_ALL)
		verdict(check, HEALTH_PARTLY, lost[hearing], "sudo sysctl -w net.ipv4.ip_no_pmtu_disc=0");
}

static void check_udp_probes(struct doctor *doctor, struct check *check)
{
	const struct prober_options wish = { .kind = PROBER_UDP, .address = addr_v4(0x7f000001) };
	CLEANUP(close_prober) struct prober *prober = NULL;
	bool has_v6 = !prober_allowed(PROBER_UDP, ADDR_V6, NULL);
	struct err err = { "" };

	(void)doctor;
	if (prober_open(&prober, &wish, &err)) {
		snprintf(check->detail, sizeof(check->detail), "%.150s", err.text);
		verdict(check, HEALTH_PARTLY, "a trial on the loopback", "ip link set lo up");
		return;
	}
	if (!error_queue_answers(prober)) {
		snprintf(check->detail, sizeof(check->detail), "a closed port of the loopback is not reported");
		verdict(check, HEALTH_MISSING, "probes by UDP: a firewall drops ICMP on the loopback, or this kernel has no error queue", "");
		return;
	}
	snprintf(check->detail, sizeof(check->detail), "the error queue tells of a closed port (IPv4%s)", has_v6 ? ", IPv6 as well" : "; no IPv6");
	check_hearing(check, PROBE_UDP);
}

/* Return: whether a socket of @type can be made in every family that this kernel has. */
static bool icmp_sockets(int type)
{
	AUTO_FD int v4 = socket(AF_INET, type | SOCK_CLOEXEC, IPPROTO_ICMP);
	AUTO_FD int v6 = socket(AF_INET6, type | SOCK_CLOEXEC, IPPROTO_ICMPV6);

	return v4 >= 0 && (v6 >= 0 || errno == EAFNOSUPPORT);
}

static void check_icmp_probes(struct doctor *doctor, struct check *check)
{
	char groups[40] = "", mend[400];
	struct err err = { "" };

	file_read_at(AT_FDCWD, "/proc/sys/net/ipv4/ping_group_range", groups, sizeof(groups));
	for (char *at = groups; *at; at++) {
		if (*at == '\t' || *at == '\n')
			*at = at[1] ? ' ' : '\0';
	}
	if (prober_allowed(PROBER_ICMP, ADDR_V4, &err)) {
		snprintf(check->detail, sizeof(check->detail), "neither ping nor raw sockets (net.ipv4.ping_group_range is \"%s\")", groups);
		snprintf(mend, sizeof(mend), "sudo sysctl -w net.ipv4.ping_group_range=\"0 2147483647\" # or: %s", doctor->setcap);
		verdict(check, HEALTH_MISSING, "probes by ICMP echo in mtu-probe and trace; UDP and TCP remain", mend);
		return;
	}
	snprintf(check->detail, sizeof(check->detail), "by %s (net.ipv4.ping_group_range is \"%s\")",
		 icmp_sockets(SOCK_DGRAM) ? "ping sockets" : "raw sockets, CAP_NET_RAW", groups);
	check_hearing(check, PROBE_ICMP);
}

/* What the process that reads packets can give up. */
static void check_sandbox(struct doctor *doctor, struct check *check)
{
	(void)doctor;
	snprintf(check->detail, sizeof(check->detail), "%.190s", sandbox_built_in());
	if (!sandbox_is_whole())
		verdict(check, HEALTH_PARTLY, "part of what protects this machine from hostile packets", "");
}

static void check_destroy(struct doctor *doctor, struct check *check)
{
	(void)doctor;
	snprintf(check->detail, sizeof(check->detail),
		 "never used: nothing in this program ends a connection");
}

static const struct {
	const char *name;
	void (*run)(struct doctor *doctor, struct check *check);
} checks[] = {
	{ "sock_diag TCP IPv4", check_tcp4 },  { "sock_diag TCP IPv6", check_tcp6 },
	{ "sock_diag UDP", check_udp },	       { "tcp_info", check_tcp_info },
	{ "owners", check_owners },	       { "descriptors", check_descriptors },
	{ "counters", check_counters },	       { "sysctls", check_sysctls },
	{ "rtnetlink", check_routes },
	{ "namespaces", check_namespaces },    { "capture", check_capture },
	{ "UDP probes", check_udp_probes },    { "ICMP probes", check_icmp_probes },
	{ "sandbox", check_sandbox },
	{ "SOCK_DESTROY", check_destroy },
};

static const char *const health_names[] = { "works", "partly", "missing" };

static void print_text(struct out *out, const struct check *found)
{
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		const struct check *check = &found[i];

		out_printf(out, "%-19s %-8s ", checks[i].name, health_names[check->health]);
		out_escaped(out, check->detail, strlen(check->detail));
		out_char(out, '\n');
		if (*check->takes_away)
			out_printf(out, "%-19s takes away: %s\n", "", check->takes_away);
		if (*check->mend)
			out_printf(out, "%-19s mend: %s\n", "", check->mend);
	}
}

static void print_json(struct out *out, const struct document *doc, const struct check *found)
{
	document_json_open(out, doc);
	out_lit(out, ",\"sources\":[");
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		const struct check *check = &found[i];

		out_str(out, i ? ",{\"source\":" : "{\"source\":");
		out_json(out, checks[i].name, strlen(checks[i].name));
		out_printf(out, ",\"status\":\"%s\",\"detail\":", health_names[check->health]);
		out_json(out, check->detail, strlen(check->detail));
		out_lit(out, ",\"takes_away\":");
		out_json(out, check->takes_away, strlen(check->takes_away));
		out_lit(out, ",\"mend\":");
		out_json(out, check->mend, strlen(check->mend));
		out_char(out, '}');
	}
	out_char(out, ']');
	document_json_close(out, doc, NULL);
}

static int run(void *values, int operand_count, char **operands)
{
	const struct doctor_options *o = values;
	CLEANUP(session_close) struct session session = { 0 };
	struct session_wish wish = { .common = &o->common };
	struct doctor doctor = { .session = &session };
	struct check found[ARRAY_SIZE(checks)] = { 0 };
	struct document doc;
	struct err err = { "" };
	struct out out;
	int code;

	if (operand_count) {
		err_set(&err, -EINVAL, "'%s' is one word too many", operands[0]);
		return usage_error(&cmd_doctor, err.text);
	}
	code = session_open(&session, &wish, &err);
	if (code == -EINVAL)
		return usage_error(&cmd_doctor, err.text);
	if (code)
		return run_error(&cmd_doctor, err.text);
	setcap_line(doctor.setcap);
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		checks[i].run(&doctor, &found[i]);
	doc = session_document(&session, "tcptriage.doctor/1", 0);
	out_open_fd(&out, STDOUT_FILENO);
	if (session.format == FORMAT_TEXT)
		print_text(&out, found);
	else
		print_json(&out, &doc, found);
	code = out_flush(&out);
	out_close(&out);
	session_print_notices(&session, &o->common);
	return code && code != -EPIPE ? EXIT_FAILED : EXIT_RAN;
}

const struct command cmd_doctor = {
	.name = "doctor",
	.summary = "which sources work for this user on this kernel, and what would mend the others",
	.operands = "",
	.example = "tcptriage doctor",
	.options = options,
	.options_size = sizeof(struct doctor_options),
	.run = run,
};
