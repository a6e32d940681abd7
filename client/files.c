/* SPDX-License-Identifier: MIT */
/*
 * files.c - files that are written whole or not at all, and all of them or none
 */
#include "client/files.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/failure.h"

typedef struct {
	char *label;
	int dir;
	char *name;	    /* within dir */
	char *other;	    /* the temporary name while something is there; NULL: nothing */
	gboolean exchanged; /* at the temporary name is what stood at the name before */
	gboolean placed;    /* the name is ours now */
	gboolean replaces;  /* a file, of this mode */
	mode_t mode;
} File;

struct PvsFiles {
	GPtrArray *files; /* of File */
	gboolean holding; /* signals are held back */
	sigset_t mask;	  /* what it was before */
};

static void file_free(gpointer data)
{
	File *file = data;

	if (file->other)
		unlinkat(file->dir, file->other, 0);
	if (file->dir >= 0)
		close(file->dir);
	g_free(file->label);
	g_free(file->name);
	g_free(file->other);
	g_free(file);
}

PvsFiles *pvs_files_new(void)
{
	PvsFiles *files = g_new0(PvsFiles, 1);

	files->files = g_ptr_array_new_with_free_func(file_free);
	return files;
}

void pvs_files_hold(PvsFiles *files)
{
	static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM, SIGTSTP};
	sigset_t set;

	if (files->holding)
		return;
	sigemptyset(&set);
	for (gsize i = 0; i < G_N_ELEMENTS(ending); i++)
		sigaddset(&set, ending[i]);
	sigprocmask(SIG_BLOCK, &set, &files->mask);
	files->holding = TRUE;
}

void pvs_files_free(PvsFiles *files)
{
	if (!files)
		return;
	g_ptr_array_unref(files->files);
	if (files->holding)
		sigprocmask(SIG_SETMASK, &files->mask, NULL);
	g_free(files);
}

gboolean pvs_files_has(const PvsFiles *files, const char *path)
{
	g_autofree char *directory = g_path_get_dirname(path);
	g_autofree char *name = g_path_get_basename(path);
	struct stat at, dir, other;
	gboolean there = stat(path, &at) == 0;

	if (stat(directory, &dir) < 0)
		return FALSE;
	for (guint i = 0; i < files->files->len; i++) {
		const File *file = g_ptr_array_index(files->files, i);

		if (strcmp(file->name, name) == 0 && fstat(file->dir, &other) == 0 &&
		    other.st_dev == dir.st_dev && other.st_ino == dir.st_ino)
			return TRUE;
		/* By another name, or through a link. */
		if (there && fstatat(file->dir, file->name, &other, AT_SYMLINK_NOFOLLOW) == 0 &&
		    other.st_dev == at.st_dev && other.st_ino == at.st_ino)
			return TRUE;
	}
	return FALSE;
}

static gboolean cannot_write(const File *file, int err, GError **error)
{
	return pvs_failure_system(error, err, file->label, "cannot be written");
}

/* What stands at the name: @st. */
static gboolean check_replaced(File *file, const struct stat *st, GError **error)
{
	if (S_ISDIR(st->st_mode))
		return pvs_failure(error, PVS_EXIT_FAILED, "give the name of a file",
				   "%s: is a directory", file->label);
	if (!S_ISREG(st->st_mode))
		return pvs_failure(error, PVS_EXIT_FAILED,
				   "give the name of a regular file, which is replaced as a whole; "
				   "\"-o -\" writes to standard output",
				   "%s: is %s", file->label,
				   S_ISLNK(st->st_mode) ? "a symbolic link" : "not a regular file");
	/* Renaming does not ask for it; but who took the permission away meant it. */
	if (faccessat(file->dir, file->name, W_OK, AT_EACCESS) < 0)
		return pvs_failure(error, PVS_EXIT_FAILED,
				   "choose another name, or allow it: chmod u+w FILE",
				   "%s: is there and may not be overwritten: %s", file->label,
				   g_strerror(errno));
	file->replaces = TRUE;
	file->mode = st->st_mode & (S_IRWXU | S_IRWXG | S_IRWXO);
	return TRUE;
}

