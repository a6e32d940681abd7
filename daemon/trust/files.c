/* SPDX-License-Identifier: MIT */
/*
 * files.c - the bytes of the files that a store is made of
 */
#include "daemon/trust/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/owners.h"
#include "protocol/names.h"

enum {
	CERT_FILE_MAX = 1024 * 1024,	      /* bytes */
	BUNDLE_FILE_MAX = 16 * 1024 * 1024,   /* bytes of the system's bundle */
	CRL_NAMES_MAX = 10 * PVS_FETCHED_MAX, /* in the CRL directory, with what is ignored */
	AGAIN_MAX = 4, /* times CrlSize= that may be read there and not kept */
	WARNINGS_MAX = 100,
	CRL_WARNINGS_MAX = 20, /* of what stands in the CRL directory */
};

#define SYSTEM_BUNDLE "/etc/ssl/certs/ca-certificates.crt"

static void file_free(gpointer data)
{
	PvsStoreFile *file = data;

	g_free(file->path);
	g_free(file->name);
	g_bytes_unref(file->bytes);
	g_free(file);
}

void pvs_store_files_free(PvsStoreFiles *files)
{
	if (!files)
		return;
	g_free(files->root_file);
	g_free(files->trust_directory);
	g_ptr_array_unref(files->files);
	g_ptr_array_unref(files->warnings);
	g_string_free(files->complaints, TRUE);
	g_free(files);
}

static void warn(PvsStoreFiles *files, char *taken)
{
	if (files->warnings->len < WARNINGS_MAX)
		g_ptr_array_add(files->warnings, taken);
	else
		g_free(taken);
}

void pvs_store_files_warn(PvsStoreFiles *files, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	warn(files, g_strdup_vprintf(format, args));
	va_end(args);
}

/* Takes @text. Whoever can write there must not fill the list, so that nothing is heard of what is
 * wrong elsewhere. */
static void warn_of(PvsStoreFiles *files, PvsFileKind kind, char *text)
{
	guint before = kind == PVS_FILE_CRL ? files->crl_warnings++ : 0;

	if (before < CRL_WARNINGS_MAX) {
		warn(files, text);
		return;
	}
	g_free(text);
	if (before == CRL_WARNINGS_MAX)
		pvs_store_files_warn(files,
				     "CrlDirectory=: more is wrong there than is said here; remove "
				     "what does not belong there");
}

void pvs_store_files_warn_of(PvsStoreFiles *files, PvsFileKind kind, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	warn_of(files, kind, g_strdup_vprintf(format, args));
	va_end(args);
}

void pvs_store_files_complain(PvsStoreFiles *files, PvsFileKind kind, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	if (kind == PVS_FILE_CRL)
		warn_of(files, kind, g_strconcat(text, " (ignored)", NULL));
	else
		g_string_append_printf(files->complaints, "%s%s",
				       files->complaints->len > 0 ? "\n" : "", text);
}

/* What read() gives, in a buffer with room for a byte more than was there; NULL if it is not as
 * much as was there (*@err is 0), or where it fails (an errno). */
static guint8 *read_all(int fd, gsize expected, int *err)
{
	g_autofree guint8 *data = g_malloc(expected + 1);
	gsize size = 0;

	*err = 0;
	while (size <= expected) {
		ssize_t n = read(fd, data + size, expected + 1 - size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			*err = errno;
			return NULL;
		}
		if (n == 0)
			break;
		size += (gsize)n;
	}
	return size == expected ? g_steal_pointer(&data) : NULL;
}

static void complain_unreadable(PvsStoreFiles *files, PvsFileKind kind, int directory,
				const char *path, const char *name, int err)
{
	g_autofree char *line = pvs_owners_no_file(directory, name, path, err);

	if (kind == PVS_FILE_ROOT)
		pvs_store_files_complain(files, kind,
					 "%s: cannot be read (%s); name a file in RootCA= that the "
					 "daemon's user can read",
					 path, g_strerror(err));
	else if (kind == PVS_FILE_CRL && err == ELOOP)
		pvs_store_files_complain(files, kind, "%s: a link; put the CRL itself there", path);
	else
		pvs_store_files_complain(files, kind, "%s", line);
}

/* A second name (a hard link) in the CRL directory may be that of a file which its owner did not
 * mean to put there. */
static gboolean is_kind_of_file(PvsFileKind kind, const struct stat *st)
{
	return S_ISREG(st->st_mode) && (kind != PVS_FILE_CRL || st->st_nlink == 1);
}

/* Whoever can write what is trusted is trusted: that shall be the owner alone. The system's bundle
 * is the system's, and what the CRL directory holds has to be signed. */
