/* SPDX-License-Identifier: MIT */
/*
 * policy.c - a reference to a policy, and the list of requests that a policy of contents keeps
 */
#include "client/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/failure.h"

enum {
	HASH = 32,
	PATH_ROOM = 480,
};

GBytes *pvs_policy_reference(const char *path, const char *label, GError **error)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	gsize room = HASH, length = MIN(strlen(path), PATH_ROOM);
	guint8 data[HASH + PATH_ROOM];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int saved = errno;

	if (fd < 0) {
		pvs_failure_system(error, saved, label, "cannot be opened");
		return NULL;
	}
	for (;;) {
		guint8 piece[16384];
		ssize_t n = read(fd, piece, sizeof piece);

		saved = errno;
		if (n < 0 && saved == EINTR)
			continue;
		if (n <= 0) {
			close(fd);
			if (n == 0)
				break;
			pvs_failure_system(error, saved, label, "cannot be read");
			return NULL;
		}
		g_checksum_update(sum, piece, n);
	}
	g_checksum_get_digest(sum, data, &room);
	memcpy(data + HASH, path, length);
	return g_bytes_new(data, HASH + length);
}

struct PvsToc {
	char *path;
	char *label;
	int fd;	       /* -1: there is none yet */
	gboolean made; /* by us */
	gboolean appended;
	gboolean kept;
	off_t size; /* before */
};

static gboolean failed(const PvsToc *toc, GError **error)
{
	return pvs_failure_system(error, errno, toc->label, "cannot be written");
}

/* Opens and locks: two of these at the same time shall not take back each other's lines. While one
 * waited for the lock another may have taken the file away that it had made: then once more. With
 * O_CREAT only what was not there before. FALSE with errno. */
static gboolean lock(PvsToc *toc, int flags)
{
	struct stat st, there;

	for (;;) {
		toc->fd = open(toc->path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOCTTY | flags, 0666);
		if (toc->fd < 0)
			return FALSE;
		if (flock(toc->fd, LOCK_EX) < 0 || fstat(toc->fd, &st) < 0)
			return FALSE;
		if (stat(toc->path, &there) == 0 && there.st_dev == st.st_dev &&
		    there.st_ino == st.st_ino)
			break;
		close(toc->fd);
	}
	toc->size = st.st_size;
	/* Somebody may have been faster with the first line: then it is not ours to remove. */
	toc->made = (flags & O_CREAT) && st.st_size == 0;
	if (S_ISREG(st.st_mode))
		return TRUE;
	errno = ESPIPE;
	return FALSE;
}

/* There is no file: could there be one? It is not made yet, so that what goes wrong until then, or
 * somebody's ^C, leaves none behind. */
static gboolean check_new(const PvsToc *toc, GError **error)
{
	g_autofree char *directory = g_path_get_dirname(toc->path);
	struct stat st;

	if (lstat(toc->path, &st) == 0)
		return pvs_failure(error, PVS_EXIT_FAILED,
				   "make the file that it points to, or name another",
				   "%s: is a symbolic link to nothing", toc->label);
	return faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS) == 0 || failed(toc, error);
}

static gboolean open_toc(PvsToc *toc, GError **error)
{
	if (lock(toc, 0))
		return TRUE;
	if (errno == ENOENT)
		return check_new(toc, error);
	if (errno == ESPIPE || errno == EISDIR)
		return pvs_failure(error, PVS_EXIT_FAILED,
				   "give a text file, to which a line is added",
				   "%s: is not a regular file", toc->label);
	return failed(toc, error);
}

PvsToc *pvs_toc_open(const char *path, GError **error)
{
	g_autoptr(PvsToc) toc = g_new0(PvsToc, 1);

	toc->fd = -1;
	toc->path = g_strdup(path);
	toc->label = g_strdup_printf("--toc-policy %s", path);
	return open_toc(toc, error) ? g_steal_pointer(&toc) : NULL;
}

gboolean pvs_toc_append(PvsToc *toc, const char *line, GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);
	char last = '\n';
	ssize_t n;

	/* Made by somebody else since: then it is as if it had been there. */
	if (toc->fd < 0 && !lock(toc, O_CREAT | O_EXCL) && !(errno == EEXIST && lock(toc, 0)))
		return failed(toc, error);
	if (toc->size > 0 && pread(toc->fd, &last, 1, toc->size - 1) != 1)
		return failed(toc, error);
	g_string_append_printf(text, "%s%s\n", last == '\n' ? "" : "\n", line);
	toc->appended = TRUE;
	n = write(toc->fd, text->str, text->len);
	if (n >= 0 && (gsize)n < text->len) {
		errno = ENOSPC;
		n = -1;
	}
	return (n >= 0 && fsync(toc->fd) == 0) || failed(toc, error);
}

void pvs_toc_keep(PvsToc *toc)
{
	toc->kept = TRUE;
}

void pvs_toc_free(PvsToc *toc)
{
	if (!toc)
		return;
	if (!toc->kept && toc->fd >= 0) {
		if (toc->made)
			unlink(toc->path);
		else if (toc->appended && ftruncate(toc->fd, toc->size) < 0)
			g_printerr("pvsecretctl: warning: a line too many is in %s\n", toc->path);
	}
	if (toc->fd >= 0)
		close(toc->fd);
	g_free(toc->path);
	g_free(toc->label);
	g_free(toc);
}
