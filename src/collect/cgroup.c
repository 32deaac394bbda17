/* SPDX-License-Identifier: MIT */
/* cgroup paths read component by component, from the root inwards: a deeper container or unit replaces an outer one. */
#include "tcptriage/collect/cgroup.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define SHORT_ID 12
#define FULL_ID 64
#define UUID_LEN 36

/* A piece of the path, not terminated. */
struct piece {
	const char *at;
	size_t len;
};

static struct piece piece_from(struct piece p, size_t skip)
{
	return (struct piece){ p.at + skip, p.len - skip };
}

static bool begins(struct piece p, const char *word)
{
	size_t len = strlen(word);

	return p.len >= len && !memcmp(p.at, word, len);
}

static bool ends(struct piece p, const char *word)
{
	size_t len = strlen(word);

	return p.len >= len && !memcmp(p.at + p.len - len, word, len);
}

static bool equals(struct piece p, const char *word)
{
	return p.len == strlen(word) && begins(p, word);
}

static bool is_hex(struct piece p)
{
	for (size_t i = 0; i < p.len; i++)
		if (!isxdigit((unsigned char)p.at[i]))
			return false;
	return p.len > 0;
}

/* systemd writes bytes of a name that would be separators as \xNN (systemd.unit(5)). */
static void copy_unescaped(char *out, size_t size, struct piece p)
{
	size_t n = 0;

	for (size_t i = 0; i < p.len && n + 1 < size; i++) {
		unsigned byte;

		if (p.at[i] == '\\' && i + 3 < p.len && p.at[i + 1] == 'x' &&
		    is_hex((struct piece){ p.at + i + 2, 2 }) &&
		    sscanf((char[]){ p.at[i + 2], p.at[i + 3], 0 }, "%x", &byte) == 1 && byte) {
			out[n++] = (char)byte;
			i += 3;
		} else {
			out[n++] = p.at[i];
		}
	}
	out[n] = '\0';
}

static void copy(char *out, size_t size, struct piece p)
{
	snprintf(out, size, "%.*s", (int)MIN(p.len, size), p.at);
}

/* How the runtimes name a container's cgroup: a prefix, the id, and ".scope" where systemd manages it. */
static const char *const id_prefixes[] = { "docker-", "cri-containerd-", "crio-", "libpod-", "nerdctl-" };

static bool take_id(struct piece p, struct piece *id)
{
	struct piece bare = p;

	if (p.len == FULL_ID && is_hex(p)) {
		*id = p;
		return true;
	}
	if (ends(p, ".scope"))
		bare.len -= strlen(".scope");
	for (size_t i = 0; i < ARRAY_SIZE(id_prefixes); i++) {
		size_t len = strlen(id_prefixes[i]);

		if (!begins(bare, id_prefixes[i]))
			continue;
		*id = piece_from(bare, len);
		return id->len >= SHORT_ID && is_hex(*id);
	}
	return false;
}

/* "slice:prefix:id", what containerd makes of a systemd name when it manages cgroups itself. */
static bool take_triple(struct piece p, struct piece *slice, struct piece *id)
{
	const char *first = memchr(p.at, ':', p.len), *last = memrchr(p.at, ':', p.len);

	if (!first || first == last)
		return false;
	*slice = (struct piece){ p.at, (size_t)(first - p.at) };
	*id = (struct piece){ last + 1, (size_t)(p.at + p.len - last) - 1 };
	return id->len >= SHORT_ID && is_hex(*id);
}

/* "pod<uid>" or "kubepods-burstable-pod<uid>.slice", whose dashes systemd makes underscores. */
static bool take_pod(struct piece p, char uid[UUID_LEN + 1])
{
	const char *hit;

	if (ends(p, ".slice"))
		p.len -= strlen(".slice");
	hit = begins(p, "pod") ? p.at : begins(p, "kubepods") ? memmem(p.at, p.len, "-pod", 4) : NULL;
	if (!hit)
		return false;
	p = piece_from(p, (size_t)(hit - p.at) + (*hit == '-' ? 4 : 3));
	/* static pods carry a hash of 32 digits */
	if (p.len != UUID_LEN && !(p.len == 32 && is_hex(p)))
		return false;
	for (size_t i = 0; i < p.len; i++) {
		uid[i] = p.at[i] == '_' ? '-' : p.at[i];
		if (uid[i] != '-' && !isxdigit((unsigned char)uid[i]))
			return false;
	}
	uid[p.len] = '\0';
	return true;
}

/* struct reading - what stood further out. @parent: the component before. */
struct reading {
	struct cgroup_names *names;
	struct piece parent;
	char pod[UUID_LEN + 1];
};

static void set_id(struct reading *r, struct piece id)
{
	id.len = SHORT_ID;
	if (*r->pod)
		snprintf(r->names->container, sizeof(r->names->container), "pod %s/%.*s", r->pod,
			 (int)id.len, id.at);
	else
		copy(r->names->container, sizeof(r->names->container), id);
}

/* Containers that are called by a name: LXC, machined, nspawn. */
static bool read_named(struct reading *r, struct piece p)
{
	char *out = r->names->container;
	size_t size = sizeof(r->names->container);

	if (begins(p, "lxc.payload.") && p.len > strlen("lxc.payload."))
		copy(out, size, piece_from(p, strlen("lxc.payload.")));
	else if (equals(r->parent, "lxc") || equals(r->parent, "lxc.payload"))
		copy(out, size, p);
	else if (equals(r->parent, "machine.slice") && begins(p, "machine-") && ends(p, ".scope"))
		copy_unescaped(out, size,
			       (struct piece){ p.at + 8, p.len - strlen("machine-.scope") });
	else if (equals(r->parent, "machine.slice") && begins(p, "systemd-nspawn@") &&
		 ends(p, ".service"))
		copy_unescaped(out, size,
			       (struct piece){ p.at + 15, p.len - strlen("systemd-nspawn@.service") });
	else
		return false;
	return true;
}

static void read_component(struct reading *r, struct piece p)
{
	struct piece id, slice;

	if (take_triple(p, &slice, &id)) {
		take_pod(slice, r->pod);
		set_id(r, id);
	} else if (take_pod(p, r->pod)) {
		snprintf(r->names->container, sizeof(r->names->container), "pod %s", r->pod);
	} else if (take_id(p, &id)) {
		set_id(r, id);
	} else {
		read_named(r, p);
		if (ends(p, ".service") || ends(p, ".scope"))
			copy(r->names->unit, sizeof(r->names->unit), p);
	}
	r->parent = p;
}

void cgroup_describe(const char *path, struct cgroup_names *names)
{
	struct reading r = { .names = names, .parent = { "", 0 } };

	names->unit[0] = names->container[0] = '\0';
	while (*path) {
		size_t len = strcspn(path, "/");

		if (len)
			read_component(&r, (struct piece){ path, len });
		path += len + (path[len] == '/');
	}
}