static gboolean judge_owner(PvsStoreFiles *files, PvsFileKind kind, const struct stat *st,
			    const char *path)
{
	g_autofree char *wrong = NULL;

	if (kind == PVS_FILE_CRL || (kind == PVS_FILE_ROOT && files->bundle))
		return TRUE;
	wrong = pvs_owners_wrong(st, path);
	if (wrong)
		pvs_store_files_complain(files, kind, "%s: %s", path, wrong);
	return !wrong;
}

static void complain_of_size(PvsStoreFiles *files, PvsFileKind kind, const char *path, gsize max)
{
	pvs_store_files_complain(
		files, kind, "%s: larger than %" G_GSIZE_FORMAT " bytes; %s", path, max,
		kind == PVS_FILE_ROOT ? "name a file with the root CA in RootCA="
				      : "remove it, or, if it is a CRL, raise CrlSize=");
}

/* The bytes of the file @name in @directory, at most @max; NULL where the complaint was made. */
static GBytes *read_file(PvsStoreFiles *files, PvsFileKind kind, int directory, const char *path,
			 const char *name, gsize max)
{
	int fd =
		openat(directory, name,
		       O_RDONLY | O_CLOEXEC | O_NONBLOCK | (kind == PVS_FILE_CRL ? O_NOFOLLOW : 0));
	struct stat st;
	guint8 *data = NULL;
	int err;

	if (fd < 0 || fstat(fd, &st) < 0) {
		complain_unreadable(files, kind, directory, path, name, errno);
	} else if (!is_kind_of_file(kind, &st)) {
		pvs_store_files_complain(files, kind, "%s: not a regular file%s; %s", path,
					 kind == PVS_FILE_CRL ? " of one name" : "",
					 kind == PVS_FILE_ROOT ? "name a file in RootCA="
							       : "remove it");
	} else if (!judge_owner(files, kind, &st, path)) {
		/* The complaint was made. */
	} else if ((guint64)st.st_size > max) {
		complain_of_size(files, kind, path, max);
	} else {
		data = read_all(fd, (gsize)st.st_size, &err);
		if (err != 0)
			complain_unreadable(files, kind, directory, path, name, err);
		else if (!data)
			pvs_store_files_complain(
				files, kind,
				"%s: changed while it was read; install it by renaming, and reload",
				path);
	}
	if (fd >= 0)
		close(fd);
	return data ? g_bytes_new_take(data, (gsize)st.st_size) : NULL;
}

/* Takes @bytes, which may be NULL. */
static void keep(PvsStoreFiles *files, PvsFileKind kind, const char *path, const char *name,
		 GBytes *bytes)
{
	PvsStoreFile *file;

	if (!bytes)
		return;
	file = g_new0(PvsStoreFile, 1);
	*file = (PvsStoreFile){
		.kind = kind, .path = g_strdup(path), .name = g_strdup(name), .bytes = bytes};
	g_ptr_array_add(files->files, file);
}

static void add_file(PvsStoreFiles *files, PvsFileKind kind, int directory, const char *path,
		     const char *name, gsize max)
{
	keep(files, kind, path, name, read_file(files, kind, directory, path, name, max));
}

static gboolean is_kept(const PvsStoreFiles *files, PvsFileKind kind, GBytes *bytes)
{
	for (guint i = 0; i < files->files->len; i++) {
		const PvsStoreFile *file = files->files->pdata[i];

		if (file->kind == kind && g_bytes_equal(file->bytes, bytes))
			return TRUE;
	}
	return FALSE;
}

/* A CRL that stands there under a second name, as one does that a certificate names two places of,
 * takes no room; but it has to be read to be known, even where there is no room left. What is read
 * and not kept (*@again so far) has a limit of its own: what stands there is not the owner's. */
static void add_crl_file(PvsStoreFiles *files, int directory, const char *path, const char *name,
			 gsize room, gsize *again)
{
	gsize most = AGAIN_MAX * files->crl_size - MIN(AGAIN_MAX * files->crl_size, *again);
	GBytes *bytes = read_file(files, PVS_FILE_CRL, directory, path, name,
				  MAX(room, MIN(most, files->crl_size)));
	gsize size = bytes ? g_bytes_get_size(bytes) : 0;

	if (bytes && (size > room || is_kept(files, PVS_FILE_CRL, bytes))) {
		if (!is_kept(files, PVS_FILE_CRL, bytes))
			complain_of_size(files, PVS_FILE_CRL, path, room);
		*again += size;
		g_clear_pointer(&bytes, g_bytes_unref);
	}
	keep(files, PVS_FILE_CRL, path, name, bytes);
}

static int by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names in @path in their order, so that what is reported does not depend on the file system.
 * Of the CRL directory not all: somebody else may have put millions there, which have no room in
 * the memory that the daemon may have. */
