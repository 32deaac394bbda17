/* SPDX-License-Identifier: MIT */
/* Whose socket is it?
 *
 * sock_diag is asked at once, since a socket may not live long: it tells cookie, tcp_info and inode. Which process holds the inode only a pass
 * over /proc tells, so such questions wait for others for a moment and go together. What a pass found is kept by inode. All of this takes
 * its time from a budget of a twentieth of one core; when that is used up, answers come without pid, and then without a look. */
#include "capture/helper_owners.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "capture/helper_protocol.h"
#include "tcptriage/base/clock.h"
#include "tcptriage/collect/source.h"
#include "tcptriage/model/flow.h"

#define BATCH_MAX 256
#define BATCH_WAIT_US 20000
/* Whoever waits longer gets an answer without pid. */
#define BATCH_WAIT_MAX_US 500000
#define KNOWN_SLOTS 4096
#define LOCAL_SLOTS 256
/* An inode that nobody was seen to hold, and an address that is ours or not, are asked about again after this. */
#define DOUBT_US 1000000
/* The budget: one µs in so many, saved up to so much. Below −BUDGET_DEBT_US not even sock_diag is asked. */
#define BUDGET_SHARE 20
#define BUDGET_SAVED_US 500000
#define BUDGET_DEBT_US 100000

/** struct known - @inode is held by process @pid, 0 nobody who could be seen (then worth something until @until_us). @inode 0: a free slot. */
struct known {
	uint32_t inode, pid;
	int64_t until_us;
	char comm[16], unit[64];
};

/** struct pending - an answer that lacks its process: who holds @inode, asked at @since_us. */
struct pending {
	struct owner_answer answer;
	uint32_t inode;
	int64_t since_us;
};

/** struct local_address - whether @addr is this machine's, worth something until @until_us. */
struct local_address {
	struct addr addr;
	bool is_local;
	int64_t until_us;
};

/**
 * struct helper_owners - @waiting: the batch. @ready: a ring of @ready_count answers from @first on. @known, @local: found by hash, the newer stays.
 * @saved_us: of the budget, as of @wall_us and @cpu_us.
 */
struct helper_owners {
	struct arena arena;
	struct notices notices;
	struct source *source;
	struct source_ns *ns;
	struct pending waiting[BATCH_MAX];
	struct owner_answer ready[HELPER_QUESTIONS_MAX];
	unsigned waiting_count, first, ready_count;
	struct known known[KNOWN_SLOTS];
	struct local_address local[LOCAL_SLOTS];
	int64_t saved_us, wall_us, cpu_us;
};

static int64_t cpu_time_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

static int64_t budget_us(struct helper_owners *o)
{
	int64_t wall = clock_mono_us(), cpu = cpu_time_us();

	o->saved_us += (wall - o->wall_us) / BUDGET_SHARE - (cpu - o->cpu_us);
	o->saved_us = MIN(o->saved_us, BUDGET_SAVED_US);
	o->wall_us = wall;
	o->cpu_us = cpu;
	return o->saved_us;
}

struct helper_owners *helper_owners_new(void)
{
	struct helper_owners *o = xcalloc(1, sizeof(*o));
	const struct netns *ours;

	o->notices.arena = &o->arena;
	o->wall_us = clock_mono_us();
	o->cpu_us = cpu_time_us();
	o->saved_us = BUDGET_SAVED_US;
	if (source_open_live(&o->source, &o->arena, &o->notices, NULL))
		return o;
	if (source_namespaces(o->source, NULL, &ours, NULL, NULL) == 1)
		source_ns_open(o->source, ours, &o->ns, NULL);
	return o;
}

void helper_owners_free(struct helper_owners *o)
{
	if (!o)
		return;
	source_ns_close(o->ns);
	source_close(o->source);
	arena_free(&o->arena);
	free(o);
}

/* A listener on every address, or a UDP socket without peer, takes what is sent to any address for its own: only the routing table knows which
 * are, and a packet that merely passed by must not be given to it. */
static bool is_ours(struct helper_owners *o, const struct addr *addr)
{
	struct local_address *slot = &o->local[addr_hash(addr) % LOCAL_SLOTS];
	struct route route;

	if (slot->until_us > clock_mono_us() && addr_equal(&slot->addr, addr))
		return slot->is_local;
	slot->is_local = !source_route(o->ns, addr, &route, NULL) && !route.error && route.is_local;
	slot->addr = *addr;
	slot->until_us = clock_mono_us() + DOUBT_US;
	return slot->is_local;
}

