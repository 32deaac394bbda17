/* SPDX-License-Identifier: MIT */
/* The interfaces of a run: those of several sections and files with the same name, link type and snapshot length are one. */
#ifndef CAPTURE_INTERFACES_H
#define CAPTURE_INTERFACES_H

#include "tcptriage/capture/reader.h"

/** Most that a run tells apart, and most bytes of a name that are kept. */
#define INTERFACES_MAX 4096
#define INTERFACES_NAME_MAX 255

/** struct interfaces - zero-initialise, release with interfaces_free(). Rows stay where they are. */
struct interfaces {
	struct capture_interface *rows[INTERFACES_MAX];
	uint64_t hashes[INTERFACES_MAX];
	unsigned count;
};

/** interfaces_index() - of the interface with these properties, added when it is new. @name: copied. Return: its index, -1 when the table is full. */
int interfaces_index(struct interfaces *interfaces, const char *name, uint32_t link_type, uint32_t snaplen);
/** interfaces_several_link_types() - not all have the same. */
bool interfaces_several_link_types(const struct interfaces *interfaces);
/** interfaces_free() - release all rows. */
void interfaces_free(struct interfaces *interfaces);

#endif
