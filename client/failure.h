/* SPDX-License-Identifier: MIT */
/*
 * failure.h - why a command did not succeed: exit status, what is wrong, what to do
 *
 * One error domain for all that pvsecretctl itself finds wrong and for what the daemon refuses. The
 * code of an error is the exit status of the command. Texts may contain anything that came from a
 * file's name or from the daemon: they are made harmless where they are printed (output.h).
 */
#pragma once

#include <glib.h>

typedef enum {
	PVS_EXIT_DONE = 0,
	PVS_EXIT_FAILED = 1,	  /* refused by the daemon, or something here failed */
	PVS_EXIT_USAGE = 2,	  /* the command line is wrong */
	PVS_EXIT_UNREACHABLE = 3, /* there is no daemon, or something else in its place */
	PVS_EXIT_SOON = 5,	  /* all is well, but not for --warn-days more */
} PvsExit;

#define PVS_FAILURE (pvs_failure_quark())
GQuark pvs_failure_quark(void);

/* Sets @error to a text that names the object, the rule and the value. @hint, copied, says what to
 * do; NULL where there is nothing to say. Always returns FALSE, so that a check can end in
 * `return pvs_failure (...)`. */
gboolean pvs_failure(GError **error, PvsExit status, const char *hint, const char *format, ...)
	G_GNUC_PRINTF(4, 5);

/* As pvs_failure() with PVS_EXIT_FAILED, for a system call that failed: "@label: @what: " and the
 * text of @err (an errno), with the hint that fits it. */
gboolean pvs_failure_system(GError **error, int err, const char *label, const char *what);

/* The hint; NULL where there is none or @error is of another domain. */
const char *pvs_failure_hint(const GError *error);
