/* SPDX-License-Identifier: MIT */
/*
 * keys.c - the keys that the vault holds, by name
 *
 * Runs before the cage and reads the owner's files alone. Even so a file is opened as if somebody
 * else had put it there: relative to its directory, never through a link, and judged by what was
 * opened, not by what was there a moment before.
 */
#include "daemon/vault/keys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/vault/request.h"
#include "protocol/error.h"
#include "protocol/names.h"

typedef struct {
	PvsKey key; /* first: what the others see of it */
	char *name;
	PvsSecret *secret;
	const char *place; /* the directory that it came from */
} Entry;

struct PvsKeys {
	GPtrArray *entries; /* of Entry, sorted by name once all are loaded */
};

/* A directory of keys. */
typedef struct {
	const char *path;
	const char *prefix;  /* of the files that are CCKs; the rest of the name is the key's */
	gboolean judge_mode; /* systemd itself chooses the mode in its credentials directory */
	int fd;
} Place;

static void entry_free(gpointer data)
{
	Entry *entry = data;

	pvs_secret_free(entry->secret);
	g_free(entry->name);
	g_free(entry);
}

static void G_GNUC_PRINTF(2, 3) complain(GPtrArray *lines, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_ptr_array_add(lines, g_strdup_vprintf(format, args));
	va_end(args);
}

/* For texts: whoever may write to the directory may have put a line feed or worse into a name. */
static char *shown_path(const Place *place, const char *file)
{
	g_autofree char *escaped = g_strescape(file, NULL);

	return g_build_filename(place->path, escaped, NULL);
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
		complain(lines,
			 "%s: cannot be opened (%s); give it to the daemon's user: chown %u %s",
			 shown, g_strerror(errno), geteuid(), shown);
		goto failed;
	}
	if (S_ISLNK(st->st_mode)) {
		complain(lines,
			 "%s: is a symbolic link, a key must be a file of its own; "
			 "cp --remove-destination \"$(readlink -f %s)\" %s",
			 shown, shown, shown);
		goto failed;
	}
	if (!S_ISREG(st->st_mode)) {
		complain(lines, "%s: is not a regular file, keys alone may be in %s; mv %s /root/",
			 shown, place->path, shown);
		goto failed;
	}
	return fd;

failed:
	if (fd >= 0)
		close(fd);
	return -1;
}

