/* SPDX-License-Identifier: MIT */
/* The second pass over /proc, for the sockets that were not explained by the first. */
#include "late.h"

#include <errno.h>
#include <stdlib.h>

bool late_keep(struct late *late, const struct sock *sock, unsigned ns)
{
	struct late_sock *kept;

	if (late->looked || late->count == LATE_MAX)
		return false;
	if (!late->socks)
		late->socks = xmalloc(LATE_MAX * sizeof(*late->socks));
	kept = &late->socks[late->count++];
	sock_copy_set(&kept->copy, sock);
	kept->ns = ns;
	return true;
}

void late_look(struct late *late, struct session *session)
{
	AUTO_FREE uint32_t *inodes = xcalloc(late->count, sizeof(*inodes));

	late->looked = true;
	for (size_t i = 0; i < late->count; i++)
		inodes[i] = late->socks[i].copy.sock.inode;
	if (late->count && source_owners(session->source, inodes, late->count, &late->owners, NULL))
		late->owners = NULL;
}

/* Only TCP is found again by its tuple and cookie whatever its peer. */
static bool has_gone(struct session *session, const struct sock *sock, unsigned ns)
{
	_Alignas(8) uint8_t answer[SOURCE_SOCKET_BYTES];
	struct sock again = *sock;

	return sock->netid == NETID_TCP &&
	       source_socket_info(session->ns[ns], &again, answer, sizeof(answer)) == -ENOENT;
}

enum owner_unknown late_reason(const struct late *late, struct session *session,
			       const struct sock *sock, unsigned ns)
{
	return has_gone(session, sock, ns) ? OWNER_RACED : owner_map_reason(late->owners, sock);
}

void late_free(struct late *late)
{
	free(late->socks);
	owner_map_free(late->owners);
	*late = (struct late){ 0 };
}
