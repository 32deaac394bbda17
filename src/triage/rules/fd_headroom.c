/* SPDX-License-Identifier: MIT */
/* fd-headroom: a process that holds sockets is about to run out of file descriptors. */
#include <string.h>

#include "../kit.h"
#include "tcptriage/track/descriptors.h"

enum limit {
	WARN_USED,
	CRIT_USED,
	LIMIT_MIN,
	SOCKET_SHARE,
	END_SHARE,
};

static const struct threshold thresholds[] = {
	[WARN_USED] = { "used", UNIT_PERCENT, 80, "what is left is gone with the next burst of clients" },
	[CRIT_USED] = { "critical_used", UNIT_PERCENT, 95, "the last few: accept(), connect() and open() fail at any moment" },
	[LIMIT_MIN] = { "limit_min", UNIT_COUNT, 128, "smaller limits are a sandbox's own wish (0, 1, 64): it has all that it will ever open; servers get 256 and more" },
	[SOCKET_SHARE] = { "socket_share", UNIT_PERCENT, 50, "below this most are files, pipes and watches: the network is not what uses them up" },
	[END_SHARE] = { "end_share", UNIT_PERCENT, 50, "one endpoint to which half of the sockets lead is worth naming" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE_COUNTED 0.95

/* Evidence by state; a state that is not there is left out. */
static const struct state_row {
	enum sock_state state;
	const char *name;
} state_rows[] = {
	{ SOCK_STATE_ESTAB, "estab" },		 { SOCK_STATE_CLOSE_WAIT, "close_wait" },
	{ SOCK_STATE_SYN_SENT, "syn_sent" },	 { SOCK_STATE_LISTEN, "listen" },
	{ SOCK_STATE_FIN_WAIT_1, "fin_wait_1" }, { SOCK_STATE_FIN_WAIT_2, "fin_wait_2" },
	{ SOCK_STATE_LAST_ACK, "last_ack" },	 { SOCK_STATE_CLOSING, "closing" },
	{ SOCK_STATE_UNCONN, "unconnected" },
};

static bool concerns(const struct view *view, const struct descriptor_user *user)
{
	return (double)user->process.nofile >= view->values[LIMIT_MIN] && descriptors_inet(user);
}

/* More are open than the limit allows: it was lowered since. */
static bool was_lowered(const struct process *process)
{
	return process->fds > process->nofile;
}

/* Most are files: a cache of open files that stops just below the limit is how databases are built. */
static bool is_mostly_files(const struct view *view, const struct descriptor_user *user)
{
	return user->listed && !user->cut &&
	       100.0 * user->process.sockets < view->values[SOCKET_SHARE] * user->process.fds;
}

static enum severity judge(const struct view *view, const struct descriptor_user *user, enum limit *limit)
{
	const struct process *process = &user->process;
	bool critical = descriptors_percent(process) >= view->values[CRIT_USED];
	enum severity severity = critical ? SEVERITY_CRITICAL : SEVERITY_WARNING;

	*limit = critical ? CRIT_USED : WARN_USED;
	if (was_lowered(process))
		return SEVERITY_INFO;
	if (!is_mostly_files(view, user))
		return severity;
	/* one that accepts nothing is in nobody's way, and a cache leaves the last few free */
	if (!user->tcp[SOCK_STATE_LISTEN])
		return process->fds < process->nofile ? SEVERITY_INFO : SEVERITY_WARNING;
	return process->fds < process->nofile ? SEVERITY_WARNING : severity;
}

static void put_count(struct finding *f, struct out *text, const char *name, const char *shown, uint32_t count)
{
	if (!count)
		return;
	finding_add(f, name, count, UNIT_SOCKETS, "sock_diag");
	out_printf(text, "%s%u %s", out_len(text) ? ", " : "", count, shown);
}

/* "231 ESTAB, 12 CLOSE-WAIT, 1 LISTEN, 2 UDP" */
static void add_states(struct finding *f, const struct view *view, const struct descriptor_user *user)
{
	CLEANUP(out_close) struct out text = { .fd = -1 };

	out_open_mem(&text);
	for (size_t i = 0; i < ARRAY_SIZE(state_rows); i++)
		put_count(f, &text, state_rows[i].name, sock_state_name(state_rows[i].state),
			  user->tcp[state_rows[i].state]);
	put_count(f, &text, "udp", "UDP", user->udp);
	finding_add_text(f, "by_state", arena_strdup(view->arena, out_text(&text)), "sock_diag");
}

static void add_end(struct finding *f, const struct view *view, const struct descriptor_user *user)
{
	CLEANUP(out_close) struct out text = { .fd = -1 };
	const struct descriptor_end *end = descriptors_end(user);

	if (!end || 100.0 * end->sockets < view->values[END_SHARE] * descriptors_inet(user))
		return;
	out_open_mem(&text);
	out_str(&text, end->accepted ? "accepted on " : "opened to ");
	out_endpoint(&text, &end->at);
	finding_add_text(f, "most", arena_strdup(view->arena, out_text(&text)), "sock_diag");
	finding_add(f, "most_sockets", end->sockets, UNIT_SOCKETS, "sock_diag");
}

static void describe(struct finding *f, const struct process *process)
{
	bool end = finding_evidence(f, "most");

	if (was_lowered(process))
		f->title = "{owner} has {fds} file descriptors open, and a limit of {nofile} now";
	else if (process->fds == process->nofile)
		f->title = "{owner} has no file descriptor left: {fds} of {nofile} are open";
	else
		f->title = "{owner} has {fds} of {nofile} file descriptors open, {free} are left";
	if (process->fds >= process->nofile)
		f->detail = end ? "accept(), connect() and open() fail with EMFILE · {sockets} are sockets: {by_state} · most of them {most}" :
				  "accept(), connect() and open() fail with EMFILE · {sockets} are sockets: {by_state}";
	else
		f->detail = end ? "{used} of the limit · {sockets} are sockets: {by_state} · most of them {most}" :
				  "{used} of the limit · {sockets} are sockets: {by_state}";
}

static void add_doubts(struct finding *f, const struct view *view, const struct descriptor_user *user)
{
	const struct process *p = &user->process;

	if (was_lowered(p))
		finding_against(f, "the limit was lowered after they were opened: a program that does so on purpose needs no more");
	if (is_mostly_files(view, user))
		finding_against(f, "only {sockets} of {fds} are sockets: files, pipes and watches take the rest, which some programs keep open on purpose, up to the limit");
	if (user->cut)
		finding_against(f, "there are more sockets than were looked at: the numbers by state are too low");
}

static void file_user(const struct view *view, struct sink *sink, const struct descriptor_user *user)
{
	const struct process *p = &user->process;
	enum limit limit;
	enum severity severity = judge(view, user, &limit);
	struct finding *f = sink_finding(sink, severity, view_confidence(view, CONFIDENCE_COUNTED, true));
	double used = descriptors_percent(p);

	f->count = p->fds;
	f->share = used / 100;
	finding_process(f, view, p);
	finding_add(f, "used", used, UNIT_PERCENT, "rule");
	finding_add(f, "free", (double)(p->nofile - MIN((uint64_t)p->fds, p->nofile)), UNIT_COUNT, "rule");
	finding_add(f, "sockets", p->sockets, UNIT_SOCKETS, "/proc/PID/fd");
	add_states(f, view, user);
	add_end(f, view, user);
	describe(f, p);
	add_doubts(f, view, user);
	finding_threshold(f, sink, limit);
}

/* Full ones of which not one socket of this namespace was seen because nobody looked at all of them. */
static unsigned count_unlisted(const struct view *view, const struct descriptor_use *use)
{
	unsigned count = 0;

	for (size_t i = 0; i < use->count; i++)
		count += descriptors_percent(&use->at[i].process) >= view->values[WARN_USED] &&
			 (use->at[i].cut || !use->at[i].listed) && !descriptors_inet(&use->at[i]);
	return count;
}

static void say_unseen(const struct view *view, struct sink *sink)
{
	const struct descriptor_use *use = view->descriptors;

	if (use->unread)
		sink_skip_part(sink, arena_printf(view->arena, "processes whose descriptors may not be counted: %u", use->unread));
	if (use->closed)
		sink_skip_part(sink, arena_printf(view->arena,
						  "processes with %u %% of their descriptors in use whose sockets may not be looked at: %u",
						  DESCRIPTORS_LISTED, use->closed));
	if (use->left_out)
		sink_skip_part(sink, arena_printf(view->arena, "processes beyond the worst %u: %u",
						  DESCRIPTORS_PROCESSES_MAX, use->left_out));
	if (count_unlisted(view, use))
		sink_skip_part(sink, "processes with so many descriptors that their sockets were not looked at");
	if (use->partial)
		sink_skip_part(sink, "processes of other pid namespaces, or hidden by hidepid");
	sink_skip_history(sink, "growth by the hour");
}

static void eval(const struct view *view, struct sink *sink)
{
	const struct descriptor_use *use = view->descriptors;
	double most = -1;

	if (!use) {
		sink_skip(sink, "the descriptors of processes were not counted");
		return;
	}
	for (size_t i = 0; i < use->count; i++) {
		const struct descriptor_user *user = &use->at[i];
		double used = descriptors_percent(&user->process);

		if (RULE_MAIN(FD_HEADROOM, used >= view->values[WARN_USED] && concerns(view, user)))
			file_user(view, sink, user);
		else if (used < view->values[WARN_USED] && user->process.sockets)
			most = MAX(most, used);
	}
	if (!sink->filed && most >= 0)
		sink_near_miss(sink, "most descriptors in use by one process", most, WARN_USED);
	say_unseen(view, sink);
}

const struct rule rule_fd_headroom = {
	.id = "fd-headroom",
	.title = "A process runs out of file descriptors",
	.needs = RULE_NEEDS_SOCKETS,
	.eval = eval,
	.thresholds = thresholds,
	.explain =
		"Every socket, file, pipe and watch of a process takes a descriptor, and RLIMIT_NOFILE says how many it may have. At the limit accept(), connect(), socket() and open() fail with EMFILE, until "
		"something is closed. From outside that looks like a server that does not accept: connections wait in the queue, then the queue overflows. No counter of the kernel moves.\n\n"
		"Counted are the descriptors of every process against its soft limit, and of those that come near it the sockets, by state. Many in CLOSE-WAIT are a leak of the program's own; many in ESTAB are "
		"clients that stay, or connections that are opened and kept; few sockets mean that files or watches are the cause.\n\n"
		"A process that holds no TCP or UDP socket of the namespace looked at is left alone, and so is one whose limit is tiny: sandboxes give theirs up on purpose once they have opened what they need.",
	.look_alikes = (const char *const[]){
		"a sandboxed helper with a limit of 0, 1 or 64: that is its design",
		"a limit that was lowered after the descriptors were opened: reported as info",
		"a database that keeps its files open up to the limit (PostgreSQL with max_files_per_process close to it): info where the process does not listen, no more than a warning where it does and has some left",
		"a process with many descriptors and a limit far above: only the share counts",
		"the table of the whole system (fs.file-max) is another limit, and its error is ENFILE",
		NULL },
	.causes = (const char *const[]){
		"a leak: connections that are never closed (see close-wait-leak), or files",
		"the limit was left at 1024, the default of a login or of a unit without LimitNOFILE=",
		"more clients, or longer ones, than the limit was meant for; a missing idle timeout",
		"a burst: every client comes again after a restart",
		NULL },
	.next = (const char *const[]){
		"ls -l /proc/{pid}/fd",
		"tcptriage states -t -a -p pid = {pid}",
		"cat /proc/{pid}/limits",
		NULL },
	.fixes = (const char *const[]){
		"close what leaks: a higher limit only moves the day",
		"raise LimitNOFILE= in the unit (or the ulimit of whatever starts the program) and restart it",
		"in the program: a timeout for idle clients, a bound on connections below the limit, and a pause before accept() is tried again after EMFILE",
		NULL },
	.refs = (const char *const[]){ "RFC 9293 §3.10.1", "RFC 9293 §3.9.1.1", "accept(2), getrlimit(2): EMFILE, RLIMIT_NOFILE",
				       "net/socket.c (__sys_accept4)", "Documentation/filesystems/proc.rst (/proc/PID/fd)", NULL },
	.repro = "RLIMIT_NOFILE 256 and 245 sockets open in one process",
};
