/* SPDX-License-Identifier: MIT */
/*
 * key-files.h - the owner's files with keys in them, of whatever kind
 *
 * Before the cage. From a configured directory (the file's name is the key's) and from systemd's
 * credentials directory (behind the kind's prefix; the mode is not judged there). A name in both
 * places, a name outside the rule, a file that breaks a rule: a line that names the file and the
 * remedy. All lines are reported together.
 */
#pragma once

#include "daemon/locked.h"

typedef struct {
	const char *what;    /* "CCK" */
	const char *a;	     /* "a CCK" */
	const char *prefix;  /* of a credential: "cck_" */
	const char *setting; /* that names the place: "CckDirectory=" */
	gsize size;	     /* exactly so many bytes; 0: 1 to PVS_KEY_FILE_MAX */
	guint most;	     /* so many at most: more is a mistake, and would not fit the arena */
} PvsKeyKind;

#define PVS_KEY_FILE_MAX 16384 /* bytes of a file with a key that has a form */

typedef struct {
	const char *name;  /* of the key */
	const char *shown; /* the file, for texts */
	const char *place; /* its directory */
	PvsSecret *content;
} PvsKeyFile;

/* Takes a file over: steals @file->content or leaves it. What the owner can put right becomes a
 * line (pvs_key_files_complain()); FALSE only where the system fails. */
typedef gboolean (*PvsKeyFound)(gpointer user, PvsKeyFile *file, GPtrArray *lines, GError **error);

/* Each key of @kind, in the order of names of each place. @directory or @credentials may be NULL; a
 * directory that does not exist holds none. Files are opened with openat() relative to their
 * directory, O_NOFOLLOW, and read straight into the arena. PVS_ERROR_CONFIG with the lines. */
gboolean pvs_key_files_read(const PvsKeyKind *kind, const char *directory, const char *credentials,
			    PvsKeyFound found, gpointer user, GError **error);

/* One file by its path, and the credential of the kind's whole prefix: one of them or neither.
 * *@content stays NULL where there is neither; a path that is given has to be there. Either may be
 * NULL. */
gboolean pvs_key_files_read_one(const PvsKeyKind *kind, const char *path, const char *credentials,
				PvsSecret **content, GError **error);

/* Adds "@shown: ...; what to do". */
void pvs_key_files_complain(GPtrArray *lines, const char *shown, const char *format, ...)
	G_GNUC_PRINTF(3, 4);
