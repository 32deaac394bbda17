/* SPDX-License-Identifier: MIT */
/* From the command line to addresses, from results to one document and an exit status. */
#include "probe_job.h"

#include <errno.h>
#include <net/if.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "tcptriage/base/num.h"
#include "tcptriage/base/words.h"
#include "tcptriage/triage/engine.h"

#define MAX_HOPS_DEFAULT 30
#define TIMEOUT_DEFAULT_US 60000000
#define PRINT_FROM 0.4

void probe_job_close(struct probe_job *job)
{
	session_close(&job->session);
}

const char *probe_job_text(struct probe_job *job, const struct addr *address)
{
	char text[ADDR_TEXT_MAX];

	return arena_memdup(&job->session.arena, text, (size_t)(addr_text(text, address) - text));
}

const char *probe_job_zone(const struct probe_job *job, const struct addr *address)
{
	if (!addr_needs_zone(address))
		return NULL;
	return job->target.zone ? job->target.zone : job->device;
}

static int settle_numbers(struct probe_job *job, struct err *err)
{
	const struct probe_options *o = job->options;
	uint64_t hops = MAX_HOPS_DEFAULT, timeout_us = TIMEOUT_DEFAULT_US;

	if (o->max_hops && (!num_u64(o->max_hops, PATH_HOPS_MAX, &hops) || !hops))
		return err_set(err, -EINVAL, "'%s' is no number of hops for -m: 1 to %d", o->max_hops, PATH_HOPS_MAX);
	if (o->timeout && (!num_duration_us(o->timeout, &timeout_us) || !timeout_us || timeout_us > 1000000ull * 86400))
		return err_set(err, -EINVAL, "'%s' is no time for --timeout (5, 250ms, 2m), a day at most", o->timeout);
	job->max_hops = (uint8_t)hops;
	job->timeout_us = (int64_t)timeout_us;
	job->families = (o->v4 ? 1u << ADDR_V4 : 0) | (o->v6 ? 1u << ADDR_V6 : 0);
	if (!job->families)
		job->families = 1u << ADDR_V4 | 1u << ADDR_V6;
	return 0;
}

static int settle(struct probe_job *job, int count, char **operands, struct err *err)
{
	int code;

	if (!count)
		return err_set(err, -EINVAL, "nothing to probe: %s", job->kind->command->operands);
	if (count > 1)
		return err_set(err, -EINVAL, "'%s' is one word too many: one target, %s", operands[1], job->kind->command->operands);
	if (job->common->all_netns)
		return err_set(err, -EINVAL, "probes leave from one network namespace: --netns NAME instead of --all-netns");
	code = settle_numbers(job, err);
	if (!code)
		code = target_parse(&job->target, &job->session.arena, operands[0], err);
	return code ? code : job->kind->settle(job, err);
}

/* Everything that is opened from here on is opened there. */
static int enter_namespace(const struct common_options *common, struct err *err)
{
	CLEANUP(session_close) struct session session = { 0 };
	const struct session_wish wish = { .common = common };
	int code;

	if (!common->netns)
		return 0;
	code = session_open(&session, &wish, err);
	return code ? code : source_ns_enter(session.ns[0], err);
}

static int open_session(struct probe_job *job, struct err *err)
{
	struct common_options inside = *job->common;
	const struct session_wish wish = { .common = &inside };
	struct arena before = job->session.arena;
	int code = enter_namespace(job->common, err);

	if (code)
		return code;
	inside.netns = NULL;
	code = session_open(&job->session, &wish, err);
	arena_join(&job->session.arena, &before);
	return code;
}

static int no_interface(const char *name, struct err *err)
{
	struct if_nameindex *list = if_nameindex();
	struct words_nearest search = { .word = name };
	int code;

	for (const struct if_nameindex *at = list; at && at->if_index; at++)
		words_offer(&search, at->if_name);
	code = err_set(err, -EINVAL, "there is no interface '%s'%s", name, words_hint(&search).text);
	if (list)
		if_freenameindex(list);
	return code;
}

/* -i, and the zone of a link-local address. */
static int find_interface(struct probe_job *job, struct err *err)
{
	const char *names[] = { job->options->interface, job->target.zone };

	job->device = job->options->interface;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		uint32_t index = names[i] ? if_nametoindex(names[i]) : 0;

		if (names[i] && !index)
			return no_interface(names[i], err);
		if (index && job->ifindex && index != job->ifindex)
			return err_set(err, -EINVAL, "-i %s and '%s' name different interfaces", names[0], job->target.text);
		if (index)
			job->ifindex = index;
	}
	return 0;
}

