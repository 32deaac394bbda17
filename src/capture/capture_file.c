/* SPDX-License-Identifier: MIT */
/* What pcap and pcapng files have in common. */
#include "capture/capture_file.h"

#include <errno.h>

#include "capture/pcapng_format.h"
#include "tcptriage/decode/cursor.h"

void capture_file_open(struct capture_file *file, int fd, const char *name, struct capture_facts *facts)
{
	*file = (struct capture_file){ .name = name, .facts = facts };
	stream_open(&file->stream, fd, name);
}

int capture_file_begin(struct capture_file *file, struct err *err)
{
	uint32_t magic = 0;
	struct cursor c;
	const uint8_t *head;
	ssize_t n = stream_unpack(&file->stream);

	if (!n)
		n = stream_peek(&file->stream, sizeof(magic), &head);
	if (n < 0)
		return n == -EINTR ? -EINTR : capture_file_failed(file, n, err);
	if (!n)
		return err_set(err, -EBADMSG, "%s is empty: no capture file", file->name);
	c = cursor_of(head, (size_t)n);
	cursor_u32ne(&c, &magic);
	file->format = magic == PCAPNG_SECTION ? &pcapng_file_format : &pcap_file_format;
	return file->format->open(file, err);
}

int capture_file_interface(struct capture_file *file, const char *name, uint32_t link_type, uint32_t snaplen, struct err *err)
{
	int index = interfaces_index(&file->facts->interfaces, name, link_type, snaplen);

	if (index < 0)
		return err_set(err, -EBADMSG, "%s: more than %u different interfaces", file->name, INTERFACES_MAX);
	return index;
}

int capture_file_failed(const struct capture_file *file, ssize_t code, struct err *err)
{
	if (code == -EINTR)
		return -EAGAIN;
	return err_set(err, (int)code, "%s", file->stream.why.text);
}

void capture_file_close(struct capture_file *file)
{
	if (file->format)
		file->format->close(file);
	stream_close(&file->stream);
}