/** struct look - one socket that sock_diag found; its tcp_info lies in @buf. */
struct look {
	struct sock sock;
	bool found;
	uint8_t buf[SOURCE_SOCKET_BYTES];
};

static void look_for(struct helper_owners *o, uint8_t protocol, const struct endpoint *local, const struct endpoint *peer, uint64_t cookie, struct look *look)
{
	memset(&look->sock, 0, sizeof(look->sock));
	look->sock.netid = protocol == PROTOCOL_UDP ? NETID_UDP : NETID_TCP;
	look->sock.family = local->addr.family;
	look->sock.local = *local;
	look->sock.peer = *peer;
	look->sock.cookie = cookie;
	look->found = !source_socket_info(o->ns, &look->sock, look->buf, sizeof(look->buf));
}

static bool is_listener(const struct sock *sock)
{
	return sock->netid == NETID_TCP && sock->state == SOCK_STATE_LISTEN;
}

/* It stands between these two ends and no others. */
static bool is_exact(const struct look *look)
{
	return look->found && !is_listener(&look->sock) && look->sock.peer.port;
}

/* Which side is this machine's; 2: neither. The exact socket goes before one that would take anything. */
static unsigned choose(struct helper_owners *o, const struct owner_question *q, struct look look[2])
{
	const struct endpoint *end[2] = { &q->local, &q->peer };

	for (unsigned side = 0; side < 2; side++) {
		look_for(o, q->protocol, end[side], end[!side], q->cookie, &look[side]);
		if (is_exact(&look[side]))
			return side;
	}
	for (unsigned side = 0; side < 2; side++)
		if (look[side].found && is_ours(o, &end[side]->addr))
			return side;
	return 2;
}

static bool fill_info(struct flow_owner_info *info, const struct sock *sock)
{
	if (is_listener(sock))
		return false;
	*info = (struct flow_owner_info){ .state = sock->state,
					  .retrans = (uint32_t)sock_tcpi(sock, TCPI_TOTAL_RETRANS),
					  .rtt_us = (uint32_t)sock_tcpi(sock, TCPI_RTT),
					  .snd_mss = (uint32_t)sock_tcpi(sock, TCPI_SND_MSS),
					  .pmtu = (uint32_t)sock_tcpi(sock, TCPI_PMTU),
					  .unacked = (uint32_t)sock_tcpi(sock, TCPI_UNACKED) };
	return sock->info.len > 0;
}

/* A connection that nobody has accepted yet is its listener's. Return: the inode whose holder is wanted, 0 none. */
static uint32_t inode_to_find(struct helper_owners *o, const struct owner_question *q, const struct endpoint *local, struct sock *sock)
{
	enum owner_unknown reason = owner_reason_of_state(sock);
	struct endpoint nobody = { .addr.family = q->local.addr.family };
	struct look listener;

	if (sock->inode || sock->netid != NETID_TCP || (reason != OWNER_SYN_RECV && reason != OWNER_NOT_ACCEPTED))
		return sock->inode;
	look_for(o, q->protocol, local, &nobody, 0, &listener);
	if (!listener.found || !is_listener(&listener.sock))
		return 0;
	sock->uid = listener.sock.uid;
	return listener.sock.inode;
}

static uint32_t look(struct helper_owners *o, const struct owner_question *q, struct owner_answer *answer)
{
	struct flow_owner *owner = &answer->owner;
	struct look looks[2];
	unsigned side = choose(o, q, looks);
	struct sock *sock = &looks[side & 1].sock;
	bool is_over;
	uint32_t inode;

	answer->local_side = (uint8_t)side;
	is_over = side == 2 || sock->state == SOCK_STATE_TIME_WAIT || is_listener(sock);
	owner->gone = q->again && is_over;
	if (side == 2)
		return 0;
	answer->found = true;
	inode = inode_to_find(o, q, side ? &q->peer : &q->local, sock);
	owner->uid = sock->uid;
	/* a listener's own would find other connections than this one at the second look */
	owner->cookie = is_listener(sock) ? 0 : sock->cookie;
	if (q->again)
		owner->has_last = fill_info(&owner->last, sock);
	else
		owner->has_first = fill_info(&owner->first, sock);
	return inode;
}

static struct known *slot_of(struct helper_owners *o, uint32_t inode)
{
	return &o->known[hash_u64(inode) % KNOWN_SLOTS];
}

