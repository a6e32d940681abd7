/* SPDX-License-Identifier: MIT */
/*
 * marks-file.h - the file of daemon/trust/marks.h, which trust itself cannot open
 */
#pragma once

#include <glib.h>

/* Opens it, once for the daemon's life; it is made if it is not there. PVS_ERROR_CONFIG if that
 * does not work; but where there is not even its directory, nothing is kept, and trust says so. */
gboolean pvs_marks_file_open(const char *path, GError **error);

/* Whether it could be: nothing is made, and nothing stays open. */
gboolean pvs_marks_file_check(const char *path, GError **error);

/* The descriptor, not given away; -1: there is none. */
int pvs_marks_file(void);
