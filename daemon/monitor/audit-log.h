/* SPDX-License-Identifier: MIT */
/*
 * audit-log.h - the audit log's file
 *
 * The monitor opens it and reads nothing of it: the vault is given the descriptor. Opened anew for
 * each reload, so that a log that was renamed is let go of.
 */
#pragma once

#include <glib.h>

/* Opens @path, which need not exist, for the pair that is to be loaded. PVS_ERROR_CONFIG with file
 * and remedy where that is not possible; then the log that is in use stays in use. */
gboolean pvs_audit_log_open(const char *path, GError **error);

/* For --check-config: whether it could be opened; nothing is made. */
gboolean pvs_audit_log_check(const char *path, GError **error);

/* A pair takes over: the file that was opened last is the log from now on. @fds: it, and the file
 * that the chain goes on from if it has no line (TRUE), else it again (FALSE). Not to be closed. */
gboolean pvs_audit_log_descriptors(int fds[2]);
