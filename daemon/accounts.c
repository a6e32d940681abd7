/* SPDX-License-Identifier: MIT */
/*
 * accounts.c - names of users and groups, as numbers
 */
#include "daemon/accounts.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

enum {
	ENTRY_FIRST = 4096, /* bytes; groups of thousands take more */
	ENTRY_MAX = 4 * 1024 * 1024,
};

static gboolean settled;
/* What the name service once said; the files are always asked first. */
static GHashTable *users, *groups; /* name -> id */

/* One kind of account: both databases have the same functions, of other types. */
typedef struct {
	const char *path;
	GHashTable **remembered;
	/* As fgetpwent_r(3) and getpwnam_r(3); *@found is FALSE at the end, and for no such one. */
	int (*next)(FILE *file, char *buffer, gsize size, const char **name, guint32 *id);
	int (*by_name)(const char *name, char *buffer, gsize size, gboolean *found, guint32 *id);
} Database;

static int next_user(FILE *file, char *buffer, gsize size, const char **name, guint32 *id)
{
	struct passwd entry, *found;
	int result = fgetpwent_r(file, &entry, buffer, size, &found);

	if (result == 0) {
		*name = entry.pw_name;
		*id = entry.pw_uid;
	}
	return result;
}

static int next_group(FILE *file, char *buffer, gsize size, const char **name, guint32 *id)
{
	struct group entry, *found;
	int result = fgetgrent_r(file, &entry, buffer, size, &found);

	if (result == 0) {
		*name = entry.gr_name;
		*id = entry.gr_gid;
	}
	return result;
}

static int user_by_name(const char *name, char *buffer, gsize size, gboolean *found, guint32 *id)
{
	struct passwd entry, *result = NULL;
	int error = getpwnam_r(name, &entry, buffer, size, &result);

	*found = error == 0 && result;
	if (*found)
		*id = entry.pw_uid;
	return error;
}

static int group_by_name(const char *name, char *buffer, gsize size, gboolean *found, guint32 *id)
{
	struct group entry, *result = NULL;
	int error = getgrnam_r(name, &entry, buffer, size, &result);

	*found = error == 0 && result;
	if (*found)
		*id = entry.gr_gid;
	return error;
}

/* As look_up(). An entry that is larger than the buffer is read again with a larger one: both
 * functions leave the file where it began. */
static int in_file(const Database *database, const char *wanted, guint32 *id)
{
	FILE *file = fopen(database->path, "re");
	gsize size = ENTRY_FIRST;
	g_autofree char *buffer = g_malloc(size);
	const char *name;
	guint32 number;
	int error;

	/* All may be with the name service, and there be no file. */
	if (!file)
		return errno;
	do {
		error = database->next(file, buffer, size, &name, &number);
		if (error == ERANGE && size <= ENTRY_MAX)
			buffer = g_realloc(buffer, size *= 2);
		else if (error != 0)
			break;
	} while (error == ERANGE || strcmp(name, wanted) != 0);
	fclose(file);
	if (error == 0)
		*id = number;
	return error;
}

static gboolean by_name(const Database *database, const char *name, guint32 *id)
{
	gsize size = ENTRY_FIRST;
	g_autofree char *buffer = g_malloc(size);
	gboolean found;

	while (database->by_name(name, buffer, size, &found, id) == ERANGE && size <= ENTRY_MAX)
		buffer = g_realloc(buffer, size *= 2);
	return found;
}

static int look_up(const Database *database, const char *name, guint32 *id)
{
	gpointer remembered;
	guint32 number;
	int error = in_file(database, name, id);

	if (error != ENOENT)
		return error;
	if (!*database->remembered)
		*database->remembered =
			g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	if (settled) {
		if (!g_hash_table_lookup_extended(*database->remembered, name, NULL, &remembered))
			return ENOENT;
		*id = GPOINTER_TO_UINT(remembered);
		return 0;
	}
	if (!by_name(database, name, &number))
		return ENOENT;
	g_hash_table_insert(*database->remembered, g_strdup(name), GUINT_TO_POINTER(number));
	*id = number;
	return 0;
}

int pvs_accounts_user(const char *name, guint32 *uid)
{
	static const Database database = {"/etc/passwd", &users, next_user, user_by_name};

	return look_up(&database, name, uid);
}

int pvs_accounts_group(const char *name, guint32 *gid)
{
	static const Database database = {"/etc/group", &groups, next_group, group_by_name};

	return look_up(&database, name, gid);
}

void pvs_accounts_settle(void)
{
	settled = TRUE;
}
