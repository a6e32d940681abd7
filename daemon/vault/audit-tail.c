/* SPDX-License-Identifier: MIT */
/*
 * audit-tail.c - where the chain of an audit log's file is, whatever its end looks like
 *
 * What a crash leaves behind the last good line is of any size and kind: half a line, the zeros of
 * blocks that were never written, several of these. So it is looked for backwards, as far as it
 * takes; and what is behind it is read as every reader of the log reads it.
 */
#include "daemon/vault/audit-tail.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* A line, and the line feed before it, is in one of the windows that follow each other by half. */
enum { WINDOW = 2 * PVS_AUDIT_LINE_MAX };

static gboolean read_at(int fd, off_t at, char *out, gsize size)
{
	while (size > 0) {
		ssize_t n = pread(fd, out, size, at);

		if (n < 0 && errno == EINTR)
			continue;
		/* Somebody cuts the file at this moment. */
		if (n == 0)
			errno = EIO;
		if (n <= 0)
			return FALSE;
		out += n;
		at += n;
		size -= (gsize)n;
	}
	return TRUE;
}

static gboolean is_line(const char *line, gsize size)
{
	PvsAuditChain none = {0};

	return pvs_audit_check(&none, line, size) != PVS_AUDIT_TORN;
}

/* Where the last good line of a window begins; -1: it has none. @first, @last: of the file; else
 * what is before the first line feed, or behind the last, is a part of a line. */
static gssize last_in(const char *data, gsize size, gboolean first, gboolean last)
{
	const char *feed = memrchr(data, '\n', size);
	gsize end = size;

	if (feed && (!last || feed == data + size - 1))
		end = (gsize)(feed - data);
	else if (!last)
		return -1;
	for (;;) {
		gsize begin;

		feed = memrchr(data, '\n', end);
		begin = feed ? (gsize)(feed - data) + 1 : 0;
		if ((feed || first) && is_line(data + begin, end - begin))
			return (gssize)begin;
		if (!feed)
			return -1;
		end = (gsize)(feed - data);
	}
}

/* *@at: where the file's last good line begins; -1: it has none. */
static gboolean find_last(int fd, off_t size, char *window, off_t *at)
{
	off_t begin = MAX(size - WINDOW, 0);
	gboolean last = TRUE;

	*at = -1;
	for (;;) {
		gsize here = (gsize)MIN(size - begin, WINDOW);
		gssize found;

		if (!read_at(fd, begin, window, here))
			return FALSE;
		found = last_in(window, here, begin == 0, last);
		if (found >= 0)
			*at = begin + found;
		if (found >= 0 || begin == 0)
			return TRUE;
		begin = MAX(begin - PVS_AUDIT_LINE_MAX, 0);
		last = FALSE;
	}
}

/* Goes over all lines from @at on. */
static gboolean go_on(int fd, off_t at, off_t size, char *window, PvsAuditChain *chain)
{
	while (at < size) {
		gsize here = (gsize)MIN(size - at, WINDOW);
		gboolean end = at + (off_t)here == size;
		gsize done = 0, used, line;

		if (!read_at(fd, at, window, here))
			return FALSE;
		while ((used = pvs_audit_split(window + done, here - done, end, &line)) > 0) {
			(void)pvs_audit_check(chain, window + done, line);
			done += used;
		}
		at += (off_t)done;
	}
	return TRUE;
}

gboolean pvs_audit_tail(int fd, PvsAuditChain *chain, gboolean *ended)
{
	g_autofree char *window = g_malloc(WINDOW);
	off_t size = lseek(fd, 0, SEEK_END), at;
	PvsAuditChain here = *chain;
	char last = '\n';

	if (size < 0 || !find_last(fd, size, window, &at))
		return FALSE;
	if (at >= 0)
		here = (PvsAuditChain){.n = 0};
	if (!go_on(fd, MAX(at, 0), size, window, &here) ||
	    (size > 0 && !read_at(fd, size - 1, &last, 1)))
		return FALSE;
	*chain = here;
	*ended = last == '\n';
	return TRUE;
}
