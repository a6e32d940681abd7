/* SPDX-License-Identifier: MIT */
/*
 * owners.h - who may change what the daemon goes by, and what to do where it cannot be read
 *
 * The configuration, the certificates and the keys say what the daemon does: whoever can write one
 * of them is its owner. So each belongs to root or to the daemon's user, and nobody else may write
 * it. Texts are "what is wrong; what to do", and what to do is chosen by the cause: a command that
 * does not help does harm.
 */
#pragma once

#include <glib.h>
#include <sys/stat.h>

/* The user and the group that the service runs as. */
#define PVS_DAEMON_USER	 "pvsecretd"
#define PVS_DAEMON_GROUP "pvsecretd"

/* What is wrong with @st, of the file or directory @path: another owner, or a mode that lets others
 * write. NULL: nothing. */
char *pvs_owners_wrong(const struct stat *st, const char *path);

/* From now on pvs_owners_wrong() looks at the mode alone. For a program that runs as another user
 * than the daemon and trusts nothing by these files: which user the daemon's is, it cannot tell. */
void pvs_owners_by_mode_alone(void);

/* For a command: the user whom files belong to that nobody else shall read. Not a number of this
 * process's: who checks a configuration may be somebody else. */
const char *pvs_owners_user(void);

/* Lines about a directory @path, and the file @name in @directory whose path is @path, that could
 * not be opened or read for the reason @err (an errno). For what everybody may read. */
char *pvs_owners_no_directory(const char *path, int err);
char *pvs_owners_no_file(int directory, const char *name, const char *path, int err);
