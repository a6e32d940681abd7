/* SPDX-License-Identifier: MIT */
/*
 * marks-file.c - the file of daemon/trust/marks.h, which trust itself cannot open
 */
#include "daemon/monitor/marks-file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/error.h"

#define FLAGS (O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)

static int opened = -1;

/* FALSE, with @fd closed, for what is no file of our own alone. */
static gboolean is_file(const char *path, int fd, GError **error)
{
	const char *wrong = "it is not a regular file, or has a second name";
	struct stat st;

	if (fd < 0)
		wrong = g_strerror(errno);
	else if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1)
		return TRUE;
	g_set_error(error, PVS_ERROR, PVS_ERROR_CONFIG,
		    "%s: the marks of CRLs cannot be written: %s; make its directory one that the "
		    "daemon's user may write to, or name another file with CrlMarks=",
		    path, wrong);
	if (fd >= 0)
		close(fd);
	return FALSE;
}

gboolean pvs_marks_file_open(const char *path, GError **error)
{
	int fd = open(path, FLAGS | O_CREAT, 0640);

	if (fd < 0 && errno == ENOENT)
		return TRUE;
	if (!is_file(path, fd, error))
		return FALSE;
	opened = fd;
	return TRUE;
}

gboolean pvs_marks_file_check(const char *path, GError **error)
{
	g_autofree char *directory = g_path_get_dirname(path);
	int fd = open(path, FLAGS);

	if (fd < 0 && errno == ENOENT && (access(directory, W_OK | X_OK) == 0 || errno == ENOENT))
		return TRUE;
	if (!is_file(path, fd, error))
		return FALSE;
	close(fd);
	return TRUE;
}

int pvs_marks_file(void)
{
	return opened;
}
