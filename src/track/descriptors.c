/* SPDX-License-Identifier: MIT */
/* Sockets by state and by where they lead, for the few processes that are short of descriptors. */
#include "tcptriage/track/descriptors.h"

static bool holds(const struct descriptor_user *user, uint32_t inode)
{
	size_t lo = 0, hi = user->inode_count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (user->inodes[mid] < inode)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < user->inode_count && user->inodes[lo] == inode;
}

static struct descriptor_end end_of(const struct snapshot *snap, const struct sock *sock)
{
	bool accepted = snapshot_listener_for(snap, &sock->local);

	return (struct descriptor_end){
		.at = accepted ? sock->local : sock->peer, .sockets = 1, .accepted = accepted
	};
}

/* Misra and Gries: one that finds no place takes one from each that has. */
static void count_end(struct descriptor_user *user, struct descriptor_end end)
{
	struct descriptor_end *room = NULL;

	for (size_t i = 0; i < DESCRIPTOR_ENDS_MAX; i++) {
		struct descriptor_end *e = &user->ends[i];

		if (!e->sockets) {
			room = e;
		} else if (e->accepted == end.accepted && endpoint_equal(&e->at, &end.at)) {
			e->sockets++;
			return;
		}
	}
	if (room)
		*room = end;
	for (size_t i = 0; !room && i < DESCRIPTOR_ENDS_MAX; i++)
		user->ends[i].sockets--;
}

void descriptors_count(struct descriptor_use *use, const struct snapshot *snap, const struct sock *sock)
{
	for (size_t i = 0; sock->inode && i < use->count; i++) {
		struct descriptor_user *user = &use->at[i];

		if (!holds(user, sock->inode))
			continue;
		if (sock->netid != NETID_TCP) {
			user->udp++;
			continue;
		}
		user->tcp[sock->state]++;
		if (sock->peer.port)
			count_end(user, end_of(snap, sock));
	}
}

const struct descriptor_end *descriptors_end(const struct descriptor_user *user)
{
	const struct descriptor_end *most = NULL;

	for (size_t i = 0; i < DESCRIPTOR_ENDS_MAX; i++) {
		if (user->ends[i].sockets > (most ? most->sockets : 0))
			most = &user->ends[i];
	}
	return most;
}
