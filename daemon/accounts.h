/* SPDX-License-Identifier: MIT */
/*
 * accounts.h - names of users and groups, as numbers
 *
 * Asking the name service loads modules and opens sockets, which a process in its cage cannot do.
 * So the name service is asked only before; from then on (at a reload) a name is looked for in
 * /etc/passwd and /etc/group, and counts as it did before where it is not in there. A file that
 * cannot be read says nothing of who is in there: that is told apart.
 */
#pragma once

#include <glib.h>

/* 0, ENOENT if there is no such user or group, or another errno if the file that would say so
 * cannot be read. */
int pvs_accounts_user(const char *name, guint32 *uid);
int pvs_accounts_group(const char *name, guint32 *gid);

/* From now on the name service is not asked any more. */
void pvs_accounts_settle(void);
