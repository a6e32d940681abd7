/* SPDX-License-Identifier: MIT */
/*
 * files.h - files that are written whole or not at all, and all of them or none
 *
 * Each file is written under another name in its directory, flushed, and renamed. A signal that
 * ends the program waits until that is over. If the second of two renames fails, what the first
 * replaced is put back where the file system can do that (RENAME_EXCHANGE), else the first file is
 * removed, so that no request is left behind whose secret info is missing. Only a crash of the
 * machine between the two renames can leave one of them.
 */
#pragma once

#include <glib.h>

typedef struct PvsFiles PvsFiles;

PvsFiles *pvs_files_new(void);
void pvs_files_free(PvsFiles *files); /* removes what was not committed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PvsFiles, pvs_files_free)

/* Announces a file, before there is anything to write, so that what cannot be written is known
 * before the daemon is asked: the directory must exist and be writable; at @path there must be
 * nothing or a regular file that may be written to, which is replaced. (Renaming over a symbolic
 * link or a device would replace the link or the device itself: refused.) @label names it in an
 * error. */
gboolean pvs_files_add(PvsFiles *files, const char *path, const char *label, GError **error);

/* Is @path one of them, by whatever name? */
gboolean pvs_files_has(const PvsFiles *files, const char *path);

/* From now on a signal from the keyboard or a shutdown waits until pvs_files_free(): it would leave
 * something half done. pvs_files_write() does this. */
void pvs_files_hold(PvsFiles *files);

/* Writes file @i, in the order of pvs_files_add(), but under its temporary name. Its mode is that
 * of the file it replaces, else 0666 less the umask; the owner is who runs this. */
gboolean pvs_files_write(PvsFiles *files, guint i, const void *data, gsize size, GError **error);

/* Gives all files their names. Each must have been written. On failure none is there. */
gboolean pvs_files_commit(PvsFiles *files, GError **error);