static void name_process(struct flow_owner *owner, const struct known *known)
{
	owner->pid = known->pid;
	memcpy(owner->comm, known->comm, sizeof(owner->comm));
	memcpy(owner->unit, known->unit, sizeof(owner->unit));
}

static void make_ready(struct helper_owners *o, const struct owner_answer *answer)
{
	o->ready[(o->first + o->ready_count++) % HELPER_QUESTIONS_MAX] = *answer;
}

/* Return: false when only a pass over /proc can tell. */
static bool is_answered(struct helper_owners *o, struct owner_answer *answer, uint32_t inode)
{
	const struct known *known = slot_of(o, inode);

	if (!inode)
		return true;
	if (known->inode != inode || (!known->pid && known->until_us <= clock_mono_us()))
		return o->waiting_count == BATCH_MAX;
	name_process(&answer->owner, known);
	return true;
}

static void learn(struct helper_owners *o, const struct owner_map *map, uint32_t inode)
{
	struct known *known = slot_of(o, inode);
	const struct holder *holders;

	memset(known, 0, sizeof(*known));
	known->inode = inode;
	known->until_us = clock_mono_us() + DOUBT_US;
	if (owner_map_find(map, inode, &holders)) {
		const struct process *process = holders->process;

		known->pid = process->pid;
		snprintf(known->comm, sizeof(known->comm), "%s", process->comm);
		snprintf(known->unit, sizeof(known->unit), "%s", *process->unit ? process->unit : process->container);
	}
}

static void answer_batch(struct helper_owners *o, const struct owner_map *map)
{
	for (unsigned i = 0; i < o->waiting_count; i++) {
		struct pending *p = &o->waiting[i];

		if (map) {
			learn(o, map, p->inode);
			name_process(&p->answer.owner, slot_of(o, p->inode));
		}
		make_ready(o, &p->answer);
	}
	o->waiting_count = 0;
}

static void pass(struct helper_owners *o)
{
	uint32_t wanted[BATCH_MAX];
	struct owner_map *map;

	for (unsigned i = 0; i < o->waiting_count; i++)
		wanted[i] = o->waiting[i].inode;
	if (source_owners(o->source, wanted, o->waiting_count, &map, NULL))
		map = NULL;
	answer_batch(o, map);
	owner_map_free(map);
}

int helper_owners_wait_ms(const struct helper_owners *o)
{
	int64_t left_us;

	if (!o->waiting_count)
		return -1;
	left_us = o->waiting[0].since_us + BATCH_WAIT_US - clock_mono_us();
	/* beyond its time the batch waits for the budget */
	return left_us > 0 ? (int)(left_us / 1000) + 1 : BATCH_WAIT_US / 1000;
}

void helper_owners_work(struct helper_owners *o)
{
	int64_t waited_us;

	if (!o->waiting_count)
		return;
	waited_us = clock_mono_us() - o->waiting[0].since_us;
	if ((waited_us >= BATCH_WAIT_US || o->waiting_count == BATCH_MAX) && budget_us(o) > 0)
		pass(o);
	else if (waited_us >= BATCH_WAIT_MAX_US)
		answer_batch(o, NULL);
}

bool helper_owners_ask(struct helper_owners *o, const struct owner_question *q)
{
	bool has_ports = q->protocol == PROTOCOL_TCP || q->protocol == PROTOCOL_UDP;
	struct owner_answer answer;
	uint32_t inode = 0;

	if (q->local.addr.family >= ADDR_FAMILY_COUNT || q->peer.addr.family != q->local.addr.family ||
	    o->ready_count + o->waiting_count >= HELPER_QUESTIONS_MAX)
		return false;
	memset(&answer, 0, sizeof(answer));
	answer.tag = q->tag;
	answer.local_side = 2;
	/* the second looks come once, at the end */
	if (has_ports && o->ns && (q->again || budget_us(o) > -BUDGET_DEBT_US))
		inode = look(o, q, &answer);
	if (o->waiting_count == BATCH_MAX)
		helper_owners_work(o);
	if (is_answered(o, &answer, inode))
		make_ready(o, &answer);
	else
		o->waiting[o->waiting_count++] = (struct pending){ .answer = answer, .inode = inode, .since_us = clock_mono_us() };
	return true;
}

const struct owner_answer *helper_owners_ready(const struct helper_owners *o)
{
	return o->ready_count ? &o->ready[o->first] : NULL;
}

void helper_owners_sent(struct helper_owners *o)
{
	o->first = (o->first + 1) % HELPER_QUESTIONS_MAX;
	o->ready_count--;
}
