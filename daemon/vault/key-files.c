/* SPDX-License-Identifier: MIT */
/*
 * key-files.c - the owner's files with keys in them, of whatever kind
 *
 * Runs before the cage and reads the owner's files alone. Even so a file is opened as if somebody
 * else had put it there: relative to its directory, never through a link, and judged by what was
 * opened, not by what was there a moment before.
 */
#include "daemon/vault/key-files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/owners.h"
#include "protocol/error.h"
#include "protocol/names.h"

/* A directory of keys. */
typedef struct {
	const char *path;
	const char *prefix;  /* of the files that are keys; the rest of the name is the key's */
	gboolean judge_mode; /* systemd itself chooses the mode in its credentials directory */
	int fd;
} Place;

typedef struct {
	const PvsKeyKind *kind;
	GHashTable *names; /* of a key -> its place's path */
	PvsKeyFound found;
	gpointer user;
	GPtrArray *lines;
} Reading;

void pvs_key_files_complain(GPtrArray *lines, const char *shown, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	g_ptr_array_add(lines, g_strdup_printf("%s: %s", shown, text));
}

/* For texts: whoever may write to the directory may have put a line feed or worse into a name. */
static char *shown_path(const Place *place, const char *file)
{
	g_autofree char *escaped = g_strescape(file, NULL);

	return g_build_filename(place->path, escaped, NULL);
}

/* A link that leads nowhere has nothing that could be copied. */
static void complain_link(const Place *place, const char *file, const char *shown, GPtrArray *lines)
{
	struct stat st;

	if (fstatat(place->fd, file, &st, 0) == 0)
		pvs_key_files_complain(lines, shown,
				       "is a symbolic link, a key must be a file of its own; "
				       "cp --remove-destination \"$(readlink -f %s)\" %s",
				       shown, shown);
	else
		pvs_key_files_complain(lines, shown,
				       "is a symbolic link that leads nowhere, a key must be a "
				       "file of its own; rm %s, and install the key itself",
				       shown);
}

/* Opens a regular file, and nothing else: looked at first, since opening a device or a FIFO can do
 * something; judged again when it is open. -1 after a complaint. */