static int check_address(const struct probe_job *job, const struct addr *address, struct err *err)
{
	char text[ADDR_TEXT_MAX + 1];

	*addr_text(text, address) = '\0';
	if (addr_needs_zone(address) && !job->ifindex)
		return err_set(err, -EINVAL, "%s is a link-local address: say on which interface, %s%%eth0 or -i eth0", text, text);
	return target_check(address, err);
}

/* What was written is refused; what a name brought is left out as long as something remains. */
static int check_addresses(struct probe_job *job, struct err *err)
{
	struct target_addresses *list = &job->addresses;
	unsigned kept = 0;

	for (unsigned i = 0; i < list->count; i++) {
		int code = check_address(job, &list->at[i], err);

		if (!code) {
			list->at[kept++] = list->at[i];
			continue;
		}
		if (job->target.literal)
			return code;
		notices_add(&job->session.notices, "an address of '%s' was left out: %s", job->target.host, err->text);
	}
	list->count = kept;
	/* what stands in @err is the reason of the last */
	return kept ? 0 : -ENOENT;
}

static void keep_one_a_family(struct probe_job *job)
{
	struct target_addresses *list = &job->addresses;
	unsigned kept = 0, seen = 0, before = list->count + list->more;

	for (unsigned i = 0; i < list->count; i++) {
		unsigned bit = 1u << list->at[i].family;

		if (!(seen & bit))
			list->at[kept++] = list->at[i];
		seen |= bit;
	}
	list->count = kept;
	list->more = 0;
	if (kept < before)
		notices_add(&job->session.notices, "'%s' has %u addresses: the first of each family was probed; any other can be given as HOST", job->target.host, before);
}

static void choose_addresses(struct probe_job *job)
{
	if (job->kind->one_a_family)
		keep_one_a_family(job);
	if (job->addresses.more)
		notices_add(&job->session.notices, "'%s' has %u addresses: the first %u were tried; any other can be given as HOST", job->target.host,
			    job->addresses.count + job->addresses.more, job->addresses.count);
}

/* What rules about contradicting MTUs and overlapping prefixes judge. */
static void read_network(struct probe_job *job)
{
	struct network *network = arena_alloc(&job->session.arena, sizeof(*network));
	struct err err = { "" };

	if (source_network(job->session.ns[0], network, &err))
		notices_add(&job->session.notices, "interfaces and routes were not looked at: %s", err.text);
	else
		job->network = network;
}

/* Names are resolved as this host resolves them, before another namespace is entered: its resolver's configuration is not there. */
static int open_job(struct probe_job *job, struct err *err)
{
	int code = target_resolve(&job->target, job->families, &job->addresses, err);

	if (!code)
		code = open_session(job, err);
	if (!code)
		code = find_interface(job, err);
	if (!code)
		code = check_addresses(job, err);
	if (code)
		return code;
	choose_addresses(job);
	read_network(job);
	job->show = !job->common->quiet && isatty(STDERR_FILENO);
	return 0;
}

struct route probe_job_route(struct probe_job *job, const struct addr *address)
{
	struct route route;
	struct err err = { "" };
	int code = source_route_via(job->session.ns[0], address, job->ifindex, &route, &err);

	if (code) {
		notices_add(&job->session.notices, "the route to %s could not be asked for: %s", probe_job_text(job, address), err.text);
		route = (struct route){ .destination = *address };
	}
	return route;
}

struct prober_options probe_job_prober(const struct probe_job *job, const struct addr *address, enum prober_kind kind)
{
	return (struct prober_options){
		.kind = kind,
		.address = *address,
		.port = kind == PROBER_ICMP ? 0 : kind == PROBER_UDP ? PROBE_UDP_PORT : job->target.port,
		.device = job->device,
		.host = job->target.host,
		.scope = addr_needs_zone(address) ? job->ifindex : 0,
	};
}

enum prober_kind probe_job_side(enum addr_family family)
{
	return prober_allowed(PROBER_ICMP, family, NULL) ? PROBER_UDP : PROBER_ICMP;
}

static void judge(struct probe_job *job, struct probe_result *result)
{
	struct arena *arena = &job->session.arena;
	const struct probe_evidence evidence = { .mtu = result->mtu, .trace = result->trace };
	const struct view view = { .probes = &evidence,
				   .network = job->network,
				   .netns = job->common->netns,
				   .netns_at = job->common->netns,
				   .arena = arena };
	struct verdict verdict = { .arena = arena };

	triage_run(&view, NULL, &verdict);
	triage_rank(&verdict);
	result->findings = verdict.findings;
	result->finding_count = verdict.finding_count;
}

