/* SPDX-License-Identifier: MIT */
/* Whole small files in, files replaced atomically out. */
#ifndef TCPTRIAGE_BASE_FILE_H
#define TCPTRIAGE_BASE_FILE_H

#include <sys/types.h>

#include "tcptriage/base/err.h"
#include "tcptriage/base/out.h"

/**
 * file_read_at() - read a file whole into @buf and terminate it with NUL.
 * @dir: directory descriptor or AT_FDCWD. @path: relative to it. @buf, @size: the caller's storage.
 * Return: bytes read (< @size); -EFBIG when the file is larger (the head stands in @buf); another negative errno.
 */
ssize_t file_read_at(int dir, const char *path, char *buf, size_t size);

/**
 * file_slurp_at() - read a file of up to @max bytes into @out (a memory writer), appended.
 * Return: 0, -EFBIG, or another negative errno.
 */
int file_slurp_at(int dir, const char *path, struct out *out, size_t max);

/**
 * struct file_replace - a file being written beside its target, to take its place at the end.
 * @out: write here. @path, @temp: target and temporary name, owned; @temp is NULL where nothing is replaced.
 */
struct file_replace {
	struct out out;
	char *path, *temp;
	int fd;
};

/**
 * file_replace_begin() - opens a temporary file (mode @mode) in the directory of @path; a device, pipe or socket at @path is written itself, for
 * its name must stay what it is. Return: 0 or -errno with @err.
 */
int file_replace_begin(struct file_replace *file, const char *path, unsigned mode, struct err *err);
/** file_replace_commit() - flush, fsync, rename over the target. Return: 0 or -errno with @err; the target is whole either way. */
int file_replace_commit(struct file_replace *file, struct err *err);
/** file_replace_abort() - removes the temporary file; safe after commit and after a failed begin. Fit for CLEANUP(). */
void file_replace_abort(struct file_replace *file);

#endif
