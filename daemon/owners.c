/* SPDX-License-Identifier: MIT */
/*
 * owners.c - who may change what the daemon goes by, and what to do where it cannot be read
 */
#include "daemon/owners.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static gboolean owner_counts = TRUE;

void pvs_owners_by_mode_alone(void)
{
	owner_counts = FALSE;
}

char *pvs_owners_wrong(const struct stat *st, const char *path)
{
	if (owner_counts && st->st_uid != 0 && st->st_uid != geteuid())
		return g_strdup_printf("belongs to uid %u, and the daemon goes by what is in it: "
				       "it must belong to root or the daemon's user; chown root %s",
				       st->st_uid, path);
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return g_strdup_printf("its mode %04o lets its group or others write, and the "
				       "daemon goes by what is in it; chmod go-w %s",
				       st->st_mode & 07777, path);
	return NULL;
}

const char *pvs_owners_user(void)
{
	return geteuid() == 0 ? "root" : PVS_DAEMON_USER;
}

char *pvs_owners_no_directory(const char *path, int err)
{
	const char *text = g_strerror(err);

	if (err == EACCES)
		return g_strdup_printf("%s: the directory cannot be read (%s); make it readable "
				       "for the daemon's user: chmod 0755 %s",
				       path, text, path);
	return g_strdup_printf("%s: the directory cannot be read (%s); correct the setting that "
			       "names it in pvsecretd.conf, or make the directory",
			       path, text);
}

char *pvs_owners_no_file(int directory, const char *name, const char *path, int err)
{
	const char *text = g_strerror(err);
	struct stat st;

	/* chmod(1) would change what the link leads to, wherever that is. */
	if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode))
		return g_strdup_printf("%s: cannot be read (%s); it is a symbolic link: put a copy "
				       "of the file in its place",
				       path, text);
	if (err == EACCES)
		return g_strdup_printf("%s: cannot be read (%s); make it readable for the daemon's "
				       "user: chmod 0644 %s",
				       path, text, path);
	return g_strdup_printf("%s: cannot be read (%s); install it again, and reload", path, text);
}