gboolean pvs_files_add(PvsFiles *files, const char *path, const char *label, GError **error)
{
	const char *slash = strrchr(path, '/');
	g_autofree char *directory =
		slash ? g_strndup(path, (gsize)(slash - path + 1)) : g_strdup(".");
	File *file = g_new0(File, 1);
	struct stat st;

	g_ptr_array_add(files->files, file);
	file->label = g_strdup(label);
	file->name = g_strdup(slash ? slash + 1 : path);
	/* By descriptor: whatever is done to the path later, all names are in this directory. */
	file->dir = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (file->dir < 0)
		return pvs_failure(error, PVS_EXIT_FAILED,
				   "make the directory first, or choose "
				   "another",
				   "%s: the directory cannot be opened: %s", label,
				   g_strerror(errno));
	if (!*file->name || strcmp(file->name, ".") == 0 || strcmp(file->name, "..") == 0)
		return pvs_failure(error, PVS_EXIT_FAILED, "give the name of a file",
				   "%s: is a directory", label);
	if (fstatat(file->dir, file->name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (!check_replaced(file, &st, error))
			return FALSE;
	} else if (errno != ENOENT) {
		return cannot_write(file, errno, error);
	}
	if (faccessat(file->dir, ".", W_OK | X_OK, AT_EACCESS) < 0)
		return pvs_failure(
			error, PVS_EXIT_FAILED, "choose a directory that you may write to",
			"%s: the directory cannot be written to: %s", label, g_strerror(errno));
	return TRUE;
}

static int create_temporary(File *file)
{
	/* A file that others may not read is not shown to them while it is made. */
	mode_t mode = file->replaces ? S_IRUSR | S_IWUSR
				     : S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH;

	for (guint attempt = 0; attempt < 100; attempt++) {
		/* Not after the file itself: that name may be as long as a name can be. */
		g_autofree char *name =
			g_strdup_printf(".pvsecretctl-%08x%08x", g_random_int(), g_random_int());
		int fd = openat(file->dir, name,
				O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

		if (fd >= 0) {
			file->other = g_steal_pointer(&name);
			return fd;
		}
		if (errno != EEXIST)
			break;
	}
	return -1;
}

gboolean pvs_files_write(PvsFiles *files, guint i, const void *data, gsize size, GError **error)
{
	File *file = g_ptr_array_index(files->files, i);
	const char *left = data;
	int err = 0;
	int fd;

	pvs_files_hold(files);
	fd = create_temporary(file);
	if (fd < 0)
		return cannot_write(file, errno, error);
	while (size > 0 && err == 0) {
		ssize_t n = write(fd, left, size);

		if (n < 0) {
			if (errno != EINTR)
				err = errno;
			continue;
		}
		left += n;
		size -= (gsize)n;
	}
	/* Where the file system has no modes it has nothing to keep. */
	if (err == 0 && file->replaces && fchmod(fd, file->mode) < 0 && errno != EPERM &&
	    errno != ENOTSUP)
		err = errno;
	if (err == 0 && fsync(fd) < 0)
		err = errno;
	/* Network file systems report a full disk at close. */
	if (close(fd) < 0 && err == 0)
		err = errno;
	return err == 0 || cannot_write(file, err, error);
}

/* Swaps what stands at the two names; FALSE where nothing stands at the name or the file system
 * cannot do that. */
static gboolean exchange(const File *file)
{
	return renameat2(file->dir, file->other, file->dir, file->name, RENAME_EXCHANGE) == 0;
}

static gboolean place(File *file)
{
	struct stat st;

	if (exchange(file)) {
		/* Only what pvs_files_add() saw may be replaced, not what came there since. */
		if (fstatat(file->dir, file->other, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(st.st_mode)) {
			exchange(file);
			errno = EEXIST;
			return FALSE;
		}
		file->exchanged = TRUE;
	} else {
		if (renameat(file->dir, file->other, file->dir, file->name) < 0)
			return FALSE;
		g_clear_pointer(&file->other, g_free);
	}
	file->placed = TRUE;
	return TRUE;
}

static void take_back(File *file)
{
	if (!file->placed)
		return;
	file->placed = FALSE;
	if (file->exchanged && renameat(file->dir, file->other, file->dir, file->name) == 0) {
		g_clear_pointer(&file->other, g_free);
		return;
	}
	unlinkat(file->dir, file->name, 0);
}

gboolean pvs_files_commit(PvsFiles *files, GError **error)
{
	for (guint i = 0; i < files->files->len; i++) {
		File *file = g_ptr_array_index(files->files, i);

		if (!place(file)) {
			int err = errno;

			for (guint j = 0; j < i; j++)
				take_back(g_ptr_array_index(files->files, j));
			return cannot_write(file, err, error);
		}
	}
	for (guint i = 0; i < files->files->len; i++) {
		File *file = g_ptr_array_index(files->files, i);
		int dir = openat(file->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		/* What was replaced. */
		if (file->other)
			unlinkat(file->dir, file->other, 0);
		g_clear_pointer(&file->other, g_free);
		/* Makes the name itself durable; a directory that may be written and not read
		 * has to do without. */
		if (dir >= 0) {
			(void)fsync(dir);
			close(dir);
		}
	}
	return TRUE;
}