static const struct route *route_of(const struct probe_result *result)
{
	return result->mtu ? &result->mtu->route : &result->trace->route;
}

static bool is_partial(const struct probe_result *result)
{
	return result->mtu ? result->mtu->path.partial : result->trace->path.partial;
}

/* Addresses share what is left of the time, so that a silent one does not cost the others their turn. */
static int probe_addresses(struct probe_job *job, struct err *err)
{
	int64_t end_us = clock_mono_us() + job->timeout_us;

	for (unsigned i = 0; i < job->addresses.count; i++) {
		struct probe_result *result = &job->results[job->result_count];
		int64_t now = clock_mono_us();
		int code;

		if (interrupted || now >= end_us) {
			notices_add(&job->session.notices, "%s was not probed: %s", probe_job_text(job, &job->addresses.at[i]),
				    interrupted ? "the run was interrupted" : "--timeout was over");
			job->cut = true;
			continue;
		}
		code = job->kind->probe(job, &job->addresses.at[i], now + (end_us - now) / (job->addresses.count - i), result, err);
		if (code)
			return code;
		job->cut |= is_partial(result);
		judge(job, result);
		job->result_count++;
	}
	return 0;
}

static unsigned weight_of(int status)
{
	static const int order[] = { EXIT_RAN, EXIT_PARTIAL, EXIT_REFUSED, EXIT_DIES };
	unsigned weight = 0;

	while (weight < ARRAY_SIZE(order) && order[weight] != status)
		weight++;
	return weight;
}

/* An address of a family that this machine has no route for is no fault of the way: connect() passes over it at once. It counts when there is no other. */
static int worst_status(struct probe_job *job)
{
	int worst = -1, unrouted = EXIT_PARTIAL;

	for (size_t i = 0; i < job->result_count; i++) {
		const struct route *route = route_of(&job->results[i]);
		int status = job->kind->status(&job->results[i]);

		if (route->error)
			unrouted = status;
		else if (worst < 0 || weight_of(status) > weight_of(worst))
			worst = status;
	}
	for (size_t i = 0; worst >= 0 && i < job->result_count; i++) {
		const struct route *route = route_of(&job->results[i]);

		if (route->error)
			notices_add(&job->session.notices, "%s was not probed: this host has no route to it (%s); the exit status is that of the others",
				    probe_job_text(job, &route->destination), strerror(-route->error));
	}
	if (worst < 0)
		worst = unrouted;
	return job->cut && weight_of(worst) < weight_of(EXIT_PARTIAL) ? EXIT_PARTIAL : worst;
}

static int print(struct probe_job *job, struct err *err)
{
	struct document doc = session_document(&job->session, job->kind->schema, 0);
	CLEANUP(out_close) struct out out;
	struct probe_report report;
	int code;

	if (job->common->netns)
		doc.netns = job->common->netns;
	doc.complete = doc.complete && !job->cut;
	report = (struct probe_report){ .doc = &doc,
					.target = job->target.text,
					.port = job->target.port,
					.results = job->results,
					.result_count = job->result_count,
					.verbose = job->common->verbose,
					.show_hops = job->show_hops,
					.print_from = PRINT_FROM,
					.style = job->session.style };
	out_open_fd(&out, STDOUT_FILENO);
	job->kind->renderers[job->session.format](&out, &report);
	code = out_flush(&out);
	/* in text they stand below the results */
	if (job->session.format != FORMAT_TEXT)
		session_print_notices(&job->session, job->common);
	return code && code != -EPIPE ? err_errno(err, code, "cannot write the output") : 0;
}

static int run(struct probe_job *job, int count, char **operands, struct err *err)
{
	int code = settle(job, count, operands, err), status;

	if (!code)
		code = open_job(job, err);
	if (code)
		return code;
	signals_catch();
	code = probe_addresses(job, err);
	if (code)
		return code;
	status = worst_status(job);
	if (job->kind->conclude)
		job->kind->conclude(job);
	code = print(job, err);
	if (code)
		return code;
	return interrupted == SIGINT ? EXIT_SIGINT : status;
}

int probe_job_run(struct probe_job *job, int operand_count, char **operands)
{
	struct err err = { "" };
	int code = run(job, operand_count, operands, &err);

	if (code == -EINVAL)
		return usage_error(job->kind->command, err.text);
	return code < 0 ? run_error(job->kind->command, err.text) : code;
}