static int open_file(const Place *place, const char *file, const char *shown, struct stat *st,
		     GPtrArray *lines)
{
	gboolean there = fstatat(place->fd, file, st, AT_SYMLINK_NOFOLLOW) == 0;
	int fd = -1;

	if (there && S_ISREG(st->st_mode))
		fd = openat(place->fd, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (!there || (S_ISREG(st->st_mode) && (fd < 0 || fstat(fd, st) < 0))) {
		pvs_key_files_complain(lines, shown,
				       "cannot be opened (%s), a key must belong to the daemon's "
				       "user; chown %s %s",
				       g_strerror(errno), pvs_owners_user(), shown);
		goto failed;
	}
	if (S_ISLNK(st->st_mode)) {
		complain_link(place, file, shown, lines);
		goto failed;
	}
	if (!S_ISREG(st->st_mode)) {
		pvs_key_files_complain(
			lines, shown,
			"is not a regular file, keys alone may be in %s; mv %s /root/", place->path,
			shown);
		goto failed;
	}
	return fd;

failed:
	if (fd >= 0)
		close(fd);
	return -1;
}

/* All rules for a file that is open; each that is broken gets its line. */
static gboolean judge(const PvsKeyKind *kind, const Place *place, const char *shown,
		      const struct stat *st, GPtrArray *lines)
{
	guint before = lines->len;

	if (st->st_uid != 0 && st->st_uid != geteuid())
		pvs_key_files_complain(lines, shown,
				       "belongs to uid %u, a key must belong to the daemon's user; "
				       "chown %s %s",
				       st->st_uid, pvs_owners_user(), shown);
	if (place->judge_mode && (st->st_mode & 077))
		pvs_key_files_complain(
			lines, shown,
			"its mode %04o gives rights to its group or to others; chmod 0600 %s",
			st->st_mode & 07777, shown);
	if (kind->size > 0 && (gsize)st->st_size != kind->size)
		pvs_key_files_complain(lines, shown,
				       "has %" G_GINT64_FORMAT
				       " bytes, %s has exactly %" G_GSIZE_FORMAT
				       ", raw, without encoding or line feed; from hex digits: "
				       "xxd -r -p HEX-FILE %s",
				       (gint64)st->st_size, kind->a, kind->size, shown);
	if (kind->size == 0 && (st->st_size < 1 || st->st_size > PVS_KEY_FILE_MAX))
		pvs_key_files_complain(lines, shown,
				       "has %" G_GINT64_FORMAT
				       " bytes, which no %s has; mv %s /root/",
				       (gint64)st->st_size, kind->what, shown);
	return lines->len == before;
}

static gboolean read_key(int fd, PvsSecret *secret)
{
	gsize got = 0;

	while (got < secret->size) {
		ssize_t n = read(fd, secret->bytes + got, secret->size - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return FALSE;
		got += (gsize)n;
	}
	return TRUE;
}

/* What is in the file; NULL after a complaint, or with @error where the system fails. */
static PvsSecret *read_file(const PvsKeyKind *kind, const Place *place, const char *file,
			    const char *shown, GPtrArray *lines, GError **error)
{
	g_autoptr(PvsSecret) secret = NULL;
	struct stat st;
	gboolean good;
	int fd = open_file(place, file, shown, &st, lines);

	if (fd < 0)
		return NULL;
	if (!judge(kind, place, shown, &st, lines)) {
		close(fd);
		return NULL;
	}
	secret = pvs_secret_new((gsize)st.st_size);
	if (!secret) {
		close(fd);
		g_set_error(error, PVS_ERROR, PVS_ERROR_SYSTEM, "%s: the memory for keys is full",
			    shown);
		return NULL;
	}
	good = read_key(fd, secret);
	close(fd);
	if (!good) {
		pvs_key_files_complain(lines, shown, "cannot be read whole; store it again");
		return NULL;
	}
	return g_steal_pointer(&secret);
}

/* Whether a file of this name may be read at all. */
static gboolean judge_name(const Reading *reading, const Place *place, const char *name,
			   const char *shown)
{
	const PvsKeyKind *kind = reading->kind;
	const char *other = g_hash_table_lookup(reading->names, name);

	if (!pvs_key_name_valid(name))
		pvs_key_files_complain(
			reading->lines, shown,
			"is not the name of a key: letters, digits and _ . - only, at most "
			"64, starting with a letter or digit; rename or remove the file: ls -b %s",
			place->path);
	else if (other)
		pvs_key_files_complain(reading->lines, shown,
				       "there is %s of this name in %s as well; rm one of the two",
				       kind->a, other);
	else if (g_hash_table_size(reading->names) == kind->most)
		pvs_key_files_complain(
			reading->lines, shown,
			"is one %s more than the %u that the daemon holds; mv %s /root/",
			kind->what, kind->most, shown);
	else
		return TRUE;
	return FALSE;
}

/* FALSE only where the system fails; what the owner can put right becomes a line. */
static gboolean load_file(const Reading *reading, const Place *place, const char *file,
			  GError **error)
{
	g_autofree char *shown = shown_path(place, file);
	PvsKeyFile found = {
		.name = file + strlen(place->prefix), .shown = shown, .place = place->path};
	g_autoptr(GError) failed = NULL;
	gboolean good;

	if (!judge_name(reading, place, found.name, shown))
		return TRUE;
	found.content = read_file(reading->kind, place, file, shown, reading->lines, &failed);
	if (!found.content) {
		if (failed)
			g_propagate_error(error, g_steal_pointer(&failed));
		return !failed;
	}
	g_hash_table_insert(reading->names, g_strdup(found.name), (gpointer)place->path);
	good = reading->found(reading->user, &found, reading->lines, error);
	pvs_secret_free(found.content);
	return good;
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of the files with the place's prefix, sorted, so that complaints have an order. NULL if
 * the directory cannot be read. */
static GPtrArray *list(const Place *place)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	int fd = fcntl(place->fd, F_DUPFD_CLOEXEC, 0);
	DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	gboolean good;

	if (!directory) {
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	errno = 0;
	while ((entry = readdir(directory))) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    g_str_has_prefix(entry->d_name, place->prefix))
			g_ptr_array_add(names, g_strdup(entry->d_name));
		errno = 0;
	}
	good = errno == 0;
	closedir(directory);
	if (!good)
		return NULL;
	g_ptr_array_sort(names, compare_names);
	return g_steal_pointer(&names);
}

/* The directory is the owner's, and stays it: the daemon reads it by its group. */
static void complain_place(const Reading *reading, const Place *place, int err)
{
	if (err == EACCES)
		pvs_key_files_complain(reading->lines, place->path,
				       "the directory cannot be read (%s) by the daemon's group; "
				       "chgrp " PVS_DAEMON_GROUP " %s && chmod 0750 %s",
				       g_strerror(err), place->path, place->path);
	else
		pvs_key_files_complain(reading->lines, place->path,
				       "the directory cannot be read (%s); correct %s in "
				       "pvsecretd.conf",
				       g_strerror(err), reading->kind->setting);
}

static gboolean load_place(const Reading *reading, Place *place, GError **error)
{
	g_autoptr(GPtrArray) names = NULL;
	gboolean good = TRUE;

	if (!place->path)
		return TRUE;
	place->fd = open(place->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (place->fd < 0 && errno == ENOENT)
		return TRUE;
	if (place->fd < 0 || !(names = list(place))) {
		complain_place(reading, place, errno);
	} else {
		for (guint i = 0; good && i < names->len; i++)
			good = load_file(reading, place, g_ptr_array_index(names, i), error);
	}
	if (place->fd >= 0)
		close(place->fd);
	return good;
}

/* TRUE if there are none; else they are the error's text. */
static gboolean no_lines(GPtrArray *lines, GError **error)
{
	g_autofree char *text = NULL;

	if (lines->len == 0)
		return TRUE;
	g_ptr_array_add(lines, NULL);
	text = g_strjoinv("\n", (char **)lines->pdata);
	g_set_error_literal(error, PVS_ERROR, PVS_ERROR_CONFIG, text);
	return FALSE;
}

gboolean pvs_key_files_read(const PvsKeyKind *kind, const char *directory, const char *credentials,
			    PvsKeyFound found, gpointer user, GError **error)
{
	Place places[] = {
		{.path = directory, .prefix = "", .judge_mode = TRUE},
		{.path = credentials, .prefix = kind->prefix, .judge_mode = FALSE},
	};
	g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	const Reading reading = {
		.kind = kind, .names = names, .found = found, .user = user, .lines = lines};

	for (guint i = 0; i < G_N_ELEMENTS(places); i++)
		if (!load_place(&reading, &places[i], error))
			return FALSE;
	return no_lines(lines, error);
}

/* The file that @place has, if it has it. */
static gboolean read_from(const PvsKeyKind *kind, Place *place, const char *file,
			  gboolean must_exist, GPtrArray *lines, PvsSecret **content,
			  GError **error)
{
	g_autofree char *shown = shown_path(place, file);
	g_autoptr(GError) failed = NULL;
	struct stat st;

	place->fd = open(place->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (place->fd < 0 || fstatat(place->fd, file, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (must_exist || errno != ENOENT)
			pvs_key_files_complain(
				lines, shown,
				"cannot be opened (%s); put %s there for the daemon's user, or "
				"correct %s",
				g_strerror(errno), kind->a, kind->setting);
	} else {
		*content = read_file(kind, place, file, shown, lines, &failed);
	}
	if (place->fd >= 0)
		close(place->fd);
	if (!failed)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&failed));
	return FALSE;
}

gboolean pvs_key_files_read_one(const PvsKeyKind *kind, const char *path, const char *credentials,
				PvsSecret **content, GError **error)
{
	g_autofree char *directory = path ? g_path_get_dirname(path) : NULL;
	g_autofree char *file = path ? g_path_get_basename(path) : NULL;
	Place configured = {.path = directory, .judge_mode = TRUE};
	Place systemds = {.path = credentials, .judge_mode = FALSE};
	g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(PvsSecret) first = NULL;
	g_autoptr(PvsSecret) second = NULL;
	g_autoptr(GError) failed = NULL;

	if ((path && !read_from(kind, &configured, file, TRUE, lines, &first, &failed)) ||
	    (credentials &&
	     !read_from(kind, &systemds, kind->prefix, FALSE, lines, &second, &failed))) {
		g_propagate_error(error, g_steal_pointer(&failed));
		return FALSE;
	}
	if (first && second)
		pvs_key_files_complain(
			lines, path, "there is %s as the credential %s as well; rm one of the two",
			kind->a, kind->prefix);
	if (!no_lines(lines, error))
		return FALSE;
	*content = first ? g_steal_pointer(&first) : g_steal_pointer(&second);
	return TRUE;
}
