/* SPDX-License-Identifier: MIT */
/* Reading whole files with a bound, and replacing one without a moment in which it is half written. */
#include "tcptriage/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_for_reading(int dir, const char *path)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? -errno : fd;
}

ssize_t file_read_at(int dir, const char *path, char *buf, size_t size)
{
	AUTO_FD int fd = open_for_reading(dir, path);
	size_t len = 0;

	buf[0] = '\0';
	if (fd < 0)
		return fd;
	for (;;) {
		ssize_t n = read(fd, buf + len, size - 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		len += (size_t)n;
		buf[len] = '\0';
		if (n == 0)
			return (ssize_t)len;
		if (len == size - 1)
			return read(fd, &(char){ 0 }, 1) == 0 ? (ssize_t)len : -EFBIG;
	}
}

int file_slurp_at(int dir, const char *path, struct out *out, size_t max)
{
	AUTO_FD int fd = open_for_reading(dir, path);
	size_t taken = 0;

	if (fd < 0)
		return fd;
	for (;;) {
		ssize_t n = read(fd, out_need(out, 65536), 65536);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		taken += (size_t)n;
		if (taken > max)
			return -EFBIG;
		out->at += n;
	}
}

/* A terminal, a pipe, /dev/null: nothing that could be replaced, and a name that must stay what it is. */
static bool is_special(const char *path)
{
	struct stat st;

	return !stat(path, &st) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

static int open_special(struct file_replace *file, const char *path, struct err *err)
{
	*file = (struct file_replace){ .fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY) };
	if (file->fd < 0)
		return err_errno(err, -errno, "cannot write to '%s'", path);
	file->path = xstrdup(path);
	out_open_fd(&file->out, file->fd);
	return 0;
}

int file_replace_begin(struct file_replace *file, const char *path, unsigned mode, struct err *err)
{
	size_t len = strlen(path) + 16;

	if (is_special(path))
		return open_special(file, path, err);
	*file = (struct file_replace){ .fd = -1, .path = xstrdup(path), .temp = xmalloc(len) };
	snprintf(file->temp, len, "%s.XXXXXX", path);
	file->fd = mkostemp(file->temp, O_CLOEXEC);
	if (file->fd < 0) {
		int code = -errno;

		free_ptr(&file->temp);
		return err_errno(err, code, "cannot write beside '%s'", path);
	}
	if (fchmod(file->fd, mode) < 0)
		return err_errno(err, -errno, "cannot set the mode of '%s'", file->temp);
	out_open_fd(&file->out, file->fd);
	return 0;
}

int file_replace_commit(struct file_replace *file, struct err *err)
{
	int code = out_flush(&file->out);

	if (code)
		return err_errno(err, code, "cannot write '%s'", file->temp ? file->temp : file->path);
	if (!file->temp)
		return 0;
	if (fsync(file->fd) < 0 && errno != EINVAL && errno != EROFS)
		return err_errno(err, -errno, "cannot write '%s'", file->temp);
	if (rename(file->temp, file->path) < 0)
		return err_errno(err, -errno, "cannot replace '%s'", file->path);
	free_ptr(&file->temp);
	return 0;
}

void file_replace_abort(struct file_replace *file)
{
	if (file->temp)
		unlink(file->temp);
	if (file->out.base) {
		out_clear(&file->out);
		out_close(&file->out);
	}
	close_fd(&file->fd);
	free_ptr(&file->temp);
	free_ptr(&file->path);
}
