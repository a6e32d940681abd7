/* SPDX-License-Identifier: MIT */
/*
 * failure.c - why a command did not succeed
 */
#include "client/failure.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

typedef struct {
	char *hint;
} PvsFailurePrivate;

static void pvs_failure_private_init(PvsFailurePrivate *priv)
{
	priv->hint = NULL;
}

static void pvs_failure_private_copy(const PvsFailurePrivate *from, PvsFailurePrivate *to)
{
	to->hint = g_strdup(from->hint);
}

static void pvs_failure_private_clear(PvsFailurePrivate *priv)
{
	g_free(priv->hint);
}

/* GLib's macro casts from guint8 *; what it casts is aligned. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-align"
G_DEFINE_EXTENDED_ERROR(PvsFailure, pvs_failure)
#pragma GCC diagnostic pop

gboolean pvs_failure(GError **error, PvsExit status, const char *hint, const char *format, ...)
{
	GError *made;
	va_list ap;

	va_start(ap, format);
	made = g_error_new_valist(PVS_FAILURE, (gint)status, format, ap);
	va_end(ap);
	pvs_failure_get_private(made)->hint = g_strdup(hint);
	g_propagate_error(error, made);
	return FALSE;
}

gboolean pvs_failure_system(GError **error, int err, const char *label, const char *what)
{
	/* A label is a path, or an option and a path behind it. */
	const char *blank = label[0] == '-' ? strchr(label, ' ') : NULL;
	g_autofree char *path = g_shell_quote(blank ? blank + 1 : label);
	g_autofree char *namei = g_strdup_printf(
		"check the permissions of the file and its directories with: namei -l %s", path);
	const struct {
		int err;
		const char *hint;
	} hints[] = {
		{ENOENT, "check the name, and the directory that you are in"},
		{ENOTDIR, "check the name: a part of it before the last is not a directory"},
		{EACCES, namei},
		{EPERM, namei},
		{ENOSPC, "make room on the file system, or choose another"},
		{EDQUOT, "make room in your quota, or choose another file system"},
		{EFBIG,
		 "raise the limit on the size of files (ulimit -f), or choose another place"},
		{EROFS, "choose a place that is not mounted read-only"},
		{EISDIR, "give the name of a file"},
		{EEXIST, "try again: something was put there at the same moment"},
		{EPIPE, "the program that reads standard output ended: see what it says"},
		{EBADF, "open standard output: it was closed when pvsecretctl started"},
	};
	const char *hint = "try again, and look at the system's log (dmesg) if it fails again";

	for (gsize i = 0; i < G_N_ELEMENTS(hints); i++)
		if (hints[i].err == err)
			hint = hints[i].hint;
	return pvs_failure(error, PVS_EXIT_FAILED, hint, "%s: %s: %s", label, what,
			   g_strerror(err));
}

const char *pvs_failure_hint(const GError *error)
{
	if (error->domain != PVS_FAILURE)
		return NULL;
	return pvs_failure_get_private(error)->hint;
}
