/* SPDX-License-Identifier: MIT */
/*
 * log.h - lines for the journal
 *
 * One write(2) to standard error for each line, "<N>role[: ] text", N a syslog level: nothing that
 * a cage forbids (g_message() opens catalogues and sockets). A terminal gets the text alone, with
 * "warning: " before one. Control characters in the text are shown as \xNN, so no name can forge a
 * line. Only the outermost function of a role logs.
 */
#pragma once

#include "protocol/message.h"

typedef enum {
	PVS_LOG_ERROR = 3,
	PVS_LOG_WARNING = 4,
	PVS_LOG_NOTICE = 5,
	PVS_LOG_INFO = 6,
	PVS_LOG_DEBUG = 7 /* for the journal alone */
} PvsLogLevel;

/* Says who is speaking, from now on (0: a program of its own), and looks where the lines go. Also
 * sends what GLib logs the same way. */
void pvs_log_init(PvsRole role);

void pvs_log(PvsLogLevel level, const char *format, ...) G_GNUC_PRINTF(2, 3);
#define pvs_error(...)	 pvs_log(PVS_LOG_ERROR, __VA_ARGS__)
#define pvs_warning(...) pvs_log(PVS_LOG_WARNING, __VA_ARGS__)
#define pvs_notice(...)	 pvs_log(PVS_LOG_NOTICE, __VA_ARGS__)
#define pvs_info(...)	 pvs_log(PVS_LOG_INFO, __VA_ARGS__)
#define pvs_debug(...)	 pvs_log(PVS_LOG_DEBUG, __VA_ARGS__)