static GPtrArray *list_directory(PvsStoreFiles *files, PvsFileKind kind, const char *path, DIR *dir)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	struct dirent *entry;

	while ((entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (kind == PVS_FILE_CRL && names->len == CRL_NAMES_MAX) {
			pvs_store_files_warn(files,
					     "%s: more than %d names; the others are not looked at "
					     "(ignored)",
					     path, CRL_NAMES_MAX);
			break;
		}
		g_ptr_array_add(names, g_strdup(entry->d_name));
	}
	g_ptr_array_sort(names, by_name);
	return names;
}

static gboolean is_ignored(PvsStoreFiles *files, PvsFileKind kind, int directory, const char *path,
			   const char *name)
{
	struct stat st;

	if (pvs_file_is_aside(name)) {
		pvs_store_files_warn_of(
			files, kind, "%s: put aside (hidden, or a copy NAME~): the file is ignored",
			path);
		return TRUE;
	}
	if (fstatat(directory, name, &st, 0) == 0 && S_ISDIR(st.st_mode)) {
		pvs_store_files_warn_of(files, kind, "%s: a directory is ignored", path);
		return TRUE;
	}
	return FALSE;
}

/* What stands in the CRL directory may be as much as all CRLs may be together, and no more: nothing
 * else is taken from there. */
static gsize room_for(const PvsStoreFiles *files, PvsFileKind kind, gsize read_so_far)
{
	switch (kind) {
	case PVS_FILE_TRUST:
		return MAX(CERT_FILE_MAX, files->crl_size);
	case PVS_FILE_CRL:
		return files->crl_size - MIN(files->crl_size, read_so_far);
	default:
		return CERT_FILE_MAX;
	}
}

static gsize size_from(const PvsStoreFiles *files, guint first)
{
	gsize size = 0;

	for (guint i = first; i < files->files->len; i++)
		size += g_bytes_get_size(((PvsStoreFile *)files->files->pdata[i])->bytes);
	return size;
}

static void add_directory(PvsStoreFiles *files, PvsFileKind kind, const char *path)
{
	g_autoptr(GPtrArray) names = NULL;
	DIR *dir = path ? opendir(path) : NULL;
	guint first = files->files->len;
	guint n = 0;
	gsize again = 0;

	if (!path)
		return;
	if (!dir) {
		if (errno != ENOENT) {
			g_autofree char *line = pvs_owners_no_directory(path, errno);

			pvs_store_files_complain(files, kind, "%s", line);
		}
		return;
	}
	names = list_directory(files, kind, path, dir);
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *file = g_build_filename(path, names->pdata[i], NULL);
		gsize room;

		if (is_ignored(files, kind, dirfd(dir), file, names->pdata[i]))
			continue;
		if (kind == PVS_FILE_CRL && n++ >= PVS_FETCHED_MAX) {
			pvs_store_files_warn(files,
					     "%s: more than %d files; %s and what comes behind "
					     "(ignored)",
					     path, PVS_FETCHED_MAX, (char *)names->pdata[i]);
			break;
		}
		room = room_for(files, kind, size_from(files, first));
		if (kind == PVS_FILE_CRL)
			add_crl_file(files, dirfd(dir), file, names->pdata[i], room, &again);
		else
			add_file(files, kind, dirfd(dir), file, names->pdata[i], room);
	}
	closedir(dir);
}

static void add_root(PvsStoreFiles *files, const char *root_ca)
{
	files->root_file = g_strdup(root_ca ? root_ca : SYSTEM_BUNDLE);
	files->bundle = !root_ca;
	/* A machine without a bundle may hold keys and have no use for it yet. */
	if (files->bundle && access(files->root_file, F_OK) < 0)
		pvs_store_files_warn(files,
				     "%s: there is no bundle of root CAs; install ca-certificates "
				     "or set RootCA=",
				     files->root_file);
	else
		add_file(files, PVS_FILE_ROOT, AT_FDCWD, files->root_file, files->root_file,
			 BUNDLE_FILE_MAX);
}

PvsStoreFiles *pvs_store_files_none(void)
{
	PvsStoreFiles *files = g_new0(PvsStoreFiles, 1);

	files->files = g_ptr_array_new_with_free_func(file_free);
	files->warnings = g_ptr_array_new_with_free_func(g_free);
	files->complaints = g_string_new(NULL);
	return files;
}

PvsStoreFiles *pvs_store_files_read(const PvsStorePaths *paths)
{
	PvsStoreFiles *files = pvs_store_files_none();

	files->crl_size = paths->crl_size;
	files->crl_entries = paths->crl_entries;
	files->issuer_by_key_id = paths->issuer_by_key_id;
	files->trust_directory = g_strdup(paths->trust_directory);
	add_root(files, paths->root_ca);
	add_directory(files, PVS_FILE_TRUST, paths->trust_directory);
	add_directory(files, PVS_FILE_CRL, paths->crl_directory);
	add_directory(files, PVS_FILE_HOST_KEY, paths->host_key_directory);
	return files;
}
