/* SPDX-License-Identifier: MIT */
/* A finding: what is wrong, for whom, how sure, what speaks against it, what to do. Plain data between triage/ and render/.
 *
 * Texts are templates that live beside their rule; {name} is replaced by the evidence of that name, or by a piece of the scope
 * ({owner} "app[4121]", {pid}, {comm}, {unit}, {container}, {netns}, {local}, {peer}, {peer_addr}, {peer_port}, {local_addr}, {local_port},
 * {interface}, {count}; {target}: the peer as one names it to a probe, the evidence "example" where the peer is a network; {service}: the same, but a command
 * needs its port). {sockets|socket} is a number with what it counts, "1 socket" or "12 sockets". One function expands them, so every format agrees. A piece
 * that is not known reads as a word in its place ("an unknown process", "PID"), so that a command stays one that a person can complete. */
#ifndef TCPTRIAGE_MODEL_FINDING_H
#define TCPTRIAGE_MODEL_FINDING_H

#include "tcptriage/base/arena.h"
#include "tcptriage/model/owner.h"
#include "tcptriage/model/unit.h"

/** enum severity - the class of a finding; also its exit status (0, 1, 2). */
enum severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_CRITICAL, SEVERITY_COUNT };
/** severity_name() - "info", "warning", "critical". */
const char *severity_name(enum severity severity);

/** struct evidence - one typed fact. @text, when not NULL, is the value instead of @value (text from outside: escaped when printed). */
struct evidence {
	const char *name;
	double value;
	enum unit unit;
	const char *text;
	const char *source; /* "sock_diag", "TcpExtListenOverflows", "/proc/PID/limits", "rule" */
};

/**
 * struct scope - whom a finding concerns (@netns_at: how --netns is told its namespace, a name, pid or path; @peer_zone: interface of a link-local @peer); a member that does not apply is NULL, 0 or has @has_… false.
 * Strings from outside are escaped when printed. @peer_bits: when not 0, @peer is a network of that many bits ("10.9.9.0/24:80").
 */
struct scope {
	uint32_t pid;
	uint8_t peer_bits;
	const char *comm, *unit, *container, *netns, *netns_at, *interface, *peer_zone;
	bool has_local, has_peer;
	struct endpoint local, peer;
};

#define FINDING_EVIDENCE_MAX 24
#define FINDING_LINES_MAX 8

/** struct threshold_used - the limit that decided the severity and where its value came from ("default", "--…"). */
struct threshold_used {
	const char *name, *origin;
	double value;
	enum unit unit;
};

/**
 * struct finding - one verdict.
 * @rule: rule id (static). @id: stable hash of rule and scope. @confidence: 0…1. @score: 0…100 (RULES §6). @share, @growth, @scope_factor:
 * inputs of the score. @title, @detail: templates. @against, @causes, @next, @fixes, @refs: NULL-terminated lists of templates.
 * @count: sockets (or events) concerned. @folded: symptoms that this finding explains. @parent: the finding that explains this one.
 */
struct finding {
	const char *rule;
	uint64_t id;
	enum severity severity;
	double confidence, score, share, growth, scope_factor;
	struct scope scope;
	uint64_t count;
	const char *title, *detail;
	struct evidence evidence[FINDING_EVIDENCE_MAX];
	unsigned evidence_count;
	const char *against[FINDING_LINES_MAX + 1];
	const char *const *causes, *const *next, *const *fixes, *const *refs;
	struct threshold_used threshold;
	struct finding *parent;
	unsigned folded;
};

/** finding_evidence() - the evidence named @name, NULL when there is none. */
const struct evidence *finding_evidence(const struct finding *finding, const char *name);
/** finding_expand() - writes @template with its {placeholders} filled; an unknown placeholder is a BUG (a test walks them all). */
void finding_expand(struct out *out, const struct finding *finding, const char *template);

/**
 * finding_command() - writes @template as a command to be pasted: filled in, and aimed at the namespace of the finding (-N for our own
 * commands, `ip netns exec` or nsenter for others), unless a remark in it says that it is for another machine ("# on the server").
 * Return: false, nothing written, when it asks for a pid, an endpoint or an interface that the finding does not know.
 */
bool finding_command(struct out *out, const struct finding *finding, const char *template);

/** struct skipped_rule - a rule that could not speak, and why. @partial: only a part of it could not, the rest was judged. */
struct skipped_rule {
	const char *rule, *reason;
	bool partial;
};

/** struct near_miss - a rule that looked and did not fire, with the number nearest to its threshold. */
struct near_miss {
	const char *rule;
	double value;
	double threshold;
	enum unit unit;
	const char *what; /* "oldest SYN-SENT" */
};

#endif
