/* SPDX-License-Identifier: MIT */
/*
 * input.c - the files that a command sends
 */
#include "client/input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/failure.h"
#include "protocol/error.h"
#include "protocol/seheader.h"

/* A descriptor that closes itself. */
static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
#define AUTO_FD __attribute__((cleanup(close_fd))) int

static int open_file(const char *path, const char *label, struct stat *st, GError **error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int saved = errno;

	if (fd < 0 || fstat(fd, st) < 0) {
		if (fd >= 0) {
			saved = errno;
			close(fd);
		}
		pvs_failure_system(error, saved, label, "cannot be opened");
		return -1;
	}
	if (S_ISDIR(st->st_mode)) {
		close(fd);
		pvs_failure(error, PVS_EXIT_FAILED, "give a file", "%s: is a directory", label);
		return -1;
	}
	return fd;
}

static GBytes *read_all(int fd, const char *label, GError **error)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();

	for (;;) {
		guint8 piece[16384];
		ssize_t n = read(fd, piece, sizeof piece);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			pvs_failure_system(error, errno, label, "cannot be read");
			return NULL;
		}
		if (n == 0)
			break;
		if (bytes->len + (gsize)n > PVS_INPUT_MAX) {
			pvs_failure(error, PVS_EXIT_FAILED,
				    g_str_has_prefix(label, "--crl ")
					    ? "check that it is the right file; a large CRL can be "
					      "installed in the daemon's trust.d"
					    : "check that it is the right file",
				    "%s: is larger than 1 MiB", label);
			return NULL;
		}
		g_byte_array_append(bytes, piece, (guint)n);
	}
	return g_byte_array_free_to_bytes(g_steal_pointer(&bytes));
}

GBytes *pvs_input_read_any(const char *path, const char *label, GError **error)
{
	struct stat st;
	AUTO_FD fd = open_file(path, label, &st, error);

	return fd < 0 ? NULL : read_all(fd, label, error);
}

GBytes *pvs_input_read(const char *path, const char *label, GError **error)
{
	g_autoptr(GBytes) bytes = pvs_input_read_any(path, label, error);

	if (bytes && g_bytes_get_size(bytes) == 0) {
		pvs_failure(error, PVS_EXIT_FAILED, "get the file again from where it came",
			    "%s: is empty", label);
		return NULL;
	}
	return g_steal_pointer(&bytes);
}

GBytes *pvs_input_read_or_stdin(const char *path, const char *label, GError **error)
{
	return strcmp(path, "-") == 0 ? read_all(STDIN_FILENO, label, error)
				      : pvs_input_read_any(path, label, error);
}

/* Reads at most @size bytes at @offset; fewer only at the end of the file. */
static gboolean read_at(int fd, guint64 offset, guint8 *data, gsize size, gsize *got,
			const char *label, GError **error)
{
	*got = 0;
	if (offset > G_MAXINT64 - size)
		return TRUE; /* no file reaches there */
	while (*got < size) {
		ssize_t n = pread(fd, data + *got, size - *got, (off_t)(offset + *got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return pvs_failure_system(error, errno, label, "cannot be read");
		if (n == 0)
			break;
		*got += (gsize)n;
	}
	return TRUE;
}

/* What the formats' code says of the bytes, with the file's name before it. */
static gboolean header_failure(const GError *why, const char *label, GError **error)
{
	PvsError row = (PvsError)why->code;

	/* Of a file in which the header was looked for, at every place where one can be. */
	if (row == PVS_ERROR_HEADER_MAGIC)
		return pvs_failure(error, PVS_EXIT_FAILED, pvs_error_hint(row),
				   "%s: there is no SE header in it (no IBMSecEx where one can be)",
				   label);
	return pvs_failure(error, PVS_EXIT_FAILED, pvs_error_hint(row), "%s: %s", label,
			   pvs_error_sentence(row));
}

gboolean pvs_input_header(const char *path, const char *label, GBytes **header, GError **error)
{
	enum {
		/* Every place that pvs_header_find() looks at. */
		FIRST = 0x16 * 4096,
		/* Of a header's start: magic, version, size. */
		START = 16,
	};
	g_autofree guint8 *first = g_malloc(FIRST);
	g_autofree guint8 *data = NULL;
	g_autoptr(GError) why = NULL;
	PvsHeaderTags tags;
	struct stat st;
	guint64 offset;
	gsize size, got;
	AUTO_FD fd = open_file(path, label, &st, error);

	if (fd < 0)
		return FALSE;
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return pvs_failure(error, PVS_EXIT_FAILED,
				   "give the SE header or the image as a file; it is not read from "
				   "a pipe or standard input",
				   "%s: is neither a regular file nor a block device", label);
	if (!read_at(fd, 0, first, FIRST, &got, label, error))
		return FALSE;
	if (got == 0)
		return pvs_failure(error, PVS_EXIT_FAILED, "get the file again from where it came",
				   "%s: is empty", label);
	size = 0;
	if (!pvs_header_find(first, got, &offset, &size, &why)) {
		guint8 start[START];

		/* An image may have its header far behind its first pages. */
		if (!g_error_matches(why, PVS_ERROR, PVS_ERROR_HEADER_SHORT) || got < FIRST)
			return header_failure(why, label, error);
		g_clear_error(&why);
		if (!read_at(fd, offset, start, START, &got, label, error))
			return FALSE;
		if (!pvs_header_size(start, got, &size, &why))
			return header_failure(why, label, error);
	}
	data = g_malloc(size);
	if (!read_at(fd, offset, data, size, &got, label, error))
		return FALSE;
	if (!pvs_header_parse(data, got, &tags, &why))
		return header_failure(why, label, error);
	*header = g_bytes_new_take(g_steal_pointer(&data), size);
	return TRUE;
}
