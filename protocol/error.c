/* SPDX-License-Identifier: MIT */
/*
 * error.c - every error that a client can see, in one list
 */
#include "protocol/error.h"

/* What travels beside an error's text. */
typedef struct {
	char *param;
	char *name;
} PvsErrorPrivate;

static void pvs_error_private_init(PvsErrorPrivate *private)
{
	*private = (PvsErrorPrivate){NULL, NULL};
}

static void pvs_error_private_copy(const PvsErrorPrivate *from, PvsErrorPrivate *to)
{
	to->param = g_strdup(from->param);
	to->name = g_strdup(from->name);
}

static void pvs_error_private_clear(PvsErrorPrivate *private)
{
	g_clear_pointer(&private->param, g_free);
	g_clear_pointer(&private->name, g_free);
}

/* GLib's macro casts from guint8 *; what it casts is aligned. It also defines pvs_error_quark(). */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-align"
G_DEFINE_EXTENDED_ERROR(PvsError, pvs_error)
#pragma GCC diagnostic pop

typedef struct {
	int code;
	const char *reason;
	const char *sentence;
	const char *hint;
} Row;

static const Row rows[] = {
#define ROW(name, code, reason, sentence, hint) [PVS_ERROR_##name] = {code, reason, sentence, hint},
	PVS_ERRORS(ROW)
#undef ROW
};

static const Row *row(PvsError error)
{
	return error < PVS_ERROR_CONFIG ? &rows[error] : &rows[PVS_ERROR_INTERNAL];
}

int pvs_error_code(PvsError error)
{
	return row(error)->code;
}

const char *pvs_error_reason(PvsError error)
{
	return row(error)->reason;
}

const char *pvs_error_sentence(PvsError error)
{
	return row(error)->sentence;
}

const char *pvs_error_hint(PvsError error)
{
	return row(error)->hint;
}

gboolean pvs_fail(GError **error, PvsError code, const char *param, const char *name)
{
	PvsErrorPrivate *private;

	if (!error)
		return FALSE;
	g_set_error_literal(error, PVS_ERROR, (gint)code, pvs_error_sentence(code));
	private = pvs_error_get_private(*error);
	private->param = g_strdup(param);
	private->name = g_strdup(name);
	return FALSE;
}

const char *pvs_error_param(const GError *error)
{
	return pvs_error_get_private(error)->param;
}

const char *pvs_error_name(const GError *error)
{
	return pvs_error_get_private(error)->name;
}

void pvs_error_prefix_param(GError *error, const char *prefix)
{
	PvsErrorPrivate *private = pvs_error_get_private(error);
	char *old = private->param;

	private->param = g_strconcat(prefix, old, NULL);
	g_free(old);
}
