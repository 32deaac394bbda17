/* SPDX-License-Identifier: MIT */
/* The seam behind reader.h: what a kind of source (files, a live interface) has to provide. */
#ifndef CAPTURE_READER_INTERNAL_H
#define CAPTURE_READER_INTERNAL_H

#include "tcptriage/capture/reader.h"

/**
 * struct reader_ops - one row per kind of source. Each does what the function of reader.h of the same name says.
 * @fd: NULL when there is none to poll. @drain: NULL when nothing is held back. @close: frees the reader; its argument is never NULL.
 */
struct reader_ops {
	int (*next)(struct reader *reader, struct frame *frame, struct err *err);
	const struct capture_interface *(*interface)(const struct reader *reader, unsigned index);
	void (*source)(struct reader *reader, struct capture_source *source);
	int (*fd)(const struct reader *reader);
	void (*drain)(struct reader *reader);
	void (*close)(struct reader *reader);
};

/** struct reader - the first member of each kind's own struct, which the kind allocates itself. */
struct reader {
	const struct reader_ops *ops;
};

#endif
