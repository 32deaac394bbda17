/* SPDX-License-Identifier: MIT */
/* Hands each call of reader.h to the kind of source that it was opened as. */
#include "capture/reader_internal.h"

int reader_next(struct reader *reader, struct frame *frame, struct err *err)
{
	return reader->ops->next(reader, frame, err);
}

int reader_fd(const struct reader *reader)
{
	return reader->ops->fd ? reader->ops->fd(reader) : -1;
}

const struct capture_interface *reader_interface(const struct reader *reader, unsigned index)
{
	return reader->ops->interface(reader, index);
}

void reader_drain(struct reader *reader)
{
	if (reader->ops->drain)
		reader->ops->drain(reader);
}

void reader_source(struct reader *reader, struct capture_source *source)
{
	reader->ops->source(reader, source);
}

void reader_close(struct reader *reader)
{
	if (reader)
		reader->ops->close(reader);
}

void reader_close_ptr(struct reader **reader)
{
	reader_close(*reader);
}