/* All rules for a file that is open; each that is broken gets its line. */
static gboolean judge(const Place *place, const char *shown, const struct stat *st,
		      GPtrArray *lines)
{
	guint before = lines->len;

	if (st->st_uid != 0 && st->st_uid != geteuid())
		complain(lines,
			 "%s: belongs to uid %u, a key must belong to root or the daemon's user; "
			 "chown %u %s",
			 shown, st->st_uid, geteuid(), shown);
	if (place->judge_mode && (st->st_mode & 077))
		complain(lines,
			 "%s: its mode %04o gives rights to its group or to others; chmod 0600 %s",
			 shown, st->st_mode & 07777, shown);
	if (st->st_size != PVS_KEY_SIZE)
		complain(lines,
			 "%s: has %" G_GINT64_FORMAT " bytes, a CCK has exactly %u, raw, without "
			 "encoding or line feed; from hex digits: xxd -r -p HEX-FILE %s",
			 shown, (gint64)st->st_size, PVS_KEY_SIZE, shown);
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

static const Entry *find_entry(const PvsKeys *keys, const char *name)
{
	for (guint i = 0; i < keys->entries->len; i++) {
		const Entry *entry = g_ptr_array_index(keys->entries, i);

		if (strcmp(entry->name, name) == 0)
			return entry;
	}
	return NULL;
}

/* Takes over @secret. */
static gboolean add(PvsKeys *keys, const Place *place, const char *name, PvsSecret *secret,
		    GError **error)
{
	Entry *entry = g_new0(Entry, 1);

	entry->name = g_strdup(name);
	entry->secret = secret;
	entry->place = place->path;
	entry->key = (PvsKey){.name = entry->name, .secret = secret};
	g_ptr_array_add(keys->entries, entry);
	return pvs_request_check_value(secret, entry->key.check_value, error);
}

/* FALSE only where the system fails; what the owner can put right becomes a line. */
static gboolean load_file(PvsKeys *keys, const Place *place, const char *file, GPtrArray *lines,
			  GError **error)
{
	const char *name = file + strlen(place->prefix);
	g_autofree char *shown = shown_path(place, file);
	g_autoptr(PvsSecret) secret = NULL;
	const Entry *other;
	struct stat st;
	gboolean good;
	int fd;

	if (!pvs_key_name_valid(name)) {
		complain(lines,
			 "%s: is not the name of a key: letters, digits and _ . - only, at most "
			 "64, starting with a letter or digit; rename or remove the file: ls -b %s",
			 shown, place->path);
		return TRUE;
	}
	other = find_entry(keys, name);
	if (other) {
		complain(lines, "%s: there is a CCK of this name in %s as well; rm one of the two",
			 shown, other->place);
		return TRUE;
	}
	if (keys->entries->len == PVS_KEYS_MAX) {
		complain(lines,
			 "%s: is one CCK more than the %u that the daemon holds; mv %s /root/",
			 shown, PVS_KEYS_MAX, shown);
		return TRUE;
	}

	fd = open_file(place, file, shown, &st, lines);
	if (fd < 0)
		return TRUE;
	if (!judge(place, shown, &st, lines)) {
		close(fd);
		return TRUE;
	}
	secret = pvs_secret_new(PVS_KEY_SIZE);
	if (!secret) {
		close(fd);
		g_set_error(error, PVS_ERROR, PVS_ERROR_SYSTEM, "%s: the memory for keys is full",
			    shown);
		return FALSE;
	}
	good = read_key(fd, secret);
	close(fd);
	if (!good) {
		complain(lines, "%s: cannot be read whole; store it again", shown);
		return TRUE;
	}
	return add(keys, place, name, g_steal_pointer(&secret), error);
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static gint compare_entries(gconstpointer a, gconstpointer b)
{
	const Entry *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
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

static gboolean load_place(PvsKeys *keys, Place *place, GPtrArray *lines, GError **error)
{
	g_autoptr(GPtrArray) names = NULL;
	gboolean good = TRUE;

	if (!place->path)
		return TRUE;
	place->fd = open(place->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (place->fd < 0 && errno == ENOENT)
		return TRUE;
	if (place->fd < 0 || !(names = list(place))) {
		complain(lines,
			 "%s: the directory cannot be read (%s); give it to the daemon's user: "
			 "chown %u %s",
			 place->path, g_strerror(errno), geteuid(), place->path);
	} else {
		for (guint i = 0; good && i < names->len; i++)
			good = load_file(keys, place, g_ptr_array_index(names, i), lines, error);
	}
	if (place->fd >= 0)
		close(place->fd);
	return good;
}

PvsKeys *pvs_keys_load(const char *directory, const char *credentials, GError **error)
{
	Place places[] = {
		{.path = directory, .prefix = "", .judge_mode = TRUE},
		{.path = credentials, .prefix = "cck_", .judge_mode = FALSE},
	};
	g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(PvsKeys) keys = g_new0(PvsKeys, 1);

	keys->entries = g_ptr_array_new_with_free_func(entry_free);
	for (guint i = 0; i < G_N_ELEMENTS(places); i++)
		if (!load_place(keys, &places[i], lines, error))
			return NULL;
	if (lines->len > 0) {
		g_autofree char *text = NULL;

		g_ptr_array_add(lines, NULL);
		text = g_strjoinv("\n", (char **)lines->pdata);
		g_set_error_literal(error, PVS_ERROR, PVS_ERROR_CONFIG, text);
		return NULL;
	}
	g_ptr_array_sort(keys->entries, compare_entries);
	for (guint i = 0; i < keys->entries->len; i++)
		((Entry *)g_ptr_array_index(keys->entries, i))->place = NULL; /* the caller's */
	return g_steal_pointer(&keys);
}

void pvs_keys_free(PvsKeys *keys)
{
	if (!keys)
		return;
	g_ptr_array_unref(keys->entries);
	g_free(keys);
}

const PvsKey *pvs_keys_find(const PvsKeys *keys, const char *name)
{
	const Entry *entry = find_entry(keys, name);

	return entry ? &entry->key : NULL;
}

guint pvs_keys_size(const PvsKeys *keys)
{
	return keys->entries->len;
}

const PvsKey *pvs_keys_nth(const PvsKeys *keys, guint i)
{
	const Entry *entry;

	g_assert(i < keys->entries->len);
	entry = g_ptr_array_index(keys->entries, i);
	return &entry->key;
}
