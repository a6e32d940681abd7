/* SPDX-License-Identifier: MIT */
/*
 * audit-log.c - the audit log's file
 */
#include "daemon/monitor/audit-log.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/error.h"

#define FLAGS (O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)

static int opened = -1;	  /* for the next pair */
static int current = -1;  /* the vault's */
static int previous = -1; /* what was the log before */

static void forget(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* FALSE, with @fd closed, for what is no file, or one that goes by another name as well: whoever
 * may write to the directory could have linked something there that is not ours to write to. */
static gboolean is_file(const char *path, int fd, GError **error)
{
	const char *wrong;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		wrong = g_strerror(errno);
	else if (!S_ISREG(st.st_mode))
		wrong = "it is not a regular file";
	else if (st.st_nlink > 1)
		wrong = "the file has another name as well (a hard link)";
	else
		return TRUE;
	g_set_error(error, PVS_ERROR, PVS_ERROR_CONFIG,
		    "%s: the audit log cannot be written: %s; it has to be a file of its own, in a "
		    "directory that the daemon's user may write to, or name another with AuditLog=",
		    path, wrong);
	if (fd >= 0)
		close(fd);
	return FALSE;
}

gboolean pvs_audit_log_open(const char *path, GError **error)
{
	int fd = open(path, FLAGS | O_CREAT, 0640);

	if (!is_file(path, fd, error))
		return FALSE;
	forget(&opened);
	opened = fd;
	/* At the start: the log may have been rotated while no daemon ran, or a crash may have left
	 * nothing in it that is a line. Which it is the vault sees. */
	if (current < 0 && previous < 0) {
		g_autofree char *rotated = g_strconcat(path, ".1", NULL);

		previous = open(rotated, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	}
	return TRUE;
}

gboolean pvs_audit_log_check(const char *path, GError **error)
{
	g_autofree char *directory = g_path_get_dirname(path);
	int fd = open(path, FLAGS);

	if (fd < 0 && errno == ENOENT && access(directory, W_OK | X_OK) == 0)
		return TRUE;
	if (!is_file(path, fd, error))
		return FALSE;
	close(fd);
	return TRUE;
}

static gboolean same_file(int a, int b)
{
	struct stat one, other;

	return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_dev == other.st_dev &&
	       one.st_ino == other.st_ino;
}

gboolean pvs_audit_log_descriptors(int fds[2])
{
	if (opened >= 0 && current >= 0) {
		/* The lock is the old descriptor's: where it is the same file, it has to go. */
		if (same_file(opened, current)) {
			forget(&current);
		} else {
			forget(&previous);
			previous = current;
		}
	}
	if (opened >= 0) {
		current = opened;
		opened = -1;
	}
	fds[0] = current;
	fds[1] = previous >= 0 ? previous : current;
	return previous >= 0;
}
